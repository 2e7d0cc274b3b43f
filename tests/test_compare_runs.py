"""`RunList` and `CompareRuns` without a browser: what they show, when they look, and when they stop."""

import struct
import subprocess
import sys
import zlib

import pytest
from ipywidgets.widgets.widget import _instances

from runwidgets import CompareRuns, Experiment, RunDetails, RunList, UserError, Workspace
from runwidgets.deleting import delete_runs
from runwidgets.errors import ArgumentTypeError, StoreError
from runwidgets.watch.poller import poller
from runwidgets.watch.roster import MAX_RUNS
from tests.submissions import project, start  # noqa: F401 (fixtures)
from tests.test_details import Kernel, notebook, pictures, until  # noqa: F401 (fixtures)


@pytest.fixture
def experiment():
    return Experiment(Workspace(), "exp")


def begin(experiment, name, values=(), **tags):
    run = experiment.start_logging(name=name, tags=tags, outputs=False, snapshot_directory=None)
    run.log_list("loss", list(values))
    return run


def ended(experiment, name, values=(3.0, 2.0, 1.0), **tags):
    run = begin(experiment, name, values, **tags)
    run.complete()
    return run


def png(red=0):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes([0, red, 0, 0]))) + chunk(b"IEND", b"")


@pytest.fixture
def show():
    """Show runs as a notebook would, with a look every half second."""
    opened = []

    def show_(kind, given, **more):
        opened.append(kind(given, refresh_seconds=0.5, **more))
        opened[-1]._repr_mimebundle_()
        return opened[-1]

    yield show_
    for view in opened:
        view.close()
    assert poller()._errands == []
    assert not poller()._watched


def names(view):
    return [row["name"] for row in view._table.state["rows"]]


def drawn(view):
    return [line["label"] for line in view._chosen.overlay.state["lines"]]


def say(panel, **message):
    panel._handle_custom_msg(message, [])


def select(view, *runs):
    view._runs.controls = {**view._runs.controls, "selected": [run.id for run in runs]}


# ---- what is shown


def test_all_runs_that_are_compared_are_drawn_at_once(experiment, show):
    runs = [ended(experiment, name, model=name) for name in ("a", "b", "c")]
    view = show(CompareRuns, runs)
    assert (names(view), drawn(view)) == (["a", "b", "c"], ["a", "b", "c"])
    assert view._chosen.overlay.state["metric"] == "loss"
    differs = [row["name"] for row in view._chosen.differences.state["rows"] if row["differs"]]
    assert differs == ["model"]
    assert view._heading.state["title"] == "exp"
    assert repr(view) == "CompareRuns('exp', 3 runs)"


def test_of_an_experiment_the_newest_five_are_drawn_until_somebody_selects_others(experiment, show):
    runs = [ended(experiment, f"run {n}") for n in range(7)]
    view = show(RunList, experiment)
    assert (len(names(view)), drawn(view)) == (7, [f"run {n}" for n in range(2, 7)])
    ended(experiment, "run 7")
    until(lambda: drawn(view) == [f"run {n}" for n in range(3, 8)])
    select(view, runs[0], runs[1])
    assert drawn(view) == ["run 0", "run 1"]
    ended(experiment, "run 8")
    until(lambda: "run 8" in names(view))
    assert drawn(view) == ["run 0", "run 1"]
    select(view)
    assert (drawn(view), view._chosen.overlay.state["chosen"]) == ([], 0)
    assert view._runs.chosen["sort"] == {"id": "number", "direction": "descending"}


def test_a_live_run_grows_in_the_overlay_and_appears_in_the_table(experiment, show):
    view = show(RunList, experiment)
    assert names(view) == []
    with begin(experiment, "live", [3.0, 2.0]) as run:
        until(lambda: drawn(view) == ["live"])
        run.log("loss", 1.0)
        until(lambda: view._chosen.overlay.points[run.id].shape[1] == 3)
        assert view._table.state["rows"][0]["status"] == "Running"
    until(lambda: view._table.state["rows"][0]["status"] == "Completed")


def test_runs_of_several_experiments_and_workspaces_are_compared(experiment, show):
    other = Experiment(Workspace(workspace_name="other"), "else")
    runs = [ended(experiment, "here"), ended(other, "there"), ended(Experiment(other.workspace, "third"), "third")]
    view = show(CompareRuns, [*runs, runs[0]])
    assert drawn(view) == ["here", "there", "third"]
    assert view._heading.state["title"] == "exp and 2 more experiments"
    say(view._runs, kind="open", run_id=runs[1].id, name="there")
    assert isinstance(view._popup._display, RunDetails)


def test_an_experiment_is_filtered_as_its_runs_are(experiment, show):
    parent = ended(experiment, "tagged", model="mlp")
    ended(experiment, "plain")
    parent.child_run("child").complete()
    assert names(show(RunList, experiment, tags={"model": "mlp"})) == ["tagged"]
    assert names(show(RunList, experiment)) == ["tagged", "plain"]
    assert names(show(RunList, experiment, include_children=True)) == ["tagged", "plain", "child"]
    late = show(RunList, experiment, tags="late")
    parent.tag("late", "1")
    until(lambda: names(late) == ["tagged"])


def test_a_deleted_run_leaves_the_table_and_the_overlay(experiment, show):
    runs = [ended(experiment, name) for name in ("a", "b")]
    view = show(CompareRuns, runs)
    delete_runs(experiment.workspace, [runs[0].id])
    until(lambda: (names(view), drawn(view)) == (["b"], ["b"]))


def test_images_are_side_by_side_and_refused_ones_have_a_note(experiment, show, tmp_path):
    runs = []
    for n in range(2):
        run = begin(experiment, f"run {n}")
        for number in range(2 - n):
            path = tmp_path / f"{n}{number}.png"
            path.write_bytes(png(number))
            run.log_image("samples", path)
        run.complete()
        runs.append(run)
    view = show(CompareRuns, runs)
    sides = view._chosen.sides
    state = sides.state
    assert (state["name"], state["most"], [(s["label"], s["number"]) for s in state["sides"]]) == (
        "samples", 2, [("run 0", 2), ("run 1", 1)],
    )  # fmt: skip
    sent = []
    sides.send = lambda content, buffers=None: sent.append((content, buffers))
    for message in ({"kind": "want", "key": state["sides"][0]["key"]}, {"kind": "want", "key": "../x"}, "text", None):
        sides._handle_custom_msg(message, [])
    (((message, (data,))),) = sent
    assert (message["mime"], data) == ("image/png", png(1))
    assert sides._sides.picture({"kind": "want", "key": f"{runs[0].id}/../../x"}) is None
    sides.controls = {"name": "samples", "number": 1}
    assert [side["number"] for side in sides.state["sides"]] == [1, 1]
    experiment.workspace._files.path(runs[1].id, sides.state["sides"][1]["key"].partition("/")[2]).write_bytes(
        b"\x89PNG"
    )
    sides.controls = {"name": "none", "number": -3}
    assert sides.state["name"] == "samples"
    fresh = show(CompareRuns, runs)
    assert fresh._chosen.sides.state["sides"][1]["note"] == "not a PNG, JPEG, GIF, WebP or BMP image"


def test_packages_of_interactive_runs_are_compared(experiment, show, monkeypatch):
    runs = []
    for version in ("1.26", "2.0"):
        monkeypatch.setattr(
            "runwidgets.surroundings.packages_text", lambda version=version: f"numpy=={version}\nx==1\n"
        )
        runs.append(ended(experiment, version))
    rows = show(CompareRuns, runs)._chosen.differences.state["rows"]
    assert [(row["name"], row["values"], row["differs"]) for row in rows if row["kind"] == "package"] == [
        ("numpy", ["1.26", "2.0"], True), ("x", ["1", "1"], False),
    ]  # fmt: skip


def test_the_arguments_of_submitted_scripts_are_compared(start, show):  # noqa: F811
    runs = [start("", "--alpha", alpha) for alpha in ("0.1", "0.2")]
    for run in runs:
        run.wait_for_completion()
    view = show(CompareRuns, runs)
    rows = {
        (row["kind"], row["name"]): row["values"] for row in view._chosen.differences.state["rows"] if row["differs"]
    }
    assert rows["argument", "alpha"] == [0.1, 0.2]


# ---- costs


def test_nothing_is_sent_while_nothing_changes(experiment, show, monkeypatch):
    runs = [ended(experiment, name) for name in ("a", "b")]
    view = show(CompareRuns, runs)
    looks, sent = [], []
    step = view._roster.step
    monkeypatch.setattr(view._roster, "step", lambda: looks.append(1) or step())
    for panel in (view._heading, view._runs, view._chosen.overlay, view._chosen.differences, view._chosen.sides):
        panel.observe(sent.append)
        panel.send = lambda *args: sent.append(args)
    until(lambda: len(looks) > 1)
    assert sent == []


def test_of_very_many_runs_the_newest_are_listed_and_it_says_so(experiment, show, monkeypatch):
    monkeypatch.setattr("runwidgets.widgets.comparing.MAX_RUNS", 3)
    for n in range(5):
        ended(experiment, f"run {n}", [1.0])
    view = show(RunList, experiment)
    assert (names(view), view._table.state["total"]) == (["run 2", "run 3", "run 4"], 5)
    assert view._heading.state["subtitle"] == "5 runs, the newest 3 are listed"
    assert MAX_RUNS == 2000


def test_a_store_that_does_not_answer_is_told_over_the_last_view(experiment, show, monkeypatch):
    view = show(CompareRuns, [ended(experiment, "a")])

    def away(*_):
        raise StoreError("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(type(experiment.workspace._recorder.store), "news", away)
        until(lambda: view._heading.state["notes"] == ["⚠ the store is away"])
        assert (names(view), drawn(view)) == (["a"], ["a"])
    until(lambda: view._heading.state["notes"] == [])


# ---- life


def test_it_looks_no_more_while_it_cannot_be_seen_and_at_once_when_it_can(experiment, show):
    view = show(RunList, experiment)
    view._runs._view_count = 1
    view._runs._view_count = 0
    assert poller()._errands == []
    ended(experiment, "late")
    assert names(view) == []
    view._runs._view_count = 1
    until(lambda: names(view) == ["late"])


def test_one_that_is_never_shown_does_not_look(experiment):
    view = RunList(experiment)
    assert poller()._errands == []
    view.close()


def test_closing_closes_every_model_and_the_run_that_is_open(experiment, show):
    before = set(_instances)
    run = ended(experiment, "a")
    view = show(CompareRuns, [run])
    say(view._runs, kind="open", run_id=run.id, name="a")
    details = view._popup._display
    assert details._is_open
    view.close()
    assert not details._is_open
    assert poller()._errands == []
    assert {key for key in set(_instances) - before if "Layout" not in type(_instances[key]).__name__} == set()


def test_a_run_is_opened_over_the_table_and_shut(experiment, show):
    run = ended(experiment, "a")
    view = show(RunList, experiment)
    for message in ({"kind": "open", "run_id": "no such run"}, {"kind": "open"}, {"kind": "open", "run_id": 7}):
        view._runs._handle_custom_msg(message, [])
    assert view._popup.run_id is None
    say(view._runs, kind="open", run_id=run.id, name="a")
    assert view._popup.run_id == run.id
    view._popup._bar._handle_custom_msg({"kind": "close"}, [])
    assert view._popup.run_id is None


def test_in_a_terminal_it_prints_the_table_and_follows_no_further(experiment, capsys):
    ended(experiment, "first\x1b[31m", [0.25])
    with begin(experiment, "second", [0.5, 0.125]):
        RunList(experiment).show()
    said = capsys.readouterr().out
    assert said.startswith("● exp   2 runs\n")
    assert "\x1b" not in said
    lines = said.splitlines()
    assert [line.split()[1] for line in lines[2:]] == ["second", "first�[31m"]
    assert "0.125" in lines[2]
    assert poller()._errands == []


def test_what_a_notebook_keeps_has_the_table_and_the_lines_and_escapes_names(experiment, show):
    runs = [ended(experiment, "<b>bold</b>", [1.0, float("nan"), 3.0]), ended(experiment, "flat", [2.0, 2.0])]
    bundle = CompareRuns(runs)
    html = bundle._repr_mimebundle_()["text/html"]
    bundle.close()
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "<b>bold" not in html
    assert html.count("<path fill=") == 2
    assert "nan" not in html.casefold()


def test_what_a_notebook_keeps_of_groups_are_their_means(experiment, show):
    runs = [ended(experiment, name, [1.0, 2.0, 3.0], model=name[0]) for name in ("a1", "a2", "b1")]
    view = show(CompareRuns, runs)
    view._chosen.overlay.controls = {**view._chosen.overlay.controls, "group_by": "tag model", "x_axis": "index"}
    html = view._draw_still(view._seen()).html
    assert html.count("<path fill=") == 2
    assert all(word in html for word in ("model = a", "model = b", ">index 2<"))


def test_in_a_notebook_it_is_a_widget_and_below_it_a_picture(experiment, notebook):  # noqa: F811
    run = ended(experiment, "a")
    view = CompareRuns([run])
    view.show()
    (widget, display_id, _), (picture, picture_id, _) = notebook.display_pub.outputs
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] == view.model_id
    assert [widget["text/html"], widget["text/plain"], display_id] == ["", "", None]
    assert picture_id
    assert "exp" in picture["text/html"]
    view.close()
    notebook.display_pub.outputs.clear()
    notebook.user_ns.update(view=view)
    notebook.run_cell("view").raise_error()
    ((picture, display_id, _),) = notebook.display_pub.outputs
    assert set(picture) == {"text/html", "text/plain"}


# ---- what is refused


def test_what_is_no_run_is_refused_with_what_to_do(experiment):
    run = ended(experiment, "a")
    for given, said in (
        (7, "not a int"), ("id", "not a str"), (run, r"CompareRuns\(\[run\]\)"), ([run, "id"], "item 1 .* is a str"),
        (None, "not a NoneType"), ([experiment], "item 0 .* is a Experiment"),
    ):  # fmt: skip
        with pytest.raises(ArgumentTypeError, match=said):
            CompareRuns(given)
    for given, said in ((7, "not a int"), (run, "not a single Run"), ([7], "item 0")):
        with pytest.raises(ArgumentTypeError, match=said):
            RunList(given)


def test_no_runs_and_runs_that_cannot_be_told_apart_are_refused(experiment):
    for kind in (CompareRuns, RunList):
        with pytest.raises(UserError, match="has no run to show"):
            kind([])
    with pytest.raises(UserError, match="has been chosen already"):
        RunList([ended(experiment, "a")], tags="x")
    with pytest.raises(UserError, match=r"refresh_seconds is 0\.1"):
        RunList(experiment, refresh_seconds=0.1)
    twins = [
        Experiment(workspace, "exp").start_logging(run_id="same", snapshot_directory=None)
        for workspace in (experiment.workspace, Workspace(workspace_name="other"))
    ]
    for run in twins:
        run.complete()
    with pytest.raises(UserError, match=r"'default' and 'other' both have a run 'same'"):
        CompareRuns(twins)
    assert poller()._errands == []


def test_the_package_offers_both_without_loading_widgets():
    code = (
        "import sys, runwidgets; print({'RunList', 'CompareRuns'} <= {*dir(runwidgets)}, 'ipywidgets' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "True False\n"


# ---- child runs


def test_children_that_are_selected_are_compared_below_their_table(experiment):
    with experiment.start_logging(name="sweep", snapshot_directory=None) as parent:
        children = []
        for n in range(3):
            child = parent.child_run(f"child {n}")
            child.log_list("loss", [1.0 * n, 2.0])
            child.complete()
            children.append(child)
        details = RunDetails(parent, refresh_seconds=0.5)
        details._repr_mimebundle_()
        page = details._pages["children"]
        until(lambda: len(page._table.state["rows"]) == 3)
        assert page._chosen is None
        page.panel.controls = {**page.panel.controls, "selected": [children[2].id, children[0].id]}
        overlay = page._chosen.overlay
        assert [line["label"] for line in overlay.state["lines"]] == ["child 2", "child 0"]
        assert page.children[:2] == (page.panel, page._chosen)
        page.panel.controls = {**page.panel.controls, "selected": []}
        assert overlay.state["chosen"] == 0
        details.close()
    assert overlay.comm is None
