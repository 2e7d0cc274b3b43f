"""`python -m tests.benchmarks [PART …]`: measure, and print a table."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import subprocess
import sys

from tests.benchmarks.table import show

PARTS = ("logging", "processes", "store", "submitting", "paint", "children", "display")


def main(chosen: list[str]) -> int:
    """Measure the chosen parts, by default all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure, and print a table.")
    parser.add_argument("part", nargs="*", help=f"what to measure: {', '.join(PARTS)}; by default all")
    options = parser.parse_args(chosen)
    if unknown := set(options.part) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    # What is installed is compiled. A checkout is when it is first used, unless this forbids it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "runwidgets"], check=True)
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, {platform.system()}")
    for part in options.part or PARTS:
        print(f"measuring {part} …", file=sys.stderr, flush=True)
        # A table for each part, at once: what is measured is not lost with a later part that fails.
        print(show(importlib.import_module(f"tests.benchmarks.{part}").measure()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
