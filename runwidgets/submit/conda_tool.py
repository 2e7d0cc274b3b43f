"""The program that makes environments of conda, whichever of its kind is on the PATH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from runwidgets.errors import NotFoundError

_NAMES: Final = ("conda", "mamba", "micromamba")
_PATIENCE_SECONDS: Final = 60


def conda_tool() -> str | None:
    """Find conda, mamba or micromamba on the PATH; None where there is none."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def create_command(tool: str, prefix: Path, specification: Path) -> list[str]:
    """Give the words that make an environment at a place, of a file as conda's ``environment.yml``."""
    words = ["create"] if Path(tool).stem == "micromamba" else ["env", "create"]
    return [tool, *words, "--prefix", str(prefix), "--file", str(specification)]


def interpreter_in(prefix: Path) -> Path:
    """Give the interpreter of an environment of conda."""
    return prefix / "python.exe" if os.name == "nt" else prefix / "bin" / "python"


def interpreter_of(environment_name: str) -> Path:
    """Give the interpreter of an environment that conda has, by its name.

    Raises
    ------
    NotFoundError
        If there is no conda, or it has no such environment; the message lists those that it has.
    """
    tool = conda_tool()
    if tool is None:
        raise NotFoundError(
            f"there is no environment of conda {environment_name!r}: none of {', '.join(_NAMES)} is on the PATH. "
            "Set python.user_managed_dependencies and python.interpreter_path instead"
        )
    try:
        done = subprocess.run(  # noqa: S603 (the conda that is on the PATH)
            [tool, "env", "list", "--json"], capture_output=True, check=True, timeout=_PATIENCE_SECONDS
        )
        prefixes = [Path(prefix) for prefix in json.loads(done.stdout)["envs"]]
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError) as error:
        raise NotFoundError(f"{tool} does not tell which environments it has: {error}") from error
    # The root of an installation is the environment that conda calls `base`; the others lie in its folder `envs`.
    found = {prefix.name if prefix.parent.name == "envs" else "base": prefix for prefix in prefixes[::-1]}
    if environment_name not in found:
        listed = ", ".join(sorted(found)) or "none"
        raise NotFoundError(f"there is no environment of conda {environment_name!r}: {tool} has {listed}")
    return interpreter_in(found[environment_name])
