"""What runs were made with: their tags, properties, arguments, git commits, packages, and vectors logged once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from runwidgets.records import MetricKind
from runwidgets.watch.parameters import is_internal, read_command_line
from runwidgets.watch.secrecy import Secret
from runwidgets.watch.submission import shown_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runwidgets.records import MetricHead

KINDS: Final = ("run", "argument", "tag", "logged", "property", "git", "snapshot", "environment", "variable", "package")
"""Of parameters, in the order in which they are listed. ``logged`` is a vector that was logged once."""
GROUPING: Final = frozenset({"argument", "tag", "logged", "property", "git", "snapshot"})
"""The kinds by which runs can be grouped."""
MAX_PACKAGES: Final = 2000
_NUMBER: Final = re.compile(r"-[\d.]")
_GIT: Final = "azureml.git."
_SNAPSHOT: Final = "ContentSnapshotId"
_SURROUNDINGS: Final = {"runwidgets.python": "Python", "runwidgets.platform": "platform"}


class Key(NamedTuple):
    """Which parameter: its kind, one of `KINDS`, and its name."""

    kind: str
    name: str


def parameters_of(
    tags: Mapping[str, str | None],
    properties: Mapping[str, str],
    heads: Iterable[MetricHead] = (),
    definition: Mapping[str, Any] | None = None,
) -> dict[Key, Any]:
    """Give the parameters of a run.

    Parameters
    ----------
    tags, properties
        The run's.
    heads
        Its metrics.
    definition
        What was submitted, as `Run.get_details` gives it under ``runDefinition``; None for an interactive run.
    """
    found: dict[Key, Any] = {
        Key("tag", key): "" if value is None else value for key, value in tags.items() if not is_internal(key)
    }
    for key, text in properties.items():
        if key == _SNAPSHOT:
            found[Key("snapshot", "files")] = text
        elif key in _SURROUNDINGS:
            found[Key("environment", _SURROUNDINGS[key])] = text
        elif key.startswith(_GIT):
            found[Key("git", key.removeprefix(_GIT))] = text
        elif not is_internal(key):
            found[Key("property", key)] = text
    for head in heads:
        if head.kind is MetricKind.VECTOR and head.row_count == 1:
            found[Key("logged", head.name)] = head.last
    return found | _submitted(definition or {})


def _submitted(definition: Mapping[str, Any]) -> dict[Key, Any]:
    found = {Key("run", name): definition[name] for name in ("script", "target") if definition.get(name)}
    command = definition.get("command")
    if command:
        found[Key("run", "command")] = shown_command(command)
    if definition.get("processCount", 1) != 1:
        found[Key("run", "processes")] = definition["processCount"]
    found |= {Key("argument", name): value for name, value in arguments_of(definition.get("arguments") or ()).items()}
    environment = definition.get("environment") or {}
    if name := environment.get("name"):
        found[Key("environment", "name")] = name
    # Variables are where tokens are kept: which there are is told, and not what they hold.
    for name, value in (definition.get("environmentVariables") or {}).items():
        found[Key("variable", str(name))] = Secret(str(value))
    return found


def arguments_of(words: Sequence[Any]) -> dict[str, Any]:
    """Read all of a command line: values by option, as ``--alpha 0.1`` or ``--alpha=0.1``; others by their place.

    Options are called as the columns of a table of runs, without their dashes; what writes out a number is a number.
    An option with nothing after it is True. One that comes again has all its values, with commas.
    """
    found: dict[str, list[Any]] = {}
    place = 0
    for name, value in read_command_line(words):
        place += name is None
        found.setdefault(f"#{place}" if name is None else name, []).append(value)
    return {name: values[0] if len(values) == 1 else _several(values) for name, values in found.items()}


def _several(values: list[Any]) -> str:
    text = ", ".join(map(str, values))
    return Secret(text) if any(isinstance(value, Secret) for value in values) else text


def packages_of(text: str) -> dict[Key, str]:
    """Read a list of packages as ``pip freeze`` gives it."""
    pairs = (line.strip().partition("==") for line in text.splitlines()[:MAX_PACKAGES])
    return {Key("package", name): version for name, equals, version in pairs if equals}
