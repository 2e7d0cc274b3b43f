"""All that there is at a glance, and a search in it."""

import pytest

from runwidgets import Experiment, Workspace
from runwidgets.errors import QueryError
from runwidgets.watch.overview import Overview, overview_as_text
from runwidgets.widgets.home import HomeView


def ended(experiment, name, loss=1.0, **tags):
    with experiment.start_logging(name=name, snapshot_directory=None) as run:
        run.log("loss", loss)
        run.set_tags(tags)
    return run


def test_experiments_and_their_latest_runs_are_told_with_what_goes_on():
    workspace = Workspace()
    ended(Experiment(workspace, "old"), "first")
    running = Experiment(workspace, "new").start_logging(name="second", snapshot_directory=None)
    running.flush()
    overview = Overview([workspace])
    state = overview.state(1.0)
    assert [(each["name"], each["run_count"], each["running"]) for each in state["experiments"]] == [
        ("new", 1, 1), ("old", 1, 0),
    ]  # fmt: skip
    assert [run["name"] for run in state["running"]] == ["second"]
    assert [run["name"] for run in state["recent"]] == ["second", "first"]
    before = state["experiments"][0]["last_at"]
    running.complete()
    ended(Experiment(workspace, "new"), "third")
    after = overview.state(2.0)
    assert after["experiments"][0]["last_at"] > before
    assert (after["running"], after["recent"][0]["name"]) == ([], "third")


def test_a_look_at_what_has_not_changed_asks_for_one_number(monkeypatch):
    workspace = Workspace()
    ended(Experiment(workspace, "e"), "run")
    overview = Overview([workspace])
    overview.state(1.0)
    store = type(workspace._recorder.store)
    monkeypatch.setattr(store, "experiments", lambda *_: pytest.fail("it was looked at again"))
    assert overview.state(2.0)["experiments"][0]["name"] == "e"


def test_runs_are_found_by_words_ids_and_conditions_in_all_workspaces():
    one, two = Workspace(workspace_name="one"), Workspace(workspace_name="two")
    ridge = ended(Experiment(one, "e"), "ridge baseline", loss=0.5, model="linear")
    ended(Experiment(two, "e"), "Ridge again", loss=2.0)
    overview = Overview([one, two])
    names = lambda text: [run["name"] for run in overview.found(text)["runs"]]  # noqa: E731
    assert names("ridge") == ["Ridge again", "ridge baseline"]
    assert names(ridge.id) == ["ridge baseline"]
    assert names("linear") == ["ridge baseline"]
    assert names("metrics.loss < 1") == ["ridge baseline"]
    assert names("  ") == []
    with pytest.raises(QueryError):
        overview.found("metrics.loss <")


def test_the_display_says_what_cannot_be_read_in_a_search():
    ended(Experiment(Workspace(), "e"), "run")
    view = HomeView()
    sent = []
    view._panel.send = sent.append
    view._panel._handle_custom_msg({"kind": "search", "text": "metrics.loss <"}, [])
    assert sent[0]["runs"] == []
    assert "metrics.loss <" in sent[0]["trouble"]
    view._panel._handle_custom_msg({"kind": "search", "text": 7}, [])
    assert len(sent) == 1
    view.close()


def test_a_display_prints_itself_in_a_terminal_and_has_a_picture_for_notebooks(capsys):
    ended(Experiment(Workspace(), "e"), "<b>run</b>")
    HomeView().show()
    assert "<b>run</b>" in capsys.readouterr().out
    view = HomeView()
    html = view._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;run&lt;/b&gt;" in html
    view.close()
    assert set(view._repr_mimebundle_()) == {"text/html", "text/plain"}
    assert "No run has been recorded yet." in overview_as_text(Overview([]).state(0.0))
