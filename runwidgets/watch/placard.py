"""The board of compute targets as text and as static HTML, for where there are no widgets."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Final

from runwidgets.watch.numbers import number
from runwidgets.watch.static import BOX_STYLE, DOT, aligned, duration, html_table, one_line, progress_words

if TYPE_CHECKING:
    from runwidgets.watch.board import ActiveRow, BoardRow, BoardState, QueuedRow, TargetState

_ACTIVE: Final = ("status", "run", "#", "experiment", "running for", "progress", "owner", "run id")
_QUEUED: Final = ("place", "run", "#", "experiment", "waiting for", "priority", "owner", "run id")
_LEFT: Final = (0, 1, 3, 5, 6, 7)
_QUEUED_LEFT: Final = (1, 3, 6, 7)
_LONGEST_ID: Final = 100


def empty_words(target: TargetState) -> str:
    """Say that nothing goes on at a target."""
    return f"No run is active or queued on '{target['name']}'."


def _head(target: TargetState) -> list[str]:
    words = [f"{target['taken']} of {target['slots']} slots taken"]
    if count := target["queued_total"]:
        words.append(f"{number(count)} {'waits' if count == 1 else 'wait'}")
    return words


def _title(target: TargetState) -> str:
    where = f" in {one_line(target['workspace'])}" if target["workspace"] is not None else ""
    return one_line(target["name"]) + where


def _named(row: BoardRow) -> tuple[str, str, str]:
    number_of_run = "" if row["run_number"] is None else str(row["run_number"])
    return one_line(row["run_name"]), number_of_run, one_line(row["experiment"])


def _whose(row: BoardRow) -> tuple[str, str]:
    return one_line(row["owner"]), one_line(row["run_id"], _LONGEST_ID)


def _active(row: ActiveRow, now: float) -> tuple[str, ...]:
    span = "" if row["started_at"] is None else duration(now - row["started_at"])
    progress = one_line(", ".join(progress_words(row["progress"]))) if row["progress"] else ""
    return row["status"], *_named(row), span, progress, *_whose(row)


def _queued(row: QueuedRow, now: float) -> tuple[str, ...]:
    priority = number(row["priority"]) if row["priority"] else ""
    return str(row["place"]), *_named(row), duration(now - row["queued_at"]), priority, *_whose(row)


def _more(shown: int, total: int) -> str:
    return f"and {number(total - shown)} more" if total > shown else ""


def board_as_text(state: BoardState) -> str:
    """Give a board as plain text: each target, its active runs, and those that wait."""
    lines: list[str] = []
    now = state["sent_at"]
    for target in state["targets"]:
        if lines:
            lines.append("")
        lines.append("   ".join([f"● {_title(target)}", *_head(target)]))
        if target["trouble"] is not None:
            lines.append(f"  ⚠ {one_line(target['trouble'], 200)}")
        elif not target["active_total"] and not target["queued_total"]:
            lines.append(f"  {empty_words(target)}")
        active = [_active(row, now) for row in target["active"]]
        queued = [_queued(row, now) for row in target["queued"]]
        if active:
            lines += aligned([_ACTIVE, *active], left=_LEFT)
        if more := _more(len(active), target["active_total"]):
            lines.append(f"  {more}")
        if queued:
            lines += ["", *aligned([_QUEUED, *queued], left=_QUEUED_LEFT)]
        if more := _more(len(queued), target["queued_total"]):
            lines.append(f"  {more}")
    return "\n".join(line.rstrip() for line in lines)


def board_as_html(state: BoardState) -> str:
    """Give a board as static HTML with no script; every string of a user is escaped."""
    now = state["sent_at"]
    as_of = f"as of {datetime.fromtimestamp(now, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
    return "".join(_target_as_html(target, now, as_of) for target in state["targets"])


def _target_as_html(target: TargetState, now: float, as_of: str) -> str:
    words = " &nbsp; ".join(map(escape, [*_head(target), as_of]))
    parts = [f'<div style="{BOX_STYLE}"><div><b>{escape(_title(target))}</b> &nbsp; {words}</div>']
    if target["trouble"] is not None:
        parts.append(f'<div style="color: {DOT["silent"]}">⚠ {escape(target["trouble"])}</div>')
    elif not target["active_total"] and not target["queued_total"]:
        parts.append(f"<div>{escape(empty_words(target))}</div>")
    dots = [f'<span style="color: {DOT[row["status_group"]]}">●</span> ' for row in target["active"]]
    active = [[escape(cell) for cell in _active(row, now)] for row in target["active"]]
    parts.append(html_table(_ACTIVE, [[dot + row[0], *row[1:]] for dot, row in zip(dots, active, strict=True)], _LEFT))
    parts.append(_note(_more(len(active), target["active_total"])))
    queued = [[escape(cell) for cell in _queued(row, now)] for row in target["queued"]]
    parts.append(html_table(_QUEUED, queued, _QUEUED_LEFT))
    parts += [_note(_more(len(queued), target["queued_total"])), "</div>"]
    return "".join(parts)


def _note(text: str) -> str:
    return f"<div>{text}</div>" if text else ""
