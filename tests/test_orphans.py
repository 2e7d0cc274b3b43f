"""What a script has started, when its supervisor and warden are killed at the same moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runwidgets import Run
from runwidgets.store.orphans import MARK, SUPERVISOR, end_orphans
from runwidgets.system import variables_of
from tests.submissions import (
    ended,
    nothing_is_left,
    printed,
    project,  # noqa: F401 (a fixture)
    start,  # noqa: F401 (a fixture)
    wait_until,
)

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system has no handles of processes")

LEAVES = """
    import os, subprocess, sys, time
    sleeps = [sys.executable, "-c", "import time; time.sleep(600)"]
    print("pid", subprocess.Popen(sleeps).pid, flush=True)
    print("pid", subprocess.Popen(sleeps, start_new_session=True).pid, flush=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            print("pid", os.getpid(), flush=True)
            time.sleep(600)
        os._exit(0)
    time.sleep(600)
"""


def pids_of(run) -> list[int]:
    return [int(line.split()[1]) for line in printed(run).splitlines() if line.startswith("pid ")]


def kill_both(run) -> None:
    supervisor = int(run._place.supervisor.read_text().split()[0])
    warden = int(Path(f"/proc/{supervisor}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(warden, signal.SIGSTOP)  # so that it cannot take notice before its own end
    os.kill(supervisor, signal.SIGKILL)
    os.kill(warden, signal.SIGKILL)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_what_goes_on_is_ended_by_whoever_opens_the_workspace_next(start):  # noqa: F811
    run = start(LEAVES)
    wait_until(lambda: len(pids_of(run)) == 3, "all processes")
    left = pids_of(run)
    kill_both(run)
    wait_until(lambda: run._recorder.recover() or run.get_status() == "Failed", "its end")
    assert not any(map(lives, left))
    nothing_is_left()


def test_another_process_that_opens_the_workspace_ends_it_too(start):  # noqa: F811
    run = start(LEAVES)
    wait_until(lambda: len(pids_of(run)) == 3, "all processes")
    code = "import sys; from runwidgets import Run, Workspace; Workspace()._recorder.recover(); print('looked')"
    kill_both(run)
    wait_until(
        lambda: subprocess.run([sys.executable, "-c", code], check=True) and not any(map(lives, pids_of(run))),
        "the end of what goes on",
    )
    nothing_is_left()
    assert ended(run) == "Failed"


def test_a_run_that_the_script_has_submitted_goes_on(start, project, tmp_path):  # noqa: F811
    (project / "below.py").write_text(
        f"import os, time\nprint('pid', os.getpid(), flush=True)\n"
        f"while not os.path.exists({str(tmp_path / 'go')!r}):\n    time.sleep(0.01)"
    )
    run = start(
        """
        import time
        from runwidgets import Run, ScriptRunConfig
        print("child", Run.get_context().submit_child(ScriptRunConfig(".", "below.py")).id, flush=True)
        time.sleep(600)
        """
    )
    wait_until(lambda: "child" in printed(run), "the child")
    child = Run.get(run.experiment.workspace, printed(run).split()[1])
    wait_until(lambda: pids_of(child), "its script")
    kill_both(run)
    wait_until(lambda: run._recorder.recover() or run.get_status() == "Failed", "the end of the parent")
    assert lives(pids_of(child)[0])
    wait_until(lambda: child.get_status() == "Running", "its state")
    (tmp_path / "go").touch()
    assert ended(child) == "Completed"


def test_nothing_is_ended_that_is_not_marked_with_this_very_journal_and_a_supervisor_that_is_gone(start):  # noqa: F811
    run = start(LEAVES)
    wait_until(lambda: len(pids_of(run)) == 3, "all processes")
    mark = variables_of(pids_of(run)[0])[MARK]
    journal_id, run_id, boot_id, pid, started_at = mark.split("|")
    assert run_id == run.id
    assert end_orphans(journal_id) == 0  # its supervisor lives
    assert all(map(lives, pids_of(run)))
    kill_both(run)
    gone = [f"{int(pid)}", started_at]
    others = {
        "no mark": {},
        "named like the run": {"RUNWIDGETS_RUN_ID": run.id},
        "another journal": {MARK: "|".join((journal_id + "x", run_id, boot_id, *gone))},
        "a supervisor": {MARK: mark, SUPERVISOR: "another"},
        "a supervisor that lives": {MARK: "|".join((journal_id, run_id, boot_id, str(os.getpid()), own_start()))},
        "another machine": {MARK: "|".join((journal_id, run_id, "a:b:c", *gone))},
        "no such mark": {MARK: journal_id},
    }
    environment = {name: value for name, value in os.environ.items() if name not in (MARK, SUPERVISOR)}
    words = [sys.executable, "-c", "input()"]
    decoys = {
        name: subprocess.Popen(words, env=environment | variables, stdin=subprocess.PIPE)
        for name, variables in others.items()
    }
    marked = subprocess.Popen(words, env=environment | {MARK: mark}, stdin=subprocess.PIPE)
    try:
        wait_until(lambda: run._recorder.recover() or run.get_status() == "Failed", "its end")
        assert marked.wait(60) == -signal.SIGKILL  # else the others would prove nothing
        assert [name for name, decoy in decoys.items() if decoy.poll() is not None] == []
    finally:
        for process in (*decoys.values(), marked):
            process.kill()
            process.communicate()
    nothing_is_left()


def own_start() -> str:
    from runwidgets.system import this_process

    return repr(this_process().started_at)
