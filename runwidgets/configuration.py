"""The two files that say what a workspace is: ``config.json`` in a project names one, ``workspace.json`` describes it.

``config.json`` lies beside a user's code, in the form of SDK v1. ``workspace.json`` lies in the workspace's own folder
and keeps what was given when the workspace was made.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.errors import ArgumentTypeError, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)
_CONFIG_FOLDERS: Final = (".azureml", "aml_config", ".")
_CONFIG_FILES: Final = ("config.json", "project.json")
_TYPE: Final = "Microsoft.MachineLearningServices/workspaces"

DESCRIPTION: Final = "workspace.json"
"""Name of the file in a workspace's folder that describes it."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a workspace in its folder.

    Attributes
    ----------
    workspace_id
        A UUID.
    created_at
        Epoch seconds.
    subscription_id, resource_group, location, sku, friendly_name, tags
        As given.
    """

    workspace_id: str = msgspec.field(default_factory=lambda: str(uuid.uuid4()))
    created_at: float = msgspec.field(default_factory=time.time)
    subscription_id: str = ""
    resource_group: str = ""
    location: str = "local"
    sku: str = "basic"
    friendly_name: str = ""
    tags: dict[str, str] = {}


def find_config(start: Path, file_name: str | None) -> Path | None:
    """Find the configuration of a project: in a folder, or in the nearest one above it; None where there is none."""
    folder = start.absolute()
    for place in (folder, *folder.parents):
        for sub in _CONFIG_FOLDERS:
            for name in (file_name,) if file_name else _CONFIG_FILES:
                if (file := place / sub / name).is_file():
                    return file
    return None


def read_config(file: Path) -> tuple[str, str, str]:
    """Read subscription, resource group and name, from single keys or from one ``Scope`` (``Id``).

    Raises
    ------
    UserError
        If the file cannot be read, or names no workspace.
    """
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


def write_config(folder: Path, file_name: str | None, subscription_id: str, resource_group: str, name: str) -> Path:
    """Write the configuration of a project; one that is there is replaced.

    Returns
    -------
    Path
        The file, in the folder ``.azureml``.

    Raises
    ------
    UserError
        If it cannot be written.
    """
    file = folder / _CONFIG_FOLDERS[0] / (file_name or _CONFIG_FILES[0])
    content = {"subscription_id": subscription_id, "resource_group": resource_group, "workspace_name": name}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"the workspace configuration {file} cannot be written ({error}): give the path of a folder that can be"
        ) from error
    return file


def read_description(folder: Path) -> Description | None:
    """Read what is kept of a workspace; None where nothing is, or it cannot be read."""
    file = folder / DESCRIPTION
    try:
        return msgspec.json.decode(file.read_bytes(), type=Description)
    except OSError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _log.warning("%s describes no workspace (%s): its defaults hold", file, error)
        return None


def keep_description(folder: Path, description: Description) -> bool:
    """Keep what was given of a workspace in its folder, unless something is kept there already.

    Returns
    -------
    bool
        Whether it is this description that is kept: of many at once, one's is.

    Raises
    ------
    OSError
        If the folder cannot be made or written.
    """
    file = folder / DESCRIPTION
    folder.mkdir(parents=True, exist_ok=True)
    if file.exists():
        return False
    scratch = folder / f".{DESCRIPTION}-{uuid.uuid4().hex}"  # whole before it gets its name, so nobody reads half of it
    scratch.write_bytes(msgspec.json.format(msgspec.json.encode(description)) + b"\n")
    try:
        file.hardlink_to(scratch)  # unlike a renaming, it fails where another process was faster
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        scratch.replace(file)
    finally:
        scratch.unlink(missing_ok=True)
    return True


def given(tags: Mapping[str, Any] | None, **texts: object) -> dict[str, Any]:
    """Give the parts of a `Description` that a caller has given: the texts and tags that are not empty."""
    parts: dict[str, Any] = {key: str(text) for key, text in texts.items() if text}
    if tags is not None and not hasattr(tags, "items"):
        raise ArgumentTypeError(f"tags are a dict, not {type(tags).__name__}")
    if tags:
        parts["tags"] = {str(key): "" if value is None else str(value) for key, value in tags.items()}
    return parts


def workspace_details(name: str, about: Description, discovery_url: str) -> dict[str, Any]:
    """Describe a workspace with the keys of SDK v1's ``get_details``."""
    place = f"/subscriptions/{about.subscription_id}/resourceGroups/{about.resource_group}/providers"
    return {
        "id": f"{place}/{_TYPE}/{name}",
        "name": name,
        "identityPrincipalId": "",
        "identityTenantId": "",
        "identityType": "",
        "location": about.location,
        "type": _TYPE,
        "tags": dict(about.tags),
        "sku": about.sku,
        "workspaceid": about.workspace_id,
        "description": "",
        "friendlyName": about.friendly_name or name,
        "creationTime": datetime.fromtimestamp(about.created_at, UTC).isoformat(),
        "containerRegistry": "",
        "keyVault": "",
        "applicationInsights": "",
        "storageAccount": "",
        "discoveryUrl": discovery_url,
    }
