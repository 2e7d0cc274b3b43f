"""Workspaces and experiments: what they are called, and how a configuration names them."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import threading

import pytest

import runwidgets
from runwidgets import Experiment, Workspace
from runwidgets.errors import NotFoundError, RunwidgetsError, StoreError, UserError
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


# ---- create, get, list

GIVEN = {
    "subscription_id": "sub", "resource_group": "group", "location": "westeurope", "sku": "enterprise",
    "friendly_name": "Our team", "tags": {"a": "1"},
}  # fmt: skip


def shown(workspace):
    return {key: getattr(workspace, key) for key in GIVEN}


def test_what_was_given_is_there_for_whoever_opens_the_workspace(project):
    assert shown(Workspace.create("team", **GIVEN)) == GIVEN
    write(project / "config.json", {"workspace_name": "team"})
    for opened in (Workspace.get("team"), Workspace.from_config(), Workspace(None, None, "team")):
        assert shown(opened) == GIVEN
    assert shown(Workspace("mine", "", "team")) == {**GIVEN, "subscription_id": "mine"}
    assert Workspace.get("team", resource_group="other").resource_group == "other"
    assert shown(Workspace.get("team")) == GIVEN


def test_what_was_given_to_the_first_use_is_kept_too():
    Experiment(Workspace("sub", "group", "w", tags={"a": 1}), "e").start_logging().complete()
    workspace = Workspace.get("w")
    assert (workspace.subscription_id, workspace.resource_group, workspace.tags) == ("sub", "group", {"a": "1"})
    Experiment(Workspace("other", "other", "w"), "e").start_logging().complete()
    assert Workspace.get("w").subscription_id == "sub"


def test_every_word_of_a_workspace_is_text_whatever_was_given():
    for workspace in (Workspace(None, None, "w"), Workspace.create("v", location=None, sku=None, tags={"a": None})):
        words = ("name", "subscription_id", "resource_group", "location", "sku", "friendly_name", "discovery_url")
        assert all(type(getattr(workspace, word)) is str for word in words)
        assert workspace.name + workspace.resource_group + workspace.location + workspace.subscription_id
        assert (workspace.location, workspace.sku, workspace.friendly_name) == ("local", "basic", workspace.name)
    assert workspace.tags == {"a": ""}


def test_a_workspace_is_made_once():
    made = Workspace.create("w", location="here")
    with pytest.raises(UserError, match=r"'w' exists already.*Workspace\.get\('w'\)"):
        Workspace.create("w")
    again = Workspace.create("w", location="there", exist_ok=True)
    assert (again, again.location) == (made, "here")
    Experiment(Workspace(workspace_name="used"), "e").start_logging().complete()
    with pytest.raises(UserError, match="exists already"):
        Workspace.create("used")


def test_of_many_who_make_a_workspace_at_once_one_does():
    barrier = threading.Barrier(8)
    made = []

    def make(number):
        barrier.wait()
        with contextlib.suppress(UserError):
            made.append((number, Workspace.create("w", location=str(number))))

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((number, workspace),) = made
    assert workspace.location == Workspace.get("w").location == str(number)


def test_of_many_who_use_a_workspace_at_once_all_get_the_same():
    barrier = threading.Barrier(8)
    found = []

    def use():
        workspace = Workspace(workspace_name="w")
        barrier.wait()
        workspace.get_details()
        found.append(workspace.get_details())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [Workspace.get("w").get_details()] * 8


def test_what_only_azure_needs_is_accepted_and_what_nobody_knows_is_not():
    Workspace.create(
        "w", None, "sub", "group", "here", True, "basic", {}, "W", storage_account="s", key_vault="k", app_insights="a",
        container_registry="c", adb_workspace=None, primary_user_assigned_identity=None, cmk_keyvault=None,
        resource_cmk_uri=None, hbi_workspace=False, default_cpu_compute_target=None, default_gpu_compute_target=None,
        private_endpoint_config=None, private_endpoint_auto_approval=True, exist_ok=False, show_output=False,
        user_assigned_identity_for_cmk_encryption=None, system_datastores_auth_mode="accessKey", v1_legacy_mode=None,
    )  # fmt: skip
    with pytest.raises(TypeError, match="no argument locaton"):
        Workspace.create("v", locaton="here")
    with pytest.raises(TypeError, match="tags are a dict"):
        Workspace.create("v", tags=["a"])
    assert list(Workspace.list()) == ["w"]


@pytest.mark.parametrize("make", [Workspace.create, Workspace.get])
@pytest.mark.parametrize("name", ["", "../x", "a b", None, 3])
def test_no_workspace_has_a_name_against_the_rules(make, name):
    with pytest.raises(UserError, match="name is"):
        make(name)


def test_a_workspace_that_is_not_there_is_not_found_and_those_that_are_are_listed(runwidgets_home):
    with pytest.raises(NotFoundError, match=r"no workspace 'w' under .*; those there are: none\. Workspace\.create"):
        Workspace.get("w")
    Workspace.create("b")
    Workspace.create("a")
    with pytest.raises(UserError, match="those there are: a, b"):
        Workspace.get("w")
    assert sorted(path.name for path in runwidgets_home.iterdir()) == ["a", "b"]


def test_all_workspaces_are_listed_and_nothing_else_is(runwidgets_home, monkeypatch):
    Workspace.create("b", subscription_id="sub")
    Experiment(Workspace(workspace_name="a"), "e").start_logging().complete()
    (runwidgets_home / "no workspace").mkdir()
    (runwidgets_home / "empty").mkdir()
    (runwidgets_home / "file").touch()
    assert Workspace.list(subscription_id="any") == {"a": [Workspace("", "", "a")], "b": [Workspace("", "", "b")]}
    assert Workspace.list()["b"][0].subscription_id == "sub"
    monkeypatch.setenv("RUNWIDGETS_HOME", str(runwidgets_home / "missing"))
    assert Workspace.list() == {}


def test_a_workspace_of_an_earlier_version_is_described_when_it_is_next_used(runwidgets_home):
    Experiment(Workspace(workspace_name="w"), "e").start_logging().complete()
    close_all()
    (runwidgets_home / "w" / "workspace.json").unlink()
    workspace = Workspace.get("w")
    assert list(workspace.experiments) == ["e"]
    assert Workspace.get("w").get_details() == workspace.get_details()


def test_a_description_that_cannot_be_read_is_told_and_stops_nobody(runwidgets_home, caplog):
    Workspace.create("w", location="here")
    (runwidgets_home / "w" / "workspace.json").write_text('{"location": 3}', encoding="utf-8")
    workspace = Workspace.get("w")
    assert "workspace.json describes no workspace" in caplog.text
    assert workspace.location == "local"
    Experiment(workspace, "e").start_logging().complete()


def test_a_home_that_cannot_be_written_is_a_store_error(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RUNWIDGETS_HOME", str(tmp_path / "file"))
    with pytest.raises(StoreError, match=r"'?w'? cannot be made .*RUNWIDGETS_HOME"):
        Workspace.create("w")
    assert Workspace.list() == {}


# ---- write_config


def test_a_configuration_that_was_written_opens_the_workspace(project, monkeypatch):
    workspace = Workspace.create("team", **GIVEN)
    workspace.write_config()
    assert json.loads((project / ".azureml" / "config.json").read_text(encoding="utf-8")) == KEYS
    assert shown(Workspace.from_config()) == GIVEN
    workspace.write_config(str(project / "a" / "b"), "mine.json")
    assert (project / "a" / "b" / ".azureml" / "mine.json").is_file()
    monkeypatch.chdir(project / "a" / "b")
    assert Workspace.from_config(_file_name="mine.json") == Workspace.from_config(path="..") == workspace
    Workspace(workspace_name="other").write_config(project)
    assert Workspace.from_config(project).name == "other"


def test_a_configuration_that_cannot_be_written_is_told(project):
    (project / "file").touch()
    with pytest.raises(UserError, match=r"config\.json cannot be written"):
        Workspace().write_config(project / "file")


# ---- what is in it


def test_details_have_the_keys_of_the_sdk():
    details = Workspace.create("team", **GIVEN).get_details()
    assert {
        "id": "/subscriptions/sub/resourceGroups/group/providers/Microsoft.MachineLearningServices/workspaces/team",
        "name": "team",
        "location": "westeurope",
        "type": "Microsoft.MachineLearningServices/workspaces",
        "tags": {"a": "1"},
        "sku": "enterprise",
        "friendlyName": "Our team",
    }.items() <= details.items()
    assert dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(details["creationTime"]) < dt.timedelta(minutes=5)
    assert details == Workspace.get("team").get_details()
    assert all(type(value) is str for key, value in details.items() if key != "tags")


def test_experiments_are_the_active_ones_by_name():
    workspace = Workspace()
    assert workspace.experiments == {}
    run = Experiment(workspace, "b").start_logging()
    for name in ("a", "old"):
        Experiment(workspace, name).tag("made")
    Experiment(workspace, "old").archive()
    assert workspace.experiments == {"b": Experiment(workspace, "b"), "a": Experiment(workspace, "a")}
    run.complete()


def test_a_run_is_found_whatever_its_experiment():
    workspace = Workspace()
    with Experiment(workspace, "e").start_logging() as run:
        run.log("m", 1.0)
    assert workspace.get_run(run.id) == run
    assert workspace.get_run(run.id).experiment.name == "e"
    with pytest.raises(NotFoundError, match="no run 'unknown'"):
        workspace.get_run("unknown")


def test_a_workspace_is_a_table_in_a_notebook():
    html = Workspace.create("team", **GIVEN)._repr_html_()
    assert "<th>Name</th>" in html
    assert "<td>team</td><td>westeurope</td><td>group</td><td>sub</td>" in html


# ---- delete


def test_a_deleted_workspace_is_gone_with_its_folder_and_others_are_not(runwidgets_home):
    kept = Workspace.create("kept")
    workspace = Workspace.create("w", location="here")
    with Experiment(workspace, "e").start_logging() as run:
        run.log("m", 1.0)
        run.upload_file("a.txt", __file__)
    workspace.delete(delete_dependent_resources=True, no_wait=True)
    assert [path.name for path in runwidgets_home.iterdir()] == ["kept"]
    assert Workspace.list() == {"kept": [kept]}
    with pytest.raises(NotFoundError):
        workspace.delete()


def test_a_deleted_workspace_begins_anew_when_it_is_used_again():
    workspace = Workspace.create("w")
    first = workspace.get_details()["workspaceid"]
    with Experiment(workspace, "e").start_logging() as run:
        run.log("m", 1.0)
    workspace.delete()
    assert list(Experiment(workspace, "e").get_runs()) == []
    with Experiment(workspace, "e").start_logging() as run:
        run.log("m", 2.0)
    assert run.number == 1
    assert run.get_metrics() == {"m": 2.0}
    assert Workspace.get("w").get_details()["workspaceid"] != first


def test_a_workspace_is_not_deleted_under_a_run_of_this_process():
    workspace = Workspace()
    run = Experiment(workspace, "e").start_logging()
    run.log("m", 1.0)
    with pytest.raises(UserError, match=rf"runs of this process are going on \({run.id}\)"):
        workspace.delete()
    run.log("m", 2.0)
    run.complete()
    assert run.get_metrics() == {"m": [1.0, 2.0]}
    workspace.delete()


def test_a_run_of_a_deleted_workspace_does_not_fail_a_script_that_logs_on(runwidgets_home, caplog):
    workspace = Workspace()
    with Experiment(workspace, "e").start_logging() as run:
        run.log("m", 1.0)
    workspace.delete()
    run.log("m", 2.0)
    run.log("m", 3.0)
    assert [message.partition(":")[2] for message in caplog.messages] == [" what is logged there is lost"]
    assert list(runwidgets_home.iterdir()) == []
    assert "Completed" in repr(run)
    assert "Completed" in run._repr_html_()
    with pytest.raises(StoreError):
        run.get_metrics()


def test_of_a_workspace_in_another_place_the_link_and_the_place_are_gone(runwidgets_home, tmp_path):
    (tmp_path / "large disk" / "w").mkdir(parents=True)
    (runwidgets_home / "w").symlink_to(tmp_path / "large disk" / "w")
    workspace = Workspace(workspace_name="w")
    Experiment(workspace, "e").start_logging().complete()
    workspace.delete()
    assert list(runwidgets_home.iterdir()) == list((tmp_path / "large disk").iterdir()) == []


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
