"""Lock files: who holds one keeps all others out, and who is forked meanwhile does not have it."""

from __future__ import annotations

import subprocess
import sys

import filelock
import pytest

from runwidgets.store.locks import FileLock

FORKS = """
import os, sys
from pathlib import Path
from runwidgets.store.locks import FileLock
lock = FileLock(Path(sys.argv[1])).acquire()
if os.fork() == 0:
    assert not lock.is_locked
    print("forked", flush=True)
    sys.stdin.readline()
    os._exit(0)
os._exit(0)
"""


def test_one_at_a_time_holds_a_lock(tmp_path):
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    with one.acquire():
        assert one.is_locked
        with pytest.raises(TimeoutError, match="another process holds the lock"):
            other.acquire()
        assert not other.is_locked
    with other.acquire():
        assert not one.is_locked


def test_it_is_the_lock_that_other_versions_of_runwidgets_take(tmp_path):
    ours, theirs = FileLock(tmp_path / "lock"), filelock.FileLock(tmp_path / "lock")
    with ours.acquire(), pytest.raises(filelock.Timeout):
        theirs.acquire(timeout=0)
    with theirs.acquire(timeout=0), pytest.raises(TimeoutError):
        ours.acquire()


def test_a_lock_that_is_forgotten_is_free(tmp_path):
    lock = FileLock(tmp_path / "lock").acquire()
    del lock
    FileLock(tmp_path / "lock").acquire().release()


def test_a_child_does_not_keep_the_lock_of_a_parent_that_has_ended(tmp_path):
    command = [sys.executable, "-c", FORKS, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"forked\n"
        parent.wait(60)
        FileLock(tmp_path / "lock").acquire(timeout=0).release()  # the child still waits for a word
        parent.stdin.close()


def test_a_script_that_logs_loads_no_other_locks():
    code = """
import sys, tempfile
from runwidgets import Experiment, Workspace
run = Experiment(Workspace(), "exp").start_logging(snapshot_directory=None)
run.log("m", 1)
run.complete()
print("filelock" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"
