"""The overlay of one metric of many runs: what is read, what is drawn, and what crosses the wire."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from runwidgets import Experiment, Workspace
from runwidgets.records import MetricHead, MetricKind, RunQuery
from runwidgets.store.thinning import Thinned
from runwidgets.watch.dossiers import Dossiers
from runwidgets.watch.ingredients import Key
from runwidgets.watch.lines import _smoothed
from runwidgets.watch.overlay import (
    DEFAULT_OVERLAY_CONTROLS,
    Overlay,
    checked_overlay_controls,
    group_label,
    groupings,
    offered,
    packed,
    thinned_to,
)
from runwidgets.watch.roster import Roster, Source
from runwidgets.widgets.overlay import OverlayPanel

SMOOTHING = Path(__file__).parent / "golden" / "smoothing.json"


def vector(name, count=9, last=0.5):
    return MetricHead(name, MetricKind.VECTOR, ("",), count, last)


class Followed:
    """Some runs of an experiment, overlaid."""

    def __init__(self):
        self.experiment = Experiment(Workspace(), "exp")
        self.roster = Roster([Source(self.experiment.workspace._recorder, RunQuery(experiment="exp"))])
        self.overlay = Overlay(Dossiers())

    def start(self, name, **more):
        return self.experiment.start_logging(name=name, outputs=False, snapshot_directory=None, **more)

    def members(self):
        self.roster.step()
        return self.roster.members()

    def look(self, **controls):
        return self.overlay.look(self.members(), {**DEFAULT_OVERLAY_CONTROLS, **controls})


@pytest.fixture
def followed():
    return Followed()


def ended(followed, name, values, tags=None, *, metric="loss", first=0):
    with followed.start(name, tags=tags) as run:
        for step, value in enumerate(values, first):
            run.log(metric, value, step=step)
    return run


def labels(shown):
    return [line["label"] for line in shown.state["lines"]]


# ---- runs as lines


def test_each_run_is_a_line_with_its_index_step_time_and_values(followed):
    one = ended(followed, "one", [3.0, math.nan, 1.0], first=10)
    ended(followed, "two", [5.0])
    shown = followed.look()
    assert (shown.state["metric"], labels(shown), shown.names) == ("loss", ["one", "two"], ["loss"])
    index, step, seconds, y = shown.lines[one.id]
    assert (index.tolist(), step.tolist()) == ([0, 1, 2], [10, 11, 12])
    np.testing.assert_equal(y, [3.0, np.nan, 1.0])
    assert (seconds >= 0).all()
    assert (seconds < 60).all()
    assert shown.state["notes"] == ["◆ 1 NaN"]


def test_a_live_run_goes_on_where_it_was_and_its_history_is_not_read_anew(followed, monkeypatch):
    with followed.start("live") as run:
        for step in range(5000):
            run.log("loss", 1 / (step + 1), step=step)
        before = followed.look()
        assert 500 < before.lines[run.id].shape[1] <= 1000
        starts = []
        store = followed.experiment.workspace._recorder.store
        window = type(store).window
        monkeypatch.setattr(
            type(store), "window", lambda self, run_id, name, start, *rest: (
                starts.append((start, rest[0])), window(self, run_id, name, start, *rest))[1]
        )  # fmt: skip
        for step in range(5000, 5010):
            run.log("loss", 0.0, step=step)
        after = followed.look()
        assert [start for start, stop in starts if stop] == [5000]
        items, data = packed(after.lines, before.lines)
        assert after.lines[run.id][1, -1] == 5009
        assert items[0]["keep"] > 900 or items[0]["keep"] >= before.lines[run.id].shape[1] - 8
        assert len(data) < 4 * 8 * 16
        starts.clear()
        followed.look()
        assert starts == []


def test_a_line_has_at_most_a_thousand_points_and_keeps_what_a_person_looks_for(followed):
    values = [0.0] * 30_000
    values[12_345], values[23_456] = 99.0, -99.0
    with followed.start("long") as run:
        run.log_list("loss", values)
    (line,) = followed.look().lines.values()
    assert line.shape[1] <= 1000
    assert (line[3].max(), line[3].min(), line[0, -1]) == (99.0, -99.0, 29_999)
    assert run.id


def test_many_lines_have_fewer_points_each(followed):
    for n in range(20):
        with followed.start(f"run {n}") as run:
            run.log_list("loss", [float(step % 7) for step in range(1000)])
    shown = followed.look()
    assert 10 * 500 < sum(line.shape[1] for line in shown.lines.values()) <= 20 * 500


def test_thinning_keeps_the_law_of_buckets():
    y = np.sin(np.arange(3000.0))
    series = Thinned().extended(np.arange(3000), y, np.zeros((3, 3000)))
    thinned = thinned_to(series, 300)
    assert len(thinned) <= 300
    assert thinned.width > series.width
    again = thinned_to(Thinned().extended(np.arange(3000), y, np.zeros((3, 3000))), 300)
    np.testing.assert_equal(thinned.index, again.index)


def test_twenty_runs_are_drawn_and_the_others_are_told(followed):
    for n in range(23):
        ended(followed, f"run {n}", [1.0, 2.0], metric="loss" if n != 5 else "other")
    shown = followed.look()
    assert (len(shown.lines), shown.state["chosen"]) == (20, 23)
    assert shown.state["notes"] == ["first 20 of 22 runs", "1 of 23 runs do not have this metric"]
    assert sorted(line["slot"] for line in shown.state["lines"]) == list(range(20))


def test_a_run_keeps_its_colour_while_others_come_and_go(followed):
    runs = [ended(followed, name, [1.0, 2.0]) for name in ("a", "b", "c")]
    members = followed.members()
    slots = {line["id"]: line["slot"] for line in followed.look().state["lines"]}
    shown = followed.overlay.look(members[1:], DEFAULT_OVERLAY_CONTROLS)
    assert {line["id"]: line["slot"] for line in shown.state["lines"]} == {key: slots[key] for key in (
        runs[1].id, runs[2].id)}  # fmt: skip
    again = followed.overlay.look(members, DEFAULT_OVERLAY_CONTROLS)
    assert {line["id"]: line["slot"] for line in again.state["lines"]} == slots


def test_any_metric_of_any_run_can_be_chosen_and_one_that_is_not_there_is_the_usual(followed):
    ended(followed, "a", [1.0, 2.0])
    with followed.start("b") as run:
        run.log_table("curve", {"angle": [0.0, 1.0], "sine": [0.0, 0.84]})
        run.log("words", "text")
        run.log_list("loss", [4.0, 5.0])
    shown = followed.look(metric="curve · sine")
    assert shown.names == ["curve · angle", "curve · sine", "loss"]
    assert (labels(shown), shown.state["metric"]) == (["b"], "curve · sine")
    assert shown.lines[run.id][3].tolist() == [0.0, 0.84]
    assert followed.look(metric="no such").state["metric"] == "loss"


def test_the_usual_metric_is_what_most_runs_have_more_than_once():
    many = [[vector("alpha", 1), vector("loss")], [vector("alpha", 1), vector("loss"), vector("acc")]]
    assert offered(many)[1] == "loss"
    assert offered([[vector("alpha", 1)]])[1] == "alpha"
    assert offered([[vector("system/cpu"), vector("x", 1)]])[1] == "x"
    assert list(offered([[vector("system/cpu"), vector("x", 1)]])[0]) == ["x", "system/cpu"]
    assert offered([[vector("phase", 3, "warm-up")]]) == ({}, None)
    assert offered([]) == ({}, None)


def test_what_is_shown_unasked_does_not_change_with_what_new_runs_log_first(followed):
    with followed.start("first") as run:
        run.log("alpha", 1)
        assert followed.look().state["metric"] == "alpha"
        run.log_list("loss", [2.0, 1.0])
        assert followed.look().state["metric"] == "loss"
    for name in ("second", "third"):
        with followed.start(name) as run:
            run.log_list("acc", [0.1, 0.2])
        assert followed.look().state["metric"] == "loss"


def test_no_runs_and_runs_without_metrics_are_shown_as_nothing(followed):
    assert followed.look().state["metric"] is None
    followed.start("empty").complete()
    shown = followed.look()
    assert (shown.lines, shown.names, shown.state["chosen"]) == ({}, [], 1)


# ---- groups


def test_runs_are_grouped_by_a_tag_with_mean_and_band(followed):
    ended(followed, "a", [1.0, 2.0], {"model": "mlp"})
    ended(followed, "b", [3.0, 6.0], {"model": "mlp"})
    ended(followed, "c", [9.0, 9.0], {"model": "cnn"})
    ended(followed, "d", [7.0, 7.0])
    shown = followed.look(group_by="tag model")
    assert shown.state["kind"] == "groups"
    assert [(line["label"], line["runs"]) for line in shown.state["lines"]] == [
        ("model = cnn", 1), ("model = mlp", 2), ("no model", 1),
    ]  # fmt: skip
    assert shown.lines["model = mlp"].tolist() == [[0, 1], [2, 4], [1, 2], [3, 6]]
    assert {"id": "tag model", "label": "tag model"} in shown.state["groupings"]


def test_groups_are_offered_by_what_is_not_alike_in_all_runs():
    same, other = {Key("tag", "t"): "1", Key("logged", "alpha"): 0.1}, {Key("tag", "t"): "1"}
    assert groupings([same, other]) == [Key("logged", "alpha")]
    assert groupings([same]) == []
    assert groupings([{Key("package", "numpy"): "1"}, {Key("package", "numpy"): "2"}]) == []
    assert group_label(same, Key("logged", "alpha")) == "alpha = 0.1"
    assert group_label(other, Key("logged", "alpha")) == "no alpha"


def test_groups_by_numbers_come_in_their_order(followed):
    for alpha in (10, 2, 0.5):
        with followed.start(f"run {alpha}") as run:
            run.log("alpha", alpha)
            run.log_list("loss", [1.0, 2.0])
    shown = followed.look(group_by="logged alpha", metric="loss")
    assert labels(shown) == ["alpha = 0.5", "alpha = 2", "alpha = 10"]


# ---- smoothing, which the browser does


def test_the_browser_smooths_as_charts_do():
    """The golden table is made by `watch.lines`, and read by ``js/tests/overlay.test.ts``."""
    cases = []
    for y, index, width, weight in (
        ([1.0, 2.0, 3.0, 0.0], [0, 1, 2, 3], 1, 0.6),
        ([1.0, None, 3.0], [0, 1, 2], 1, 0.9),
        ([5.0, 1.0, 1.0, 4.0], [0, 3, 8, 15], 4, 0.5),
        ([7.0], [0], 1, 0.99),
    ):
        rows = np.array(index, dtype=float)
        gaps = np.diff(rows, prepend=rows[:1] - width) / width
        smooth = _smoothed(np.array([math.nan if v is None else v for v in y]), gaps, weight)
        wanted = [None if math.isnan(value) else round(value, 12) for value in smooth.tolist()]
        cases.append({"y": y, "index": index, "width": width, "weight": weight, "smooth": wanted})
    text = json.dumps(cases, indent=2) + "\n"
    if os.environ.get("RUNWIDGETS_WRITE_GOLDEN"):  # pragma: no cover
        SMOOTHING.write_text(text, encoding="utf-8")
    assert json.loads(text) == json.loads(SMOOTHING.read_text(encoding="utf-8"))


# ---- what crosses the wire


def test_of_lines_that_grew_only_the_end_is_packed():
    before = {"a": np.array([[0.0, 1.0], [5.0, np.nan]]), "gone": np.zeros((2, 1))}
    now = {"a": np.array([[0.0, 1.0, 2.0], [5.0, np.nan, 7.0]]), "b": np.array([[9.0], [8.0]])}
    items, data = packed(now, before)
    assert items == [{"id": "a", "keep": 2, "add": 1}, {"id": "b", "keep": 0, "add": 1}]
    assert np.frombuffer(data).tolist() == [2.0, 7.0, 9.0, 8.0]
    assert packed(now, now)[1] == b""
    changed = {"a": np.array([[0.0, 1.5], [5.0, np.nan]])}
    assert packed(changed, before)[0] == [{"id": "a", "keep": 1, "add": 1}]


@pytest.mark.parametrize(
    "sent",
    [
        {"metric": 5},
        {"group_by": ["tag"]},
        {"x_axis": "time"},
        {"y_scale": "cube"},
        {"smoothing": 1},
        {"smoothing": "0"},
    ],
)
def test_controls_that_are_not_of_the_contract_become_the_defaults(sent):
    assert checked_overlay_controls(sent) == DEFAULT_OVERLAY_CONTROLS


@pytest.fixture
def panel(followed):
    panel = OverlayPanel(Dossiers())
    sent = []
    panel.send = lambda content, buffers=None: sent.append((content, buffers))
    panel.sent = sent
    yield panel
    panel.close()


def test_nothing_is_sent_where_nothing_changed_and_little_where_little_did(followed, panel):
    states = []
    panel.observe(states.append, "state")
    with followed.start("live") as run:
        for value in range(400):
            run.log("loss", value)
        panel.follow(followed.members())
        first = panel.sent.pop()
        assert (first[0]["sequence"], len(first[1][0])) == (1, 4 * 8 * 400)
        states.clear()
        panel.follow(followed.members())
        assert (panel.sent, states) == ([], [])
        run.log("loss", 7.0)
        panel.follow(followed.members())
        ((message, (data,)),) = panel.sent
        assert message == {"kind": "lines", "sequence": 2, "items": [{"id": run.id, "keep": 400, "add": 1}]}
        assert (len(data), states) == (32, [])
    assert panel.lines["sequence"] == 2
    assert len(panel.lines["data"]) == 4 * 8 * 401
    assert not panel._should_send_property("lines", panel.lines)


def test_who_has_missed_a_message_gets_all_and_other_messages_are_ignored(followed, panel):
    asked = []
    panel.send_state = asked.append
    for message in ({"kind": "have", "sequence": 0}, {"kind": "none"}, "text", {}, None):
        panel._handle_custom_msg(message, [])
    assert asked == []
    for sequence in (7, "x", None):
        panel._handle_custom_msg({"kind": "have", "sequence": sequence}, [])
    assert asked == ["lines"] * 3


def test_what_only_the_browser_needs_reads_nothing(followed, panel, monkeypatch):
    ended(followed, "a", [1.0, 2.0])
    panel.follow(followed.members())
    looks = []
    monkeypatch.setattr(panel._overlay, "look", lambda *_: looks.append(1))
    panel.controls = {**panel.controls, "smoothing": 0.9, "y_scale": "log"}
    assert looks == []


def test_another_metric_is_shown_when_the_browser_asks_for_it(followed, panel):
    ended(followed, "a", [1.0, 2.0])
    ended(followed, "b", [4.0], metric="other")
    panel.follow(followed.members())
    panel.controls = {**panel.controls, "metric": "other"}
    assert (panel.state["metric"], [line["label"] for line in panel.state["lines"]]) == ("other", ["b"])
