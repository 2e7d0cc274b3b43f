"""Runs a program, and ends it with all that it has started once the other end of standard input is closed.

That end closes when the process that holds it does, however it ends: what is started this way outlives nobody. Run by
its path, with the program's words as arguments; it imports nothing of runwidgets.
"""

import os
import signal
import subprocess
import sys
import threading


def run(command: list[str]) -> int:
    """Run a program to its end, and give its exit code as shells do: 128 and the signal's number for a signal."""
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # so that one signal reaches all, and no one else
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 (what was asked for)
    threading.Thread(target=_end_when_alone, args=(child,), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _end_when_alone(child: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 1):
        pass
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    child.kill()
    os._exit(1)


if __name__ == "__main__":
    os._exit(run(sys.argv[1:]))  # at an orderly end Python would wait for the thread that reads
