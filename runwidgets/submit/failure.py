"""Why a script's run failed: its exit, and the last that it printed."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, Final

from runwidgets.records import RunError

if TYPE_CHECKING:
    from pathlib import Path

_TAIL_BYTES: Final = 64 * 2**10
_LINES: Final = 12
LAST_LINES: Final = " The last lines of its log:\n"
"""What comes, in a message, before the end of the log."""
_LINE_CHARACTERS: Final = 2000
_TRACEBACK: Final = "Traceback (most recent call last):"
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")
_PLACE: Final = re.compile(r'  File ".*", line \d+')
_NOT_PARSED: Final = re.compile(r"(?P<name>SyntaxError|IndentationError|TabError): (?P<message>.*)")
"""What Python says of a script that it cannot parse, without the word traceback."""
_RAISED: Final = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?")


def exit_error(what: str, code: int, log: Path, *, rank: int | None = None, out_of_memory: bool = False) -> RunError:
    """Say why a process of a run failed.

    Parameters
    ----------
    what
        The script or command.
    code
        Its exit code, negative for a signal.
    log
        What it printed.
    rank
        Which of several processes it is, for the message; None where it is the only one.
    out_of_memory
        Whether the system has killed a process meanwhile for want of memory.
    """
    tail = last_lines(log)
    if rank is not None:
        what += f" (rank {rank})"
    where = "" if rank is None else f"rank {rank}: "
    if code < 0:
        name = _signal_name(-code)
        if -code == signal.SIGKILL and out_of_memory:
            return RunError("OutOfMemory", f"{what} was killed because memory ran out." + _quoted(tail))
        hint = ""
        if -code == signal.SIGKILL:
            hint = ", by somebody or by the system; the usual reason is that memory ran out"
        return RunError("ProcessKilled", f"{what} was ended by {name}{hint}." + _quoted(tail))
    text = "\n".join(tail)
    if _TRACEBACK in text:
        trace = text[text.rindex(_TRACEBACK) :]
        raised = _exception_in(trace)
        if raised is not None:
            name, message = raised
            return RunError(name.rpartition(".")[2], where + message, trace)
    if tail and (found := _NOT_PARSED.fullmatch(tail[-1])):
        begin = next((at for at, line in enumerate(tail) if _PLACE.fullmatch(line)), len(tail) - 1)
        return RunError(found["name"], where + found["message"], "\n".join(tail[begin:]))
    return RunError("ScriptFailed", f"{what} ended with exit code {code}." + _quoted(tail[-_LINES:]))


def _exception_in(trace: str) -> tuple[str, str] | None:
    """Find the exception at the end of a traceback: its class, and its message with all its lines."""
    lines = trace.splitlines()
    for at in range(1, len(lines)):
        if lines[at] and not lines[at].startswith((" ", "\t")):
            found = _RAISED.fullmatch(lines[at])
            if found is None:
                return None
            message = "\n".join([found["message"] or "", *lines[at + 1 :]]).strip()
            return found["name"], message
    return None


def last_lines(log: Path) -> list[str]:
    """Read the end of a log, without colours, progress bars at their last state."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            data = file.read()
    except OSError:
        return []
    text = without_escapes(data.decode("utf-8", "replace")).replace("\r\n", "\n")
    lines = [line.rstrip("\r").rpartition("\r")[2][:_LINE_CHARACTERS].rstrip() for line in text.split("\n")]
    if size > _TAIL_BYTES:
        lines = lines[1:]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def without_escapes(text: str) -> str:
    """Take out what would colour a text in a terminal."""
    return _ESCAPES.sub("", text)


def _quoted(lines: list[str]) -> str:
    return LAST_LINES + "\n".join(lines[-_LINES:]) if lines else " It printed nothing."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
