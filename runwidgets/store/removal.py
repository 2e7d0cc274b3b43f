"""Deleting a workspace's folder, and who stands in the way."""

from __future__ import annotations

import shutil
import uuid
from typing import TYPE_CHECKING

from runwidgets.errors import StoreError, UserError
from runwidgets.events import JournalOpened
from runwidgets.store.framing import read_journal
from runwidgets.store.journal import segments_in
from runwidgets.store.locks import lock_of
from runwidgets.store.recorder import discard, opened_recorder

if TYPE_CHECKING:
    from pathlib import Path

    from runwidgets.store.journal import Segment


def remove_workspace(folder: Path) -> None:
    """Delete a workspace's folder with all that is in it.

    Raises
    ------
    UserError
        If another process is logging there, or a run of this process has not ended; nothing is deleted then.
    StoreError
        If the folder cannot be deleted.
    """
    recorder = opened_recorder(folder)
    if recorder is not None and recorder.owned:
        raise UserError(
            f"the workspace {folder.name!r} cannot be deleted while runs of this process are going on "
            f"({', '.join(recorder.owned)}): end them with complete(), fail() or cancel()"
        )
    writers = list(writers_in(folder, besides=recorder.journal_id if recorder else None).values())
    if writers:
        raise UserError(
            f"the workspace {folder.name!r} in {folder} cannot be deleted while others are logging there "
            f"({', '.join(writers)}): end these processes, or wait until they have ended"
        )
    discard(folder)
    place = folder.resolve()  # the folder may be a link to a larger disk
    doomed = place.with_name(f".deleted-{uuid.uuid4().hex}")
    try:
        place.rename(doomed)  # at once, so that nobody opens a workspace of which a part is gone
        if recorder is not None:
            recorder.is_deleted = True
        if folder.is_symlink():
            folder.unlink()
        shutil.rmtree(doomed)
    except OSError as error:
        raise StoreError(f"the workspace's folder {folder} cannot be deleted: {error}") from error


def writers_in(folder: Path, besides: str | None = None) -> dict[str, str]:
    """Name the processes that hold the lock of a journal in the folder, by its id."""
    found = {}
    for journal_id, segments in segments_in(folder / "journals").items():
        if journal_id == besides:
            continue
        lock = lock_of(segments[0].path)
        try:
            lock.acquire(timeout=0)
        except OSError:  # its writer lives, or it is another user's
            found[journal_id] = _process(segments[0])
        else:
            lock.release()
    return found


def _process(segment: Segment) -> str:
    try:
        events = read_journal(segment.path).events
    except OSError:
        events = []
    if events and isinstance(events[0], JournalOpened):
        return f"process {events[0].pid} on {events[0].host}"
    return f"the writer of {segment.path}"
