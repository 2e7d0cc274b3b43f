"""The environments that are registered in a workspace: a folder per name, a file per version, none ever changed."""

from __future__ import annotations

import json
import logging
import re
import shutil
import uuid
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import NotFoundError, StoreError, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runwidgets.workspace import Workspace

_log = logging.getLogger(__name__)
_NAME: Final = re.compile(r"[A-Za-z0-9_][\w.\-]{0,254}", re.ASCII)
_CURATED: Final = "azureml"


def register(workspace: Workspace, environment: Mapping[str, Any]) -> dict[str, Any]:
    """Keep an environment under the next number of its name, unless it is the same as the newest.

    Parameters
    ----------
    workspace
        Where.
    environment
        As `Environment.as_dict` gives it.

    Returns
    -------
    dict
        The same, with the number that it has.

    Raises
    ------
    UserError
        If its name is none for a registered environment.
    StoreError
        If it cannot be written.
    """
    from filelock import FileLock

    name = str(environment["name"])
    if not _NAME.fullmatch(name) or name.lower().startswith(_CURATED):
        raise UserError(
            f"an environment cannot be registered as {name!r}: a name has letters, digits, '_', '-' and '.', at most "
            "255, and does not begin with AzureML, as those of SDK v1's service did"
        )
    folder = _folder(workspace) / name
    try:
        if not workspace._is_kept:
            workspace._keep()
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / ".lock"):
            versions = _versions(folder)
            if versions:
                newest = _read(folder, versions[-1])
                if newest | {"version": None} == dict(environment) | {"version": None}:
                    return newest
            number = versions[-1] + 1 if versions else 1
            made = dict(environment) | {"version": str(number)}
            scratch = folder / f".{number}-{uuid.uuid4().hex}"
            scratch.write_text(json.dumps(made, indent=4) + "\n", encoding="utf-8")
            scratch.replace(folder / f"{number}.json")
            return made
    except OSError as error:
        raise StoreError(f"the environment {name!r} cannot be kept in {folder}: {error}") from error


def registered(workspace: Workspace, name: str, version: str | None = None) -> dict[str, Any]:
    """Give a registered environment as plain values, by default the newest of its name.

    Raises
    ------
    NotFoundError
        If there is none.
    StoreError
        If it cannot be read.
    """
    versions = _versions(_folder(workspace) / name) if _NAME.fullmatch(name) else []
    if not versions:
        raise NotFoundError(_absence(workspace, name))
    number = versions[-1] if version is None else next((n for n in versions if str(n) == version), None)
    if number is None:
        listed = ", ".join(map(str, versions))
        raise NotFoundError(f"environment {name!r} has no version {version!r}: it has {listed}")
    return _read(_folder(workspace) / name, number)


def registered_names(workspace: Workspace) -> list[str]:
    """Name the registered environments, in alphabetical order."""
    try:
        found = list(_folder(workspace).iterdir())
    except OSError:
        return []
    return sorted(place.name for place in found if _NAME.fullmatch(place.name) and _versions(place))


def keep_wheel(workspace: Workspace, file: Path, *, exist_ok: bool) -> Path:
    """Keep a wheel among the environments; `Environment.add_private_pip_wheel` tells how.

    Raises
    ------
    NotFoundError, UserError, StoreError
        As told there.
    """
    if file.suffix != ".whl":
        raise UserError(f"{file} is no wheel: give a file that ends in .whl, as `pip wheel` makes it")
    if not file.is_file():
        raise NotFoundError(f"there is no wheel {file.absolute()}")
    place = _folder(workspace) / ".wheels" / file.name
    if place.exists():
        if not exist_ok:
            raise UserError(f"the workspace {workspace.name!r} has a wheel {file.name} already: give exist_ok=True")
        return place
    scratch = place.with_name(f".{uuid.uuid4().hex}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, scratch)
        scratch.replace(place)
    except OSError as error:
        raise StoreError(f"the wheel {file.name} cannot be kept in {place.parent}: {error}") from error
    return place


def _folder(workspace: Workspace) -> Path:
    return workspace._folder / "environments"


def _versions(folder: Path) -> list[int]:
    try:
        return sorted(int(file.stem) for file in folder.glob("*.json") if file.stem.isdecimal())
    except OSError:
        return []


def _read(folder: Path, version: int) -> dict[str, Any]:
    file = folder / f"{version}.json"
    try:
        content: dict[str, Any] = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise StoreError(f"the environment in {file} cannot be read ({error}): register it anew") from error
    return content


def _absence(workspace: Workspace, name: str) -> str:
    listed = ", ".join(registered_names(workspace)) or "none"
    if name.lower().startswith(_CURATED):
        return (
            f"there is no environment {name!r}: those of this kind were images of SDK v1's service. Use "
            "Environment('x') for the interpreter that submits, Environment.from_pip_requirements('x', "
            f"'requirements.txt') for packages, or one of those registered here: {listed}"
        )
    return (
        f"the workspace {workspace.name!r} has no environment {name!r}; those registered are: {listed}. "
        "Environment(name) makes one, and its register(workspace) keeps it"
    )
