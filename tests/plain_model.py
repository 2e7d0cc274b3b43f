"""What runs are, as a model of dicts and lists: nothing is packed, merged or thinned, and nothing can fail."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import count

from tests.test_values import readable

FINAL = {"Completed", "Failed", "Canceled"}


@dataclass
class Metric:
    kind: str
    columns: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    steps: list = field(default_factory=list)

    def column(self, name):
        return [row.get(name) for row in self.rows]

    def shape(self, name, run_id):
        if self.kind == "table":
            own = "" if name in self.columns else name
            return {column or own: one_or_all(self.column(column)) for column in self.columns}
        if self.kind == "image":
            return f"aml://artifactId/ExperimentRun/dcid.{run_id}/{self.column('')[0]}"
        return one_or_all(self.column(""))

    def last(self, column=""):
        return next((value for value in reversed(self.column(column)) if value is not None), None)


@dataclass
class ModelRun:
    """A run; of one whose beginning waits in another process's journal only what was logged to it is known."""

    run_id: str
    status: str = "NotStarted"
    created: int | None = None
    experiment: str = ""
    number: int | None = None
    name: str | None = None
    parent: str | None = None
    owner: object = None
    tags: dict = field(default_factory=dict)
    properties: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    metrics: dict = field(default_factory=dict)
    progress: tuple | None = None


@dataclass
class ModelExperiment:
    last_number: int = 0
    archived: int | None = None
    tags: dict = field(default_factory=dict)


class Model:
    def __init__(self):
        self.runs: dict[str, ModelRun] = {}
        self.experiments: dict[str, ModelExperiment] = {}
        self.deleted: dict[str, int] = {}
        self.clock = count(1)

    def to(self, run_id, change):
        """Give what does something to a run when it is applied: nothing where the run is deleted by then."""

        def apply():
            if run_id in self.runs or run_id not in self.deleted:
                change(self.runs.setdefault(run_id, ModelRun(run_id)))

        return apply

    def creation(self, run_id, experiment, name, parent, owner):
        at = next(self.clock)

        def apply():
            if run_id not in self.runs and at < self.deleted.get(run_id, 0):
                return
            run = self.runs.setdefault(run_id, ModelRun(run_id))
            place = self.experiments.setdefault(experiment, ModelExperiment())
            place.last_number += 1
            run.created, run.experiment, run.number, run.owner = at, experiment, place.last_number, owner
            run.name, run.parent = name, parent

        return apply

    def is_archived(self, name):
        since = self.experiments[name].archived
        return since is not None and not any(run.created > since for run in self.of(name))

    def of(self, name):
        return [run for run in self.runs.values() if run.created is not None and run.experiment == name]

    def newest_first(self, name):
        return sorted(self.of(name), key=lambda run: -run.number)

    def below(self, run_id, *, deep):
        found = {run_id}
        size = 0
        while size != len(found):
            size = len(found)
            found |= {run.run_id for run in self.runs.values() if run.parent in (found if deep else {run_id})}
        return [run for run in reversed(self.runs.values()) if run.run_id in found and run.run_id != run_id]


def one_or_all(values):
    return values[0] if len(values) == 1 else values


def set_status(status):
    def change(run):
        if run.status not in FINAL:
            run.status = status

    return change


def add_rows(name, kind, columns, steps=None):
    """Give what adds rows, by column, to a metric."""
    columns = {readable(column): [readable(cell) for cell in cells] for column, cells in columns.items()}

    def change(run):
        metric = run.metrics.setdefault(readable(name), Metric(kind))
        metric.columns += [column for column in columns if column not in metric.columns]
        if metric.kind == "vector" and set(metric.columns) - {""}:
            metric.kind = "table"
        length = max(map(len, columns.values()), default=0)
        metric.rows += [{column: cells[n] for column, cells in columns.items()} for n in range(length)]
        metric.steps += steps or [None] * length

    return change


def set_progress(done, total, unit):
    def change(run):
        first = done
        if run.progress is not None:
            before, same, its_unit, began = run.progress
            first = began if (same, its_unit) == (total, unit) and before <= done else done
        run.progress = (done, total, unit, first)

    return change


def number_of(value):
    if isinstance(value, str) or value is None:
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
