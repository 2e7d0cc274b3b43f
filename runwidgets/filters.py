"""Which runs are asked for, as SDK v1 writes it: ``"key"`` or ``{"key": "value"}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from runwidgets.errors import UserError
from runwidgets.records import RunQuery, RunStatus
from runwidgets.store.liveness import observed_status
from runwidgets.values import stored_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runwidgets.records import FoundRun
    from runwidgets.store.contract import Store

Filter = str | dict[str, str] | None
"""A key that runs have, or keys with their values."""
_AT_ONCE = 100


def run_query(
    *,
    experiment: str | None = None,
    below: str | None = None,
    deep: bool = False,
    tags: Filter = None,
    properties: Filter = None,
    run_type: str | None = None,
    status: str | None = None,
) -> RunQuery:
    """Make a query for runs.

    Parameters
    ----------
    tags, properties
        ``"key"``, or ``{"key": "value"}`` with all that must hold.
    status
        A word of `RunStatus`.

    Raises
    ------
    UserError
        If a filter is of another form, or there is no such status.
    """
    if status is not None and status not in tuple(RunStatus):
        raise UserError(f"status is {status!r}: it must be one of {', '.join(RunStatus)}")
    wanted = RunStatus(status) if status is not None else None
    return RunQuery(
        experiment=experiment,
        below=below,
        deep=deep,
        tags=_pairs("tags", tags),
        properties=_pairs("properties", properties),
        type=run_type,
        status=wanted if wanted is not None and wanted.is_final else None,
    )


def _pairs(what: str, wanted: Filter) -> dict[str, str | None]:
    if wanted is None:
        return {}
    if isinstance(wanted, str):
        return {stored_text(wanted): None}
    if isinstance(wanted, dict) and all(isinstance(word, str) for pair in wanted.items() for word in pair):
        return {stored_text(key): stored_text(value) for key, value in wanted.items()}
    raise UserError(f'{what} is {wanted!r}: give a key as "key", or values as {{"key": "value"}}')


def found_runs(store: Store, query: RunQuery, status: str | None = None) -> Iterator[FoundRun]:
    """Give the runs of a query, newest first, a few read at a time; of these only those that now have this status."""
    before = query.before
    while run_ids := store.find(msgspec.structs.replace(query, before=before, limit=_AT_ONCE)):
        for found in store.described(run_ids):
            if status is None or observed_status(found.run.status, found.run.owner) == status:
                yield found
        before = run_ids[-1]


def matches(found: FoundRun, query: RunQuery) -> bool:
    """Tell whether a run has the type, tags and properties of a query."""
    return query.type in {None, found.run.type} and all(
        key in pairs and value in {None, pairs[key]}
        for pairs, wanted in ((found.tags, query.tags), (found.properties, query.properties))
        for key, value in wanted.items()
    )
