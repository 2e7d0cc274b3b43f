"""Killing what belongs to a submitted run, at a moment of chance, and looking what is left of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from runwidgets import Run, RunStatus, Workspace
from runwidgets.errors import NotFoundError

VICTIMS = ("supervisor", "warden", "script", "submitter")
_PATIENCE_SECONDS = 60.0

SCRIPT = """
import os, sys
from runwidgets import Run
run = Run.get_context()
handle = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
if os.fork() == 0:  # one that would stay
    os.setsid()
    import time
    time.sleep(600)
for i in range(1, 1_000_000):
    run.log("i", i)
    os.write(1, b"%d\\n" % i)
    os.pwrite(handle, b"%20d" % i, 0)
"""
_SUBMITTER = """
import sys, time
from runwidgets import Experiment, ScriptRunConfig, Workspace
config = ScriptRunConfig(sys.argv[1], "train.py", [sys.argv[2]])
run = Experiment(Workspace(), "killed").submit(config, run_id=sys.argv[3])
print("submitted", flush=True)
time.sleep(600)
"""


class Found(NamedTuple):
    """What was found after a kill."""

    status: str
    returned: int
    points: int
    lines: int
    is_left: bool


def kill_one(victim: str, project: Path, number: int) -> Found:
    """Submit a script from a process of its own, kill one of the processes, and wait for what becomes of the run.

    Where the one that submitted or the warden is killed, the run goes on, and is canceled. A process that waits becomes
    the warden: where it is killed just when it has forked the supervisor, it was the warden.
    """
    project.mkdir(exist_ok=True)
    (project / "train.py").write_text(SCRIPT)
    run_id, counter = f"killed-{victim}-{number}", project.parent / f"counter-{victim}-{number}"
    killed = 0
    words = [sys.executable, "-c", _SUBMITTER, str(project), str(counter), run_id]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as submitter:
        try:
            assert submitter.stdout is not None
            if victim == "submitter":
                time.sleep(0.15 + random.random() * 0.4)
            else:
                assert submitter.stdout.readline()
                killed = _kill(victim, run_id, time.monotonic() + random.random() * 0.6)
        finally:
            submitter.kill()
    workspace = Workspace()
    run = None
    with suppress(NotFoundError):
        run = Run.get(workspace, run_id)
    if run is None:  # it was killed before it had submitted anything
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while _lives(run_id) and time.monotonic() < deadline:  # a supervisor that waits for the word, which never comes
            time.sleep(0.02)
        return Found("", 0, 0, 0, is_left=_lives(run_id))
    if victim in {"submitter", "warden"}:
        time.sleep(random.random() * 0.3)
        run.cancel()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (_lives(run_id) or not RunStatus(run.get_status()).is_final) and time.monotonic() < deadline:
        run._recorder.recover()
        if victim == "supervisor" and _supervisor_of(run_id) not in {0, killed}:
            run.cancel()
        time.sleep(0.02)
    returned = int(counter.read_text() or 0) if counter.exists() else 0
    points = run.get_metrics("i").get("i", [])
    # Where the supervisor was killed, nobody is there to wait for another process that folds them just now.
    while victim == "supervisor" and _count(points) < returned and time.monotonic() < deadline:
        run._recorder.recover()
        points = run.get_metrics("i").get("i", [])
        time.sleep(0.02)
    lines = 0
    with suppress(NotFoundError):
        log = workspace._files.path(run_id, "user_logs/std_log.txt").read_text("utf-8")
        lines = max((int(line) for line in log.split("\n")[:-1] if line.isdecimal()), default=0)
    return Found(run.get_status(), returned, _count(points), lines, _lives(run_id))


def _count(values: object) -> int:
    return len(values) if isinstance(values, list) else 1


def _supervisor_of(run_id: str) -> int:
    """Give the number of the process that looks after a run, or waits for its turn; 0 for none."""
    try:
        return int((Workspace()._folder / "submissions" / run_id / "supervisor").read_text("ascii").split()[0])
    except (OSError, IndexError):
        return 0


def _kill(victim: str, run_id: str, at: float) -> int:
    """Kill one of a run's processes, at that time or as soon as it is there; give its number."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        supervisor = _supervisor_of(run_id) if time.monotonic() >= at else 0
        if supervisor:
            with suppress(OSError, ValueError, StopIteration):
                pid = _pid_of(victim, supervisor)
                if pid > 1:
                    os.kill(pid, signal.SIGKILL)
                    return pid
        time.sleep(0.002)
    return 0


def _pid_of(victim: str, supervisor: int) -> int:
    if victim == "warden":
        return _parent(supervisor)
    if victim == "script":
        return next(pid for pid in _processes() if _parent(pid) == supervisor)
    return supervisor


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])


def _processes() -> list[int]:
    return [int(place.name) for place in Path("/proc").iterdir() if place.name.isdecimal()]


def _lives(run_id: str) -> bool:
    mark = run_id.encode()
    for pid in _processes():
        with suppress(OSError):
            place = Path(f"/proc/{pid}")
            words, variables = (place / "cmdline").read_bytes(), (place / "environ").read_bytes()
            if b"runwidgets.submit.supervisor" in words and mark in words:
                return True
            if b"RUNWIDGETS_RUN_ID=" + mark in variables:
                return True
    return False
