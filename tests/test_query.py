"""The language of filters: what is read into which tree, and what is said of what cannot be read."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runwidgets.conditions import (
    All,
    Comparison,
    Existence,
    Field,
    FieldKind,
    Membership,
    Mention,
    Negation,
    Operator,
    Some,
)
from runwidgets.errors import QueryError
from runwidgets.query import DEEPEST, LONGEST, MOST, parse_condition, parse_order

NOW = 1_795_600_000.0
MSE, MODEL, STATUS = Field(FieldKind.METRICS, "mse"), Field(FieldKind.TAGS, "model"), Field(FieldKind.STATUS)
STARTED, DURATION, NAME = Field(FieldKind.STARTED), Field(FieldKind.DURATION), Field(FieldKind.NAME)


def is_(field, value, operator="="):
    return Comparison(field, Operator(operator), value)


def at(*when):
    return datetime(*when).timestamp()  # noqa: DTZ001 (the local time is what filters mean)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", None),
        (" \n\t", None),
        ("metrics.mse < 3000", is_(MSE, 3000.0, "<")),
        ("metrics.mse<3e3", is_(MSE, 3000.0, "<")),
        ("METRICS.mse >= -.5", is_(MSE, -0.5, ">=")),
        ("metrics.mse == inf", is_(MSE, math.inf)),
        ("metrics.mse != -Infinity", is_(MSE, -math.inf, "!=")),
        ("metrics.mse = true", is_(MSE, 1.0)),
        ("metrics.mse = 'true'", is_(MSE, "true")),
        ("metrics.mse = done", is_(MSE, "done")),
        ("metrics.train/loss exists", Existence(Field(FieldKind.METRICS, "train/loss"))),
        ('metrics."train loss (1)" > 1', is_(Field(FieldKind.METRICS, "train loss (1)"), 1.0, ">")),
        (r"""tags."a \"b\" \\ \n" = 'it\'s'""", is_(Field(FieldKind.TAGS, r'a "b" \ \n'), "it's")),
        ("tags.a.b = x", is_(Field(FieldKind.TAGS, "a.b"), "x")),
        ("tags.model = 5", is_(MODEL, 5.0)),
        ("tags.model = '5'", is_(MODEL, "5")),
        ("tags.model ~ 5", is_(MODEL, "5", "~")),
        ("tags.model = inf", is_(MODEL, "inf")),
        ("id = 123", is_(Field(FieldKind.ID), "123")),
        ("name = 'and'", is_(NAME, "and")),
        ("name = C:/runs/1-2", is_(NAME, "C:/runs/1-2")),
        ("status = completed", is_(STATUS, "Completed")),
        ("status in (running, 'Failed')", Membership(STATUS, ("Running", "Failed"))),
        ("tags.model not in (a,1)", Negation(Membership(MODEL, ("a", 1.0)))),
        ("duration > 1h30m", is_(DURATION, 5400.0, ">")),
        ("duration <= 90", is_(DURATION, 90.0, "<=")),
        ("duration = 1.5ms", is_(DURATION, 0.0015)),
        ("number = 3", is_(Field(FieldKind.NUMBER), 3.0)),
        ("ridge", Mention("ridge")),
        ("3f2a", Mention("3f2a")),
        ("'a field: tags.x = 1'", Mention("a field: tags.x = 1")),
        ("ridge lasso", All((Mention("ridge"), Mention("lasso")))),
        ("ridge and not lasso", All((Mention("ridge"), Negation(Mention("lasso"))))),
        ("a or b and c", Some((Mention("a"), All((Mention("b"), Mention("c")))))),
        ("(a or b) AND c", All((Some((Mention("a"), Mention("b"))), Mention("c")))),
        ("not not a", Negation(Negation(Mention("a")))),
        (
            'metrics.mse < 3000 and tags.model = "ridge" and status = Completed',
            All((is_(MSE, 3000.0, "<"), is_(MODEL, "ridge"), is_(STATUS, "Completed"))),
        ),
    ],
)
def test_a_filter_is_read_into_a_tree(text, tree):
    assert parse_condition(text, NOW) == tree


def test_nan_is_a_number_that_can_be_asked_for():
    found = parse_condition("metrics.mse = nan")
    assert isinstance(found, Comparison)
    assert math.isnan(found.value)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026-11-25", at(2026, 11, 25), at(2026, 11, 26)),
        ("'2026-11-25 10:00'", at(2026, 11, 25, 10), at(2026, 11, 25, 10, 1)),
        ("2026-11-25 9:00", at(2026, 11, 25, 9), at(2026, 11, 25, 9, 1)),
        ("2026-11-25T10:00:30", at(2026, 11, 25, 10, 0, 30), at(2026, 11, 25, 10, 0, 31)),
        ("2026-11-25T10:00Z", datetime(2026, 11, 25, 10, tzinfo=UTC).timestamp(), None),
        ("2026-11-25T10:00+01:00", datetime(2026, 11, 25, 9, tzinfo=UTC).timestamp(), None),
    ],
)
def test_a_time_lasts_as_long_as_it_is_told_exactly(text, begin, end):
    end = begin + 60 if end is None else end
    read = {op: parse_condition(f"started {op} {text}", NOW) for op in ("=", "!=", "<", "<=", ">", ">=")}
    assert read == {
        "=": All((is_(STARTED, begin, ">="), is_(STARTED, end, "<"))),
        "!=": Some((is_(STARTED, begin, "<"), is_(STARTED, end, ">="))),
        "<": is_(STARTED, begin, "<"), "<=": is_(STARTED, end, "<"),
        ">": is_(STARTED, end, ">="), ">=": is_(STARTED, begin, ">="),
    }  # fmt: skip


def test_times_are_told_relative_to_now_too():
    day = datetime.fromtimestamp(NOW)  # noqa: DTZ006 (local)
    today = at(day.year, day.month, day.day)
    assert parse_condition("started > -1d12h", NOW) == is_(STARTED, NOW - 129_600, ">")
    assert parse_condition("started < now", NOW) == is_(STARTED, NOW, "<")
    assert parse_condition("started >= today", NOW) == is_(STARTED, today, ">=")
    assert parse_condition("started < yesterday", NOW) == is_(STARTED, today - 86_400, "<")
    assert parse_condition("ended = 2026-11-25T10:00:00.5Z", NOW) == is_(
        Field(FieldKind.ENDED), datetime(2026, 11, 25, 10, 0, 0, 500_000, tzinfo=UTC).timestamp()
    )


@pytest.mark.parametrize(
    ("text", "position", "found", "expected"),
    [
        ("metrics.mse << 3000", 13, "'<'", "a value"),
        ("metrics.mse <", 13, "the end", "a value"),
        ("mse < 3", 0, "'mse'", "metrics.mse?"),
        ("metric.mse < 3", 0, "'metric.mse'", "metrics.mse?"),
        ("statu = x", 0, "'statu'", "status?"),
        ("status.x = 1", 0, "'status.x'", "a field: status"),
        ("metrics = 1", 0, "'metrics'", "metrics.NAME"),
        ("status = Fin", 9, "'Fin'", "NotStarted, Queued"),
        ("status < Completed", 7, "'<'", "no order"),
        ("tags. = 3", 5, "'='", 'tags."a name"'),
        ('tags. "a" = 3', 5, "the quoted text 'a'", 'tags."a name"'),
        ("name = my run", 10, "'run'", "a text of several words is quoted"),
        ("tags.a = and", 9, "'and'", "a value"),
        ("metrics.a > nan", 12, "'nan'", "by = and !="),
        ("metrics.a < x", 12, "'x'", "a number"),
        ("metrics.a ~ x", 10, "'~'", "only texts contain"),
        ("number = one", 9, "'one'", "a number"),
        ("duration > 5 parsecs", 13, "'parsecs'", "and, or"),
        ("duration > 5parsecs", 11, "'5parsecs'", "1h30m"),
        ("started > 2026-02-31", 10, "'2026-02-31'", "a time"),
        ("started > 9999-12-31", 10, "'9999-12-31'", "a time"),
        ("started > 5", 10, "'5'", "a time"),
        ("tags.a in 5", 10, "'5'", "a bracket"),
        ("tags.a in ()", 11, "')'", "a value"),
        ("tags.a in (1 2)", 13, "'2'", "a comma"),
        ("(a", 2, "the end", "bracket that closes"),
        ("a)", 1, "')'", "and, or"),
        ("status", 6, "the end", "=, !="),
        ("not", 3, "the end", "a field"),
        ('a and "b', 6, "a quote that is not closed", 'a " that closes it'),
        ("wow!", 3, "'!'", "!="),
    ],
)
def test_what_cannot_be_read_is_shown_with_what_is_expected(text, position, found, expected):
    with pytest.raises(QueryError) as error:
        parse_condition(text, NOW)
    assert (error.value.position, error.value.found) == (position, found)
    assert expected in error.value.expected
    first, shown, caret = str(error.value).split("\n")
    assert first.startswith(f"the filter cannot be read at character {position + 1}: found {found}, expected ")
    assert (shown, caret) == (f"  {text}", f"{' ' * (position + 2)}^")


def test_of_a_long_filter_the_part_is_shown_that_cannot_be_read():
    with pytest.raises(QueryError) as error:
        parse_condition(f"{'a ' * 200}= {'b ' * 50}")
    _, shown, caret = str(error.value).split("\n")
    assert shown[caret.index("^")] == "a"
    assert len(shown) < 100


def test_a_filter_is_bounded():
    assert parse_condition("(" * DEEPEST + "a" + ")" * DEEPEST) == Mention("a")
    with pytest.raises(QueryError, match=f"at most {DEEPEST} in each other"):
        parse_condition("(" * 2000 + "a" + ")" * 1999)
    with pytest.raises(QueryError, match=f"at most {DEEPEST}"):
        parse_condition("not " * (DEEPEST + 1) + "a")
    assert len(parse_condition(" or ".join(["a"] * MOST)).parts) == MOST
    for text in (" or ".join(["a"] * (MOST + 1)), "a " * (MOST + 1), f"tags.a in ({','.join('1' * (MOST + 1))})"):
        with pytest.raises(QueryError, match=f"one condition more, expected at most {MOST}"):
            parse_condition(text)
    with pytest.raises(QueryError, match="expected at most 4,000"):
        parse_condition("a" * (LONGEST + 1))


def test_an_order_is_a_field_and_a_minus_before_it_puts_the_greatest_first():
    assert parse_order("started") == (STARTED, False)
    assert parse_order("-metrics.mse") == (MSE, True)
    assert parse_order('- metrics."mse"') == (MSE, True)
    for text in ("", "-", "mse", "started ended", "metrics"):
        with pytest.raises(QueryError):
            parse_order(text)


PIECES = st.sampled_from([
    "and", "or", "not", "in", "exists", "(", ")", ",", "=", "!=", "<", "~", '"', "'", "\\", "tags.", "tags.a",
    "metrics.m", "started", "status", "name", "-1d", "2026-11-25", "10:00", "0001-01-01", "9999-12-31", "1e999", "nan",
    "inf", "9" * 400 + "w", "\ud800", "\0", "\u0665", "Completed", " ", "\n", "-",
])  # fmt: skip


@given(st.one_of(st.text(), st.lists(PIECES).map(" ".join), st.lists(PIECES).map("".join)))
@example("(" * 4000)
@example("not " * 1000)
@example('tags."' + "\\" * 3000)
def test_of_any_text_there_is_a_tree_or_an_error_that_says_where(text):
    for read in (parse_condition, parse_order):
        error = error_of(read, text)
        assert error is None or (0 <= error.position <= len(text) and str(error).count("\n") == 2)
        assert len(str(error)) < 1000


def error_of(read, text):
    """Give the error that reading a text raises, of the one kind that it may."""
    try:
        read(text)
    except QueryError as error:
        return error
    return None
