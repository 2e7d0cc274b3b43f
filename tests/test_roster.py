"""Following many runs: what is read, what is listed, and what idle ones cost."""

import pytest

from runwidgets import Experiment, Workspace
from runwidgets.deleting import delete_runs
from runwidgets.errors import StoreError
from runwidgets.records import RunQuery
from runwidgets.watch.roster import Roster, Source


@pytest.fixture
def experiment():
    return Experiment(Workspace(), "exp")


def runs_of(experiment, count, **more):
    made = []
    for n in range(count):
        run = experiment.start_logging(name=f"run {n}", outputs=False, snapshot_directory=None, **more)
        run.complete()
        made.append(run)
    return made


def roster_of(experiment, limit=100):
    return Roster([Source(experiment.workspace._recorder, RunQuery(experiment=experiment.name))], limit)


def names(roster):
    return [member.name for member in roster.members()]


def test_runs_are_listed_newest_last_and_new_ones_come(experiment):
    runs_of(experiment, 2)
    roster = roster_of(experiment)
    assert roster.step()
    assert names(roster) == ["run 0", "run 1"]
    with experiment.start_logging(name="live", tags={"a": "b"}) as run:
        run.log("loss", 0.5)
        assert roster.step()
        (live,) = roster.members([run.id])
        assert (names(roster), live.tags, live.last) == (["run 0", "run 1", "live"], {"a": "b"}, {"loss": 0.5})
        run.log("other", 1.0)
        assert roster.step()
        assert roster.records[run.id].last == {"loss": 0.5, "other": 1.0}
    assert roster.step()
    assert roster.records[run.id].run.status == "Completed"
    assert not roster.step()


def test_of_very_many_runs_the_newest_are_listed_and_all_are_counted(experiment):
    old = runs_of(experiment, 5)
    roster = roster_of(experiment, limit=3)
    roster.step()
    assert (names(roster), roster.total) == (["run 2", "run 3", "run 4"], 5)
    old[0].tag("late", "1")  # one that is not listed does not come in by a change
    assert not roster.step() or names(roster) == ["run 2", "run 3", "run 4"]
    runs_of(experiment, 1)
    assert roster.step()
    assert (names(roster), roster.total) == (["run 3", "run 4", "run 0"], 6)


def test_where_nothing_changes_one_number_is_read_however_many_runs_there_are(experiment):
    runs_of(experiment, 5)
    roster = roster_of(experiment)
    roster.step()
    statements = []
    store = experiment.workspace._recorder.store
    with store._snapshot() as db:
        db.set_trace_callback(statements.append)
    assert not roster.step()
    assert [s for s in statements if s.startswith("SELECT")] == ["SELECT version FROM workspace"]
    statements.clear()
    with Experiment(experiment.workspace, "other").start_logging() as run:
        run.log("x", 1)
        assert not roster.step()
    db.set_trace_callback(None)
    (asked,) = [s for s in statements if "r.version >" in s]
    plan = str(db.execute(f"EXPLAIN QUERY PLAN {asked}").fetchall())
    assert "SEARCH r USING INDEX runs_changed (version>?)" in plan


def test_a_deleted_run_leaves_the_list(experiment):
    first, second = runs_of(experiment, 2)
    roster = roster_of(experiment)
    roster.step()
    delete_runs(experiment.workspace, [first.id])
    assert roster.step()
    assert (names(roster), roster.total) == (["run 1"], 1)
    delete_runs(experiment.workspace, [second.id])
    assert roster.step()
    assert roster.records == {}


def test_chosen_runs_keep_their_order_and_may_be_children(experiment):
    (parent,) = runs_of(experiment, 1)
    child = parent.child_run("child")
    child.complete()
    recorder = experiment.workspace._recorder
    roster = Roster([Source(recorder, RunQuery(ids=(child.id, parent.id, "gone")))])
    roster.step()
    assert (names(roster), roster.total) == (["child", "run 0"], 2)


def test_runs_of_two_workspaces_are_followed_side_by_side():
    sources, ids = [], []
    for name in ("one", "two"):
        workspace = Workspace(workspace_name=name)
        run = Experiment(workspace, "exp").start_logging(name=name, snapshot_directory=None)
        run.complete()
        ids.append(run.id)
        sources.append(Source(workspace._recorder, RunQuery(ids=(run.id,))))
    roster = Roster(sources)
    roster.step()
    assert names(roster) == ["one", "two"]
    assert [(member.source, member.key) for member in roster.members([*ids, "gone"])] == [(0, ids[0]), (1, ids[1])]


def test_a_run_that_did_not_change_is_the_same_object(experiment):
    old = runs_of(experiment, 2)
    roster = roster_of(experiment)
    roster.step()
    before = roster.records
    old[1].tag("late", "1")
    assert roster.step()
    assert roster.records is not before
    assert roster.records[old[0].id] is before[old[0].id]
    assert roster.records[old[1].id].tags == {"late": "1"}


def test_a_store_that_does_not_answer_is_told_once_and_the_list_stays(experiment, monkeypatch):
    runs_of(experiment, 1)
    roster = roster_of(experiment)
    roster.step()

    def away(*_):
        raise StoreError("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(type(experiment.workspace._recorder.store), "news", away)
        assert roster.step()
        assert not roster.step()
    assert (roster.trouble, names(roster)) == ("the store is away", ["run 0"])
    assert roster.step()
    assert roster.trouble is None
