"""Configurations of runs: their attributes, their files, and how many processes they ask for."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import yaml

from runwidgets import CondaDependencies, Environment, MpiConfiguration, PyTorchConfiguration, RunConfiguration
from runwidgets.errors import NotFoundError, RunConfigurationError
from runwidgets.submit.distributed import TensorflowConfiguration, distribute, process_count


def full_configuration():
    made = RunConfiguration(
        "train.py", ["--alpha", 0.1], conda_dependencies=CondaDependencies.create(pip_packages=["a"])
    )
    made.target = SimpleNamespace(name="workers")
    made.environment.environment_variables["A"] = "b"
    made.environment_variables = {"C": "é", "N": 3}
    made.max_run_duration_seconds = 60
    made.priority = 2
    made.history.output_collection = False
    made.docker.arguments = ["--cpus=1"]
    made.data_references = {"data": SimpleNamespace(path="x")}
    made.amlcompute.vm_size = "STANDARD_D2_V2"
    distribute(made, PyTorchConfiguration("Gloo", process_count=2))
    return made


@pytest.mark.parametrize("separate", [False, True])
def test_a_file_keeps_a_configuration_whole(tmp_path, separate):
    configuration = full_configuration()
    configuration.save(tmp_path, "mine", separate_environment_yaml=separate)
    loaded = RunConfiguration.load(tmp_path, "mine")
    assert loaded == configuration
    assert loaded != RunConfiguration()
    assert (loaded.target, loaded.arguments, loaded.pytorch) == ("workers", ["--alpha", 0.1], configuration.pytorch)
    assert loaded.environment == configuration.environment
    assert loaded == RunConfiguration.load(tmp_path / ".azureml" / "mine.runconfig")
    assert (tmp_path / ".azureml" / "mine_environment.yml").exists() == separate
    content = yaml.safe_load((tmp_path / ".azureml" / "mine.runconfig").read_text(encoding="utf-8"))
    assert content["maxRunDurationSeconds"] == 60
    assert content["mpi"] == {"processCountPerNode": 1, "nodeCount": 1}
    RunConfiguration.delete(tmp_path, "mine")
    assert list((tmp_path / ".azureml").iterdir()) == []


def test_a_configuration_is_saved_here_and_called_as_its_target_by_default(current_folder):
    RunConfiguration().save()
    assert RunConfiguration.load(current_folder) == RunConfiguration()
    assert (current_folder / ".azureml" / "local.runconfig").is_file()


def test_a_file_of_the_sdk_is_read(tmp_path, caplog):
    (tmp_path / "aml_config").mkdir()
    (tmp_path / "aml_config" / "old.runconfig").write_text(
        "script: train.py\narguments:\n- --a\ntarget: cpu\nframework: Python\ncommunicator: None\nnodeCount: 1\n"
        "environment:\n  name: project\n  python:\n    userManagedDependencies: true\n    interpreterPath: python\n"
        "history:\n  outputCollection: true\n  snapshotProject: true\n  directoriesToWatch:\n  - logs\n"
        "containerInstance:\n  region:\n  cpuCores: 1\n  memoryGb: 3.5\ndataReferences: {}\nuseAbsolutePath: false\n"
    )
    loaded = RunConfiguration.load(tmp_path, "old")
    assert (loaded.script, loaded.arguments, loaded.target, loaded.communicator) == ("train.py", ["--a"], "cpu", "None")
    assert loaded.environment.python.user_managed_dependencies
    assert loaded.container_instance.memory_gb == 3.5
    assert caplog.text == ""


@pytest.mark.parametrize("text", ["- a", "a: [", "nodeCount: many", "environment: absent.yml"])
def test_what_is_no_configuration_is_refused(tmp_path, text):
    (tmp_path / "x.runconfig").write_text(text)
    with pytest.raises(RunConfigurationError, match=r"x\.runconfig|nodeCount is 'many'"):
        RunConfiguration.load(tmp_path, "x")


def test_a_configuration_that_is_not_there_is_not_found(tmp_path):
    for act in (RunConfiguration.load, RunConfiguration.delete):
        with pytest.raises(NotFoundError, match=r"absent\.runconfig is not there"):
            act(tmp_path, "absent")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / ".azureml").touch()
    with pytest.raises(RunConfigurationError, match=r"\.azureml.* cannot be written"):
        RunConfiguration().save(tmp_path, "x")


def test_its_text_is_json():
    assert json.loads(repr(full_configuration()))["arguments"] == ["--alpha", 0.1]


def test_attributes_that_are_not_there_raise_and_an_environment_is_an_environment():
    configuration = RunConfiguration()
    with pytest.raises(AttributeError, match=r"RunConfiguration has no attribute 'node_cuont'.*'node_count'"):
        configuration.node_cuont = 2
    with pytest.raises(RunConfigurationError, match="environment takes an object of Environment, not str"):
        configuration.environment = "mine"
    configuration.auto_prepare_environment = True
    configuration.environment = Environment("mine")


@pytest.mark.parametrize(("target", "name"), [("cpu", "cpu"), (SimpleNamespace(name="gpu"), "gpu"), (None, "local")])
def test_a_target_is_an_object_or_its_name(target, name):
    configuration = RunConfiguration()
    configuration.target = target
    assert configuration.target_name == name


@pytest.mark.parametrize("target", [3, "", SimpleNamespace(name=None)])
def test_a_target_of_another_kind_is_refused(target):
    configuration = RunConfiguration()
    configuration.target = target
    with pytest.raises(RunConfigurationError, match="a compute target or its name"):
        configuration.target_name  # noqa: B018 (it raises)


# ---- processes


@pytest.mark.parametrize(
    ("job", "count"),
    [
        (PyTorchConfiguration(), 1),
        (PyTorchConfiguration(process_count=4), 4),
        (PyTorchConfiguration("Gloo", 2, 1), 2),
        (MpiConfiguration(), 1),
        (MpiConfiguration(process_count_per_node=3), 3),
        (TensorflowConfiguration(parameter_server_count=0), 1),
    ],
)
def test_processes_are_counted_for_this_machine(job, count):
    configuration = RunConfiguration()
    distribute(configuration, job)
    assert process_count(configuration) == count


@pytest.mark.parametrize("communicator", ["IntelMpi", "OpenMpi", "Mpi"])
def test_processes_set_by_hand_are_counted(communicator):
    configuration = RunConfiguration(communicator=communicator)
    configuration.mpi.process_count_per_node = 2
    assert process_count(configuration) == 2


def test_a_configuration_as_it_is_made_asks_for_one_process():
    assert process_count(RunConfiguration()) == 1


@pytest.mark.parametrize(
    ("job", "why"),
    [
        (PyTorchConfiguration(node_count=2), r"one machine here.*PyTorchConfiguration\(node_count=1\)"),
        (MpiConfiguration(node_count=2), r"one machine here.*MpiConfiguration\(node_count=1\)"),
        (TensorflowConfiguration(), "1 parameter servers"),
        (TensorflowConfiguration(2, 0), "2 workers"),
        (PyTorchConfiguration(process_count=0), "process_count is 0"),
        (MpiConfiguration(process_count_per_node="2"), "process_count_per_node is '2'"),
        (PyTorchConfiguration("Ring"), "communicator is 'Ring'"),
    ],
)
def test_what_does_not_run_on_one_machine_is_refused(job, why):
    configuration = RunConfiguration()
    distribute(configuration, job)
    with pytest.raises(RunConfigurationError, match=why):
        process_count(configuration)


def test_more_than_one_machine_is_refused_without_distributed_training_too():
    configuration = RunConfiguration()
    configuration.node_count = 2
    with pytest.raises(RunConfigurationError, match=r"one machine here$"):
        process_count(configuration)
