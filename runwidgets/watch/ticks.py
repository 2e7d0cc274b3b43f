"""Where an axis has its ticks, and how many digits they need."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

_PLAIN_FROM, _PLAIN_TO, _SI_TO = 1e-4, 1e4, 1e15
_STEPS: Final = (1, 2, 5, 10)
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 366 * 86400
_TIME_STEPS: Final = (
    *(lead / 1000 * scale for scale in (1, 10, 100) for lead in (1, 2, 5)),
    *(1, 2, 5, 10, 15, 30),
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 6, 12)),
)


def ticks(low: float, high: float, about: int) -> list[float]:
    """Give round numbers from ``low`` to ``high``, about so many, one, two or five times a power of ten apart."""
    span = high - low
    if not (span > max(abs(low) * 1e-14, 1e-300) and math.isfinite(span)):
        return [low]
    step = _step(span, about)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if first >= last:  # as -8 to 8, where tens give 0 alone
        return ticks(low, high, 2 * about)
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


def tick_format(values: list[float]) -> str:
    """Give the d3 format with just the digits that tell these ticks apart."""
    largest = max(map(abs, values), default=0.0)
    gaps = [b - a for a, b in pairwise(values) if b > a]
    if largest == 0 or not gaps:
        return ".4~g"
    power = math.floor(math.log10(min(gaps)) + 1e-9)
    if _PLAIN_FROM <= largest < _PLAIN_TO:
        return f".{max(0, -power)}~f"
    digits = max(1, math.floor(math.log10(largest)) - power + 1)
    return f".{min(digits, 15)}~{'s' if _PLAIN_TO <= largest < _SI_TO else 'e'}"
