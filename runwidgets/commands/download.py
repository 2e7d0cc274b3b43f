"""``runwidgets download``: copy files of a run out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runwidgets.commands.exits import DONE
from runwidgets.commands.order import take_in_any_order
from runwidgets.commands.selection import RUN, add_workspace, run_of, workspace_of
from runwidgets.errors import NotFoundError

if TYPE_CHECKING:
    import argparse


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``download``."""
    parser = commands.add_parser(
        "download",
        help="copy the files of a run out",
        description="Copy files of a run to a folder, with the folders that they have in the run. Files of the same "
        "names are replaced.",
        allow_abbrev=False,
    )
    parser.add_argument("wanted", metavar="RUN", help=RUN)
    parser.add_argument("prefix", metavar="PREFIX", nargs="?", help="only this file, or the files in this folder")
    parser.add_argument("--to", metavar="DIR", type=Path, help="where to; by default a folder called by the run's id")
    add_workspace(parser)
    take_in_any_order(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from runwidgets.commands.table import say
    from runwidgets.store.health.findings import counted

    run = run_of(workspace_of(arguments), arguments.wanted)
    folder = arguments.to or Path(run.id)
    names = run.get_file_names()
    prefix = "/".join(part for part in (arguments.prefix or "").split("/") if part not in ("", "."))
    wanted = [name for name in names if not prefix or name == prefix or name.startswith(f"{prefix}/")]
    if not wanted:
        there = ", ".join(names) or "none"
        raise NotFoundError(f"run {run.id} has no file or folder {prefix!r}; it has: {there}" if prefix else
                            f"run {run.id} has no files")  # fmt: skip
    for name in wanted:
        run.download_file(name, folder / name)
    say(f"{counted(len(wanted), 'file')} in {folder}")
    return DONE
