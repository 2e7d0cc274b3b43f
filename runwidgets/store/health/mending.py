"""Mending what a look at a workspace found: after a backup, kind by kind, until a look finds nothing more to mend."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from runwidgets.errors import StoreError
from runwidgets.events import FileStored, RunCreated, StatusSet
from runwidgets.records import RunError, RunStatus
from runwidgets.store.folding import Fold
from runwidgets.store.health.checking import Examination, examine
from runwidgets.store.health.database import keys_without_run, reading, version_needed, writing
from runwidgets.store.health.files import ARTIFACTS
from runwidgets.store.health.findings import Finding, Trouble, counted
from runwidgets.store.health.journals import is_held
from runwidgets.store.health.placing import place_rows
from runwidgets.store.health.runs import RECOVERED, unreadable_parts
from runwidgets.store.health.salvage import salvage
from runwidgets.store.journal import segments_in
from runwidgets.store.recovery import Recovery
from runwidgets.store.removal import writers_in
from runwidgets.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROUNDS: Final = 5
"""What is mended may bring to light what else is wrong: a database, then its rows, then its runs."""
_LOST: Final = RunError("ProcessEnded", "The process that ran this run is gone; `runwidgets doctor` ended it.")
_NEEDS_NO_BACKUP: Final = frozenset({Trouble.LEFTOVER, Trouble.PERMISSIONS})


class Mended(msgspec.Struct):
    """What a repair did.

    Attributes
    ----------
    deeds
        In words, in order.
    backup
        Where what was there before lies; None where nothing was changed that could be wanted back.
    after
        A look at the workspace afterwards.
    trouble
        What kept the repair from going on; what it says it did is done, and whole.
    """

    deeds: list[str]
    backup: Path | None
    after: Examination
    trouble: str | None = None


def mend(folder: Path, found: Examination) -> Mended:
    """Mend what can be mended in a workspace. While others log there, only what is harmless."""
    from filelock import FileLock, Timeout

    work = _Work(folder)
    trouble = None
    if not _mendable(found):
        return Mended(work.deeds, None, found)
    try:
        work.mend([finding for finding in _mendable(found) if finding.trouble is Trouble.PERMISSIONS])
        lock_path = folder / "runs.doctor.lock"
        with FileLock(lock_path, timeout=0):
            _mend_in_rounds(work, examine(folder))
            lock_path.unlink(missing_ok=True)
    except Timeout:
        trouble = f"another repair is at work in {folder}: this one touches nothing"
    except StoreError as error:
        trouble = str(error)
    except (OSError, sqlite3.Error) as error:
        trouble = f"{folder} cannot be mended: {error}"
    return Mended(work.deeds, work.backup, examine(folder), trouble)


def _mendable(found: Examination) -> list[Finding]:
    return [finding for finding in found.findings if finding.mend and (finding.is_harmless or not found.writers)]


def _mend_in_rounds(work: _Work, found: Examination) -> None:
    tried: set[tuple[Trouble, str]] = set()
    for _ in range(_ROUNDS):
        todo = [finding for finding in _mendable(found) if (finding.trouble, finding.where) not in tried]
        if not todo:
            return
        if any(finding.trouble is Trouble.DATABASE for finding in todo):  # all else is seen better afterwards
            todo = [finding for finding in todo if finding.trouble in {Trouble.DATABASE, *_NEEDS_NO_BACKUP}]
        tried |= {(finding.trouble, finding.where) for finding in todo}
        work.mend(todo)
        found = examine(work.folder)


def delete_leftover(finding: Finding) -> str:
    """Delete what is left over; say so."""
    path = Path(finding.place[0])
    if path.suffix == ".lock" and is_held(path):
        return f"{path}: kept, a process has taken it meanwhile"
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return f"{path}: deleted"


class _Work:
    """Mends findings of one workspace, and keeps account."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "runs.sqlite"
        self.deeds: list[str] = []
        self.backup: Path | None = None
        self._ways: dict[Trouble, Callable[[list[Finding]], None]] = {
            Trouble.PERMISSIONS: self._permissions,
            Trouble.DATABASE: self._database,
            Trouble.INDEX: self._index,
            Trouble.SCHEMA: self._schema,
            Trouble.VERSION: self._version,
            Trouble.STRAY_ROWS: self._stray_rows,
            Trouble.RUN: self._runs,
            Trouble.ROWS: self._rows,
            Trouble.JOURNAL: self._journals,
            Trouble.NO_EXPERIMENT: self._no_experiment,
            Trouble.UNFINISHED: self._unfinished,
            Trouble.FILE_MISSING: self._files_missing,
            Trouble.FILE_UNKNOWN: self._files_unknown,
            Trouble.FILE_SIZE: self._file_sizes,
            Trouble.FOLDER_DELETED: self._folders,
            Trouble.LEFTOVER: self._leftovers,
        }

    def mend(self, findings: list[Finding]) -> None:
        """Mend findings, each kind in its turn."""
        by_trouble: dict[Trouble, list[Finding]] = {}
        for finding in findings:
            by_trouble.setdefault(finding.trouble, []).append(finding)
        for trouble, way in self._ways.items():
            if trouble in by_trouble:
                if trouble not in _NEEDS_NO_BACKUP:
                    self._back_up(findings)
                way(by_trouble[trouble])

    def _back_up(self, findings: list[Finding]) -> None:
        place = self.backup or _new_folder(self.folder / "backups")
        try:
            # A damaged database is copied as it is, when a new one is about to take its place.
            is_damaged = any(finding.trouble is Trouble.DATABASE for finding in findings)
            if self.backup is None and self._path.is_file() and not is_damaged:
                _copy_database(self._path, place / self._path.name)
            journals = segments_in(self.folder / "journals")
            for finding in findings:
                for segment in journals.get(finding.place[0], ()) if finding.trouble is Trouble.JOURNAL else ():
                    (place / "journals").mkdir(exist_ok=True)
                    if not (place / "journals" / segment.path.name).exists():
                        shutil.copy2(segment.path, place / "journals")
        except (OSError, sqlite3.Error) as error:
            if self.backup is None:
                shutil.rmtree(place, ignore_errors=True)
            raise StoreError(f"no backup can be made in {place} ({error}): nothing more is touched") from error
        self.backup = place

    @contextmanager
    def _changing(self) -> Iterator[tuple[sqlite3.Connection, int]]:
        """Open a transaction, with its version number."""
        with writing(self._path) as db:
            row = db.execute("UPDATE workspace SET version = version + 1 RETURNING version").fetchone()
            yield db, row[0] if row else 0

    # ---- the database

    def _permissions(self, findings: list[Finding]) -> None:
        for finding in findings:
            path, needed = Path(finding.place[0]), finding.place[1]
            path.chmod(path.stat().st_mode | needed)
            self.deeds.append(f"{path}: its owner may read and write it")

    def _database(self, _: list[Finding]) -> None:
        backup = self.backup or self.folder
        self.deeds += salvage(self._path, backup, lambda: not writers_in(self.folder))

    def _index(self, _: list[Finding]) -> None:
        with writing(self._path) as db:
            db.execute("REINDEX")
        self.deeds.append(f"{self._path}: indices made anew")

    def _schema(self, _: list[Finding]) -> None:
        was_there = self._path.is_file()
        SqliteStore(self._path).close()
        self.deeds.append(f"{self._path}: {'brought up to date' if was_there else 'made anew, empty'}")

    def _version(self, _: list[Finding]) -> None:
        with writing(self._path) as db:
            highest = version_needed(db)
            if highest is not None:
                db.execute("DELETE FROM workspace")
                db.execute("INSERT INTO workspace VALUES (?)", (highest + 1,))
                self.deeds.append(f"{self._path}: the version number of the workspace is {highest + 1}")

    def _stray_rows(self, findings: list[Finding]) -> None:
        with self._changing() as (db, version):
            keys = keys_without_run(db)
            db.executemany(
                "INSERT INTO runs (run_key, run_id, status, version) VALUES (?, ?, ?, ?)",
                [(key, f"{RECOVERED}-{key}", RunStatus.NOT_STARTED, version) for key in keys],
            )
            self.deeds += [f"run {RECOVERED}-{key}: made anew for what is left of it" for key in keys]
            for table, parent in [finding.place for finding in findings if finding.place[1] != "runs"]:
                key = {"metrics": "metric_key", "experiments": "experiment_key"}[parent]
                stray = f"{key} IS NOT NULL AND {key} NOT IN (SELECT {key} FROM {parent})"  # noqa: S608 (our tables)
                if table == "runs":
                    db.execute(f"UPDATE runs SET experiment_key = NULL, number = NULL WHERE {stray}")  # noqa: S608
                else:
                    count = db.execute(f"DELETE FROM {table} WHERE {stray}").rowcount  # noqa: S608
                    self.deeds.append(
                        f"table {table}: {counted(count, 'row')} of no {parent.removesuffix('s')} dropped"
                    )

    # ---- runs and their rows

    def _runs(self, findings: list[Finding]) -> None:
        with self._changing() as (db, version):
            for finding in findings:
                (key,) = finding.place
                for column in unreadable_parts(db, key):
                    value = RunStatus.FAILED if column == "status" else None
                    db.execute(
                        f"UPDATE runs SET {column} = ?, version = ? WHERE run_key = ?",  # noqa: S608 (our columns)
                        (value, version, key),
                    )
                    self.deeds.append(f"{finding.where}: its {column} is {value or 'empty'}")

    def _rows(self, findings: list[Finding]) -> None:
        for run_key in dict.fromkeys(finding.place[0] for finding in findings):
            with self._changing() as (db, version):
                self.deeds += place_rows(db, run_key, version)

    def _journals(self, findings: list[Finding]) -> None:
        store = SqliteStore(self._path)
        try:
            with _heard() as said:
                Recovery(self.folder / "journals").recover(store, None)
        finally:
            store.close()
        self.deeds += said
        for finding in findings:
            if not segments_in(self.folder / "journals").get(finding.place[0]):
                self.deeds.append(f"{finding.where}: read into the store, and deleted")

    def _no_experiment(self, findings: list[Finding]) -> None:
        with self._changing() as (db, _):
            for finding in findings:
                (run_id,) = finding.place
                parent_id, name, kind, created_at, started_at, journal_id = db.execute(
                    "SELECT parent_id, name, type, created_at, started_at, journal_id FROM runs WHERE run_id = ?",
                    (run_id,),
                ).fetchone()
                at = created_at or started_at or time.time()
                Fold(db, journal_id or "", {}).apply([RunCreated(run_id, at, RECOVERED, parent_id, name, kind)])
                self.deeds.append(f"run {run_id}: put into the experiment {RECOVERED!r}")

    def _unfinished(self, findings: list[Finding]) -> None:
        with self._changing() as (db, _):
            at = time.time()
            Fold(db, "", {}).apply([StatusSet(one.place[0], at, RunStatus.FAILED, _LOST) for one in findings])
        self.deeds += [f"run {finding.place[0]}: recorded as Failed" for finding in findings]

    # ---- files

    def _files_missing(self, findings: list[Finding]) -> None:
        with self._changing() as (db, version):
            for finding in findings:
                run_key, path, _ = finding.place
                db.execute("DELETE FROM files WHERE run_key = ? AND path = ?", (run_key, path))
                db.execute("UPDATE runs SET version = ? WHERE run_key = ?", (version, run_key))
                self.deeds.append(f"{finding.where}: forgotten")

    def _file_sizes(self, findings: list[Finding]) -> None:
        with self._changing() as (db, version):
            for finding in findings:
                run_key, path, size = finding.place
                db.execute(
                    "UPDATE files SET size = ?, version = ? WHERE run_key = ? AND path = ?",
                    (size, version, run_key, path),
                )
                db.execute("UPDATE runs SET version = ? WHERE run_key = ?", (version, run_key))
                self.deeds.append(f"{finding.where}: its size is noted as {counted(size, 'byte')}")

    def _files_unknown(self, findings: list[Finding]) -> None:
        events = []
        for finding in findings:
            run_id, names = finding.place
            for name in names:
                there = (self.folder / ARTIFACTS / run_id / name).stat()
                events.append(FileStored(run_id, there.st_mtime, name, there.st_size))
                self.deeds.append(f"file {name!r}: made a file of run {run_id}")
        with self._changing() as (db, _):
            Fold(db, "", {}).apply(events)

    def _folders(self, findings: list[Finding]) -> None:
        for finding in findings:
            source = Path(finding.place[0])
            target = (self.backup or self.folder) / ARTIFACTS / source.name
            target.parent.mkdir(exist_ok=True)
            source.replace(target)
            self.deeds.append(f"{source}: moved to {target}")

    def _leftovers(self, findings: list[Finding]) -> None:
        self.deeds += [delete_leftover(finding) for finding in findings]


def _new_folder(parent: Path) -> Path:
    now, number = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ"), 0
    while True:
        place = parent / (f"{now}-{number}" if number else now)
        try:
            place.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise StoreError(f"no backup can be made in {parent} ({error}): nothing is touched") from error
        else:
            return place


def _copy_database(path: Path, target: Path) -> None:
    with reading(path) as db:
        copy = sqlite3.connect(target)
        try:
            db.backup(copy)
        finally:
            copy.close()


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Gather what the store says in warnings."""
    said: list[str] = []
    log = logging.getLogger("runwidgets")
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    log.addHandler(handler)
    propagated, log.propagate = log.propagate, False
    try:
        yield said
    finally:
        log.propagate = propagated
        log.removeHandler(handler)
