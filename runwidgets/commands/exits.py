"""The exit codes of ``runwidgets``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from runwidgets.run import Run

DONE: Final = 0
RUN_FAILED: Final = 1
"""The run that was waited for has failed."""
TROUBLE: Final = 2
"""The command was not understood, or could not be done."""
INTERRUPTED: Final = 130
"""Ctrl-C."""
CUT_OFF: Final = 141
"""Nobody reads what is printed any more, as behind ``| head``: what a shell says of a tool that SIGPIPE has ended."""


def code_of(run: Run) -> int:
    """Give the exit code of a command that waited for a run: whether that has failed."""
    from runwidgets.records import RunStatus

    return RUN_FAILED if run.get_status() == RunStatus.FAILED else DONE
