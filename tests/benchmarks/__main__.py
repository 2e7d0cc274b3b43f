"""`python -m tests.benchmarks [logging] [processes] [store] [paint]`: measure, and print a table."""

from __future__ import annotations

import importlib
import os
import platform
import sys

from tests.benchmarks.table import show

PARTS = ("logging", "processes", "store", "paint")


def main(chosen: list[str]) -> int:
    """Measure the chosen parts, by default all."""
    unknown = set(chosen) - set(PARTS)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    rows = []
    for part in chosen or PARTS:
        print(f"measuring {part} …", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"tests.benchmarks.{part}").measure()
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, {platform.system()}")
    print(show(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
