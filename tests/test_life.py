"""A run's whole life as a display sees it, by feed, view and wire: the store is in memory, and the clock obeys."""

from __future__ import annotations

import json
import math

import pytest

from runwidgets.errors import StoreError
from runwidgets.records import MetricKind, Progress, RunError, RunStatus
from runwidgets.store import liveness
from runwidgets.store.liveness import SILENT_AFTER_SECONDS
from runwidgets.watch.beside import Beside
from runwidgets.watch.children import children_state
from runwidgets.watch.facts import details_state
from runwidgets.watch.feed import Feed
from runwidgets.watch.lines import charted, draw
from runwidgets.watch.wire import DEFAULT_CONTROLS, header_state, metrics_state
from tests.fake_store import FakeClock, FakeRecorder, FakeStore

BEGIN = 1_790_000_000.0


class Display:
    """What a display does at each look, without a browser."""

    def __init__(self, store, clock):
        self.recorder = FakeRecorder(store)
        self._clock = clock
        self._feed = Feed(self.recorder, "run")
        self._trouble = None
        self.changed = False
        self.beside = Beside()

    def look(self):
        self._trouble, self.changed = None, False
        try:
            self.changed = self._feed.step()
        except StoreError as error:
            self._trouble = str(error)
        return self

    @property
    def header(self):
        state = header_state(self._feed.view, self._clock.time(), self._clock.time() + 10, self._trouble, self.beside)
        json.dumps(state, allow_nan=False)
        return state

    def tab(self, name):
        return next(tab for tab in self.header["tabs"] if tab["id"] == name)

    @property
    def rows(self):
        state = metrics_state(self._feed.view, DEFAULT_CONTROLS)
        json.dumps(state, allow_nan=False)
        return {row["name"]: row for row in state["rows"]}

    @property
    def children(self):
        state = children_state(self._feed.view, self._clock.time())
        json.dumps(state, allow_nan=False)
        return {row["name"]: row for row in state["rows"]}

    @property
    def details(self):
        return details_state(self._feed.view)

    def chart(self, name):
        assert name in charted(self._feed.view)
        return draw(self._feed.view.metrics[name], DEFAULT_CONTROLS, self.header["started_at"])


@pytest.fixture
def clock(monkeypatch):
    clock = FakeClock(BEGIN)
    monkeypatch.setattr(liveness, "time", clock)
    monkeypatch.setattr(liveness, "_seen", {})
    return clock


@pytest.fixture
def store(clock):
    return FakeStore(clock)


@pytest.fixture
def display(store, clock):
    return Display(store, clock)


@pytest.mark.parametrize("end", [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED])
def test_a_run_is_followed_from_the_queue_to_its_end(store, clock, display, end):  # noqa: PLR0915 (a life is long)
    # Nobody knows of it yet.
    header = display.look().header
    assert (header["status"], header["run_id"], header["can_cancel"]) == ("NotStarted", "", False)
    assert display.rows == {}

    # It waits in a queue.
    store.begin("run", number=7, name="sweep")
    display.beside = Beside(queue="2nd of 3 that wait for gpu")
    header = display.look().header
    assert display.changed
    assert (header["status"], header["status_group"], header["run_number"]) == ("Queued", "waiting", 7)
    assert (header["queue"], header["started_at"]) == ("2nd of 3 that wait for gpu", None)

    # A look that finds nothing new reads, and changes nothing.
    reads, before = store.reads, header
    assert display.look().changed is False
    assert store.reads == reads + 1
    assert display.header == before

    # It runs: progress, an estimate, tags.
    clock.pass_(60)
    store.beat()
    store.set_status("run", RunStatus.RUNNING)
    store.change("run", progress=Progress(2.0, 10.0, "epoch", clock.time(), 0.0, clock.time() - 20))
    store.set_tags(model="mlp")
    header = display.look().header
    assert (header["status"], header["queue"], header["started_at"]) == ("Running", None, BEGIN + 60)
    assert header["progress"]["done"] == 2
    assert header["progress"]["seconds_left"] == pytest.approx(80)
    assert display.details["tags"] == [{"key": "model", "value": "mlp"}]

    # Metrics arrive, some of them no numbers.
    store.log("run", "loss", 3.0, 2.0)
    assert display.look().rows["loss"]["last"] == 2.0
    assert list(display.chart("loss").lines[0].y) == [3.0, 2.0]
    clock.pass_(5)
    store.log("run", "loss", math.nan, math.inf, 1.0)
    store.log("run", "phase", "warm-up")
    row = display.look().rows["loss"]
    assert (row["count"], row["nan_count"], row["inf_count"], row["min"], row["max"]) == (5, 1, 1, 1.0, 3.0)
    assert display.rows["phase"]["kind"] == "text"
    chart = display.chart("loss")
    assert [list(marks) for marks in chart.marks] == [[2.0], [3.0], []]
    assert chart.notes == ("◆ 1 NaN", "▲ 1 +Inf")
    assert display.tab("metrics")["count"] == 2

    # Children come, log, and end one after the other.
    for child in range(2):
        store.begin(f"c{child}", parent_id="run", number=8 + child, name=f"alpha {child}", status=RunStatus.RUNNING)
    assert display.look().header["open_children"] == 2
    store.log("c0", "mse", 0.5)
    store.log("c0", "mse", 0.25)
    store.set_status("c0", RunStatus.COMPLETED)
    display.look()
    assert (display.children["alpha 0"]["status"], display.children["alpha 0"]["values"]) == ("Completed", [0.25])
    assert (display.header["open_children"], display.tab("children")["count"]) == (1, 2)

    # An image, a file.
    store.log("run", "confusion", "confusion_1.png", kind=MetricKind.IMAGE)
    store.store_file("outputs/model.pkl", 12)
    display.look()
    assert display.tab("images")["count"] == 1
    assert "confusion" not in display.rows
    assert [(file.path, file.size) for file in display._feed.view.files.values()] == [("outputs/model.pkl", 12)]

    # The store does not answer: what was seen stays, under a banner.
    store.log("run", "loss", 0.75)
    store.trouble = "database is locked"
    assert display.look().header["banner"] == "database is locked"
    assert display.rows["loss"]["last"] == 1.0
    assert display.header["status"] == "Running"

    # It answers again, and nothing was missed.
    store.trouble = None
    assert display.look().header["banner"] is None
    assert (display.rows["loss"]["last"], display.rows["loss"]["count"]) == (0.75, 6)

    # Its machine falls silent, just when that may be said and no sooner.
    store.beat()
    display.look()
    clock.pass_(SILENT_AFTER_SECONDS - 1)
    assert display.look().header["status"] == "Running"
    clock.pass_(1)
    header = display.look().header
    assert (header["status"], header["status_group"]) == ("NotResponding", "silent")
    assert display.recorder.recoveries == 1
    assert display.children["alpha 1"]["status"] == "NotResponding"
    assert display.children["alpha 0"]["status"] == "Completed"
    assert display.rows["loss"]["last"] == 0.75

    # A beat, and it is back.
    store.beat()
    assert display.look().changed
    assert display.header["status"] == "Running"

    # The end.
    clock.pass_(10)
    store.set_status("c1", RunStatus.CANCELED)
    store.log("run", "loss", 0.5)
    error = RunError("ValueError", "the loss is gone", "Traceback …") if end is RunStatus.FAILED else None
    store.set_status("run", end, error=error)
    header = display.look().header
    assert (header["status"], header["ended_at"], header["can_cancel"]) == (end.value, clock.time(), False)
    assert (header["error"] or {}).get("message") == ("the loss is gone" if error else None)
    assert header["open_children"] == 0
    assert header["progress"]["seconds_left"] is None
    assert display.rows["loss"]["last"] == 0.5

    # Hours of silence after it change nothing.
    clock.pass_(10_000)
    assert display.look().changed is False
    assert display.header["status"] == end.value


def test_who_comes_late_sees_what_who_was_there_all_along_saw(store, clock):
    early = Display(store, clock)
    store.begin("run")
    for step in range(300):
        clock.pass_(1)
        store.beat()
        if step == 10:
            store.set_status("run", RunStatus.RUNNING)
        store.log("run", "loss", *(math.nan if (step + i) % 7 == 0 else step / (i + 1) for i in range(step % 5 + 1)))
        if step % 50 == 0:
            store.begin(f"c{step}", parent_id="run", name=f"child {step}")
            store.log(f"c{step}", "mse", float(step))
        early.look()
    late = Display(store, clock).look()
    assert late.header == early.header
    assert late.rows == early.rows
    assert late.children == early.children
    assert late.details == early.details
