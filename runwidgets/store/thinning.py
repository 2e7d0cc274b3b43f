"""Long series drawn with few points, without losing what a person looks for.

A short series is whole. Rows of a longer one are grouped into buckets of a width that is a power of two. Of each bucket
these stay: the first and the last row, the smallest and the largest finite value, the first NaN, the first +inf, the
first -inf. When a series outgrows `MAX_BUCKETS` buckets, the width doubles and neighbours merge. What a bucket keeps
follows from what its two halves kept, so folding a series piece by piece gives exactly what folding it at once does,
and what is drawn of the past does not move as a run grows, but for the merges.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_BUCKETS: Final = 128
"""With four rows of each, as mostly, there is a point for every pixel or two of a chart. Of 65 536 rows on, a bucket is
as wide as those of the finest summaries (`runwidgets.store.series`): a reader need not see the rows themselves."""
_WHOLE: Final = 3
"""Up to so many rows for each of that many buckets nothing is left out: there are no more points than in buckets."""


def _empty(*shape: int) -> NDArray[np.float64]:
    return np.empty(shape, dtype=np.float64)


@dataclass(frozen=True)
class Thinned:
    """The rows of one series that are worth drawing.

    Attributes
    ----------
    index
        Row numbers, int64, shape ``(n,)``, rising.
    y
        Values, shape ``(n,)``; NaN and the infinities are values.
    beside
        What else belongs to each row, such as its step and time, shape ``(k, n)``.
    width
        Rows in a bucket; 1 means that every row is there.
    buckets
        How many there are at most; None for `MAX_BUCKETS`.
    """

    index: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    y: NDArray[np.float64] = field(default_factory=lambda: _empty(0))
    beside: NDArray[np.float64] = field(default_factory=lambda: _empty(0, 0))
    width: int = 1
    buckets: int | None = None

    def __len__(self) -> int:
        return len(self.index)

    def extended(
        self,
        index: NDArray[np.int64],
        y: NDArray[np.float64],
        beside: NDArray[np.float64] | None = None,
        *,
        width: int = 1,
    ) -> Thinned:
        """Give the series with more rows at its end.

        Parameters
        ----------
        index
            Their row numbers, rising, above all before; gaps are fine.
        y
            Their values, shape ``(n,)``.
        beside
            What belongs to them, shape ``(k, n)``, the same ``k`` each time.
        width
            Rows in a bucket that these are what is kept of, a power of two.
        """
        if not len(index):
            return self
        if beside is None:
            beside = _empty(0, len(index))
        width = max(self.width, width, natural_width(int(index[-1]) + 1, self.buckets))
        # Full buckets stay as they are, unless they merge.
        settled = int(np.searchsorted(self.index, self.index[-1] // width * width)) if len(self) else 0
        if width != self.width or width == 1:
            settled = 0
        old_beside = self.beside if len(self) else _empty(len(beside), 0)
        index = np.concatenate([self.index[settled:], index])
        y = np.concatenate([self.y[settled:], y])
        beside = np.concatenate([old_beside[:, settled:], beside], axis=1)
        if width == 1:  # each row is a bucket
            return replace(self, index=index, y=y, beside=beside, width=1)
        keep = worth_keeping(index // width, y)
        return Thinned(
            np.concatenate([self.index[:settled], index[keep]]),
            np.concatenate([self.y[:settled], y[keep]]),
            np.concatenate([old_beside[:, :settled], beside[:, keep]], axis=1),
            width,
            self.buckets,
        )

    def widened(self, width: int) -> Thinned:
        """Give the series in buckets of at least ``width`` rows, a power of two."""
        if width <= self.width or not len(self):
            return self
        keep = worth_keeping(self.index // width, self.y)
        return Thinned(self.index[keep], self.y[keep], self.beside[:, keep], width, self.buckets)


def natural_width(row_count: int, buckets: int | None = None) -> int:
    """Give how many rows a bucket of a series of so many rows holds, where there are at most so many buckets."""
    most = MAX_BUCKETS if buckets is None else buckets
    if row_count <= _WHOLE * most:
        return 1
    width = 1
    while (row_count - 1) // width >= most:
        width *= 2
    return width


def worth_keeping(bucket: NDArray[np.int64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which rows stay, shape ``(n,)``.

    Parameters
    ----------
    bucket
        The bucket of each row, shape ``(n,)``, rising.
    y
        The values, shape ``(n,)``.
    """
    keep = extremes(bucket, y)
    starts = _starts(bucket)
    keep[starts] = True
    keep[starts[1:] - 1] = True
    keep[-1:] = True
    return keep


def extremes(bucket: NDArray[np.int64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which rows are the smallest, the largest, or the first of a kind that is not finite, shape ``(n,)``.

    Parameters
    ----------
    bucket
        The bucket of each row, shape ``(n,)``, rising.
    y
        The values, shape ``(n,)``.
    """
    keep = np.zeros(len(y), dtype=np.bool_)
    starts = _starts(bucket)
    finite = np.isfinite(y)
    all_finite = bool(finite.all())
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(y))))
    for extreme, neutral in ((np.minimum, np.inf), (np.maximum, -np.inf)):
        filled = y if all_finite else np.where(finite, y, neutral)
        hit = filled == extreme.reduceat(filled, starts)[group]
        _keep_first(keep, group, hit if all_finite else hit & finite)
    if not all_finite:
        for mark in (np.isnan(y), y == np.inf, y == -np.inf):
            _keep_first(keep, group, mark)
    return keep


def _starts(bucket: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.flatnonzero(bucket[1:] != bucket[:-1]) + 1])


def _keep_first(keep: NDArray[np.bool_], group: NDArray[np.int64], hit: NDArray[np.bool_]) -> None:
    places = np.flatnonzero(hit)
    groups = group[places]
    keep[places[:1]] = True
    keep[places[1:][groups[1:] != groups[:-1]]] = True
