"""What is kept of many rows of a column, so that nobody has to read them all to draw or to describe them.

A `Part` is what is told of consecutive rows of one column (how many, the least, the last …) and those of its rows that
are worth drawing (`thinning`). Parts of neighbouring rows join; thinned parts join to what thinning all rows at once
would give, as long as they are thinned no coarser. So summaries can be made of blocks, of summaries, and of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from runwidgets.columns import Column, pack_column
from runwidgets.records import Block, ColumnSummary, Summary
from runwidgets.store.thinning import worth_keeping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from runwidgets.values import Value

BESIDE: Final = ("step", "time", "over")
"""Rows of `Part.beside`: a row's step, its time (epoch seconds), and the value of the table's first numeric column."""
MICROSECONDS: Final = 1e6
"""In a second."""


@dataclass(frozen=True)
class Part:
    """Consecutive rows of one column.

    Attributes
    ----------
    count
        How many values, NaN and the infinities included, None not.
    last
        The last value, whatever it is, but for None.
    minimum, maximum
        Of the finite values; None where there are none.
    is_text
        Whether a string or boolean was among the values.
    index, y, beside
        The numbers, or those that are worth drawing: row numbers and values of shape ``(n,)``, and what belongs to
        them, shape ``(3, n)``.
    width
        Rows in a bucket that these are kept of; 1: all are there.
    """

    count: int
    last: Value
    minimum: float | None
    maximum: float | None
    nan_count: int
    inf_count: int
    is_text: bool
    index: NDArray[np.int64]
    y: NDArray[np.float64]
    beside: NDArray[np.float64]
    width: int = 1


def part_of_block(block: Block, name: str, over: NDArray[np.float64]) -> Part:
    """Give one column of a block.

    Parameters
    ----------
    block
        The block; it has the column.
    name
        The column.
    over
        Values of the table's first numeric column, shape ``(len(block),)``.
    """
    packed = block.columns[name]
    index = np.arange(block.first_index, block.end, dtype=np.int64)
    y = packed.to_floats()
    beside = np.empty((3, len(y)))
    beside[0], beside[1], beside[2] = block.steps.to_floats(), block.times.to_floats(), over
    beside[1] /= MICROSECONDS
    missing = packed.missing()
    if missing.any():
        present = ~missing
        index, y, beside = index[present], y[present], beside[:, present]
    finite = y[np.isfinite(y)]
    nan_count = int(np.isnan(y).sum()) if len(finite) < len(y) else 0
    return Part(
        count=packed.count_present(),
        last=packed.last(),
        minimum=float(finite.min()) if len(finite) else None,
        maximum=float(finite.max()) if len(finite) else None,
        nan_count=nan_count,
        inf_count=len(y) - len(finite) - nan_count,
        is_text=packed.is_text,
        index=index,
        y=y,
        beside=beside,
    )


def part_of_summary(summary: Summary, name: str) -> Part:
    """Give one column of a summary, which has it."""
    kept = summary.columns[name]
    return Part(
        kept.count, kept.last, kept.minimum, kept.maximum, kept.nan_count, kept.inf_count, kept.is_text,
        summary.first_index + Column(kept.index).to_floats().astype(np.int64),
        Column(kept.y).to_floats(),
        np.stack([Column(kept.steps).to_floats(), Column(kept.times).to_floats() / MICROSECONDS,
                  Column(kept.over).to_floats()]),
        summary.width,
    )  # fmt: skip


def values_over(block: Block, name: str | None) -> NDArray[np.float64]:
    """Give the values of one column of a block as float64, NaN where it has no such column, shape ``(len(block),)``."""
    packed = block.columns.get(name) if name is not None else None
    return packed.to_floats() if packed is not None else np.full(len(block), np.nan)


def parts_of(rows: Block | Summary, over_name: str | None) -> Iterator[tuple[str, Part]]:
    """Give each column of some rows, by name; ``over_name`` is the table's first numeric column."""
    if isinstance(rows, Block):
        over = values_over(rows, over_name)
        return ((name, part_of_block(rows, name, over)) for name in rows.columns)
    return ((name, part_of_summary(rows, name)) for name in rows.columns)


def summary_of_block(block: Block, columns: Sequence[str], width: int) -> Summary:
    """Summarise a block of a metric with these columns, in buckets of ``width`` rows."""
    over = values_over(block, next((name for name in columns if not _is_text(block, name)), None))
    parts = {name: [part_of_block(block, name, over)] for name in columns if name in block.columns}
    return _summary(block.first_index, len(block), parts, width)


def _is_text(block: Block, name: str) -> bool:
    return name in block.columns and block.columns[name].is_text


def summary_of_summaries(summaries: Sequence[Summary], width: int) -> Summary:
    """Summarise neighbouring summaries, which are none coarser, in buckets of ``width`` rows."""
    parts: dict[str, list[Part]] = {}
    for summary in summaries:
        for name in summary.columns:
            parts.setdefault(name, []).append(part_of_summary(summary, name))
    return _summary(summaries[0].first_index, summaries[-1].end - summaries[0].first_index, parts, width)


def _summary(first_index: int, row_count: int, parts: Mapping[str, Sequence[Part]], width: int) -> Summary:
    columns = {name: _column_summary(first_index, several, width) for name, several in parts.items()}
    return Summary(first_index, row_count, width, columns)


def _column_summary(first_index: int, parts: Sequence[Part], width: int) -> ColumnSummary:
    index = np.concatenate([part.index for part in parts])
    y = np.concatenate([part.y for part in parts])
    keep = worth_keeping(index // width, y) if len(index) else np.zeros(0, dtype=np.bool_)
    steps, times, over = np.concatenate([part.beside for part in parts], axis=1)[:, keep]
    return ColumnSummary(
        count=sum(part.count for part in parts),
        last=next((part.last for part in reversed(parts) if part.last is not None), None),
        minimum=_best(min, (part.minimum for part in parts)),
        maximum=_best(max, (part.maximum for part in parts)),
        nan_count=sum(part.nan_count for part in parts),
        inf_count=sum(part.inf_count for part in parts),
        is_text=any(part.is_text for part in parts),
        index=pack_column((index[keep] - first_index).tolist()),
        y=pack_column(y[keep].tolist()),
        steps=_packed_or_none(steps),
        times=pack_column(np.rint(times * MICROSECONDS).astype(np.int64).tolist()),
        over=_packed_or_none(over),
    )


def _best(better: Any, found: Iterable[float | None]) -> float | None:
    return better((value for value in found if value is not None), default=None)  # type: ignore[no-any-return]


def _packed_or_none(values: NDArray[np.float64]) -> Any:
    """Pack numbers that are often not there at all, or whole."""
    if np.isnan(values).all():
        return {"n": len(values)}
    whole = np.isfinite(values).all() and (values == np.rint(values)).all() and (abs(values) < 2**53).all()
    return pack_column((values.astype(np.int64) if whole else values).tolist())
