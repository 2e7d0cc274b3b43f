"""A table of runs for ``js/src/runs.ts``: all of it once, and after that only the rows that changed.

The table is one state that grows in place. What is sent of it are patches with a number each: a browser that missed one
sees it by the number, and asks for all.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from runwidgets.records import RunStatus
from runwidgets.watch.parameters import guessed_goal, is_internal, is_like_a_metric, parsed, usual_primary
from runwidgets.watch.view import SYSTEM_PREFIX
from runwidgets.watch.wire import run_name, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runwidgets.records import ChildRecord, RunRecord
    from runwidgets.values import Value
    from runwidgets.watch.parameters import Goal, Primary

MAX_RUNS: Final = 5000
MAX_COLUMNS: Final = 200
MAX_SELECTED: Final = 200
_LONGEST_FILTER: Final = 200
_LONGEST_WORD: Final = 200
_GROUPS: Final = frozenset(status.group for status in RunStatus)
Source = Literal["argument", "tag", "property", "metric"]


class RunColumn(TypedDict):
    """``RunColumn``."""

    id: str
    name: str
    source: Source
    is_parameter: bool
    goal: Goal | None


class RunRow(TypedDict):
    """``RunRow``."""

    run_id: str
    number: int | None
    name: str
    status: str
    status_group: str
    started_at: float | None
    ended_at: float | None
    error: str | None
    values: list[Any]


class RunsState(TypedDict):
    """``RunsState``."""

    what: str
    seq: int
    columns: list[RunColumn]
    rows: list[RunRow]
    total: int
    primary: Primary | None
    sent_at: float


class RunsPatch(TypedDict):
    """``RunsPatch``."""

    kind: Literal["patch"]
    seq: int
    columns: list[RunColumn] | None
    rows: list[RunRow]
    removed: list[str]
    total: int
    primary: Primary | None
    sent_at: float


class Sorting(TypedDict):
    """``Sorting``."""

    id: str
    direction: Literal["ascending", "descending"]


class RunsControls(TypedDict):
    """``RunsControls``."""

    filter: str
    status: str | None
    sort: Sorting | None
    columns: list[str] | None
    metric: str | None
    goal: Goal | None
    selected: list[str]


DEFAULT_RUNS_CONTROLS: Final[RunsControls] = {
    "filter": "", "status": None, "sort": None, "columns": None, "metric": None, "goal": None, "selected": [],
}  # fmt: skip


def checked_runs_controls(sent: Mapping[str, Any]) -> RunsControls:
    """Take controls as a browser sent them; what is not of the contract becomes the default."""
    controls: RunsControls = {**DEFAULT_RUNS_CONTROLS}
    if isinstance(text := sent.get("filter"), str):
        controls["filter"] = text[:_LONGEST_FILTER]
    if (group := sent.get("status")) in _GROUPS:
        controls["status"] = group
    if isinstance(metric := sent.get("metric"), str):
        controls["metric"] = metric
    if (goal := sent.get("goal")) in ("minimize", "maximize"):
        controls["goal"] = goal
    for key, most in (("columns", MAX_COLUMNS), ("selected", MAX_SELECTED)):
        if isinstance(found := sent.get(key), list):
            controls[key] = [one for one in found[:most] if isinstance(one, str)]  # type: ignore[literal-required]
    sort = sent.get("sort")
    if isinstance(sort, dict) and isinstance(sort.get("id"), str):
        direction = sort.get("direction")
        if direction in ("ascending", "descending"):
            controls["sort"] = {"id": sort["id"], "direction": direction}
    return controls


class RunTable:
    """The table of some runs.

    Parameters
    ----------
    what
        What the runs are called, such as ``child runs``.
    arguments
        Gives what a run was started with beside its tags and properties, asked once for each run.

    Attributes
    ----------
    state
        All of the table. It changes in place, the number of the last patch last: who reads it while it changes, and
        then gets that patch, has nothing wrong.
    """

    def __init__(
        self, what: str, arguments: Callable[[RunRecord], Mapping[str, Value]] = lambda _: {}, *, limit: int = MAX_RUNS
    ) -> None:
        self._arguments = arguments
        self._limit = limit
        self._runs: Mapping[str, ChildRecord] = {}
        self._silent: frozenset[str] = frozenset()
        self._started_with: dict[str, Mapping[str, Value]] = {}
        self._places: dict[str, int] = {}
        self._columns: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._repeated: dict[str, int] = {}
        self.state: RunsState = {
            "what": what, "seq": 0, "columns": [], "rows": [], "total": 0, "primary": None, "sent_at": 0.0,
        }  # fmt: skip

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._places

    def update(
        self, runs: Mapping[str, ChildRecord], silent: frozenset[str], primary: Primary | None, now: float
    ) -> RunsPatch | None:
        """Bring the table up to date.

        Parameters
        ----------
        runs
            The runs in the order of the table: new ones come last, and a record that did not change is the same object.
        silent
            Ids of those whose process is gone.
        primary
            The metric that counts, if somebody named one.
        now
            The time at this side.

        Returns
        -------
        RunsPatch or None
            What changed; None where nothing did.
        """
        before, was_silent = self._runs, self._silent
        given = primary
        if runs is before and silent == was_silent and (given is None or given == self.state["primary"]):
            return None
        known_columns = [dict(column) for column in self.state["columns"]]
        removed = self._drop(runs)
        other = silent ^ was_silent
        left_out = self._first_of(runs)
        rows: list[RunRow] = []
        for run_id, record in runs.items():
            old = before.get(run_id)
            if (old is not record or run_id in other) and run_id not in left_out:
                self._count(old, record)
                rows.append(row := self._row(record, is_silent=run_id in silent))
                self._put(row)
        self._runs, self._silent = runs, silent
        for column in self.state["columns"]:
            if column["source"] == "metric":
                name = column["name"]
                column["is_parameter"] = not self._repeated.get(name) and not is_like_a_metric(name)
        chosen = given or self._usual()
        columns = None if self.state["columns"] == known_columns else self.state["columns"]
        if not rows and not removed and columns is None and chosen == self.state["primary"]:
            return None
        self.state["primary"], self.state["total"], self.state["sent_at"] = chosen, len(runs), now
        self.state["seq"] += 1
        return {
            "kind": "patch", "seq": self.state["seq"], "columns": columns, "rows": rows, "removed": removed,
            "total": len(runs), "primary": chosen, "sent_at": now,
        }  # fmt: skip

    def _first_of(self, runs: Mapping[str, ChildRecord]) -> frozenset[str]:
        """Give the ids of the first runs, where there are more than the table takes."""
        return frozenset(islice(runs, max(0, len(runs) - self._limit)))

    def _drop(self, runs: Mapping[str, ChildRecord]) -> list[str]:
        """Take away rows of runs that are there no more, and the first where there are too many."""
        left_out = self._first_of(runs)
        if not left_out and runs.keys() >= self._places.keys():
            return []
        removed = [run_id for run_id in self._places if run_id in left_out or run_id not in runs]
        if removed:
            gone = set(removed)
            self.state["rows"] = [row for row in self.state["rows"] if row["run_id"] not in gone]
            self._places = {row["run_id"]: place for place, row in enumerate(self.state["rows"])}
        return removed

    def _put(self, row: RunRow) -> None:
        place = self._places.setdefault(row["run_id"], len(self.state["rows"]))
        if place == len(self.state["rows"]):
            self.state["rows"].append(row)
        else:
            self.state["rows"][place] = row

    def _count(self, old: ChildRecord | None, record: ChildRecord) -> None:
        for name in record.last:
            if old is None or name not in old.last:
                self._counts[name] = self._counts.get(name, 0) + 1
        for name in record.repeated:
            if old is None or name not in old.repeated:
                self._repeated[name] = self._repeated.get(name, 0) + 1

    def _usual(self) -> Primary | None:
        """Give the metric that counts by what the runs log; it stays as long as it is one of the usual."""
        counts = {name: count for name, count in self._counts.items() if not name.startswith(SYSTEM_PREFIX)}
        now = self.state["primary"]
        found = usual_primary(counts, self._repeated)
        if now is None or found is None or now["name"] not in counts:
            return found
        stays = counts[now["name"]] * 2 > counts[found["name"]] and (
            is_like_a_metric(now["name"]) or not is_like_a_metric(found["name"])
        )
        return now if stays else found

    def _row(self, record: ChildRecord, *, is_silent: bool) -> RunRow:
        run = record.run
        status = RunStatus.NOT_RESPONDING if is_silent else run.status
        values: list[Any] = [None] * len(self._columns)
        for source, name, value in self._cells(record):
            place = self._place_of(source, name)
            if place is not None:
                values += [None] * (place + 1 - len(values))
                values[place] = shortened(value[:_LONGEST_WORD] if isinstance(value, str) else value)
        return {
            "run_id": run.run_id,
            "number": run.number,
            "name": run_name(run),
            "status": status.value,
            "status_group": status.group,
            "started_at": run.started_at,
            "ended_at": run.ended_at,
            "error": f"{run.error.code}: {run.error.message}"[:_LONGEST_WORD] if run.error else None,
            "values": values,
        }

    def _cells(self, record: ChildRecord) -> Iterator[tuple[Source, str, Value]]:
        run_id = record.run.run_id
        if run_id not in self._started_with:
            self._started_with[run_id] = self._arguments(record.run)
        for name, argument in self._started_with[run_id].items():
            yield "argument", name, argument
        for key, tag in record.tags.items():
            if not is_internal(key):
                yield "tag", key, True if tag is None else parsed(tag)
        for key, text in record.properties.items():
            if not is_internal(key):
                yield "property", key, parsed(text)
        for name, last in record.last.items():
            if not name.startswith(SYSTEM_PREFIX):
                yield "metric", name, last

    def _place_of(self, source: Source, name: str) -> int | None:
        key = f"{source} {name}"
        place = self._columns.get(key)
        if place is None and len(self._columns) < MAX_COLUMNS:
            place = self._columns[key] = len(self._columns)
            column_id = key if len(key) <= _LONGEST_WORD else f"{key[:_LONGEST_WORD]} {place}"
            self.state["columns"].append(
                {
                    "id": column_id,
                    "name": name[:_LONGEST_WORD],
                    "source": source,
                    "is_parameter": True,
                    "goal": guessed_goal(name) if source == "metric" else None,
                }
            )
        return place
