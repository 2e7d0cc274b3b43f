"""Waiting for signals without spinning. Loaded by a process that merely waits its turn: it imports little."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from typing import Final

WAKE: Final = getattr(signal, "SIGUSR1", signal.SIGTERM)
"""The signal that has a supervisor look whether somebody left word."""
_ENDING: Final = frozenset({signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGTERM)})
_MUCH: Final = 4096


class Alarm:
    """Wakes the main thread for each signal; those that end processes are remembered instead.

    To be made in the main thread, and anew after a fork.
    """

    def __init__(self) -> None:
        self.ended_by: int | None = None
        """The signal that would have ended this process."""
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (WAKE, getattr(signal, "SIGCHLD", WAKE), *_ENDING):
            signal.signal(number, self._take)

    def _take(self, number: int, frame: object) -> None:
        del frame
        if number in _ENDING:
            self.ended_by = number

    def ring(self) -> None:
        """Wake the main thread, from another one."""
        with suppress(BlockingIOError):
            os.write(self._write, b"\0")

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or when there was a signal since the last call."""
        if select.select([self._read], [], [], max(0.0, seconds))[0]:
            with suppress(BlockingIOError):
                os.read(self._read, _MUCH)
