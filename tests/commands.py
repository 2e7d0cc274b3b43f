"""What tests of commands share: `runwidgets` as processes of their own."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

SECONDS = 120
"""After how long a process is taken to hang."""
COMMAND = [sys.executable, "-m", "runwidgets"]


def runwidgets(*arguments, code=0, **settings):
    """Run a command to its end; give what it printed to standard output, and to standard error."""
    settings["env"] = {**os.environ, **settings.pop("env", {})}
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        check=False, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, **settings,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def eventually(check):
    """Wait until something holds, and give it."""
    end = time.monotonic() + SECONDS
    while not (found := check()):
        assert time.monotonic() < end, f"not within {SECONDS} s"
        time.sleep(0.01)
    return found


def in_terminal(*arguments, keys="", **env):
    """Run a command in a terminal, where these keys are pressed; give its exit code and what the terminal got."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=its, stdout=its, stderr=its, env={**os.environ, "TERM": "xterm", "COLUMNS": "100", **env},
    )  # fmt: skip
    os.close(its)
    os.write(ours, keys.encode())
    shown = b""
    while select.select([ours], [], [], SECONDS)[0]:
        try:
            data = os.read(ours, 65_536)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        shown += data
    os.close(ours)
    return process.wait(timeout=SECONDS), shown.decode()
