"""The folder under which everything lies, and the workspaces in it: a folder each, of the workspace's name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from runwidgets.configuration import DESCRIPTION
from runwidgets.errors import StoreError, UserError, WorkspaceNotFoundError

_NAME: Final = re.compile(r"[A-Za-z0-9][\w.\-]{0,254}", re.ASCII)


def home() -> Path:
    """Give the folder under which everything lies: ``RUNWIDGETS_HOME``, else ``~/.runwidgets``."""
    return Path(os.environ.get("RUNWIDGETS_HOME") or Path.home() / ".runwidgets").expanduser().absolute()


def folder_of(name: object, argument: str = "name") -> Path:
    """Give the folder of the workspace of a name, whether it exists or not.

    Raises
    ------
    UserError
        If the name, which was given as this argument, cannot be a workspace's.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserError(
            f"{argument} is {name!r}: it must begin with a letter or digit and hold only letters, digits, '_', '-' "
            "and '.', at most 255"
        )
    return home() / name


def is_workspace(folder: Path) -> bool:
    """Tell whether there is a workspace in a folder: one that was described, or used, and that this user may read."""
    try:
        return (folder / DESCRIPTION).is_file() or (folder / "runs.sqlite").is_file()
    except PermissionError:
        return False


def workspace_names() -> list[str]:
    """Name the workspaces that exist, in alphabetical order.

    Raises
    ------
    StoreError
        If the folder cannot be read.
    """
    try:
        found = list(home().iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreError(f"the folder of all workspaces cannot be read: {error}") from error
    return sorted(place.name for place in found if _NAME.fullmatch(place.name) and is_workspace(place))


def not_found(name: str) -> WorkspaceNotFoundError:
    """Make the error that says that a workspace does not exist, and which do."""
    present = ", ".join(workspace_names()) or "none"
    return WorkspaceNotFoundError(
        f"there is no workspace {name!r} under {home()}; those there are: {present}. Workspace.create makes one"
    )
