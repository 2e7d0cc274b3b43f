"""What is submitted: which part of it comes first, and what is refused before anything starts."""

from __future__ import annotations

import logging
import math
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from uuid import UUID

import msgspec
import numpy as np
import pytest

from runwidgets import Environment, MpiConfiguration, PyTorchConfiguration, RunConfiguration, ScriptRunConfig
from runwidgets.errors import RunConfigurationError
from runwidgets.submit.script_run_config import Program
from runwidgets.submit.sections import DockerConfiguration


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    (folder / "sub").mkdir(parents=True)
    (folder / "train.py").touch()
    (folder / "sub" / "other.py").touch()
    (tmp_path / "outside.py").touch()
    return folder


def test_a_script_in_a_folder_runs_on_this_machine_and_this_interpreter(project):
    program = ScriptRunConfig(project, "train.py", ["--penalty", 1.0, 3, np.float32(0.5), Path("x")]).checked()
    assert (program.source_directory, program.script, program.command) == (str(project), "train.py", None)
    assert program.arguments == ["--penalty", "1.0", "3", "0.5", "x"]
    assert (program.target, program.process_count, program.communicator) == ("local", 1, "")
    assert program.max_run_duration_seconds == 2592000
    assert program.environment["name"] == "default-environment"
    assert (program.collects_outputs, program.takes_snapshot, program.watched_directories) == (True, True, ["logs"])
    assert msgspec.json.decode(msgspec.json.encode(program), type=Program) == program


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("", ""), (0, "0"), (-1.5e-7, "-1.5e-07"), (math.nan, "nan"), (True, "True"), (2**70, str(2**70)),
        (Decimal("0.10"), "0.10"), (np.int64(3), "3"), (np.float32(0.1), "0.1"), (np.bool_(False), "False"),
        (np.str_("x"), "x"), (np.array(0.25), "0.25"), (PurePosixPath("a/b"), "a/b"), (date(2026, 6, 30), "2026-06-30"),
        (UUID(int=1), str(UUID(int=1))), ("名", "名"),
    ],
)  # fmt: skip
def test_what_has_a_plain_text_is_an_argument(project, word, text):
    assert ScriptRunConfig(project, "train.py", ["--x", word]).checked().arguments == ["--x", text]
    assert ScriptRunConfig(project, command=["echo", word]).checked().command == ["echo", text]


def test_arguments_may_be_anything_to_iterate_over(project):
    for words in (("--a", 1), (w for w in ("--a", 1)), np.array(["--a", "1"])):
        assert ScriptRunConfig(project, "train.py", words).checked().arguments == ["--a", "1"]


class Odd:
    def __fspath__(self):
        return b"odd"


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (None, r"\[1\] is None, which a script would get as the text 'None': leave it out"),
        ({"a": 1}, r"\[1\] is of type dict: \{'a': 1\}\. .*json\.dumps"),
        ([1, 2], r"\[1\] is of type list: \[1, 2\]\. Give its items one by one"),
        ((), r"\[1\] is of type tuple"),
        (np.zeros(3), r"\[1\] is of type ndarray"),
        (range(3), r"\[1\] is of type range"),
        (b"x", r"\[1\] is of type bytes: b'x'\. Give text: \.decode"),
        (np.array(None), r"\[1\] is None"),
        (Odd(), r"\[1\] is of type bytes"),
        (object(), r"\[1\] is of type object: <object object at .*give a str, a number, a bool or a path"),
        (print, r"\[1\] is of type builtin_function"),
        (Path, r"\[1\] is of type type"),
        ("a\0b", r"\[1\] has a null character"),
        ("\udcff", r"\[1\] is no text that UTF-8 can hold"),
        pytest.param(10**9999, r"\[1\] cannot be written as text", id="digits"),
        ("x" * 200 + "\ud800", r"\[1\] is no text .*x{70}…"),
    ],
)
def test_what_has_none_is_refused_at_the_call_and_at_the_submission_with_its_index(project, word, why):
    with pytest.raises(RunConfigurationError, match=f"^arguments{why}"):
        ScriptRunConfig(project, "train.py", ["--x", word])
    with pytest.raises(RunConfigurationError, match=f"^command{why}"):
        ScriptRunConfig(project, command=["echo", word])
    config = ScriptRunConfig(project, "train.py", ["--x"])
    config.arguments.append(word)
    with pytest.raises(RunConfigurationError, match=f"^arguments{why}"):
        config.checked()


def test_the_folder_is_the_current_one_by_default(project, monkeypatch):
    monkeypatch.chdir(project)
    assert ScriptRunConfig(script="train.py").checked().source_directory == str(project)
    assert ScriptRunConfig(None, "train.py").checked().source_directory == str(project)


def test_what_is_given_goes_into_the_run_configuration(project):
    environment = Environment("mine")
    config = ScriptRunConfig(
        project,
        "train.py",
        compute_target=SimpleNamespace(name="workers"),
        environment=environment,
        distributed_job_config=PyTorchConfiguration(process_count=2),
        max_run_duration_seconds=60,
        docker_runtime_config=DockerConfiguration(),
    )
    assert config.run_config.environment is environment
    program = config.checked()
    assert (program.target, program.process_count, program.max_run_duration_seconds) == ("workers", 2, 60.0)
    assert program.communicator == "Nccl"
    assert (
        ScriptRunConfig(project, "train.py", distributed_job_config=MpiConfiguration()).checked().communicator == "Mpi"
    )


def test_what_is_changed_until_it_is_submitted_holds(project):
    config = ScriptRunConfig(project, "train.py")
    environment = Environment("later")
    environment.environment_variables = {"A": "environment", "B": 1}
    config.run_config.environment = environment
    config.run_config.environment_variables["A"] = "run"
    config.run_config.target = "workers"
    config.run_config.priority = 3
    config.arguments = ["--alpha", 1]
    config.script = "sub/other.py"
    program = config.checked()
    assert (program.environment["name"], program.target, program.priority) == ("later", "workers", 3)
    assert program.environment_variables == {"A": "run", "B": "1"}
    assert (program.script, program.arguments) == ("sub/other.py", ["--alpha", "1"])


def test_a_run_configuration_comes_before_what_is_given_beside_it_with_a_warning(project, caplog):
    run_config = RunConfiguration()
    run_config.target = "theirs"
    with caplog.at_level(logging.WARNING):
        config = ScriptRunConfig(
            project, "train.py", run_config=run_config, compute_target="mine", environment=Environment("mine")
        )
    assert config.run_config is run_config
    assert "compute_target, environment is not used" in caplog.text
    program = config.checked()
    assert (program.target, program.environment["name"]) == ("theirs", "default-environment")
    assert program.max_run_duration_seconds is None
    caplog.clear()
    ScriptRunConfig(project, "train.py", run_config=run_config)
    assert caplog.text == ""


def test_script_arguments_and_command_come_before_those_of_the_run_configuration(project):
    run_config = RunConfiguration("sub/other.py", ["theirs"])
    assert ScriptRunConfig(project, run_config=run_config).checked().script == "sub/other.py"
    assert ScriptRunConfig(project, run_config=run_config).checked().arguments == ["theirs"]
    mine = ScriptRunConfig(project, "train.py", ["mine"], run_config)
    assert (mine.checked().script, mine.checked().arguments) == ("train.py", ["mine"])
    assert ScriptRunConfig(project, command="ls", arguments=[], run_config=run_config).checked().script is None
    assert ScriptRunConfig(project, "train.py", run_config=RunConfiguration(command="ls")).checked().command is None
    assert (run_config.script, run_config.arguments) == ("sub/other.py", ["theirs"])


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("python train.py && ls", "python train.py && ls"),
        (["python", "train.py", "--alpha", 0.1], ["python", "train.py", "--alpha", "0.1"]),
        (["python train.py"], "python train.py"),
    ],
)
def test_a_command_is_a_line_or_words(project, command, kept):
    program = ScriptRunConfig(project, command=command).checked()
    assert (program.command, program.script, program.arguments) == (kept, None, [])


# ---- refused when it is made


@pytest.mark.parametrize("where", ["environment", "run configuration"])
def test_docker_without_an_image_of_ones_own_is_a_warning(project, caplog, where):
    config = ScriptRunConfig(project, "train.py")
    if where == "environment":
        config.run_config.environment.docker.enabled = True
    else:
        config.run_config.docker = DockerConfiguration(use_docker=True)
    assert config.checked().interpreter == sys.executable
    assert "nothing here runs images" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"run_config": "local"}, "run_config takes an object of RunConfiguration, not str"),
        ({"environment": "mine"}, "environment takes an object of Environment, not str"),
        ({"distributed_job_config": 2}, "distributed_job_config is a PyTorchConfiguration"),
        ({"docker_runtime_config": True}, "docker_runtime_config is a DockerConfiguration, not bool"),
        ({"arguments": "--alpha 1"}, r"arguments is a list, such as \['--alpha', 0.1\], not str"),
        ({"arguments": {"--alpha": 1}}, "arguments is a list.*not dict"),
        ({"arguments": 3}, "arguments is a list.*not int"),
        ({"command": 3}, "command is a list.*not int"),
    ],
)
def test_what_is_of_another_kind_is_refused_at_once(project, arguments, why):
    with pytest.raises(RunConfigurationError, match=why):
        ScriptRunConfig(project, "train.py", **arguments)


def test_an_attribute_that_is_not_there_raises(project):
    with pytest.raises(AttributeError, match=r"ScriptRunConfig has no attribute 'argument'.*'arguments'"):
        ScriptRunConfig(project, "train.py").argument = []


# ---- refused when it is submitted


@pytest.mark.parametrize("script", ["absent.py", "sub/absent.py"])
def test_a_script_that_is_not_there_is_refused(project, script):
    with pytest.raises(RunConfigurationError, match=r"absent.py: the script path doesn't exist. The script should be"):
        ScriptRunConfig(project, script).checked()


def test_a_script_outside_of_the_folder_is_refused_however_it_gets_there(project):
    (project / "link.py").symlink_to(project.parent / "outside.py")
    (project / "up").symlink_to(project.parent)
    for script in ("../outside.py", project.parent / "outside.py", "link.py", "up/outside.py", "sub/../../outside.py"):
        with pytest.raises(RunConfigurationError, match="The script should be inside the project folder"):
            ScriptRunConfig(project, script).checked()


def test_a_script_inside_is_found_however_it_is_named(project):
    (project / "link.py").symlink_to("train.py")
    (project.parent / "way").symlink_to(project)
    for script in ("./train.py", project / "train.py", "sub/../train.py", "link.py"):
        assert ScriptRunConfig(project, script).checked().script == "train.py"
    program = ScriptRunConfig(project.parent / "way", project.parent / "way" / "train.py").checked()
    assert (program.source_directory, program.script) == (str(project), "train.py")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"source_directory": "absent", "script": "train.py"}, "absent, and there is no such folder"),
        ({"source_directory": "train.py", "script": "train.py"}, "a file: give its folder, .*script='train.py'"),
        ({"source_directory": 3, "script": "train.py"}, "source_directory is a path, not int"),
        ({"script": 3}, "script is a path, not int"),
        ({"script": "sub"}, "sub: the script is a folder"),
        ({}, "neither script nor command"),
        ({"script": "train.py", "command": "ls"}, "were both given"),
        ({"command": "ls", "arguments": ["-l"]}, "arguments are for a script"),
        ({"command": " "}, "nothing to run"),
        ({"command": []}, "nothing to run"),
        ({"script": "train.py", "compute_target": 3}, "a compute target or its name"),
        ({"script": "train.py", "max_run_duration_seconds": 0}, "max_run_duration_seconds is 0"),
        ({"script": "train.py", "max_run_duration_seconds": "1h"}, "max_run_duration_seconds is '1h'"),
        ({"script": "train.py", "resume_from": "checkpoint"}, "resume_from is not supported"),
        ({"script": "train.py", "distributed_job_config": MpiConfiguration(2, 2)}, "one machine"),
        ({"script": "train.py", "run_config": RunConfiguration(framework="PySpark")}, "there is no Spark"),
    ],
)
def test_what_cannot_run_is_refused(project, monkeypatch, arguments, why):
    monkeypatch.chdir(project)
    with pytest.raises(RunConfigurationError, match=why):
        ScriptRunConfig(**arguments).checked()


def test_an_interpreter_that_is_not_there_is_refused(project):
    config = ScriptRunConfig(project, "train.py", environment=Environment("mine"))
    config.run_config.environment.python.user_managed_dependencies = True
    assert config.checked().environment["python"]["interpreterPath"] == sys.executable
    config.run_config.environment.python.interpreter_path = "/absent/python"
    with pytest.raises(RunConfigurationError, match="/absent/python: it is not there"):
        config.checked()


@pytest.mark.parametrize("name", ["", "A=B", "A\0"])
def test_a_variable_that_no_system_takes_is_refused(project, name):
    config = ScriptRunConfig(project, "train.py")
    config.run_config.environment_variables = {name: "x"}
    with pytest.raises(RunConfigurationError, match="environment_variables"):
        config.checked()
