"""Appending to a file from any thread, without a lock.

The system appends one ``write`` after the other, whatever threads they come from (``O_APPEND``). What must not happen
beside a write is rare: to go on in another file, to cut off an event of which only a part was written, to say where the
last one ends. Who does that calls `Appender.stop`: from then on writes fail, and what was to be written is handed to a
function that may take locks; and writes that had begun are over when `stop` returns. Which threads are within a write,
the interpreter knows. So nobody needs to count them, and no exception, signal or fork can leave a count wrong.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

_write = os.write
_AnyFunction = TypeVar("_AnyFunction", bound="Callable[..., object]")

NO_FILE: Final = -1
_LOOK_SECONDS: Final = 2e-5
_codes: set[CodeType] = set()


def appending(function: _AnyFunction) -> _AnyFunction:
    """Mark a function that takes a number from `Appender.handle` and writes there, for `Appender.stop` to wait for.

    While it has the number, it calls nothing that is written in Python. `stop` may then be called by what comes in
    between all the same, such as the handler of a signal: it waits for nobody who is interrupted, for whom the number
    is still good, or was used.
    """
    _codes.add(function.__code__)
    return function


class Appender:
    """A file to append to, or none at the moment.

    It stays while files come and go, and over forks: who writes often binds a function to it once.

    Parameters
    ----------
    otherwise
        Called as ``otherwise(data, written)`` with what could not be appended, and how many bytes of it were.
    """

    def __init__(self, otherwise: Callable[[bytes, int], object]) -> None:
        self.handle = [NO_FILE]
        """The open file's number, in a list for closures to share."""
        self.otherwise = otherwise
        self.attempt, self.append = _functions(self.handle, otherwise)
        """Append bytes, in one write: ``attempt`` gives how many were, ``append`` sees to it that all are."""

    def go_on(self, handle: int) -> None:
        """Let threads append to an open file; `NO_FILE` is none."""
        self.handle[0] = handle

    def stop(self) -> None:
        """Have all writes fail, and wait for those that have begun.

        Nobody else may go on meanwhile: who calls this holds a lock that ``otherwise`` takes too.
        """
        self.handle[0] = NO_FILE
        begun = {thread: frame for thread, frame in sys._current_frames().items() if frame.f_code in _codes}
        while begun:
            time.sleep(_LOOK_SECONDS)
            begun = {thread: frame for thread, frame in sys._current_frames().items() if begun.get(thread) is frame}


def _functions(
    handle: list[int], otherwise: Callable[[bytes, int], object]
) -> tuple[Callable[[bytes], int], Callable[[bytes], None]]:
    @appending
    def attempt(data: bytes) -> int:
        try:
            return _write(handle[0], data)
        except OSError:
            return 0

    def append(data: bytes) -> None:
        written = attempt(data)
        if written != len(data):
            otherwise(data, written)

    return attempt, append
