"""The command ``runwidgets``. Each of its commands is a module with a function ``add_command``, named in `COMMANDS`.

Such a function gets the parsers of ``argparse``, adds one of its own, and sets ``run`` to what is called with the
arguments and gives the exit code. What it needs for that is imported only there: ``--help`` is quick.

Exit codes: 0 where it is done, 1 where a command that waits for a run saw it fail (and where the doctor finds something
wrong), 2 where a command was not understood or could not be done, 130 after Ctrl-C. What a user does wrong is told on
standard error, with no traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Final

from runwidgets.commands.exits import DONE, INTERRUPTED, TROUBLE
from runwidgets.errors import RunwidgetsError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = (
    "runwidgets.commands.runs",
    "runwidgets.commands.show",
    "runwidgets.commands.logs",
    "runwidgets.commands.metrics",
    "runwidgets.commands.files",
    "runwidgets.commands.download",
    "runwidgets.commands.exporting",
    "runwidgets.commands.importing",
    "runwidgets.commands.cancel",
    "runwidgets.commands.delete",
    "runwidgets.doctor",
    "runwidgets.commands.completion",
)
"""Modules of commands, in the order in which the help lists them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; give its exit code.

    Parameters
    ----------
    arguments
        What follows ``runwidgets`` on the command line; by default what this process was started with.

    Returns
    -------
    int
        What the command gives; 2 where it ended with an error, 130 where it was interrupted.
    """
    try:
        return _main(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


def _main(arguments: Sequence[str] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # names that the terminal has no letters for are no error
    parser = parser_of_commands()
    parsed = parser.parse_args(arguments)
    if parsed.version:
        import runwidgets

        print(f"runwidgets {runwidgets.__version__}")
        return DONE
    if parsed.command is None:
        parser.print_help()
        return DONE
    try:
        code = int(parsed.run(parsed))
        sys.stdout.flush()
    except RunwidgetsError as error:
        print(f"runwidgets {parsed.command}: {error}", file=sys.stderr)
        return TROUBLE
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return TROUBLE
    except OSError as error:  # a file that cannot be read or written, a disk that is full
        print(f"runwidgets {parsed.command}: {error}", file=sys.stderr)
        return TROUBLE
    return code


def parser_of_commands() -> argparse.ArgumentParser:
    """Give the parser of the command with all of its commands."""
    parser = argparse.ArgumentParser(
        prog="runwidgets",
        description="Watch training runs, with no service, no account and no network.",
        epilog="Exit codes: 0 done; 1 the run that a command waited for has failed; 2 the command was not understood, "
        "or could not be done; 130 interrupted.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="say which version this is")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND [-h]", title="commands")
    for module in COMMANDS:
        import_module(module).add_command(commands)
    return parser
