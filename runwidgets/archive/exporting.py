"""Writing runs into an archive."""

from __future__ import annotations

import hashlib
import math
import os
import stat
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

import msgspec

from runwidgets.archive.layout import (
    FORMAT,
    MANIFEST,
    RUNS,
    ArchivedFile,
    ArchivedMetric,
    ArchivedProgress,
    ArchivedRun,
    Manifest,
    Member,
    content_name,
    file_name,
    metrics_name,
)
from runwidgets.archive.submission import definition_of, oddity
from runwidgets.archive.values_table import parquet, write_values
from runwidgets.errors import NotFoundError, SnapshotError, UserError
from runwidgets.filters import run_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runwidgets.archive.layout import ArchivedDefinition
    from runwidgets.records import FoundRun
    from runwidgets.workspace import Workspace

_CHUNK: Final = 2**20
_STORED: Final = (".parquet", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".zip", ".gz", ".xz", ".zst", ".npz", ".pt")
"""What is packed already, and does not become smaller."""


class Exported(NamedTuple):
    """What was exported.

    Attributes
    ----------
    run_ids
        The runs in the archive, those above others first.
    notes
        What could not go along, and what goes along that may be a secret.
    """

    run_ids: list[str]
    notes: list[str]


def export_runs(
    workspace: Workspace,
    run_ids: Sequence[str],
    path: str | os.PathLike[str],
    *,
    with_children: bool = True,
    overwrite: bool = False,
) -> Exported:
    """Write runs as one archive, which appears whole or not at all.

    Parameters
    ----------
    workspace
        Where they are.
    run_ids
        Their ids.
    path
        The file.
    with_children
        Whether the runs below them go along.
    overwrite
        Whether a file that is there is replaced.

    Returns
    -------
    Exported
        Which runs are in it. A run that goes on is exported as it stands.

    Raises
    ------
    NotFoundError
        If there is no such run.
    UserError
        If the file is there already.
    MissingDependencyError
        If pyarrow is not installed.
    OSError
        If the file cannot be written.
    """
    parquet()
    target = Path(path)
    if target.exists() and not overwrite:
        raise UserError(f"{target} is there already: name another file, or give overwrite=True")
    recorder = workspace._recorder
    recorder.flush()
    recorder.recover()
    wanted = dict.fromkeys(run_ids)
    if with_children:
        for run_id in run_ids:
            wanted.update(dict.fromkeys(reversed(recorder.store.find(run_query(below=run_id, deep=True)))))
    found = [one for one in recorder.store.described(list(wanted)) if one.run.created_at is not None]
    if missing := wanted.keys() - {one.run.run_id for one in found}:
        raise NotFoundError(f"the workspace {workspace.name!r} has no run {', '.join(map(repr, sorted(missing)))}")
    handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=".incoming-")
    try:
        with os.fdopen(handle, "wb") as stream:
            notes = _Writer(workspace, stream).write(found)
        umask = os.umask(0)
        os.umask(umask)
        Path(scratch).chmod(0o666 & ~umask)  # as any new file
        Path(scratch).replace(target)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
    return Exported(list(wanted), notes)


class _Writer:
    def __init__(self, workspace: Workspace, stream: BinaryIO) -> None:
        self._workspace = workspace
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED)
        self._members: dict[str, Member] = {}
        self._notes: list[str] = []
        self._variables: set[str] = set()

    def write(self, found: Sequence[FoundRun]) -> list[str]:
        from importlib.metadata import version

        with self._zip:
            runs = [self._write_run(one) for one in found]
            for run in runs:
                self._write_snapshot(run)
            self._write_bytes(RUNS, msgspec.json.format(msgspec.json.encode(runs), indent=1))
            manifest = Manifest(
                FORMAT, time.time(), version("runwidgets"), [run.run_id for run in runs], list(self._members.values())
            )
            self._write_bytes(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        if self._variables:
            self._notes.append(
                "what was submitted goes along with the values of its environment variables: "
                + ", ".join(sorted(self._variables))
            )
        return self._notes

    def _write_run(self, found: FoundRun) -> ArchivedRun:
        run, store = found.run, self._workspace._store
        metrics = store.metrics(run.run_id)
        with tempfile.TemporaryDirectory(prefix="runwidgets-") as folder:
            values = Path(folder) / "metrics.parquet"
            write_values(metrics, values)
            self._write_file(metrics_name(run.run_id), values)
        files = []
        for file in store.files(run.run_id):
            try:
                source = self._workspace._files.path(run.run_id, file.path)
                self._write_file(file_name(run.run_id, file.path), source)
            except (NotFoundError, UserError, FileNotFoundError):
                self._notes.append(f"the file {file.path!r} of run {run.run_id} is gone, and does not go along")
            else:
                files.append(ArchivedFile(file.path, file.stored_at))
        made = run.progress
        is_number = made is not None and all(math.isfinite(n) for n in (made.done, made.first_done, made.total or 0.0))
        progress = msgspec.convert(made, ArchivedProgress, from_attributes=True) if is_number else None
        return ArchivedRun(
            run_id=run.run_id, experiment=run.experiment, parent_id=run.parent_id, number=run.number, name=run.name,
            type=run.type, description=run.description, status=run.status, created_at=run.created_at or 0.0,
            started_at=run.started_at, ended_at=run.ended_at, error=run.error, progress=progress, tags=found.tags,
            properties=found.properties,
            metrics=[ArchivedMetric(m.name, m.kind, list(m.columns), m.row_count) for m in metrics], files=files,
            definition=self._definition(run.run_id),
        )  # fmt: skip

    def _definition(self, run_id: str) -> ArchivedDefinition | None:
        found = definition_of(self._workspace, run_id)
        if found is None:
            return None
        if reason := oddity(found):
            self._notes.append(f"what was submitted as run {run_id} does not go along: it {reason}")
            return None
        self._variables.update(found.environment_variables)  # their values may be secrets
        return found

    def _write_snapshot(self, run: ArchivedRun) -> None:
        from runwidgets.store.snapshots import snapshots_of
        from runwidgets.surroundings import SNAPSHOT_ID

        snapshot_id = run.properties.get(SNAPSHOT_ID)
        if snapshot_id is None or content_name(snapshot_id) in self._members:
            return
        snapshots = snapshots_of(self._workspace._folder)
        try:
            digests = dict.fromkeys([snapshot_id, *(file.sha256 for file in snapshots.files(snapshot_id))])
        except (NotFoundError, SnapshotError):
            digests = {}
        places = {digest: snapshots.path(digest) for digest in digests}
        if not places or not all(place.is_file() for place in places.values()):
            self._notes.append(f"the snapshot of run {run.run_id} is gone or damaged, and does not go along")
            return
        for digest, place in places.items():
            if content_name(digest) not in self._members:
                self._write_file(content_name(digest), place)

    def _write_bytes(self, name: str, content: bytes) -> None:
        self._zip.writestr(_entry(name), content, compress_type=zipfile.ZIP_DEFLATED)
        self._members[name] = Member(name, len(content), hashlib.sha256(content).hexdigest())

    def _write_file(self, name: str, source: Path) -> None:
        digest, size = hashlib.sha256(), 0
        with source.open("rb") as file, self._zip.open(_entry(name), "w", force_zip64=True) as packed:
            while chunk := file.read(_CHUNK):  # a log may grow meanwhile: what was read is what is in the archive
                packed.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self._members[name] = Member(name, size, digest.hexdigest())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, time.localtime()[:6])
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(_STORED) else zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry
