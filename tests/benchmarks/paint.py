"""How long a display takes to be seen, in JupyterLab in Chromium, beside bare bqplot figures of as many points."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks.table import Row
from tests.browser.lab import Browser, Server

if TYPE_CHECKING:
    from tests.browser.lab import Notebook

CHARTS: Final = 12
POINTS: Final = 10_000
TIMES: Final = 5

_OURS: Final = f"""
import numpy as np
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "paint").start_logging(name="paint")
noise = np.random.default_rng(0)
for number in range({CHARTS}):
    run.log_list(f"metric {{number:02}}", np.exp(-np.arange({POINTS}) / 3000) + noise.normal(0, 0.02, {POINTS}))
run.complete()
"""
_OURS_SHOW: Final = "details = RunDetails(run)\ndetails.show()"
_OURS_CLOSE: Final = "details.close()"

_BARE: Final = f"""
import numpy as np
noise = np.random.default_rng(0)
x = np.linspace(0, {POINTS}, {{points}})
lines = [(x, np.exp(-x / 3000) + noise.normal(0, 0.02, len(x))) for _ in range({CHARTS})]
"""
_BARE_SHOW: Final = """
import bqplot
import ipywidgets
from IPython.display import display

def figure(x, y):
    scales = {"x": bqplot.LinearScale(), "y": bqplot.LinearScale()}
    axes = [bqplot.Axis(scale=scales["x"]), bqplot.Axis(scale=scales["y"], orientation="vertical")]
    return bqplot.Figure(
        marks=[bqplot.Lines(x=x, y=y, scales=scales)],
        axes=axes,
        layout=ipywidgets.Layout(height="190px", width="500px"),
    )

box = ipywidgets.VBox([figure(x, y) for x, y in lines])
display(box)
"""
_BARE_CLOSE: Final = "box.close()"

# Runs the second cell and looks at every frame what of its output is there. What a frame finds is painted with it.
_WATCH: Final = """
    (charts) => new Promise((resolve) => {
        const cell = window.panel.content.widgets[1];
        const start = performance.now();
        const seen = { table: null };
        const look = () => {
            const output = cell.outputArea.node;
            const fresh = cell.model.outputs.length > 0;
            if (fresh && seen.table === null && output.querySelector(".rw-status-word")?.textContent
                && output.querySelectorAll(".rw-page-metrics tbody tr").length === charts)
                seen.table = (performance.now() - start) / 1000;
            const lines = [...output.querySelectorAll(".bqplot path.line")]
                .filter((path) => /L/.test(path.getAttribute("d")));
            if (fresh && lines.length === charts) {
                seen.charts = (performance.now() - start) / 1000;
                seen.points = lines[0].getAttribute("d").split("L").length;
                resolve(seen);
            } else requestAnimationFrame(look);
        };
        cell.model.clearExecution();
        window.panel.content.activeCellIndex = 1;
        window.jupyterapp.commands.execute("notebook:run-cell");
        requestAnimationFrame(look);
    })
"""


@dataclass
class _Seen:
    """Seconds from the start of the cell until something is in the page: the first time in a kernel, and after it."""

    table: list[float]
    charts: list[float]
    points: int


def _watch(notebook: Notebook) -> _Seen:
    notebook.run(0)
    seen = _Seen([], [], 0)
    for _ in range(TIMES):
        found = notebook.page.evaluate(_WATCH, CHARTS)
        seen.table.append(found["table"])
        seen.charts.append(found["charts"])
        seen.points = found["points"]
        notebook.wait(1)
        notebook.page.wait_for_timeout(500)
        notebook.run(2)
    return seen


def measure() -> list[Row]:
    """Measure the display and the bare figures, each in a kernel and a browser of its own."""
    chromium = Path(shutil.which(os.environ.get("CHROMIUM") or "chromium") or "chromium")
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            server.wait()
            with Browser(server, chromium) as browser:
                ours = _watch(browser.open([_OURS, _OURS_SHOW, _OURS_CLOSE]))
            with Browser(server, chromium) as browser:
                bare = _watch(browser.open([_BARE.format(points=ours.points), _BARE_SHOW, _BARE_CLOSE]))
        finally:
            server.close()
    floor = f"bare bqplot, {CHARTS} lines of {ours.points:,} points"
    return [
        Row("show a run: status and table are there, first in a kernel", ours.table[0], "s", "", None, ""),
        Row("the same, after that", statistics.median(ours.table[1:]), "s", "", None, ""),
        Row(
            f"show {CHARTS} charts of {POINTS:,} points: all drawn, first in a kernel",
            ours.charts[0], "s", floor, bare.charts[0], "≤ 1.5",
        ),
        Row(
            "the same, after that",
            statistics.median(ours.charts[1:]), "s", floor, statistics.median(bare.charts[1:]), "≤ 1.5",
        ),
    ]  # fmt: skip
