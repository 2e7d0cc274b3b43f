"""Measuring in a process and a home of their own, so that nothing before is in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.table import Row

if TYPE_CHECKING:
    from collections.abc import Iterable


def print_rows(rows: Iterable[Row]) -> None:
    """Print rows for the process that waits for them in `measured_alone`."""
    json.dump([row.__dict__ for row in rows], sys.stdout)


def measured_alone(module: str, *arguments: str) -> list[Row]:
    """Run a module as a program that prints its rows."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env={**os.environ, "RUNWIDGETS_HOME": home},
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            check=True,
        )
    return [Row(**row) for row in json.loads(done.stdout)]
