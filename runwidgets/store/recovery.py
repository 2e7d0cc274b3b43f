"""Reading journals into the store: this process's own as it grows, and whole those of processes that are gone."""

from __future__ import annotations

import logging
import os
import time
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from runwidgets.events import JournalOpened
from runwidgets.records import Owner
from runwidgets.store.framing import read_journal
from runwidgets.store.journal import segments_in
from runwidgets.store.liveness import lives_here
from runwidgets.store.locks import lock_of, take
from runwidgets.store.orphans import end_orphans

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from runwidgets.store.contract import Store
    from runwidgets.store.framing import Damage
    from runwidgets.store.journal import Segment

_log = logging.getLogger(__name__)

LOST_AFTER_SECONDS: Final = 120.0
"""After how long without any sign, seen by this process's own clock, a writer on another machine is taken for dead."""
LONG_AGO_SECONDS: Final = 86_400.0
"""By how much the clocks of two machines never differ: a writer whose last sign is older is dead, whoever looks."""


def fold_journal(store: Store, segments: Sequence[Segment], folded: int, end: int | None = None) -> int:
    """Fold the files of a journal from an offset on; give the offset to go on from.

    Parameters
    ----------
    store
        Where to.
    segments
        The journal's files, in order.
    folded
        Up to where it is folded.
    end
        Up to where its living writer has written; None for a journal whose writer is gone.
    """
    damaged: list[tuple[Segment, Damage]] = []
    try:
        for segment, following in zip_longest(segments, segments[1:]):
            if folded < segment.begin:
                _log.warning("%s: the %d bytes before it are missing", segment.path, segment.begin - folded)
                if not store.fold(segment.journal_id, folded, segment.begin, ()):
                    return store.folded_bytes(segment.journal_id)
                folded = segment.begin
            end_of_file = following.begin if following else end
            stop = None if end_of_file is None else end_of_file - segment.begin
            while end_of_file is None or folded < end_of_file:
                reading = read_journal(segment.path, folded - segment.begin, stop)
                reached = segment.begin + reading.end
                if reached == folded:
                    break  # nothing more is there
                if store.fold(segment.journal_id, folded, reached, reading.events):
                    folded = reached
                    damaged += [(segment, damage) for damage in reading.damage]
                else:
                    folded = store.folded_bytes(segment.journal_id)
    finally:
        if damaged:
            _tell(damaged)
    return folded


def _tell(damaged: list[tuple[Segment, Damage]]) -> None:
    segment, first = damaged[0]
    _log.warning(
        "%s: %d bytes at offset %d are damaged and were skipped%s",
        segment.path,
        first.length,
        first.offset,
        f", and {sum(damage.length for _, damage in damaged[1:])} bytes in {len(damaged) - 1} places after it"
        if len(damaged) > 1
        else "",
    )


class Recovery:
    """Looks after the journals that processes left behind in a folder.

    Parameters
    ----------
    journals
        The folder.
    """

    def __init__(self, journals: Path) -> None:
        self._journals = journals
        self._unreadable: set[str] = set()
        self._signs: dict[str, tuple[object, float]] = {}

    def recover(self, store: Store, own: str | None) -> None:
        """Fold the journals of processes that are gone, end the runs that they left, delete the files.

        Parameters
        ----------
        store
            Where to.
        own
            Id of the journal that this process writes.

        Raises
        ------
        StoreError
            If the store does not answer.
        """
        for journal_id, segments in segments_in(self._journals).items():
            if journal_id == own:
                continue
            try:
                self._recover_one(store, journal_id, segments[0].path)
            except OSError as error:
                if journal_id not in self._unreadable:
                    self._unreadable.add(journal_id)
                    _log.warning("the journal %s of a process that is gone is kept: %s", journal_id, error)

    def has_dead(self, store: Store, own: str | None) -> bool:
        """Tell whether there are journals of processes of this machine that are gone: somebody else folds them now."""
        for journal_id, segments in segments_in(self._journals).items():
            if journal_id == own or journal_id in self._unreadable:
                continue
            try:
                owner = store.journal_owner(journal_id) or first_owner(segments[0])
            except OSError:  # it was folded meanwhile
                continue
            if owner is not None and owner.pid and lives_here(owner) is False:
                return True
        return False

    def has_others(self, own: str | None) -> bool:
        """Tell whether there are journals besides the one that this process writes."""
        return any(journal_id != own for journal_id in segments_in(self._journals))

    def _recover_one(self, store: Store, journal_id: str, path: Path) -> None:
        lock = lock_of(path)
        try:
            take(lock)
        except OSError:
            return  # its writer lives, or it is not ours to touch
        segments: Sequence[Segment] = ()
        try:
            segments = segments_in(self._journals).get(journal_id, ())
            if not segments or not all(os.access(segment.path, os.R_OK | os.W_OK) for segment in segments):
                return  # another process was faster, or they are another user's
            if self._may_live_elsewhere(store, segments):
                return
            if (self._journals.parent / "submissions").is_dir() and (count := end_orphans(journal_id)):
                _log.warning("%d processes of a script whose supervisor was killed went on, and were killed", count)
            fold_journal(store, segments, store.folded_bytes(journal_id))
            for run_id in store.end_journal(journal_id, time.time()):
                _log.warning("run %s is recorded as Failed: its process ended without completing it", run_id)
            for segment in segments:
                segment.path.unlink()
        finally:
            lock.release()
            if not any(segment.path.exists() for segment in segments):
                path.with_name(f"{journal_id}.lock").unlink(missing_ok=True)

    def _may_live_elsewhere(self, store: Store, segments: Sequence[Segment]) -> bool:
        """Tell whether a writer whose lock is free may live all the same.

        On the machine of the writer the lock tells. On another it may seem free, where a network file system does not
        carry locks; there only silence tells, by the clock of this process, since the other's clock may be wrong.
        """
        owner = store.journal_owner(segments[0].journal_id) or first_owner(segments[0])
        if owner is None or owner.pid == 0 or lives_here(owner) is not None:
            return False
        last = segments[-1].path.stat()
        now = time.monotonic()
        sign = (owner.beat_at, last.st_size, last.st_mtime)
        seen, since = self._signs.get(owner.journal_id, (None, now))
        if seen != sign:
            self._signs[owner.journal_id] = (sign, now)
            since = now
        return now - since < LOST_AFTER_SECONDS and time.time() - max(owner.beat_at, last.st_mtime) < LONG_AGO_SECONDS


def first_owner(segment: Segment) -> Owner | None:
    """Read who writes a journal, of which nothing is in the store yet."""
    opened = next(iter(read_journal(segment.path).events), None)
    if not isinstance(opened, JournalOpened):
        return None
    return Owner(opened.journal_id, opened.host, opened.boot_id, opened.pid, opened.process_started_at, opened.at)
