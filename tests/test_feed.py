"""The feed: each step reads what is new, an error loses nothing, and a dead process is told at once."""

from __future__ import annotations

import time

import pytest

from runwidgets import Experiment, RunStatus, Workspace
from runwidgets.errors import StoreError
from runwidgets.events import JournalOpened, RunCreated, StatusSet
from runwidgets.store.liveness import SILENT_AFTER_SECONDS, observed_status
from runwidgets.store.recorder import close_all
from runwidgets.system import Process, lives, this_process
from runwidgets.watch.feed import Feed


@pytest.fixture
def run():
    yield Experiment(Workspace(), "exp").start_logging()
    close_all()


@pytest.fixture
def feed(run):
    return Feed(run._recorder, run.id)


def series(feed, name="m"):
    return feed.view.metrics[name].columns[""].series.y.tolist()


def test_the_first_step_reads_all_and_the_next_only_what_is_new(run, feed):
    run.log_list("m", [1.0, 2.0])
    run.tag("a", "b")
    assert feed.step()
    assert (series(feed), feed.view.tags, feed.view.status) == ([1.0, 2.0], {"a": "b"}, RunStatus.RUNNING)
    assert not feed.step()
    before = feed.view
    assert not feed.step()
    assert feed.view is before
    run.log("m", 3.0)
    asked = []
    changes = run._recorder.store.changes
    run._recorder.store.changes = lambda *a: asked.append(d := changes(*a)) or d
    assert feed.step()
    assert [len(b) for b in asked[0].metrics[0].blocks] == [1]
    assert series(feed) == [1.0, 2.0, 3.0]


def test_only_another_state_is_news(run, feed):
    feed.step()
    run.log("m", 1)
    run.flush()
    assert not feed.has_news()
    run.complete()
    assert feed.has_news()
    feed.step()
    assert not feed.has_news()


def test_feeds_of_one_run_that_step_at_different_times_see_the_same_in_the_end(run, feed):
    late = Feed(run._recorder, run.id)
    for n in range(5):
        run.log("m", float(n))
        run.child_run().complete()
        feed.step()
    late.step()
    assert series(late) == series(feed) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert late.view.children == feed.view.children
    assert len(late.view.children) == 5


def test_a_step_that_fails_leaves_the_view_and_the_next_goes_on_from_there(run, feed, monkeypatch):
    run.log("m", 1.0)
    feed.step()
    before = feed.view

    def away(*args):
        raise StoreError("away")

    with monkeypatch.context() as patch:
        patch.setattr(run._recorder.store, "changes", away)
        run.log("m", 2.0)
        with pytest.raises(StoreError):
            feed.step()
    assert feed.view is before
    assert feed.step()
    assert series(feed) == [1.0, 2.0]


def test_a_journal_that_cannot_be_folded_is_told_and_what_others_wrote_is_read_all_the_same(run, feed, monkeypatch):
    run.log("m", 1.0)
    feed.step()

    def full(_):
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(run._recorder), "flush", full)
        elsewhere(run, beat_at=time.time(), run_id="child", parent_id=run.id)
        with pytest.raises(StoreError, match="the disk is full"):
            feed.step()
    assert list(feed.view.children) == ["child"]
    assert series(feed) == [1.0]
    run.log("m", 2.0)
    assert feed.step()
    assert series(feed) == [1.0, 2.0]


def test_a_step_that_breaks_while_it_looks_for_processes_reads_the_same_again(run, feed, monkeypatch):
    run.log("m", 1.0)
    with monkeypatch.context() as patch:
        patch.setattr(run._recorder.store, "owner", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            feed.step()
    feed.step()
    assert series(feed) == [1.0]


def test_a_run_that_is_not_there_yet_is_seen_when_it_comes(run):
    feed = Feed(run._recorder, "later")
    feed.step()
    assert feed.view.status is RunStatus.NOT_STARTED
    run._experiment.start_logging(run_id="later").log("m", 1.0)
    assert feed.step()
    assert series(feed) == [1.0]


def elsewhere(run, *, beat_at, run_id="far", parent_id=None):
    """Record a run of a process on another machine; give the id of its journal, as unique as in life."""
    journal_id = f"far-from-{run.id}"
    events = [
        JournalOpened(journal_id, beat_at, "another machine", "boot", 1, 1.0),
        RunCreated(run_id, 1.0, "exp", parent_id),
        StatusSet(run_id, 2.0, RunStatus.RUNNING),
    ]
    assert run._recorder.store.fold(journal_id, 0, 10, events)
    return journal_id


def test_a_process_elsewhere_is_silent_when_its_beats_stop_and_back_when_it_beats(run):
    journal_id = elsewhere(run, beat_at=time.time() - SILENT_AFTER_SECONDS - 1)
    feed = Feed(run._recorder, "far")
    assert feed.step()
    assert feed.view.status is RunStatus.NOT_RESPONDING
    assert not feed.step()
    run._recorder.store.beat(journal_id, time.time())
    assert feed.step(), "a beat changes what is seen though it is no change of the run"
    assert feed.view.status is RunStatus.RUNNING


def test_a_child_whose_process_is_gone_is_shown_so_under_a_parent_that_lives(run, feed):
    elsewhere(run, beat_at=1.0, parent_id=run.id)
    feed.step()
    assert feed.view.status is RunStatus.RUNNING
    assert feed.view.status_of(feed.view.children["far"].run) is RunStatus.NOT_RESPONDING


def test_only_a_process_that_may_be_gone_is_called_silent(run):
    elsewhere(run, beat_at=1.0)
    owner = run._recorder.store.owner("far")
    assert observed_status(RunStatus.RUNNING, owner) is RunStatus.NOT_RESPONDING
    assert observed_status(RunStatus.COMPLETED, owner) is RunStatus.COMPLETED
    assert observed_status(RunStatus.QUEUED, None) is RunStatus.QUEUED


def test_a_process_is_known_by_its_number_its_start_and_its_machine():
    me = this_process()
    assert lives(me) is True
    assert lives(me._replace(started_at=me.started_at - 100)) is False, "another had this number before"
    machine, _, namespace = me.boot_id.split(":")
    assert lives(me._replace(boot_id=f"{machine}:before:{namespace}")) is False
    assert lives(me._replace(boot_id=f"another{me.boot_id}")) is None, "another machine of that name"
    assert lives(me._replace(boot_id=f"{me.boot_id}0")) is None, "another container of this machine"
    assert lives(me._replace(host="another")) is None
    assert lives(Process(me.host, me.boot_id, 2**22 + 1, 1.0)) is False
