"""How runs, experiments and workspaces look as the last line of a notebook's cell."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def as_table(cells: Mapping[str, str | None]) -> str:
    """Give an HTML table of one row.

    Parameters
    ----------
    cells
        Text by heading; all of it is escaped. None is an empty cell.
    """
    heads = "".join(f"<th>{escape(head)}</th>" for head in cells)
    values = "".join(f"<td>{escape(text or '')}</td>" for text in cells.values())
    return f"<table><thead><tr>{heads}</tr></thead><tbody><tr>{values}</tr></tbody></table>"
