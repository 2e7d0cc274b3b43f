"""What a value is: the same after every packing, and Python's own whatever library it came from."""

from __future__ import annotations

import datetime as dt
import enum
import json
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwidgets.columns import Column, join, pack_column
from runwidgets.errors import UserError
from runwidgets.values import is_sequence, pack, plain_list, plain_value, unpack, wire_value

TEXT = st.text(st.characters(exclude_categories=()), max_size=20)  # surrogates and NUL included
VALUES = st.one_of(st.floats(), st.integers(), st.integers(-(10**400), 10**400), TEXT, st.booleans(), st.none())
NUMPY_FLOATS = (np.float16, np.float32, np.float64, np.longdouble)
NUMPY_INTEGERS = (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)


def exact(value):
    """Tell values apart as `==` does not: True and 1, 0.0 and -0.0; and NaN is NaN."""
    return [exact(v) for v in value] if isinstance(value, list) else (type(value), repr(value))


def readable(value):
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


@given(VALUES)
def test_a_value_is_unchanged_by_packing_but_for_halves_of_surrogate_pairs(value):
    assert exact(unpack(pack(value))) == exact(readable(value))


@given(st.dictionaries(TEXT.map(readable), st.lists(VALUES)))
def test_values_within_structures_are_unchanged_by_packing(structure):
    expected = {key: [readable(v) for v in values] for key, values in structure.items()}
    found = unpack(pack(structure))
    assert {key: exact(values) for key, values in found.items()} == {key: exact(v) for key, v in expected.items()}


def test_an_integer_of_any_length_is_unchanged_by_packing():
    for value in (2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 2**100_000, -(2**100_000)):
        assert unpack(pack(value)) == value


def test_an_extension_of_a_newer_version_is_refused():
    with pytest.raises(ValueError, match="unknown MessagePack extension 2"):
        unpack(b"\xc7\x01\x02x")


@given(
    st.one_of(
        st.lists(VALUES),
        st.lists(st.floats()),
        st.lists(st.integers(-(2**63), 2**63 - 1)),
        st.lists(st.integers()),
        st.lists(st.none()),
        st.lists(st.floats(), min_size=8),
        st.lists(st.integers(-(2**31), 2**31), min_size=8),
        st.lists(st.integers(10**15, 10**15 + 300), min_size=8),
        st.builds(
            lambda first, stride, n: [first + stride * i for i in range(n)],
            st.integers(),
            st.integers(-(2**62), 2**62),
            st.integers(0, 20),
        ),
    ),
    st.data(),
)
def test_a_column_and_any_part_of_it_are_unchanged_by_packing(values, data):
    start = data.draw(st.integers(0, len(values)))
    stop = data.draw(st.integers(start, len(values)))
    column = Column(unpack(pack(pack_column(values))), start, stop)
    expected = [readable(v) for v in values[start:stop]]
    assert len(column) == len(expected)
    assert exact(column.to_list()) == exact(expected)
    assert column.count_present() == sum(v is not None for v in expected)
    assert column.is_text == any(isinstance(v, (str, bool)) for v in expected)
    assert exact(column.last()) == exact(next((v for v in reversed(expected) if v is not None), None))
    assert column.missing().tolist() == [v is None or isinstance(v, str) for v in expected]
    assert exact(column.to_floats().tolist()) == exact([as_drawn(v) for v in expected])
    assert exact(Column(unpack(pack(column.packed()))).to_list()) == exact(expected)
    cut = data.draw(st.integers(0, len(expected)))
    assert exact(column.part(cut).to_list() + column.part(0, cut).to_list()) == exact(expected[cut:] + expected[:cut])
    assert exact(join([column.part(0, cut), column.part(cut)]).to_list()) == exact(expected)
    if (numbers := column.to_numpy()) is not None:
        assert exact(numbers.tolist()) == exact(expected)


@pytest.mark.parametrize(
    ("values", "most"),
    [
        (list(range(10_000)), 20),
        ([1_700_000_000_000_000] * 10_000, 30),
        ([1_700_000_000_000_000 + 3 * i + i % 2 for i in range(10_000)], 10_100),
        ([1_000_000 * i + i * i % 97 for i in range(10_000)], 40_100),
        ([i * i % 251 - 100 for i in range(10_000)], 20_100),
        ([i / 7 for i in range(10_000)], 80_100),
    ],
)
def test_a_column_takes_no_more_than_what_it_says_needs(values, most):
    assert len(pack(pack_column(values))) <= most


def as_drawn(value):
    if value is None or isinstance(value, str):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@given(st.floats(), st.sampled_from(NUMPY_FLOATS))
def test_a_numpy_float_of_every_width_becomes_a_float(number, kind):
    with np.errstate(over="ignore"):
        value = kind(number)
    assert exact(plain_value(value)) == exact(float(value))


@pytest.mark.parametrize("kind", NUMPY_INTEGERS)
def test_a_numpy_integer_of_every_width_becomes_an_int(kind):
    limits = np.iinfo(kind)
    for number in (limits.min, 0, limits.max):
        assert exact(plain_value(kind(number))) == exact(int(number))
        assert exact(plain_value(np.array(number, dtype=kind))) == exact(int(number))
    assert exact(plain_list(np.array([limits.min, limits.max], dtype=kind))) == exact([limits.min, limits.max])


class Colour(enum.IntEnum):
    RED = 3


class Mood(enum.StrEnum):
    GOOD = "good"


class Plain(enum.Enum):
    ONE = 1


class Tensor:
    """A one-element tensor as torch has them: `size` is a method."""

    def __init__(self, value, count=1):
        self._value, self._count = value, count

    def size(self):
        return (self._count,)

    def numel(self):
        return self._count

    def item(self):
        return self._value


class Measure:
    def __float__(self):
        return 2.5


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (np.array("text"), "text"),
        (np.array([7]), 7),
        (np.complex64(1 + 2j), "(1+2j)"),
        (np.datetime64("2024-05-06"), "2024-05-06"),
        (np.datetime64("2024-05-06T07:08:09", "ns"), "2024-05-06T07:08:09.000000000"),
        (Decimal("1.5"), 1.5),
        (Decimal("NaN"), math.nan),
        (Decimal("sNaN"), "Decimal('sNaN')"),
        (Fraction(1, 4), 0.25),
        (Fraction(10**400), f"Fraction({10**400}, 1)"),
        (Colour.RED, 3),
        (Mood.GOOD, "good"),
        (Plain.ONE, "<Plain.ONE: 1>"),
        (Tensor(1.5), 1.5),
        (Measure(), 2.5),
        (dt.date(2024, 5, 6), "2024-05-06"),
        (pd.Timestamp("2024-05-06T07:08:09"), "2024-05-06T07:08:09"),
        (pd.NaT, "NaT"),
        (pd.NA, "<NA>"),
        (b"bytes", "b'bytes'"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_a_scalar_of_any_library_becomes_a_plain_value(value, expected):
    assert exact(plain_value(value)) == exact(expected)


def test_a_tensor_of_several_elements_is_no_number():
    assert "Tensor" in plain_value(Tensor(1.5, count=2))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([1.5, np.nan]), [1.5, math.nan]),
        (np.array([], dtype=np.float32), []),
        (np.array(["2024-05-06"], dtype="M8[ns]"), ["2024-05-06T00:00:00.000000000"]),
        (pd.Series([1, 2]), [1, 2]),
        (pd.Series([1, None]), [1.0, math.nan]),
        (pd.Series(pd.to_datetime(["2024-05-06"])), ["2024-05-06T00:00:00"]),
        (pd.Series(["a", "b"], dtype="category"), ["a", "b"]),
        (pd.Index([1, 2]), [1, 2]),
        (range(3), [0, 1, 2]),
        ((n * 0.5 for n in range(2)), [0.0, 0.5]),
        ("abc", ["a", "b", "c"]),
        ({"k": 1}, ["k"]),
        ([np.int64(1), np.array(2.0), None, True], [1, 2.0, None, True]),
        ([], []),
    ],
)
def test_any_iterable_of_scalars_becomes_a_list_of_plain_values(values, expected):
    assert exact(plain_list(values)) == exact(expected)


def test_a_list_is_copied():
    values = [1.0]
    assert plain_list(values) is not values


@pytest.mark.parametrize("values", [[1, [2]], np.ones((2, 2)), [np.ones(2)], [(1,)], [range(2)]])
def test_an_element_that_is_several_values_is_refused(values):
    with pytest.raises(UserError, match=r"element \d is a"):
        plain_list(values)


@pytest.mark.parametrize("value", [[], (), range(1), {1}, np.ones(1), pd.Series([1]), iter("a")])
def test_several_values_are_told_from_one(value):
    assert is_sequence(value)


@pytest.mark.parametrize("value", ["text", b"bytes", bytearray(b"x"), 1, None, np.float32(1), np.array(1.0)])
def test_one_value_is_told_from_several(value):
    assert not is_sequence(value)


@given(VALUES.filter(lambda v: not isinstance(v, str)))
def test_a_value_on_the_wire_is_strict_json_that_no_browser_rounds(value):
    sent = json.loads(json.dumps(wire_value(value), allow_nan=False))
    if isinstance(value, float) and not math.isfinite(value):
        assert exact(float(sent["float"])) == exact(value)
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        digits = str(value)
        assert sent in ({"int": digits}, {"int": f"({value.bit_length()} bits)"})
    else:
        assert exact(sent) == exact(value)


def test_an_integer_of_a_million_bits_is_sent_as_its_size():
    assert wire_value(2**1_000_000) == {"int": "(1000001 bits)"}
