"""Packages as conda's files write them, and pip's requirements in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwidgets import CondaDependencies, Environment
from runwidgets.errors import RunConfigurationError, UserError
from runwidgets.submit.requirements import is_own, package_name, read_requirements

SPECIFICATION = """
name: project
channels: [conda-forge, defaults]
dependencies:
  - python=3.10
  - conda-forge::numpy>=1.2
  - pip
  - pip:
    - azureml-defaults
    - scikit-learn==1.4
    - --extra-index-url https://example.org
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "env.yml"
    path.write_text(SPECIFICATION)
    return path


def test_a_specification_is_read_and_written_without_a_loss(file, tmp_path):
    read = CondaDependencies(file)
    assert read.python_version == read.get_python_version() == "3.10"
    assert read.conda_packages == ["python=3.10", "conda-forge::numpy>=1.2", "pip"]
    assert read.pip_packages == ["azureml-defaults", "scikit-learn==1.4"]
    assert read.pip_options == ["--extra-index-url https://example.org"]
    assert read.conda_channels == ["conda-forge", "defaults"]
    assert read.save_to_file(tmp_path / "new", "copy.yml") == "copy.yml"
    copy = CondaDependencies(tmp_path / "new" / "copy.yml")
    assert copy == read
    assert copy.serialize_to_string() == read.serialize_to_string()
    assert copy.as_dict()["name"] == "project"
    assert CondaDependencies.from_dict(read.as_dict()) == read


def test_packages_are_added_once_by_name_and_removed_by_name():
    made = CondaDependencies.create(
        conda_packages=["pandas"], pip_packages=["scikit_learn==1.0"], python_version="3.11", pin_sdk_version=False
    )
    made.add_pip_package("scikit-learn==1.4")
    made.add_pip_package("matplotlib")
    made.add_conda_package("conda-forge::pandas=2")
    assert made.conda_packages == ["python=3.11", "conda-forge::pandas=2"]
    assert made.pip_packages == ["scikit-learn==1.4", "matplotlib"]
    made.remove_pip_package("Scikit.Learn")
    made.remove_conda_package("pandas")
    made.remove_conda_package("absent")
    made.set_python_version("3.12")
    assert made.pip_packages == ["matplotlib"]
    assert made.conda_packages == ["python=3.12"]


def test_options_and_channels_are_set_and_taken_away():
    made = CondaDependencies.create(pip_indexurl="https://one.example")
    made.set_pip_index_url("https://two.example")
    made.add_channel("conda-forge")
    made.add_channel("conda-forge")
    assert (made.pip_options, made.conda_channels) == (["--index-url https://two.example"], ["conda-forge"])
    made.remove_pip_option("--index-url")
    made.remove_channel("conda-forge")
    assert (made.pip_options, made.conda_channels) == ([], [])


@pytest.mark.parametrize("packages", ["numpy", 3, [3]])
def test_packages_that_are_no_list_of_names_are_refused(packages):
    with pytest.raises(UserError, match="pip_packages is a"):
        CondaDependencies.create(pip_packages=packages)


@pytest.mark.parametrize("text", ["- a\n- b\n", "dependencies: [{pip: numpy}]", "dependencies: [3]", "a: [", None])
def test_what_is_no_specification_is_refused_with_its_place(tmp_path, text):
    path = tmp_path / "env.yml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RunConfigurationError, match=r"env\.yml"):
        CondaDependencies(path)


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("numpy", "numpy"),
        ("Scikit_Learn[all]>=1 ; python_version > '3'", "scikit-learn"),
        ("tiny @ https://example.org/a/tiny.whl", "tiny"),
        ("--no-index", ""),
        ("./tiny", ""),
        ("wheels/tiny-1.0-py3-none-any.whl", ""),
    ],
)
def test_a_requirement_names_its_package(requirement, name):
    assert package_name(requirement) == name


def test_runwidgets_stands_for_itself_and_the_packages_of_the_sdk_and_for_no_others():
    own = ["azureml-core", "azureml_sdk[notebooks]==1.2", "AzureML-Widgets", "azureml", "runwidgets>=0.1"]
    assert [line for line in [*own, "azure-storage-blob", "azuremlx", "numpy"] if is_own(line)] == own


def test_requirements_are_read_with_those_they_name_and_places_that_hold_in_any_folder(tmp_path, monkeypatch):
    project = tmp_path / "project"
    (project / "local").mkdir(parents=True)
    (project / "more.txt").write_text("b  # why\n")
    (project / "constraints.txt").touch()
    (project / "r.txt").write_text(
        "# all of it\na==1 \\\n  --hash=sha256:00\n\n-r more.txt\n-e ./local[extra]\n./local\n-c constraints.txt\n"
        "c @ https://example.org/x#egg=c\n--index-url https://example.org\n"
    )
    assert read_requirements(project / "r.txt") == [
        "a==1    --hash=sha256:00",
        "b",
        f"-e {project / 'local'}[extra]",
        str(project / "local"),
        f"-c {project / 'constraints.txt'}",
        "c @ https://example.org/x#egg=c",
        "--index-url https://example.org",
    ]
    monkeypatch.chdir(project)
    environment = Environment.from_pip_requirements("x", "r.txt", pip_version="24.0")
    assert environment.python.conda_dependencies.pip_packages[:2] == ["a==1    --hash=sha256:00", "b"]
    assert "pip=24.0" in environment.python.conda_dependencies.conda_packages
    (project / "more.txt").write_text("-r r.txt")
    with pytest.raises(RunConfigurationError, match=r"r\.txt name themselves"):
        read_requirements(project / "r.txt")
    with pytest.raises(RunConfigurationError, match=r"absent\.txt"):
        read_requirements(Path("absent.txt"))
