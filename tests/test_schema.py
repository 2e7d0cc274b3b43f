"""Steps of the schema: named, in order, each once and whole."""

from __future__ import annotations

import sqlite3

import pytest

from runwidgets.errors import SchemaError, StoreError
from runwidgets.store.schema import STEPS, apply_steps

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
        "blocks", "experiments", "files", "journals", "metrics", "properties", "recent", "runs", "schema_steps",
        "summaries", "tags", "workspace",
    }  # fmt: skip
