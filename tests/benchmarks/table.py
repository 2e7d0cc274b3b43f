"""The table that `make bench` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class Row:
    """One figure beside its floor: what the bare means cost in the same run."""

    what: str
    value: float
    unit: str
    floor_what: str
    floor: float | None
    reach: str


def show(rows: Iterable[Row]) -> str:
    """Give the table as text."""
    cells = [("what", "measured", "floor, same run", "ratio", "reach")]
    for row in rows:
        ratio = f"{row.value / row.floor:.2f}" if row.floor else ""
        floor = f"{row.floor:.4g} {row.unit} {row.floor_what}" if row.floor is not None else row.floor_what
        cells.append((row.what, f"{row.value:.4g} {row.unit}", floor, ratio, row.reach))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
