"""Numbers as a person reads them. The browser writes them by the same rules: ``js/src/format.ts``."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

NONE: Final = "—"
_MINUS: Final = "\N{MINUS SIGN}"
_THIN: Final = "\u202f"
_HUGE, _TINY, _LONG = 1e10, 1e-4, 1e5
_FEW_DIGITS: Final = 4
_DIGITS: Final = 5
_MOST_DIGITS: Final = 17


def signed(text: str) -> str:
    """Write a minus as one; and 12400 as 12 400: four digits stay together, as is usual in print."""
    sign = _MINUS if text.startswith("-") else ""
    whole, point, rest = text.removeprefix("-").partition(".")
    if re.fullmatch(r"\d{5,}", whole, re.ASCII):
        whole = re.sub(r"\B(?=(\d{3})+$)", _THIN, whole)
    return sign + (whole + point + rest).replace("e-", f"e{_MINUS}")


def number(value: Any, digits: int = 0) -> str:
    """Give a value in wire form, short enough for a table.

    Parameters
    ----------
    value
        What was logged. Texts and booleans are given as they are, NaN and ∞ by name.
    digits
        How many significant digits a number has at least, where the usual 4 or 5 are too few: see `digits_to_tell`.
    """
    if value is None:
        return NONE
    if isinstance(value, dict):
        return signed(value["int"]) if "int" in value else _of_float(float(value["float"]), digits)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return _of_float(float(value), digits)


def digits_to_tell(values: Iterable[Any]) -> int:
    """Give with how many digits numbers that differ are written differently; 0 where the usual ones do."""
    numbers = {float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)}
    digits: int
    for digits in (0, *range(_DIGITS + 1, _MOST_DIGITS)):
        if len({_of_float(value, digits) for value in numbers}) == len(numbers):
            return digits
    return _MOST_DIGITS


def _of_float(value: float, digits: int) -> str:
    size = abs(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    is_huge = size >= _HUGE  # longer ones would be cut in a cell, and a cut number reads as another
    if value.is_integer() and not is_huge:
        return signed(str(int(value)))
    usual = _FEW_DIGITS if size < 1 else _DIGITS
    if _LONG <= size < _HUGE:
        usual = math.floor(math.log10(size)) + 1
    # JavaScript rounds halves up, and writes no more digits than tell a number from others.
    rounding = Context(prec=min(_MOST_DIGITS, max(usual, digits)), rounding=ROUND_HALF_UP)
    short = Decimal(repr(float(rounding.create_decimal_from_float(size)))).normalize()
    text = format(short, "f")
    if is_huge or size < _TINY:
        power = short.adjusted()
        text = f"{short.scaleb(-power):f}e{power}"
    return signed(f"-{text}" if value < 0 else text)
