"""What a display costs: first paint, ticks, zoom, memory; in JupyterLab in Chromium, measured in the page."""

from __future__ import annotations

import base64
import gzip
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
SHOWS: Final = 5
TICKS: Final = 9
ZOOMS: Final = 5
FLOOR_POINTS: Final = 1000
LONG: Final = 10_000_000
FAST_TICKS: Final = 360
_BINARY: Final = 2
_SETTLED_SECONDS: Final = 1.5
"""How long nothing may come over the wire for a tick to be over; it is not part of any figure."""
_LONGEST_SECONDS: Final = 20.0
"""How long that is waited for where something keeps coming."""
_TICK_SECONDS: Final = 1.0
"""How long a fast tick is waited for."""

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

_MEMORY: Final = """
import gc, tracemalloc
gc.collect()
tracemalloc.start()
another = RunDetails(run, refresh_seconds=600)
another._repr_mimebundle_()
end = time.monotonic() + 30
while sum(chart["figure"] is not None for chart in another._charts.lens.state["metrics"]) < 12:
    assert time.monotonic() < end
    time.sleep(0.1)
gc.collect()
print(tracemalloc.get_traced_memory()[0] / 2**20)
"""

_UNTIL_DETAIL: Final = """
    () => {
        const before = document.querySelector(".rw-chart path.line").getAttribute("d");
        window.detail = new Promise((resolve) => {
            addEventListener("pointerup", () => {
                const start = performance.now();
                const look = () => {
                    const line = document.querySelector(".rw-chart path.line").getAttribute("d");
                    if (line !== before && document.querySelector(".rw-reset")) resolve(performance.now() - start);
                    else requestAnimationFrame(look);
                };
                requestAnimationFrame(look);
            }, { capture: true, once: true });
        });
    }
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
        """Count a message of a kernel: these are binary, what JupyterLab tells of itself is text."""
        response = event["response"]
        if response["opcode"] != _BINARY:
            return
        self.sizes.append(len(base64.b64decode(response["payloadData"])))
        self.last = time.monotonic()


def wait_quiet(notebook: Notebook, wire: Wire, since: float, *, at_least: float = _SETTLED_SECONDS) -> None:
    """Return when nothing has come for a while, or something has kept coming for long."""
    end = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() - max(wire.last, since) < at_least and time.monotonic() < end:
        notebook.page.wait_for_timeout(50)


def tasks(trace: bytes) -> list[float]:
    """Give how long each task of the page's main thread computed, in milliseconds: not how long others were let in."""
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
            by_thread.setdefault(thread, []).append(event.get("tdur", event["dur"]) / 1000)
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
        start = time.monotonic()
        self.signal(charts)
        if charts == 0:  # nothing is to come, and then nothing tells that the look was made
            page.wait_for_timeout(1000 * _TICK_SECONDS)
        while len(self.wire.sizes) < charts and time.monotonic() - start < _LONGEST_SECONDS:
            page.wait_for_timeout(20)
        wait_quiet(self.notebook, self.wire, time.monotonic())
        long = time.monotonic() - start
        busy = tasks(self._chromium.stop_tracing())
        received = sum(self.wire.sizes)
        self._chromium.start_tracing(page=page, categories=["disabled-by-default-devtools.timeline", "toplevel"])
        page.wait_for_timeout(1000 * _SETTLED_SECONDS)
        idle = tasks(self._chromium.stop_tracing())
        return Tick(max(0.0, sum(busy) - sum(idle) * long / _SETTLED_SECONDS), max(busy), received)

    def signal(self, charts: int) -> None:
        """Let so many charts change."""
        (self._ticks / f"{charts}-{time.monotonic_ns()}").touch()


def _median(ticks: list[Tick], name: str) -> float:
    return statistics.median(getattr(tick, name) for tick in ticks)


def first_paint(page: Page) -> dict[str, list[float]]:
    """Show the run several times; the first, in which libraries are imported, is not counted."""
    seen: dict[str, list[float]] = {"table": [], "charts": [], "count": []}
    for number in range(SHOWS + 1):
        found = page.notebook.page.evaluate(_WATCH)
        if number:
            for key, values in seen.items():
                values.append(found[key])
        page.notebook.wait(1)
        wait_quiet(page.notebook, page.wire, time.monotonic())
        page.notebook.run(2)
    return seen


def zooms(page: Page) -> list[float]:
    """Give how many milliseconds after the end of each stroke the detail is drawn."""
    notebook = page.notebook
    notebook.run()
    notebook.wait_painted(1)
    area = notebook.find(".bqplot .plotarea_background").bounding_box()
    times = []
    for number in range(ZOOMS):
        at = area["x"] + area["width"] * (0.2 + 0.1 * number)
        notebook.page.mouse.move(at, area["y"] + 30)
        notebook.page.mouse.down()
        notebook.page.mouse.move(at + 3, area["y"] + 30)
        notebook.page.mouse.move(at + area["width"] / 100 + 2, area["y"] + 30)
        notebook.page.evaluate(_UNTIL_DETAIL)
        notebook.page.mouse.up()
        times.append(notebook.page.evaluate("() => window.detail"))
        notebook.find(".rw-reset").click()
        notebook.find(".rw-reset").wait_for(state="detached")
        wait_quiet(notebook, page.wire, time.monotonic())
    return times


def heap(page: Page) -> float:
    """Give the megabytes that the page's JavaScript holds on to."""
    page.cdp.send("HeapProfiler.collectGarbage")
    return float(page.cdp.send("Runtime.getHeapUsage")["usedSize"]) / 2**20


def memory(page: Page) -> tuple[float, float]:
    """Give the page's memory after a first few ticks and after many more, in megabytes."""
    before = 0.0
    for number in range(FAST_TICKS):
        page.wire.sizes.clear()
        page.signal(CHARTS)
        end = time.monotonic() + _TICK_SECONDS  # a chart that moved by less than can be seen sends nothing
        while len(page.wire.sizes) < CHARTS and time.monotonic() < end:
            page.notebook.page.wait_for_timeout(10)
        if number == FAST_TICKS // 10:
            wait_quiet(page.notebook, page.wire, time.monotonic())
            before = heap(page)
    wait_quiet(page.notebook, page.wire, time.monotonic())
    return before, heap(page)


def javascript() -> float:
    """Give how many kilobytes our own JavaScript is, packed."""
    files = (Path(__file__).parent.parent.parent / "runwidgets" / "static").glob("*.js")
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) / 1000


def measure() -> list[Row]:
    """Measure the floor, a run of many long metrics, and a very long metric, each in a browser of its own."""
    chromium = Path(shutil.which(os.environ.get("CHROMIUM") or "chromium") or "chromium")
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            server.wait()
            with Browser(server, chromium) as browser:
                page = Page(server, browser, [_FLOOR])
                page.notebook.run(0)
                wait_quiet(page.notebook, page.wire, time.monotonic())
                floor = [page.tick(CHARTS) for _ in range(TICKS)]
            with Browser(server, chromium) as browser:
                page = Page(server, browser, [_RUN, _SHOW, _CLOSE, _TICKER, _MEMORY])
                page.notebook.run(0)
                seen = first_paint(page)
                page.notebook.run(1, 3)
                wait_quiet(page.notebook, page.wire, time.monotonic())
                ticks = [page.tick(CHARTS) for _ in range(TICKS)]
                still = page.tick(0)
                before, after = memory(page)
                page.notebook.run(4)
                held = float(page.notebook.text(4))
            with Browser(server, chromium) as browser:
                detail = zooms(Page(server, browser, [_LONG, _SHOW]))
        finally:
            server.close()
    what = f"{METRICS} metrics of {POINTS:,} points"
    bare = f"bare bqplot, {CHARTS} lines of {FLOOR_POINTS:,} points"
    none = "", None
    return [
        Row(f"show a run of {what}: status and table", statistics.median(seen["table"]), "s", *none, "≤ 0.3"),
        Row("the same: all charts in sight", statistics.median(seen["charts"]), "s", *none, "≤ 1.5"),
        Row(f"{CHARTS} charts change: the page's main thread computes", _median(ticks, "total"), "ms", bare,
            _median(floor, "total"), "≤ 120"),
        Row("the same: in one go", _median(ticks, "longest"), "ms", bare, _median(floor, "longest"), "≤ 50"),
        Row("the same: over the wire", _median(ticks, "received") / 1000, "kB", bare,
            _median(floor, "received") / 1000, "≤ 64"),
        Row("a look finds nothing new: over the wire", still.received / 1000, "kB", *none, "0, asked for: a header"),
        Row(f"zoom into 1 % of {LONG:,} points: detail drawn", statistics.median(detail), "ms", *none, "≤ 200"),
        Row("the kernel's memory for a second display of the run", held, "MB", *none, "≤ 5"),
        Row(f"the page's memory after {FAST_TICKS} ticks", after, "MB", f"after {FAST_TICKS // 10}", before, "± 10 %"),
        Row("our own JavaScript, packed", javascript(), "kB", *none, "≤ 60"),
    ]  # fmt: skip
