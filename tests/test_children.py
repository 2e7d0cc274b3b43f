"""The page of child runs without a browser: what it sends and when, and the pop-up that it opens."""

import pytest
from ipywidgets.widgets.widget import _instances

from runwidgets import Experiment, Run, RunDetails, Workspace
from runwidgets.events import RunCreated
from runwidgets.watch.poller import poller
from tests.store_contract import points
from tests.test_details import until


@pytest.fixture
def run():
    run = Experiment(Workspace(), "exp").start_logging(name="parent")
    yield run
    if run.status == "Running":
        run.complete()


@pytest.fixture
def show(monkeypatch):
    """Make displays that are closed in the end; what their tables send is gathered in `sent`."""
    made = []

    def show_(run, **more):
        details = RunDetails(run, **{"refresh_seconds": 0.5, **more})
        details.sent = []
        panel = details._pages["children"].panel
        monkeypatch.setattr(panel, "send", lambda content, _=None: details.sent.append(content))
        made.append(details)
        return details

    yield show_
    for details in made:
        details.close()


def panel_of(details):
    return details._pages["children"].panel


def names_of(details):
    return [row["name"] for row in panel_of(details).state["rows"]]


def add_children(run, count, **tags):
    for i in range(count):
        child = run.child_run(name=f"child {i}")
        child.set_tags({"place": str(i), **tags})
        child.complete()


def test_child_runs_come_whole_first_and_then_as_what_changed(run, show):
    add_children(run, 2)
    details = show(run)
    until(lambda: names_of(details) == ["child 0", "child 1"])
    run.child_run(name="late")
    until(lambda: details.sent)
    assert [row["name"] for row in details.sent[0]["rows"]] == ["late"]
    assert names_of(details) == ["child 0", "child 1", "late"]
    assert panel_of(details).state["seq"] == details.sent[-1]["seq"]


def test_a_table_that_is_empty_yet_knows_what_it_will_be_of(run, show):
    assert panel_of(show(run)).state["what"] == "child runs"


def test_a_browser_that_missed_a_patch_gets_all_and_one_that_did_not_gets_nothing(run, show, monkeypatch):
    add_children(run, 2)
    details = show(run)
    until(lambda: names_of(details))
    panel, states = panel_of(details), []
    monkeypatch.setattr(panel, "send_state", lambda key=None: states.append(key))
    panel._handle_custom_msg({"kind": "have", "seq": panel.state["seq"]}, [])
    assert states == []
    panel._handle_custom_msg({"kind": "have", "seq": 0}, [])
    assert states == ["state"]


def test_what_the_browser_has_when_the_run_is_over_is_all_of_it(run, show, monkeypatch):
    add_children(run, 1)
    details = show(run)
    until(lambda: names_of(details))
    states = []
    monkeypatch.setattr(panel_of(details), "send_state", lambda key=None: states.append(key))
    add_children(run, 2)
    run.complete()
    until(lambda: details._header.state["status"] == "Completed")
    assert states == ["state"]
    assert len(names_of(details)) == 3


def test_many_child_runs_are_sent_when_their_tab_is_opened(run, show):
    run.log("loss", 1.0)  # else their tab would be the first one
    add_children(run, 201)
    details = show(run)
    until(lambda: details._header.state["tabs"][1]["count"] == 201)
    assert names_of(details) == []
    details._header.selected_index = 1
    assert len(names_of(details)) == 201


@pytest.mark.parametrize(("logs", "tab"), [(False, 1), (True, 0)])
def test_the_child_runs_are_the_first_tab_of_who_logs_nothing_itself(run, show, logs, tab):
    if logs:
        run.log("loss", 1.0)
    add_children(run, 1)
    details = show(run)
    until(lambda: names_of(details))
    assert details._header.selected_index == tab


def test_the_child_runs_that_come_later_open_their_tab_unless_somebody_has_turned_one(run, show):
    first, second = show(run), show(run)
    for details in (first, second):
        details._looked.wait(20)
    second._header.selected_index = 3
    second._header.selected_index = 0
    add_children(run, 1)
    for details in (first, second):
        until(lambda details=details: names_of(details))
    assert (first._header.selected_index, second._header.selected_index) == (1, 0)


@pytest.mark.parametrize("run_type", ["hyperdrive", "automl"])
def test_a_sweep_opens_with_its_child_runs_though_it_logs_itself(show, run_type):
    parent = Experiment(Workspace(), "exp").start_logging(name="sweep")
    parent.flush()
    events = [RunCreated("sweep", 1.0, "exp", type=run_type), *points([1.0], "best", "sweep")]
    assert parent._recorder.store.fold("elsewhere", 0, 10, events)
    details = show(Run.get(parent.experiment.workspace, "sweep"))
    details._looked.wait(20)
    assert details._header.selected_index == 1
    parent.complete()


def test_what_is_selected_is_known_in_its_order(run, show):
    children = run.create_children(3)
    details = show(run)
    until(lambda: names_of(details))
    panel = panel_of(details)
    panel.controls = {**panel.controls, "selected": [children[2].id, "unknown", 5, children[0].id]}
    assert panel.selected == [children[2].id, children[0].id]


# ---- the pop-up


@pytest.fixture
def parent(run, show):
    add_children(run, 3)
    details = show(run)
    until(lambda: len(names_of(details)) == 3)
    return details


def open_child(details, place):
    row = panel_of(details).state["rows"][place]
    panel_of(details)._handle_custom_msg({"kind": "open", "run_id": row["run_id"], "name": row["name"]}, [])
    return details._pages["children"].popup


def test_a_row_opens_the_display_of_its_run_and_another_takes_its_place(parent):
    page = parent._pages["children"]
    popup = open_child(parent, 0)
    (bar, shown) = page.children[-1].children
    assert isinstance(shown, RunDetails)
    until(lambda: shown._header.state["run_name"] == "child 0")
    assert bar.state == {"run_id": popup.run_id, "run_name": "child 0", "trouble": None}
    open_child(parent, 2)
    (same_bar, other) = page.children[-1].children
    assert same_bar is bar
    assert not shown._is_open
    until(lambda: other._header.state["run_name"] == "child 2")
    assert bar.state["run_name"] == "child 2"


def test_a_closed_pop_up_leaves_no_widget_and_nobody_who_watches(parent):
    page = parent._pages["children"]
    before, watched = set(_instances), len(poller()._watched)
    for place in (0, 1, 2):
        popup = open_child(parent, place)
    popup._bar._handle_custom_msg({"kind": "close"}, [])
    assert popup.run_id is None
    assert len(page.children) == 1
    assert set(_instances) == before
    until(lambda: len(poller()._watched) == watched)
    assert parent._is_open


def test_a_display_that_is_closed_closes_its_pop_up(run, show):
    add_children(run, 1)
    before = set(_instances)
    details = show(run)
    until(lambda: names_of(details))
    open_child(details, 0)
    details.close()
    left = [type(widget).__name__ for key, widget in _instances.items() if key not in before]
    assert set(left) <= {"Layout"}  # of the display itself
    until(lambda: not poller()._watched)


def test_a_run_that_is_there_no_more_is_told_of_in_the_pop_up(parent, monkeypatch):
    def gone(*_):
        raise RuntimeError("it was deleted")

    popup = open_child(parent, 0)
    monkeypatch.setattr(popup, "_make", gone)
    open_child(parent, 1)
    assert popup._bar.state["trouble"] == "it was deleted"
    assert len(parent._pages["children"].children[-1].children) == 1
    open_child(parent, 2)
    assert popup.run_id == panel_of(parent).state["rows"][2]["run_id"]


@pytest.mark.parametrize(
    "message",
    [
        None,
        "open",
        {"kind": "open"},
        {"kind": "open", "run_id": ["x"]},
        {"kind": "open", "run_id": "unknown"},
        {"kind": 5},
    ],
)
def test_messages_that_are_not_of_the_contract_do_nothing(parent, message):
    panel_of(parent)._handle_custom_msg(message, [])
    assert parent._pages["children"].popup.run_id is None
