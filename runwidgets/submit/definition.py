"""What a submitted run is to do, as its supervisor reads it, and the folder where both leave word for each other."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from runwidgets.store.files import checked_name


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is to do.

    Attributes
    ----------
    home
        The folder under which the workspace lies.
    source_directory
        Where the snapshot was taken.
    snapshot_id
        Of the files to run; the script runs in a fresh copy of them.
    script
        Relative to the folder, with forward slashes; None where there is a command.
    command
        What is run instead of a script: a list of words, or one text for the shell.
    interpreter
        The Python that submitted it, which runs the script where the environment names no other.
    target
        Name of the compute target.
    process_count
        How many processes are started.
    distributed
        ``Mpi``, ``PyTorch`` or ``Tensorflow`` where they work together; else empty.
    max_run_duration_seconds
        After how long it is ended; None for never.
    environment
        As `Environment.as_dict` gives it; None for the interpreter that submitted.
    """

    run_id: str
    home: str
    workspace: str
    experiment: str
    source_directory: str
    snapshot_id: str
    interpreter: str
    target: str
    script: str | None = None
    command: list[str] | str | None = None
    arguments: list[str] = []
    environment_variables: dict[str, str] = {}
    process_count: int = 1
    distributed: str = ""
    max_run_duration_seconds: float | None = None
    environment: dict[str, Any] | None = None
    run_configuration: dict[str, Any] = {}


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
        self._definition.write_bytes(msgspec.json.encode(definition))

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
