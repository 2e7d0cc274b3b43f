"""``runwidgets submit``: start a script that goes on when the terminal is closed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runwidgets.commands.amounts import seconds, whole
from runwidgets.commands.exits import DONE, INTERRUPTED, RUN_FAILED
from runwidgets.commands.selection import add_workspace, target_of, workspace_of
from runwidgets.commands.troubles import in_words
from runwidgets.errors import UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from runwidgets.run import Run
    from runwidgets.submit.script_run_config import ScriptRunConfig

_NOT_IN_NAMES: Final = re.compile(r"[^\w-]+")
_NOT_AT_FIRST: Final = re.compile(r"^[^A-Za-z0-9]+")
_LONGEST_NAME: Final = 255


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``submit``."""
    parser = commands.add_parser(
        "submit",
        help="submit a script, which goes on without this terminal",
        usage="runwidgets submit [options] DIR SCRIPT [-- ARGS ...]",
        description="Submit a script: it runs in a copy of its folder as that is now, in a process of its own that "
        "outlives this terminal, as soon as its compute target has a free slot. Printed is the id of its run, and "
        "nothing else: RUN=$(runwidgets submit . train.py). What follows -- is given to the script.",
        epilog="Exit code with --follow: 1 if the run has failed or was canceled, 130 after Ctrl-C; it then goes on.",
        allow_abbrev=False,
    )
    parser.add_argument("folder", metavar="DIR", help="the folder with all that the script needs")
    parser.add_argument("script", metavar="SCRIPT", help="the script, as a path in DIR")
    parser.add_argument("--experiment", metavar="NAME", help="by default called as the folder")
    parser.add_argument("--target", metavar="TARGET", help="the compute target (by default local)")
    parser.add_argument("--name", metavar="TEXT", help="what to call the run")
    parser.add_argument("--tag", metavar="KEY[=VALUE]", action="append", default=[], help="a tag; may be repeated")
    parser.add_argument(
        "--env", metavar="KEY=VALUE", action="append", default=[],
        help="an environment variable for the script; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--requirements", metavar="FILE",
        help="run with these packages of pip, in an environment that is made once (by default with the Python that "
        "runs this command)",
    )  # fmt: skip
    parser.add_argument(
        "--max-seconds", metavar="S", type=seconds, help="end the run after so long (by default 30 days)"
    )
    parser.add_argument(
        "--processes", metavar="N", type=whole,
        help="run it as N processes at once, which RANK and WORLD_SIZE tell apart; they log to one run",
    )  # fmt: skip
    parser.add_argument(
        "--priority", metavar="N", type=whole, help="runs of a higher one leave the queue first (by default 0)"
    )
    parser.add_argument(
        "-f", "--follow", action="store_true",
        help="print what the script prints until it has ended, and the id on standard error",
    )  # fmt: skip
    add_workspace(parser)
    parser.set_defaults(run=_run, for_script=[])


def _run(arguments: argparse.Namespace) -> int:
    from runwidgets.experiment import Experiment

    config = _config(arguments)
    tags = {key: value if equals else None for key, equals, value in _pairs(arguments.tag)}
    program = config.checked()  # before a workspace is made for nothing
    workspace = workspace_of(arguments, is_made=True)
    target_of(workspace, program.target)
    experiment = Experiment(
        workspace,
        arguments.experiment if arguments.experiment is not None else experiment_name(program.source_directory),
    )
    run = experiment.submit(config, tags, display_name=arguments.name, priority=arguments.priority)
    if not arguments.follow:
        from runwidgets.commands.table import say

        say(run.id)
        return DONE
    return _follow(run)


def _config(arguments: argparse.Namespace) -> ScriptRunConfig:
    from runwidgets.submit.distributed import MpiConfiguration
    from runwidgets.submit.environment import Environment
    from runwidgets.submit.script_run_config import ScriptRunConfig

    options: dict[str, Any] = {}
    if arguments.requirements is not None:
        file = arguments.requirements
        try:
            Path(file).open("rb").close()
        except OSError as error:
            raise UserError(f"--requirements {in_words(error)}") from error
        options["environment"] = Environment.from_pip_requirements(Path(file).stem, file)
    if arguments.processes is not None:
        if arguments.processes < 1:
            raise UserError(f"--processes is {arguments.processes}: it must be a number of processes from 1 on")
        options["distributed_job_config"] = MpiConfiguration(process_count_per_node=arguments.processes)
    if arguments.max_seconds is not None:
        options["max_run_duration_seconds"] = arguments.max_seconds
    config = ScriptRunConfig(
        arguments.folder, arguments.script, arguments.for_script, compute_target=arguments.target, **options
    )
    for key, equals, value in _pairs(arguments.env):
        if not equals or not key:
            raise UserError(f"--env {key or '=' + value}: give it as KEY=VALUE")
        config.run_config.environment_variables[key] = value
    return config


def _pairs(words: Sequence[str]) -> list[tuple[str, str, str]]:
    return [word.partition("=") for word in words]


def experiment_name(folder: str) -> str:
    """Make a name for an experiment of that of a folder; ``experiment`` where nothing of it can be in one."""
    name = _NOT_IN_NAMES.sub("-", Path(folder).name)
    return _NOT_AT_FIRST.sub("", name)[:_LONGEST_NAME].rstrip("-") or "experiment"


def _follow(run: Run) -> int:
    """Print what the script prints until it has ended; beside that, on standard error, what becomes of the run."""
    from runwidgets.commands.logs import LogReader
    from runwidgets.commands.table import one_line
    from runwidgets.records import RunStatus
    from runwidgets.submit.failure import LAST_LINES

    try:
        _note(f"run {run.id}" + _queue_words(run))
        LogReader(run).follow()
    except KeyboardInterrupt:
        _note(
            f"\nrun {run.id} goes on: `runwidgets logs {run.id} -f` follows it again, "
            f"`runwidgets cancel {run.id}` ends it"
        )
        return INTERRUPTED
    status, error = run.get_status(), run.get_details()["error"]
    if status == RunStatus.COMPLETED:
        return DONE
    why = error["error"]["message"].partition(LAST_LINES)[0] if error else ""  # they were printed just now
    why = one_line(why.partition("\n")[0])
    _note(f"run {run.id}: {status}" + (f": {why}" if why else ""))
    return RUN_FAILED


def _queue_words(run: Run) -> str:
    """Tell which place a run has in the queue, if it has to wait: else nothing is printed, and nobody knows why."""
    from runwidgets.compute import ComputeTarget

    target = ComputeTarget(run.experiment.workspace, run.get_details()["target"])
    status = target.get_status()
    if status.free_slots or run.id not in status.queued:
        return ""
    return f" waits: {run.get_detailed_status()['details']}"


def _note(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
