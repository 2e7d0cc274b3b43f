"""The SQLite store: the contract of every store, and what is SQLite's own."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading

import pytest
from filelock import FileLock

from runwidgets.errors import SchemaError, StoreError
from runwidgets.events import TagsSet
from runwidgets.records import Cursor
from runwidgets.store import deletion, safety, sqlite
from runwidgets.store.sqlite import SqliteStore
from runwidgets.system import FileSystem
from tests.experiments_contract import ExperimentsContract
from tests.query_contract import QueryContract
from tests.series_contract import SeriesContract
from tests.store_contract import Folder, StoreContract, created, opened, points


@pytest.fixture
def make_store(tmp_path):
    made = []

    def make():
        made.append(SqliteStore(tmp_path / "runs.sqlite"))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def make_fresh_store(tmp_path):
    """Give what opens a store on a database of its own, each time anew."""
    made = []

    def make():
        for store in made:
            store.close()
        made.append(SqliteStore(tmp_path / f"fresh-{len(made)}.sqlite"))
        return made[-1]

    yield make
    made[-1].close()


class TestSqliteStore(StoreContract, SeriesContract, ExperimentsContract, QueryContract):
    pass


def test_what_thousands_of_children_have_in_common_is_kept_once(make_store):
    store = make_store()
    fold = Folder(store)
    fold(opened(), created("run"))
    for name in "ab":
        fold(created(name, parent_id="run"), *points([1.0], "loss", name), TagsSet(name, 1.0, {"lr": "0.1"}))
    a, b = store.changes("run", Cursor()).children
    assert a.run.owner is b.run.owner
    assert a.run.experiment is b.run.experiment
    for one, other in ((a.last, b.last), (a.tags, b.tags)):
        assert [*map(id, one)] == [*map(id, other)]


class TestSqliteStoreInSafeMode(StoreContract):
    @pytest.fixture(autouse=True)
    def safe(self, monkeypatch):
        monkeypatch.setenv(safety.VARIABLE, "1")

    def test_no_memory_is_shared_and_a_commit_is_on_the_disk(self, make_store, tmp_path):
        store = make_store()
        Folder(store)(opened(), created())
        db = store._write_connection()
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert {path.name for path in tmp_path.iterdir()} <= {"runs.sqlite", "runs.schema.lock"}

    def test_a_reader_undoes_what_a_process_that_was_killed_had_half_written(self, make_store, tmp_path):
        store = make_store()
        Folder(store)(opened(), created())
        version = store.version()
        code = """
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA cache_size = 1")
db.execute("BEGIN IMMEDIATE")
db.execute("UPDATE workspace SET version = 99")
for n in range(500):
    db.execute("INSERT INTO experiments (name, created_at) VALUES (?, 1)", (f"{n}" * 300,))
os.kill(os.getpid(), signal.SIGKILL)
"""
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "runs.sqlite")], check=False)
        assert (tmp_path / "runs.sqlite-journal").exists()
        assert store.version() == version

    def test_readers_cannot_write(self, make_store):
        with make_store()._snapshot() as db, pytest.raises(sqlite3.OperationalError, match="readonly"):
            db.execute("DELETE FROM runs")


@pytest.mark.parametrize(
    ("forced", "kind", "mode", "said"),
    [
        ("", "nfs4", "delete", 1),
        ("", "ext4", "wal", 0),
        ("0", "nfs4", "wal", 0),
        ("1", "ext4", "delete", 0),
    ],
)
def test_the_safe_mode_is_for_network_file_systems_or_as_it_is_forced(  # noqa: PLR0917 (fixtures and parameters)
    monkeypatch, make_store, caplog, forced, kind, mode, said
):
    monkeypatch.setattr(safety, "file_system_of", lambda _: FileSystem(kind, is_network=kind == "nfs4"))
    monkeypatch.setenv(safety.VARIABLE, forced)
    for _ in range(2):
        assert make_store()._write_connection().execute("PRAGMA journal_mode").fetchone() == (mode,)
    assert len(caplog.records) == said
    assert all("RUNWIDGETS_HOME" in record.message and "nfs4" in record.message for record in caplog.records)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.05)


@pytest.fixture
def lock(make_store, tmp_path):
    """Give a connection that can lock out all writers."""
    make_store()
    db = sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None)
    yield db
    db.close()


def test_a_locked_store_refuses_writers_in_its_own_words_and_serves_readers(impatient, make_store, lock):
    store = make_store()
    Folder(store)(opened(), created())
    lock.execute("BEGIN EXCLUSIVE")
    for write in (
        lambda: store.fold("journal-1", 20, 30, points([1.0])),
        lambda: store.beat("journal-1", 1.0),
        lambda: store.end_journal("journal-1", 1.0),
    ):
        with pytest.raises(StoreError, match=r"runs\.sqlite does not answer: database is locked"):
            write()
    assert store.run("run") is not None
    lock.execute("ROLLBACK")
    assert store.fold("journal-1", 20, 30, points([1.0]))


def test_an_open_reader_holds_up_no_writer(impatient, make_store, lock):
    store = make_store()
    lock.execute("BEGIN")
    lock.execute("SELECT * FROM runs").fetchall()
    Folder(store)(opened(), created())
    assert lock.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_readers_cannot_write(make_store):
    with make_store()._snapshot() as db, pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM runs")


def test_a_commit_that_fails_leaves_the_store_usable(make_store):
    store = make_store()

    class FullOnCommit:
        def __getattr__(self, name):
            return getattr(real, name)

        def execute(self, statement, *values):
            if statement == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return real.execute(statement, *values)

    real, store._writer = store._writer, FullOnCommit()
    with pytest.raises(StoreError, match="disk is full"):
        store.fold("journal-1", 0, 10, [opened(), created()])
    store._writer = real
    assert store.run("run") is None
    assert store.fold("journal-1", 0, 10, [opened(), created()])


def test_a_file_that_is_no_database_is_a_store_error(tmp_path, make_store):
    (tmp_path / "runs.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="not a database"):
        make_store()


def test_a_folder_that_cannot_be_written_is_a_store_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError):
        SqliteStore(tmp_path / "file" / "runs.sqlite")


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path, make_store, lock):
    lock.execute("INSERT INTO schema_steps VALUES ('9999-future', 1.0)")
    with pytest.raises(SchemaError, match="9999-future"):
        make_store()
    assert lock.execute("SELECT count(*) FROM schema_steps WHERE name = '9999-future'").fetchone() == (1,)


def test_one_process_at_a_time_changes_the_schema(impatient, tmp_path, make_store):
    with FileLock(tmp_path / "runs.schema.lock"), pytest.raises(StoreError, match="another process has been opening"):
        make_store()
    make_store()


def test_many_that_open_a_new_file_at_once_all_get_it(make_store):
    barrier = threading.Barrier(8)
    versions = []

    def open_one():
        barrier.wait()
        versions.append(make_store().version())

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert versions == [0] * 8


def test_changes_are_found_by_index(make_store):
    db = make_store()._write_connection()
    found = []

    def plan(statement, *values):
        found.append(" ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)))

    plan("SELECT run_key FROM runs WHERE parent_id = ? AND version > ?", "run", 1)
    plan("SELECT metric_key FROM metrics WHERE run_key = ? AND version > ?", 1, 1)
    assert "runs_of_parent" in found[0]
    assert "metrics_changed" in found[1]


def test_an_idle_look_reads_one_number(make_store):
    store = make_store()
    Folder(store)(opened(), created(), *points(range(100)))
    cursor = store.changes("run", Cursor()).cursor
    asked = []
    store._reader.set_trace_callback(asked.append)
    assert store.changes("run", cursor).is_empty
    assert asked == ["BEGIN", "SELECT version FROM workspace", "COMMIT"]


def test_an_experiment_is_deleted_from_every_table_that_holds_parts_of_runs(make_store):
    db = make_store()._write_connection()
    held = {"run_key": set(), "metric_key": set()}
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        columns = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
        for key in held.keys() & columns:
            held[key].add(table)
    assert held["run_key"] == {"runs", *deletion.OF_A_RUN}
    assert held["metric_key"] == {"metrics", *deletion.OF_A_METRIC}
