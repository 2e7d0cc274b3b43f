"""``runwidgets import``: bring the runs of an archive into a workspace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runwidgets.commands.exits import DONE
from runwidgets.commands.selection import add_workspace, workspace_of
from runwidgets.errors import UserError

if TYPE_CHECKING:
    import argparse


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``import``."""
    parser = commands.add_parser(
        "import",
        help="bring exported runs into a workspace",
        description="Bring the runs of an archive into a workspace: all of them, or none. The archive is checked "
        "before anything is written. Runs keep ids, times and values, and get new numbers; one that was going on is "
        "Failed. Needs the extra runwidgets[frames].",
        allow_abbrev=False,
    )
    parser.add_argument("file", metavar="FILE.zip", help="the archive")
    parser.add_argument("--rename", action="store_true", help="give runs new ids where theirs are taken")
    add_workspace(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from runwidgets.archive import import_runs
    from runwidgets.commands.table import say
    from runwidgets.store.health.findings import counted

    if not arguments.file:
        raise UserError("the archive '': the name of a file is wanted")
    workspace = workspace_of(arguments, is_made=True)  # with its first run
    done = import_runs(workspace, Path(arguments.file), rename=arguments.rename)
    for note in done.notes:
        sys.stderr.write(f"{note}\n")
    say(f"{counted(len(done.run_ids), 'run')} imported into the workspace {workspace.name!r}")
    return DONE
