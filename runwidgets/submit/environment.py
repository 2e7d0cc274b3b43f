"""`Environment`: which Python runs a script, and with which packages."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from runwidgets.errors import ArgumentTypeError, NotFoundError, RunConfigurationError
from runwidgets.submit.closed import Closed
from runwidgets.submit.conda import CondaDependencies
from runwidgets.submit.requirements import read_requirements
from runwidgets.submit.sections import DockerSection, PythonSection, RegistrySection, SparkSection

if TYPE_CHECKING:
    import os

    from runwidgets.submit.built import Built
    from runwidgets.workspace import Workspace

DEFAULT_CPU_IMAGE: Final = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
"""The image that environments of SDK v1 stand on; the name alone, for code that has it."""
DEFAULT_GPU_IMAGE: Final = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.8-cudnn8-ubuntu22.04"
"""The same for machines with a graphics card."""
_FILE: Final = "azureml_environment.json"
_CONDA_FILE: Final = "conda_dependencies.yml"


@dataclass(repr=False)
class Environment(Closed):
    """What a script runs in.

    A new one in which nothing is set is the interpreter that submits, with the packages that it has. Packages of pip
    get a virtual environment of their own, which is made once and used by all who ask for the same packages.

    Parameters
    ----------
    name
        What to call it.

    Attributes
    ----------
    version
        Its number among the registered ones of its name, ``"1"`` and up; None while it is not registered.
    environment_variables
        Set for the script; those of `RunConfiguration` come before them.
    python, docker, spark
        Its parts.
    inferencing_stack_version
        Kept and unused.

    Raises
    ------
    ArgumentTypeError
        If the name is not a str.
    """

    _ignored: ClassVar[frozenset[str]] = frozenset({"assetId", "cacheSetting", "databricks", "isCurated", "r"})

    name: str
    version: str | None = field(default=None, init=False)
    environment_variables: dict[str, Any] = field(default_factory=dict, init=False)
    python: PythonSection = field(default_factory=PythonSection, init=False)
    docker: DockerSection = field(default_factory=DockerSection, init=False)
    spark: SparkSection = field(default_factory=SparkSection, init=False)
    inferencing_stack_version: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ArgumentTypeError(f"an environment's name is a str, not {type(self.name).__name__}: {self.name!r}")

    @classmethod
    def _blank(cls) -> Self:
        return cls("")

    def clone(self, new_name: str) -> Environment:
        """Make one with the same content and another name, which is not registered.

        Raises
        ------
        ArgumentTypeError
            If the name is not a str.
        """
        made = copy.deepcopy(self)
        made.name, made.version = new_name, None
        made.__post_init__()
        return made

    # ---- registered ones

    def register(self, workspace: Workspace) -> Environment:
        """Keep it in a workspace, under the next number of its name.

        Parameters
        ----------
        workspace
            The workspace.

        Returns
        -------
        Environment
            What is registered, with its version. Content that equals the newest of this name is that one again.

        Raises
        ------
        UserError
            If the name is none for a registered environment: letters, digits, ``_``, ``-`` and ``.`` make one, and
            those of SDK v1's own environments (``AzureML-…``) are not taken.
        StoreError
            If it cannot be written.
        """
        from runwidgets.submit.registered import register

        return Environment.from_dict(register(workspace, self.as_dict()))

    @staticmethod
    def get(workspace: Workspace, name: str, version: str | int | None = None, label: str | None = None) -> Environment:
        """Give a registered environment.

        Parameters
        ----------
        workspace
            Where it is registered.
        name
            Its name.
        version
            Its number; by default the newest.
        label
            ``latest``, which is the newest; there are no others.

        Raises
        ------
        NotFoundError
            If there is none; the message lists those there are, and for an environment of SDK v1's service
            (``AzureML-…``) says what to use instead.
        """
        from runwidgets.submit.registered import registered

        if label not in (None, "latest"):
            raise NotFoundError(f"environment {name!r} has no label {label!r}: 'latest' is the only one, or a version")
        return Environment.from_dict(registered(workspace, str(name), None if version is None else str(version)))

    @staticmethod
    def list(workspace: Workspace) -> dict[str, Environment]:
        """Give the newest of each name that is registered in a workspace, by name."""
        from runwidgets.submit.registered import registered, registered_names

        return {name: Environment.from_dict(registered(workspace, name)) for name in registered_names(workspace)}

    def build(self, workspace: Workspace, image_build_compute: str | None = None) -> Built:  # noqa: ARG002
        """Make it now, on this machine, so that no run has to wait for it.

        Parameters
        ----------
        workspace, image_build_compute
            Accepted and unused: it is made under ``RUNWIDGETS_HOME``, for all workspaces.

        Returns
        -------
        Built
            With the interpreter, and the log.

        Raises
        ------
        RunConfigurationError
            If it asks for what this machine has not.
        EnvironmentBuildError
            If it cannot be made; the message has the last lines of the log.
        """
        from runwidgets.submit.built import build

        return build(self.as_dict())

    def build_local(self, workspace: Workspace, platform: object = None, **kwargs: object) -> Built:  # noqa: ARG002
        """Make it now, as `build` does, and print the log; what else SDK v1 takes is unused."""
        return self.build(workspace).wait_for_completion(show_output=True)

    @staticmethod
    def add_private_pip_wheel(workspace: Workspace, file_path: str | os.PathLike[str], exist_ok: bool = False) -> str:
        """Keep a wheel in a workspace, so that it is there for as long as the environments that have it.

        Parameters
        ----------
        workspace
            The workspace.
        file_path
            The wheel.
        exist_ok
            Whether one of the same file name that is kept already is given as it is.

        Returns
        -------
        str
            Where it is kept: what `CondaDependencies.add_pip_package` takes.

        Raises
        ------
        NotFoundError
            If there is no such file.
        UserError
            If it is no wheel, or one of the same file name is kept and ``exist_ok`` is not set.
        StoreError
            If it cannot be kept.
        """
        from runwidgets.submit.registered import keep_wheel

        return str(keep_wheel(workspace, Path(file_path), exist_ok=exist_ok))

    # ---- made of what is there

    @staticmethod
    def from_pip_requirements(
        name: str, file_path: str | os.PathLike[str], pip_version: str | None = None
    ) -> Environment:
        """Make one of a file of pip's requirements.

        Parameters
        ----------
        name
            What to call it.
        file_path
            The file; it is read now.
        pip_version
            Which pip to install with, by default the one that Python brings.

        Raises
        ------
        RunConfigurationError
            If the file cannot be read.
        """
        made = Environment(name)
        packages = CondaDependencies()
        packages.set_pip_requirements(read_requirements(Path(file_path)))
        if pip_version is not None:
            packages.add_conda_package(f"pip={pip_version}")
        made.python.conda_dependencies = packages
        return made

    @staticmethod
    def from_conda_specification(name: str, file_path: str | os.PathLike[str]) -> Environment:
        """Make one of a file as conda's ``environment.yml``, which is read now.

        Raises
        ------
        RunConfigurationError
            If the file cannot be read, or is no such file.
        """
        made = Environment(name)
        made.python.conda_dependencies = CondaDependencies(Path(file_path))
        return made

    @staticmethod
    def from_existing_conda_environment(name: str, conda_environment_name: str) -> Environment:
        """Make one that runs on an environment of conda as it is on this machine.

        Raises
        ------
        NotFoundError
            If there is no conda, or it has no such environment; the message lists those that it has.
        """
        from runwidgets.submit.conda_tool import interpreter_of

        made = Environment(name)
        made.python.user_managed_dependencies = True
        made.python.interpreter_path = str(interpreter_of(conda_environment_name))
        return made

    @staticmethod
    def from_docker_image(
        name: str,
        image: str,
        container_registry: RegistrySection | None = None,
        conda_specification: str | os.PathLike[str] | None = None,
        pip_requirements: str | os.PathLike[str] | None = None,
    ) -> Environment:
        """Make one that stands on an image. It can be kept, and not submitted: nothing here runs images.

        Parameters
        ----------
        name
            What to call it.
        image
            The image's name.
        container_registry
            Where it is.
        conda_specification, pip_requirements
            A file of packages; one of them.

        Raises
        ------
        RunConfigurationError
            If a file cannot be read, or both are given.
        """
        made = _with_packages(name, conda_specification, pip_requirements)
        made.docker.base_image = image
        made.docker.base_image_registry = container_registry or RegistrySection()
        return made

    @staticmethod
    def from_dockerfile(
        name: str,
        dockerfile: str | os.PathLike[str],
        conda_specification: str | os.PathLike[str] | None = None,
        pip_requirements: str | os.PathLike[str] | None = None,
    ) -> Environment:
        """Make one that stands on an image that a Dockerfile describes. It can be kept, and not submitted.

        Parameters
        ----------
        name
            What to call it.
        dockerfile
            The file, or its text.
        conda_specification, pip_requirements
            A file of packages; one of them.

        Raises
        ------
        RunConfigurationError
            If a file cannot be read, or both are given.
        """
        made = _with_packages(name, conda_specification, pip_requirements)
        made.docker.base_dockerfile = _text_of(dockerfile)
        return made

    @staticmethod
    def from_docker_build_context(name: str, docker_build_context: Any) -> Environment:
        """Make one that stands on an image that a folder describes. It can be kept, and not submitted."""
        made = Environment(name)
        made.docker.build_context = docker_build_context
        return made

    # ---- in files

    def save_to_directory(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Write it to a folder, as SDK v1 does: ``azureml_environment.json``, and its packages as a file of conda.

        Parameters
        ----------
        path
            The folder; it is made.
        overwrite
            Whether files in it may be replaced.

        Raises
        ------
        RunConfigurationError
            If the folder is there and ``overwrite`` is not set.
        OSError
            If it cannot be written.
        """
        folder = Path(path)
        if folder.exists() and not overwrite:
            raise RunConfigurationError(f"{folder} is there already: give another folder, or overwrite=True")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _FILE).write_text(json.dumps(self.as_dict(), indent=4) + "\n", encoding="utf-8")
        if self.python.conda_dependencies is not None:
            self.python.conda_dependencies.save(folder / _CONDA_FILE)

    @staticmethod
    def load_from_directory(path: str | os.PathLike[str]) -> Environment:
        """Read one that `save_to_directory` wrote. Where the folder has a file of conda, that says the packages.

        Raises
        ------
        NotFoundError
            If there is none in the folder.
        RunConfigurationError
            If it cannot be read.
        """
        file = Path(path) / _FILE
        try:
            made = Environment.from_dict(json.loads(file.read_text(encoding="utf-8-sig")))
        except FileNotFoundError as error:
            raise NotFoundError(f"there is no environment in {path}: it has no file {_FILE}") from error
        except (OSError, ValueError) as error:
            raise RunConfigurationError(f"the environment {file} cannot be read: {error}") from error
        if (packages := Path(path) / _CONDA_FILE).is_file():
            made.python.conda_dependencies = CondaDependencies(packages)
            made.python.conda_dependencies_file = None
        return made


def _with_packages(
    name: str, conda_specification: str | os.PathLike[str] | None, pip_requirements: str | os.PathLike[str] | None
) -> Environment:
    if conda_specification is not None and pip_requirements is not None:
        raise RunConfigurationError("conda_specification and pip_requirements were both given: give one of them")
    if conda_specification is not None:
        return Environment.from_conda_specification(name, conda_specification)
    if pip_requirements is not None:
        return Environment.from_pip_requirements(name, pip_requirements)
    return Environment(name)


def _text_of(dockerfile: str | os.PathLike[str]) -> str:
    text = str(dockerfile)
    if isinstance(dockerfile, str) and "\n" in text:
        return text
    try:
        return Path(dockerfile).read_text(encoding="utf-8")
    except OSError as error:
        raise RunConfigurationError(f"the Dockerfile {text!r} cannot be read: {error}") from error
