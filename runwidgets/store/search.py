"""Finding runs in the tables of the SQLite store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.records import MetricKind
from runwidgets.store.series import last_number
from runwidgets.values import stored_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from runwidgets.records import RunQuery

_GREATEST: Final = "\U0010ffff"
"""The character that comes after all others."""


def search(query: RunQuery) -> tuple[str, list[Any]]:
    """Write a search for runs: SQL that gives their ids, and its values."""
    source, where, values = _among(query)
    prefix = stored_text(query.id_prefix or "") or None
    for condition, wanted in (
        ("e.name = ?", query.experiment),
        ("r.type = ?", query.type),
        ("r.status = ?", query.status),
        ("r.run_id >= ?", prefix),
        ("r.run_id < ?", prefix and prefix + _GREATEST),
    ):
        if wanted is not None:
            where.append(condition)
            values.append(wanted)
    for table, pairs in (("tags", query.tags), ("properties", query.properties)):
        for key, value in pairs.items():
            where.append(
                f"EXISTS (SELECT 1 FROM {table} p WHERE p.run_key = r.run_key AND p.key = ?"  # noqa: S608 (our tables)
                f" AND {'p.value = ?' if value is not None else '1'})"
            )
            values += [key] if value is None else [key, value]
    if query.before is not None:
        order_key = "r.number" if query.experiment is not None else "r.run_key"
        where.append(f"{order_key} < (SELECT {order_key[2:]} FROM runs WHERE run_id = ?)")  # noqa: S608
        values.append(query.before)
    if query.order_by is not None:
        where.append("m.name = ? AND m.kind = ? AND m.last_number IS NOT NULL")
        values += [stored_text(query.order_by), MetricKind.VECTOR]
        what, order = "r.run_id, m.last_number", f"m.last_number {'DESC' if query.descending else 'ASC'}"
        source = f"metrics m CROSS JOIN {source} ON r.run_key = m.run_key"  # in the order of the index
    else:
        what, order = "r.run_id", "r.number DESC" if query.experiment is not None else "r.run_key DESC"
    sql = (
        f"SELECT {what} FROM {source} LEFT JOIN experiments e USING (experiment_key)"  # noqa: S608 (only marks)
        f" WHERE {' AND '.join(where)} ORDER BY {order}, r.run_key DESC LIMIT ?"
    )
    return sql, [*values, -1 if query.limit is None else query.limit]


def _among(query: RunQuery) -> tuple[str, list[str], list[Any]]:
    """Say where to look: in a family, among some that are named, among what has changed."""
    source, where, values = "runs r", ["1"], list[Any]()
    if query.below is not None and query.deep:
        source = (
            "(WITH RECURSIVE below (run_id) AS (SELECT run_id FROM runs WHERE parent_id = ? UNION"
            " SELECT c.run_id FROM runs c JOIN below b ON c.parent_id = b.run_id)"
            " SELECT r.* FROM below JOIN runs r USING (run_id)) r"
        )
        values.append(query.below)
    elif query.below is not None:
        where.append("r.parent_id = ?")
        values.append(query.below)
    elif not query.deep and query.ids is None:
        where.append("r.parent_id IS NULL")
    if query.ids is not None:
        where.append(f"r.run_id IN ({', '.join('?' * len(query.ids))})")
        values += query.ids
    if query.since is not None:
        # Told which index to use: SQLite cannot know that few runs have changed.
        source = "runs r INDEXED BY runs_changed" if source == "runs r" else source
        where.append("r.version > ?")
        values.append(query.since)
    return source, where, values


def ranked(db: sqlite3.Connection, query: RunQuery, sql: str, values: Sequence[Any]) -> list[str]:
    """Give the runs of a ranking: settled ones as the database has them, running ones by what is recent."""
    name = stored_text(query.order_by or "")
    live = db.execute("SELECT DISTINCT run_key FROM recent").fetchall()
    if query.limit is not None:  # as many more as may turn out to be no better than those after them
        values = [*values[:-1], query.limit + len(live)]
    numbers = dict(db.execute(sql, values).fetchall())
    wanted = set()
    if live:
        unranked, unranked_values = search(msgspec.structs.replace(query, order_by=None, limit=None))
        wanted = {run_id for (run_id,) in db.execute(unranked, unranked_values)}
    for (run_key,) in live:
        (run_id,) = db.execute("SELECT run_id FROM runs WHERE run_key = ?", (run_key,)).fetchone()
        found = last_number(db, run_key, name) if run_id in wanted else ()
        if found:
            numbers.pop(run_id, None)
            if found[0] is not None:
                numbers[run_id] = found[0]
    return sorted(numbers, key=numbers.__getitem__, reverse=query.descending)[: query.limit]
