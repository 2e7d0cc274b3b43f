"""Where an axis has its ticks, and what is written at them."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise
from typing import Final

from runwidgets.watch.numbers import signed

_PLAIN_FROM, _PLAIN_TO, _SI_TO = 1e-4, 1e4, 1e15
_UNITS: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_LONGEST, _LONGEST_IN_UNITS = 10, 6
"""Characters of a tick's text; longer ones are written in another way."""
_FINEST: Final = -300
_JS_PLAIN_FROM, _JS_PLAIN_TO = -6, 21
_STEPS: Final = (1, 2, 5, 10)
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 366 * 86400
_TIME_STEPS: Final = (
    *(lead / 1000 * scale for scale in (1, 10, 100) for lead in (1, 2, 5)),
    *(1, 2, 5, 10, 15, 30),
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 6, 12)),
)


def ticks(low: float, high: float, about: int, *, whole: bool = False) -> list[float]:
    """Give round numbers from ``low`` to ``high``, about so many, one, two or five times a power of ten apart.

    Where ``whole``, they are whole numbers: there is no step 0.5, so an axis of steps has no such tick.
    """
    span = high - low
    if not (span > max(abs(low) * 1e-14, 1e-300) and math.isfinite(span)):
        return [low]
    step = _step(span, about)
    if whole and step < 1:
        return [float(n) for n in range(math.ceil(low), math.floor(high) + 1)]
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if first >= last:  # as -8 to 8, where tens give 0 alone
        return ticks(low, high, 2 * about, whole=whole)
    return [float(f"{n * step:.15g}") for n in range(first, last + 1)]


def log_ticks(low: float, high: float, about: int) -> list[float]:
    """Give ticks for a logarithmic axis: powers of ten, with twos and fives between where there is room."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = last - first
    leads = (1, 2, 5) if decades <= 2 else (1,)  # noqa: PLR2004
    every = max(1, math.ceil(decades / (2 * about)))
    found = [float(f"{lead}e{power}") for power in range(first, last + 1, every) for lead in leads]
    found = [tick for tick in found if low <= tick <= high]
    return found if len(found) > 1 else ticks(low, high, about)


def date_ticks(low: float, high: float, about: int) -> tuple[list[float], str]:
    """Give round times from ``low`` to ``high``, in seconds since a midnight, and the d3 format to write them in."""
    span = max(high - low, 1e-3)
    step: float = next((step for step in _TIME_STEPS if step >= span / about), 0) or _DAY * _step(span / _DAY, about)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if step < 1:
        form = "%H:%M:%S.%L"
    elif step < _MINUTE:
        form = "%H:%M:%S"
    elif step < _DAY:
        form = "%H:%M" if span <= _DAY else "%-d %b %H:%M"
    else:
        form = "%-d %b" if span <= _YEAR else "%b %Y"
    return [n * step for n in range(first, last + 1)], form


def _step(span: float, about: int) -> float:
    rough = span / about
    power: float = 10.0 ** math.floor(math.log10(rough))
    return power * next(lead for lead in _STEPS if lead * power >= rough * (1 - 1e-9))


def tick_texts(values: list[float]) -> list[str]:
    """Give what to write at the ticks of an axis: just the digits that tell them apart, in the forms of the table.

    Where that would be very long, as between 1 000 000 000 and 1 000 000 000.04, the first is written out and the
    others as what they are more than it: ``1G``, ``+0.02``, ``+0.04``.
    """
    gaps = [b - a for a, b in pairwise(values) if b > a]
    if not gaps:
        return [_alone(value) for value in values]
    power = math.floor(math.log10(min(gaps)) + 1e-9)
    texts = [_written(value, power, max(map(abs, values))) for value in values]
    if max(map(len, texts)) <= _LONGEST:
        return texts
    first = values[0]
    more = [round(value - first, max(0, 1 - power)) if power > _FINEST else value - first for value in values[1:]]
    largest = max(more)
    return [_in_units(first) or _plain(first, power), *(f"+{_written(value, power, largest)}" for value in more)]


def log_tick_texts(values: list[float]) -> list[str]:
    """Give what to write at the ticks of a logarithmic axis, each for itself: 0.001, 1, 10k."""
    gaps = [b / a for a, b in pairwise(values)]
    if gaps and min(gaps) < 1.9:  # noqa: PLR2004 (closer than 1, 2, 5: there may be digits that tell them apart)
        return tick_texts(values)
    return [_alone(value) for value in values]


def browser_key(value: float) -> str:
    """Give a number as JavaScript writes it, which is how bqplot looks up the text of a tick."""
    digits = Decimal(repr(float(value))).normalize()
    power = digits.adjusted()
    if digits == 0:
        return "0"
    if _JS_PLAIN_FROM <= power < _JS_PLAIN_TO:
        return format(digits, "f")
    return f"{format(digits.scaleb(-power).normalize(), 'f')}e{power:+d}"


def _alone(value: float) -> str:
    """Write a number that has no neighbours to be told from: four significant digits."""
    if value == 0 or not math.isfinite(value):
        return signed(f"{value:g}")
    return _written(value, math.floor(math.log10(abs(value))) - 3, abs(value))


def _written(value: float, power: int, largest: float) -> str:
    """Write a number to the decimal place ``10 ** power``, in the form that suits the ``largest`` of its axis."""
    if value == 0:
        return "0"
    if not _PLAIN_FROM <= largest < _SI_TO:
        return _with_exponent(value, min(16, max(0, math.floor(math.log10(abs(value)) + 1e-9) - power)))
    if largest < _PLAIN_TO:
        return _plain(value, power)
    unit, letter = _unit_of(value)
    text = signed(_trimmed(f"{value / unit:.{max(0, round(math.log10(unit)) - power)}f}")) + letter
    return text if len(text) <= _LONGEST_IN_UNITS else _plain(value, power)


def _unit_of(value: float) -> tuple[float, str]:
    return next(((unit, letter) for unit, letter in _UNITS if abs(value) >= unit), (1.0, ""))


def _in_units(value: float) -> str | None:
    """Write a number short, as 1.5G, if that is all of it."""
    unit, letter = _unit_of(value)
    text = f"{value / unit:.3f}"
    return signed(_trimmed(text)) + letter if abs(value) < _SI_TO and float(text) * unit == value else None


def _plain(value: float, power: int) -> str:
    if abs(value) >= _SI_TO:
        return _with_exponent(value, 16)
    return signed(_trimmed(f"{value:.{max(0, -power)}f}"))


def _with_exponent(value: float, digits: int) -> str:
    mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
    return signed(f"{_trimmed(mantissa)}e{int(exponent)}")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
