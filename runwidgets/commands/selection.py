"""Which workspace and which runs a command is about."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from runwidgets.errors import NotFoundError, UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from runwidgets.compute import ComputeTarget
    from runwidgets.run import Run
    from runwidgets.workspace import Workspace

RUN: Final = "a run: its id, or the beginning of it"
_PATIENCE_SECONDS: Final = 1.5
_LOOK_SECONDS: Final = 0.05
_MOST_NAMED: Final = 10


def add_workspace(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--workspace``."""
    parser.add_argument(
        "--workspace", metavar="NAME", help="which workspace; by default the one that Workspace.from_config() finds"
    )


def workspace_of(arguments: argparse.Namespace, *, is_made: bool = False) -> Workspace:
    """Open the workspace that is meant.

    Parameters
    ----------
    arguments
        With ``workspace``.
    is_made
        Whether it may begin to exist.

    Raises
    ------
    WorkspaceNotFoundError
        If there is none of that name.
    """
    from runwidgets.home import is_workspace, not_found
    from runwidgets.workspace import Workspace

    if arguments.workspace is not None:
        return Workspace(workspace_name=arguments.workspace) if is_made else Workspace.get(arguments.workspace)
    workspace = Workspace.from_config()
    if not is_made and not is_workspace(workspace._folder):
        raise not_found(workspace.name)
    return workspace


def target_of(workspace: Workspace, name: str) -> ComputeTarget:
    """Open a compute target.

    Raises
    ------
    NotFoundError
        If there is none of that name; the message has the command that makes it.
    """
    from runwidgets.compute import ComputeTarget, compute_targets
    from runwidgets.errors import ComputeTargetError

    try:
        return ComputeTarget(workspace, name)
    except ComputeTargetError as error:
        there = ", ".join(compute_targets(workspace))
        raise NotFoundError(
            f"the workspace {workspace.name!r} has no compute target {name!r}; it has: {there}. "
            "`runwidgets compute create NAME --slots N` makes one"
        ) from error


def run_of(workspace: Workspace, beginning: str) -> Run:
    """Open the run whose id begins like that.

    Raises
    ------
    UserError
        If there are several; the message names some.
    NotFoundError
        If there is none.
    """
    from runwidgets.run import Run

    return Run.get(workspace, id_of(workspace, beginning))


def runs_of(workspace: Workspace, beginnings: Sequence[str]) -> list[Run]:
    """Open several runs, each once."""
    ids = dict.fromkeys(id_of(workspace, beginning) for beginning in beginnings)
    from runwidgets.run import Run

    return [Run.get(workspace, run_id) for run_id in ids]


def id_of(workspace: Workspace, beginning: str) -> str:
    """Give the id that begins like that; raises as `run_of` does."""
    if not beginning:
        raise UserError("a run is named by its id, or the beginning of it: an empty text names none")
    recorder = workspace._recorder
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (ids := _ids(workspace, beginning)):
        recorder.recover()
        ids = _ids(workspace, beginning)
        if ids or not recorder.has_company or time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)  # a process that has just started it may not have told the store yet
    if not ids:
        raise NotFoundError(
            f"the workspace {workspace.name!r} has no run whose id begins with {beginning!r}: "
            "`runwidgets runs --all` lists those that there are"
        )
    if len(ids) > 1:
        raise UserError(_ambiguous(workspace, beginning, ids))
    return ids[0]


def _ids(workspace: Workspace, beginning: str) -> list[str]:
    from runwidgets.records import RunQuery

    store = workspace._store
    if store.run(beginning) is not None:
        return [beginning]
    return store.find(RunQuery(id_prefix=beginning, deep=True, limit=_MOST_NAMED + 1))


def _ambiguous(workspace: Workspace, beginning: str, ids: Sequence[str]) -> str:
    from runwidgets.commands.table import Column, age, lines_of

    now = time.time()
    found = workspace._store.described(ids[:_MOST_NAMED])
    table = lines_of(
        [Column("run"), Column("experiment"), Column("age", is_number=True)],
        [[one.run.run_id, one.run.experiment, age(one.run.created_at, now)] for one in found],
    )
    more = [] if len(ids) <= _MOST_NAMED else ["  …"]
    return "\n".join([
        f"the ids of several runs in the workspace {workspace.name!r} begin with {beginning!r}: write more of it",
        *(f"  {line}" for line in table),
        *more,
    ])  # fmt: skip
