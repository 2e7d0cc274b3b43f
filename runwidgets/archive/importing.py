"""Bringing the runs of an archive into a workspace."""

from __future__ import annotations

import io
import math
import re
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, cast

import msgspec

from runwidgets.archive.checking import Archive, room_for
from runwidgets.archive.layout import LATEST, RUNS, content_name, file_name, metrics_name
from runwidgets.archive.submission import forget_definition, keep_definition, oddity
from runwidgets.archive.values_table import parquet, read_events
from runwidgets.documents import checked_document
from runwidgets.errors import ArchiveError, SnapshotError, UserError
from runwidgets.events import (
    FileStored,
    ProgressMade,
    PropertiesAdded,
    RowsLogged,
    RunCreated,
    RunDescribed,
    StatusSet,
    TagsSet,
)
from runwidgets.experiment import Experiment
from runwidgets.home import is_workspace
from runwidgets.records import VECTOR_COLUMN, MetricKind, RunError, RunStatus
from runwidgets.store.files import checked_name

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from runwidgets.archive.layout import ArchivedRun
    from runwidgets.events import Event
    from runwidgets.store.snapshots import SnapshotStore
    from runwidgets.workspace import Workspace

IMPORTED_FROM: Final = "runwidgets.imported_from"
"""The property that tells what the id of a run was that was imported under another."""
_SNAPSHOT: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST_DOCUMENT: Final = 2**26


class Imported(NamedTuple):
    """What was imported.

    Attributes
    ----------
    run_ids
        The ids that the runs have now, by those that they have in the archive.
    notes
        What is not as it was.
    """

    run_ids: dict[str, str]
    notes: list[str]


def import_runs(workspace: Workspace, path: str | os.PathLike[str], *, rename: bool = False) -> Imported:
    """Bring the runs of an archive into a workspace: all of them, or none.

    Parameters
    ----------
    workspace
        Where to.
    path
        The archive.
    rename
        Whether a run whose id is taken gets a new one; else that is an error.

    Returns
    -------
    Imported
        The runs. They have ended: one that was going on is Failed.

    Raises
    ------
    ArchiveError
        If it is no archive, is damaged, or holds what it should not. Nothing is written then.
    UserError
        If there are runs of these ids already. Nothing is written then.
    MissingDependencyError
        If pyarrow is not installed.
    OSError
        If the archive cannot be read, or the workspace cannot be written.
    """
    parquet()
    with Archive(Path(path), room_for(workspace._folder)) as archive:
        plan = _Plan(workspace, archive, rename=rename)
        plan.bring_in()
    return Imported(plan.ids, plan.notes)


class _Plan:
    """What is to be imported, checked throughout."""

    def __init__(self, workspace: Workspace, archive: Archive, *, rename: bool) -> None:
        self._workspace = workspace
        self._archive = archive
        self._runs = {run.run_id: run for run in archive.runs}
        self.notes: list[str] = []
        if len(self._runs) != len(archive.runs) or set(self._runs) != set(archive.manifest.runs):
            raise _bad("has other runs than its manifest says")
        for run in archive.runs:
            _check_run(workspace, run, archive.manifest.created_at)
        self._check_family()
        self._snapshots = self._checked_snapshots()
        self._check_names()
        self.ids = self._new_ids(rename=rename)
        self._events = self._all_events()

    def _check_family(self) -> None:
        for run in self._archive.runs:
            above, seen = run.parent_id, {run.run_id}
            while above in self._runs:
                if above in seen:
                    raise _bad(f"has a run that is its own ancestor: {above}")
                seen.add(above)
                above = self._runs[above].parent_id

    def _check_names(self) -> None:
        wanted = {RUNS, *map(content_name, self._snapshots)}
        for run in self._archive.runs:
            wanted.add(metrics_name(run.run_id))
            wanted.update(file_name(run.run_id, file.path) for file in run.files)
        if wanted != self._archive.names:
            odd = min(wanted ^ self._archive.names)
            raise _bad(f"has another set of members than its runs: {odd!r}")

    def _checked_snapshots(self) -> set[str]:
        """Give the digests of all contents of the runs' snapshots, as far as these are in the archive."""
        from runwidgets.store.snapshots import read_manifest
        from runwidgets.surroundings import SNAPSHOT_ID

        digests: set[str] = set()
        for snapshot_id in {run.properties.get(SNAPSHOT_ID, "") for run in self._archive.runs}:
            if not _SNAPSHOT.fullmatch(snapshot_id) or content_name(snapshot_id) not in self._archive.names:
                continue
            try:
                files = read_manifest(self._archive.read(content_name(snapshot_id)))
            except (SnapshotError, msgspec.DecodeError) as error:
                raise _bad(f"has a snapshot {snapshot_id} that is none: {error}") from error
            digests.update([snapshot_id, *(file.sha256 for file in files)])
        for digest in digests:
            name = content_name(digest)
            if name in self._archive.names and self._archive.member(name).sha256 != digest:
                raise _bad(f"has a content that is not what it is called: {name!r}")
        return digests

    def _new_ids(self, *, rename: bool) -> dict[str, str]:
        taken = set()
        if is_workspace(self._workspace._folder):  # else it begins to exist when all of the archive is checked
            recorder = self._workspace._recorder
            recorder.flush()
            recorder.recover()
            taken = {found.run.run_id for found in recorder.store.described(list(self._runs))}
        if taken and not rename:
            named = ", ".join(sorted(taken)[:5])
            more = f" and {len(taken) - 5} more" if len(taken) > 5 else ""  # noqa: PLR2004
            raise UserError(
                f"the workspace {self._workspace.name!r} has runs of these ids already: {named}{more}. Nothing is "
                "imported; with rename=True (--rename) they get new ids"
            )
        ids = {run_id: str(uuid.uuid4()) if run_id in taken else run_id for run_id in self._runs}
        self.notes += [
            f"run {old} is imported as {new}: there is one of that id" for old, new in ids.items() if old != new
        ]
        return ids

    # ---- what to write

    def _all_events(self) -> list[Event]:
        events: list[Event] = []
        for run in sorted(self._archive.runs, key=lambda run: (run.created_at, run.number or 0)):
            events += self._events_of(run)
        return events

    def _events_of(self, run: ArchivedRun) -> Iterator[Event]:
        new = self.ids[run.run_id]
        parent = self.ids.get(run.parent_id) if run.parent_id is not None else None
        if run.parent_id is not None and parent is None:
            self.notes.append(
                f"run {new} was below run {run.parent_id}, which is not in the archive: it stands alone now"
            )
        yield RunCreated(new, run.created_at, run.experiment, parent, run.name, run.type)
        if run.description is not None:
            yield RunDescribed(new, run.created_at, description=run.description)
        if run.tags:
            yield TagsSet(new, run.created_at, run.tags)
        properties = {**run.properties, **({IMPORTED_FROM: run.run_id} if new != run.run_id else {})}
        if properties:
            yield PropertiesAdded(new, run.created_at, properties)
        if run.started_at is not None:
            yield StatusSet(new, run.started_at, RunStatus.RUNNING)
        yield from self._values_of(run, new)
        if run.progress is not None:
            made = run.progress
            yield ProgressMade(new, made.first_at, made.first_done, made.total, made.unit)
            yield ProgressMade(new, made.at, made.done, made.total, made.unit)
        for file in run.files:
            size = self._archive.size(file_name(run.run_id, file.path))
            yield FileStored(new, file.stored_at, file.path, size)
        yield self._end_of(run, new)

    def _end_of(self, run: ArchivedRun, new: str) -> StatusSet:
        if run.status.is_final:
            return StatusSet(new, run.ended_at or run.created_at, run.status, run.error)
        self.notes.append(f"run {new} was {run.status.value} when it was exported: it is Failed here")
        error = RunError(
            "ExportedWhileRunning",
            f"The run was {run.status.value} when it was exported: what it did later is not known here.",
        )
        return StatusSet(new, self._archive.manifest.created_at, RunStatus.FAILED, error)

    def _values_of(self, run: ArchivedRun, new: str) -> list[Event]:
        name = metrics_name(run.run_id)
        with tempfile.TemporaryDirectory(prefix="runwidgets-") as folder:
            place = Path(folder) / "metrics.parquet"
            with place.open("wb") as target:
                self._archive.copy(name, target)
            events = read_events(place, new, run.metrics, self._archive.size(name))
        kinds = {metric.name: metric.kind for metric in run.metrics}
        paths = {file.path for file in run.files}
        for event in events:
            if isinstance(event, RowsLogged):
                self._check_paths(run, kinds[event.name], event, paths)
        return events

    def _check_paths(self, run: ArchivedRun, kind: MetricKind, event: RowsLogged, paths: set[str]) -> None:
        """Make sure that what stands for a file names one, and that a document is one: displays trust that."""
        if kind is not MetricKind.IMAGE and not kind.is_document:
            return
        from runwidgets.columns import Column

        if event.columns.keys() != {VECTOR_COLUMN}:
            raise _bad(f"has a metric {event.name!r} of files with other columns than one of paths")
        for path in Column(event.columns[VECTOR_COLUMN]).to_list():
            if not isinstance(path, str):
                raise _bad(f"has a metric {event.name!r} of files that names {path!r}")
            if not kind.is_document or path not in paths:
                continue
            name = file_name(run.run_id, path)
            if self._archive.size(name) > _LONGEST_DOCUMENT:
                raise _bad(f"has a document of {self._archive.size(name):,} bytes: {name!r}")
            try:
                checked_document(kind, event.name, self._archive.read(name).decode())
            except (UserError, UnicodeDecodeError) as error:
                raise _bad(f"has a metric whose file is none: {error}") from error

    # ---- writing

    def bring_in(self) -> None:
        """Write files and contents, and then the runs, in one transaction: until then nobody sees any of it."""
        from runwidgets.store.snapshots import snapshots_of

        files = self._workspace._files
        try:
            snapshots = snapshots_of(self._workspace._folder)
            for digest in sorted(self._snapshots):
                self._keep_content(snapshots, digest)
            for run in self._archive.runs:
                for file in run.files:
                    with self._stream(file_name(run.run_id, file.path)) as stream:
                        files.save(self.ids[run.run_id], file.path, stream)
                keep_definition(self._workspace, run, self.ids[run.run_id])
            self._workspace._store.adopt(self._events)
        except BaseException:
            for run_id in self.ids.values():
                if self._workspace._store.run(run_id) is None:
                    files.remove(run_id)
                    forget_definition(self._workspace, run_id)
            raise

    def _keep_content(self, snapshots: SnapshotStore, digest: str) -> None:
        if not snapshots.path(digest).exists():
            snapshots.keep_chunks(self._archive.chunks(self._archive.member(content_name(digest))))

    def _stream(self, name: str) -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(_Chunks(self._archive.chunks(self._archive.member(name)))))


class _Chunks(io.RawIOBase):
    """Chunks as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        part = self._rest[: len(target)]
        self._rest = self._rest[len(part) :]
        target[: len(part)] = part
        return len(part)


def _bad(what: str) -> ArchiveError:
    return ArchiveError(f"the archive {what}. Nothing of it is imported")


def _check_run(workspace: Workspace, run: ArchivedRun, exported_at: float) -> None:
    from runwidgets.starting import is_run_id

    if not is_run_id(run.run_id):
        raise _bad(f"has a run of the id {run.run_id[:300]!r}, which cannot be one")
    try:
        Experiment(workspace, run.experiment)
        paths = [checked_name(file.path) for file in run.files]
    except UserError as error:
        raise _bad(f"has a run {run.run_id} that cannot be: {error}") from error
    if paths != [file.path for file in run.files] or len(set(paths)) != len(paths):
        raise _bad(f"has a run {run.run_id} with two files of one name, or an odd name")
    names = [metric.name for metric in run.metrics]
    if len(set(names)) != len(names) or any(len(set(m.columns)) != len(m.columns) for m in run.metrics):
        raise _bad(f"has a run {run.run_id} with two metrics, or columns, of one name")
    times = [exported_at, run.created_at, run.started_at, run.ended_at, *(file.stored_at for file in run.files)]
    if run.progress is not None:
        times += [run.progress.at, run.progress.first_at]
    if any(time is not None and not (math.isfinite(time) and 0 <= time < LATEST) for time in times):
        raise _bad(f"has a run {run.run_id} with an impossible time")
    if any(metric.row_count < 0 for metric in run.metrics):
        raise _bad(f"has a run {run.run_id} with a metric of less than no rows")
    if run.definition is not None and (reason := oddity(run.definition)):
        raise _bad(f"has a run {run.run_id} whose definition {reason}")
