"""What was submitted, in an archive: the definition of a script's run, written, checked, and kept again."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.archive.layout import ArchivedDefinition
from runwidgets.compute import is_target_name
from runwidgets.errors import RunwidgetsError
from runwidgets.home import home
from runwidgets.submit.definition import Definition, Place
from runwidgets.surroundings import SNAPSHOT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runwidgets.archive.layout import ArchivedRun
    from runwidgets.workspace import Workspace

_MOST_BYTES: Final = 2**22
"""So many the JSON of one may have: a system takes no command line that is longer."""
_MOST_PROCESSES: Final = 10_000
_LONGEST_KEY: Final = 200
_LONGEST_REASON: Final = 300


def definition_of(workspace: Workspace, run_id: str) -> ArchivedDefinition | None:
    """Give what was submitted as it goes into an archive; None for a run that was not."""
    found = Place(workspace._folder, run_id).definition()
    return None if found is None else msgspec.convert(found, ArchivedDefinition, from_attributes=True)


def oddity(definition: ArchivedDefinition) -> str | None:
    """Say why something of the right types is not what any submission keeps; None where it is.

    What a reader relies on is checked, and what would be used as a path.
    """
    size = len(msgspec.json.encode(definition))
    if size > _MOST_BYTES:
        return f"has {size:,} bytes, more than {_MOST_BYTES:,}"
    if not is_target_name(definition.target):
        return f"names a compute target {definition.target[:200]!r}, which cannot be one"
    if not 1 <= definition.process_count <= _MOST_PROCESSES:
        return f"has {definition.process_count:,} processes: 1 to {_MOST_PROCESSES:,} can be"
    seconds = definition.max_run_duration_seconds
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        return f"has an impossible duration, {seconds}"
    if (definition.script is None) == (definition.command is None):
        return "has neither a script nor a command, or both"
    return _odd_environment(definition.environment)


def _odd_environment(content: dict[str, Any]) -> str | None:
    from runwidgets.submit.environment import Environment

    try:
        if not all(key.isprintable() and len(key) <= _LONGEST_KEY for key in _keys(content)):
            return "has an environment that is none: odd names in it"  # which are said where they mean nothing here
        environment = Environment.from_dict(content)
    except (RunwidgetsError, TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        return f"has an environment that is none: {str(error)[:_LONGEST_REASON]}"
    if environment.python.conda_dependencies_file is not None:  # which would be a file of this machine
        return "has an environment that stands on a file"
    return None


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _keys(inner)


def keep_definition(workspace: Workspace, run: ArchivedRun, new_id: str) -> None:
    """Keep what was submitted with a run that is imported; nobody ever starts it there.

    Raises
    ------
    OSError
        If the workspace's folder does not take it.
    """
    if run.definition is None:
        return
    Place(workspace._folder, new_id).define(
        Definition(
            **msgspec.structs.asdict(run.definition),
            run_id=new_id,
            home=str(home()),
            workspace=workspace.name,
            experiment=run.experiment,
            snapshot_id=run.properties.get(SNAPSHOT_ID, ""),
        )
    )


def forget_definition(workspace: Workspace, run_id: str) -> None:
    """Take away what `keep_definition` has kept."""
    shutil.rmtree(Place(workspace._folder, run_id).folder, ignore_errors=True)
