"""`RunDetails` without a browser: what it sends, when it looks, and when it stops."""

import threading
import time

import numpy as np
import pytest
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from ipywidgets.widgets.widget import _instances

from runwidgets import Experiment, RunDetails, UserError, Workspace
from runwidgets.errors import ArgumentTypeError, StoreError
from runwidgets.watch.poller import poller
from runwidgets.watch.view import RunView


@pytest.fixture
def run():
    run = Experiment(Workspace(), "exp").start_logging(name="one")
    yield run
    if run.status == "Running":
        run.complete()


@pytest.fixture
def shown(run):
    """A display as a notebook would have it: with its display bundle asked for."""
    details = RunDetails(run, refresh_seconds=0.5)
    details._repr_mimebundle_()
    yield details
    details.close()


def rows_of(details):
    return details._pages["metrics"].panel.state["rows"]


def drawn(details):
    """Count the charts that are drawn, once all is said about them."""
    return sum(chart["figure"] is not None for chart in details._charts.lens.state["metrics"])


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def test_what_is_logged_appears_by_itself(run, shown):
    for value in (3.0, 2.0, 1.0):
        run.log("loss", value)
    until(lambda: [(r["name"], r["last"], r["count"]) for r in rows_of(shown)] == [("loss", 1.0, 3)])
    until(lambda: len(shown._charts.grid.children) == 1)


def test_a_display_within_another_widget_has_its_charts(run):
    run.log_list("loss", [3.0, 2.0, 1.0])
    details = RunDetails(run)
    details._header._view_count = 1  # as the browser says when the outer widget is shown
    until(lambda: len(details._charts.grid.children) == 1)
    details.close()


def test_the_bundle_says_something_where_there_are_no_widgets(run):
    run.log("loss", 0.25)
    details = RunDetails(run)
    bundle = details._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"}
    assert "0.25" in bundle["text/plain"]
    assert "0.25" in bundle["text/html"]
    details.close()


def test_in_a_terminal_it_prints_the_run_and_follows_it_no_further(run, capsys):
    run.log("loss", 0.25)
    RunDetails(run).show()
    assert "● Running   exp / one #1" in capsys.readouterr().out
    assert not poller()._watched


def test_a_change_of_status_by_this_process_is_shown_at_once_and_ends_the_watching(run):
    details = RunDetails(run)  # would look again in ten seconds at the earliest
    details._looked.wait(20)
    run.fail("no data")
    until(lambda: details._header.state["status"] == "Failed", seconds=9)
    assert details._header.state["error"]["message"] == "no data"
    assert details._header.state["next_refresh_at"] is None
    until(lambda: not poller()._watched)
    details.close()


def test_the_refresh_button_looks_at_once(run):
    details = RunDetails(run)
    details._looked.wait(20)
    run.log("loss", 1.0)
    details._header._handle_custom_msg({"kind": "refresh"}, [])
    until(lambda: rows_of(details), seconds=9)
    details.close()


def test_a_store_that_does_not_answer_is_a_banner_over_the_last_good_data(run, shown, monkeypatch):
    run.log("loss", 1.0)
    until(lambda: rows_of(shown))

    def away(*_):
        raise StoreError("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(type(run._recorder.store), "changes", away)
        until(lambda: shown._header.state["banner"] == "the store is away")
        assert rows_of(shown)
    until(lambda: shown._header.state["banner"] is None)


def test_closing_ends_the_watching_and_closes_every_model(run):
    before = set(_instances)
    details = RunDetails(run, refresh_seconds=0.5)
    details._repr_mimebundle_()
    for i in range(3):
        run.log("loss", i)
        run.log_row("table", a=i, b=float("nan"), c=1)
    until(lambda: drawn(details) == 2)
    details.close()
    until(lambda: not poller()._watched)
    left = [type(widget).__name__ for key, widget in _instances.items() if key not in before]
    assert set(left) <= {"Layout"}  # one for each box: ipywidgets itself leaves those to the garbage collector


def test_it_pauses_when_the_last_view_goes_and_goes_on_when_one_comes_back(run, shown):
    shown._header._view_count = 1
    shown._header._view_count = 0
    until(lambda: not poller()._watched)
    run.log("loss", 1.0)
    shown._header._view_count = 1
    until(lambda: rows_of(shown))


def test_a_look_that_finds_nothing_new_sends_nothing_unless_somebody_waits_for_it(run, shown):
    run.log("loss", 1.0)
    run.log("loss", 2.0)
    until(lambda: drawn(shown) == 1)
    looks = []
    on_look = shown._subscription.on_look
    shown._subscription.on_look = lambda look: (on_look(look), looks.append(look))
    until(lambda: len(looks) >= 1)
    sent = []
    for widget in list(_instances.values()):
        widget.observe(lambda change: sent.append(type(change["owner"]).__name__))
    until(lambda: len(looks) >= 4)
    assert not sent
    shown._header._handle_custom_msg({"kind": "refresh"}, [])
    until(lambda: sent)
    assert set(sent) == {"HeaderPanel"}


def test_controls_are_obeyed(run, shown):
    for i in range(4):
        run.log("loss", i)
        run.log("accuracy", i)
    until(lambda: drawn(shown) == 2)
    controls = dict(shown._pages["metrics"].panel.controls)
    shown._pages["metrics"].panel.controls = {**controls, "filter": "LOSS", "columns": 3}
    assert [row["name"] for row in rows_of(shown)] == ["loss"]
    assert "rw-columns-3" in shown._charts.grid._dom_classes
    until(lambda: len(shown._charts.grid.children) == 1)
    shown._pages["metrics"].panel.controls = {**controls, "smoothing": 0.9, "x_axis": "time", "y_scale": "log"}
    until(lambda: type(shown._charts.grid.cards[0].figure.axes[0].scale).__name__ == "DateScale")
    until(lambda: len(shown._charts.grid.cards[0].figure.marks) == 2)


def axis_of_times(details):
    """Give how far the texts of the first chart's time axis, which bqplot writes as UTC, are ahead of UTC, in hours."""
    (card,) = details._charts.grid.children
    last = np.datetime64(card.figure.marks[0].x[-1], "ms").astype(float) / 1000
    return round((last - time.time()) / 3600, 1)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be changed here")
def test_times_are_those_of_the_browser_and_until_it_has_said_its_zone_those_of_the_process(run, shown, monkeypatch):
    monkeypatch.setenv("TZ", "XYZ-9")
    time.tzset()
    try:
        run.log_list("loss", [3.0, 2.0, 1.0])
        shown._pages["metrics"].panel.controls = {**shown._pages["metrics"].panel.controls, "x_axis": "time"}
        until(lambda: drawn(shown) and axis_of_times(shown) == 9)
        for zone, hours in (("Asia/Kolkata", 5.5), ("Etc/GMT+3", -3), ("../nonsense", 9), ("UTC", 0), ("", 9)):
            shown._header.time_zone = zone
            until(lambda hours=hours: axis_of_times(shown) == hours)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_nonsense_in_the_controls_is_ignored(run, shown):
    run.log("loss", 1.0)
    until(lambda: rows_of(shown))
    shown._pages["metrics"].panel.controls = {"filter": 7, "page": "x", "columns": None}
    assert [row["name"] for row in rows_of(shown)] == ["loss"]


def test_a_second_display_of_a_run_is_full_though_nothing_has_changed_since_the_first(run):
    run.log_list("loss", [3.0, 2.0])
    run.child_run(name="child").complete()
    first = RunDetails(run, refresh_seconds=600)
    first._looked.wait(20)
    second = RunDetails(run, refresh_seconds=600)
    second._looked.wait(20)
    assert [row["name"] for row in rows_of(second)] == ["loss"]
    assert [row["name"] for row in second._pages["children"].panel.state["rows"]] == ["child"]
    assert second._pages["details"].panel.state["facts"]
    first.close()
    second.close()


def test_what_cannot_be_kept_is_a_banner_over_the_last_good_data(run, shown, monkeypatch):
    run.log("loss", 1.0)
    until(lambda: rows_of(shown))

    def full(_):
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(run._recorder), "flush", full)
        until(lambda: shown._header.state["banner"] == "the disk is full")
        assert shown._header.state["status"] == "Running"
        assert rows_of(shown)[0]["last"] == 1.0
    until(lambda: shown._header.state["banner"] is None)


def test_the_last_look_has_the_end_and_all_metrics_at_the_default_interval(run):
    details = RunDetails(run)
    details._looked.wait(20)
    for i in range(500):
        run.log("loss", float(i))
    run.complete()
    until(lambda: details._header.state["status"] == "Completed", seconds=9)
    until(lambda: rows_of(details))
    assert (
        rows_of(details)[0]["count"],
        rows_of(details)[0]["last"],
    ) == (500, 499.0)
    details.close()


class Kernel(InteractiveShell):
    """A shell as the kernel of a notebook has it, that keeps what is published."""

    kernel = True


class Published(DisplayPublisher):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.outputs = []

    def publish(self, data, *_, transient=None, update=False, **__):
        self.outputs.append((data, (transient or {}).get("display_id"), update))


@pytest.fixture
def notebook():
    """The outputs of a notebook: what was displayed, and what took its place."""
    InteractiveShell.clear_instance()
    shell = Kernel.instance(display_pub_class=Published, history_manager=None)
    yield shell
    Kernel.clear_instance()


def pictures(notebook):
    return [data for data, display_id, _ in notebook.display_pub.outputs if display_id]


def test_a_display_is_a_widget_and_below_it_a_picture_for_readers_without_a_kernel(run, notebook):
    run.log("loss", 0.25)
    details = RunDetails(run)
    details.show()
    (widget, display_id, _), (picture, picture_id, _) = notebook.display_pub.outputs
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] == details.model_id
    assert [widget["text/html"], widget["text/plain"], display_id] == ["", "", None]
    assert set(picture) == {"text/html", "text/plain"}
    assert picture_id
    for form in picture.values():
        assert "0.25" in form
        assert "Running" in form
    # The picture hides while the display is there: it says by which class of the root.
    live = next(name for name in details._dom_classes if name.startswith("rw-live-"))
    assert f"body:has(.{live})" in picture["text/html"]
    details.close()


def test_the_picture_of_a_run_is_drawn_anew_at_its_end_and_in_between_only_now_and_then(run, notebook):
    details = RunDetails(run, refresh_seconds=0.5)
    details.show()
    for i in range(3):
        run.log("loss", float(i))
        until(lambda i=i: rows_of(details) and rows_of(details)[0]["count"] == i + 1)
    assert len(pictures(notebook)) == 1
    run.complete()
    until(lambda: len(pictures(notebook)) == 2)
    _, (picture, first_id, _), (last, last_id, is_update) = notebook.display_pub.outputs
    assert is_update
    assert first_id == last_id
    assert "Running" in picture["text/html"]
    for form in last.values():
        assert "Completed" in form
        assert "loss" in form
    details.close()
    assert len(pictures(notebook)) == 2, "it has not changed since"


def test_at_the_end_of_the_cell_that_ends_the_run_the_picture_says_so(run, notebook):
    notebook.user_ns.update(run=run, RunDetails=RunDetails)
    notebook.run_cell("details = RunDetails(run); details.show()").raise_error()
    notebook.run_cell("run.log('loss', 0.25); run.complete()").raise_error()
    # With no waiting: what executes notebooks ends the kernel now.
    assert "Completed" in pictures(notebook)[-1]["text/html"]
    assert "0.25" in pictures(notebook)[-1]["text/plain"]
    notebook.run_cell("details.close()").raise_error()
    assert not [f for f in notebook.events.callbacks["post_run_cell"] if "RunDetails" in repr(f)]


def test_closing_leaves_a_picture_of_what_was_shown_last(run, notebook):
    details = RunDetails(run, refresh_seconds=0.5)
    details.show()
    run.log("loss", 0.25)
    until(lambda: rows_of(details))
    details.close()
    assert "Running" in pictures(notebook)[-1]["text/html"]
    assert "0.25" in pictures(notebook)[-1]["text/html"]


def test_a_closed_display_is_shown_again_as_its_last_picture(run, notebook):
    run.log("loss", 0.25)
    details = RunDetails(run)
    details.show()
    details.close()
    notebook.display_pub.outputs.clear()
    notebook.user_ns.update(details=details)
    notebook.run_cell("details").raise_error()
    ((picture, display_id, _),) = notebook.display_pub.outputs
    assert set(picture) == {"text/html", "text/plain"}
    assert all("0.25" in form for form in picture.values())
    assert display_id is None
    assert set(details._repr_mimebundle_()) == {"text/html", "text/plain"}
    assert not [f for f in notebook.events.callbacks["post_run_cell"] if "RunDetails" in repr(f)]


def test_a_display_closed_before_its_first_look_looks_once_when_it_is_shown(run, capsys):
    run.log("loss", 0.25)
    details = RunDetails(run)
    details.close()
    details._view = RunView()  # as where the first look came too late
    details.show()
    said = capsys.readouterr().out
    assert "● Running   exp / one #1" in said
    assert "0.25" in said
    assert not poller()._watched


def test_before_the_first_look_its_repr_has_the_status_that_the_run_knows(run):
    details = RunDetails(run)
    details.close()
    details._view = RunView()  # as where no look has come yet
    assert repr(details) == f"RunDetails({run.id!r}, Running)"


def test_two_displays_of_one_run_share_one_feed(run):
    first, second = RunDetails(run), RunDetails(run)
    first._looked.wait(20)
    second._looked.wait(20)
    assert len(poller()._watched) == 1
    assert first._view is second._view
    first.close()
    second.close()


@pytest.mark.parametrize("seconds", [0.1, 0, -1, float("nan"), "2", True])
def test_an_interval_that_is_too_short_or_no_number_is_refused(run, seconds):
    with pytest.raises(UserError, match="refresh_seconds"):
        RunDetails(run, refresh_seconds=seconds)


def test_something_that_is_no_run_is_refused():
    with pytest.raises(ArgumentTypeError, match="RunDetails shows a Run, not a str"):
        RunDetails("run")


def test_drawing_uses_no_thread_that_would_keep_the_process_alive(run, shown):
    run.log("loss", 1.0)
    assert all(t.daemon for t in threading.enumerate() if t.name.startswith("runwidgets"))
