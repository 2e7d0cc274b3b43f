"""`CondaDependencies`: the packages that an environment is to have, as conda's files write them."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from runwidgets.errors import ArgumentTypeError, RunConfigurationError
from runwidgets.submit.requirements import package_name, with_absolute_place

if TYPE_CHECKING:
    import os

_CONDA_NAME: Final = re.compile(r"(?:\S+::)?\s*([A-Za-z0-9_.\-]+)")
_PYTHON_VERSION: Final = re.compile(r"(?:\S+::)?\s*python\s*=*\s*(\d[\w.]*)")


def conda_name(package: str) -> str:
    """Give the name of the package that a specification of conda asks for: ``numpy`` of ``conda-forge::numpy>=2``."""
    found = _CONDA_NAME.match(package.strip())
    return found.group(1).lower() if found else ""


def exact_python(packages: Iterable[str]) -> str | None:
    """Give the version that specifications of conda fix Python to, such as ``"3.11"``; None if they do not."""
    return next((found.group(1) for package in packages if (found := _PYTHON_VERSION.fullmatch(package.strip()))), None)


class CondaDependencies:
    """Packages of conda and of pip.

    Parameters
    ----------
    conda_dependencies_file_path
        A file to begin with, as conda's ``environment.yml``; by default there is nothing but this process's Python.
    _underlying_structure
        What such a file holds, to begin with instead.

    Raises
    ------
    RunConfigurationError
        If the file cannot be read, or is no such file.
    """

    def __init__(
        self,
        conda_dependencies_file_path: str | os.PathLike[str] | None = None,
        _underlying_structure: Mapping[str, Any] | None = None,
    ) -> None:
        if conda_dependencies_file_path is not None:
            content, origin = _read(Path(conda_dependencies_file_path)), str(conda_dependencies_file_path)
        elif _underlying_structure is not None:
            content, origin = _underlying_structure, "what was given"
        else:
            content, origin = {"dependencies": [f"python={sys.version_info[0]}.{sys.version_info[1]}"]}, ""
        self._rest, self._channels, self._conda, self._pip = _parts(content, origin)
        if conda_dependencies_file_path is not None:
            folder = Path(conda_dependencies_file_path).absolute().parent
            self._pip = [with_absolute_place(line, folder) for line in self._pip]

    @staticmethod
    def create(
        pip_indexurl: str | None = None,
        pip_packages: Iterable[str] | None = None,
        conda_packages: Iterable[str] | None = None,
        python_version: str | None = None,
        pin_sdk_version: bool = True,  # noqa: ARG004 (no package of the SDK is installed)
    ) -> CondaDependencies:
        """Make one of lists of packages.

        Parameters
        ----------
        pip_indexurl
            Where pip looks for packages.
        pip_packages, conda_packages
            What to install.
        python_version
            Such as ``"3.11"``; by default this process's.
        pin_sdk_version
            Accepted and unused.

        Raises
        ------
        ArgumentTypeError
            If packages are not a list of str.
        """
        made = CondaDependencies()
        if python_version is not None:
            made.set_python_version(python_version)
        for package in _texts("conda_packages", conda_packages):
            made.add_conda_package(package)
        for package in _texts("pip_packages", pip_packages):
            made.add_pip_package(package)
        if pip_indexurl:
            made.set_pip_index_url(pip_indexurl)
        return made

    # ---- what is in it

    @property
    def conda_channels(self) -> list[str]:
        """The channels that conda looks in, first one first."""
        return list(self._channels)

    @property
    def conda_packages(self) -> list[str]:
        """The packages of conda, Python among them."""
        return list(self._conda)

    @property
    def pip_packages(self) -> list[str]:
        """The packages of pip."""
        return [line for line in self._pip if not line.startswith("-")]

    @property
    def pip_options(self) -> list[str]:
        """The options of pip, such as ``"--index-url https://…"``."""
        return [line for line in self._pip if line.startswith("-")]

    @property
    def python_version(self) -> str | None:
        """The version that Python is fixed to; None if it is not."""
        return exact_python(self._conda)

    def get_python_version(self) -> str | None:
        """Give the version that Python is fixed to, as the property does."""
        return self.python_version

    # ---- changing it

    def add_conda_package(self, conda_package: str) -> None:
        """Add a package of conda, in place of one of the same name."""
        self._conda = _with(self._conda, _text("conda_package", conda_package), conda_name)

    def remove_conda_package(self, conda_package: str) -> None:
        """Take away the package of conda of this name; one that is not there does no harm."""
        self._conda = _without(self._conda, _text("conda_package", conda_package), conda_name)

    def add_pip_package(self, pip_package: str) -> None:
        """Add a package of pip, in place of one of the same name."""
        self._pip = _with(self._pip, _text("pip_package", pip_package), package_name)

    def remove_pip_package(self, pip_package: str) -> None:
        """Take away the package of pip of this name; one that is not there does no harm."""
        self._pip = _without(self._pip, _text("pip_package", pip_package), package_name)

    def set_pip_requirements(self, pip_requirements: Iterable[str]) -> None:
        """Have these packages and options of pip, and none of those before."""
        self._pip = _texts("pip_requirements", pip_requirements)

    def set_pip_option(self, pip_option: str) -> None:
        """Add an option of pip, in place of the same one with another value."""
        self._pip = _with(self._pip, _text("pip_option", pip_option), _option_name)

    def remove_pip_option(self, pip_option: str) -> None:
        """Take away an option of pip."""
        self._pip = _without(self._pip, _text("pip_option", pip_option), _option_name)

    def set_pip_index_url(self, index_url: str) -> None:
        """Say where pip looks for packages; with ``--index-url `` before the address, or without."""
        text = _text("index_url", index_url)
        self.set_pip_option(text if text.startswith("-") else f"--index-url {text}")

    def add_channel(self, channel: str) -> None:
        """Add a channel, after those that conda looks in before."""
        if _text("channel", channel) not in self._channels:
            self._channels.append(channel)

    def remove_channel(self, channel: str) -> None:
        """Take a channel away."""
        self._channels = [known for known in self._channels if known != channel]

    def set_python_version(self, version: str) -> None:
        """Fix the version of Python.

        A virtual environment, which packages of pip alone get, has the Python that submits all the same.
        """
        self._conda = [p for p in self._conda if conda_name(p) != "python"]
        self._conda.insert(0, f"python={version}")

    # ---- as text

    def as_dict(self) -> dict[str, Any]:
        """Give what a file of conda holds."""
        dependencies: list[Any] = list(self._conda)
        if self._pip:
            dependencies.append({"pip": list(self._pip)})
        content = copy.deepcopy(self._rest)
        if self._channels:
            content["channels"] = list(self._channels)
        return {**content, "dependencies": dependencies}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Make one of what `as_dict` gave.

        Raises
        ------
        RunConfigurationError
            If it is something else.
        """
        return cls(_underlying_structure=content)

    def serialize_to_string(self) -> str:
        """Give it as the text of a file of conda."""
        import yaml

        text: str = yaml.safe_dump(self.as_dict(), sort_keys=False, allow_unicode=True)
        return text

    def save_to_file(
        self, base_directory: str | os.PathLike[str], conda_file_path: str | os.PathLike[str] | None = None
    ) -> str:
        """Write it to a file.

        Parameters
        ----------
        base_directory
            The folder.
        conda_file_path
            The file's path in it, by default ``conda_dependencies.yml``.

        Returns
        -------
        str
            The path in the folder.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        name = Path(conda_file_path or "conda_dependencies.yml")
        self.save(Path(base_directory) / name)
        return str(name)

    def save(self, path: str | os.PathLike[str] | None = None) -> str:
        """Write it to a file, by default ``conda_dependencies.yml`` in the current folder, and give its path.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        file = Path(path or "conda_dependencies.yml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.serialize_to_string(), encoding="utf-8")
        return str(file)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CondaDependencies) and self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return self.serialize_to_string()


def _read(file: Path) -> Mapping[str, Any]:
    import yaml

    try:
        content: Any = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RunConfigurationError(f"the conda specification {file} cannot be read: {error}") from error
    if not isinstance(content, Mapping):
        raise RunConfigurationError(f"{file} is no conda specification: it has no list 'dependencies'")
    return content


def _parts(content: Mapping[str, Any], origin: str) -> tuple[dict[str, Any], list[str], list[str], list[str]]:
    """Take a specification apart: what else is in it, channels, packages of conda, lines of pip."""
    rest = {key: value for key, value in content.items() if key not in {"channels", "dependencies"}}
    conda, pip = [], []
    for dependency in content.get("dependencies") or []:
        if isinstance(dependency, Mapping) and isinstance(dependency.get("pip") or [], list):
            pip += [str(line).strip() for line in dependency.get("pip") or []]
        elif isinstance(dependency, str):
            conda.append(dependency)
        else:
            raise RunConfigurationError(f"{origin} is no conda specification: it has the dependency {dependency!r}")
    return rest, [str(channel) for channel in content.get("channels") or []], conda, pip


def _with(present: list[str], added: str, name_of: Any) -> list[str]:
    name = name_of(added)
    if not name:
        return present if added in present else [*present, added]
    kept = [added if name_of(known) == name else known for known in present]
    return kept if added in kept else [*kept, added]


def _without(present: list[str], removed: str, name_of: Any) -> list[str]:
    return [known for known in present if known != removed and (name_of(known) or known) != name_of(removed)]


def _option_name(line: str) -> str:
    return re.split(r"[\s=]", line, maxsplit=1)[0] if line.startswith("-") else ""


def _text(argument: str, value: object) -> str:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{argument} is a str, not {type(value).__name__}: {value!r}")
    return value.strip()


def _texts(argument: str, values: Iterable[str] | None) -> list[str]:
    if isinstance(values, str) or not isinstance(values, Iterable | None):
        raise ArgumentTypeError(f"{argument} is a list of str, not {type(values).__name__}: {values!r}")
    return [_text(f"each of {argument}", value) for value in values or ()]
