"""What commands print for people: tables that fit the terminal, ages, sizes, colours where they are wanted."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

NONE: Final = "—"
_GAP: Final = "  "
_NARROWEST: Final = 8
_UNITS: Final = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"))
_BYTE_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_KILO: Final = 1000
_COLORS: Final = {"active": "94", "done": "32", "failed": "31", "canceled": "2", "silent": "33", "waiting": "2"}
"""By group of states. Grey is faint, and not a bright black, which dark themes show on their black."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    heading
        What stands above it.
    is_number
        Whether it is aligned to the right.
    can_shrink
        Whether its texts may be cut where the terminal is too narrow.
    """

    heading: str
    is_number: bool = False
    can_shrink: bool = False


def say(line: str = "") -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def width() -> int | None:
    """Tell how many columns there are to print to; None where what is printed is no terminal, but for programs."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return None


def has_colors() -> bool:
    """Tell whether to print in colours: to a terminal, and not where ``NO_COLOR`` is set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def colored(text: str, group: str) -> str:
    """Give a text the colour of a group of states."""
    return f"\033[{_COLORS[group]}m{text}\033[0m" if has_colors() else text


def one_line(text: str) -> str:
    """Keep what a terminal would obey (escapes, line ends) out of a text."""
    return "".join(ch if ch.isprintable() else " " if ch.isspace() else "�" for ch in text)


def cell_count(text: str) -> int:
    """Tell how many columns a text takes in a terminal."""
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, cells: int) -> str:
    """Make a text fit into so many columns."""
    if cell_count(text) <= cells:
        return text
    kept, taken = "", 1
    for character in text:
        taken += _cells(character)
        if taken > cells:
            break
        kept += character
    return kept + "…"


def lines_of(columns: Sequence[Column], rows: Sequence[Sequence[str]], groups: Sequence[str] = ()) -> list[str]:
    """Give a table as lines that fit the terminal.

    Parameters
    ----------
    columns
        What there is in each row.
    rows
        Texts, one for each column.
    groups
        For each row the group of the state that is in the column ``status``, for its colour.
    """
    clean = [[one_line(cell) for cell in row] for row in rows]
    widths = [
        max([cell_count(column.heading), *(cell_count(row[i]) for row in clean)]) for i, column in enumerate(columns)
    ]
    room = width()
    if room is not None:
        _shrink(columns, widths, room)
    head = _line(columns, widths, [column.heading for column in columns], room)
    return [head, *(_line(columns, widths, row, room, group) for row, group in _paired(clean, groups))]


def _paired(rows: Sequence[Sequence[str]], groups: Sequence[str]) -> list[tuple[Sequence[str], str]]:
    return [(row, groups[i] if groups else "") for i, row in enumerate(rows)]


def _shrink(columns: Sequence[Column], widths: list[int], room: int) -> None:
    """Take from the widest columns that can shrink until all fit, or none can any more."""
    able = [i for i, column in enumerate(columns) if column.can_shrink and widths[i] > _NARROWEST]
    too_much = sum(widths) + len(_GAP) * (len(widths) - 1) - room
    while too_much > 0 and able:
        widest = max(able, key=widths.__getitem__)
        widths[widest] -= 1
        too_much -= 1
        able = [i for i in able if widths[i] > _NARROWEST]


def _line(
    columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str], room: int | None, group: str = ""
) -> str:
    padded: list[str] = []
    status_at, status = 0, ""
    for column, wide, cell in zip(columns, widths, cells, strict=True):
        text = cut(cell, wide)
        if column.heading == "status":
            status_at, status = len(_GAP.join([*padded, ""])), text
        space = " " * (wide - cell_count(text))
        padded.append(space + text if column.is_number else text + space)
    line = _GAP.join(padded).rstrip()
    if room is not None:
        line = cut(line, room)
    if not group or not line.startswith(status, status_at):
        return line
    return line[:status_at] + colored(status, group) + line[status_at + len(status) :]


def age(at: float | None, now: float) -> str:
    """Give how long ago something was, as ``12 s``, ``5 min``, ``3 h`` or ``2 d``."""
    if at is None:
        return NONE
    seconds = max(0.0, now - at)
    for unit, name in _UNITS:
        if seconds >= unit:
            return f"{int(seconds / unit)} {name}"
    return f"{int(seconds)} s"


def span(seconds: float | None) -> str:
    """Give how long something took, as ``01:02:03``."""
    if seconds is None:
        return NONE
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


def byte_size(count: float) -> str:
    """Give a number of bytes, as ``12 kB``."""
    for unit in _BYTE_UNITS:
        if count < _KILO or unit == _BYTE_UNITS[-1]:
            break
        count /= _KILO
    return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"  # noqa: PLR2004


def plain_json(value: Any) -> str:
    """Give a structure as JSON for programs, keys in their order."""
    import json

    return json.dumps(value, indent=2, allow_nan=False)
