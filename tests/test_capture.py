"""What is printed in a run's block is kept with the run, and goes where it went."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runwidgets import Experiment, Workspace
from runwidgets.store.files import FileRoot
from runwidgets.store.recorder import close_all


@pytest.fixture
def experiment():
    yield Experiment(Workspace(), "exp")
    close_all()


@pytest.fixture
def run(experiment):
    return experiment.start_logging()


def log_of(run):
    path = run._experiment.workspace._folder / "artifacts" / run.id / "logs" / "user_log.txt"
    return path.read_text(encoding="utf-8") if path.exists() else None


def test_what_is_printed_in_a_block_goes_where_it_went_and_into_a_file_of_the_run(run, capsys):
    before = sys.stdout, sys.stderr
    print("before")
    with run:
        print("out", end="\n")
        sys.stderr.write("err ½\n")
        sys.stdout.writelines(["a", "b\n"])
        assert log_of(run) == "out\nerr ½\nab\n", "live"
        assert run.get_file_names() == ["logs/user_log.txt"]
    print("after")
    assert (sys.stdout, sys.stderr) == before
    assert log_of(run) == "out\nerr ½\nab\n"
    assert capsys.readouterr() == ("before\nout\nab\nafter\n", "err ½\n")
    (file,) = run._recorder.store.files(run.id)
    assert (file.path, file.size) == ("logs/user_log.txt", 14)


def test_a_block_that_prints_nothing_leaves_no_file(run):
    with run:
        pass
    assert run.get_file_names() == []


def test_an_error_in_a_block_gives_the_streams_and_the_folder_back(run, tmp_path):
    before, folder = (sys.stdout, sys.stderr), Path.cwd()

    def train():
        with run:
            os.chdir(tmp_path)
            print("on the way")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train()
    assert ((sys.stdout, sys.stderr), Path.cwd()) == (before, folder)
    assert log_of(run) == "on the way\n"


def test_a_folder_that_is_gone_after_the_block_is_a_warning(run, tmp_path, monkeypatch, caplog):
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    with run:
        os.chdir(tmp_path)
        gone.rmdir()
    assert "is gone" in caplog.text
    assert run.get_status() == "Completed"


def test_a_block_in_a_block_prints_to_both_logs(run):
    with run:
        print("one")
        with run.child_run() as child:
            print("two")
        print("three")
    assert log_of(run) == "one\ntwo\nthree\n"
    assert log_of(child) == "two\n"


def test_threads_print_to_the_blocks_they_are_in_and_others_to_all(experiment):
    before = sys.stdout
    barrier = threading.Barrier(3, timeout=60)

    def work(run):
        with run:
            barrier.wait()
            print("in", run.name)
            barrier.wait()
            barrier.wait()

    runs = [experiment.start_logging(name=name) for name in ("a", "b")]
    threads = [threading.Thread(target=work, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    barrier.wait()
    barrier.wait()
    print("from outside")
    barrier.wait()
    for thread in threads:
        thread.join()
    assert [log_of(run) for run in runs] == ["in a\nfrom outside\n", "in b\nfrom outside\n"]
    assert sys.stdout is before, "whichever of them ended first"


def test_blocks_that_end_in_another_order_than_they_began_give_the_streams_back(experiment):
    before = sys.stdout
    first, second = experiment.start_logging(), experiment.start_logging()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    print("still")
    second.__exit__(None, None, None)
    assert sys.stdout is before
    assert (log_of(first), log_of(second)) == (None, "still\n")


def test_who_redirects_the_streams_inside_gets_them_and_gives_them_back(run):
    before, own = sys.stdout, io.StringIO()
    with run:
        print("one")
        with contextlib.redirect_stdout(own):
            print("two")
            with run.child_run() as child:
                print("three")
            assert sys.stdout is own
        print("four")
    assert sys.stdout is before
    assert own.getvalue() == "two\nthree\n"
    assert log_of(child) == "three\n"
    assert log_of(run) == "one\nthree\nfour\n"


def test_a_stream_that_is_put_in_place_inside_and_stays_is_left_there(run, monkeypatch, capsys):
    own = io.StringIO()
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    with run:
        sys.stderr = own
    assert sys.stderr is own


def test_what_somebody_keeps_of_the_stream_works_after_the_block_and_logs_nothing(run, capsys):
    with run:
        kept = sys.stdout
        handler = logging.StreamHandler(sys.stderr)
        handler.emit(logging.makeLogRecord({"msg": "inside"}))
    print("later", file=kept)
    handler.emit(logging.makeLogRecord({"msg": "later"}))
    assert capsys.readouterr() == ("later\n", "inside\nlater\n")
    assert log_of(run) == "inside\n"


def test_the_stream_in_a_block_is_otherwise_the_one_that_it_was(run):
    before = sys.stdout
    with run:
        assert (sys.stdout.encoding, sys.stdout.isatty()) == (before.encoding, before.isatty())
        assert sys.stdout.buffer is before.buffer
        with pytest.raises(AttributeError):
            _ = sys.stdout.nothing
        with pytest.raises(TypeError):
            sys.stdout.write(b"x")


def test_a_process_without_streams_has_blocks_all_the_same(run, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with run:
        print("nowhere")
        assert sys.stdout is None


def test_a_log_that_cannot_be_written_is_one_warning_and_the_print_goes_on(run, monkeypatch, capsys, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileRoot, "open_to_append", full)
    with run:
        print("one")
        print("two")
    assert capsys.readouterr().out == "one\ntwo\n"
    assert [record.message for record in caplog.records] == [
        "what is printed is not kept in logs/user_log.txt any more: [Errno 28] No space left on device"
    ]
    assert run.get_status() == "Completed"


def test_a_second_block_of_a_run_goes_on_with_its_log(experiment, run):
    with run:
        print("one")
        with run:
            print("two")
    with run:
        print("three")
    assert log_of(run) == "one\ntwo\nthree\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_workers_that_are_forked_in_a_block_while_threads_print_print_too_and_do_not_hang():
    code = """
import os, sys, threading
from runwidgets import Experiment, Workspace
stop = threading.Event()
def chatter():
    while not stop.is_set():
        print("thread")
with Experiment(Workspace(), "exp").start_logging(run_id="run") as run:
    threads = [threading.Thread(target=chatter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(30):
        if os.fork() == 0:
            sys.stdout._stream = open(os.devnull, "w")
            sys.stdout.write(f"worker {n}\\n")
            os._exit(0)
        os.wait()
    stop.set()
    for thread in threads:
        thread.join()
"""
    subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        check=True, stdout=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    text = (Path(os.environ["RUNWIDGETS_HOME"]) / "default/artifacts/run/logs/user_log.txt").read_text()
    assert all(f"worker {n}\n" in text for n in range(30))


def test_an_exit_from_a_block_completes_the_run_and_the_process_ends_with_it():
    code = """
import json, os, sys
from runwidgets import Experiment, Workspace
with Experiment(Workspace(), "exp").start_logging(run_id="run"):
    print(json.dumps("said"))
    sys.exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)
    assert (json.loads(done.stdout), done.stderr) == ("said", b"")
