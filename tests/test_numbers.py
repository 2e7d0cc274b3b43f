"""Numbers as a person reads them; the browser's are held to the same by ``js/tests/format.test.ts``."""

import pytest

from runwidgets.watch.numbers import digits_to_tell, number


def plain(text):
    """Thin spaces and minus signs are hard to tell apart in a test's source."""
    return text.replace("\u202f", "_").replace("\N{MINUS SIGN}", "~")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (-0.0, "0"), (0.1834, "0.1834"), (0.18344444, "0.1834"), (2.30409, "2.3041"), (41.2, "41.2"),
        (-1, "~1"), (1234, "1234"), (1000.0, "1000"), (12400, "12_400"), (-12400.4, "~12_400"), (12344.5, "12_345"),
        (123456.7, "123_457"), (1234567, "1_234_567"), (1e10, "1e10"), (1e20, "1e20"), (1.2e-7, "1.2e~7"),
        (-0.00001, "~1e~5"), (0.00012, "0.00012"), (0.00009999999, "1e~4"), (1e300, "1e300"), (5e-324, "5e~324"),
        (9999999999.7, "10_000_000_000"),
    ],
)  # fmt: skip
def test_numbers_are_short_and_written_as_in_print(value, text):
    assert plain(number(value)) == text


def test_values_that_json_and_doubles_cannot_hold_are_shown_as_what_they_are():
    assert number({"float": "NaN"}) == "NaN"
    assert number({"float": "Infinity"}) == "∞"
    assert plain(number({"float": "-Infinity"})) == "~∞"
    assert plain(number({"int": "9223372036854775807"})) == "9_223_372_036_854_775_807"
    assert plain(number({"int": "-9007199254740993"})) == "~9_007_199_254_740_993"


def test_texts_are_shown_whole_booleans_as_python_writes_them_no_value_as_a_dash():
    assert [number(value) for value in ("12400", True, None)] == ["12400", "True", "—"]


def test_numbers_that_differ_have_the_digits_that_tell_them_apart_and_no_more_than_usual_where_they_need_none():
    close = [1.0000003, 1.0000001, 1.0000003]
    assert [number(x, digits_to_tell(close)) for x in close] == ["1.0000003", "1.0000001", "1.0000003"]
    far = [1e9 + 0.049, 1e9]
    assert [plain(number(x, digits_to_tell(far))) for x in far] == ["1_000_000_000.05", "1_000_000_000"]
    assert digits_to_tell([0.18344, 2.3, 7, 7, True]) == 0
    assert digits_to_tell([None, "text", {"float": "NaN"}]) == 0
    assert plain(number(123456.7, 9)) == "123_456.7"
