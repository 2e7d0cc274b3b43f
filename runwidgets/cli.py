"""The command ``runwidgets``. Each of its commands is a module with a function ``add_command``, named in `COMMANDS`.

Such a function gets the parsers of ``argparse``, adds one of its own, and sets ``run`` to what is called with the
arguments and gives the exit code. What it needs for that is imported only there: ``--help`` is quick.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from runwidgets.errors import RunwidgetsError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = ("runwidgets.doctor",)
"""Modules of commands, in the order in which the help lists them."""
_TROUBLE: Final = 2
_INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; give its exit code.

    Parameters
    ----------
    arguments
        What follows ``runwidgets`` on the command line; by default what this process was started with.

    Returns
    -------
    int
        What the command gives; 2 where it ended with an error.
    """
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if parsed.version:
        import runwidgets

        print(f"runwidgets {runwidgets.__version__}")
        return 0
    if parsed.command is None:
        parser.print_help()
        return 0
    try:
        code = int(parsed.run(parsed))
        sys.stdout.flush()
    except RunwidgetsError as error:
        print(f"runwidgets {parsed.command}: {error}", file=sys.stderr)
        return _TROUBLE
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _TROUBLE
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="runwidgets",
        description="Watch training runs, with no service, no account and no network.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="say which version this is")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for module in COMMANDS:
        import_module(module).add_command(commands)
    return parser
