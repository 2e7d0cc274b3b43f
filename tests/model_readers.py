"""What readers find, by every way of reading, beside what a plain model has."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from runwidgets import Experiment, Run
from runwidgets.experiment import ViewType
from runwidgets.records import RunQuery
from runwidgets.store.thinning import Thinned, natural_width
from runwidgets.watch.feed import Feed
from tests.plain_model import number_of
from tests.test_values import exact, readable


class Readers:
    """The half of the machine that compares; it has a ``model``, ``processes``, and ``feeds`` that have followed."""

    def compare_all(self):
        self.flush_all()
        for process in self.processes:
            self.compare_searches(process, None, None, "Failed")
            for run in self.model.runs.values():
                self.compare_run(process, run)
        for run_id in self.model.runs:
            self.compare_feeds(run_id)
        assert sum(1 for _ in (self.watcher.folder / "artifacts").glob(".incoming*")) == 0

    def compare_run(self, process, expected):
        run = Run(Experiment(process.workspace, "any"), expected.run_id)
        metrics = {name: metric.shape(name, run.id) for name, metric in expected.metrics.items()}
        found = run.get_metrics()
        assert list(found) == list(metrics)
        assert {name: told(value) for name, value in found.items()} == {n: told(v) for n, v in metrics.items()}
        for name, metric in expected.metrics.items():
            assert told(run.get_metrics(name)[name]) == told(metrics[name])
            self.compare_frame(run.get_metrics_frame(name), name, metric)
        assert run.get_tags() == expected.tags
        assert run.get_properties() == expected.properties
        assert run.get_status() == expected.status
        assert run.number == expected.number
        assert run.name == (f"run_{run.id}" if not expected.name else expected.name)
        assert run.get_file_names() == sorted(expected.files, key=str.encode)
        record = run._record()
        progress = record.progress
        assert (progress and (progress.done, progress.total, progress.unit, progress.first_done)) == expected.progress
        for path in expected.files:
            if (run.id, path) in self.disk:
                run.download_file(path, self.home / "copy")
                assert (self.home / "copy").read_bytes() == self.disk[run.id, path]
        if expected.parent in self.model.runs:
            assert run.parent.id == expected.parent
        for deep in (False, True):
            below = [child.run_id for child in self.model.below(run.id, deep=deep)]
            assert [child.id for child in run.get_children(recursive=deep)] == below
        shapes = {
            its.run_id: {name: told(m.shape(name, its.run_id)) for name, m in its.metrics.items()}
            for its in (expected, *self.model.below(run.id, deep=True))
            if its.metrics
        }
        found = run.get_metrics(recursive=True)
        assert {i: {name: told(value) for name, value in by_name.items()} for i, by_name in found.items()} == shapes

    def compare_frame(self, frame, name, metric):
        assert len(frame) == len(metric.rows)
        if any(step is not None for step in metric.steps):
            assert all(map(same_cell, frame["_step"].tolist(), metric.steps))
        for column in metric.columns:
            own = "value" if metric.kind != "table" else "" if name in metric.columns else name
            assert all(map(same_cell, frame[column or own].tolist(), metric.column(column)))

    def compare_searches(self, process, key, value, status):
        workspace = process.workspace
        key, value = readable(key), readable(value)
        wanted = key if key is None or value is None else {key: value}

        def has(run, pairs):
            return key is None or (key in pairs and value in (None, pairs[key]))

        listed = Experiment.list(workspace, view_type=ViewType.All)
        assert {e.name: e.tags for e in listed} == {name: e.tags for name, e in self.model.experiments.items()}
        assert [e.name for e in listed] == list(self.model.experiments)
        active = [name for name in self.model.experiments if not self.model.is_archived(name)]
        assert list(workspace.experiments) == active
        for name in self.model.experiments:
            experiment = Experiment(workspace, name)
            runs = self.model.newest_first(name)
            top = [run for run in runs if run.parent is None]
            assert [r.id for r in experiment.get_runs(tags=wanted)] == [r.run_id for r in top if has(r, r.tags)]
            found = experiment.get_runs(properties=wanted, include_children=True)
            assert [r.id for r in found] == [r.run_id for r in runs if has(r, r.properties)]
            found = Run.list(experiment, status=status, include_children=True)
            assert [r.id for r in found] == [r.run_id for r in runs if r.status == status]
            self.compare_rankings(workspace._store, name, runs)

    def compare_rankings(self, store, experiment, runs):
        numbers = {}
        for run in runs:
            metric = run.metrics.get("loss")
            number = number_of(metric.last()) if metric is not None and metric.kind == "vector" else None
            if number is not None and not math.isnan(number):
                numbers[run.run_id] = number
        for descending in (False, True):
            query = RunQuery(experiment=experiment, deep=True, order_by="loss", descending=descending)
            ranked = store.find(query)
            assert sorted(ranked) == sorted(numbers)
            assert [numbers[i] for i in ranked] == sorted(numbers.values(), reverse=descending)
            best = store.find(RunQuery(**{**as_arguments(query), "limit": 1}))
            assert [numbers[i] for i in best] == sorted(numbers.values(), reverse=descending)[:1]

    def compare_feeds(self, run_id):
        late = Feed(self.watcher, run_id)
        late.step()
        assert not late.step()
        assert self.watcher.store.changes(run_id, late._cursor).is_empty
        views = [late.view]
        if run_id in self.feeds:
            self.feeds[run_id].step()
            views.append(self.feeds[run_id].view)
        run = self.model.runs[run_id]
        for view in views:
            assert (view.tags, view.properties) == (run.tags, run.properties)
            assert {file.path: file.size for file in view.files.values()} == run.files
            assert view.record == late.view.record
            assert view.status == run.status
            assert sorted(view.children) == sorted(child.run_id for child in self.model.below(run_id, deep=False))
            for child in view.children.values():
                its = self.model.runs[child.run.run_id]
                last = {name: m.last() for name, m in its.metrics.items() if m.kind == "vector"}
                last = {name: exact(value) for name, value in last.items() if value is not None}
                tables = {name for name, m in its.metrics.items() if m.kind == "table"}  # vectors once, perhaps
                assert {name: exact(v) for name, v in child.last.items() if name not in tables} == last
                assert child.run.status == its.status
            assert sorted(view.metrics) == sorted(run.metrics)
            for name, metric in run.metrics.items():
                assert view.metrics[name].kind == metric.kind
                assert list(view.metrics[name].columns) == metric.columns
                if metric.kind == "image":
                    assert [path for _, path in view.metrics[name].images] == [
                        str(v) for v in metric.column("") if v is not None
                    ]
                    continue
                for column in metric.columns:
                    compare_column(view.metrics[name].columns[column], metric, column)


def same_cell(found, expected):
    if expected is None:
        return found is None or found is pd.NA
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(found, (float, np.floating)) and math.isnan(found)
    is_flag = isinstance(expected, bool)
    return found is not pd.NA and found == expected and is_flag == isinstance(found, (bool, np.bool_))


def told(shape):
    return {name: exact(value) for name, value in shape.items()} if isinstance(shape, dict) else exact(shape)


def as_arguments(query):
    return {name: getattr(query, name) for name in query.__struct_fields__}


def compare_column(found, metric, column):
    values = metric.column(column)
    present = [value for value in values if value is not None]
    rows = [(n, number) for n, value in enumerate(values) if (number := number_of(value)) is not None]
    numbers = [number for _, number in rows]
    finite = [number for number in numbers if math.isfinite(number)]
    assert found.count == len(present)
    assert exact(found.last) == exact(metric.last(column))
    assert (found.minimum, found.maximum) == ((min(finite), max(finite)) if finite else (None, None))
    assert found.nan_count == sum(map(math.isnan, numbers))
    assert found.inf_count == sum(map(math.isinf, numbers))
    assert found.is_text == any(isinstance(value, (str, bool)) for value in present)
    whole = Thinned().extended(np.array([n for n, _ in rows], dtype=np.int64), np.array(numbers, dtype=np.float64))
    whole = whole.widened(natural_width(len(values)))
    assert found.series.width == whole.width
    assert found.series.index.tolist() == whole.index.tolist()
    assert found.series.y.tobytes() == whole.y.tobytes()
    if len(found.series):
        steps = [math.nan if step is None else float(step) for step in metric.steps]
        assert np.array_equal(found.series.beside[0], np.array(steps)[whole.index], equal_nan=True)
