"""``runwidgets cancel``: end runs before they are done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runwidgets.commands.exits import DONE
from runwidgets.commands.selection import RUN, add_workspace, runs_of, workspace_of

if TYPE_CHECKING:
    import argparse


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``cancel``."""
    parser = commands.add_parser(
        "cancel",
        help="cancel runs",
        description="Cancel runs. A submitted run is ended; the process of an interactive run goes on, and the run is "
        "recorded as Canceled. A run that has ended already keeps its state.",
        allow_abbrev=False,
    )
    parser.add_argument("wanted", metavar="RUN", nargs="+", help=RUN)
    add_workspace(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from runwidgets.commands.table import say
    from runwidgets.records import RunStatus

    runs = runs_of(workspace_of(arguments), arguments.wanted)  # all of them are found, or none is canceled
    runs[0]._recorder.recover()
    for run in runs:
        before = RunStatus(run.get_status())
        if before.is_final:
            say(f"{run.id}  {before.value} already")
            continue
        run.cancel()
        say(f"{run.id}  {run.get_status()}")
    return DONE
