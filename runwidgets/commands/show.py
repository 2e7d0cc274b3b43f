"""``runwidgets show``: a run as a picture in the terminal, now or live."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from runwidgets.commands.selection import RUN, add_workspace, run_of, workspace_of
from runwidgets.errors import MissingDependencyError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from runwidgets.run import Run
    from runwidgets.watch.view import RunView


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``show``."""
    parser = commands.add_parser(
        "show",
        help="show a run: its state, metrics and child runs",
        description="Show a run: its state, its metrics with their last values, and its child runs.",
        epilog="Exit code with --watch: 1 if the run has failed.",
        allow_abbrev=False,
    )
    parser.add_argument("wanted", metavar="RUN", help=RUN)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--watch", action="store_true", help="live, until the run has ended")
    how.add_argument("--html", metavar="FILE", help="as a page to send to somebody, with charts and images")
    add_workspace(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    run = run_of(workspace_of(arguments), arguments.wanted)
    if arguments.html is not None:
        from runwidgets.commands.table import say
        from runwidgets.watch.saving import save_html

        say(save_html(run, arguments.html))
        return 0
    if arguments.watch:
        from runwidgets.commands.exits import code_of
        from runwidgets.terminal.live import watch

        watch(run)
        return code_of(run)
    from runwidgets.commands.table import say
    from runwidgets.records import RunStatus
    from runwidgets.watch.feed import Feed

    feed = Feed(run._recorder, run.id)
    feed.step()
    if feed.view.status is RunStatus.NOT_RESPONDING:
        feed.step()  # its end may be recorded by now
    _draw(run, feed.view)
    for line in _facts(run, feed.view):
        say(line)
    return 0


def _draw(run: Run, view: RunView) -> None:
    from runwidgets.watch.beside import Onlooker
    from runwidgets.watch.logs import Logs

    onlooker = Onlooker(run, Logs(run.experiment.workspace._files, run.id))
    beside, log = onlooker.beside(view), onlooker.log_lines(view)
    try:
        from runwidgets.terminal.picture import Picture
    except MissingDependencyError:  # rich is an extra
        from runwidgets.commands.table import say
        from runwidgets.watch.static import as_text

        say(as_text(view, time.time(), log, beside))
        return
    from rich.console import Console

    Console().print(Picture(view, is_last=True, beside=beside, log=log))


def _facts(run: Run, view: RunView) -> Iterator[str]:
    from runwidgets.commands.table import byte_size, cut, one_line, width
    from runwidgets.store.health.findings import counted

    room = width() or 10_000
    yield ""
    yield f"  id     {run.id}"
    if run.description:
        yield cut(f"  about  {one_line(run.description)}", room)
    if run.tags:
        tags = ", ".join(key if value is None else f"{key}={value}" for key, value in run.tags.items())
        yield cut(f"  tags   {one_line(tags)}", room)
    if view.files:
        size = byte_size(sum(file.size for file in view.files.values()))
        yield f"  files  {counted(len(view.files), 'file')}, {size}"
