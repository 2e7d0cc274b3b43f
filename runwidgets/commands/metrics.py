"""``runwidgets metrics``: what a run logged, as a table or as a file of another format."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from runwidgets.commands.exits import DONE
from runwidgets.commands.selection import RUN, add_workspace, run_of, workspace_of
from runwidgets.commands.troubles import file_to_write
from runwidgets.errors import NotFoundError, UserError
from runwidgets.records import SYSTEM_METRICS

if TYPE_CHECKING:
    import argparse

    from runwidgets.run import Run

_STDOUT: Final = "-"


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``metrics``."""
    parser = commands.add_parser(
        "metrics",
        help="print the metrics of a run, or write them to a file",
        description="Print the metrics of a run as a table, or write all values as CSV, JSON or Parquet.",
        allow_abbrev=False,
    )
    parser.add_argument("wanted", metavar="RUN", help=RUN)
    parser.add_argument("--name", metavar="METRIC", help="only this metric")
    formats = parser.add_mutually_exclusive_group()
    for name in ("csv", "json"):
        formats.add_argument(
            f"--{name}", metavar="FILE", nargs="?", const=_STDOUT, help=f"as {name.upper()}; without FILE it is printed"
        )
    formats.add_argument("--parquet", metavar="FILE", help="as Parquet (needs the extra runwidgets[frames])")
    add_workspace(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    run = run_of(workspace_of(arguments), arguments.wanted)
    if arguments.parquet is not None:
        if arguments.parquet == _STDOUT:
            raise UserError("--parquet needs the name of a file: what is Parquet cannot be printed")
        run.to_parquet(file_to_write(arguments.parquet, "--parquet"), arguments.name)
    elif arguments.csv is not None:
        from runwidgets.exports import write_csv

        if arguments.csv == _STDOUT:
            write_csv(run._whole(arguments.name), sys.stdout)
        else:
            run.to_csv(file_to_write(arguments.csv, "--csv"), arguments.name)
    elif arguments.json is not None:
        from runwidgets.exports import write_json

        if arguments.json == _STDOUT:
            write_json(run._whole(arguments.name), sys.stdout)
        else:
            run.to_json(file_to_write(arguments.json, "--json"), arguments.name)
    else:
        _print_table(run, arguments.name)
    return DONE


def _print_measured(run: Run, name: str) -> None:
    """Print the values of what was measured of a script, which is in no table of its metrics."""
    from runwidgets.commands.table import say
    from runwidgets.watch.numbers import number

    values = run.get_metrics(name).get(name)
    if values is None:
        raise NotFoundError(f"run {run.id} has no metric {name!r}")
    for value in values if isinstance(values, list) else [values]:
        say(number(value))


def _print_table(run: Run, name: str | None) -> None:
    from runwidgets.commands.table import NONE, Column, lines_of, say
    from runwidgets.watch.feed import Feed
    from runwidgets.watch.numbers import number
    from runwidgets.watch.static import row_marks, row_name, row_numbers
    from runwidgets.watch.wire import DEFAULT_CONTROLS, metrics_state

    feed = Feed(run._recorder, run.id)
    feed.step()
    if name is not None and name.startswith(SYSTEM_METRICS):
        _print_measured(run, name)
        return
    rows = [row for row in metrics_state(feed.view, DEFAULT_CONTROLS)["rows"] if name in (None, row["name"])]
    if not rows and name is not None:
        there = ", ".join(repr(metric) for metric in feed.view.metrics) or "none"
        raise NotFoundError(f"run {run.id} has no metric {name!r}; it has: {there}")
    if not rows:
        say(f"run {run.id} has no metrics")
        return
    columns = [
        Column("metric", can_shrink=True), Column("last", is_number=True), Column("min", is_number=True),
        Column("max", is_number=True), Column("count", is_number=True), Column(""),
    ]  # fmt: skip
    cells = [
        [row_name(row), *(cell or NONE for cell in row_numbers(row)), number(row["count"]), row_marks(row)]
        for row in rows
    ]
    for line in lines_of(columns, cells):
        say(line)
