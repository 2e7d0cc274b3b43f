"""What an environment asks of this machine, read from its plain values; whether this machine has it."""

from __future__ import annotations

import copy
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.errors import EnvironmentBuildError, RunConfigurationError
from runwidgets.submit.conda import CondaDependencies, conda_name
from runwidgets.submit.conda_tool import conda_tool
from runwidgets.submit.requirements import is_own, with_absolute_place

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_EVERY_ENVIRONMENT: Final = {"python", "pip"}
_OWN_IMAGES: Final = "mcr.microsoft.com/azureml/"
_PIP_VERSION: Final = re.compile(r"(?:\S+::)?pip\s*=+\s*(\d+(?:\.\w+)*)")
_OLDEST_PYTHON: Final = (3, 11)


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What an environment asks for.

    Attributes
    ----------
    name
        What it is called.
    interpreter
        The interpreter that its user manages; None where the packages below say what is needed. With neither packages
        nor this, it is the interpreter that submits.
    pip
        Lines of pip's requirements.
    left_out
        Those that runwidgets stands for, and which are not installed.
    pip_version
        The version of pip to install with, None for that which Python brings.
    conda
        Packages of conda, Python among them; empty where Python and pip are all that is asked for.
    channels
        The channels of conda, first one first.
    python
        The version that Python is fixed to, None if it is not.
    """

    name: str
    interpreter: Path | None = None
    pip: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    pip_version: str | None = None
    conda: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    python: str | None = None


def needs_of(environment: Mapping[str, Any]) -> Needs:
    """Read what an environment asks for, and check that this machine has it.

    Parameters
    ----------
    environment
        As `Environment.as_dict` gives it.

    Raises
    ------
    RunConfigurationError
        If it stands on an image, its interpreter is not there, or its file of packages cannot be read.
    EnvironmentBuildError
        If it has packages of conda and there is no conda.
    """
    name = str(environment.get("name") or "")
    _check_image(name, environment.get("docker") or {})
    python = environment.get("python") or {}
    if python.get("userManagedDependencies"):
        return Needs(name=name, interpreter=_interpreter(name, str(python.get("interpreterPath") or "python")))
    packages = _packages(python)
    conda = packages.conda_packages
    lines = [*packages.pip_options, *packages.pip_packages]
    needs = Needs(
        name=name,
        pip=tuple(line for line in lines if not is_own(line)),
        left_out=tuple(line for line in lines if is_own(line)),
        pip_version=next((found.group(1) for package in conda if (found := _PIP_VERSION.fullmatch(package))), None),
        conda=tuple(conda) if {conda_name(package) for package in conda} - _OF_EVERY_ENVIRONMENT else (),
        channels=tuple(packages.conda_channels),
        python=packages.python_version,
    )
    if needs.conda:
        _check_conda(needs)
    return needs


def settled(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Give an environment as it is to be kept with a run: checked, and with nothing in it that depends on the folder.

    Parameters
    ----------
    environment
        As `Environment.as_dict` gives it.

    Raises
    ------
    RunConfigurationError, EnvironmentBuildError
        As `needs_of` does.
    """
    needs = needs_of(environment)
    made = copy.deepcopy(dict(environment))
    python = made.setdefault("python", {})
    if needs.interpreter is not None:
        python["interpreterPath"] = str(needs.interpreter)
    else:
        packages = _packages(python)
        lines = [*packages.pip_options, *packages.pip_packages]
        packages.set_pip_requirements(with_absolute_place(line, Path.cwd()) for line in lines)
        python["condaDependencies"] = packages.as_dict()
    python["condaDependenciesFile"] = None
    return made


def _packages(python: Mapping[str, Any]) -> CondaDependencies:
    if file := python.get("condaDependenciesFile"):
        return CondaDependencies(file)
    return CondaDependencies(_underlying_structure=python.get("condaDependencies") or {})


def _interpreter(name: str, path: str) -> Path:
    if path == "python":
        return Path(sys.executable)
    found = shutil.which(path) if os.path.basename(path) == path else None  # noqa: PTH119 (./x and x differ here)
    place = Path(found or path).expanduser().absolute()  # a link stays one: it says which environment it belongs to
    if not place.is_file() or not os.access(place, os.X_OK):
        why = "it is a folder" if place.is_dir() else "it is not executable" if place.exists() else "it is not there"
        raise RunConfigurationError(
            f"environment {name!r} cannot run on the interpreter {path!r}, {place}: {why}. Set "
            "python.interpreter_path to an interpreter, or leave it at 'python', the one that submits"
        )
    return place


def _check_image(name: str, docker: Mapping[str, Any]) -> None:
    image = str(docker.get("baseImage") or "")
    if docker.get("baseDockerfile") or docker.get("buildContext"):
        what, instead = "a Dockerfile", "set docker.base_dockerfile to None"
    elif image and not image.startswith(_OWN_IMAGES):
        what, instead = f"the image {image!r}", "set docker.base_image to None"
    else:
        return
    raise RunConfigurationError(
        f"environment {name!r} has {what}, and nothing here runs images: {instead}, or use an Environment that has "
        "packages of pip, or none for the interpreter that submits"
    )


def _check_conda(needs: Needs) -> None:
    packages = ", ".join(package for package in needs.conda if conda_name(package) not in _OF_EVERY_ENVIRONMENT)
    if conda_tool() is None:
        raise EnvironmentBuildError(
            f"environment {needs.name!r} has packages of conda ({packages}), and none of conda, mamba and micromamba "
            "is on the PATH: name them as packages of pip, install conda, or set python.user_managed_dependencies and "
            "python.interpreter_path to an interpreter that has them"
        )
    version = tuple(int(part) for part in (needs.python or "").split(".")[:2] if part.isdecimal())
    if len(version) == len(_OLDEST_PYTHON) and version < _OLDEST_PYTHON:
        raise EnvironmentBuildError(
            f"environment {needs.name!r} fixes Python to {needs.python}, and scripts that log need 3.11 or newer: call "
            "python.conda_dependencies.set_python_version('3.11'), or set python.user_managed_dependencies"
        )
