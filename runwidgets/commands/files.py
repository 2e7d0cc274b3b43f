"""``runwidgets files``: the files of a run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from runwidgets.commands.exits import DONE
from runwidgets.commands.selection import RUN, add_workspace, run_of, workspace_of

if TYPE_CHECKING:
    import argparse


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``files``."""
    parser = commands.add_parser(
        "files",
        help="list the files of a run",
        description="List the files of a run, images and logs included.",
        allow_abbrev=False,
    )
    parser.add_argument("wanted", metavar="RUN", help=RUN)
    parser.add_argument("--json", action="store_true", help="print JSON, sizes in bytes, times as UTC epoch seconds")
    add_workspace(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    import msgspec

    from runwidgets.commands.table import Column, age, byte_size, lines_of, plain_json, say

    run = run_of(workspace_of(arguments), arguments.wanted)
    files = run._recorder.store.files(run.id)
    if arguments.json:
        say(plain_json(msgspec.to_builtins(files)))
        return DONE
    if not files:
        say(f"run {run.id} has no files")
        return DONE
    now = time.time()
    rows = [[byte_size(file.size), age(file.stored_at, now), file.path] for file in files]
    columns = [Column("size", is_number=True), Column("age", is_number=True), Column("file", can_shrink=True)]
    for line in lines_of(columns, rows):
        say(line)
    return DONE
