"""``runwidgets completion``: what makes a shell complete commands and options."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from runwidgets.commands.exits import DONE
from runwidgets.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHELLS: Final = ("bash", "zsh", "fish")


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``completion``."""
    parser = commands.add_parser(
        "completion",
        help="print what makes a shell complete commands and options",
        description='Print what makes a shell complete commands and options. For bash: eval "$(runwidgets completion '
        'bash)" in ~/.bashrc; for zsh: the same in ~/.zshrc, after compinit; for fish: runwidgets completion fish > '
        "~/.config/fish/completions/runwidgets.fish",
        allow_abbrev=False,
    )
    parser.add_argument("shell", choices=_SHELLS, help="which shell")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from runwidgets.cli import parser_of_commands

    try:
        shtab = import_module("shtab")
    except ImportError as error:
        raise MissingDependencyError("completion needs shtab, which is not installed: pip install shtab") from error
    parser = parser_of_commands()
    _prepare(parser, {"DIR": shtab.DIRECTORY, "FILE": shtab.FILE, "SCRIPT": shtab.FILE})
    sys.stdout.write(shtab.complete(parser, shell=arguments.shell))
    return DONE


def _prepare(parser: argparse.ArgumentParser, places: Mapping[str, object]) -> None:
    """Have commands described as the help lists them, since a shell has a line for each, and paths completed.

    Parameters
    ----------
    parser
        Of the whole command, or of a part of it.
    places
        By what the help calls an argument, up to a dot, what completes it.
    """
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for listed in action._choices_actions:
                action.choices[listed.dest].description = listed.help
                _prepare(action.choices[listed.dest], places)
        elif isinstance(action.metavar, str) and (completion := places.get(action.metavar.partition(".")[0])):
            action.complete = completion  # type: ignore[attr-defined]  # where shtab looks for it
