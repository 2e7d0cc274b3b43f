"""Workspaces and experiments: what they are called, and how a configuration names them."""

from __future__ import annotations

import json

import pytest

import runwidgets
from runwidgets import Experiment, Workspace
from runwidgets.errors import NotFoundError, RunwidgetsError, UserError
from runwidgets.store.recorder import close_all

KEYS = {"subscription_id": "sub", "resource_group": "group", "workspace_name": "team"}
SCOPE = "/subscriptions/sub/resourceGroups/group/providers/Microsoft.MachineLearningServices/workspaces/team"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    yield project
    close_all()


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def described(workspace):
    return workspace.subscription_id, workspace.resource_group, workspace.name


# ---- from_config


def test_without_a_configuration_it_is_the_default_workspace():
    assert described(Workspace.from_config()) == ("", "", "default")


@pytest.mark.parametrize("folder", [".azureml", "aml_config", "."])
@pytest.mark.parametrize("name", ["config.json", "project.json"])
def test_a_configuration_is_found_in_the_current_folder(project, folder, name):
    write(project / folder / name, KEYS)
    assert described(Workspace.from_config()) == ("sub", "group", "team")


def test_a_configuration_is_found_in_the_nearest_folder_above(project, monkeypatch):
    write(project / "config.json", {"workspace_name": "far"})
    write(project / "a" / ".azureml" / "config.json", {"workspace_name": "near"})
    deep = project / "a" / "b" / "c"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert Workspace.from_config().name == "near"
    assert Workspace.from_config(path=project / "a" / "b").name == "near"
    assert Workspace.from_config(path=str(project)).name == "far"


def test_the_folder_azureml_comes_before_a_plain_file(project):
    write(project / "config.json", {"workspace_name": "plain"})
    write(project / ".azureml" / "config.json", {"workspace_name": "hidden"})
    assert Workspace.from_config().name == "hidden"


def test_a_file_may_have_any_name(project):
    file = write(project / "other" / "mine.json", KEYS)
    assert Workspace.from_config(file).name == "team"
    assert Workspace.from_config(path=project / "other", _file_name="mine.json").name == "team"


@pytest.mark.parametrize("content", [KEYS, {"Scope": SCOPE}, {"Id": SCOPE}, {"Scope": SCOPE.replace("G", "g")}])
def test_a_configuration_names_the_workspace_by_keys_or_by_scope(project, content):
    write(project / "config.json", content)
    assert described(Workspace.from_config()) == ("sub", "group", "team")


def test_a_byte_order_mark_does_no_harm(project):
    (project / "config.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(KEYS).encode())
    assert Workspace.from_config().name == "team"


def test_a_path_that_leads_to_no_configuration_raises(project):
    with pytest.raises(NotFoundError, match="no workspace configuration"):
        Workspace.from_config(path=project)


def test_a_path_that_does_not_exist_raises_whatever_lies_above_it(project):
    write(project / "config.json", KEYS)
    for missing in ("missing.json", "missing/config.json"):
        with pytest.raises(NotFoundError, match="missing"):
            Workspace.from_config(path=missing)


@pytest.mark.parametrize("content", ["{not json", "[]", '"text"', "{}", '{"workspace_name": ""}', '{"Scope": "/x/y"}'])
def test_a_file_that_names_no_workspace_raises_and_is_named(project, content):
    file = write(project / "config.json", content)
    with pytest.raises(UserError, match=str(file)):
        Workspace.from_config()


# ---- names


@pytest.mark.parametrize("name", ["w", "Team.2_x-y", "0", "a" * 255])
def test_a_workspace_has_the_folder_of_its_name(runwidgets_home, name):
    workspace = Workspace(workspace_name=name)
    Experiment(workspace, "e").start_logging().complete()
    assert (runwidgets_home / name / "runs.sqlite").exists()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", "a b", "-a", ".a", "a" * 256, "é", None, 3, "a\n"]
)
def test_a_name_that_could_be_no_folder_is_refused(name):
    with pytest.raises(UserError, match="workspace_name is"):
        Workspace(workspace_name=name)


@pytest.mark.parametrize("name", ["e", "0-x_y", "eté", "a" * 255])
def test_an_experiment_has_a_name_by_the_rules(name):
    assert Experiment(Workspace(), name).name == name


@pytest.mark.parametrize("name", ["", "-a", "_a", "a.b", "a b", "a/b", "éa", "a" * 256, None, 3, "<img>", "a\n"])
def test_a_name_against_the_rules_is_refused(name):
    with pytest.raises(UserError, match="experiment name"):
        Experiment(Workspace(), name)


def test_what_is_printed_is_always_text():
    workspace = Workspace(None, None, "w")
    assert described(workspace) == ("", "", "w")
    assert str(workspace) == "Workspace.create(name='w', subscription_id='', resource_group='')"
    assert str(Experiment(workspace, "e")) == "Experiment(Name: e,\nWorkspace: w)"


def test_equal_names_are_equal_workspaces_and_experiments():
    assert Workspace() == Workspace("other", "other", "default")
    assert Workspace() != Workspace(workspace_name="other")
    assert len({Experiment(Workspace(), "e"), Experiment(Workspace(), "e"), Experiment(Workspace(), "f")}) == 2


def test_to_name_a_workspace_writes_nothing(runwidgets_home):
    Experiment(Workspace(), "e")
    assert list(runwidgets_home.iterdir()) == []


def test_runs_of_an_experiment_come_newest_first_without_children_and_without_those_of_others():
    experiment = Experiment(Workspace(), "e")
    first, second = experiment.start_logging(), experiment.start_logging()
    child = first.child_run()
    Experiment(Workspace(), "f").start_logging().complete()
    assert list(experiment.get_runs()) == [second, first]
    assert [run.number for run in (first, second, child)] == [1, 2, 3]
    for run in (child, first, second):
        run.complete()


# ---- the package


def test_every_public_name_is_there_and_listed():
    for name in runwidgets.__all__:
        assert getattr(runwidgets, name).__module__.startswith("runwidgets.")
        assert name in dir(runwidgets)
    assert runwidgets.__version__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = runwidgets.Nothing


def test_errors_are_also_the_builtins_they_specialise():
    assert issubclass(UserError, ValueError)
    assert issubclass(NotFoundError, LookupError)
    assert issubclass(runwidgets.StoreError, RunwidgetsError)
