"""Finding runs in the tables of the SQLite store: those that are wanted, in order, a page at a time.

Three ways lead to a page, the first that does is taken. Where few runs of the workspace have a tag or a metric as it is
wanted, an index names them, and only they are looked at. The best by a metric are looked for in the index of last
values, among as few as may do. Else all runs are looked at.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.conditions import ORDERING, Comparison, Field, FieldKind, Operator, needed
from runwidgets.records import MetricKind
from runwidgets.store.criteria import LIVE, Criteria
from runwidgets.values import stored_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from runwidgets.records import RunQuery

_GREATEST: Final = "\U0010ffff"
"""The character that comes after all others."""
_LOOKED_AT: Final = 2000
"""Among so many of the best by a metric, in the whole workspace, wanted runs are looked for at first."""
_MOST_LOOKED_AT: Final = 20_000
"""Or among so many, where it seems that these will do."""
_FEW: Final = 3000
"""So many runs are looked at one by one rather than all."""


def find(db: sqlite3.Connection, query: RunQuery) -> list[str]:
    """Give the ids of the runs that are wanted, in order."""
    return _Search(db, query).find()


def count(db: sqlite3.Connection, query: RunQuery) -> int:
    """Tell how many runs are wanted, of all pages together."""
    return _Search(db, msgspec.structs.replace(query, before=None, after=None, offset=0, limit=None)).count()


class _Search:
    """One search, in an open transaction."""

    def __init__(self, db: sqlite3.Connection, query: RunQuery) -> None:
        self._db = db
        self._query = query
        order = query.order_by
        self._field = Field(FieldKind.METRICS, stored_text(order)) if isinstance(order, str) else order
        self._criteria = Criteria(db, query.where, [self._field] if self._field is not None else [])
        self._mark = self._criteria.mark
        self._is_narrow = False
        """Whether an index has named the few runs that may be wanted."""
        self._source, self._where = self._among()
        self._where += self._conditions()
        self._joined, self._key = "", "r.number" if query.experiment is not None else "r.run_key"
        self._is_descending = True
        if self._field is not None:
            self._joined, self._key = self._criteria.key(self._field)
            self._is_descending = query.descending
        if isinstance(order, str):
            self._where.append(f"{self._key} IS NOT NULL")
        self._is_backwards = query.after is not None and query.before is None
        self._anchor: Any = None
        """What the run has from which on is read: ``before``, else ``after``."""

    # ---- which runs

    def _among(self) -> tuple[str, list[str]]:
        """Say where to look: in a family, among some that are named, among what has changed."""
        query, source, where = self._query, "runs r", ["1"]
        if query.below is not None and query.deep:
            above = self._mark(query.below)
            source = (
                f"(WITH RECURSIVE below (run_id) AS (SELECT run_id FROM runs WHERE parent_id = {above}"  # noqa: S608
                " UNION SELECT c.run_id FROM runs c JOIN below b ON c.parent_id = b.run_id)"
                " SELECT r.* FROM below JOIN runs r USING (run_id)) r"
            )
        elif query.below is not None:
            where.append(f"r.parent_id = {self._mark(query.below)}")
        elif not query.deep and query.ids is None:
            where.append("r.parent_id IS NULL")
        if query.ids is not None:
            where.append(f"r.run_id IN ({', '.join(map(self._mark, query.ids))})")
        if query.since is not None:
            # Told which index to use: SQLite cannot know that few runs have changed.
            source = "runs r INDEXED BY runs_changed" if source == "runs r" else source
            where.append(f"r.version > {self._mark(query.since)}")
        few = self._few() if source == "runs r" and query.below is None and query.ids is None else None
        if few is not None:
            self._is_narrow = True
            few = f"({few} UNION SELECT run_key FROM recent)"  # noqa: S608 (our words)
            source = f"{few} few CROSS JOIN runs r ON r.run_key = few.run_key"
        return source, where

    def _few(self) -> str | None:
        """Write the search in an index that gives the fewest runs of those that may be wanted; None if all give many.

        Runs with rows that are not settled are left to the caller.
        """
        fewest, found = _FEW + 1, None
        for search in self._in_indexes():
            number = self._execute(f"SELECT count(*) FROM ({search} LIMIT {fewest})")[0][0]  # noqa: S608
            if number < fewest:
                fewest, found = number, search
        return found

    def _in_indexes(self) -> Iterator[str]:
        """Write the conditions that must hold and that an index knows of, as searches in it."""
        mark = self._mark
        for one in needed(self._query.where):
            match one:
                case Comparison(Field(FieldKind.METRICS, name), compare, float(value)) if (
                    compare in ORDERING or compare is Operator.EQUAL
                ) and not math.isnan(value):
                    yield (
                        f"SELECT m.run_key FROM metrics m WHERE m.name = {mark(name)}"  # noqa: S608 (only marks)
                        f" AND m.last_number {compare} {mark(value)}"
                    )
                case Comparison(Field(FieldKind.TAGS, key), Operator.EQUAL, str(value)):
                    yield f"SELECT t.run_key FROM tags t WHERE t.key = {mark(key)} AND t.value = {mark(value)}"  # noqa: S608
        for key, text in self._query.tags.items():
            has_value = "" if text is None else f" AND t.value = {mark(text)}"
            yield f"SELECT t.run_key FROM tags t WHERE t.key = {mark(key)}{has_value}"  # noqa: S608

    def _conditions(self) -> list[str]:
        query, mark, where = self._query, self._mark, []
        if query.experiment is not None:
            name = mark(query.experiment)
            where.append(f"r.experiment_key = (SELECT experiment_key FROM experiments WHERE name = {name})")  # noqa: S608
        if query.type is not None:
            where.append(f"r.type = {mark(query.type)}")
        if query.status is not None:
            where.append(f"r.status = {mark(query.status.value)}")
        if query.id_prefix:
            prefix = stored_text(query.id_prefix)
            where.append(f"r.run_id >= {mark(prefix)} AND r.run_id < {mark(prefix + _GREATEST)}")
        for table, pairs in (("tags", query.tags), ("properties", query.properties)):
            for key, value in pairs.items():
                has_value = "" if value is None else f" AND p.value = {mark(value)}"
                where.append(
                    f"EXISTS (SELECT 1 FROM {table} p WHERE p.run_key = r.run_key AND p.key = {mark(key)}{has_value})"  # noqa: S608
                )
        if query.where is not None:
            where.append(self._criteria.write(query.where))
        return where

    # ---- all of them, or a page

    def count(self) -> int:
        """Tell how many there are."""
        joined = self._joined if isinstance(self._query.order_by, str) else ""
        (found,) = self._execute(f"SELECT count(*) FROM {self._source} {joined} WHERE {' AND '.join(self._where)}")  # noqa: S608
        return int(found[0])

    def find(self) -> list[str]:
        """Give the page that is wanted."""
        page = self._page()
        if page is None:
            return []
        found = self._best(page)
        if found is None:
            limit = -1 if self._query.limit is None else self._query.limit
            found = self._execute(
                f"SELECT r.run_id FROM {self._source} {self._joined} WHERE {' AND '.join([*self._where, *page])}"  # noqa: S608
                f" ORDER BY {self._order(self._key)} LIMIT {self._mark(limit)} OFFSET {self._mark(self._query.offset)}"
            )
        ids = [row[0] for row in found]
        return ids[::-1] if self._is_backwards else ids

    def _execute(self, sql: str) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, self._criteria.values).fetchall()

    def _order(self, key: str) -> str:
        """Write the order in which runs are read: backwards for the page before a run."""
        falls = "DESC" if self._is_descending is not self._is_backwards else "ASC"
        newest = "ASC" if self._is_backwards else "DESC"
        if self._field is None:
            return f"{key} {falls}, r.run_key {newest}"
        return f"{key} IS NULL {'DESC' if self._is_backwards else 'ASC'}, {key} {falls}, r.run_key {newest}"

    def _page(self) -> list[str] | None:
        """Write what lies behind the run ``before``, or before the run ``after``; None where there is no such run."""
        where = list[str]()
        self._anchor = None
        for run_id, is_behind in ((self._query.before, True), (self._query.after, False)):
            if run_id is None:
                continue
            found = self._execute(
                f"SELECT {self._key}, r.run_key FROM runs r {self._joined} WHERE r.run_id = {self._mark(run_id)}"  # noqa: S608
            )
            if not found:
                return None
            if is_behind or self._query.before is None:
                self._anchor = found[0][0]
            where.append(self._beyond(*found[0], is_behind=is_behind))
        return where

    def _beyond(self, value: Any, run_key: int, *, is_behind: bool) -> str:
        compare = ">" if is_behind is not self._is_descending else "<"
        same = f"r.run_key {'<' if is_behind else '>'} {self._mark(run_key)}"
        key = self._key
        if self._field is None:
            return f"{key} {compare} {self._mark(value)}"
        if value is None:
            return f"({key} IS NULL AND {same})" if is_behind else f"({key} IS NOT NULL OR {same})"
        mark = self._mark(value)
        last = f" OR {key} IS NULL" if is_behind else ""
        return f"({key} {compare} {mark} OR ({key} = {mark} AND {same}){last})"

    # ---- the best by a metric

    def _best(self, page: Sequence[str]) -> list[tuple[Any, ...]] | None:
        """Look for wanted runs among the best by a metric; None where this does not find a whole page.

        The index has the settled values of all runs, those included that have better ones since: runs with rows that
        are not settled are looked at by themselves.
        """
        query = self._query
        if (
            query.limit is None or self._is_narrow or self._field is None or self._field.kind is not FieldKind.METRICS
            or (query.below, query.ids, query.since) != (None, None, None)
        ):  # fmt: skip
            return None
        wanted = query.offset + query.limit
        is_among_the_last = self._is_backwards and self._anchor is None and not isinstance(query.order_by, str)
        if wanted > _LOOKED_AT or is_among_the_last:  # those without a value are nearer
            return None
        looked_at = _LOOKED_AT
        while True:
            found, is_all = self._among_best(page, wanted, looked_at)
            if is_all or len(found) >= wanted:
                return found[query.offset : wanted]
            looked_at, before = looked_at * wanted * 3 // (2 * len(found) or 1), looked_at
            if not before < looked_at <= _MOST_LOOKED_AT:
                return None

    def _among_best(self, page: Sequence[str], wanted: int, looked_at: int) -> tuple[list[tuple[Any, ...]], bool]:
        """Look for wanted runs among so many; tell also whether these are all that there are."""
        falls = self._is_descending is not self._is_backwards
        metric = f"m.name = {self._mark(self._field.name if self._field else '')}"
        asked = [
            (one.operator, one.value)
            for one in needed(self._query.where)
            if isinstance(one, Comparison) and one.field == self._field and one.operator in ORDERING
        ]
        has_numbers_only = bool(asked) or isinstance(self._query.order_by, str) or self._is_backwards
        if self._anchor is not None:
            asked.append((Operator.AT_MOST if falls else Operator.AT_LEAST, self._anchor))
        direction, newest = "DESC" if falls else "ASC", "ASC" if self._is_backwards else "DESC"
        boundary = self._execute(
            f"SELECT m.last_number FROM metrics m WHERE {metric} AND {self._within(asked)}"  # noqa: S608
            f" ORDER BY m.last_number {direction} LIMIT 1 OFFSET {self._mark(looked_at)}"
        )
        beyond = [(Operator.ABOVE if falls else Operator.BELOW, boundary[0][0])] if boundary else []
        where, end = " AND ".join([*self._where, *page]), f"LIMIT {self._mark(wanted)}"
        found = self._execute(
            f"SELECT r.run_id, m.last_number, r.run_key FROM metrics m CROSS JOIN runs r ON r.run_key = m.run_key"  # noqa: S608
            f" {self._joined} WHERE {metric} AND {self._within(asked + beyond)} AND m.kind = '{MetricKind.VECTOR}'"
            f" AND NOT {LIVE} AND {where} ORDER BY m.last_number {direction}, r.run_key {newest} {end}"
        )
        if self._criteria.live:
            found += self._execute(
                f"SELECT r.run_id, {self._key}, r.run_key FROM runs r {self._joined} WHERE {LIVE} AND {where}"  # noqa: S608
                f" AND {self._within(beyond, self._key)} ORDER BY {self._order(self._key)} {end}"
            )
            found.sort(key=lambda row: row[2], reverse=not self._is_backwards)
            found.sort(key=lambda row: row[1], reverse=falls)
        return found, not boundary and has_numbers_only

    def _within(self, asked: Sequence[tuple[Operator, Any]], column: str = "m.last_number") -> str:
        """Write that a number lies within bounds: the closest only, for SQLite begins a search with any of them."""
        lower = max(((value, op is Operator.ABOVE) for op, value in asked if ">" in op), default=None)
        upper = min(((value, op is Operator.AT_MOST) for op, value in asked if "<" in op), default=None)
        bounds = []
        if lower is not None:
            bounds.append(f"{column} {'>' if lower[1] else '>='} {self._mark(lower[0])}")
        if upper is not None:
            bounds.append(f"{column} {'<=' if upper[1] else '<'} {self._mark(upper[0])}")
        return " AND ".join(bounds) or f"{column} IS NOT NULL"
