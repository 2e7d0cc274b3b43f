"""Whether the store's file is a sound database of this schema, and its rows belong to each other."""

from __future__ import annotations

import functools
import os
import re
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from runwidgets.errors import StoreError
from runwidgets.store.deletion import OF_A_RUN
from runwidgets.store.health.findings import Finding, Severity, Trouble, counted, some_of
from runwidgets.store.safety import pragmas_for, reader_mode_for
from runwidgets.store.schema import STEPS, apply_steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_COMPLAINTS: Final = 100
_BUSY_SECONDS: Final = 30
_OF_AN_INDEX: Final = re.compile(r"row \d+ missing from index|wrong # of entries in index|non-unique entry in index")
SALVAGE: Final = "copies what can be read of it into a new file; the old one stays in the backup"


class MalformedError(Exception):
    """The file is no database, or SQLite cannot go on reading it."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a store's file to read from it alone.

    Raises
    ------
    MalformedError
        If what is read is no sound database.
    StoreError
        If it cannot be read now.
    """
    db = None
    try:
        uri = f"{path.absolute().as_uri()}?mode={reader_mode_for(path)}"
        if not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists():
            uri += "&immutable=1"  # else SQLite wants to write beside the file even to read it
        db = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        db.execute("PRAGMA query_only = 1")
        yield db
    except sqlite3.Error as error:
        if is_malformed(error):
            raise MalformedError(str(error)) from error
        raise StoreError(f"the store {path} cannot be read: {error}") from error
    except UnicodeDecodeError as error:  # SQLite's own words, where they quote what is damaged
        raise MalformedError(f"it has text that is no text ({error})") from error
    finally:
        if db is not None:
            db.close()


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a store's file and change it, in one transaction.

    Raises
    ------
    StoreError
        If it cannot be changed; then it is as it was.
    """
    db = None
    try:
        db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        for pragma in pragmas_for(path):
            db.execute(pragma)
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise StoreError(f"the store {path} cannot be changed: {error}") from error
    finally:
        if db is not None:
            db.close()


def is_malformed(error: sqlite3.Error) -> bool:
    """Tell whether it is the file that an error of SQLite complains of."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # text that is no text, for one
        return not isinstance(error, (sqlite3.ProgrammingError, sqlite3.InterfaceError))
    return code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """Read in one transaction what belongs together; short, since in the safe mode it holds back who writes."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        if db.in_transaction:
            db.execute("COMMIT")


# ---- the file


def malformed(path: Path, complaint: str) -> Finding:
    """Say that SQLite cannot read the file."""
    return Finding(
        trouble=Trouble.DATABASE, severity=Severity.ERROR, where=str(path), mend=SALVAGE,
        what=f"the database is damaged: {complaint}",
    )  # fmt: skip


def check_file(db: sqlite3.Connection, path: Path) -> list[Finding]:
    """Have SQLite check its pages and its indices."""
    complaints = [text for (text,) in db.execute(f"PRAGMA integrity_check({_MOST_COMPLAINTS})") if text != "ok"]
    complaints = [line for text in complaints for line in text.splitlines() if not line.startswith("***")]
    if not complaints:
        return []
    if all(_OF_AN_INDEX.match(complaint) for complaint in complaints):
        return [
            Finding(
                trouble=Trouble.INDEX, severity=Severity.WARNING, where=str(path), mend="makes the indices anew",
                what=f"an index does not fit its table: {some_of(complaints, 3)}",
            )
        ]  # fmt: skip
    return [malformed(path, some_of(complaints, 3))]


# ---- the schema


@functools.cache
def schema_columns() -> dict[str, tuple[str, ...]]:
    """Give the columns of each table that this version makes."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    try:
        apply_steps(db)
        return columns_of(db)
    finally:
        db.close()


def columns_of(db: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    """Give the columns of each table of a database."""
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")]
    return {
        name: tuple(column for (column,) in db.execute("SELECT name FROM pragma_table_info(?)", (name,)))
        for name in names
        if not name.startswith("sqlite_")
    }


def check_schema(db: sqlite3.Connection, path: Path) -> list[Finding]:
    """Compare the database with the tables of this version; with a finding, the tables cannot be looked at."""
    there = columns_of(db)
    done = {name for (name,) in db.execute("SELECT name FROM schema_steps")} if "schema_steps" in there else set()
    newer = sorted(done - {name for name, _ in STEPS})
    if newer:
        return [
            Finding(
                trouble=Trouble.SCHEMA_NEWER, severity=Severity.ERROR, where=str(path),
                what=f"another, newer runwidgets wrote this (its schema has {', '.join(newer)}): install that version",
            )
        ]  # fmt: skip
    missing = [name for name, _ in STEPS if name not in done]
    if missing:
        is_empty = not there.keys() - {"schema_steps"}
        return [
            Finding(
                trouble=Trouble.SCHEMA, where=str(path), is_harmless=True,
                severity=Severity.ERROR if is_empty else Severity.WARNING,
                what="the database is empty: it has no tables" if is_empty
                else f"an older runwidgets wrote this (its schema lacks {', '.join(missing)})",
                mend="brings the schema up to date, as opening the workspace does",
            )
        ]  # fmt: skip
    lost = [name for name, columns in schema_columns().items() if set(columns) - set(there.get(name, ()))]
    if lost:
        return [malformed(path, f"tables that are missing, or lack columns: {', '.join(lost)}")]
    return []


# ---- what is in the columns


@functools.cache
def column_kinds(table: str) -> dict[str, tuple[str, bool]]:
    """Give what each column of a table holds, as SQLite's ``typeof`` says, and whether it may hold nothing.

    Columns of bytes are left out: what is in them is looked at by who knows what it means.
    """
    db = sqlite3.connect(":memory:", isolation_level=None)
    try:
        apply_steps(db)
        rows = db.execute('SELECT name, lower(type), "notnull" OR pk FROM pragma_table_info(?)', (table,)).fetchall()
    finally:
        db.close()
    return {name: (kind, not is_needed) for name, kind, is_needed in rows if kind != "blob"}


def check_kinds(db: sqlite3.Connection, path: Path) -> list[Finding]:
    """Look for columns that hold what they never should, as texts in the place of numbers."""
    bad = []
    for table in schema_columns():
        wrong = " OR ".join(
            f"typeof({name}) NOT IN ('{kind}'{', ' + repr('null') if is_optional else ''})"
            for name, (kind, is_optional) in column_kinds(table).items()
        )
        (count,) = db.execute(f"SELECT count(*) FROM {table} WHERE {wrong}").fetchone()  # noqa: S608 (our tables)
        if count:
            bad.append(f"{counted(count, 'row')} of table {table}")
    return [malformed(path, f"what is no value of its column is in {some_of(bad)}")] if bad else []


# ---- rows that belong together


def check_references(db: sqlite3.Connection) -> list[Finding]:
    """Look for rows whose run, metric or experiment is not there, and for a version number that has gone back."""
    stray: dict[tuple[str, str], int] = {}
    for table, _, parent, _ in db.execute("PRAGMA foreign_key_check"):
        stray[table, parent] = stray.get((table, parent), 0) + 1
    order = list(schema_columns())
    found = [
        Finding(
            trouble=Trouble.STRAY_ROWS, severity=Severity.ERROR, where=f"table {table}", place=(table, parent),
            what=f"{counted(count, 'row')} of {parent} that {'is' if count == 1 else 'are'} not there",
            mend=_MENDS.get(parent, "drops them"),
        )
        for (table, parent), count in sorted(stray.items(), key=lambda one: order.index(one[0][0]))
    ]  # fmt: skip
    if version_needed(db) is not None:
        found.append(
            Finding(
                trouble=Trouble.VERSION, severity=Severity.WARNING, where="table workspace",
                what="the workspace's version number is missing, or lower than that of its runs: watchers miss changes",
                mend="sets it to the highest",
            )
        )  # fmt: skip
    return found


_MENDS: Final = {
    "runs": "makes the runs anew, called recovered-NUMBER",
    "experiments": "puts the runs into the experiment 'recovered', and drops what else there is",
}


def version_needed(db: sqlite3.Connection) -> int | None:
    """Give the version number that the workspace should have; None where it has a good one."""
    rows = db.execute("SELECT version FROM workspace").fetchall()
    highest = max(
        db.execute(f"SELECT coalesce(max(version), 0) FROM {table}").fetchone()[0]  # noqa: S608 (our tables)
        for table in ("runs", "metrics", "files", "recent")
    )
    if len(rows) == 1 and isinstance(rows[0][0], int) and rows[0][0] >= highest:
        return None
    return int(highest)


def keys_without_run(db: sqlite3.Connection) -> list[int]:
    """List the keys of runs that are not there, though something belongs to them."""
    union = " UNION ".join(f"SELECT run_key FROM {table}" for table in OF_A_RUN)  # noqa: S608 (our tables)
    query = f"SELECT run_key FROM ({union}) WHERE run_key NOT IN (SELECT run_key FROM runs)"  # noqa: S608
    return [key for (key,) in db.execute(query)]
