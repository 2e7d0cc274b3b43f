"""Starting the processes of a run: with which words, in which environment, writing to which log."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from runwidgets.context import EXPERIMENT, RUN_ID, WORKSPACE
from runwidgets.submit.descent import SUPERVISOR

if TYPE_CHECKING:
    from runwidgets.store.files import FileRoot
    from runwidgets.submit.definition import Definition

_OF_NOTEBOOKS: Final = ("JPY_PARENT_PID", "JPY_SESSION_NAME", "PYDEVD_USE_FRAME_EVAL", "CLICOLOR_FORCE")


class Rank(NamedTuple):
    """One process of a run, and its log's name among the run's files."""

    number: int
    process: subprocess.Popen[bytes]
    log: str


def log_names(process_count: int) -> list[str]:
    """Name the logs of a run's processes, by rank."""
    if process_count == 1:
        return ["user_logs/std_log.txt"]
    return [f"user_logs/std_log_process_{rank:02d}.txt" for rank in range(process_count)]


def launch(definition: Definition, interpreter: str, folder: Path, files: FileRoot) -> list[Rank]:
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

    Raises
    ------
    OSError
        If one cannot be started; those before it are killed.
    """
    words = words_of(definition, interpreter)
    logs = log_names(definition.process_count)
    common = environment_of(definition, interpreter)
    if definition.communicator:
        common |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    ranks: list[Rank] = []
    try:
        for number, name in enumerate(logs):
            log = files.open_to_append(definition.run_id, name)
            try:
                process = subprocess.Popen(  # noqa: S603 (what the user submitted)
                    words,
                    cwd=folder,
                    env=common | _place_of(definition, number),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    shell=isinstance(words, str),
                )
            finally:
                os.close(log)
            ranks.append(Rank(number, process, name))
    except OSError:
        for rank in ranks:
            rank.process.kill()
        raise
    return ranks


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
    bin_folder = Path(interpreter).parent
    if (bin_folder.parent / "pyvenv.cfg").exists():
        found |= {"VIRTUAL_ENV": str(bin_folder.parent)}
        found["PATH"] = os.pathsep.join((str(bin_folder), found.get("PATH", os.defpath)))
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
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
