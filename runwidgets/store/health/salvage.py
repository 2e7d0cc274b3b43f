"""What can still be read of a database that SQLite finds malformed, copied into a new one."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import StoreError
from runwidgets.store.health.database import column_kinds, columns_of, schema_columns
from runwidgets.store.health.findings import counted
from runwidgets.store.journal import segments_in
from runwidgets.store.safety import reader_mode_for
from runwidgets.store.schema import apply_steps
from runwidgets.store.sqlite import PAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SCRATCH: Final = "runs.salvaged.sqlite"
_COPY: Final = "runs.damaged.sqlite"
_TOLD: Final = ("experiments", "runs", "metrics", "blocks", "files")
_LEADS: Final = {"run_key": "runs", "metric_key": "metrics", "experiment_key": "experiments"}
_MOST_PROBES: Final = 100_000
"""Keys of runs and metrics count up from 1: so many are tried where they cannot be read in their order."""
_TYPES: Final = {"integer": int, "real": float, "text": str}
_ROWS_OF_A_PAGE: Final = 32
_FIRST: Final = ("experiments", "runs", "metrics")
"""The tables whose keys lead to rows of the others."""


def salvage(path: Path, backup: Path, is_free: Callable[[], bool]) -> list[str]:
    """Make a new database of what can be read of a malformed one, and put it in its place.

    Parameters
    ----------
    path
        The malformed one.
    backup
        The folder that it is copied into.
    is_free
        Whether still no other process logs.

    Returns
    -------
    list of str
        What was done.

    Raises
    ------
    StoreError
        If that cannot be done; the old one is where it was.
    """
    from filelock import FileLock, Timeout

    scratch = path.with_name(_SCRATCH)
    scratch.unlink(missing_ok=True)
    try:
        told = _fill(path, scratch)
        with FileLock(path.with_suffix(".schema.lock"), timeout=30):
            if not is_free():
                raise StoreError(f"{path} is not mended: a process has begun to log meanwhile")
            logs = [found for suffix in ("-wal", "-shm") if (found := path.with_name(path.name + suffix)).exists()]
            for old in (path, *logs):
                shutil.copy2(old, backup)
            for old in logs:  # which SQLite would take for those of the new one
                old.unlink()
            scratch.replace(path)
    except (sqlite3.Error, OSError, Timeout) as error:
        raise StoreError(f"what can be read of {path} cannot be copied: {error}") from error
    finally:
        scratch.unlink(missing_ok=True)
    return [f"{path}: made anew of what could be read of it ({told}); the old one is in {backup}"]


def _fill(path: Path, scratch: Path) -> str:
    new = sqlite3.connect(scratch, isolation_level=None)
    copy = scratch.with_name(_COPY)
    try:
        new.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        apply_steps(new)
        with closing(_opened(path)) as old:
            if _has_tables(old):
                return _copy_all(old, new, path)
        _give_first_page(path, scratch, copy)
        with closing(_opened(copy)) as old:
            return _copy_all(old, new, path)
    finally:
        new.close()
        copy.unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode={reader_mode_for(path)}", uri=True, isolation_level=None)
    db.execute("PRAGMA query_only = 1")
    db.execute("PRAGMA writable_schema = 1")  # else SQLite reads nothing of a file that is shorter than it should be
    return db


def _has_tables(db: sqlite3.Connection) -> bool:
    try:
        return bool(columns_of(db).keys() & set(_FIRST))
    except (sqlite3.Error, UnicodeDecodeError):
        return False


def _give_first_page(path: Path, fresh: Path, copy: Path) -> None:
    """Copy a file whose first page says nothing, with the first page of a new one.

    That page says where the tables begin. Files that one version has made have them in the same places.
    """
    shutil.copyfile(path, copy)
    with fresh.open("rb") as source, copy.open("r+b") as target:
        page = bytearray(source.read(PAGE_BYTES))
        page[28:32] = (copy.stat().st_size // PAGE_BYTES).to_bytes(4, "big")  # https://sqlite.org/fileformat.html, 1.3
        target.write(page)


def _copy_all(old: sqlite3.Connection, new: sqlite3.Connection, path: Path) -> str:
    new.execute("BEGIN")
    new.execute("DELETE FROM workspace")
    tables = [table for table in schema_columns() if table not in {"schema_steps", "workspace", *_FIRST}]
    counts = {table: _Table(old, new, table).copy() for table in [*_FIRST, *tables]}
    _put_in_order(new, path)
    new.execute("COMMIT")
    return ", ".join(counted(counts[table], table.removesuffix("s")) for table in _TOLD)


class _Table:
    """Copies one table, around what cannot be read."""

    def __init__(self, old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> None:
        self._old, self._new, self._table = old, new, table
        columns = schema_columns()[table]
        with suppress(sqlite3.Error, UnicodeDecodeError):  # else all of them may be there
            there = columns_of(old).get(table, columns)
            columns = tuple(column for column in columns if column in there)
        self._columns = columns
        self._key = [
            name for (name,) in new.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (table,))
        ]
        names = ", ".join(columns)
        self._select = f"SELECT {names} FROM {table}"  # noqa: S608 (our tables)
        marks = ", ".join("?" * len(columns))
        self._insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608

    def copy(self) -> int:
        """Copy what can be read; give how many rows that is."""
        names = ", ".join(self._key)
        if not self._take(f"{self._select} ORDER BY {names}"):
            one = " AND ".join(f"{name} = ?" for name in self._key)
            for key in self._keys():  # a row may be there of which only the content cannot be read
                self._take(f"{self._select} WHERE {one}", *key)
        (count,) = self._new.execute(f"SELECT count(*) FROM {self._table}").fetchone()  # noqa: S608
        return int(count)

    def _take(self, query: str, *values: Any) -> bool:
        """Copy the rows of a query; tell whether it could be read to its end."""
        try:
            for row in self._old.execute(query, values):
                if (kept := self._of_right_kind(row)) is not None:
                    self._new.execute(self._insert, kept)
        except (sqlite3.Error, UnicodeDecodeError):
            return False
        return True

    def _of_right_kind(self, row: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Give a row without what is no value of its column; None where it cannot do without."""
        kept = list(row)
        for at, (column, value) in enumerate(zip(self._columns, row, strict=True)):
            kind, is_optional = column_kinds(self._table).get(column, ("blob", True))
            if kind != "blob" and type(value) is not _TYPES[kind] and not (is_optional and value is None):
                if not is_optional:
                    return None
                kept[at] = None
        return tuple(kept)

    def _keys(self) -> list[tuple[Any, ...]]:
        """Give the keys that can be reached, from both ends and from what is known of their first parts."""
        names = ", ".join(self._key)
        orders = [names, ", ".join(f"{name} DESC" for name in self._key)]
        found: dict[tuple[Any, ...], None] = {}
        select = f"SELECT {names} FROM {self._table}"  # noqa: S608 (our tables)
        queries: list[tuple[str, tuple[Any, ...]]] = [(f"{select} ORDER BY {order}", ()) for order in orders]
        queries += [(f"{select} WHERE {self._key[0]} = ? ORDER BY {order}", (lead,))
                    for lead in self._leads() for order in orders]  # fmt: skip
        for query, values in queries:
            with suppress(sqlite3.Error, UnicodeDecodeError):
                for key in self._old.execute(query, values):
                    found[key] = None
        return list(found)

    def _leads(self) -> list[Any]:
        """Give values that the first part of a key may have."""
        lead = self._key[0]
        if self._table in _FIRST:
            (pages,) = self._old.execute("PRAGMA page_count").fetchone()
            return list(range(1, min(_MOST_PROBES, pages * _ROWS_OF_A_PAGE)))
        if lead not in _LEADS:
            return []
        return [key for (key,) in self._new.execute(f"SELECT {lead} FROM {_LEADS[lead]}")]  # noqa: S608 (our tables)


def _put_in_order(new: sqlite3.Connection, path: Path) -> None:
    """Mend what a table that was not wholly read leaves unsaid."""
    (highest,) = new.execute("SELECT coalesce(max(version), 0) FROM runs").fetchone()
    new.execute("INSERT INTO workspace VALUES (?)", (highest + 1,))
    new.execute(
        "UPDATE experiments SET last_number = max(last_number, coalesce((SELECT max(number) FROM runs r"
        " WHERE r.experiment_key = experiments.experiment_key), 0))"
    )
    # A journal of which nobody knows how far it was read is read from its beginning: what is there of its runs would be
    # there twice.
    for journal_id, segments in segments_in(path.parent / "journals").items():
        if new.execute("SELECT 1 FROM journals WHERE journal_id = ?", (journal_id,)).fetchone():
            continue
        if segments[0].begin:
            new.execute("INSERT INTO journals VALUES (?, '', '', 0, 0, ?, 0, NULL)", (journal_id, segments[0].begin))
            continue
        its_runs = "run_key IN (SELECT run_key FROM runs WHERE journal_id = ?)"
        for table in ("blocks", "summaries"):
            new.execute(
                f"DELETE FROM {table} WHERE metric_key IN (SELECT metric_key FROM metrics WHERE {its_runs})",  # noqa: S608
                (journal_id,),
            )
        for table in ("recent", "metrics"):
            new.execute(f"DELETE FROM {table} WHERE {its_runs}", (journal_id,))  # noqa: S608
