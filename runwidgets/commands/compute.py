"""``runwidgets compute``: the compute targets of a workspace, and what goes on there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from runwidgets.commands.amounts import whole
from runwidgets.commands.exits import DONE
from runwidgets.commands.selection import add_workspace, target_of, workspace_of
from runwidgets.errors import ComputeTargetError, UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from runwidgets.compute import ComputeStatus, ComputeTarget
    from runwidgets.records import FoundRun


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``compute``."""
    parser = commands.add_parser(
        "compute",
        help="list, show, make and delete compute targets",
        description="Compute targets: where submitted scripts run, and how many at once.",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)

    def action(
        name: str, run: Callable[[argparse.Namespace], int], does: str, more: str = ""
    ) -> argparse.ArgumentParser:
        added = actions.add_parser(
            name, help=does, description=f"{does[0].upper()}{does[1:]}.{more}", allow_abbrev=False
        )
        add_workspace(added)
        added.set_defaults(run=run)
        return added

    listing = action("list", _list, "list the targets, with how many runs go and wait there")
    showing = action("show", _show, "show the runs that go on at a target, and those that wait, in their order")
    showing.add_argument("target", metavar="TARGET", nargs="?", default="local", help="which (by default local)")
    for parser_of_some in (listing, showing):
        parser_of_some.add_argument("--json", action="store_true", help="print JSON, times as UTC epoch seconds")
    creating = action(
        "create", _create, "make a target on this machine, or change how many slots it has",
        " What runs and waits there stays.",
    )  # fmt: skip
    creating.add_argument("target", metavar="NAME", help="what to call it")
    creating.add_argument(
        "--slots", metavar="N", type=whole, help="how many runs go at once (by default as many as there are processors)"
    )
    deleting = action("delete", _delete, "forget a target where no run goes on or waits")
    deleting.add_argument("target", metavar="NAME", help="which")


def _list(arguments: argparse.Namespace) -> int:
    from runwidgets.commands.table import Column, lines_of, plain_json, say
    from runwidgets.compute import ComputeTarget

    targets = [(target, target.get_status()) for target in ComputeTarget.list(workspace_of(arguments))]
    if arguments.json:
        say(plain_json([_plain(target, status) for target, status in targets]))
        return DONE
    columns = [Column("target", can_shrink=True)]
    columns += [Column(heading, is_number=True) for heading in ("slots", "running", "queued")]
    rows = [
        [target.name, *(str(count) for count in (status.slots, len(status.running), len(status.queued)))]
        for target, status in targets
    ]
    for line in lines_of(columns, rows):
        say(line)
    return DONE


def _plain(target: ComputeTarget, status: ComputeStatus) -> dict[str, Any]:
    return {"name": target.name, "type": target.type, **status.serialize()}


def _show(arguments: argparse.Namespace) -> int:
    from runwidgets.commands.table import Column, age, lines_of, plain_json, say
    from runwidgets.store.liveness import observed_status

    workspace = workspace_of(arguments)
    target = target_of(workspace, arguments.target)
    status = target.get_status()
    running, queued = (workspace._store.described(ids) for ids in (status.running, status.queued))
    if arguments.json:
        say(plain_json(_plain(target, status) | {"running": _listed(running), "queued": _listed(queued)}))
        return DONE
    say(f"{target.name}: {len(running)} of {status.slots} slots taken, {len(queued)} queued")
    if not running and not queued:
        return DONE
    now, rows, groups = time.time(), [], []
    places = [""] * len(running) + [str(place + 1) for place in range(len(queued))]
    for place, one in zip(places, [*running, *queued], strict=True):
        run, state = one.run, observed_status(one.run.status, one.run.owner)
        rows.append([place, run.run_id, run.experiment, run.name or "", state.value, age(run.created_at, now)])
        groups.append(state.group)
    columns = [
        Column("place", is_number=True), Column("run"), Column("experiment", can_shrink=True),
        Column("name", can_shrink=True), Column("status"), Column("age", is_number=True),
    ]  # fmt: skip
    say()
    for line in lines_of(columns, rows, groups):
        say(line)
    return DONE


def _listed(runs: Sequence[FoundRun]) -> list[dict[str, Any]]:
    from runwidgets.store.liveness import observed_status

    return [
        {
            "run_id": one.run.run_id,
            "experiment": one.run.experiment,
            "name": one.run.name,
            "status": observed_status(one.run.status, one.run.owner).value,
            "created_at": one.run.created_at,
            "started_at": one.run.started_at,
        }
        for one in runs
    ]


def _create(arguments: argparse.Namespace) -> int:
    from runwidgets.commands.table import say
    from runwidgets.compute import ComputeTarget, LocalCompute
    from runwidgets.store.health.findings import counted

    try:
        configuration = LocalCompute(slots=arguments.slots)
    except ComputeTargetError as error:
        raise UserError(f"--slots is {arguments.slots}: {str(error).partition(': ')[2]}") from error
    target = ComputeTarget.create(workspace_of(arguments, is_made=True), arguments.target, configuration)
    say(f"{target.name}  {counted(target.slots, 'slot')}")
    return DONE


def _delete(arguments: argparse.Namespace) -> int:
    from runwidgets.commands.table import say

    target_of(workspace_of(arguments), arguments.target).delete()
    say(f"deleted {arguments.target}")
    return DONE
