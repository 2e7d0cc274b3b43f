"""``runwidgets export``: write runs as one file that can be carried elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from runwidgets.commands.exits import DONE
from runwidgets.commands.order import take_in_any_order
from runwidgets.commands.selection import RUN, add_workspace, id_of, workspace_of
from runwidgets.commands.troubles import file_to_write
from runwidgets.errors import UserError

if TYPE_CHECKING:
    import argparse


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``export``."""
    parser = commands.add_parser(
        "export",
        help="write runs as one file, to import elsewhere",
        description="Write runs, with all below them, as one zip archive: records, metrics as Parquet, files, "
        "snapshots, checksums. `runwidgets import` brings them into another workspace. Needs the extra "
        "runwidgets[frames].",
        allow_abbrev=False,
    )
    parser.add_argument("wanted", metavar="RUN", nargs="+", help=RUN)
    parser.add_argument("file", metavar="FILE.zip", help="the archive")
    parser.add_argument("--without-children", action="store_true", help="leave out the runs below them")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there")
    add_workspace(parser)
    take_in_any_order(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from runwidgets.archive import export_runs
    from runwidgets.commands.table import byte_size, say
    from runwidgets.store.health.findings import counted

    workspace = workspace_of(arguments)
    file = file_to_write(arguments.file, "the archive")
    ids = [id_of(workspace, beginning) for beginning in arguments.wanted]
    if file.exists() and not arguments.overwrite:
        raise UserError(f"{file} is there already: name another file, or replace it with --overwrite")
    done = export_runs(
        workspace, ids, file, with_children=not arguments.without_children, overwrite=arguments.overwrite
    )
    for note in done.notes:
        sys.stderr.write(f"{note}\n")
    size = byte_size(file.stat().st_size)
    say(f"{counted(len(done.run_ids), 'run')} in {arguments.file}, {size}")
    return DONE
