"""Which charts are drawn, how closely, and the figures for others, without a browser."""

import threading
import time

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from runwidgets import Experiment, RunDetails, UserError, Workspace
from runwidgets.widgets import drawing


@pytest.fixture
def run():
    run = Experiment(Workspace(), "exp").start_logging(name="one")
    yield run
    if run.status == "Running":
        run.complete()


@pytest.fixture
def details(run):
    made = []

    def show(**options):
        made.append(RunDetails(run, **{"refresh_seconds": 0.5, **options}))
        made[-1]._repr_mimebundle_()
        return made[-1]

    yield show
    for details in made:
        details.close()


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def drawn(details):
    return [place for place, chart in enumerate(details._charts.lens.state["metrics"]) if chart["figure"] is not None]


def hear(details, **message):
    """Let Python hear a message of the lens as it comes from a browser: on a thread beside the one that runs cells."""
    thread = threading.Thread(target=details._charts.lens._handle_custom_msg, args=(message, []))
    thread.start()
    thread.join()


def sight(details, *places, view="a", is_hidden=False):
    hear(details, kind="sight", view=view, is_hidden=is_hidden, metrics=list(places), system=[])


def zoom(details, place, name, low, high):
    hear(details, kind="zoom", grid="metrics", place=place, name=name, low=low, high=high)


def many(run, count=12):
    for number in range(count):
        run.log_list(f"metric {number:02}", [1.0, 2.0, float(number)])


def test_only_charts_that_are_seen_are_drawn_and_all_have_headings(run, details, monkeypatch):
    monkeypatch.setattr(drawing, "_PATIENCE_SECONDS", 600)
    many(run)
    shown = details()
    until(lambda: drawn(shown) == [0, 1, 2, 3])
    assert [card.heading.state["title"] for card in shown._charts.grid.children] == [
        f"metric {n:02}" for n in range(12)
    ]
    sight(shown, 6, 7)
    until(lambda: drawn(shown) == [0, 1, 2, 3, 6, 7])
    before = shown._charts.grid.cards[0].figure.marks[0]
    run.log("metric 00", 9.0)
    run.log("metric 06", 9.0)
    until(lambda: shown._charts.grid.cards[6].figure.marks[0].y[-1] == 9.0)
    until(lambda: shown._charts.grid.cards[0].heading.state["last"] == 9.0)
    assert before.y[-1] == 0.0
    sight(shown, 0)
    until(lambda: before.y[-1] == 9.0)


def test_where_nobody_says_what_is_seen_all_charts_are_drawn_after_a_while(run, details, monkeypatch):
    monkeypatch.setattr(drawing, "_PATIENCE_SECONDS", 0.05)
    many(run)
    shown = details()
    until(lambda: drawn(shown) == list(range(12)))


def test_where_messages_wait_for_cells_all_charts_are_drawn(run, details, monkeypatch):
    monkeypatch.setattr(drawing, "_PATIENCE_SECONDS", 600)
    many(run)
    shown = details()
    until(lambda: drawn(shown) == [0, 1, 2, 3])
    message = {"kind": "sight", "view": "a", "is_hidden": False, "metrics": [0], "system": []}
    shown._charts.lens._handle_custom_msg(message, [])  # on the thread that runs cells
    until(lambda: drawn(shown) == list(range(12)))


def test_a_display_that_is_hidden_waits_and_catches_up_when_any_view_of_it_is_seen(run, details):
    run.log_list("loss", [1.0, 2.0])
    shown = details()
    until(lambda: drawn(shown) == [0])
    sight(shown, 0, is_hidden=True)
    sight(shown, 0, view="b", is_hidden=True)
    run.log("loss", 3.0)
    until(lambda: shown._view.metrics["loss"].row_count == 3)
    panel = shown._pages["metrics"].panel
    assert panel.state["rows"][0]["last"] == 2.0
    assert shown._charts.grid.cards[0].figure.marks[0].y[-1] == 2.0
    sight(shown, 0, view="b")
    until(lambda: panel.state["rows"][0]["last"] == 3.0)
    until(lambda: shown._charts.grid.cards[0].figure.marks[0].y[-1] == 3.0)


def test_a_part_is_read_from_the_store_as_finely_as_it_can_be_seen(run, details):
    y = np.zeros(100_000)
    y[50_001] = 1.0
    run.log_list("spike", y)
    shown = details(refresh_seconds=600)
    until(lambda: drawn(shown) == [0])
    raw = shown._charts.grid.cards[0].figure.marks[0]
    assert len(raw.x) < 1000
    zoom(shown, 0, "spike", 50_000, 50_010)
    until(lambda: shown._charts.lens.state["metrics"][0]["is_zoomed"])
    assert [(int(x), y) for x, y in zip(raw.x, raw.y, strict=True) if 50_000 <= x <= 50_003] == [
        (50_000, 0.0), (50_001, 1.0), (50_002, 0.0), (50_003, 0.0),
    ]  # fmt: skip
    scale = raw.scales["x"]
    assert (scale.min, scale.max) == (50_000, 50_010)
    assert shown._charts.grid.cards[0].heading.state["is_zoomed"]
    shown._charts.grid.cards[0].heading._handle_custom_msg({"kind": "reset"}, [])
    assert (scale.min < 1, scale.max > 99_000) == (True, True)


def test_nonsense_from_the_lens_changes_nothing(run, details):
    run.log_list("loss", [1.0, 2.0])
    shown = details(refresh_seconds=600)
    until(lambda: drawn(shown) == [0])
    before = shown._charts.lens.state
    for name, low, high in (
        ("loss", float("nan"), 1), ("loss", 1, 1), ("loss", "0", 1), ("loss", 0, 10**400), ("loss", None, 1),
        ("loss", True, 3), ("no such", 0, 1), (7, 0, 1),
    ):  # fmt: skip
        zoom(shown, 0, name, low, high)
    for message in ({"kind": "zoom"}, {"kind": "sight", "view": 7}, {"kind": "sight", "view": "x" * 99}, {}, [], None):
        shown._charts.lens._handle_custom_msg(message, [])
    hear(shown, kind="sight", view="a", is_hidden="yes", metrics=["0", -1, 10**9, True], system=0)
    assert shown._charts.lens.state == before
    assert not shown._charts.is_hidden


def test_only_rows_that_changed_are_sent_of_the_table(run, details):
    many(run, 40)
    shown = details()
    panel = shown._pages["metrics"].panel
    until(lambda: len(panel.state["rows"]) == 40)
    sent = []
    panel.send = sent.append
    panel.send_state = lambda key: sent.append(key)  # noqa: PLW0108 (it is called by name)
    run.log("metric 07", 7.5)
    until(lambda: sent)
    ((place, row),) = sent[0]["rows"]
    assert (place, row["name"], row["last"]) == (7, "metric 07", 7.5)
    assert sent[0]["version"] == panel.state["version"]
    assert panel.state["rows"][7] == row
    run.log("another", 1.0)
    until(lambda: len(sent) == 2)
    assert sent[1] == "state", "rows that came are sent with all others"
    panel._handle_custom_msg({"kind": "whole"}, [])
    assert sent[2] == "state"


# ---- figures


def test_a_figure_is_live_also_off_the_page_and_with_no_display_shown(run):
    many(run, 14)
    details = RunDetails(run, refresh_seconds=0.5)
    figure = details.figures["metric 13"]
    assert figure is details.figures["metric 13"]
    assert figure.title == "metric 13"
    assert figure.marks[0].y.tolist() == [1.0, 2.0, 13.0]
    details._header._view_count = 1
    details._header._view_count = 0
    run.log("metric 13", 5.0)
    until(lambda: figure.marks[0].y[-1] == 5.0)
    assert list(details.figures) == [f"metric {n:02}" for n in range(14)]
    details.close()


def test_figures_of_unknown_names_name_what_is_close_and_those_of_a_closed_display_say_so(run):
    run.log_list("val/accuracy", [1.0, 2.0])
    run.log("single", 1.0)
    details = RunDetails(run)
    with pytest.raises(KeyError, match="did you mean 'val/accuracy'"):
        details.figures["val/acuracy"]
    with pytest.raises(KeyError, match="from its second value on"):
        details.figures["single"]
    assert "single" not in details.figures
    assert len(details.figures) == 1
    before = set(_instances)
    details.figures["val/accuracy"]
    assert set(_instances) > before
    details.close()
    with pytest.raises(UserError, match="the display is closed"):
        details.figures["val/accuracy"]
