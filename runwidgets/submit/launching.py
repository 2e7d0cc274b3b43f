"""Starting the processes of a run: with which words, in which environment, writing to which log."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from runwidgets.context import EXPERIMENT, RUN_ID, WORKSPACE
from runwidgets.store.orphans import MARK, SUPERVISOR

if TYPE_CHECKING:
    from runwidgets.store.files import FileRoot
    from runwidgets.submit.definition import Definition

_OF_NOTEBOOKS: Final = ("JPY_PARENT_PID", "JPY_SESSION_NAME", "PYDEVD_USE_FRAME_EVAL", "CLICOLOR_FORCE")


class Rank(NamedTuple):
    """One process of a run, and its log's name among the run's files."""

    number: int
    process: subprocess.Popen[bytes]
    log: str


BUILD_LOG: Final = "azureml-logs/20_image_build_log.txt"
"""Name of the log of how an environment was made, as in SDK v1."""


def log_names(process_count: int) -> list[str]:
    """Name the logs of a run's processes, by rank."""
    if process_count == 1:
        return ["user_logs/std_log.txt"]
    return [f"user_logs/std_log_process_{rank:02d}.txt" for rank in range(process_count)]


def launch(definition: Definition, interpreter: str, folder: Path, files: FileRoot, mark: str) -> list[Rank]:
    """Start all processes of a run, each in a session of its own, writing straight into its log.

    Parameters
    ----------
    definition
        What to run.
    interpreter
        The Python that runs the script.
    folder
        The copy of its files, which it works in.
    files
        Where its logs lie.
    mark
        By which they, and what they start, are known; see `runwidgets.store.orphans`.

    Raises
    ------
    OSError
        If one cannot be started; those before it are killed.
    """
    common = environment_of(definition, interpreter) | {MARK: mark}
    words = _checked(words_of(definition, interpreter), common, folder)
    # Has the system kill the first process of a script when its supervisor and the warden are killed at once.
    leash = [setpriv, "--pdeathsig", "KILL", "--"] if (setpriv := shutil.which("setpriv")) else []
    logs = log_names(definition.process_count)
    if definition.communicator:
        common |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    ranks: list[Rank] = []
    try:
        for number, name in enumerate(logs):
            log = files.open_to_append(definition.run_id, name)
            try:
                process = subprocess.Popen(  # noqa: S603 (what the user submitted)
                    [*leash, *words],
                    cwd=folder,
                    env=common | _place_of(definition, number),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            finally:
                os.close(log)
            ranks.append(Rank(number, process, name))
    except OSError:
        for rank in ranks:
            rank.process.kill()
        raise
    return ranks


def _checked(words: list[str] | str, variables: dict[str, str], folder: Path) -> list[str]:
    """Give the words to execute, after a look whether the first is a program."""
    if isinstance(words, str):
        return ["/bin/sh", "-c", words]
    program = words[0]
    is_path = os.sep in program
    if shutil.which(folder / program if is_path else program, path=variables.get("PATH")) is None:
        where = "is not there, or no program" if is_path else "is not on the PATH"
        raise FileNotFoundError(errno.ENOENT, f"the command cannot be run: {program!r} {where}")
    return words


def words_of(definition: Definition, interpreter: str) -> list[str] | str:
    """Give the command that starts a run's process: words, or one text for the shell."""
    if definition.command is None:
        return [interpreter, str(definition.script), *definition.arguments]
    return definition.command


def environment_of(definition: Definition, interpreter: str) -> dict[str, str]:
    """Give the environment variables of a run's processes, but what depends on the rank."""
    found = {name: value for name, value in os.environ.items() if name not in (SUPERVISOR, *_OF_NOTEBOOKS)}
    if found.get("MPLBACKEND", "").startswith("module://"):  # that of a notebook's kernel
        del found["MPLBACKEND"]
    bin_folder, path = Path(interpreter).parent, found.get("PATH", os.defpath)
    is_virtual = (bin_folder.parent / "pyvenv.cfg").exists()
    if is_virtual:
        found |= {"VIRTUAL_ENV": str(bin_folder.parent)}
    python = bin_folder / "python"
    if is_virtual or (python.exists() and shutil.which("python", path=path) != str(python)):
        found["PATH"] = os.pathsep.join(
            (str(bin_folder), path)
        )  # so that a command's python is that of the environment
    found |= {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}
    found |= definition.environment_variables
    found |= {
        "RUNWIDGETS_HOME": definition.home,
        RUN_ID: definition.run_id,
        WORKSPACE: definition.workspace,
        EXPERIMENT: definition.experiment,
        "AZUREML_RUN_ID": definition.run_id,
        "AZUREML_ARM_WORKSPACE_NAME": definition.workspace,
        "AZUREML_ARM_PROJECT_NAME": definition.experiment,
    }
    return found


def _place_of(definition: Definition, rank: int) -> dict[str, str]:
    if not definition.communicator:
        return {}
    count = str(definition.process_count)
    place = {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "NODE_RANK": "0", "GROUP_RANK": "0",
        "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "AZ_BATCHAI_MPI_MASTER_NODE": "127.0.0.1",
    }  # fmt: skip
    if "mpi" in definition.communicator.lower():
        place |= {"OMPI_COMM_WORLD_RANK": str(rank), "OMPI_COMM_WORLD_LOCAL_RANK": str(rank)}
        place |= {"OMPI_COMM_WORLD_SIZE": count, "OMPI_COMM_WORLD_LOCAL_SIZE": count}
    return place


def _free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
