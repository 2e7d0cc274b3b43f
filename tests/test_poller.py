"""The poller: one feed for all viewers of a run, ended by the end of the run or of its viewers and by nothing else."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from runwidgets import Experiment, RunStatus, Workspace
from runwidgets.errors import StoreError, UserError
from runwidgets.store.recorder import close_all
from runwidgets.watch import poller as poller_module
from runwidgets.watch.poller import Poller, check_seconds, poller
from runwidgets.watch.view import RunView

NEVER = 3600.0
"""Seconds between looks where only a wake-up may bring the next."""


def eventually(check, seconds=60):
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.005)
    return found


class FakeRecorder:
    def __init__(self):
        self.listeners = []

    def on_status(self, listener):
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def set_status(self, run_id):
        for listener in tuple(self.listeners):
            listener(run_id)


class FakeFeed:
    made: list[FakeFeed]

    def __init__(self, _recorder, run_id):
        self.view = RunView(tags={"run_id": run_id}, metrics={"loss": None})
        self.trouble = None
        self.steps = 0
        self.news = False
        FakeFeed.made.append(self)

    def step(self):
        self.steps += 1
        if self.trouble:
            raise self.trouble
        self.view = replace(self.view)
        return True

    def has_news(self):
        return self.news

    def end(self):
        self.view = FinishedView(tags=self.view.tags, metrics=self.view.metrics)


class FinishedView(RunView):
    status = RunStatus.COMPLETED


@pytest.fixture
def recorder(monkeypatch):
    FakeFeed.made = []
    monkeypatch.setattr(poller_module, "Feed", FakeFeed)
    return FakeRecorder()


@pytest.fixture
def watching():
    """Give a poller whose thread is gone when the test is over."""
    watching = Poller()
    yield watching
    for watched in list(watching._watched.values()):
        for viewer in tuple(watched.viewers):
            viewer.cancel()
    eventually(lambda: watching._thread is None)


def watch(watching, recorder, run_id="run", seconds=NEVER):
    looks = []
    return watching.subscribe(recorder, run_id, seconds, looks.append), looks


def test_the_first_look_is_at_once(watching, recorder):
    _, looks = watch(watching, recorder)
    (look,) = eventually(lambda: looks)
    assert (look.view.tags, look.changed, look.trouble) == ({"run_id": "run"}, True, None)


def test_a_state_that_another_process_sets_is_seen_long_before_the_next_look(watching, recorder):
    _, looks = watch(watching, recorder)
    eventually(lambda: looks)
    FakeFeed.made[0].news = True
    eventually(lambda: len(looks) > 1)


def test_all_viewers_of_a_run_share_one_feed_and_get_each_look(watching, recorder):
    viewers = [watch(watching, recorder) for _ in range(5)]
    eventually(lambda: all(looks for _, looks in viewers))
    before = [len(looks) for _, looks in viewers]
    viewers[0][0].refresh()
    eventually(lambda: all(len(looks) > n for (_, looks), n in zip(viewers, before, strict=True)))
    assert len(FakeFeed.made) == 1
    assert len({id(looks[-1]) for _, looks in viewers}) == 1


def test_runs_have_feeds_of_their_own_and_one_thread(watching, recorder):
    before = threading.active_count()
    viewers = [watch(watching, recorder, f"run-{n}") for n in range(5)]
    eventually(lambda: all(looks for _, looks in viewers))
    assert [looks[0].view.tags["run_id"] for _, looks in viewers] == [f"run-{n}" for n in range(5)]
    assert threading.active_count() == before + 1
    assert watching._thread.daemon


def test_by_default_a_look_is_due_ten_to_fifteen_seconds_later_at_random_and_always_the_same_for_one_run(
    watching, recorder
):
    before = time.time()
    subscription, looks = watch(watching, recorder, seconds=None)
    (look,) = eventually(lambda: looks)
    assert before + 10 <= look.next_at <= time.time() + 15
    assert len({subscription._watched.interval() for _ in range(9)}) == 1
    intervals = [type(subscription._watched)(recorder, "run").interval() for _ in range(300)]
    assert 10 <= min(intervals) < 11
    assert 14 < max(intervals) <= 15


def test_while_there_is_nothing_to_show_the_first_looks_follow_sooner_and_only_those(watching, recorder):
    subscription, looks = watch(watching, recorder, seconds=None)
    eventually(lambda: looks)
    watched, feed = subscription._watched, FakeFeed.made[0]

    def next_look_in():
        due = time.time()
        seen = len(looks)
        subscription.refresh()
        eventually(lambda: len(looks) > seen)
        return looks[-1].next_at - due

    feed.view = RunView()
    waits = [next_look_in() for _ in range(4)]
    assert [lower <= wait < lower + 3 for lower, wait in zip((1, 2, 4, 10), waits, strict=True)][:3] == [True] * 3
    assert waits[3] >= 10
    assert [watched.empty_looks > 3, watched.interval() >= 10] == [True, True]
    watched.empty_looks = 0
    assert next_look_in() < 4
    feed.view = RunView(metrics={"loss": None})
    assert next_look_in() >= 10


def test_one_that_comes_later_gets_all_at_its_first_look_though_nothing_changed(watching, recorder):
    first, looks = watch(watching, recorder)
    eventually(lambda: looks)
    feed = FakeFeed.made[0]
    feed.step = lambda: False
    _, late = watch(watching, recorder)
    eventually(lambda: late)
    assert late[0].changed
    assert late[0].view is looks[0].view
    first.refresh()
    eventually(lambda: len(late) >= 2)
    assert [look.changed for look in (looks[-1], late[-1])] == [False, False]


def test_a_look_that_fails_half_way_still_gives_what_it_has_read(watching, recorder):
    subscription, looks = watch(watching, recorder)
    eventually(lambda: looks)
    feed = FakeFeed.made[0]
    read = RunView(tags={"read": "on"}, metrics={"loss": None})

    def step():
        feed.view = read
        raise StoreError("the journal cannot be read")

    feed.step = step
    subscription.refresh()
    eventually(lambda: len(looks) == 2)
    assert (looks[-1].view, looks[-1].changed, looks[-1].trouble) == (read, True, "the journal cannot be read")


def test_the_most_impatient_viewer_sets_the_pace(watching, recorder):
    first, _ = watch(watching, recorder, seconds=None)
    second, _ = watch(watching, recorder, seconds=2)
    watch(watching, recorder, seconds=700.0)
    assert first._watched.interval() == 2
    second.cancel()
    assert first._watched.interval() == 700.0


def test_looks_go_on_by_themselves(watching, recorder):
    _, looks = watch(watching, recorder, seconds=0.5)
    eventually(lambda: len(looks) >= 3)


def test_a_status_that_this_process_sets_is_looked_at_at_once_and_no_others(watching, recorder):
    _, looks = watch(watching, recorder, "run")
    _, others = watch(watching, recorder, "other")
    eventually(lambda: looks and others)
    steps = FakeFeed.made[1].steps
    recorder.set_status("run")
    recorder.set_status("unknown")
    eventually(lambda: len(looks) == 2)
    assert FakeFeed.made[1].steps == steps


def test_a_refresh_asked_for_during_a_look_is_not_lost(watching, recorder):
    looks = []

    def refresh_once(look):
        looks.append(look)
        if len(looks) == 1:
            subscription.refresh()

    ready = threading.Event()
    subscription = watching.subscribe(recorder, "run", NEVER, lambda look: ready.wait(60) and refresh_once(look))
    ready.set()
    eventually(lambda: len(looks) == 2)


def test_the_end_of_the_run_is_the_last_look_and_ends_the_thread(watching, recorder):
    subscription, looks = watch(watching, recorder)
    eventually(lambda: looks)
    assert looks[0].next_at is not None
    FakeFeed.made[0].end()
    subscription.refresh()
    eventually(lambda: watching._thread is None)
    assert [look.next_at is None for look in looks] == [False, True]
    assert recorder.listeners == []
    assert watching._watched == {}


def test_the_thread_ends_when_the_last_viewer_goes_and_a_new_one_begins_anew(watching, recorder):
    first, looks = watch(watching, recorder)
    second, _ = watch(watching, recorder)
    eventually(lambda: looks)
    first.cancel()
    first.cancel()
    assert watching._watched
    thread = watching._thread
    second.cancel()
    thread.join(60)
    assert not thread.is_alive()
    assert recorder.listeners == []
    _, looks = watch(watching, recorder)
    eventually(lambda: looks)
    assert len(FakeFeed.made) == 2


def test_a_viewer_may_go_from_within_its_look(watching, recorder):
    looks = []

    def look_once(look):
        looks.append(look)
        subscription.cancel()

    ready = threading.Event()
    subscription = watching.subscribe(recorder, "run", 0.5, lambda look: ready.wait(60) and look_once(look))
    ready.set()
    eventually(lambda: watching._thread is None)
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("trouble", "told"),
    [(StoreError("the store is away"), "the store is away"), (ZeroDivisionError(), "ZeroDivisionError")],
)
def test_a_look_that_fails_is_told_over_the_last_good_view_and_the_next_success_mends_it(
    watching, recorder, trouble, told
):
    subscription, looks = watch(watching, recorder)
    (good,) = eventually(lambda: looks)
    feed = FakeFeed.made[0]
    for n in range(2, 8):  # like errors, again and again, end nothing
        feed.trouble = trouble
        subscription.refresh()
        eventually(lambda n=n: len(looks) == n)
        assert (looks[-1].trouble, looks[-1].changed, looks[-1].view) == (told, False, good.view)
        assert looks[-1].next_at is not None
    feed.trouble = None
    subscription.refresh()
    eventually(lambda: len(looks) == 8)
    assert looks[-1].trouble is None


def test_a_failing_look_at_a_finished_run_is_tried_again(watching, recorder):
    subscription, looks = watch(watching, recorder)
    eventually(lambda: looks)
    feed = FakeFeed.made[0]
    feed.end()
    feed.trouble = StoreError("away")
    subscription.refresh()
    eventually(lambda: len(looks) == 2)
    assert looks[-1].next_at is not None
    feed.trouble = None
    subscription.refresh()
    eventually(lambda: len(looks) == 3)
    assert looks[-1].next_at is None


def test_a_failing_viewer_ends_neither_itself_nor_the_others(watching, recorder, caplog):
    calls = []

    def fail(look):
        calls.append(look)
        raise RuntimeError("a viewer's mistake")

    failing = watching.subscribe(recorder, "run", NEVER, fail)
    _, looks = watch(watching, recorder)
    eventually(lambda: looks and calls)
    seen = len(looks)
    failing.refresh()
    eventually(lambda: len(looks) > seen and len(calls) >= 2)
    assert "a viewer of run run failed" in caplog.text


@pytest.mark.parametrize("seconds", [0, 0.49, -1, float("nan"), True, "5", [1]])
def test_an_interval_that_is_too_short_or_no_number_is_refused(watching, recorder, seconds):
    with pytest.raises(UserError, match="refresh_seconds is"):
        watching.subscribe(recorder, "run", seconds, print)
    assert watching._watched == {}


@pytest.mark.parametrize("seconds", [None, 0.5, 1, 1e9])
def test_an_interval_from_half_a_second_on_is_accepted(seconds):
    check_seconds(seconds)


def test_a_real_run_is_seen_to_its_end_with_no_waiting():
    run = Experiment(Workspace(), "exp").start_logging()
    looks = []
    poller().subscribe(run._recorder, run.id, NEVER, looks.append)
    eventually(lambda: looks)
    run.log("m", 1.0)
    run.complete()
    eventually(lambda: looks[-1].next_at is None)
    assert looks[-1].view.status is RunStatus.COMPLETED
    assert looks[-1].view.metrics["m"].columns[""].last == 1.0
    assert replace(looks[-1], view=None).trouble is None
    close_all()
