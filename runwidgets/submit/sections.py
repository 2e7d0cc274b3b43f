"""The parts of an `Environment` and of a `RunConfiguration`, each with what SDK v1 has in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from runwidgets.submit.closed import Closed
from runwidgets.submit.conda import CondaDependencies


@dataclass(repr=False)
class PythonSection(Closed):
    """Which Python runs the script, and with which packages.

    Attributes
    ----------
    user_managed_dependencies
        Whether ``interpreter_path`` is run as it is, and nothing is installed.
    interpreter_path
        That interpreter; ``python`` is the one that submits.
    conda_dependencies
        Packages to install where they are not managed by the user.
    conda_dependencies_file
        A file with such packages, instead; relative to the current folder.
    base_conda_environment
        Kept and unused.
    """

    user_managed_dependencies: bool = False
    interpreter_path: str | Path = "python"
    conda_dependencies: CondaDependencies | None = field(default_factory=CondaDependencies)
    conda_dependencies_file: str | Path | None = None
    base_conda_environment: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values, the packages of the file among them."""
        content = super().as_dict()
        if self.conda_dependencies_file is not None and Path(self.conda_dependencies_file).is_file():
            content["condaDependencies"] = CondaDependencies(self.conda_dependencies_file).as_dict()
        return content


@dataclass(repr=False)
class RegistrySection(Closed):
    """A registry of images. What signs in there is not written anywhere."""

    _ignored: ClassVar[frozenset[str]] = frozenset({"registryIdentity"})
    address: str | None = None
    username: str | None = None
    password: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values, without the password."""
        return {key: value for key, value in super().as_dict().items() if key != "password"}


@dataclass(repr=False)
class DockerSection(Closed):
    """The image that an environment stands on. It is kept as data: nothing here runs images."""

    enabled: bool = False
    base_image: str | None = None
    base_dockerfile: str | Path | None = None
    build_context: Any = None
    base_image_registry: RegistrySection = field(default_factory=RegistrySection)
    platform: dict[str, Any] = field(default_factory=lambda: {"os": "Linux", "architecture": "amd64"})
    shared_volumes: bool = True
    gpu_support: bool = False
    shm_size: str | None = None
    arguments: list[Any] = field(default_factory=list)


@dataclass(repr=False)
class SparkSection(Closed):
    """Kept and unused: there is no Spark here."""

    repositories: list[Any] = field(default_factory=list)
    packages: list[Any] = field(default_factory=list)
    precache_packages: bool = True
    configuration: dict[str, Any] = field(default_factory=dict)


@dataclass(repr=False)
class HistoryConfiguration(Closed):
    """What is kept of a run."""

    output_collection: bool = True
    snapshot_project: bool = True
    directories_to_watch: list[str] = field(default_factory=lambda: ["logs"])


@dataclass(repr=False)
class DockerConfiguration(Closed):
    """How an image would be run; nothing here runs any, and ``use_docker`` is a warning when it is submitted."""

    use_docker: bool = False
    shared_volumes: bool = True
    arguments: list[Any] | None = None
    shm_size: str | None = None


@dataclass(repr=False)
class AmlComputeConfiguration(Closed):
    """Kept and unused: no machines are rented here."""

    name: str | None = None
    vm_size: str | None = None
    vm_priority: str | None = None
    retain_cluster: bool = False
    cluster_max_node_count: int | None = None


@dataclass(repr=False)
class ContainerInstanceConfiguration(Closed):
    """Kept and unused: no containers are rented here."""

    region: str | None = None
    cpu_cores: float = 1
    memory_gb: float = 3.5
