"""What a submitted run is to do, as its supervisor reads it, and the folder where both leave word for each other."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from runwidgets.store.files import checked_name


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What is to run, checked, in plain values that any process can read.

    Attributes
    ----------
    source_directory
        The project's folder: absolute, links followed.
    script
        The script's path in it, with forward slashes; None for a command.
    arguments
        What the script gets.
    command
        Words to execute, or one text for a shell; None for a script.
    target
        Name of the compute target.
    environment
        As `Environment.as_dict` gives it, with an interpreter that is there; for `building.interpreter_for`.
    interpreter
        What runs the script; None where an environment has to be made first, unless it is there already.
    environment_variables
        Set for the script.
    process_count
        How many processes run it.
    communicator
        How the processes talk to each other, such as ``Nccl`` or ``Mpi``; empty where they do not. With one, the
        environment variables of distributed training are set, even for one process.
    max_run_duration_seconds
        How long it may run; None for as long as it takes.
    priority
        Among those that wait for the same target, None where none was given.
    collects_outputs
        Whether ``./outputs`` is kept.
    takes_snapshot
        Whether the folder is kept.
    watched_directories
        Folders beside ``./outputs`` whose files are kept, such as ``logs``.
    """

    source_directory: str
    script: str | None
    arguments: list[str]
    command: str | list[str] | None
    target: str
    environment: dict[str, Any]
    interpreter: str | None
    environment_variables: dict[str, str]
    process_count: int
    communicator: str
    max_run_duration_seconds: float | None
    priority: int | None
    collects_outputs: bool
    takes_snapshot: bool
    watched_directories: list[str]


class Definition(Program, frozen=True, kw_only=True):
    """What a run is to do.

    Attributes
    ----------
    home
        The folder under which the workspace lies.
    snapshot_id
        Of the files to run; the script runs in a fresh copy of them.
    submitted_by
        Name of the user who submitted it; empty where the system knew none.
    submitted_from
        Id of the run of this workspace whose script submitted it; empty where no script did.
    """

    run_id: str
    home: str
    workspace: str
    experiment: str
    snapshot_id: str
    submitted_by: str = ""
    submitted_from: str = ""


class Place:
    """The folder of a submitted run in which its supervisor, and whoever wants something of it, leave word.

    Parameters
    ----------
    workspace
        The workspace's folder.
    run_id
        The run.
    """

    def __init__(self, workspace: Path, run_id: str) -> None:
        self.folder = workspace / "submissions" / checked_name(run_id)
        self._definition = self.folder / "definition.json"
        self._cancel = self.folder / "cancel"
        self.supervisor = self.folder / "supervisor"
        """Holds the number and the start time of the process to wake, since it can be woken."""
        self.said = self.folder / "supervisor.log"
        """What the supervisor itself prints: nothing, unless it has an error."""

    def define(self, definition: Definition) -> None:
        """Keep what the run is to do.

        Raises
        ------
        OSError
            If the workspace's folder does not take it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._definition, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # variables may be secrets
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(definition))

    def definition(self) -> Definition | None:
        """Read what the run is to do; None for a run that was not submitted."""
        try:
            return msgspec.json.decode(self._definition.read_bytes(), type=Definition)
        except (OSError, msgspec.DecodeError):
            return None

    def ask_to_cancel(self) -> None:
        """Leave word that the run is to end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._cancel.touch()

    @property
    def is_to_cancel(self) -> bool:
        """Whether somebody wants the run to end."""
        return self._cancel.exists()

    def remove(self) -> None:
        """Delete the folder, and the copy of the files that the run worked in."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(working_folder(self.folder.name), ignore_errors=True)


def working_folder(run_id: str) -> Path:
    """Give the folder that holds what the script of a run works in."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    return Path(tempfile.gettempdir(), f"runwidgets-{user}", run_id)
