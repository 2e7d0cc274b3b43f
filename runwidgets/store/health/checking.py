"""A look at one workspace's folder, which changes nothing and holds nobody back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from runwidgets.errors import StoreError
from runwidgets.store.health.database import (
    MalformedError,
    check_file,
    check_kinds,
    check_references,
    check_schema,
    columns_of,
    malformed,
    reading,
    snapshot,
)
from runwidgets.store.health.files import ARTIFACTS, check_access, check_files
from runwidgets.store.health.findings import Finding, Severity, Trouble
from runwidgets.store.health.journals import check_journals
from runwidgets.store.health.rows import check_rows
from runwidgets.store.health.runs import check_ends, check_row, keys_of_runs

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from runwidgets.store.health.journals import Waiting


class Examination(msgspec.Struct):
    """What a look at a workspace gave.

    Attributes
    ----------
    findings
        What is wrong.
    writers
        The processes that log there just now.
    run_count
        How many runs the store has.
    """

    findings: list[Finding]
    writers: list[str]
    run_count: int = 0


def examine(folder: Path) -> Examination:
    """Look at a workspace.

    Parameters
    ----------
    folder
        Its folder.

    Raises
    ------
    StoreError
        If it cannot be looked at just now.
    """
    found = Examination(check_access(folder), [])
    path = folder / "runs.sqlite"
    if any(not os.access(one.where, os.R_OK) for one in found.findings if one.trouble is Trouble.PERMISSIONS):
        return found
    try:
        if path.is_file():
            _look_into_store(folder, path, found)
        else:
            _look_without_store(folder, path, found)
    except MalformedError as error:
        if not any(finding.trouble is Trouble.DATABASE for finding in found.findings):
            found.findings.append(malformed(path, str(error)))
        _look_at_journals(folder, None, found)
    except OSError as error:
        raise StoreError(f"the workspace's folder {folder} cannot be read: {error}") from error
    return found


def _look_at_journals(folder: Path, db: sqlite3.Connection | None, found: Examination) -> Waiting:
    findings, waiting = check_journals(folder, db)
    found.findings += findings
    found.writers = list(waiting.writers.values())
    return waiting


def _look_without_store(folder: Path, path: Path, found: Examination) -> None:
    _look_at_journals(folder, None, found)
    artifacts = folder / ARTIFACTS
    has_files = artifacts.is_dir() and any(artifacts.iterdir())
    if not found.writers and (has_files or any(one.trouble is Trouble.JOURNAL for one in found.findings)):
        found.findings.append(
            Finding(
                trouble=Trouble.SCHEMA, severity=Severity.ERROR, where=str(path), is_harmless=True,
                what="the database is missing", mend="makes an empty one, and reads into it what the journals have",
            )
        )  # fmt: skip


def _look_into_store(folder: Path, path: Path, found: Examination) -> None:
    with reading(path) as db:
        found.findings += check_file(db, path) or check_schema(db, path) or check_kinds(db, path)
        troubles = {finding.trouble for finding in found.findings}
        if Trouble.DATABASE in troubles:
            raise MalformedError
        if Trouble.SCHEMA in troubles:
            _look_at_journals(folder, db if "journals" in columns_of(db) else None, found)
        if troubles & {Trouble.SCHEMA, Trouble.SCHEMA_NEWER}:
            return
        with snapshot(db):
            found.findings += check_references(db)
        for run_key, run_id in keys_of_runs(db):
            found.run_count += 1
            with snapshot(db):
                found.findings += [*check_row(db, run_key, run_id), *check_rows(db, run_key, run_id)]
        waiting = _look_at_journals(folder, db, found)
        found.findings += check_ends(db, folder, waiting)
        found.findings += check_files(folder, db, waiting)
