"""What long series and many runs cost: to write, to keep, to read."""

from __future__ import annotations

import os
import random
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runwidgets import Experiment, Workspace
from runwidgets.events import JournalOpened, PointLogged, RunCreated, StatusSet, TagsSet
from runwidgets.query import parse_condition, parse_order
from runwidgets.records import RunQuery, RunStatus
from tests.benchmarks.alone import measured_alone, print_rows
from tests.benchmarks.table import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from runwidgets import Run

_MILLION = 1_000_000
_PARTS = ("slow", "million", "long", "longer", "runs", "filters")


def _seconds(call: Callable[[], Any], times: int = 1) -> float:
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


def _start() -> Run:
    return Experiment(Workspace(), "bench").start_logging()


def _bytes_at_rest(run: Run) -> int:
    """Give the size of the store's file with nothing left in the write-ahead log."""
    import sqlite3

    path = run.experiment.workspace._folder / "runs.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path.stat().st_size


def _written() -> int:
    """Give how many bytes this process has written so far, as the system counts them."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text("ascii").splitlines())
    return int(fields["wchar"])


def slow(seconds: int = 1300) -> list[Row]:
    """Log 100 metrics once a second, with a clock of our own, and a fold after each second as the thread does one."""
    from runwidgets import recording
    from runwidgets.store import recorder

    recorder.FOLD_SECONDS = 1e9
    run = _start()
    clock = [time.time()]
    recording._now = lambda: clock[0]
    run.flush()
    empty, before = _bytes_at_rest(run), _written()
    for second in range(seconds):
        for metric in range(100):
            clock[0] += 0.01
            run.log(f"metric/{metric:03}", random.random(), step=second)
        run.flush()
    points = seconds * 100
    written = (_written() - before) / points
    run.complete()
    rest = (_bytes_at_rest(run) - empty) / points
    return [
        Row("written to disk, 100 metrics at 1 point/s, journal included", written, "B/point", "", None, "≤ 300"),
        Row("the same at rest", rest, "B/point", "", None, ""),
    ]


def million() -> list[Row]:
    """Log a million values in the ways there are, and read them."""
    run = _start()
    values = [random.random() for _ in range(_MILLION)]
    run.flush()
    empty = _bytes_at_rest(run)
    begin = time.perf_counter()
    for step, value in enumerate(values):
        run.log("m", value, step=step)
    run.flush()
    sustained = _MILLION / (time.perf_counter() - begin)
    rest = (_bytes_at_rest(run) - empty) / _MILLION

    def log_list() -> None:
        run.log_list("list", values)
        run.flush()

    def log_table() -> None:
        run.log_table("table", {f"c{n}": values[n * 100_000 : (n + 1) * 100_000] for n in range(10)})
        run.flush()

    rows = [
        Row("run.log as fast as it goes, until queryable", sustained / 1000, "k points/s", "", None, "≥ 150"),
        Row("at rest, a million points of run.log with steps", rest, "B/point", "values alone", 8.0, "≤ 20"),
        Row("log_list of a million values, until readable", _seconds(log_list), "s", "", None, "≤ 1"),
        Row("log_table of a million cells, 10 columns, until readable", _seconds(log_table), "s", "", None, "≤ 1"),
    ]
    import pandas as pd

    plain = _seconds(lambda: pd.DataFrame({"value": values}), 5)
    run.get_metrics_frame("m")
    rows += [
        Row("get_metrics of a million points", _seconds(lambda: run.get_metrics("m"), 5), "s", "", None, "≤ 0.3"),
        Row("get_metrics_frame of a million points", _seconds(lambda: run.get_metrics_frame("m"), 9), "s",
            "DataFrame of a list", plain, "≤ 0.05"),
    ]  # fmt: skip
    run.complete()
    return rows


def long(millions: int = 10) -> list[Row]:
    """Open a display's view of a very long series, and follow it."""
    import numpy as np

    run = _start()
    noise = np.random.default_rng(0)
    for _ in range(millions):
        run.log_list("m", noise.normal(size=_MILLION))
        run.flush()
    from runwidgets.watch.feed import Feed

    def feed() -> Feed:
        feed = Feed(run._recorder, run.id)
        feed.step()
        return feed

    Feed(run._recorder, "no such run").step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    followed = feed()
    opened = _seconds(feed, 15)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    drawn = len(followed.view.metrics["m"].columns[""].series)
    reach = "≤ 30" if millions <= 10 else "≤ 50"
    idle = _seconds(followed.step, 500)
    news = []
    for _ in range(50):
        run.log("m", 0.0)
        run.flush()
        news.append(_seconds(followed.step))
    run.complete()
    what = f"of {millions * _MILLION:,} points"
    return [
        Row(f"the view of a run {what}: opened, {drawn:,} points drawn", opened * 1000, "ms", "", None, reach),
        Row(f"extra memory for the view {what}", grown, "MB", "", None, "≤ 50"),
        Row(f"feed step, {what}: nothing new", idle * 1000, "ms", "", None, "≤ 0.2"),
        Row(f"feed step, {what}: one new point", statistics.median(news) * 1000, "ms", "", None, "≤ 2"),
    ]


def longer() -> list[Row]:
    """Do the same with ten times as many."""
    return long(100)


def runs(count: int = 10_000, many: int = 100_000) -> list[Row]:
    """Create many runs with 5 metrics and 5 tags, and list them."""
    workspace = Workspace()
    experiment = Experiment(workspace, "bench")

    def create() -> None:
        for number in range(count):
            run = experiment.start_logging(tags={f"tag {k}": str(number % 7) for k in range(5)})
            for k in range(5):
                run.log(f"metric {k}", random.random())
            run.complete()

    created = _seconds(create)
    store = workspace._store
    ranked = RunQuery(experiment="bench", order_by="metric 3", limit=100)
    top = _seconds(lambda: store.described(store.find(ranked)), 15)
    # As events, since only the listing is measured here.
    folded = store.folded_bytes("many")
    events: list[Any] = [JournalOpened("many", 1.0, "host", "boot", 1, 1.0)]
    for number in range(many):
        events += [RunCreated(f"run-{number}", 1.0, "many"), StatusSet(f"run-{number}", 2.0, RunStatus.COMPLETED)]
    assert store.fold("many", folded, 1, events)
    page = _seconds(lambda: store.described(store.find(RunQuery(experiment="many", limit=100))), 15)
    first = _seconds(lambda: next(Experiment(workspace, "many").get_runs()), 15)
    return [
        Row(f"create {count:,} runs of 5 metrics and 5 tags", created, "s", "", None, "≤ 20"),
        Row(f"of {count:,} runs the best 100 by a metric, with tags", top * 1000, "ms", "", None, "≤ 20"),
        Row(f"of {many:,} runs the newest 100, with tags", page * 1000, "ms", "", None, "≤ 50"),
        Row(f"of {many:,} runs the first that get_runs gives", first * 1000, "ms", "", None, "≤ 50"),
    ]


def filters(many: int = 100_000) -> list[Row]:
    """Filter and sort many runs of one experiment, with 5 metrics and 5 tags each."""
    store = Workspace()._store
    for start in range(0, many, 2000):  # as events, since only the finding is measured here
        events: list[Any] = [JournalOpened("many", 1.0, "host", "boot", 1, 1.0)]
        for number in range(start, start + 2000):
            run_id = f"run-{number:06}"
            tags = {f"tag {k}": str((number + k) % 7) for k in range(4)}
            events += [
                RunCreated(run_id, float(number), "many"), StatusSet(run_id, number + 1.0, RunStatus.RUNNING),
                TagsSet(run_id, 1.0, tags | {"model": ("ridge", "lasso", "tree")[number % 3]}),
                *(PointLogged(run_id, f"metric {k}", 2.0, 5000 * random.random(), 0) for k in range(4)),
                PointLogged(run_id, "mse", 2.0, 5000 * random.random(), 0),
                StatusSet(run_id, number + 9.0, RunStatus.COMPLETED if number % 10 else RunStatus.FAILED),
            ]  # fmt: skip
        assert store.fold("many", store.folded_bytes("many"), start + 1, events)

    def milliseconds(where: str = "", order: str | None = None) -> float:
        field, falls = parse_order(order) if order else (None, False)
        condition = parse_condition(where)
        query = RunQuery(experiment="many", where=condition, order_by=field, descending=falls, limit=100)
        return _seconds(lambda: store.described(store.find(query)), 15) * 1000

    usual = 'metrics.mse < 3000 and tags.model = "ridge" and status = Completed'
    rare = 'metrics.mse < 3000 and metrics."metric 1" < 5 and tags."tag 1" = "3"'
    counted = RunQuery(experiment="many", where=parse_condition(usual))
    what = f"of {many:,} runs"
    found = [
        ("the newest 100, no filter", milliseconds(), "≤ 5"),
        ("a filter and 100 in the order of a metric", milliseconds(usual, "metrics.mse"), "≤ 50"),
        ("the same, greatest first", milliseconds(usual, "-metrics.mse"), "≤ 50"),
        ("a filter that few pass, by a metric", milliseconds(rare, "metrics.mse"), "≤ 50"),
        ("a state that none has, by a metric", milliseconds("status = Paused", "metrics.mse"), ""),
        ("the first 100 by when they started", milliseconds("", "started"), ""),
        ("a word that is nowhere", milliseconds("nowhere"), ""),
    ]
    return [
        *(Row(f"{what} {name}", value, "ms", "", None, reach) for name, value, reach in found),
        Row(f"{what} how many pass the filter", _seconds(lambda: store.count(counted), 5) * 1000, "ms", "", None, ""),
    ]


def measure() -> list[Row]:
    """Measure each part in a process and a home of its own."""
    return [row for part in _PARTS for row in measured_alone("tests.benchmarks.store", part)]


def _in_a_small_project(part: str) -> list[Row]:
    """Measure in a folder with a few files, of which runs keep a snapshot."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(10):
            (Path(folder) / f"module_{number}.py").write_text(f"number = {number}\n", "utf-8")
        os.chdir(folder)
        return globals()[part]()  # type: ignore[no-any-return]


if __name__ == "__main__":
    print_rows(_in_a_small_project(sys.argv[1]))
