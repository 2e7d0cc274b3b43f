"""Experiments: how they begin, are listed, tagged, archived and deleted, and how they look."""

from __future__ import annotations

import datetime as dt
import shutil
import uuid

import pytest

from runwidgets import Experiment, Run, ViewType, Workspace
from runwidgets.errors import ArgumentTypeError, NotFoundError, StoreError, UserError
from runwidgets.store.recorder import close_all
from runwidgets.watch.feed import Feed


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    close_all()


@pytest.fixture
def workspace():
    return Workspace()


@pytest.fixture
def experiment(workspace):
    return Experiment(workspace, "exp")


def names(*arguments, **options):
    return [experiment.name for experiment in Experiment.list(*arguments, **options)]


# ---- listing


def test_experiments_are_listed_from_their_first_run_on(workspace, experiment):
    assert Experiment.list(workspace) == []
    run = experiment.start_logging()
    assert Experiment.list(workspace) == [experiment]
    run.complete()


def test_experiments_are_listed_by_name_by_tag_and_by_state(workspace):
    for name in ("a", "b", "c"):
        Experiment(workspace, name).set_tags({"team": name, "kind": "x"})
    Experiment(workspace, "b").archive()
    assert names(workspace) == ["a", "c"]
    assert names(workspace, view_type=ViewType.ArchivedOnly) == ["b"]
    assert names(workspace, view_type="All") == ["a", "b", "c"]
    assert names(workspace, "c") == ["c"]
    assert names(workspace, "b") == []
    assert names(workspace, tags="kind") == ["a", "c"]
    assert names(workspace, tags={"team": "c", "kind": "x"}) == ["c"]
    assert names(workspace, tags={"team": "c", "kind": "y"}) == []
    assert names(workspace, None, ViewType.All, {"team": "b"}) == ["b"]


def test_a_wrong_filter_is_refused(workspace):
    with pytest.raises(UserError, match="view_type is 'Active': it must be one of ActiveOnly, All, ArchivedOnly"):
        Experiment.list(workspace, view_type="Active")
    with pytest.raises(UserError, match="tags is"):
        Experiment.list(workspace, tags=["a"])


# ---- tags


def test_tags_are_those_that_were_set_in_whichever_process(workspace, experiment):
    assert experiment.tags == {}
    other = Experiment(workspace, "exp")
    assert other.tags == {}
    experiment.tag("a")
    experiment.set_tags({"b": 1, "c": "3"})
    experiment.remove_tags(["c", "unknown"])
    assert experiment.tags == {"a": None, "b": "1"}
    assert other.tags == {}
    other.refresh()
    assert other.tags == Experiment(workspace, "exp").tags == {"a": None, "b": "1"}


def test_wrong_tags_are_refused_and_nothing_begins_to_exist(workspace, experiment):
    for wrong in (["a"], "a", {1: "a"}):
        with pytest.raises(ArgumentTypeError):
            experiment.set_tags(wrong)
    with pytest.raises(ArgumentTypeError, match="remove_tags"):
        experiment.remove_tags("a")
    assert Experiment.list(workspace, view_type=ViewType.All) == []


# ---- archiving


def test_an_archived_experiment_says_since_when_and_is_active_again_when_it_is_reactivated(workspace, experiment):
    assert experiment.archived_time is None
    before = dt.datetime.now(dt.UTC)
    experiment.archive()
    assert before <= experiment.archived_time <= dt.datetime.now(dt.UTC)
    assert Experiment(workspace, "exp").archived_time == experiment.archived_time
    experiment.reactivate()
    assert experiment.archived_time is None
    assert Experiment.list(workspace) == [experiment]


def test_an_archived_experiment_is_active_again_when_it_is_logged_to(workspace, experiment):
    experiment.start_logging().complete()
    experiment.archive()
    assert Experiment.list(workspace) == []
    experiment.start_logging().complete()
    assert Experiment.list(workspace) == [experiment]
    experiment.refresh()
    assert experiment.archived_time is None


def test_a_new_name_is_refused(experiment):
    experiment.archive()
    with pytest.raises(UserError, match="an experiment keeps its name"):
        experiment.reactivate("other")
    with pytest.raises(UserError):
        experiment.reactivate(new_name="")
    assert experiment.archived_time is not None


# ---- what it is


def test_the_id_is_one_for_each_experiment_and_always_the_same(workspace, experiment):
    assert uuid.UUID(experiment.id)
    assert experiment.id == Experiment(Workspace(), "exp").id
    assert len({experiment.id, Experiment(workspace, "e").id, Experiment(Workspace(workspace_name="w"), "exp").id}) == 3
    assert experiment.workspace_object is workspace


# ---- deleting


def test_a_deleted_experiment_is_gone_with_runs_metrics_and_files(runwidgets_home, workspace, experiment):
    with experiment.start_logging() as run, run.child_run() as child:
        run.log("m", 1.0)
        child.upload_file("a/b.txt", __file__)
    with Experiment(workspace, "kept").start_logging() as kept:
        kept.upload_file("c.txt", __file__)
    Experiment.delete(workspace, experiment.id)
    assert names(workspace) == ["kept"]
    assert list(experiment.get_runs(include_children=True)) == []
    for run_id in (run.id, child.id):
        with pytest.raises(NotFoundError):
            Run.get(workspace, run_id)
    assert [path.name for path in (runwidgets_home / "default" / "artifacts").iterdir()] == [kept.id]
    assert kept.get_file_names() == ["c.txt"]


def test_an_unknown_id_is_refused_and_the_known_are_listed(workspace, experiment):
    experiment.tag("a")
    with pytest.raises(NotFoundError, match=rf"no experiment with the id 'exp': it has exp \({experiment.id}\)"):
        Experiment.delete(workspace, "exp")
    Experiment.delete(workspace, experiment.id)
    with pytest.raises(NotFoundError, match="it has none"):
        Experiment.delete(workspace, experiment.id)


def test_an_archived_experiment_can_be_deleted(workspace, experiment):
    experiment.archive()
    Experiment.delete(workspace, experiment.id)
    assert Experiment.list(workspace, view_type=ViewType.All) == []


def test_an_experiment_is_not_deleted_under_a_run_of_this_process(workspace, experiment):
    run = experiment.start_logging()
    run.log("m", 1.0)
    with pytest.raises(UserError, match=rf"cannot be deleted while runs of it are going on \({run.id}\)"):
        Experiment.delete(workspace, experiment.id)
    run.log("m", 2.0)
    run.complete()
    assert run.get_metrics() == {"m": [1.0, 2.0]}
    Experiment.delete(workspace, experiment.id)


def test_whoever_holds_a_deleted_run_reads_nothing_and_does_not_fail(workspace, experiment):
    with experiment.start_logging() as run:
        run.log("m", 1.0)
        run.tag("a")
    feed = Feed(workspace._recorder, run.id)
    feed.step()
    Experiment.delete(workspace, experiment.id)
    assert not feed.step()
    assert list(feed.view.metrics) == ["m"]
    assert run.get_status() == "Completed"
    assert run.get_metrics() == run.get_tags() == run.get_properties() == {}
    assert run.get_file_names() == list(run.get_children()) == []
    assert run.get_details()["status"] == "Completed"
    assert "Completed" in repr(run)


def test_files_that_cannot_be_deleted_are_told_and_the_runs_are_gone(workspace, experiment, caplog, monkeypatch):
    with experiment.start_logging() as run:
        run.upload_file("a.txt", __file__)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    Experiment.delete(workspace, experiment.id)
    assert f"run {run.id} is deleted, but files of it are left" in caplog.text
    assert Experiment.list(workspace) == []


# ---- when the store is away


def test_to_name_an_experiment_needs_no_store(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RUNWIDGETS_HOME", str(tmp_path / "file" / "home"))
    experiment = Experiment(Workspace(), "exp")
    assert experiment.id
    assert experiment._repr_html_()
    with pytest.raises(StoreError):
        _ = experiment.tags
    with pytest.raises(StoreError):
        experiment.tag("a")


# ---- how it looks

HOSTILE = "<img src=x onerror=alert(1)>&\"'"


def cells(html):
    head, body = (
        html.removeprefix("<table><thead><tr>").removesuffix("</tr></tbody></table>").split("</tr></thead><tbody><tr>")
    )
    texts = [part.split("<td>")[1] for part in body.split("</td>")[:-1]]
    return dict(zip([part.split("<th>")[1] for part in head.split("</th>")[:-1]], texts, strict=True))


def test_an_experiment_is_a_table_in_a_notebook(experiment):
    assert cells(experiment._repr_html_()) == {"Name": "exp", "Workspace": "default"}
    assert str(experiment) == repr(experiment) == "Experiment(Name: exp,\nWorkspace: default)"


def test_a_run_is_a_table_in_a_notebook_with_the_status_of_now(workspace, experiment):
    run = experiment.start_logging()
    other = Run(experiment, run.id)
    assert cells(other._repr_html_()) == {"Experiment": "exp", "Id": run.id, "Type": "", "Status": "Running"}
    run.complete()
    assert cells(other._repr_html_())["Status"] == "Completed"
    assert str(run) == f"Run(Experiment: exp,\nId: {run.id},\nType: None,\nStatus: Completed)"


def test_what_a_user_wrote_is_text_in_every_table(experiment):
    workspace = Workspace.create("w", resource_group=HOSTILE, subscription_id=HOSTILE, location=HOSTILE)
    run = experiment.start_logging()
    run._type = HOSTILE
    run.complete()
    for shown in (workspace, run):
        assert "<img" not in shown._repr_html_()
        assert "&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#x27;" in cells(shown._repr_html_()).values()


def test_a_run_is_shown_as_it_was_last_seen_while_the_store_is_away(runwidgets_home, experiment):
    run = experiment.start_logging()
    run.log("m", 1.0)
    run.flush()
    store = runwidgets_home / "default" / "runs.sqlite"
    run._recorder.store.close()
    store.rename(store.with_name("away"))
    for leftover in store.parent.glob("runs.sqlite-*"):
        shutil.move(leftover, leftover.with_name(f"away{leftover.name.removeprefix('runs.sqlite')}"))
    store.mkdir()
    try:
        assert cells(run._repr_html_())["Status"] == "Running"
        assert "Status: Running" in repr(run)
    finally:
        store.rmdir()
        for kept in store.parent.glob("away*"):
            kept.rename(store.with_name(f"runs.sqlite{kept.name.removeprefix('away')}"))
    run.complete()
    assert run.get_metrics() == {"m": 1.0}
