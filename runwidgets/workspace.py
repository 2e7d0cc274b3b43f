"""`Workspace`: a folder on this machine that holds experiments and their runs."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import NotFoundError, UserError

if TYPE_CHECKING:
    from runwidgets.store.contract import Store
    from runwidgets.store.files import FileRoot
    from runwidgets.store.recorder import Recorder

_NAME: Final = re.compile(r"[A-Za-z0-9][\w.\-]{0,254}", re.ASCII)
_CONFIG_FOLDERS: Final = (".azureml", "aml_config", ".")
_CONFIG_FILES: Final = ("config.json", "project.json")


def home() -> Path:
    """Give the folder under which everything lies: ``RUNWIDGETS_HOME``, else ``~/.runwidgets``."""
    return Path(os.environ.get("RUNWIDGETS_HOME") or Path.home() / ".runwidgets").expanduser()


class Workspace:
    """A place for experiments and runs: one folder, one embedded store.

    Parameters
    ----------
    subscription_id, resource_group
        Kept and given back; nothing is looked up anywhere.
    workspace_name
        Which workspace: a folder of that name under `home`. It is made when it is first used.
    auth
        Accepted and unused: nobody signs in, nothing is sent.

    Raises
    ------
    UserError
        If the name cannot be a workspace's.
    """

    def __init__(
        self,
        subscription_id: str = "",
        resource_group: str = "",
        workspace_name: str = "default",
        auth: object = None,  # noqa: ARG002 (SDK v1's signature)
    ) -> None:
        if not isinstance(workspace_name, str) or not _NAME.fullmatch(workspace_name):
            raise UserError(
                f"workspace_name is {workspace_name!r}: it must begin with a letter or digit and hold only letters, "
                "digits, '_', '-' and '.', at most 255"
            )
        self._name = workspace_name
        self._subscription_id = str(subscription_id or "")
        self._resource_group = str(resource_group or "")
        self._folder = home().absolute() / workspace_name

    @classmethod
    def from_config(
        cls,
        path: str | os.PathLike[str] | None = None,
        auth: object = None,
        _logger: object = None,
        _file_name: str | None = None,
    ) -> Workspace:
        """Open the workspace that a configuration file names.

        Parameters
        ----------
        path
            A configuration file, or a folder: then ``.azureml/config.json``, ``aml_config/config.json`` or
            ``config.json`` in it or the nearest folder above. By default the current folder.
        auth
            Accepted and unused.

        Returns
        -------
        Workspace
            The one that the file names; the workspace ``default`` where no ``path`` was given and there is no file.

        Raises
        ------
        NotFoundError
            If ``path`` was given and leads to no configuration.
        UserError
            If the file is no configuration of a workspace.
        """
        start = Path(path) if path is not None else Path.cwd()
        file = start if start.is_file() else _find_config(start, _file_name) if start.is_dir() else None
        if file is None:
            if path is not None:
                raise NotFoundError(
                    f"no workspace configuration (config.json) at {start} or in a folder above it: "
                    "give the path of one, or no path for the workspace 'default'"
                )
            return cls(auth=auth)
        return cls(*_read_config(file), auth=auth)

    @property
    def name(self) -> str:
        """Name of the workspace."""
        return self._name

    @property
    def subscription_id(self) -> str:
        """As given."""
        return self._subscription_id

    @property
    def resource_group(self) -> str:
        """As given."""
        return self._resource_group

    @property
    def _recorder(self) -> Recorder:
        from runwidgets.store.recorder import recorder_of

        return recorder_of(self._folder)

    @property
    def _store(self) -> Store:
        return self._recorder.store

    @property
    def _files(self) -> FileRoot:
        from runwidgets.store.files import FileRoot

        return FileRoot(self._folder / "artifacts")

    def __repr__(self) -> str:
        return (
            f"Workspace.create(name={self._name!r}, subscription_id={self._subscription_id!r}, "
            f"resource_group={self._resource_group!r})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Workspace) and other._folder == self._folder

    def __hash__(self) -> int:
        return hash(self._folder)


def _find_config(start: Path, file_name: str | None) -> Path | None:
    folder = start.absolute()
    for place in (folder, *folder.parents):
        for sub in _CONFIG_FOLDERS:
            for name in (file_name,) if file_name else _CONFIG_FILES:
                if (file := place / sub / name).is_file():
                    return file
    return None


def _read_config(file: Path) -> tuple[str, str, str]:
    """Read subscription, resource group and name, from single keys or from one ``Scope`` (``Id``)."""
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserError(f"the workspace configuration {file} cannot be read: {error}") from error
    if isinstance(content, dict):
        scope = content.get("Scope") or content.get("Id")
        if isinstance(scope, str):
            words = scope.strip("/").split("/")
            content = dict(zip((w.lower() for w in words[::2]), words[1::2], strict=False))
            found = tuple(content.get(k, "") for k in ("subscriptions", "resourcegroups", "workspaces"))
        else:
            found = tuple(content.get(k, "") for k in ("subscription_id", "resource_group", "workspace_name"))
        if found[2]:
            return (str(found[0]), str(found[1]), str(found[2]))
    raise UserError(
        f"the workspace configuration {file} names no workspace: it needs the keys subscription_id, resource_group "
        "and workspace_name"
    )
