"""`ComputeView` without a browser, with real submitted runs: what it sends, when it looks, and when it stops."""

import getpass
import os
import time

import pytest

from runwidgets import ComputeTarget, ComputeView, Experiment, LocalCompute, UserError, Workspace
from runwidgets.errors import ArgumentTypeError, ComputeTargetError, StoreError
from runwidgets.watch.occupancy import TargetFeed
from runwidgets.watch.poller import poller
from tests.submissions import project, start, wait_until  # noqa: F401 (fixtures)
from tests.test_details import Kernel, notebook, pictures  # noqa: F401 (fixtures)

WAIT = "import time; time.sleep(600)"


@pytest.fixture(autouse=True)
def grace(monkeypatch):
    monkeypatch.setenv("RUNWIDGETS_GRACE_SECONDS", "1")


@pytest.fixture
def target():
    return ComputeTarget.create(Workspace(), "one-slot", LocalCompute(slots=1))


@pytest.fixture
def show():
    """Show targets as a notebook would."""
    opened = []

    def show_(*given, **more):
        opened.append(ComputeView(*given, **more))
        opened[-1]._repr_mimebundle_()
        return opened[-1]

    yield show_
    for view in opened:
        view.close()
    assert poller()._errands == []


def first(view):
    return view._panel.state["targets"][0]


def active(view):
    return [(row["run_id"], row["status"]) for row in first(view)["active"]]


def queue(view):
    return [row["run_id"] for row in first(view)["queued"]]


def say(shown, /, **message):
    shown._panel._handle_custom_msg(message, [])


def begin(start, target, count=1, **more):  # noqa: F811
    """Submit runs, one after the other, to a target that has one slot."""
    runs = [start(WAIT, target=target.name, **more) for _ in range(count)]
    wait_until(lambda: runs[0].get_status() == "Running", "the first run")
    return runs


def test_runs_come_wait_move_up_and_leave_by_themselves(start, target, show):  # noqa: F811
    view = show(target)
    assert (first(view)["active"], first(view)["slots"]) == ([], 1)
    runs = begin(start, target, 3)
    wait_until(lambda: active(view) == [(runs[0].id, "Running")], "the first run on the board")
    wait_until(lambda: queue(view) == [runs[1].id, runs[2].id], "the queue on the board")
    assert (first(view)["taken"], first(view)["queued_total"]) == (1, 2)
    runs[0].cancel()
    wait_until(lambda: active(view) == [(runs[1].id, "Running")], "the second run on the board")
    wait_until(lambda: queue(view) == [runs[2].id], "a shorter queue")


def test_who_submitted_a_run_with_which_priority_is_told(start, target, show):  # noqa: F811
    runs = begin(start, target, 2)
    urgent = start(WAIT, target=target.name, priority=7)
    view = show(target)
    assert [(row["run_id"], row["place"], row["priority"]) for row in first(view)["queued"]] == [
        (urgent.id, 1, 7), (runs[1].id, 2, 0),
    ]  # fmt: skip
    assert {row["owner"] for row in (*first(view)["active"], *first(view)["queued"])} == {getpass.getuser()}
    assert runs[0].get_details()["submittedBy"] == getpass.getuser()
    assert abs(first(view)["queued"][0]["queued_at"] - time.time()) < 60


def test_a_run_is_canceled_from_its_row(start, target, show):  # noqa: F811
    runs = begin(start, target, 2)
    view = show(target)
    wait_until(lambda: queue(view), "the queue")
    say(view, kind="cancel", run_id=runs[1].id)
    wait_until(lambda: not queue(view), "an empty queue")
    say(view, kind="cancel", run_id=runs[0].id)
    assert active(view) == [(runs[0].id, "CancelRequested")]
    wait_until(lambda: not active(view), "an empty board")
    wait_until(lambda: [run.get_status() for run in runs] == ["Canceled"] * 2, "the ends of the runs")


def test_why_a_run_is_not_canceled_is_told_in_its_row(start, target, show, monkeypatch):  # noqa: F811
    (run,) = begin(start, target)
    view = show(target)

    def fail(_):
        raise OSError("the supervisor does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(type(run), "cancel", fail)
        say(view, kind="cancel", run_id=run.id)
        wait_until(lambda: first(view)["active"][0]["cancel_trouble"], "the trouble")
    row = first(view)["active"][0]
    assert (row["cancel_trouble"], row["can_cancel"]) == ("the supervisor does not answer", True)


def test_the_details_of_a_run_open_below_and_close(start, target, show):  # noqa: F811
    (run,) = begin(start, target)
    view = show(target)
    say(view, kind="details", run_id=run.id)
    details = view.children[2]
    assert view._panel.state["open_run"]["run_id"] == run.id
    wait_until(lambda: details._header.state["run_id"] == run.id, "the details")
    say(view, kind="close")
    assert (len(view.children), view._panel.state["open_run"], details._is_open) == (2, None, False)
    say(view, kind="details", run_id=run.id)
    details = view.children[2]
    view.close()
    assert not details._is_open
    assert not poller()._watched


@pytest.mark.parametrize("message", [{"kind": "cancel", "run_id": "no such run"}, {"kind": "details"}, {}, "text"])
def test_a_message_that_makes_no_sense_is_ignored(target, show, message):
    view = show(target)
    view._panel._handle_custom_msg(message, [])
    assert view._panel.state["open_run"] is None


def test_nothing_is_read_of_the_store_and_nothing_sent_while_nothing_changes(target, show, monkeypatch):
    with Experiment(target.workspace, "exp").start_logging() as run:
        slot = target._queue.take_slot(run.id)
        view = show(target)
        wait_until(lambda: active(view) == [(run.id, "Running")], "the run on the board")
        looks, read, sent = [], [], []
        store = type(target.workspace._recorder.store)
        version, described = store.version, store.described
        monkeypatch.setattr(store, "version", lambda self: looks.append(1) or version(self))
        monkeypatch.setattr(store, "described", lambda self, ids: read.append(1) or described(self, ids))
        view._panel.observe(sent.append, "state")
        wait_until(lambda: len(looks) == 3, "three looks")
        assert (read, sent) == ([], [])
        run.progress(1, 3, "epoch")
        wait_until(lambda: sent, "the progress")
        assert first(view)["active"][0]["progress"]["unit"] == "epoch"
    os.close(slot.handle)


def test_it_looks_no_more_while_it_cannot_be_seen_and_at_once_when_it_can(start, target, show):  # noqa: F811
    view = show(target)
    view._panel._view_count = 1
    view._panel._view_count = 0
    assert poller()._errands == []
    (run,) = begin(start, target)
    assert active(view) == []
    view._panel._view_count = 1
    wait_until(lambda: active(view) == [(run.id, "Running")], "the run on the board")
    say(view, kind="sight", view="a", hidden=True)
    assert poller()._errands == []
    say(view, kind="sight", view="a", hidden=False)
    assert len(poller()._errands) == 1


def test_of_several_pages_one_that_is_put_aside_does_not_stop_it(target, show):
    view = show(target)
    view._panel._view_count = 2
    say(view, kind="sight", view="a", hidden=True)
    assert len(poller()._errands) == 1
    say(view, kind="sight", view="b", hidden=True)
    assert poller()._errands == []


def test_one_that_is_never_shown_does_not_look(target):
    view = ComputeView(target)
    assert poller()._errands == []
    view.close()


def test_a_deleted_target_keeps_its_last_view_with_a_note_and_goes_on_when_it_is_there_again(target, show):
    view = show(target)
    target.delete()
    wait_until(lambda: first(view)["trouble"], "the note")
    assert (first(view)["trouble"], first(view)["slots"]) == ("the compute target 'one-slot' was deleted", 1)
    ComputeTarget.create(Workspace(), "one-slot", LocalCompute(slots=3))
    wait_until(lambda: (first(view)["trouble"], first(view)["slots"]) == (None, 3), "the target again")


def test_a_store_that_does_not_answer_is_a_note_over_the_last_view(start, target, monkeypatch):  # noqa: F811
    (run,) = begin(start, target)
    feed = TargetFeed(target)
    feed.step()

    def away(_):
        raise StoreError("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(type(run._recorder.store), "version", away)
        assert feed.step()
        assert not feed.step()
    assert (feed.occupancy.trouble, len(feed.occupancy.active)) == ("the store is away", 1)
    assert feed.step()
    assert feed.occupancy.trouble is None


def test_several_targets_are_shown_one_below_the_other(target, show):
    view = show([target, "local"], workspace=Workspace())
    assert [one["name"] for one in view._panel.state["targets"]] == ["one-slot", "local"]
    assert repr(view) == "ComputeView('one-slot', 'local')"


def test_what_is_no_target_is_refused(target):
    with pytest.raises(ArgumentTypeError, match="not a int"):
        ComputeView(7)
    with pytest.raises(ArgumentTypeError, match="not a int"):
        ComputeView([target, 7])
    with pytest.raises(UserError, match="which workspace"):
        ComputeView("local")
    with pytest.raises(UserError, match="no target"):
        ComputeView([])
    with pytest.raises(ComputeTargetError, match="'nowhere'"):
        ComputeView("nowhere", workspace=Workspace())


def test_in_a_terminal_it_prints_the_targets_and_follows_them_no_further(start, target, capsys):  # noqa: F811
    (run,) = begin(start, target)
    ComputeView(target).show()
    said = capsys.readouterr().out
    assert said.startswith("● one-slot   1 of 1 slots taken\n")
    assert run.id in said
    assert poller()._errands == []


def test_in_a_notebook_it_is_a_widget_and_below_it_a_picture(target, notebook):  # noqa: F811
    view = ComputeView(target)
    view.show()
    (widget, display_id, _), (picture, picture_id, _) = notebook.display_pub.outputs
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] == view.model_id
    assert [widget["text/html"], widget["text/plain"], display_id] == ["", "", None]
    assert picture_id
    assert all("No run is active or queued on" in form for form in picture.values())
    view.close()
    notebook.display_pub.outputs.clear()
    notebook.user_ns.update(view=view)
    notebook.run_cell("view").raise_error()
    ((picture, display_id, _),) = notebook.display_pub.outputs
    assert set(picture) == {"text/html", "text/plain"}
    assert not pictures(notebook)
