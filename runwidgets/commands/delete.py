"""``runwidgets delete``: delete runs for good."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from runwidgets.commands.exits import DONE, TROUBLE
from runwidgets.commands.selection import RUN, add_workspace, runs_of, workspace_of
from runwidgets.errors import UserError

if TYPE_CHECKING:
    import argparse


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``delete``."""
    parser = commands.add_parser(
        "delete",
        help="delete runs",
        description="Delete runs for good, with all below them, all that they logged, and their files. Registered "
        "models stay. Nothing is deleted while one of them is going on.",
        allow_abbrev=False,
    )
    parser.add_argument("wanted", metavar="RUN", nargs="+", help=RUN)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_workspace(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from runwidgets.commands.table import Column, lines_of, say
    from runwidgets.deleting import delete_runs
    from runwidgets.filters import run_query
    from runwidgets.store.health.findings import counted

    workspace = workspace_of(arguments)
    runs = runs_of(workspace, arguments.wanted)  # all of them are found, or none is deleted
    if not arguments.yes:
        below = {found for run in runs for found in workspace._store.find(run_query(below=run.id, deep=True))}
        below -= {run.id for run in runs}
        rows = [[run.id, run.experiment.name, run._name or "", run.get_status()] for run in runs]
        columns = [Column("run"), Column("experiment"), Column("name", can_shrink=True), Column("status")]
        for line in lines_of(columns, rows):
            say(line)
        also = f", and {counted(len(below), 'run')} below" if below else ""
        if not _agrees(f"Delete {counted(len(runs), 'run')}{also}, for good? [y/N] "):
            say("nothing is deleted")
            return TROUBLE
    deleted = delete_runs(workspace, [run.id for run in runs])
    say(f"deleted {counted(len(deleted), 'run')}")
    return DONE


def _agrees(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UserError("nobody can be asked here whether to delete them: give --yes")
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
