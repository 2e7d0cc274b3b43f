"""The command ``runwidgets``. Each of its commands is a module with a function ``add_command``, named in `COMMANDS`.

Such a function gets the parsers of ``argparse``, adds one of its own, and sets ``run`` to what is called with the
arguments and gives the exit code. What it needs for that is imported only there: ``--help`` is quick.

Exit codes: 0 where it is done, 1 where a command that waits for a run saw it fail (and where the doctor finds something
wrong), 2 where a command was not understood or could not be done, 130 after Ctrl-C, 141 where nobody reads any more
what it prints (``| head``), as a shell says of a tool that SIGPIPE has ended. What a user does wrong is told on
standard error, with no traceback.
"""

from __future__ import annotations

import argparse
import re
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from runwidgets.commands.exits import CUT_OFF, DONE, INTERRUPTED, TROUBLE
from runwidgets.commands.streams import make_ready, silence
from runwidgets.commands.troubles import in_words
from runwidgets.errors import RunwidgetsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import SupportsWrite

COMMANDS: Final = (
    "runwidgets.commands.submitting",
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
    "runwidgets.commands.compute",
    "runwidgets.commands.portal",
    "runwidgets.doctor",
    "runwidgets.commands.completion",
)
"""Modules of commands, in the order in which the help lists them."""
_HALF_PAIR: Final = re.compile(r"[\ud800-\udfff]")
"""What Python makes of bytes on the command line that are no text."""
_NUMBER: Final = re.compile(r"\[Errno -?\d+\] ")
"""What Python puts before the words of the system."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; give its exit code.

    Parameters
    ----------
    arguments
        What follows ``runwidgets`` on the command line; by default what this process was started with.

    Returns
    -------
    int
        What the command gives; 2 where it ended with an error, 130 where it was interrupted, 141 where nobody reads on.
    """
    make_ready()
    try:
        code = _main(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `| head` has read enough
        silence()
        return CUT_OFF
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):  # as rich makes of one
            raise
        silence()
        return CUT_OFF
    except OSError as error:  # what it prints to is full
        with suppress(OSError):
            print(f"runwidgets: what is printed cannot be written: {in_words(error)}", file=sys.stderr)
        silence()
        return TROUBLE
    return code


def _main(arguments: Sequence[str] | None) -> int:
    parser = parser_of_commands()
    try:
        parsed = parser.parse_args(arguments)
    except SystemExit as end:  # after --help, or what was wrong
        return int(end.code or DONE)
    if parsed.version:
        import runwidgets

        print(f"runwidgets {runwidgets.__version__}")
        return DONE
    if parsed.command is None:
        parser.print_help()
        return DONE
    try:
        return int(parsed.run(parsed))
    except BrokenPipeError:
        raise
    except RunwidgetsError as error:
        problem = str(error)
    except OSError as error:  # a file that cannot be read or written, a disk that is full
        problem = in_words(error)
    except UnicodeEncodeError as error:
        if not any(_HALF_PAIR.search(word) for word in (sys.argv[1:] if arguments is None else arguments)):
            raise  # then it is a mistake of ours
        problem = f"an argument is no text that UTF-8 can hold: {error.object[:80]!r}"
    print(f"runwidgets {parsed.command}: {_NUMBER.sub('', problem)}", file=sys.stderr)
    return TROUBLE


def parser_of_commands() -> argparse.ArgumentParser:
    """Give the parser of the command with all of its commands."""
    parser = _Parser(
        prog="runwidgets",
        description="Submit scripts and watch training runs, with no service, no account and no network.",
        epilog="Exit codes: 0 done; 1 the run that a command waited for has failed; 2 the command was not understood, "
        "or could not be done; 130 interrupted; 141 cut off, as by `| head`.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="say which version this is")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND [-h]", title="commands")
    for module in COMMANDS:
        import_module(module).add_command(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """Gives a command that has a default for ``for_script`` there what follows ``--``, as it is.

    A positional argument of ``argparse`` that takes what follows ``--`` would have to come before all options.
    """

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Print a message; that it could not be printed is an error as others are."""
        if message:
            (file or sys.stderr).write(message)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse arguments; see `argparse.ArgumentParser.parse_known_args`."""
        given = list(sys.argv[1:] if args is None else args)
        if self.get_default("for_script") is None:
            return super().parse_known_args(given, namespace)
        place = given.index("--") if "--" in given else len(given)
        parsed, unknown = super().parse_known_args(given[:place], namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)} (what the script is to get comes after --)")
        parsed.for_script = given[place + 1 :]
        return parsed, unknown
