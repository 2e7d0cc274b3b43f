"""What a logged value is, and how it is packed and sent.

A value is a Python ``float``, ``int``, ``str``, ``bool`` or ``None``; NaN and the infinities are values like any
other. Three encodings are decided here, once:

* in the journal and the store: MessagePack, which has NaN, 64-bit integers and booleans; longer integers are an
  extension of type 1 that holds their hexadecimal digits;
* a column of many values: packed by what they are (`runwidgets.columns`);
* on the wire to a browser: JSON, with the values that JSON or JavaScript lacks wrapped (`wire_value`).
"""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

Value = float | int | str | bool | None
"""A value that can be logged, stored and shown."""

_BIG_INT: Final = 1
_SAFE_INT: Final = 2**53
_LONG_INT_BITS: Final = 1024
_PLAIN: Final = frozenset({float, int, str, bool, type(None)})


def plain_value(value: object) -> Value:  # noqa: PLR0911 (one way out for each kind of value)
    """Turn a scalar of any library into a plain Python value.

    Parameters
    ----------
    value
        A Python scalar, a numpy scalar of any width, a zero-dimensional or one-element array or tensor, a number of
        `decimal`, `fractions` or a like library, a date, an enum; anything else.

    Returns
    -------
    float, int, str, bool or None
        The value itself where it is plain. Numbers keep their kind (integer, float, boolean) and become Python's;
        what is no number becomes its text: the ISO form of a date, else its ``repr``.
    """
    if type(value) in _PLAIN:
        return value  # type: ignore[return-value]
    for kind in (int, float, str):  # subclasses: IntEnum, StrEnum, numpy.float64, numpy.str_
        if isinstance(value, kind):
            return kind(value) if kind is not str else str.__str__(value)
    item = getattr(value, "item", None)
    if callable(item) and _element_count(value) == 1:
        inner = item()
        if _is_numpy_date(value) and isinstance(inner, int):  # finer than Python's dates
            return str(value)
        if type(inner) is not type(value):  # numpy.longdouble gives itself
            return plain_value(inner)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real) or hasattr(type(value), "__float__"):
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            return repr(value)
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat()) if callable(isoformat) else repr(value)


def _element_count(value: object) -> int:
    count = getattr(value, "numel", None)  # torch, whose `size` is a method
    size = count() if callable(count) else getattr(value, "size", 1)
    return size if isinstance(size, int) else 0


def _is_numpy_date(value: object) -> bool:
    return getattr(getattr(value, "dtype", None), "kind", None) == "M"


def is_sequence(value: object) -> bool:
    """Tell whether a value is several values: a list, tuple, range, set, generator, Series or array with an axis."""
    if isinstance(value, (str, bytes, bytearray)) or not hasattr(value, "__iter__"):
        return False
    return getattr(value, "ndim", None) != 0  # a zero-dimensional array has `__iter__` all the same


def plain_list(values: Iterable[object]) -> list[Value]:
    """Turn any iterable of scalars into a new list of plain values (arrays and Series in one step).

    Raises
    ------
    UserError
        If an element is itself several values.
    """
    to_list = None if _is_numpy_date(values) else getattr(values, "tolist", None)
    items: list[Any] = list(to_list() if callable(to_list) else values)
    if {type(item) for item in items} <= _PLAIN:
        return items
    for index, item in enumerate(items):
        if is_sequence(item):
            raise UserError(f"element {index} is a {type(item).__name__}: only scalars can be elements of a list")
    return [plain_value(item) for item in items]


# ---- MessagePack, with integers of any length


def long_integer(code: int, data: memoryview) -> int:
    """Read the MessagePack extension that holds an integer of more than 64 bits."""
    if code != _BIG_INT:
        raise ValueError(f"unknown MessagePack extension {code}: written by a newer runwidgets?")
    return int(bytes(data), 16)


def _storable(value: Any) -> Any:
    """Give what MessagePack can hold: the value itself, or long integers as an extension."""
    if type(value) is int and not -(2**63) <= value < 2**64:
        return msgspec.msgpack.Ext(_BIG_INT, format(value, "x").encode())
    return value


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(ext_hook=long_integer).decode


def pack(value: Any) -> bytes:
    """Pack a structure of plain values as MessagePack."""
    try:
        return _pack(value)
    except (OverflowError, UnicodeEncodeError):  # a long integer; half of a surrogate pair, as in a broken file name
        return _pack(_deep_storable(msgspec.to_builtins(value, builtin_types=(bytes,))))


def unpack(data: bytes) -> Any:
    """Give back what `pack` was given (tuples come back as lists)."""
    return _unpack(data)


def _deep_storable(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_deep_storable(v) for v in value]
    if isinstance(value, dict):
        return {_deep_storable(k): _deep_storable(v) for k, v in value.items()}
    return stored_text(value) if isinstance(value, str) else _storable(value)


def stored_text(text: str) -> str:
    """Give a text as `pack` writes it: halves of surrogate pairs become question marks."""
    return text.encode("utf-8", "replace").decode()


# ---- the wire


def exact_wire_value(value: Value) -> Any:
    """Give the JSON form of a value.

    NaN and the infinities become ``{"float": "NaN" | "Infinity" | "-Infinity"}``, integers that a JavaScript number
    cannot hold exactly ``{"int": "digits"}`` (very long ones in hexadecimal, ``"0x…"``); all else is itself.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE_INT:
        return {"int": str(value) if value.bit_length() < _LONG_INT_BITS else hex(value)}
    return value


def from_wire_value(found: Any) -> Value:
    """Give back the value whose form `exact_wire_value` gave."""
    if isinstance(found, dict):
        ((kind, text),) = found.items()
        return float(text) if kind == "float" else int(text, 0)
    return found  # type: ignore[no-any-return]


def wire_value(value: Value) -> Any:
    """Give what `exact_wire_value` does for a person to look at: of a very long integer, how long it is."""
    if isinstance(value, int) and value.bit_length() >= _LONG_INT_BITS:
        return {"int": f"({value.bit_length()} bits)"}
    return exact_wire_value(value)
