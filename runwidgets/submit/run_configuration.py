"""`RunConfiguration`: on what a script runs, and how; also as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from runwidgets.errors import NotFoundError, RunConfigurationError
from runwidgets.submit.closed import Closed, plain
from runwidgets.submit.distributed import MpiConfiguration, PyTorchConfiguration, TensorflowConfiguration
from runwidgets.submit.environment import Environment
from runwidgets.submit.sections import (
    AmlComputeConfiguration,
    ContainerInstanceConfiguration,
    DockerConfiguration,
    HistoryConfiguration,
    SparkSection,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from runwidgets.submit.conda import CondaDependencies

LOCAL: Final = "local"
"""The target that is always there: this machine."""
_SUFFIX: Final = ".runconfig"
_FOLDERS: Final = (".azureml", "aml_config", ".")


class RunConfiguration(Closed):
    """On what a script runs, and how.

    Parameters
    ----------
    script, arguments, command
        What runs; what `ScriptRunConfig` says of it comes first.
    framework, communicator
        ``Python`` and ``None``, or those of distributed training.
    conda_dependencies
        Packages of its environment.
    _history_enabled
        Accepted and unused, as ``_path`` and ``_name`` are.

    Attributes
    ----------
    target
        A compute target, or its name; ``local`` to begin with.
    environment
        The `Environment`.
    environment_variables
        Set for the script; values are set as their text.
    node_count
        How many machines: one.
    max_run_duration_seconds
        How long it may run; None for as long as it takes.
    priority
        Among those that wait for the same target.
    history, docker, mpi, pytorch, tensorflow, spark, amlcompute, container_instance
        Parts with attributes of their own.
    data_references, data, output_data, source_directory_data_store
        Kept and unused.
    auto_prepare_environment, prepare_environment
        Kept and unused: an environment is made when it is not there.
    """

    _ignored: ClassVar[frozenset[str]] = frozenset({
        "credentialPassthrough", "datacaching", "dataCaching", "hdi", "identity", "jobName", "parallelTask", "services",
        "useAbsolutePath", "userName", "exposedPorts",
    })  # fmt: skip

    script: str | None
    arguments: list[Any]
    command: Any
    target: Any
    framework: str
    communicator: str | None
    max_run_duration_seconds: float | None
    node_count: int
    priority: int | None
    environment: Environment
    environment_variables: dict[str, Any]
    history: HistoryConfiguration
    docker: DockerConfiguration
    mpi: MpiConfiguration
    pytorch: PyTorchConfiguration
    tensorflow: TensorflowConfiguration
    spark: SparkSection
    amlcompute: AmlComputeConfiguration
    container_instance: ContainerInstanceConfiguration
    data_references: dict[str, Any]
    data: dict[str, Any]
    output_data: dict[str, Any]
    source_directory_data_store: str | None
    auto_prepare_environment: bool | None
    prepare_environment: bool | None

    def __init__(  # noqa: PLR0917 (SDK v1's signature)
        self,
        script: str | None = None,
        arguments: Iterable[Any] | None = None,
        framework: str | None = None,
        communicator: str | None = None,
        conda_dependencies: CondaDependencies | None = None,
        _history_enabled: bool | None = None,
        _path: str | None = None,
        _name: str | None = None,
        command: str | list[Any] | None = None,
    ) -> None:
        self.script = script
        self.arguments = list(arguments or ())
        self.command = command
        self.target = LOCAL
        self.framework = framework or "Python"
        self.communicator = communicator or "None"
        self.max_run_duration_seconds = None
        self.node_count = 1
        self.priority = None
        self.environment = Environment("default-environment")
        if conda_dependencies is not None:
            self.environment.python.conda_dependencies = conda_dependencies
        self.environment_variables = {}
        self.history = HistoryConfiguration()
        self.docker = DockerConfiguration()
        self.mpi = MpiConfiguration()
        self.pytorch = PyTorchConfiguration()
        self.tensorflow = TensorflowConfiguration()
        self.spark = SparkSection()
        self.amlcompute = AmlComputeConfiguration()
        self.container_instance = ContainerInstanceConfiguration()
        self.data_references = {}
        self.data = {}
        self.output_data = {}
        self.source_directory_data_store = None
        self.auto_prepare_environment = self.prepare_environment = None

    @property
    def target_name(self) -> str:
        """The name of its compute target.

        Raises
        ------
        RunConfigurationError
            If the target is neither a name nor an object that has one.
        """
        if self.target is None:
            return LOCAL
        name = self.target if isinstance(self.target, str) else getattr(self.target, "name", None)
        if not isinstance(name, str) or not name:
            raise RunConfigurationError(
                f"the compute target is a compute target or its name, not {type(self.target).__name__}: {self.target!r}"
            )
        return name

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values that JSON and YAML can hold, by the names that files of SDK v1 have for them."""
        return {**super().as_dict(), "target": self.target_name}

    def save(
        self,
        path: str | os.PathLike[str] | None = None,
        name: str | None = None,
        separate_environment_yaml: bool = False,
    ) -> None:
        """Write it to a file.

        Parameters
        ----------
        path
            The project's folder, by default the current one; the file is ``.azureml/<name>.runconfig`` in it.
        name
            What to call it, by default as its target.
        separate_environment_yaml
            Whether the environment gets a file of its own beside it, ``<name>_environment.yml``.

        Raises
        ------
        RunConfigurationError
            If it cannot be written.
        """
        import yaml

        name = name or self.target_name
        file = _place(path, name)
        contents = {file: self.as_dict()}
        if separate_environment_yaml:
            beside = file.with_name(f"{name}_environment.yml")
            contents[beside] = contents[file]["environment"]
            contents[file]["environment"] = beside.name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            for place, content in contents.items():
                place.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
        except OSError as error:
            raise RunConfigurationError(f"the run configuration {file} cannot be written: {error}") from error

    @staticmethod
    def load(path: str | os.PathLike[str], name: str | None = None) -> RunConfiguration:
        """Read one that `save` wrote.

        Parameters
        ----------
        path
            The project's folder, or the file.
        name
            What it is called; not needed where ``path`` is the file.

        Raises
        ------
        NotFoundError
            If there is no such file.
        RunConfigurationError
            If it is no run configuration.
        """
        return RunConfiguration.from_dict(_read(_found(Path(path), name)))

    @staticmethod
    def delete(path: str | os.PathLike[str], name: str | None = None) -> None:
        """Delete the file of one that `save` wrote, and that of its environment.

        Raises
        ------
        NotFoundError
            If there is no such file.
        """
        file = _found(Path(path), name)
        file.with_name(f"{file.name.removesuffix(_SUFFIX)}_environment.yml").unlink(missing_ok=True)
        file.unlink()

    @classmethod
    def from_dict(cls, content: Any) -> Self:
        """Make one of what `as_dict` gave; what is not in it is as in a new one.

        Raises
        ------
        RunConfigurationError
            If a value is of a wrong type.
        """
        made = super().from_dict(content)
        made.arguments = list(made.arguments or ())
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunConfiguration) and plain(self) == plain(other)

    __hash__ = None  # type: ignore[assignment]  # it changes


def _place(path: str | os.PathLike[str] | None, name: str) -> Path:
    return Path(path or ".") / _FOLDERS[0] / f"{name}{_SUFFIX}"


def _found(path: Path, name: str | None) -> Path:
    if name is None and path.is_file():
        return path
    places = [path / folder / f"{name or LOCAL}{_SUFFIX}" for folder in _FOLDERS]
    for place in places:
        if place.is_file():
            return place
    raise NotFoundError(f"there is no run configuration {name or LOCAL!r} in {path}: {places[0]} is not there")


def _read(file: Path) -> dict[str, Any]:
    import yaml

    content: Any = None
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
        if isinstance(content, dict) and isinstance(beside := content.get("environment"), str):
            content["environment"] = yaml.safe_load((file.parent / beside).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RunConfigurationError(f"the run configuration {file} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise RunConfigurationError(f"{file} is no run configuration: it has no names with values")
    return content
