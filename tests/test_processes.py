"""Real processes: killed, forked, at once.

What `log` returned from is there afterwards, once, and no run runs for ever.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from runwidgets import Experiment, Run, RunStatus, Workspace
from runwidgets.errors import NotFoundError, UserError
from runwidgets.store.recorder import close_all
from runwidgets.watch.feed import Feed

BEGIN = """
import json, os, signal, sys, threading, time
from runwidgets import Experiment, Run, Workspace
experiment = Experiment(Workspace(), "exp")
"""
SECONDS = 120
"""After how long a process is taken to hang."""


def eventually(check, seconds=60):
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.005)
    return found


@pytest.fixture
def start():
    """Start scripts as processes of their own, which are gone when the test is over."""
    started = []

    def start(code, *arguments, env=None):
        process = subprocess.Popen(
            # Python 3.12 warns of every fork of a process with threads, which is what is tested here.
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", BEGIN + code, *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    close_all()


def not_measured():
    """Give an environment without coverage.

    It handles SIGTERM itself, writes where not every user may, and an interrupt within it leaves its lock locked.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def finish(process, code=0):
    """Wait for a script; give what it printed as JSON, and what it said on stderr."""
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == code, err.decode()
    return json.loads(out) if out else None, err.decode()


@pytest.fixture
def experiment():
    return Experiment(Workspace(), "exp")


def recovered(experiment, run_id):
    """Give a run as whoever next opens the workspace finds it."""
    close_all()
    return Run(Experiment(Workspace(), "exp"), run_id)


def values(run, name="m"):
    found = run.get_metrics(name).get(name, [])
    return found if isinstance(found, list) else [found]


def journals():
    return list((Path(os.environ["RUNWIDGETS_HOME"]) / "default" / "journals").iterdir())


# ---- kill -9

LOG_FOR_EVER = """
from runwidgets.store import recorder
recorder.FOLD_SECONDS = float(sys.argv[2])
run = experiment.start_logging(run_id=sys.argv[1])
sys.stdin.readline()
n = 0
while True:
    run.log("m", n)
    n += 1
    os.write(1, b"%d\\n" % n)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("attempts", "safe"), [(20, "0"), (6, "1")])
def test_whatever_log_returned_from_outlives_a_kill_at_any_moment(start, experiment, monkeypatch, attempts, safe):
    monkeypatch.setenv("RUNWIDGETS_SAFE_STORE", safe)
    # Half of them fold all the time, so that the kill hits a fold; half do not, so that all is recovered.
    for attempt in range(attempts):
        run_id = f"run-{attempt}"
        process = start(LOG_FOR_EVER, run_id, 0.001 if attempt % 2 else 3600)
        process.stdin.write(b"go\n")
        process.stdin.flush()
        first = process.stdout.readline()
        time.sleep(random.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        out = process.stdout.read()  # and not by `communicate`, which forgets what was read ahead
        process.wait(SECONDS)
        returned = int((first + out).rpartition(b"\n")[0].rpartition(b"\n")[2])
        run = recovered(experiment, run_id)
        found = values(run)
        assert found == list(range(len(found)))
        assert returned <= len(found) <= returned + 1, f"attempt {attempt}"
        record = run._record()
        assert record.status is RunStatus.FAILED
        assert "it was killed, or crashed" in record.error.message
        assert journals() == []


def test_a_reader_sees_at_once_that_the_process_is_gone_and_a_watcher_records_it(start, experiment):
    process = start(LOG_FOR_EVER, "run", 0.001)
    process.stdin.write(b"go\n")
    process.stdin.flush()
    recorder = experiment.workspace._recorder
    eventually(lambda: recorder.store.run("run"))
    run, feed = Run(experiment, "run"), Feed(recorder, "run")
    eventually(lambda: run.get_status() == "Running")
    feed.step()
    assert feed.view.status is RunStatus.RUNNING
    process.kill()  # and not waited for: the process is a zombie
    eventually(lambda: run.get_status() == "NotResponding")
    assert recorder.store.run("run").status is RunStatus.RUNNING, "nobody has recorded an end"
    assert feed.step()
    assert feed.view.status is RunStatus.NOT_RESPONDING
    # Who watches is also who recovers: its next steps find the end.
    eventually(lambda: feed.step() and feed.view.status is RunStatus.FAILED)
    assert run.get_status() == "Failed"
    assert journals() == []


# ---- an end without complete()


def test_an_error_in_a_script_is_recorded_with_its_traceback(start, experiment):
    process = start("run = experiment.start_logging(run_id='run')\nrun.log('m', 1)\nraise ValueError('the reason')")
    _, err = finish(process, 1)
    assert err.count("Traceback") == 1
    run = Run(experiment, "run")
    error = run._record().error
    assert (run.get_status(), error.code, error.message) == ("Failed", "ValueError", "the reason")
    assert "Traceback (most recent call last)" in error.traceback
    assert values(run) == [1]
    assert journals() == []


@pytest.mark.parametrize(("end", "code"), [("", 0), ("sys.exit(3)", 3), ("os._exit(4)", 4)])
def test_a_script_that_ends_without_an_end_of_its_run_leaves_it_failed(start, experiment, end, code):
    process = start(f"run = experiment.start_logging(run_id='run')\nrun.log('m', 1)\n{end}")
    finish(process, code)
    run = recovered(experiment, "run")
    assert (run.get_status(), values(run)) == ("Failed", [1])
    assert "without run.complete()" in run._record().error.message


def test_a_thread_that_logs_while_the_process_ends_breaks_nothing(start, experiment):
    code = """
run = experiment.start_logging(run_id='run')
def log():
    n = 0
    while True:
        run.log("m", n)
        n += 1
for _ in range(4):
    threading.Thread(target=log, daemon=True).start()
time.sleep(0.1)
run.complete()
"""
    finish(start(code))
    run = recovered(experiment, "run")
    assert run.get_status() == "Completed"
    assert values(run)


# ---- many at once


def test_a_run_that_another_process_has_just_started_is_found(start, experiment):
    script = """
for _ in range(20):
    run = experiment.start_logging()
    print(run.id, flush=True)
    sys.stdin.readline()
"""
    process = start(script)
    for _ in range(20):
        run_id = process.stdout.readline().decode().strip()
        assert Run(experiment, run_id).id == run_id
        process.stdin.write(b"next\n")
        process.stdin.flush()


def test_an_unknown_run_is_refused_though_others_log(start, experiment):
    process = start('run = experiment.start_logging()\nprint("ready", flush=True)\nsys.stdin.readline()')
    process.stdout.readline()
    with pytest.raises(NotFoundError, match="no run 'unknown'"):
        Run(experiment, "unknown")


def test_threads_that_log_to_one_run_lose_nothing(experiment):
    import threading

    run = experiment.start_logging()

    def log(name):
        for n in range(500):
            run.log(name, n)
            run.log_row("rows", thread=name, n=n)
            if n % 100 == 0:
                run.flush()

    threads = [threading.Thread(target=log, args=(f"thread-{t}",)) for t in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.complete()
    assert all(values(run, f"thread-{t}") == list(range(500)) for t in range(8))
    rows = run.get_metrics("rows")["rows"]
    assert Counter(zip(rows["thread"], rows["n"], strict=True)) == Counter(
        (f"thread-{t}", n) for t in range(8) for n in range(500)
    )
    close_all()


@pytest.mark.parametrize("safe", ["0", "1"])
def test_two_processes_log_to_one_run(start, experiment, monkeypatch, safe):
    monkeypatch.setenv("RUNWIDGETS_SAFE_STORE", safe)
    run = experiment.start_logging(run_id="run")
    run.flush()
    code = """
run = Run(experiment, "run")
sys.stdin.readline()
for n in range(1000):
    run.log("m", int(sys.argv[1]) * 1000 + n)
run.log(sys.argv[1], os.getpid())
"""
    processes = [start(code, n) for n in range(2)]
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        finish(process)
    assert run.get_status() == "Running", "it is not theirs to end"
    found = values(run)
    assert Counter(found) == Counter(range(2000))
    assert [v for v in found if v < 1000] == list(range(1000))
    assert [v for v in found if v >= 1000] == list(range(1000, 2000))
    run.complete()


@pytest.mark.slow
def test_processes_that_open_a_fresh_workspace_at_once_all_get_it_and_numbers_of_their_own(start, experiment):
    code = """
print("ready", flush=True)
sys.stdin.readline()
with experiment.start_logging() as run:
    run.log("m", 1)
"""
    processes = [start(code) for _ in range(32)]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        assert finish(process) == (None, "")
    runs = list(experiment.get_runs())
    assert sorted(run.number for run in runs) == list(range(1, 33))
    assert [run.get_metrics() for run in runs] == [{"m": 1}] * 32
    assert {run.get_status() for run in runs} == {"Completed"}
    assert journals() == []


@pytest.mark.parametrize("safe", ["0", "1"])
def test_processes_that_recover_the_same_journals_at_once_fold_them_once(start, experiment, monkeypatch, safe):
    monkeypatch.setenv("RUNWIDGETS_SAFE_STORE", safe)
    code = """
from runwidgets.store import recorder
recorder.FOLD_SECONDS = 3600
run = experiment.start_logging(run_id=sys.argv[1])
for n in range(2000):
    run.log("m", n)
print("ready", flush=True)
sys.stdin.readline()
os._exit(0)
"""
    dying = [start(code, f"run-{n}") for n in range(3)]
    for process in dying:
        process.stdout.readline()
    for process in dying:
        process.communicate(timeout=SECONDS)
    assert len(journals()) == 6
    code = "print('ready', flush=True)\nsys.stdin.readline()\nlist(experiment.get_runs())"
    processes = [start(code) for _ in range(4)]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    said = "".join(finish(process)[1] for process in processes)
    assert "Traceback" not in said
    assert journals() == []
    for n in range(3):
        run = Run(experiment, f"run-{n}")
        assert (values(run), run.get_status()) == (list(range(2000)), "Failed")
        assert said.count(f"run run-{n} is recorded as Failed") == 1


# ---- forks

forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@forking
def test_forked_children_log_to_their_parents_run_while_its_threads_log_and_flush(start, experiment):
    code = """
from runwidgets.store import recorder
recorder.FOLD_SECONDS = 0.001
run = experiment.start_logging(run_id="run")
stop = threading.Event()
counts = [0] * 4
def work(t):
    while not stop.is_set():
        run.log(f"thread-{t}", counts[t])
        counts[t] += 1
        if counts[t] % 20 == 0:
            run.get_metrics(f"thread-{t}")
            time.sleep(0.001)
threads = [threading.Thread(target=work, args=(t,)) for t in range(4)]
for thread in threads:
    thread.start()
codes = []
for c in range(10):
    pid = os.fork()
    if pid == 0:
        for n in range(100):
            run.log("child", c * 100 + n)
        assert sum(v // 100 == c for v in run.get_metrics("child")["child"]) == 100
        os._exit(7)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
stop.set()
for thread in threads:
    thread.join()
run.log("after", 1)
run.complete()
print(json.dumps([codes, counts]))
"""
    (codes, counts), err = finish(start(code))
    assert codes == [7] * 10, err
    run = recovered(experiment, "run")
    assert run.get_status() == "Completed"
    assert Counter(values(run, "child")) == Counter(range(1000))
    for t, count in enumerate(counts):
        assert values(run, f"thread-{t}") == list(range(count))
    assert values(run, "after") == [1]
    assert journals() == []


@forking
def test_workers_of_multiprocessing_log_to_the_run_they_were_forked_with(start, experiment):
    code = """
import multiprocessing
run = experiment.start_logging(run_id="run")
run.log("parent", 1)
def train(n):
    run.log("m", n)
with multiprocessing.get_context("fork").Pool(3) as pool:
    pool.map(train, range(50))
    pool.close()
    pool.join()
run.complete()
"""
    finish(start(code))
    run = recovered(experiment, "run")
    assert Counter(values(run)) == Counter(range(50))
    assert run.get_status() == "Completed"


@forking
def test_a_forked_child_neither_gives_up_nor_keeps_its_parents_journal(start, experiment):
    code = """
import gc
run = experiment.start_logging(run_id="run")
run.log("m", 0)
run.flush()
if os.fork() == 0:
    gc.collect()
    run.log("child", 0)
    print(os.getpid(), flush=True)
    sys.stdin.readline()
    run.log("child", 1)
    print("done", flush=True)
    os._exit(0)
time.sleep(1000)
"""
    process = start(code)
    child = int(process.stdout.readline())
    try:
        run = recovered(experiment, "run")
        assert run.get_status() == "Running"
        assert len(journals()) == 4, "two journals, each locked by its living writer"
        process.kill()
        process.wait(SECONDS)
        run = recovered(experiment, "run")
        assert run.get_status() == "Failed"
        process.stdin.write(b"go\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"done\n"
    finally:
        os.kill(child, signal.SIGKILL)
    eventually(lambda: values(recovered(experiment, "run"), "child") == [0, 1])
    assert values(recovered(experiment, "run")) == [0]


# ---- deleting under others


def begin_to_log(start):
    process = start(
        "run = experiment.start_logging(run_id='other'); run.log('m', 1.0); run.flush()\n"
        "run._recorder._stop.set(); run._recorder._thread.join(); run.log('m', 2.0)  # which stays in the journal\n"
        "print(1, flush=True); sys.stdin.read()"
    )
    assert process.stdout.readline() == b"1\n"
    return process


def test_an_experiment_is_not_deleted_under_a_run_of_another_process_until_that_is_killed(start, experiment):
    process = begin_to_log(start)
    with pytest.raises(UserError, match=r"going on \(other\)"):
        Experiment.delete(experiment.workspace, experiment.id)
    process.kill()
    process.wait()
    Experiment.delete(experiment.workspace, experiment.id)
    assert Experiment.list(experiment.workspace) == []
    with pytest.raises(NotFoundError):
        recovered(experiment, "other")


def test_a_workspace_is_not_deleted_while_another_process_logs_there_until_that_is_killed(
    start, experiment, runwidgets_home
):
    process = begin_to_log(start)
    assert Run(experiment, "other").get_metrics() == {"m": 1.0}
    with pytest.raises(UserError, match=rf"others are logging there \(process {process.pid} on "):
        experiment.workspace.delete()
    assert Run(experiment, "other").get_status() == "Running"
    process.kill()
    process.wait()
    experiment.workspace.delete()
    assert list(runwidgets_home.iterdir()) == []
