"""Where an axis has its ticks, and how many digits they need."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

_PLAIN_FROM, _PLAIN_TO, _SI_TO = 1e-4, 1e4, 1e15
_STEPS: Final = (1, 2, 5, 10)


def ticks(low: float, high: float, about: int) -> list[float]:
    """Give round numbers from ``low`` to ``high``, about so many, one, two or five times a power of ten apart."""
    span = high - low
    if not (span > 0 and math.isfinite(span)):
        return [low]
    step = _step(span, about)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{n * step:.12g}") for n in range(first, last + 1)]


def log_ticks(low: float, high: float, about: int) -> list[float]:
    """Give ticks for a logarithmic axis: powers of ten, with twos and fives between where there is room."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = last - first
    leads = (1, 2, 5) if decades <= 2 else (1,)  # noqa: PLR2004
    every = max(1, math.ceil(decades / (2 * about)))
    found = [float(f"{lead}e{power}") for power in range(first, last + 1, every) for lead in leads]
    found = [tick for tick in found if low <= tick <= high]
    return found if len(found) > 1 else ticks(low, high, about)


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
    return f".{min(digits, 12)}~{'s' if _PLAIN_TO <= largest < _SI_TO else 'e'}"
