"""Conditions on runs as SQL for the tables of the SQLite store.

Every text of a user is a value with a mark (``:v0``), never part of a statement. What a condition looks at is an
expression over a run ``r`` that is NULL where the run does not have it; each condition is 0 or 1.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.conditions import (
    ORDERING,
    All,
    Comparison,
    Existence,
    FieldKind,
    Membership,
    Mention,
    Negation,
    Operator,
    Some,
    fields_of,
)
from runwidgets.records import MetricKind, Owner, RunStatus
from runwidgets.store.liveness import observed_status
from runwidgets.store.series import recent_numbers
from runwidgets.values import pack

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from runwidgets.conditions import Condition, Field

_NAN: Final = "x'cb'"
"""How MessagePack begins a float: of what is no number (NULL), only NaN does."""
_NUMBERS_END: Final = "CAST(9e999 AS REAL)"
"""Texts come after all numbers, infinity included. Its type has SQLite read a text that is compared with it as a number
where it is one."""
_COLUMNS: Final = {
    FieldKind.NAME: "r.name",
    FieldKind.ID: "r.run_id",
    FieldKind.NUMBER: "r.number",
    FieldKind.TYPE: "r.type",
    FieldKind.EXPERIMENT: "(SELECT e.name FROM experiments e WHERE e.experiment_key = r.experiment_key)",
    FieldKind.STARTED: "r.started_at",
    FieldKind.ENDED: "r.ended_at",
    FieldKind.CREATED: "r.created_at",
    FieldKind.PARENT: "r.parent_id",
}
LIVE: Final = "r.run_key IN (SELECT run_key FROM recent)"
"""Whether a run has rows that are not settled: what its metrics' own rows tell of their last values may be old."""


class Criteria:
    """Writes conditions, and keeps their values.

    Parameters
    ----------
    db
        Where they are to hold, in the transaction in which they will be asked for.
    where
        What is to be written.
    fields
        What else of runs is looked at.

    Attributes
    ----------
    values
        Of the marks in what was written so far.
    """

    def __init__(self, db: sqlite3.Connection, where: Condition | None, fields: Iterable[Field] = ()) -> None:
        self._db = db
        self.values: dict[str, Any] = {}
        fields = [*fields_of(where), *fields]
        kinds = {field.kind for field in fields}
        self._silent = _silent_journals(db) if kinds & {FieldKind.STATUS, FieldKind.DURATION} else []
        self._marks: dict[Any, str] = {}
        self._now = time.time()
        names = {field.name for field in fields if field.kind is FieldKind.METRICS}
        self.live = recent_numbers(db, names) if names else {}
        if self.live:
            _tell_live_values(db, self.live)

    def mark(self, value: Any) -> str:
        """Give the mark that stands for a value; equal ones share it."""
        key = (type(value), repr(value))
        if key not in self._marks:
            self._marks[key] = f":v{len(self._marks)}"
            self.values[self._marks[key][1:]] = value
        return self._marks[key]

    # ---- what is looked at

    def of(self, field: Field) -> str:
        """Write what a run has of a field: of a metric the number that is its last value."""
        kind = field.kind
        if kind is FieldKind.METRICS:
            return self._metric(field.name, "number")
        if kind is FieldKind.STATUS:
            return (
                f"CASE WHEN {self._is_silent()} THEN 'NotResponding' ELSE r.status END" if self._silent else "r.status"
            )
        if kind is FieldKind.DURATION:
            now = self.mark(self._now)
            if self._silent:
                now = f"CASE WHEN {self._is_silent()} THEN NULL ELSE {now} END"
            return f"(coalesce(r.ended_at, {now}) - r.started_at)"
        if kind.is_named:
            return f"(SELECT p.value FROM {kind} p WHERE p.run_key = r.run_key AND p.key = {self.mark(field.name)})"  # noqa: S608
        return _COLUMNS[kind]

    def _is_silent(self) -> str:
        final = ", ".join(f"'{status}'" for status in RunStatus if status.is_final)
        journals = f"(SELECT value FROM json_each({self.mark(msgspec.json.encode(self._silent).decode())}))"  # noqa: S608 (a mark)
        return f"r.status NOT IN ({final}) AND r.journal_id IN {journals}"

    def _metric(self, name: str, what: str) -> str:
        mark, column = self.mark(name), "last_number" if what == "number" else "last"
        settled = (
            f"(SELECT m.{column} FROM metrics m WHERE m.run_key = r.run_key AND m.name = {mark}"  # noqa: S608 (our words)
            f" AND m.kind = '{MetricKind.VECTOR}')"
        )
        if not self.live:
            return settled
        return f"CASE WHEN {LIVE} THEN runwidgets_{what}(r.run_key, {mark}) ELSE {settled} END"

    # ---- conditions

    def write(self, condition: Condition) -> str:  # noqa: PLR0911 (one way out for each kind)
        """Write a condition."""
        match condition:
            case All(parts):
                return f"({' AND '.join(map(self.write, parts))})" if parts else "1"
            case Some(parts):
                return f"({' OR '.join(map(self.write, parts))})" if parts else "0"
            case Negation(part):
                return f"(NOT {self.write(part)})"
            case Comparison(field, operator, value):
                return self._comparison(field, operator, value)
            case Membership(field, values):
                return f"({' OR '.join(self._memberships(field, values)) or '0'})"
            case Existence(field):
                return self._existence(field)
            case Mention(text):
                return self._mention(text)

    def _comparison(self, field: Field, operator: Operator, value: float | str) -> str:
        if operator is Operator.CONTAINS:
            return self._contains(self.of(field), str(value))
        if field.kind is FieldKind.METRICS:
            return self._metric_comparison(field, operator, value)
        if isinstance(value, float) and field.kind.is_loose:
            number = f"CAST({self.mark(value)} AS REAL)"
            compared = f"{self.of(field)} {operator} {number}"
            if operator in {Operator.ABOVE, Operator.AT_LEAST}:
                compared = f"({compared} AND {self.of(field)} <= {_NUMBERS_END})"
            return f"coalesce({compared}, 0)"
        return f"coalesce({self.of(field)} {operator} {self.mark(value)}, 0)"

    def _metric_comparison(self, field: Field, operator: Operator, value: float | str) -> str:
        packed = self._metric(field.name, "packed")
        if operator is Operator.UNEQUAL:
            return f"({packed} IS NOT NULL AND NOT {self._metric_comparison(field, Operator.EQUAL, value)})"
        if isinstance(value, str):
            return f"coalesce({packed} = {self.mark(pack(value))}, 0)" if operator not in ORDERING else "0"
        number = self._metric(field.name, "number")
        if math.isnan(value):
            is_nan = f"coalesce({number} IS NULL AND substr({packed}, 1, 1) = {_NAN}, 0)"
            return is_nan if operator not in ORDERING else "0"
        return f"coalesce({number} {operator} {self.mark(value)}, 0)"

    def _memberships(self, field: Field, values: Iterable[float | str]) -> Iterable[str]:
        plain = []
        for value in values:
            if field.kind is FieldKind.METRICS or (field.kind.is_loose and isinstance(value, float)):
                yield self._comparison(field, Operator.EQUAL, value)
            else:
                plain.append(self.mark(value))
        if plain:
            yield f"coalesce({self.of(field)} IN ({', '.join(plain)}), 0)"

    def _existence(self, field: Field) -> str:
        if not field.kind.is_named:
            return f"({self.of(field)} IS NOT NULL)"
        name = "name" if field.kind is FieldKind.METRICS else "key"
        return (
            f"EXISTS (SELECT 1 FROM {field.kind} p WHERE p.run_key = r.run_key"  # noqa: S608 (our tables)
            f" AND p.{name} = {self.mark(field.name)})"
        )

    def _contains(self, where: str, text: str, *, at_start: bool = False) -> str:
        how, text = ("lower", text.lower()) if text.isascii() else ("runwidgets_folded", text.casefold())
        if how != "lower":
            self._db.create_function(how, 1, _folded, deterministic=True)
        return f"coalesce(instr({how}({where}), {self.mark(text)}) {'= 1' if at_start else '> 0'}, 0)"

    def _mention(self, text: str) -> str:
        tags = " OR ".join(self._contains(column, text) for column in ("p.key", "p.value"))
        is_in_a_tag = f"EXISTS (SELECT 1 FROM tags p WHERE p.run_key = r.run_key AND ({tags}))"  # noqa: S608 (our words)
        has_it = (
            self._contains("r.name", text),
            self._contains("r.run_id", text, at_start=True),
            self._contains(_COLUMNS[FieldKind.EXPERIMENT], text),
        )
        return f"({' OR '.join(has_it)} OR {is_in_a_tag})"

    # ---- order

    def key(self, field: Field) -> tuple[str, str]:
        """Write what runs are ordered by: a table to join, and an expression that is NULL for runs that come last."""
        if field.kind is FieldKind.METRICS and not self.live:
            joined = (
                f"LEFT JOIN metrics o ON o.run_key = r.run_key AND o.name = {self.mark(field.name)}"
                f" AND o.kind = '{MetricKind.VECTOR}'"
            )
            return joined, "o.last_number"
        if field.kind.is_named and field.kind is not FieldKind.METRICS:
            joined = f"LEFT JOIN {field.kind} o ON o.run_key = r.run_key AND o.key = {self.mark(field.name)}"
            return joined, _natural("o.value")
        return "", _natural("r.name") if field.kind is FieldKind.NAME else self.of(field)


def _tell_live_values(db: sqlite3.Connection, live: Mapping[tuple[int, str], tuple[float | None, bytes]]) -> None:
    """Let statements ask for last values of runs that have rows which are not settled."""
    nothing = (None, None)
    db.create_function("runwidgets_number", 2, lambda run_key, name: live.get((run_key, name), nothing)[0])
    db.create_function("runwidgets_packed", 2, lambda run_key, name: live.get((run_key, name), nothing)[1])


def _natural(column: str) -> str:
    """Write a text so that those that are numbers are ordered as such, before all others."""
    return f"CASE WHEN {column} <= {_NUMBERS_END} THEN CAST({column} AS REAL) ELSE {column} END"


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def _silent_journals(db: sqlite3.Connection) -> list[str]:
    """Name the journals whose process is gone, though nobody has ended them."""
    owners = db.execute(
        "SELECT journal_id, host, boot_id, pid, process_started_at, beat_at FROM journals WHERE ended_at IS NULL"
    ).fetchall()
    found = (Owner(*owner) for owner in owners)
    gone = RunStatus.NOT_RESPONDING
    return [owner.journal_id for owner in found if observed_status(RunStatus.RUNNING, owner) is gone]
