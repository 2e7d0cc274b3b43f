"""What a ``with`` block over a run captures: what is printed in it, as the file ``logs/user_log.txt`` of the run."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from runwidgets.store.files import USER_LOG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_log = logging.getLogger(__name__)

_TELL_SECONDS: Final = 1.0
_STREAMS: Final = ("stdout", "stderr")


class Block:
    """A ``with`` block over a run: from `Block.__init__` to `close`.

    What is printed to `sys.stdout` and `sys.stderr` still goes there, and to the log as well. Of a thread that is in
    blocks of its own it goes to the logs of these; of any other thread, to those of all blocks that are open. What is
    written past these two, by other programs or to streams that somebody took hold of before, is not captured.

    Parameters
    ----------
    run_id
        The run. In blocks of it within each other what is printed is logged once.
    open_log
        Opens the file to append to; called when something is printed first. None where none can be, which was told.
    stored
        Is told the size of the log in bytes, at most once a second, and at the end.
    """

    def __init__(self, run_id: str, open_log: Callable[[], int | None], stored: Callable[[int], None]) -> None:
        self._log = _UserLog(run_id, open_log, stored)
        self._folder = _current_folder()
        _open_logs.append(self._log)
        _mine.set((*_mine.get(), self._log))
        self._tees = [tee for name in _STREAMS if (tee := _tee(name)) is not None]

    def close(self) -> None:
        """Give the streams back, close the log, and go back to the folder that was the current one."""
        for tee in self._tees:
            tee.leave()
        _open_logs.remove(self._log)
        _mine.set(tuple(log for log in _mine.get() if log is not self._log))
        self._log.close()
        if self._folder is not None and self._folder != _current_folder():
            try:
                os.chdir(self._folder)
            except OSError as error:
                _log.warning("the folder that was the current one before the run's block is gone: %s", error)


class _UserLog:
    """The file; it appears with the first text."""

    def __init__(self, run_id: str, open_log: Callable[[], int | None], stored: Callable[[int], None]) -> None:
        self.run_id = run_id
        self._open = open_log
        self._stored = stored
        self._mutex = threading.RLock()
        self._handle: int | None = None
        self._told_at = -_TELL_SECONDS
        self._is_told = True
        self.is_open = True

    def write(self, text: str) -> None:
        with self._mutex:
            if not self.is_open or not text:
                return
            try:
                if self._handle is None:
                    self._handle = self._open()
                if self._handle is None:
                    self.is_open = False
                    return
                data = memoryview(text.encode("utf-8", "backslashreplace"))
                while data:
                    data = data[os.write(self._handle, data) :]
                self._is_told = False
                if time.monotonic() - self._told_at >= _TELL_SECONDS:
                    self._tell(self._handle)
            except Exception as error:  # noqa: BLE001 (a print in somebody's training must not fail)
                self.is_open = False
                _log.warning("what is printed is not kept in %s any more: %s", USER_LOG, error)

    def _tell(self, handle: int) -> None:
        self._told_at = time.monotonic()
        self._is_told = True
        self._stored(os.fstat(handle).st_size)

    def close(self) -> None:
        with self._mutex:
            self.is_open = False
            if self._handle is not None:
                if not self._is_told:
                    self._tell(self._handle)
                os.close(self._handle)
                self._handle = None


_open_logs: list[_UserLog] = []
_mine: ContextVar[tuple[_UserLog, ...]] = ContextVar("runwidgets_logs", default=())
_mutex = threading.RLock()
_inside = threading.local()


class _Tee:
    """Stands in for a stream, and passes all on to it; what is written, to the logs of open blocks too.

    Who took hold of it during a block may keep it: with no block open it only passes on.
    """

    def __init__(self, name: str, stream: Any) -> None:
        self._name = name
        self._stream = stream
        self._users = 0

    def write(self, text: str) -> Any:
        if getattr(_inside, "a_write", False):
            return self._stream.write(text)  # the outer of two tees has it
        _inside.a_write = True
        try:
            written = self._stream.write(text)
            mine = [log for log in _mine.get() if log.is_open]
            for log in {log.run_id: log for log in mine or tuple(_open_logs)}.values():
                log.write(text)
        finally:
            _inside.a_write = False
        return written

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def enter(self) -> None:
        self._users += 1

    def leave(self) -> None:
        """Go, if no other block needs it and nobody has put another stream in its place."""
        with _mutex:
            self._users -= 1
            if not self._users and getattr(sys, self._name) is self:
                setattr(sys, self._name, self._stream)


def _tee(name: str) -> _Tee | None:
    with _mutex:
        stream = getattr(sys, name)
        if stream is None:  # as under pythonw
            return None
        tee = stream if isinstance(stream, _Tee) else _Tee(name, stream)
        tee.enter()
        setattr(sys, name, tee)
        return tee


def _after_fork_in_child() -> None:
    """Make the locks anew: another thread may have held them, and is not there."""
    global _mutex  # noqa: PLW0603
    _mutex = threading.RLock()
    for log in _open_logs:
        log._mutex = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _current_folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 (a text to compare)
    except OSError:
        return None
