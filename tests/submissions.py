"""Submitting scripts in tests, with real processes, and counting what is left of them."""

from __future__ import annotations

import os
import textwrap
import time
from pathlib import Path

import pytest

from runwidgets import Experiment, RunStatus, ScriptRunConfig, Workspace

PATIENCE_SECONDS = 60.0


def wait_until(is_so, what: str) -> None:
    """Wait for a condition; a test that waits for what never comes fails with its name."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"this never came: {what}"
        time.sleep(0.01)


def processes_of_home() -> list[str]:
    """List the processes that live and were started, by whatever way, with this test's ``RUNWIDGETS_HOME``."""
    mark = f"RUNWIDGETS_HOME={os.environ['RUNWIDGETS_HOME']}".encode()
    found = []
    for place in Path("/proc").iterdir():
        if not place.name.isdecimal() or int(place.name) == os.getpid():
            continue
        try:
            if mark in (place / "environ").read_bytes().split(b"\0"):
                found.append(f"{place.name}: {(place / 'cmdline').read_bytes().replace(bytes(1), b' ').decode()[:200]}")
        except OSError:
            continue
    return found


def nothing_is_left() -> None:
    """Wait until no process of this test's home lives."""
    wait_until(lambda: not processes_of_home(), "the end of all processes")


@pytest.fixture
def project(tmp_path):
    """Give an empty folder for scripts."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def start(project):
    """Submit a script given as text; whatever is left of it at the end of the test is a failure."""
    runs = []

    def submit_text(text: str, *arguments: str, workspace: Workspace | None = None, **wanted):
        (project / "train.py").write_text(textwrap.dedent(text))
        experiment = Experiment(workspace or Workspace(), "exp")
        options = {
            name: wanted.pop(name) for name in ("tags", "run_id", "_parent_run_id", "priority") if name in wanted
        }
        config = ScriptRunConfig(
            str(project),
            script=wanted.pop("script", "train.py"),
            arguments=list(arguments),
            compute_target=wanted.pop("target", None),
            distributed_job_config=wanted.pop("job", None),
            **wanted,
        )
        runs.append(experiment.submit(config, **options))
        return runs[-1]

    yield submit_text
    for run in runs:
        run.cancel()
    nothing_is_left()


def log_of(run, name: str = "user_logs/std_log.txt") -> str:
    """Read a log of a run as text."""
    return run.experiment.workspace._files.path(run.id, name).read_bytes().decode("utf-8", "replace")


def printed(run) -> str:
    """Read what a run has printed so far; it may not have begun."""
    try:
        return log_of(run)
    except LookupError:
        return ""


def ended(run) -> str:
    """Wait for a run's end; give its status."""
    wait_until(lambda: RunStatus(run.get_status()).is_final, f"the end of run {run.id}")
    return run.get_status()


def message_of(run) -> str:
    """Give the message of a run's error."""
    return run.get_details()["error"]["error"]["message"]
