"""Many processes at one workspace: opening it, logging at once, reading beside writers."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack

from runwidgets import Experiment, Workspace
from tests.benchmarks.alone import measured_alone, print_rows
from tests.benchmarks.table import Row

_OPENER = """
import sys, time
sys.stdin.readline()
from runwidgets import Experiment, Workspace
run = Experiment(Workspace(), "bench").start_logging()
run.log("m", 1)
run.complete()
"""
_WRITER = """
import json, os, sys, tempfile, time
from runwidgets import Experiment, Workspace
names, seconds = int(sys.argv[1]), float(sys.argv[2])
run = Experiment(Workspace(), "bench").start_logging()
keys = [f"metric {n}" for n in range(names)]
scratch = tempfile.TemporaryFile()
handle, data, write = scratch.fileno(), b"x" * 40, os.write
for name in keys:
    run.log(name, 0.5, step=0)
print("ready", flush=True)
sys.stdin.readline()
bare, logged, single = [], [], []
clock = time.perf_counter
end = time.time() + seconds
step = 0
while time.time() < end:
    begin = clock()
    for _ in range(500):
        write(handle, data)
    bare.append((clock() - begin) / 500)
    begin = clock()
    for n in range(500):
        run.log(keys[n % names], 0.5, step=step)
    logged.append((clock() - begin) / 500)
    for n in range(50):
        begin = clock()
        run.log(keys[n % names], 0.5, step=step)
        single.append(clock() - begin)
    step += 1
    time.sleep(0.01)
run.complete()
single.sort()
print(json.dumps({"bare": sorted(bare)[len(bare) // 2], "logged": sorted(logged)[len(logged) // 2],
                  "p99": single[len(single) * 99 // 100]}))
"""


def _logging(processes: int, names: int, seconds: float = 3.0, reader: bool = False) -> list[dict[str, float]]:
    """Have processes log for some seconds, all at once; give what each found."""
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _WRITER, str(names), str(seconds)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                )
            )
            for _ in range(processes)
        ]  # fmt: skip
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        if reader:
            _read(time.time() + seconds)
        return [json.loads(writer.communicate()[0]) for writer in writers]


def _read(until: float) -> None:
    """Follow all runs, as eight displays that look ten times a second."""
    from runwidgets.watch.feed import Feed

    experiment = Experiment(Workspace(), "bench")
    feeds = [Feed(experiment.workspace._recorder, run.id) for run in experiment.get_runs()][:8]
    while time.time() < until:
        for feed in feeds:
            feed.step()
        time.sleep(0.1)


def calls() -> list[Row]:
    """Time calls of run.log beside bare writes of 40 bytes, in turns, in one process and in eight."""
    rows = []
    for processes, names in ((1, 1), (1, 100), (8, 1), (8, 100)):
        found = _logging(processes, names)
        logged, bare = (statistics.median(f[key] for f in found) * 1e6 for key in ("logged", "bare"))
        what = f"run.log, {names} metric{'s' * (names > 1)}, {processes} process{'es' * (processes > 1)}"
        rows.append(Row(what, logged, "µs", "os.write of 40 bytes", bare, "≤ 3 times, ≤ 6 µs"))
    return rows


def beside() -> list[Row]:
    """Time the slowest calls of eight writers with a reader beside them and without one, in turns."""
    alone, watched = [], []
    for _ in range(5):
        alone.append(statistics.median(f["p99"] for f in _logging(8, 10, 2.0)))
        watched.append(statistics.median(f["p99"] for f in _logging(8, 10, 2.0, reader=True)))
    return [
        Row("99th percentile of run.log, 8 writers and a reader", statistics.median(watched) * 1e6, "µs",
            "without the reader", statistics.median(alone) * 1e6, "± 10 %"),
    ]  # fmt: skip


def opening(processes: int = 32) -> list[Row]:
    """Have many processes open a fresh workspace at once, each with a run."""
    errors = 0
    begin = 0.0
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _OPENER], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                    env={**os.environ, "RUNWIDGETS_HOME": home},
                )
            )
            for _ in range(processes)
        ]  # fmt: skip
        time.sleep(2)
        begin = time.perf_counter()
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in started:
            _, complaints = process.communicate()
            errors += bool(process.returncode or complaints)
        seconds = time.perf_counter() - begin
    return [
        Row(f"{processes} processes open a fresh workspace at once ({seconds:.1f} s)", errors, "errors", "", None, "0")
    ]


def measure() -> list[Row]:
    """Measure all of this in a process and a home of their own."""
    return measured_alone("tests.benchmarks.processes")


if __name__ == "__main__":
    print_rows([*calls(), *beside(), *opening()])
