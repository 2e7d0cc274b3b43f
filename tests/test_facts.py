"""What is known of a run beside what it logged."""

import msgspec

from runwidgets.records import Cursor, FileRecord, RunDelta, RunStatus, StatusChange
from runwidgets.watch.facts import MAX_CHANGES, MAX_PAIRS, details_state, timeline
from runwidgets.watch.view import RunView, fold
from tests.test_wire import START, record


def view_of(**parts):
    return fold(RunView(), RunDelta(cursor=Cursor(), **{"run": record(), **parts}))


def change(status, at):
    return StatusChange(status, START + at)


def told(changes):
    return [(one["status"], one["at"] - START) for one in changes]


def test_nothing_is_told_of_a_run_of_which_nothing_is_known():
    state = details_state(RunView())
    assert (state["facts"], state["timeline"], state["error"], state["snapshot"]) == ([], [], None, None)


def test_git_python_and_kept_files_are_told_where_they_are_known():
    state = details_state(
        view_of(
            properties={
                "azureml.git.commit": "9fceb02", "azureml.git.branch": "main", "azureml.git.dirty": "False",
                "runwidgets.python": "3.11.9", "ContentSnapshotId": "ab",
            },
            files=(FileRecord("environment/packages.txt", 99, START), FileRecord("outputs/a", 1, START)),
        )
    )  # fmt: skip
    assert state["git"] == [{"label": "Branch", "value": "main"}, {"label": "Commit", "value": "9fceb02"}]
    assert state["python"] == [{"label": "Python", "value": "3.11.9"}]
    assert (state["is_dirty"], state["diff"], state["snapshot"]) == (False, None, "ab")
    assert state["packages"] == {"path": "environment/packages.txt", "size": 99}
    assert details_state(view_of())["is_dirty"] is None


def test_what_a_run_is_of_is_told():
    run = msgspec.structs.replace(record(), parent_id="sweep-1", type="azureml.scriptrun", description="about it")
    state = details_state(view_of(run=run))
    assert [fact["label"] for fact in state["facts"]] == ["Run id", "Experiment", "Parent run", "Type", "Process"]
    assert state["description"] == "about it"


def test_the_timeline_begins_with_the_creation_where_the_run_did_not_begin_at_once():
    queued, running = change(RunStatus.QUEUED, 5.0), change(RunStatus.RUNNING, 9.0)
    assert told(timeline(START, (queued, running))) == [("Created", 0.0), ("Queued", 5.0), ("Running", 9.0)]
    assert [status for status, _ in told(timeline(START, (change(RunStatus.RUNNING, 0.1),)))] == ["Running"]
    assert told(timeline(START, ())) == [("Created", 0.0)]
    assert timeline(None, ()) == []


def test_a_state_that_two_processes_tell_of_is_one_state():
    asked = RunStatus.CANCEL_REQUESTED
    twice = (change(RunStatus.RUNNING, 0.0), change(asked, 5.0), change(asked, 6.0))
    assert [status for status, _ in told(timeline(START, twice))] == ["Running", "CancelRequested"]


def test_a_run_of_very_many_states_tags_and_properties_is_told_within_limits():
    states = (RunStatus.RUNNING, RunStatus.PAUSED)
    history = tuple(change(states[i % 2], float(i)) for i in range(1000))
    changes = timeline(START, history)
    assert (len(changes), told(changes)[0], told(changes)[-1]) == (MAX_CHANGES, ("Running", 0.0), ("Paused", 999.0))
    many = {f"k{i}": "v" for i in range(MAX_PAIRS + 5)}
    state = details_state(view_of(tags=many, properties=many))
    assert (len(state["tags"]), state["tags_total"]) == (MAX_PAIRS, MAX_PAIRS + 5)
    assert (len(state["properties"]), state["properties_total"]) == (MAX_PAIRS, MAX_PAIRS + 5)
