"""How processes end that have not ended their runs: always Failed, with the reason, and as they would have ended."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time

import pytest

from runwidgets import Experiment, Run, Workspace
from runwidgets.store.recorder import close_all
from tests.test_processes import not_measured

BEGIN = """
import atexit, os, signal, sys, threading, time
from pathlib import Path
from runwidgets import Experiment, Workspace
experiment = Experiment(Workspace(), "exp")
"""
START = "run = experiment.start_logging(run_id='run')\nrun.log('m', 1)\n"
WAIT = "print('ready', flush=True)\nwhile True:\n    time.sleep(0.01)\n"
SECONDS = 120

unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without a signal")


@pytest.fixture
def start():
    started = []

    def start(code, begin=BEGIN):
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", begin + code],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=not_measured(),
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    close_all()


def finish(process, number=None):
    """Send a signal to a script once it is ready, wait for it; give its exit code, and what it said."""
    if number is not None:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def ended(run_id="run"):
    run = Run(Experiment(Workspace(), "exp"), run_id)
    record = run._record()
    return run.get_status(), record.error and record.error.code, record.error and record.error.message


def outputs():
    return [n for n in Run(Experiment(Workspace(), "exp"), "run").get_file_names() if n.startswith("outputs/")]


# ---- SIGTERM

TERMINATED = ("Failed", "ProcessEnded", "The process was terminated by SIGTERM before run.complete() or run.fail().")


@unix
def test_a_terminated_process_dies_of_the_signal_and_its_run_is_failed_by_then(start):
    code, _, err = finish(start(START + "Path('outputs/model').write_text('x')\n" + WAIT), signal.SIGTERM)
    assert (code, err) == (-signal.SIGTERM, "")
    store = Workspace()._recorder.store
    assert ended() == TERMINATED
    assert store.run("run").error.message == TERMINATED[2]
    assert Run(Experiment(Workspace(), "exp"), "run").get_metrics() == {"m": 1}
    assert outputs() == ["outputs/model"]


@unix
def test_a_run_that_is_over_is_left_alone_when_the_process_is_terminated(start):
    assert finish(start(START + "run.complete()\n" + WAIT), signal.SIGTERM)[0] == -signal.SIGTERM
    assert ended()[0] == "Completed"


@unix
@pytest.mark.parametrize("order", ["before", "after"])
def test_a_handler_of_somebody_else_runs_and_is_obeyed(start, order):
    theirs = "signal.signal(signal.SIGTERM, lambda *_: (print('theirs', flush=True), sys.exit(7)))\n"
    code = theirs + START if order == "before" else START + theirs
    code, out, err = finish(start(code + "run.child_run(run_id='child')\n" + WAIT), signal.SIGTERM)
    assert (code, out, err) == (7, "theirs\n", "")
    assert ended()[0] == ended("child")[0] == "Failed"


@unix
@pytest.mark.parametrize(
    "chain",
    [
        "before(number, frame) if callable(before) else None",
        "signal.signal(number, before); os.kill(os.getpid(), number)",
    ],
)
def test_a_handler_that_goes_on_to_the_one_before_has_the_process_die_as_without_ours(start, chain):
    theirs = f"""
before = signal.getsignal(signal.SIGTERM)
def handle(number, frame):
    print('theirs', flush=True)
    {chain}
signal.signal(signal.SIGTERM, handle)
"""
    code, out, _ = finish(start(START + theirs + WAIT), signal.SIGTERM)
    assert (code, out) == (-signal.SIGTERM, "theirs\n")
    assert ended() == TERMINATED


@unix
def test_who_asks_whether_a_handler_is_there_finds_the_default(start):
    # Trainers save a checkpoint on SIGTERM and go on; those of others they call first, and ours would end the process.
    code, out, _ = finish(start(START + "print(signal.getsignal(signal.SIGTERM) in (None, signal.SIG_DFL))"))
    assert (code, out) == (0, "True\n")


@unix
def test_a_process_that_ignores_the_signal_goes_on_ignoring_it(start):
    code = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + START + "print('ready', flush=True)\nsys.stdin.readline()\n"
    )
    process = start(code + "run.complete()")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.stdin.write("go\n")
    process.stdin.flush()
    assert finish(process)[0] == 0
    assert ended()[0] == "Completed"


@unix
def test_a_run_that_is_started_in_a_thread_does_not_touch_the_signal(start):
    code = f"thread = threading.Thread(target=lambda: exec({START!r}, globals()))\nthread.start()\nthread.join()\n"
    code, _, err = finish(start(code + WAIT), signal.SIGTERM)
    assert (code, err) == (-signal.SIGTERM, "")
    assert ended()[0] == "Failed", "by recovery"


@unix
def test_workers_that_are_terminated_leave_their_parents_run_running(start):
    code = """
import multiprocessing
pool = multiprocessing.get_context("fork").Pool(2)
pool.map(abs, [1, 2])
pool.terminate()
pool.join()
print(run.get_status())
run.complete()
"""
    assert finish(start(START + code))[:2] == (0, "Running\n")


@unix
def test_a_signal_at_any_moment_neither_hangs_the_process_nor_leaves_the_run_running(start):
    code = START + "print('ready', flush=True)\nwhile True:\n    run.log('m', 1)\n    run.flush()\n"
    for attempt in range(5):
        process = start(code.replace("'run'", f"'run-{attempt}'"))
        begin = time.monotonic()
        assert finish(process, signal.SIGTERM)[0] == -signal.SIGTERM
        assert time.monotonic() - begin < SECONDS / 2
        Workspace()._recorder.recover()  # where the main thread held what folding needs, the end is in the journal
        assert ended(f"run-{attempt}") == TERMINATED


# ---- exceptions, exits, Ctrl-C


@unix
def test_a_script_that_is_interrupted_has_its_run_failed_and_dies_of_the_interrupt(start):
    code, _, err = finish(start(START + WAIT), signal.SIGINT)
    assert code == -signal.SIGINT
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert ended()[:2] == ("Failed", "KeyboardInterrupt")


@pytest.mark.parametrize(("end", "code"), [("sys.exit(3)", 3), ("sys.exit()", 0), ("sys.exit('why')", 1), ("", 0)])
def test_an_exit_leaves_the_run_failed_with_its_outputs_and_the_code_as_it_was(start, end, code):
    assert finish(start(START + "Path('outputs/model').write_text('x')\n" + end))[0] == code
    assert ended()[:2] == ("Failed", "ProcessEnded")
    assert outputs() == ["outputs/model"]


def test_an_error_of_a_script_is_the_reason_also_where_a_widget_library_is_loaded(start):
    code, _, err = finish(start("import IPython, ipykernel\n" + START + "raise ValueError('the reason')"))
    assert (code, err.count("Traceback")) == (1, 1)
    assert ended() == ("Failed", "ValueError", "the reason")


@pytest.mark.parametrize("begin", [BEGIN + START + "atexit.register(run.complete)\n", None])
def test_who_completes_the_run_at_the_exit_of_the_process_is_in_time_or_does_no_harm(start, begin):
    if begin is None:  # registered before us, and so called after us
        code = "import atexit\natexit.register(lambda: run.complete())\n" + BEGIN + START
        code, _, err = finish(start(code, begin=""))
        assert (code, "Traceback" in err) == (0, False), err
        assert ended()[0] == "Failed"
    else:
        assert finish(start("", begin=begin))[0] == 0
        assert ended()[0] == "Completed"


def test_what_is_logged_when_no_thread_can_be_started_any_more_is_kept(monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread at interpreter shutdown")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        run = Experiment(Workspace(), "exp").start_logging()
        run.log("m", 1)
        close_all()
    assert Run(Experiment(Workspace(), "exp"), run.id).get_metrics() == {"m": 1}
    close_all()


# ---- notebooks


@pytest.fixture
def kernel(current_folder):
    """Start a real kernel; run cells in it, and end it as a notebook does."""
    from jupyter_client.manager import start_new_kernel
    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()  # else the client makes one, which nobody closes
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(current_folder))

    def run(code):
        reply = client.execute_interactive(code, timeout=SECONDS, output_hook=said.append)
        return reply["content"]["status"]

    said = []
    run.said = said
    run.end = lambda: manager.shutdown_kernel(now=False)
    yield run
    client.stop_channels()
    if manager.has_kernel:
        manager.shutdown_kernel(now=True)
    loop.close()
    asyncio.set_event_loop(None)
    close_all()


def test_a_cell_that_fails_leaves_the_run_running_and_the_end_of_the_kernel_fails_it_with_that_error(kernel):
    assert kernel(BEGIN + START + "run.flush()") == "ok"
    assert kernel("raise ValueError('the reason')") == "error"
    assert ended()[0] == "Running"
    kernel.end()
    assert ended() == ("Failed", "ValueError", "the reason")
    assert "ValueError: the reason" in Run(Experiment(Workspace(), "exp"), "run")._record().error.traceback


def test_an_error_that_was_mended_is_not_the_reason_and_prints_reach_the_notebook_and_the_log(kernel):
    kernel("raise ValueError('old')")
    kernel(BEGIN + START)
    kernel.said.clear()
    assert kernel("with run.child_run(run_id='child'):\n    print('hello')\nprint('bye')") == "ok"
    text = "".join(m["content"]["text"] for m in kernel.said if m["header"]["msg_type"] == "stream")
    kernel.end()
    assert text == "hello\nbye\n"
    assert ended()[:2] == ("Failed", "ProcessEnded")
    log = Workspace()._files.path("child", "logs/user_log.txt")
    assert (ended("child")[0], log.read_text()) == ("Completed", "hello\n")
