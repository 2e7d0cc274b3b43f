"""How a process ends that has not ended its runs: the reason, and what to do when it is terminated."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from runwidgets.exiting import exit_code
from runwidgets.records import RunError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_CODE: Final = "ProcessEnded"
TERMINATED: Final = RunError(_CODE, "The process was terminated by SIGTERM before run.complete() or run.fail().")
UNFINISHED: Final = RunError(_CODE, "The process ended without run.complete() or run.fail().")
_GRACE_SECONDS: Final = 5.0
"""How long the process lives on after SIGTERM, at most, to fold its journal: whoever sent it may soon send SIGKILL."""


def error_of(error: BaseException) -> RunError:
    """Describe an exception as the reason of a failed run."""
    text = "".join(traceback.format_exception(error))
    return RunError(type(error).__name__, str(error), text)


def ending_error() -> RunError | None:
    """Say why this process ends: the exception or the exit code that ends it, where there is one.

    In a notebook no exception ends the process. There it is the one of the last cell, if that failed.
    """
    if _is_interactive():
        error = _error_of_last_cell()
        return error_of(error) if error is not None else None
    error = sys.exception() or getattr(sys, "last_exc", None) or _last_value()
    if error is not None and not isinstance(error, SystemExit):
        return error_of(error)
    code = error.code if error is not None else exit_code()
    return None if code in (None, 0) else RunError("SystemExit", f"The process ended with sys.exit({code!r}).")


def _last_value() -> BaseException | None:
    return getattr(sys, "last_value", None)  # all that Python 3.11 has


def _is_interactive() -> bool:
    return hasattr(sys, "ps1") or _shell() is not None


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _error_of_last_cell() -> BaseException | None:
    result = getattr(_shell(), "last_execution_result", None)
    error = getattr(result, "error_in_exec", None)
    return error if isinstance(error, BaseException) else None


# ---- SIGTERM


class _Terminating:
    """Records the end of the runs, and lets the process die of the signal as it would have without this handler.

    It is equal to `signal.SIG_DFL`, for that is what it amounts to: libraries that look whether a handler is there
    before they set their own, or call one that was there before and go on, go about it as if there were none.
    """

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def __eq__(self, other: object) -> bool:
        return other is self or other == signal.SIG_DFL

    __hash__ = object.__hash__  # Python 3.11 looks handlers up in a dict, and would give SIG_DFL for this one

    def __call__(self, number: int, frame: FrameType | None) -> None:
        del frame
        try:
            self._end()
        finally:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)


def when_terminated(end: Callable[[], None]) -> None:
    """Call ``end`` when SIGTERM is about to end this process, unless somebody else handles that signal.

    Does nothing outside of the main thread, where handlers cannot be set, and where one is set already.
    """
    if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        with suppress(ValueError):  # an interpreter within another has no signals
            signal.signal(signal.SIGTERM, _Terminating(end))


def within_grace(work: Callable[[], None]) -> None:
    """Do the work in a thread of its own, and wait for it a few seconds.

    A signal may come while the main thread holds any lock: work that needs it must not hang the process.
    """
    thread = threading.Thread(target=work, name="runwidgets-end", daemon=True)
    thread.start()
    thread.join(_GRACE_SECONDS)
