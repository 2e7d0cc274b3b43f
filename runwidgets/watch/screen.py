"""What a terminal would show of a text, as plain lines; the twin of ``js/src/screen.ts``, which has colours too.

``tests/golden/screen.json`` holds both to one table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_MAX_CURSOR: Final = 500
_MAX_ROWS: Final = 200
_MAX_COLUMNS: Final = 2000
_PART: Final = re.compile(
    r"(?P<plain>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?:\x1b\[|\x9b)(?P<parameters>[\x30-\x3f]*)[\x20-\x2f]*(?P<kind>[\x40-\x7e]?)"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x1f\x7f\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[\x20-\x2f]*(?P<escape>[\x30-\x7e]?)"
    r"|(?P<control>.)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Shown:
    """What a terminal shows: its lines, and in which of them, from 0, the cursor is."""

    lines: list[str]
    row: int


def shown(text: str) -> Shown:
    """Give a text as a terminal would show it, line by line: each progress bar once, in its last state.

    Sequences that colour, name windows or link are left out, as is one that has no end yet.
    """
    screen = _Screen()
    for part in _PART.finditer(text):
        if part["plain"]:
            screen.print(part["plain"])
        elif part["kind"]:
            screen.obey(part["kind"], part["parameters"])
        elif part["escape"] == "M":
            screen.up(1)
        elif part["control"]:
            screen.control(part["control"])
    return Shown(["".join(line[:_MAX_COLUMNS]) for line in screen.lines], screen.row)


class _Screen:
    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.row = 0
        self._column = 0

    def print(self, text: str) -> None:
        line = self.lines[self.row]
        line += " " * (self._column - len(line))
        line[self._column : self._column + len(text)] = text
        self._column += len(text)

    def control(self, character: str) -> None:
        if character in "\n\v\f\x85":
            self.row += 1
            self._column = 0
            if self.row == len(self.lines):
                self.lines.append([])
        elif character == "\r":
            self._column = 0
        elif character == "\b":
            self._column = max(0, self._column - 1)
        elif character == "\t":
            self.print("\t")

    def up(self, count: int) -> None:
        self.row = max(0, self.row - min(count, _MAX_ROWS))

    def obey(self, kind: str, parameters: str) -> None:
        number = re.match(r"[0-9]{1,9}", parameters)
        first = int(number[0]) if number else 0
        count = max(1, first)
        if kind in "AF":
            self.up(count)
        elif kind in "BE":
            self.row = min(len(self.lines) - 1, self.row + count)
        elif kind == "C":
            self._column = max(self._column, min(_MAX_CURSOR, self._column + count))
        elif kind == "D":
            self._column = max(0, self._column - count)
        elif kind == "G":
            self._column = min(_MAX_CURSOR, count - 1)
        elif kind in "JK":
            self._clear(kind, first)
        if kind in "EF":
            self._column = 0

    def _clear(self, kind: str, which: int) -> None:
        line = self.lines[self.row]
        if which == 0:
            del line[self._column :]
            if kind == "J":
                del self.lines[self.row + 1 :]
        elif kind == "K" and which == 1:
            blank = min(self._column + 1, len(line))
            line[:blank] = " " * blank
        elif kind == "K" and which == 2:  # noqa: PLR2004 (both sides of the cursor)
            line.clear()
