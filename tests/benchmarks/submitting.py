"""How soon a submitted script runs and is seen, what looking after it costs, and whether a cancel leaves anything."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import psutil

from runwidgets import ComputeTarget, Experiment, LocalCompute, RunStatus, ScriptRunConfig, Workspace
from runwidgets.store.recorder import close_all
from tests.benchmarks.table import Row
from tests.killing import VICTIMS, kill_one

_FILES, _FILE_BYTES = 200, 100 * 2**10
_TIMES = 15
_CANCELS = int(os.environ.get("RUNWIDGETS_BENCH_CANCELS", "100"))
_QUEUED = int(os.environ.get("RUNWIDGETS_BENCH_QUEUED", "200"))
_ROUNDS = int(os.environ.get("RUNWIDGETS_BENCH_ROUNDS", "25"))
"""How often each of the four is killed."""
_IDLE_SECONDS = 30.0
_GRACE_SECONDS = 0.2

_FIRST_SUBMIT = """
import sys, time
from runwidgets import Experiment, ScriptRunConfig, Workspace
experiment, config = Experiment(Workspace(), "bench"), ScriptRunConfig(sys.argv[1], "train.py")
for _ in range(2):
    begin = time.perf_counter()
    run = experiment.submit(config)
    print((time.perf_counter() - begin) * 1000)
    run.wait_for_completion()
    time.sleep(2.1)  # a file that was changed less than two seconds ago is read again
"""


def _project(folder: Path, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.py").write_text(textwrap.dedent(script))
    return folder


def _ended(run, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not RunStatus(run.get_status()).is_final:
        assert time.monotonic() < deadline, f"run {run.id} does not end: {run!r}"
        time.sleep(0.05)


def _left(run_id: str) -> bool:
    """Tell whether a process lives that belongs to a run: by its words, or by what the script handed down."""
    marks = (run_id.encode(), f"RUNWIDGETS_RUN_ID={run_id}".encode())
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                if marks[0] in (place / "cmdline").read_bytes() or marks[1] in (place / "environ").read_bytes():
                    return True
            except OSError:
                continue
    return False


def submitting(scratch: Path) -> list[Row]:
    """Time ``submit()`` with a folder of 200 files and 20 MB: the first of a process and a workspace, and the next."""
    folder = _project(scratch / "big", "pass")
    for number in range(_FILES):
        (folder / f"part_{number:03d}.bin").write_bytes(os.urandom(_FILE_BYTES))
    time.sleep(2.1)
    firsts, seconds = [], []
    for number in range(5):
        environment = os.environ | {"RUNWIDGETS_HOME": str(scratch / f"home-{number}")}
        command = [sys.executable, "-c", _FIRST_SUBMIT, str(folder)]
        said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()
        firsts.append(float(said[0]))
        seconds.append(float(said[1]))
    return [
        Row("submit() of 200 files, 20 MB: first", statistics.median(firsts), "ms", "", None, "≤ 150"),
        Row("submit() of the same, unchanged", statistics.median(seconds), "ms", "", None, "≤ 50"),
    ]


def starting(scratch: Path) -> list[Row]:
    """Time from ``submit()`` to the first line of the script, over a bare ``python -c pass``."""
    folder = _project(scratch / "first-line", "import time, sys\nopen(sys.argv[1], 'w').write(str(time.time()))")
    experiment = Experiment(Workspace(), "bench")
    bare, ours = [], []
    for number in range(_TIMES):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare.append(time.perf_counter() - begin)
        mark = scratch / f"mark-{number}"
        began = time.time()
        run = experiment.submit(ScriptRunConfig(str(folder), "train.py", arguments=[mark]))
        _ended(run)
        ours.append(float(mark.read_text()) - began)
    floor = statistics.median(bare) * 1000
    return [
        Row("submit() → first line of the script, over bare Python", statistics.median(ours) * 1000 - floor, "ms",
            f"(bare Python itself: {floor:.0f} ms)", None, "≤ 400"),
    ]  # fmt: skip


def idling(scratch: Path) -> list[Row]:
    """Measure the supervisor (and its warden) of a script that does nothing, and of a run that waits its turn."""
    folder = _project(scratch / "idle", "import time\nprint('ready', flush=True)\ntime.sleep(600)")
    workspace = Workspace()
    target = ComputeTarget.create(workspace, "one", LocalCompute(slots=1))
    experiment = Experiment(workspace, "bench")
    config = ScriptRunConfig(str(folder), "train.py", compute_target=target)
    run, waiting = experiment.submit(config), experiment.submit(config)
    while not run._place.supervisor.exists() or run.get_status() != "Running" or not waiting._place.supervisor.exists():
        time.sleep(0.05)
    time.sleep(3)
    supervisor = psutil.Process(int(run._place.supervisor.read_text().split()[0]))
    warden, queued = supervisor.parent(), psutil.Process(int(waiting._place.supervisor.read_text().split()[0]))
    assert warden is not None
    watched = (supervisor, warden, queued)
    before = [sum(process.cpu_times()[:2]) for process in watched]
    time.sleep(_IDLE_SECONDS)
    cpu = [(sum(p.cpu_times()[:2]) - b) / _IDLE_SECONDS * 100 for p, b in zip(watched, before, strict=True)]
    memory = [process.memory_full_info() for process in watched]
    waiting.cancel()
    run.cancel()
    _ended(run)
    own = (memory[0].pss + memory[1].pss) / 2**20
    both = f"{memory[0].rss / 2**20:.0f} and {memory[1].rss / 2**20:.0f}"
    return [
        Row("supervisor with its warden, idle: memory", own, "MB", f"(resident {both} MB)", None, "≤ 40"),
        Row("the same: processor", cpu[0] + cpu[1], "% of a core", "", None, "≤ 0.3"),
        Row("a run in the queue: memory", memory[2].rss / 2**20, "MB", "", None, ""),
        Row("the same: processor", cpu[2], "% of a core", "", None, ""),
    ]  # fmt: skip


def seeing(scratch: Path) -> list[Row]:
    """Time from a printed line to its sight in the log, by another process."""
    folder = _project(
        scratch / "lines",
        "import time\nfor _ in range(20):\n    print(time.time(), flush=True)\n    time.sleep(0.1)",
    )
    workspace = Workspace()
    run = Experiment(workspace, "bench").submit(ScriptRunConfig(str(folder), "train.py"))
    seen, delays = 0, []
    while not RunStatus(run.get_status()).is_final:
        log = run.get_details_with_logs()["logFiles"].get("user_logs/std_log.txt", "")
        lines = log.split("\n")[:-1]
        delays += [time.time() - float(line) for line in lines[seen:]]
        seen = len(lines)
    return [Row("line printed → visible to a reader, slowest of 20", max(delays), "s", "", None, "≤ 1")]


def queueing(scratch: Path) -> list[Row]:
    """Run 200 scripts that do nothing on two slots: what each costs beside a bare Python, and in which order."""
    folder = _project(scratch / "pass", "pass")
    workspace = Workspace()
    target = ComputeTarget.create(workspace, "two", LocalCompute(slots=2))
    experiment = Experiment(workspace, "bench")
    config = ScriptRunConfig(str(folder), "train.py", compute_target=target)
    begin = time.perf_counter()
    runs = [experiment.submit(config) for _ in range(_QUEUED)]
    submitted = time.perf_counter() - begin
    for run in runs:
        _ended(run, 600)
    took = time.perf_counter() - begin
    started = [run._record().started_at for run in runs]
    # Two go at once: each may pass the one before it, by the time that a process takes to start.
    swaps = sum(later < earlier for earlier, later in zip(started, started[2:], strict=False))
    bare = []
    for _ in range(10):
        at = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare.append(time.perf_counter() - at)
    floor = statistics.median(bare)
    each = took / (_QUEUED / 2) - floor
    return [
        Row(f"{_QUEUED} queued runs of `pass` on 2 slots: overhead a run", each * 1000, "ms",
            f"(bare Python: {floor * 1000:.0f} ms; all submitted in {submitted:.1f} s)", None, "≤ 250"),
        Row("runs that began before one submitted two places earlier", swaps, "", "", None, "0"),
    ]  # fmt: skip


def canceling(scratch: Path) -> list[Row]:
    """Cancel scripts that ignore SIGTERM and have started others; count what is left a second after the grace."""
    folder = _project(
        scratch / "stubborn",
        """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            os.setsid()
            os.fork()
        time.sleep(600)
        """,
    )
    experiment = Experiment(Workspace(), "bench")
    os.environ["RUNWIDGETS_GRACE_SECONDS"] = str(_GRACE_SECONDS)
    clean, slowest = 0, 0.0
    try:
        for number in range(_CANCELS):
            run = experiment.submit(ScriptRunConfig(str(folder), "train.py"))
            time.sleep(number % 10 * 0.05)  # queued, starting or running
            run.cancel()
            begin = time.monotonic()
            while _left(run.id) and time.monotonic() - begin < 30:
                time.sleep(0.01)
            took = time.monotonic() - begin - _GRACE_SECONDS
            slowest = max(slowest, took)
            clean += took <= 1
            _ended(run)
    finally:
        del os.environ["RUNWIDGETS_GRACE_SECONDS"]
    return [
        Row("canceled runs of which nothing is left 1 s after the grace period", clean, "", "", None, f"{_CANCELS}"),
        Row("cancel → no process left, after the grace period, slowest", slowest, "s", "", None, "≤ 1"),
    ]  # fmt: skip


def killing(scratch: Path) -> list[Row]:
    """Kill supervisors, wardens, scripts and those who submitted them, each at a moment of chance."""
    bad = running = lost = 0
    for number in range(_ROUNDS):
        for victim in VICTIMS:
            found = kill_one(victim, scratch / "killed", number)
            bad += found.is_left
            running += found.status not in {"Failed", "Canceled", ""}
            lost += max(0, found.returned - found.points) + max(0, found.returned - found.lines)
    what = f"{', '.join(VICTIMS)} killed {_ROUNDS} times each"
    return [
        Row(f"{what}: processes left", bad, "", "", None, "0"),
        Row("the same: runs in no final state", running, "", "", None, "0"),
        Row("the same: points and lines lost", lost, "", "", None, "0"),
    ]


def measure() -> list[Row]:
    """Measure all of it."""
    rows = []
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as scratch:
        before = os.environ.get("RUNWIDGETS_HOME")
        os.environ["RUNWIDGETS_HOME"] = home
        try:
            for part in (submitting, starting, idling, seeing, queueing, canceling, killing):
                rows += part(Path(scratch))
        finally:
            close_all()
            if before is None:
                del os.environ["RUNWIDGETS_HOME"]
            else:
                os.environ["RUNWIDGETS_HOME"] = before
    return rows
