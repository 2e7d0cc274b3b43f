"""What a submitted run was to do, as facts for a display: without what may be a secret."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final, TypedDict

from runwidgets.watch.secrecy import is_secret, without_login, without_secrets
from runwidgets.watch.static import duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_ARGUMENTS: Final = 8000
"""Most characters of a command line that are shown."""


class Fact(TypedDict):
    """``Fact``: one line of the details."""

    label: str
    value: str


class Variable(TypedDict):
    """``Variable``: an environment variable; its value is None where it may be a secret."""

    key: str
    value: str | None


class Submission(TypedDict):
    """``Submission``."""

    facts: list[Fact]
    variables: list[Variable]
    packages: list[str]


NO_SUBMISSION: Final[Submission] = {"facts": [], "variables": [], "packages": []}


def submission_of(definition: Any) -> Submission:
    """Give what a run was to do.

    Parameters
    ----------
    definition
        A ``Definition`` of `runwidgets.submit.definition`, or something with its attributes; None for no submitted run.
    """
    if definition is None:
        return NO_SUBMISSION
    environment: Mapping[str, Any] = definition.environment
    python: Mapping[str, Any] = environment.get("python") or {}
    count = f", {definition.process_count} processes" if definition.process_count > 1 else ""
    limit = definition.max_run_duration_seconds
    told = {
        "Target": definition.target + count,
        "Script": definition.script,
        "Arguments": shlex.join(without_secrets(definition.arguments)),
        "Command": shown_command(definition.command),
        "Source folder": definition.source_directory,
        "Time limit": duration(limit) if limit else None,
        "Communicator": definition.communicator,
        "Submitted by": definition.submitted_by,
        "Environment": " ".join(str(word) for word in (environment.get("name"), environment.get("version")) if word),
        "Interpreter": definition.interpreter or python.get("interpreterPath"),
    }
    return {
        "facts": [{"label": label, "value": str(value)[:MAX_ARGUMENTS]} for label, value in told.items() if value],
        "variables": [
            {"key": key, "value": None if is_secret(key) else without_login(str(value))}
            for key, value in sorted(definition.environment_variables.items())
        ],
        "packages": packages_of(python.get("condaDependencies")),
    }


def shown_command(command: str | Sequence[str] | None) -> str:
    """Give a command as one line, without what may be a secret."""
    if not command:
        return ""
    if not isinstance(command, str):
        return shlex.join(without_secrets(command))
    try:
        words = shlex.split(command)
    except ValueError:  # a quotation that has no end
        words = command.split()
    safe = without_secrets(words)
    return command if safe == words else " ".join(safe)


def packages_of(dependencies: object) -> list[str]:
    """Give the packages that an environment asks for, of conda and of pip, as its file writes them."""
    listed = dependencies.get("dependencies") if isinstance(dependencies, dict) else None
    found: list[str] = []
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict) and isinstance(one.get("pip"), list):
            found += [without_login(str(package)) for package in one["pip"]]
    return found
