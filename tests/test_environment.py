"""Environments as data: their attributes, their files, and those that a workspace keeps."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from runwidgets import CondaDependencies, Environment, Workspace
from runwidgets.errors import ArgumentTypeError, NotFoundError, RunConfigurationError, StoreError, UserError


def full_environment(name="full"):
    made = Environment(name)
    made.python.conda_dependencies = CondaDependencies.create(pip_packages=["numpy==2", "é"], python_version="3.11")
    made.python.interpreter_path = "/somewhere/python"
    made.docker.base_image_registry.address = "example.org"
    made.docker.arguments.append("--cpus=1")
    made.environment_variables = {"A": "b", "C": 3}
    made.inferencing_stack_version = "latest"
    made.spark.precache_packages = False
    return made


def test_attributes_that_are_there_can_be_set_and_others_raise_with_the_nearest():
    environment = full_environment()
    for thing, name, nearest in (
        (environment, "pyton", "python"),
        (environment.python, "user_managed_dependency", "user_managed_dependencies"),
        (environment.docker, "baseimage", "base_image"),
    ):
        with pytest.raises(AttributeError, match=f"{type(thing).__name__} has no attribute '{name}'.*'{nearest}'"):
            setattr(thing, name, 1)
    assert not hasattr(environment, "pyton")


def test_a_part_can_only_be_set_to_one_of_its_kind():
    environment = Environment("x")
    with pytest.raises(
        RunConfigurationError, match=r"conda_dependencies takes an object of CondaDependencies, not str"
    ):
        environment.python.conda_dependencies = "env.yml"
    with pytest.raises(RunConfigurationError, match="python takes an object of PythonSection, not NoneType"):
        environment.python = None
    environment.python.conda_dependencies = None


def test_a_name_is_a_str():
    with pytest.raises(ArgumentTypeError, match="not int"):
        Environment(3)
    with pytest.raises(TypeError):
        Environment("x").clone(None)


def test_a_dict_has_all_of_it_and_so_has_a_pickle_and_the_text_is_json():
    environment = full_environment()
    content = json.loads(json.dumps(environment.as_dict()))
    again = Environment.from_dict(content)
    assert again == environment == pickle.loads(pickle.dumps(environment))  # noqa: S301 (made in this line)
    assert again != full_environment("other")
    again.python.user_managed_dependencies = True
    assert again != environment
    assert json.loads(repr(environment)) == environment.as_dict()
    assert content["python"]["condaDependencies"]["dependencies"] == ["python=3.11", {"pip": ["numpy==2", "é"]}]


def test_two_environments_share_no_part():
    first, second = Environment("a"), Environment("b")
    first.python.conda_dependencies.add_pip_package("numpy")
    first.environment_variables["A"] = "1"
    clone = first.clone("c")
    clone.python.conda_dependencies.add_pip_package("pandas")
    assert second.python.conda_dependencies.pip_packages == []
    assert second.environment_variables == {}
    assert first.python.conda_dependencies.pip_packages == ["numpy"]
    assert clone.python.conda_dependencies.pip_packages == ["numpy", "pandas"]
    assert (clone.name, clone.version) == ("c", None)


def test_what_files_of_the_sdk_have_besides_is_passed_over_and_what_is_misspelt_is_told(caplog):
    content = {
        "name": "old", "version": "3", "assetId": None, "databricks": {"jarLibraries": []}, "r": None,
        "python": {"userManagedDependencies": True, "interpreterPath": "python", "condaDependencies": None},
        "docker": {"baseImageRegistry": {"address": None, "registryIdentity": None}, "arguments": None},
    }  # fmt: skip
    environment = Environment.from_dict(content)
    assert (environment.name, environment.version, environment.python.user_managed_dependencies) == ("old", "3", True)
    assert caplog.text == ""
    Environment.from_dict({"name": "x", "pyton": {}})
    assert "Environment has no pyton" in caplog.text


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"python": {"userManagedDependencies": "yes"}}, "PythonSection, userManagedDependencies is 'yes'"),
        ({"python": 3}, "PythonSection: expected names and values, got int"),
        ([], "Environment: expected names and values, got list"),
    ],
)
def test_values_of_wrong_types_are_refused_with_their_place(content, what):
    with pytest.raises(RunConfigurationError, match=what):
        Environment.from_dict(content)


def test_a_password_is_written_nowhere():
    environment = Environment("x")
    environment.docker.base_image_registry.password = "hidden"  # noqa: S105 (looked for below)
    assert "hidden" not in repr(environment)


# ---- files


def test_a_folder_keeps_an_environment_whole(tmp_path):
    environment = full_environment()
    environment.save_to_directory(tmp_path / "env")
    assert Environment.load_from_directory(tmp_path / "env") == environment
    with pytest.raises(RunConfigurationError, match="overwrite=True"):
        environment.save_to_directory(tmp_path / "env")
    environment.environment_variables["D"] = "e"
    environment.save_to_directory(tmp_path / "env", overwrite=True)
    assert Environment.load_from_directory(tmp_path / "env") == environment


def test_packages_edited_in_the_folder_are_those_that_are_loaded(tmp_path):
    full_environment().save_to_directory(tmp_path / "env")
    CondaDependencies.create(pip_packages=["rich"]).save(tmp_path / "env" / "conda_dependencies.yml")
    assert Environment.load_from_directory(tmp_path / "env").python.conda_dependencies.pip_packages == ["rich"]


def test_a_folder_without_an_environment_says_so(tmp_path):
    with pytest.raises(NotFoundError, match=r"azureml_environment\.json"):
        Environment.load_from_directory(tmp_path)
    (tmp_path / "azureml_environment.json").write_text("{")
    with pytest.raises(RunConfigurationError, match="cannot be read"):
        Environment.load_from_directory(tmp_path)


def test_a_file_of_packages_is_read_when_the_environment_is_written_down(tmp_path):
    CondaDependencies.create(pip_packages=["rich"]).save(tmp_path / "env.yml")
    environment = Environment("x")
    environment.python.conda_dependencies_file = tmp_path / "env.yml"
    assert {"pip": ["rich"]} in environment.as_dict()["python"]["condaDependencies"]["dependencies"]


def test_images_are_kept_as_data(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    (tmp_path / "r.txt").write_text("numpy\n")
    by_image = Environment.from_docker_image("i", "python:3.12", pip_requirements=tmp_path / "r.txt")
    assert (by_image.docker.base_image, by_image.python.conda_dependencies.pip_packages) == ("python:3.12", ["numpy"])
    by_file = Environment.from_dockerfile("f", tmp_path / "Dockerfile")
    by_text = Environment.from_dockerfile("f", "FROM x\n")
    assert by_file == by_text
    assert by_file.docker.base_dockerfile == "FROM x\n"
    assert Environment.from_docker_build_context("c", "folder").docker.build_context == "folder"
    with pytest.raises(RunConfigurationError, match="absent"):
        Environment.from_dockerfile("f", tmp_path / "absent")


# ---- registered ones


def test_a_registered_environment_is_found_by_name_and_version():
    workspace = Workspace()
    environment = full_environment()
    first = environment.register(workspace)
    environment.environment_variables["D"] = "e"
    second = environment.register(workspace)
    assert (environment.version, first.version, second.version) == (None, "1", "2")
    assert Environment.get(workspace, "full") == Environment.get(workspace, "full", label="latest") == second
    assert Environment.get(workspace, "full", version="1") == Environment.get(workspace, "full", 1) == first
    assert "D" not in first.environment_variables
    Environment("another").register(workspace)
    assert list(workspace.environments) == ["another", "full"]
    assert Environment.list(Workspace()) == workspace.environments
    assert workspace.environments["full"] == second
    assert list(Workspace.list()) == ["default"]


def test_equal_content_is_no_new_version_but_what_was_there_before_the_newest_is():
    workspace = Workspace()
    environment = full_environment()
    assert [environment.register(workspace).version for _ in range(2)] == ["1", "1"]
    assert Environment.get(workspace, "full").register(workspace).version == "1"
    environment.environment_variables["D"] = "e"
    assert environment.register(workspace).version == "2"
    del environment.environment_variables["D"]
    assert environment.register(workspace).version == "3"


def test_many_processes_that_register_at_once_get_a_version_each():
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from runwidgets import Environment, Workspace\n"
        "Environment('shared').register(Workspace()); print('ready', flush=True); input()\n"
        "for i in range(20):\n"
        "    e = Environment('shared'); e.environment_variables = {'WHO': f'{sys.argv[1]} {i}'}\n"
        "    print(e.register(Workspace()).version)\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 4
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    versions = [int(word) for process in processes for word in process.communicate()[0].split()]
    assert sorted(versions) == list(range(2, 82))
    found = [Environment.get(Workspace(), "shared", n).environment_variables["WHO"] for n in versions]
    assert len(set(found)) == 80


@pytest.mark.parametrize("name", ["../up", "", "a/b", ".hidden", "AzureML-Minimal", "azureml-mine"])
def test_a_name_that_is_no_name_of_a_registered_environment_is_refused(name):
    with pytest.raises(UserError, match="cannot be registered"):
        Environment(name).register(Workspace())
    with pytest.raises(NotFoundError):
        Environment.get(Workspace(), name)


def test_an_environment_that_is_not_there_is_told_with_those_that_are():
    workspace = Workspace()
    Environment("mine").register(workspace)
    with pytest.raises(NotFoundError, match="those registered are: mine"):
        Environment.get(workspace, "yours")
    with pytest.raises(NotFoundError, match="no version '2': it has 1"):
        Environment.get(workspace, "mine", version=2)
    with pytest.raises(NotFoundError, match="no label 'old'"):
        Environment.get(workspace, "mine", label="old")
    with pytest.raises(NotFoundError, match=r"SDK v1's service. Use Environment\('x'\).*registered here: mine"):
        Environment.get(workspace, "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu")
    with pytest.raises(NotFoundError, match="no environment 'None'"):
        Environment.get(workspace, None)
    assert Workspace(workspace_name="empty").environments == {}


def test_a_damaged_file_of_an_environment_is_named(runwidgets_home):
    Environment("mine").register(Workspace())
    (file,) = (runwidgets_home / "default" / "environments" / "mine").glob("*.json")
    file.write_text("{")
    with pytest.raises(StoreError, match=r"1\.json"):
        Environment.get(Workspace(), "mine")


def test_a_workspace_that_may_not_be_written_says_so(runwidgets_home):
    (runwidgets_home / "default").mkdir()
    (runwidgets_home / "default" / "environments").touch()
    with pytest.raises(StoreError, match="cannot be kept"):
        Environment("mine").register(Workspace())


def test_a_wheel_is_kept_with_the_workspace(tmp_path):
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    wheel.write_bytes(b"first")
    workspace = Workspace()
    kept = Environment.add_private_pip_wheel(workspace, wheel)
    wheel.write_bytes(b"second")
    with pytest.raises(UserError, match="exist_ok=True"):
        Environment.add_private_pip_wheel(workspace, str(wheel))
    assert Environment.add_private_pip_wheel(workspace, wheel, exist_ok=True) == kept
    wheel.unlink()
    assert Path(kept).read_bytes() == b"first"
    assert workspace.environments == {}
    packages = CondaDependencies.create(pip_packages=[kept])
    assert packages.pip_packages == [kept]
    with pytest.raises(NotFoundError, match="there is no wheel"):
        Environment.add_private_pip_wheel(workspace, wheel)
    with pytest.raises(UserError, match="is no wheel"):
        Environment.add_private_pip_wheel(workspace, tmp_path)
