"""Steps of the schema: named, in order, each once and whole."""

from __future__ import annotations

import sqlite3
import struct

import pytest

from runwidgets.errors import SchemaError, StoreError
from runwidgets.events import PointLogged
from runwidgets.records import Cursor, RunQuery
from runwidgets.store.schema import STEPS, apply_steps
from runwidgets.store.sqlite import SqliteStore
from runwidgets.values import pack

FIRST = ("0001-first", "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)")
SECOND = ("0002-second", "ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 2")
BROKEN = ("0002-broken", "CREATE TABLE b (x); INSERT INTO a VALUES (99); INSERT INTO missing VALUES (1)")


@pytest.fixture
def db(tmp_path):
    db = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)
    yield db
    db.close()


def steps_of(db):
    return [name for (name,) in db.execute("SELECT name FROM schema_steps ORDER BY name")]


def test_a_new_database_gets_all_steps(db):
    apply_steps(db)
    assert steps_of(db) == [name for name, _ in STEPS]


def test_each_step_is_applied_once(db):
    apply_steps(db, (FIRST,))
    apply_steps(db, (FIRST,))
    assert db.execute("SELECT * FROM a").fetchall() == [(1,)]


def test_an_older_database_gets_the_steps_it_lacks_and_keeps_what_it_holds(db):
    apply_steps(db, (FIRST,))
    db.execute("INSERT INTO a VALUES (5)")
    apply_steps(db, (FIRST, SECOND))
    assert steps_of(db) == ["0001-first", "0002-second"]
    assert db.execute("SELECT * FROM a").fetchall() == [(1, 2), (5, 2)]


def test_a_step_that_fails_leaves_nothing_of_itself_and_all_before_it(db):
    with pytest.raises(sqlite3.OperationalError, match="missing"):
        apply_steps(db, (FIRST, BROKEN))
    assert not db.in_transaction
    assert steps_of(db) == ["0001-first"]
    assert db.execute("SELECT * FROM a").fetchall() == [(1,)]
    assert db.execute("SELECT name FROM sqlite_master WHERE name = 'b'").fetchall() == []
    apply_steps(db, (FIRST, SECOND))


def test_a_newer_schema_is_a_clear_error_and_is_not_touched(db):
    apply_steps(db, (FIRST, SECOND))
    with pytest.raises(SchemaError, match=r"newer runwidgets .*0002-second.*install that version") as caught:
        apply_steps(db, (FIRST, ("0003-third", "DROP TABLE a")))
    assert isinstance(caught.value, StoreError)
    assert db.execute("SELECT count(*) FROM a").fetchone() == (1,)


def test_names_of_steps_are_unique_and_in_order():
    names = [name for name, _ in STEPS]
    assert names == sorted(set(names))


def test_the_first_step_is_never_rewritten(db):
    # Workspaces in the field have applied it: a change of the schema is a new step.
    apply_steps(db, STEPS[:1])
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {
        "blocks", "experiments", "files", "journals", "metrics", "properties", "runs", "schema_steps", "tags",
        "workspace",
    }  # fmt: skip


def test_runs_of_a_schema_without_statuses_have_those_that_are_known_of_them(tmp_path):
    path = tmp_path / "runs.sqlite"
    with sqlite3.connect(path, isolation_level=None) as db:
        apply_steps(db, STEPS[:4])
        db.executemany(
            "INSERT INTO runs (run_id, status, started_at, ended_at, version) VALUES (?, ?, ?, ?, 1)",
            [("done", "Failed", 2.0, 9.0), ("going", "Running", 3.0, None), ("waiting", "Queued", None, None)],
        )
    db.close()
    store = SqliteStore(path)
    try:
        found = {run: store.changes(run, Cursor()).history for run in ("done", "going", "waiting")}
        assert {run: [(change.status, change.at) for change in history] for run, history in found.items()} == {
            "done": [("Running", 2.0), ("Failed", 9.0)], "going": [("Running", 3.0)], "waiting": [],
        }  # fmt: skip
    finally:
        store.close()


def test_a_store_of_the_first_schema_keeps_its_runs_and_goes_on(tmp_path):
    path = tmp_path / "runs.sqlite"
    with sqlite3.connect(path, isolation_level=None) as db:
        apply_steps(db, STEPS[:2])
        db.execute("INSERT INTO experiments VALUES (1, 'exp', 1.0, 1)")
        db.execute(
            "INSERT INTO runs (run_key, run_id, experiment_key, number, status, version)"
            " VALUES (1, 'run', 1, 1, 'Running', 3)"
        )
        db.execute("UPDATE workspace SET version = 3")
        metrics = {
            "floats": ("vector", [""], [float(n) for n in range(20_000)], 19_999.0),
            "integers": ("vector", [""], list(range(5)), 4),
            "mixed": ("vector", [""], [1, "a", None, True, float("nan"), 2**70], 2**70),
            "nothing": ("vector", [""], [None, None], None),
        }
        for key, (name, (kind, columns, values, last)) in enumerate(metrics.items(), 1):
            packed_last = pack({} if last is None else {"": last})
            db.execute(
                "INSERT INTO metrics VALUES (?, 1, ?, ?, ?, ?, ?, 2)",
                (key, name, kind, pack(columns), len(values), packed_last),
            )
            for first in range(0, len(values), 7000):
                part = values[first : first + 7000]
                times = ["f", struct.pack(f"<{len(part)}d", *(100.5 + first + n for n in range(len(part))))]
                rows = [old_column(list(range(first, first + len(part)))), times, {"": old_column(part)}]
                db.execute("INSERT INTO blocks VALUES (?, ?, ?, ?)", (key, first, len(part), pack(rows)))
    db.close()

    store = SqliteStore(path)
    try:
        found = {m.name: m for m in store.metrics("run")}
        for name, (_, _, values, _) in metrics.items():
            assert repr([v for b in found[name].blocks for v in b.columns[""].to_list()]) == repr(values)
            assert [s for b in found[name].blocks for s in b.steps.to_list()] == list(range(len(values)))
            assert found[name].blocks[0].times.to_list()[0] == 100_500_000
        assert store.find(RunQuery(order_by="floats")) == store.find(RunQuery(order_by="integers")) == ["run"]
        assert store.find(RunQuery(order_by="nothing")) == []
        event = PointLogged("run", "floats", 1.0, -1.0, 20_000)
        assert store.fold("journal", 0, 1, [event])
        (metric,) = store.metrics("run", "floats")
        assert (metric.row_count, metric.blocks[-1].columns[""].last()) == (20_001, -1.0)
    finally:
        store.close()


def old_column(values):
    """Pack a column as the first schema had it."""
    kinds = {type(v) for v in values}
    if kinds in ({float}, {int}):
        return [
            "f" if kinds == {float} else "i",
            struct.pack(f"<{len(values)}{'d' if kinds == {float} else 'q'}", *values),
        ]
    return ["n", len(values)] if kinds == {type(None)} else ["v", values]
