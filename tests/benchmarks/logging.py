"""What logging costs the training, and how soon others can read it."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from runwidgets import Experiment, Run, Workspace
from tests.benchmarks.table import Row

_BATCH = 1000
_BATCHES = 200
_IMPORTS = 15
KILLS = int(os.environ.get("RUNWIDGETS_BENCH_KILLS", "1000"))
"""How many writers are killed; at a thousand it takes a minute or two."""

_WRITER = """
import sys, time
from runwidgets import Experiment, Workspace
run = Experiment(Workspace(), "bench").start_logging(outputs=False, snapshot_directory=None)
print(run.id, flush=True)
sys.stdin.readline()
begin = time.time()
for i in range(int(sys.argv[1])):
    while time.time() < begin + i / 1000:
        time.sleep(0.0005)
    run.log("at", time.time())
run.complete()
"""

# A process that is forked, rather than started, begins at once: a thousand can be killed.
_NURSERY = """
import os, sys
from runwidgets import Experiment, Workspace
from runwidgets.store import recorder
for line in sys.stdin:
    run_id, returned, fold_seconds = line.split()
    pid = os.fork()
    if pid == 0:
        recorder.FOLD_SECONDS = float(fold_seconds)
        handle = os.open(returned, os.O_WRONLY | os.O_CREAT)
        run = Experiment(Workspace(), "bench").start_logging(run_id=run_id)
        i = 0
        while True:
            run.log("i", i)
            i += 1
            os.pwrite(handle, b"%20d" % i, 0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("gone", flush=True)
"""


def _python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def _seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begin


def importing() -> list[Row]:
    """Time a whole interpreter that imports the package, over one that imports nothing."""
    scripts = {
        "bare": "pass",
        "package": "import runwidgets",
        "names": "from runwidgets import Experiment, Run, Workspace",
    }
    times: dict[str, list[float]] = {name: [] for name in scripts}
    for _ in range(_IMPORTS):
        for name, script in scripts.items():
            times[name].append(_seconds(_python("-c", script)))
    bare, package, names = (statistics.median(times[name]) * 1000 for name in scripts)
    return [
        Row(
            "import runwidgets, over bare Python",
            package - bare,
            "ms",
            f"(bare Python itself: {bare:.0f} ms)",
            None,
            "≤ 40",
        ),
        Row("from runwidgets import Run, Workspace, Experiment", names - bare, "ms", "", None, "(≤ 40)"),
    ]


def calls() -> list[Row]:
    """Time ``run.log`` beside a bare ``os.write`` of 40 bytes, in turns, in batches of a thousand."""
    run = Experiment(Workspace(), "bench").start_logging(outputs=False, snapshot_directory=None)
    with tempfile.NamedTemporaryFile() as scratch:
        handle = os.open(scratch.name, os.O_WRONLY | os.O_APPEND)
        data, write = b"x" * 40, os.write
        logged, bare = [], []
        for batch in range(_BATCHES):
            begin = time.perf_counter()
            for _ in range(_BATCH):
                write(handle, data)
            bare.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            for i in range(_BATCH):
                run.log("loss", 0.5, step=batch * _BATCH + i)
            logged.append(time.perf_counter() - begin)
        os.close(handle)
    begin = time.perf_counter()
    for i in range(_BATCHES * _BATCH):
        run.log("sustained", 0.5, step=i)
    run.flush()
    sustained = time.perf_counter() - begin
    run.complete()
    floor = statistics.median(bare) / _BATCH * 1e6
    return [
        Row("run.log(name, value, step=i), median of calls", statistics.median(logged) / _BATCH * 1e6, "µs",
            "os.write of 40 bytes", floor, "≤ 3 times"),
        Row("the same, mean, folding beside it", statistics.fmean(logged) / _BATCH * 1e6, "µs",
            "os.write of 40 bytes", floor, ""),
        Row("logging as fast as it goes until readable", _BATCHES * _BATCH / sustained, "points/s", "", None, ""),
    ]  # fmt: skip


def killed(times: int = KILLS) -> list[Row]:
    """Kill writers at random moments, and count the returned calls and the ends that cannot be read afterwards."""
    lost = written = running = 0
    with (
        tempfile.TemporaryDirectory() as scratch,
        subprocess.Popen(_python("-c", _NURSERY), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery,
    ):
        assert nursery.stdout is not None
        assert nursery.stdin is not None
        for n in range(times):
            run_id, counter = f"victim-{n}", Path(scratch, str(n))
            # Half of them fold all the time, so that the kill hits a fold; half do not, so that all is recovered.
            nursery.stdin.write(f"{run_id} {counter} {0.001 if n % 2 else 3600}\n")
            nursery.stdin.flush()
            pid = int(nursery.stdout.readline())
            while not counter.exists() or not counter.stat().st_size:
                time.sleep(0.0005)
            time.sleep(random.random() * 0.03)
            os.kill(pid, signal.SIGKILL)
            nursery.stdout.readline()
            returned = int(counter.read_bytes())
            workspace = Workspace()
            workspace._recorder.recover()
            run = Run(Experiment(workspace, "bench"), run_id)
            found = run.get_metrics().get("i", [])
            values = found if isinstance(found, list) else [found]
            lost += sum(a != b for a, b in zip(range(returned), values, strict=False)) + max(0, returned - len(values))
            running += run.get_status() != "Failed"
            written += returned
        nursery.stdin.close()
    return [
        Row(f"returned calls lost after kill -9 ({times:,} kills, {written:,} calls)", lost, "lost", "", None, "0"),
        Row("runs of these that are not Failed after recovery", running, "runs", "", None, "0"),
    ]


def reading(seconds: float = 6) -> list[Row]:
    """Time from logging a value, at 1,000 a second in another process, until this process can read it."""
    points = int(seconds * 1000)
    with subprocess.Popen(
        _python("-c", _WRITER, str(points)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdin is not None
        run_id = writer.stdout.readline().strip()
        experiment = Experiment(Workspace(), "bench")
        while True:
            try:
                run = Run(experiment, run_id)
                break
            except LookupError:
                time.sleep(0.02)
        writer.stdin.write("go\n")
        writer.stdin.flush()
        store = run.experiment.workspace._store
        delays: list[float] = []
        while len(delays) < points:
            (metric, *_) = store.metrics(run_id, "at") or [None]
            now = time.time()
            values = [value for block in metric.blocks for value in block.columns[""].to_list()] if metric else []
            delays += [now - value for value in values[len(delays) :]]
            time.sleep(0.01)
        writer.wait()
    delays.sort()
    return [
        Row(
            "logged → readable by another process, 1,000 points/s, median", statistics.median(delays), "s", "", None, ""
        ),
        Row("the same, slowest of all points", delays[-1], "s", "", None, "≤ 1"),
    ]


def main() -> None:
    """Measure in this process, and print the rows as JSON: the parent gave it a home of its own."""
    logging.disable(logging.WARNING)  # each writer that is killed is told of
    rows = [*importing(), *calls(), *killed(), *reading()]
    json.dump([row.__dict__ for row in rows], sys.stdout)


def measure() -> list[Row]:
    """Measure all of this in a process and a home of their own."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.logging"],
            env={**os.environ, "RUNWIDGETS_HOME": home},
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            check=True,
        )
    return [Row(**row) for row in json.loads(done.stdout)]


if __name__ == "__main__":
    main()
