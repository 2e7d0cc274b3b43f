"""``runwidgets runs``: the runs of a workspace, filtered, newest first or in another order."""

from __future__ import annotations

import sys
import time
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, Final

from runwidgets.commands.amounts import whole
from runwidgets.commands.selection import add_workspace, workspace_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from runwidgets.conditions import Field
    from runwidgets.records import FoundRun
    from runwidgets.store.contract import Store
    from runwidgets.values import Value
    from runwidgets.workspace import Workspace

_FIELDS: Final = (
    "status", "name", "id", "number", "type", "experiment", "started", "ended", "created", "duration", "parent",
    "metrics.NAME", "tags.NAME", "properties.NAME",
)  # fmt: skip
"""Written out: the parser of all commands is made without what filters need."""
_USUAL_LIMIT: Final = 50
_SHORTEST_ID: Final = 8
_LAST_ROWS: Final = 256
_LOOKED_AT: Final = 20
_MOST_NAMED: Final = 20


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``runs``."""
    parser = commands.add_parser(
        "runs",
        help="list runs, newest first",
        description="List the runs of a workspace, newest first. In a terminal ids are cut as far as they still "
        "differ; the beginning of one is enough for the other commands. A filter is conditions on "
        f"{', '.join(_FIELDS)}, by =, !=, <, <=, >, >=, ~ (contains), in (…) and exists, joined by and, or, not and "
        "brackets; words alone are looked for in names, ids, experiments and tags. Values are numbers, words, quoted "
        'texts, times (2026-11-25, "2026-11-25 10:00", -2h for two hours ago) and durations (90s, 5m, 2h).',
        allow_abbrev=False,
    )
    parser.add_argument("--experiment", metavar="NAME", help="only runs of this experiment")
    parser.add_argument(
        "--where", metavar="FILTER", help="only runs that this holds for: 'metrics.mse < 3000 and tags.model = ridge'"
    )
    parser.add_argument("--status", metavar="WORD", help="only runs that are in this state now, such as Running")
    parser.add_argument(
        "--tag", metavar="KEY[=VALUE]", action="append", default=[], help="only runs with this tag; may be repeated"
    )
    parser.add_argument("--type", metavar="TYPE", help="only runs of this type")
    parser.add_argument("--all", action="store_true", help="also the runs below others")
    parser.add_argument(
        "--sort",
        metavar="FIELD",
        help="least first: the name of a metric, for the runs that have it, by its last value; or a field as in "
        "filters, such as started or tags.model, those without it last",
    )
    parser.add_argument("--desc", action="store_true", help="with --sort: greatest first")
    parser.add_argument(
        "--limit", metavar="N", type=whole, help=f"at most so many; 0 for all (by default {_USUAL_LIMIT}, as JSON all)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, times as UTC epoch seconds")
    add_workspace(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from runwidgets.commands.table import plain_json, say
    from runwidgets.errors import UserError

    workspace = workspace_of(arguments)
    if arguments.limit is not None and arguments.limit < 0:
        raise UserError(f"--limit is {arguments.limit}: it must be a number of runs, 0 for all")
    limit = arguments.limit if arguments.limit is not None else 0 if arguments.json else _USUAL_LIMIT
    found = list(islice(_found(workspace, arguments), limit + 1 if limit > 0 else None))
    shown = found[:limit] if limit > 0 else found
    order = _order(arguments.sort)[0]
    metric = order if order is None or isinstance(order, str) else order.name if order.kind == "metrics" else None
    values = [last_value(workspace._store, one.run.run_id, metric) if metric else None for one in shown]
    is_unknown = metric is not None and not shown and _is_unknown(workspace, metric)
    if arguments.json:
        say(plain_json([_plain(one, metric, value) for one, value in zip(shown, values, strict=True)]))
        return 0
    if not shown:
        if not is_unknown:
            say(f"no runs in the workspace {workspace.name!r} that are asked for")
        return 0
    for line in _lines(shown, metric, values):
        say(line)
    if len(found) > len(shown):
        say(f"… and more: --limit {limit * 2} shows twice as many, --limit 0 all")
    return 0


def _found(workspace: Workspace, arguments: argparse.Namespace) -> Iterable[FoundRun]:
    from msgspec.structs import replace

    from runwidgets.errors import UserError
    from runwidgets.filters import found_runs, run_query
    from runwidgets.query import parse_condition
    from runwidgets.store.liveness import observed_status
    from runwidgets.values import stored_text

    if arguments.desc and arguments.sort is None:
        raise UserError("--desc goes with --sort FIELD: without it runs are listed newest first")
    if arguments.sort is not None and not arguments.sort:
        raise UserError("--sort '': the name of a metric is wanted")
    status = _status(arguments.status)
    pairs = (tag.partition("=") for tag in arguments.tag)
    query = replace(
        run_query(experiment=arguments.experiment, deep=arguments.all, run_type=arguments.type, status=status),
        where=parse_condition(arguments.where) if arguments.where is not None else None,
        tags={stored_text(key): stored_text(value) if equals else None for key, equals, value in pairs},
    )
    store = workspace._store
    if arguments.sort is None:
        yield from found_runs(store, query, status)
        return
    order, falls = _order(arguments.sort)
    ids = store.find(replace(query, order_by=order, descending=falls is not arguments.desc))
    for start in range(0, len(ids), _LAST_ROWS):
        for one in store.described(ids[start : start + _LAST_ROWS]):
            if status is None or observed_status(one.run.status, one.run.owner) == status:
                yield one


def _is_unknown(workspace: Workspace, metric: str) -> bool:
    """Tell whether no run has a metric; that is said beside what is printed, with those that the newest runs have."""
    from runwidgets.records import RunQuery

    store = workspace._store
    if store.find(RunQuery(deep=True, order_by=metric, limit=1)):
        return False
    newest = store.find(RunQuery(deep=True, limit=_LOOKED_AT))
    names = dict.fromkeys(one.name for run_id in newest for one in store.metrics(run_id))
    there = ", ".join(map(repr, [*names][:_MOST_NAMED])) + (" …" if len(names) > _MOST_NAMED else "")
    sys.stderr.write(
        f"no run in the workspace {workspace.name!r} has the metric {metric!r}; the newest have: {there or 'none'}\n"
    )
    return True


def _order(text: str | None) -> tuple[Field | str | None, bool]:
    """Give what runs are sorted by, and whether the greatest comes first; what is no field is the name of a metric."""
    from runwidgets.errors import QueryError
    from runwidgets.query import parse_order

    if text is None:
        return None, False
    try:
        return parse_order(text)
    except QueryError:
        return text, False


def _status(word: str | None) -> str | None:
    """Give a state by its word, however its letters are written."""
    from runwidgets.records import RunStatus

    return next((state.value for state in RunStatus if word and state.lower() == word.lower()), word)


def last_value(store: Store, run_id: str, metric: str) -> Value:
    """Give the last value of a vector that is not None."""
    from runwidgets.records import VECTOR_COLUMN

    head = store.window(run_id, metric, 0, 0)
    end = head.row_count if head is not None else 0
    while end > 0:
        start = max(0, end - _LAST_ROWS)
        window = store.window(run_id, metric, start, end)
        for block in reversed(window.blocks if window is not None else []):
            last = block.columns[VECTOR_COLUMN].last() if VECTOR_COLUMN in block.columns else None
            if last is not None:
                return last
        end = start
    return None


def _plain(found: FoundRun, metric: str | None, value: Value) -> dict[str, Any]:
    import msgspec

    from runwidgets.store.liveness import observed_status
    from runwidgets.values import exact_wire_value

    run = found.run
    plain = {
        "run_id": run.run_id, "experiment": run.experiment, "number": run.number, "name": run.name, "type": run.type,
        "status": observed_status(run.status, run.owner).value, "parent_id": run.parent_id,
        "created_at": run.created_at, "started_at": run.started_at, "ended_at": run.ended_at,
        "description": run.description, "error": msgspec.to_builtins(run.error), "tags": found.tags,
        "properties": found.properties,
    }  # fmt: skip
    return {**plain, "metric": {"name": metric, "last": exact_wire_value(value)}} if metric else plain


def _lines(shown: Sequence[FoundRun], metric: str | None, values: Sequence[Value]) -> list[str]:
    from runwidgets.commands.table import NONE, Column, age, lines_of, span, width
    from runwidgets.store.liveness import observed_status
    from runwidgets.values import wire_value
    from runwidgets.watch.numbers import number

    columns = [
        Column("run"), Column("experiment", can_shrink=True), Column("#", is_number=True),
        Column("name", can_shrink=True), Column("status"), Column("age", is_number=True),
        Column("took", is_number=True),
    ]  # fmt: skip
    if metric:
        columns.append(Column(metric, is_number=True, can_shrink=True))
    ids = [one.run.run_id for one in shown]
    cells = unique_length(ids) if width() is not None else None
    now, rows, groups = time.time(), [], []
    for one, value in zip(shown, values, strict=True):
        run, status = one.run, observed_status(one.run.status, one.run.owner)
        took = None if run.started_at is None else (run.ended_at or now) - run.started_at
        row = [
            run.run_id[:cells], run.experiment, str(run.number or NONE), run.name or "", status.value,
            age(run.created_at, now), span(took if run.ended_at or status.group == "active" else None),
        ]  # fmt: skip
        rows.append([*row, number(wire_value(value))] if metric else row)
        groups.append(status.group)
    return lines_of(columns, rows, groups)


def unique_length(ids: Sequence[str]) -> int:
    """Give how much of ids tells them apart, at least 8 characters."""
    ordered = sorted(set(ids))
    shared = [_common(one, other) for one, other in pairwise(ordered)]
    return max(_SHORTEST_ID, *(length + 1 for length in shared)) if shared else _SHORTEST_ID


def _common(one: str, other: str) -> int:
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))
