"""The runs of a group as one line: their mean, and the band from the least to the greatest of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_POINTS: Final = 1000


@dataclass(frozen=True)
class Band:
    """Mean, least and greatest of several lines, each of shape ``(n,)``; NaN where no line has a value."""

    x: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def matrix(self) -> NDArray[np.float64]:
        """Give x, mean, low and high, shape ``(4, n)``."""
        return np.stack([self.x, self.mean, self.low, self.high])


def band_of(lines: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], max_points: int = MAX_POINTS) -> Band:
    """Give the mean line of several, and the band that they fill.

    Lines are aligned on x: each is taken at every x that any of them has. Between two of its own points that follow on
    each other a line is straight; before its first and after its last point it has no value and does not count, so that
    where a run ends the mean is that of those that go on. Next to a value that is not finite it has none either.

    Where the lines have more than ``max_points`` x in all, neighbours are drawn together: the last x and mean of them,
    the least and the greatest of all. So the band hides nothing.

    Parameters
    ----------
    lines
        x and y of each, of shape ``(n,)``. Where an x comes again, as in a run that went back to a checkpoint, its last
        y counts.
    max_points
        How many points the result has at most.
    """
    clean = [line for line in map(_ordered, lines) if len(line[0])]
    if not clean:
        return Band(*(np.empty(0) for _ in range(4)))
    x = np.unique(np.concatenate([own for own, _ in clean]))
    count = np.zeros(len(x))
    mean, low, high = np.zeros(len(x)), np.full(len(x), np.inf), np.full(len(x), -np.inf)
    for own, y in clean:  # one at a time: hundreds of lines at once would be a large matrix
        values = _taken_at(x, own, y)
        there = np.isfinite(values)
        count += there
        # Neither the sum of large numbers nor their difference need be a number; parts of them are.
        mean[there] = mean[there] * ((count[there] - 1) / count[there]) + values[there] / count[there]
        low[there] = np.minimum(low[there], values[there])
        high[there] = np.maximum(high[there], values[there])
    none = count == 0
    mean[none] = low[none] = high[none] = np.nan
    return _drawn_together(Band(x, mean, low, high), max_points)


def _ordered(line: tuple[NDArray[np.float64], NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = line
    there = np.isfinite(x)
    x, y = x[there], y[there]
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    last_of_its_kind = np.append(np.diff(x) != 0, [True])[: len(x)]
    return x[last_of_its_kind], y[last_of_its_kind]


def _taken_at(x: NDArray[np.float64], own: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    y = np.where(np.isfinite(y), y, np.nan)
    after = np.searchsorted(own, x)
    exact = own[np.minimum(after, len(own) - 1)] == x
    values = np.full(len(x), np.nan)
    values[exact] = y[after[exact]]
    between = ~exact & (after > 0) & (after < len(own))
    right = after[between]
    left = right - 1
    share = (x[between] - own[left]) / (own[right] - own[left])
    values[between] = y[left] * (1 - share) + y[right] * share
    return values


def _drawn_together(band: Band, max_points: int) -> Band:
    size = -(-len(band.x) // max_points)
    if size <= 1:
        return band
    starts = np.arange(0, len(band.x), size)
    last = np.append(starts[1:] - 1, len(band.x) - 1)
    # fmin and fmax pass over NaN.
    return Band(band.x[last], band.mean[last], np.fmin.reduceat(band.low, starts), np.fmax.reduceat(band.high, starts))
