"""What a display costs: first paint, ticks, zoom, memory; in JupyterLab in Chromium, measured in the page."""

from __future__ import annotations

import base64
import json
import os
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.table import Row
from tests.browser.lab import Browser, Server

if TYPE_CHECKING:
    from tests.browser.lab import Notebook

METRICS: Final = 200
POINTS: Final = 100_000
CHARTS: Final = 12
TICKS: Final = 9
FLOOR_POINTS: Final = 1000
LONG: Final = 10_000_000
FAST_TICKS: Final = 360
_SETTLED_SECONDS: Final = 1.5
"""How long nothing may come over the wire for a tick to be over; it is not part of any figure."""

_RUN: Final = f"""
import os, threading, time
import numpy as np
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "display").start_logging(name="display")
noise = np.random.default_rng(0)
for number in range({METRICS}):
    run.log_list(f"metric {{number:03}}", np.exp(-np.arange({POINTS}) / 30000) + noise.normal(0, 0.02, {POINTS}))
run.flush()
"""
_SHOW: Final = "details = RunDetails(run, refresh_seconds=600)\ndetails.show()"
_CLOSE: Final = "details.close()"
# A file that appears is the signal: a cell that runs would cost the page something of its own.
_TICKER: Final = """
def tick(count):
    for number in range(count):
        name = f"metric {number:03}"
        run.log_list(name, 0.5 + noise.normal(0, 0.02, 300))
    details._subscription.refresh()

def wait_for_ticks():
    while True:
        for name in os.listdir("ticks"):
            os.unlink(f"ticks/{name}")
            tick(int(name.partition("-")[0]))
        time.sleep(0.01)

os.makedirs("ticks", exist_ok=True)
threading.Thread(target=wait_for_ticks, daemon=True).start()
"""

_FLOOR: Final = f"""
import os, threading, time
import bqplot, ipywidgets
import numpy as np
from IPython.display import display
x = np.arange({FLOOR_POINTS}) * 1.0
noise = np.random.default_rng(0)
lines = []
def figure():
    scales = {{"x": bqplot.LinearScale(), "y": bqplot.LinearScale()}}
    axes = [bqplot.Axis(scale=scales["x"]), bqplot.Axis(scale=scales["y"], orientation="vertical")]
    lines.append(bqplot.Lines(x=x, y=np.cumsum(noise.normal(0, 1, len(x))), scales=scales))
    return bqplot.Figure(marks=[lines[-1]], axes=axes, layout=ipywidgets.Layout(height="190px", width="500px"))
display(ipywidgets.VBox([figure() for _ in range({CHARTS})]))

def tick(count):
    for line in lines:
        with line.hold_sync():
            line.x = line.x + 1
            line.y = np.cumsum(noise.normal(0, 1, len(x)))

def wait_for_ticks():
    while True:
        for name in os.listdir("ticks"):
            os.unlink(f"ticks/{{name}}")
            tick(int(name.partition("-")[0]))
        time.sleep(0.01)

os.makedirs("ticks", exist_ok=True)
threading.Thread(target=wait_for_ticks, daemon=True).start()
"""

_LONG: Final = f"""
import numpy as np
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "display").start_logging(name="long")
noise = np.random.default_rng(0)
for start in range(0, {LONG}, 1_000_000):
    run.log_list("long", np.sin(np.arange(start, start + 1_000_000) / 1e6) + noise.normal(0, 0.02, 1_000_000))
run.complete()
"""

# Runs the second cell and looks at every frame what of its output is there. What a frame finds is painted with it.
_WATCH: Final = """
    () => new Promise((resolve) => {
        const cell = window.panel.content.widgets[1];
        const start = performance.now();
        const seen = {};
        const inSight = (node) => {
            const { top, bottom } = node.getBoundingClientRect();
            return bottom > 0 && top < innerHeight;
        };
        const look = () => {
            const output = cell.outputArea.node;
            const fresh = cell.model.outputs.length > 0;
            if (fresh && !seen.table && output.querySelector(".rw-status-word")?.textContent
                && output.querySelectorAll(".rw-page-metrics tbody tr").length > 0)
                seen.table = (performance.now() - start) / 1000;
            const cards = [...output.querySelectorAll(".rw-chart")].filter(inSight);
            const drawn = (card) => [...card.querySelectorAll(".bqplot path.line")]
                .some((path) => /L/.test(path.getAttribute("d")));
            if (fresh && cards.length && cards.every(drawn)) {
                seen.charts = (performance.now() - start) / 1000;
                seen.count = cards.length;
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
class Wire:
    """What came over the page's web sockets."""

    sizes: list[int] = field(default_factory=list)
    last: float = 0.0

    def take(self, event: dict[str, Any]) -> None:
        """Count a frame."""
        response = event["response"]
        data = response["payloadData"]
        self.sizes.append(len(base64.b64decode(data)) if response["opcode"] == 2 else len(data.encode()))  # noqa: PLR2004
        self.last = time.monotonic()


def wait_quiet(notebook: Notebook, wire: Wire, since: float, *, at_least: float = _SETTLED_SECONDS) -> None:
    """Return when nothing has come for a while."""
    while time.monotonic() - max(wire.last, since) < at_least:
        notebook.page.wait_for_timeout(50)


def tasks(trace: bytes) -> list[float]:
    """Give how long each task of the page's main thread took, in milliseconds."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    by_thread: dict[tuple[int, int], list[float]] = {}
    for event in events:
        thread = event["pid"], event["tid"]
        if event["name"] == "RunTask" and event.get("ph") == "X" and thread in mains:
            by_thread.setdefault(thread, []).append(event["dur"] / 1000)
    return max(by_thread.values(), key=sum, default=[])


@dataclass
class Tick:
    """One tick: milliseconds of the main thread, its longest task, bytes on the wire."""

    total: float
    longest: float
    received: int


class Page:
    """A notebook whose wire and tasks are watched."""

    def __init__(self, server: Server, browser: Browser, cells: list[str], **size: int) -> None:
        self.notebook = browser.open(cells, **size)
        self._chromium = browser._chromium
        self._ticks = server.notebooks / "ticks"
        self.wire = Wire()
        self.cdp = self.notebook.page.context.new_cdp_session(self.notebook.page)
        self.cdp.send("Network.enable")
        self.cdp.on("Network.webSocketFrameReceived", self.wire.take)

    def tick(self, charts: int) -> Tick:
        """Let so many charts change, and measure until all is still."""
        page = self.notebook.page
        self.wire.sizes.clear()
        self._chromium.start_tracing(page=page, categories=["disabled-by-default-devtools.timeline", "toplevel"])
        self.signal(charts)
        wait_quiet(self.notebook, self.wire, time.monotonic())
        busy = tasks(self._chromium.stop_tracing())
        received = sum(self.wire.sizes)
        self._chromium.start_tracing(page=page, categories=["disabled-by-default-devtools.timeline", "toplevel"])
        page.wait_for_timeout(1000 * _SETTLED_SECONDS)
        idle = tasks(self._chromium.stop_tracing())
        return Tick(max(0.0, sum(busy) - sum(idle)), max(busy), received)

    def signal(self, charts: int) -> None:
        """Let so many charts change."""
        (self._ticks / f"{charts}-{time.monotonic_ns()}").touch()


def _median(ticks: list[Tick], name: str) -> float:
    return statistics.median(getattr(tick, name) for tick in ticks)


def first_paint(page: Page) -> dict[str, list[float]]:
    """Show the run several times."""
    seen: dict[str, list[float]] = {"table": [], "charts": [], "count": []}
    for _ in range(5):
        found = page.notebook.page.evaluate(_WATCH)
        for key, values in seen.items():
            values.append(found[key])
        page.notebook.wait(1)
        page.notebook.page.wait_for_timeout(1500)
        page.notebook.run(2)
    return seen


def main() -> None:
    chromium = Path(shutil.which(os.environ.get("CHROMIUM") or "chromium") or "chromium")
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            server.wait()
            with Browser(server, chromium) as browser:
                page = Page(server, browser, [_FLOOR])
                page.notebook.run(0)
                wait_quiet(page.notebook, page.wire, time.monotonic())
                floor = [page.tick(CHARTS) for _ in range(5)]
                print("floor", _median(floor, "total"), _median(floor, "longest"), _median(floor, "received"))
                page.notebook.close()
            with Browser(server, chromium) as browser:
                page = Page(server, browser, [_RUN, _SHOW, _CLOSE, _TICKER])
                start = time.monotonic()
                page.notebook.run(0)
                print("made in", time.monotonic() - start)
                seen = first_paint(page)
                print("paint", seen)
                page.wire.sizes.clear()
                page.notebook.run(1, 3)
                wait_quiet(page.notebook, page.wire, time.monotonic())
                print("first paint bytes", sum(page.wire.sizes), len(page.wire.sizes))
                ticks = [page.tick(CHARTS) for _ in range(5)]
                print("ours", ticks)
                print("median", _median(ticks, "total"), _median(ticks, "longest"), _median(ticks, "received"))
                none = [page.tick(0) for _ in range(2)]
                print("none", none)
        finally:
            server.close()


if __name__ == "__main__":
    main()
