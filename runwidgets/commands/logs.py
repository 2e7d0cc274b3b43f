"""``runwidgets logs``: what a run prints, as it comes or as it was."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, BinaryIO, Final

from runwidgets.commands.amounts import whole
from runwidgets.commands.exits import DONE, code_of
from runwidgets.commands.selection import RUN, add_workspace, run_of, workspace_of
from runwidgets.context import FAILED_LOG
from runwidgets.errors import NotFoundError, UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path

    from runwidgets.run import Run

_CHUNK: Final = 2**16
_PREFERRED: Final = (
    r"user_logs/std_log[^/]*\.txt",
    r"azureml-logs/\d\d.+\.txt",
    r"logs/user_log\.txt",
    r"[^/]*logs/.+",
)
"""Which log is meant where none is named: the first of these patterns that fits any."""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``logs``."""
    parser = commands.add_parser(
        "logs",
        help="print what a run printed, or follow it",
        description="Print a log of a run, byte for byte.",
        epilog="Exit code with --follow: 1 if the run has failed.",
        allow_abbrev=False,
    )
    parser.add_argument("wanted", metavar="RUN", help=RUN)
    parser.add_argument("-f", "--follow", action="store_true", help="go on while the run does, and end with it")
    parser.add_argument("--name", metavar="LOG", help="which file of the run; by default what it prints")
    parser.add_argument("--tail", metavar="N", type=whole, help="begin with the last N lines of what is there")
    add_workspace(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.tail is not None and arguments.tail < 0:
        raise UserError(f"--tail is {arguments.tail}: it must be a number of lines from 0 on")
    run = run_of(workspace_of(arguments), arguments.wanted)
    reader = LogReader(run, arguments.name, arguments.tail)
    if not arguments.follow:
        reader.print_more()
        if not reader.has_begun:
            raise NotFoundError(_missing(run, arguments.name))
        return DONE
    reader.follow()
    if arguments.name is not None and not reader.has_begun:
        raise NotFoundError(_missing(run, arguments.name))
    return code_of(run)


def _missing(run: Run, name: str | None) -> str:
    names = run.get_file_names()
    if name is not None:
        return f"run {run.id} has no file {name!r}; it has: {', '.join(names) or 'none'}"
    there = "; of its files, which `runwidgets files` lists, --name takes any" if names else ""
    return f"run {run.id} has no log{there}"


def primary_log(names: Iterable[str]) -> str | None:
    """Choose, of the files of a run, the log of what it prints; None where there is no log."""
    ordered = sorted(names)
    for pattern in _PREFERRED:
        fitting = [name for name in ordered if re.fullmatch(pattern, name)]
        if fitting:
            return fitting[-1] if pattern.startswith("azureml") else fitting[0]
    return None


class LogReader:
    """Prints a log from where it has got to, in pieces: however long it is, little of it is in memory.

    Parameters
    ----------
    run
        The run.
    name
        Which of its files; by default what it prints, or of several processes the one that failed.
    tail
        With how many lines of what is there to begin; by default all.
    """

    def __init__(self, run: Run, name: str | None = None, tail: int | None = None) -> None:
        self._run = run
        self._name = name
        self._tail = tail
        self._path: Path | None = None
        self._at = 0

    @property
    def has_begun(self) -> bool:
        """Whether the file was there."""
        return self._path is not None

    def follow(self) -> None:
        """Print the log as it grows, until the run has ended."""
        from runwidgets.waiting import wait_for_end

        wait_for_end(self._run, wait_post_processing=True, at_each_look=self.print_more)

    def print_more(self) -> None:
        """Print what is new; nothing while the file is not there."""
        found = self._find()
        if self._path is not None and found != self._path:  # the log of its environment's making, until it begins
            self._print(self._path)
            self._at = 0
        self._path = found or self._path
        if self._path is not None:
            self._print(self._path)

    def _print(self, path: Path) -> None:
        target = sys.stdout.buffer
        with path.open("rb") as file:
            if self._tail is not None:
                self._at, self._tail = begin_of_last(file, self._tail), None
            file.seek(self._at)
            while chunk := file.read(_CHUNK):
                target.write(chunk)
                self._at += len(chunk)
        target.flush()

    def _find(self) -> Path | None:
        names = self._run.get_file_names()
        if self._name is None:
            name = primary_log(names)
            if name is not None and "_process_" in name:  # the log of one of several
                failed = self._run.get_properties().get(FAILED_LOG)
                name = failed if failed in names else name
        else:
            name = self._name if self._name in names else None
        return None if name is None else self._run.experiment.workspace._files.path(self._run.id, name)


def begin_of_last(file: BinaryIO, count: int) -> int:
    """Give where the last lines of a file begin, which is read from its end."""
    end = at = file.seek(0, 2)
    if count == 0:
        return end
    wanted = count
    while at > 0:
        start = max(0, at - _CHUNK)
        file.seek(start)
        data = file.read(at - start)
        if at == end and data.endswith(b"\n"):
            data = data[:-1]  # the end of the last line begins no other
        breaks = data.count(b"\n")
        if breaks >= wanted:
            place = len(data)
            for _ in range(wanted):
                place = data.rindex(b"\n", 0, place)
            return start + place + 1
        wanted -= breaks
        at = start
    return 0
