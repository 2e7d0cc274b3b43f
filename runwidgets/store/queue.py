"""Turns on a compute target: a queue of tickets and a number of slots, files that their holders keep locked.

A lock ends with the process that holds it, however that ends: a dead process stands in nobody's way, and no service has
to look after the queue. A ticket's name says its place: priority, then time.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from runwidgets.system import hold, let_go, processors

if TYPE_CHECKING:
    from pathlib import Path

LOCAL: Final = "local"
"""The target that each workspace has."""
SETTINGS: Final = "target.json"
_LOWEST: Final = 50_000
_MOMENT_SECONDS: Final = 0.001


class Ticket(NamedTuple):
    """A place in a queue, kept for as long as the handle is open."""

    path: Path
    handle: int

    def give_back(self) -> None:
        """Leave the queue, though others may have a handle of the ticket too."""
        try:
            self.path.unlink(missing_ok=True)
        finally:
            let_go(self.handle)


class Turn(NamedTuple):
    """Somebody's place in a queue, as others see it.

    Attributes
    ----------
    since
        Since when it waits, epoch seconds.
    """

    run_id: str
    priority: int
    since: float


class Slot(NamedTuple):
    """A slot of a target that is taken, for as long as the handle is open."""

    number: int
    handle: int


class Queue:
    """The queue of one compute target of a workspace.

    Parameters
    ----------
    workspace
        The workspace's folder.
    target
        The target's name.
    """

    def __init__(self, workspace: Path, target: str) -> None:
        self.folder = workspace / "compute" / target
        self._tickets = self.folder / "queue"
        self._slots = self.folder / "slots"

    @property
    def slots(self) -> int:
        """How many runs go at once: as the target was made, by default as many as there are processors."""
        import msgspec  # which those behind the first in line need not load

        try:
            return int(msgspec.json.decode((self.folder / SETTINGS).read_bytes())["slots"])
        except (OSError, ValueError, LookupError, TypeError):
            return processors()

    def enter(self, run_id: str, priority: int = 0) -> Ticket:
        """Stand in line: behind all of the same priority, before those of a lower one.

        Raises
        ------
        OSError
            If the workspace's folder does not take it.
        """
        self._tickets.mkdir(parents=True, exist_ok=True)
        path = self._tickets / f"{_LOWEST - priority:06d}-{time.time_ns():020d}-{run_id}"
        while (handle := hold(path)) is None:
            time.sleep(_MOMENT_SECONDS)  # somebody looks just now whether it is a dead process's
        return Ticket(path, handle)

    def ahead_of(self, ticket: Path, at_most: int = 1) -> list[Path]:
        """List the tickets before this one, the nearest first; none where it is the first."""
        names = sorted(path.name for path in self._tickets.iterdir() if path.name < ticket.name)
        found: list[Path] = []
        while names and len(found) < at_most:
            before = self._tickets / names.pop()
            if not _is_dead(before):
                found.append(before)
        return found

    def take_slot(self, run_id: str) -> Slot | None:
        """Take a free slot, in whose file the run's id then stands; None where there is none."""
        self._slots.mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(self.slot_paths()):
            handle = hold(path)
            if handle is not None:
                os.ftruncate(handle, 0)
                os.pwrite(handle, run_id.encode(), 0)
                return Slot(number, handle)
        return None

    def slot_paths(self) -> list[Path]:
        """Name the files of the slots: whoever has a slot keeps its file locked."""
        return [self._slots / f"{number:04d}" for number in range(self.slots)]

    def waiting(self) -> list[str]:
        """List the ids of the runs that wait, in the order of their turns.

        A run that has its slot keeps its ticket until its script has begun, and waits no more.
        """
        turns = self.line()  # first: a run gives its ticket back when it has its slot
        running = frozenset(self.running())
        return [turn.run_id for turn in turns if turn.run_id not in running]

    def tickets(self) -> list[str]:
        """List the names of the tickets, dead ones among them: that is cheap, and tells whether anything moved."""
        return _names(self._tickets)

    def line(self) -> list[Turn]:
        """List the runs that wait, in the order of their turns, with what their tickets say."""
        return [_turn(name) for name in _names(self._tickets) if not _is_dead(self._tickets / name)]

    def running(self) -> list[str]:
        """List the ids of the runs that have slots."""
        found = []
        for name in _names(self._slots):
            handle = hold(self._slots / name)
            if handle is not None:
                os.close(handle)
                continue
            with suppress(OSError):
                found.append((self._slots / name).read_text("utf-8"))
        return [run_id for run_id in found if run_id]


def _turn(ticket: str) -> Turn:
    rank, entered_at, run_id = ticket.split("-", 2)
    return Turn(run_id, _LOWEST - int(rank), int(entered_at) / 1e9)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []


def _is_dead(ticket: Path) -> bool:
    """Tell whether nobody holds a ticket; it is then taken away."""
    if not ticket.exists():
        return True
    handle = hold(ticket)
    if handle is None:
        return False
    ticket.unlink(missing_ok=True)
    os.close(handle)
    return True
