"""How long the tab of two thousand child runs takes, measured in the page of JupyterLab in Chromium."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.table import Row
from tests.browser.lab import Browser, Server

CHILDREN: Final = 2000
TIMES: Final = 5

# Their parent logs something itself: else their tab would be the first one, and open already.
_MAKE: Final = f"""
import threading, time
from runwidgets import Experiment, RunDetails, Workspace
from runwidgets.watch.children import Children
from runwidgets.watch.feed import Feed
run = Experiment(Workspace(), "sweep").start_logging(name="sweep", outputs=False, snapshot_directory=None)
run.log("best", 0.0)
def make(i):
    child = run.child_run(name=f"trial {{i:05}}")
    lr, optimizer = f"{{10 ** (-1 - i % 40 / 10):.3g}}", ["adam", "sgd"][i % 2]
    child.set_tags({{"lr": lr, "depth": str(i % 7), "optimizer": optimizer}})
    child.log_list("loss", [2.0 + i % 31, 1.0 + i * 7919 % 1009 / 1009])
    child.log("accuracy", i * 104729 % 997 / 997)
    return child
children = [make(i) for i in range({CHILDREN})]
for child in children[20:]:
    child.complete()
run.flush()
"""
_SHOW: Final = "details = RunDetails(run, refresh_seconds=0.5); details.show()"
_CLOSE: Final = "details.close()"
_LIVE: Final = """
end = time.monotonic() + 6
while time.monotonic() < end:
    for i in range(10):
        make(len(children) + i).complete()
    time.sleep(1)
"""
_LOOK: Final = """
import statistics
feed, table = Feed(run._recorder, run.id), Children()
feed.step()
table.update(feed.view, 0.0)
seconds = []
for n in range(9):
    for child in children[:10]:
        child.log("loss", n)
    run.flush()
    start = time.perf_counter()
    feed.step()
    table.update(feed.view, 0.0)
    seconds.append(time.perf_counter() - start)
print(statistics.median(seconds) * 1000)
"""

# What a frame finds is painted with it.
_OPEN: Final = """
    () => new Promise((resolve) => {
        const tab = [...document.querySelectorAll("[role=tab]")].find((one) => one.textContent.includes("Child runs"));
        const start = performance.now();
        tab.click();
        const look = () => {
            const row = document.querySelector(".rw-grid-body [role=rowheader]");
            if (row?.textContent && row.getBoundingClientRect().height > 0) resolve(performance.now() - start);
            else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    })
"""
# The work of the page alone: what is waited for is the screen.
_SORT: Final = """
    () => {
        const grid = document.querySelector(".rw-grid");
        return ["loss", "name", "loss", "optimizer", "name"].map((title) => {
            const heading = [...grid.querySelectorAll(".rw-sort")].find((one) => one.textContent === title);
            const start = performance.now();
            heading.click();
            grid.getBoundingClientRect();
            return performance.now() - start;
        });
    }
"""
_SCROLL: Final = """
    async () => {
        const grid = document.querySelector(".rw-grid");
        const spent = [];
        grid.scrollTop = 0;
        for (let frame = 0; frame < 120; frame++) {
            await new Promise(requestAnimationFrame);
            const start = performance.now();
            grid.scrollTop += frame % 20 === 0 ? 5000 : 97;
            grid.dispatchEvent(new Event("scroll"));
            grid.getBoundingClientRect();
            spent.push(performance.now() - start);
        }
        return spent;
    }
"""
_WATCH: Final = """
    () => {
        window.tasks = [];
        new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((task) => task.duration)))
            .observe({ type: "longtask" });
    }
"""
_COUNT: Final = "(count) => Number(document.querySelector('.rw-grid').getAttribute('aria-rowcount')) > count"


def measure() -> list[Row]:
    """Measure opening, sorting, scrolling, and what comes in."""
    chromium = Path(shutil.which(os.environ.get("CHROMIUM") or "chromium") or "chromium")
    opened: list[float] = []
    sorted_: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            server.wait()
            with Browser(server, chromium) as browser:
                notebook = browser.open([_MAKE, _SHOW, _CLOSE, _LIVE, _LOOK])
                notebook.run(0)
                for time in range(TIMES):
                    if time:
                        notebook.run(2)
                    notebook.run(1)
                    notebook.tab("Child runs").filter(has_text=str(CHILDREN)).wait_for()
                    notebook.page.wait_for_timeout(1000)
                    opened.append(notebook.page.evaluate(_OPEN))
                    sorted_ += notebook.page.evaluate(_SORT)
                scrolled: list[float] = notebook.page.evaluate(_SCROLL)
                notebook.page.evaluate(_WATCH)
                notebook.run(3)
                notebook.page.wait_for_function(_COUNT, arg=CHILDREN + 40)
                tasks: list[Any] = notebook.page.evaluate("() => window.tasks")
                notebook.run(4)
                look = float(notebook.text(4))
        finally:
            server.close()
    what = f"{CHILDREN:,} child runs"
    return [
        Row(f"{what}: their tab opens", statistics.median(opened), "ms", "", None, "≤ 500"),
        Row(f"{what}: sort by a column", statistics.median(sorted_), "ms", "", None, "≤ 50"),
        Row(f"{what}: scroll, a frame", statistics.median(scrolled), "ms", "", None, "≤ 16"),
        Row("the same, the slowest frame of 120", max(scrolled), "ms", "", None, ""),
        Row(f"{what}, ten more a second: longest task of the page", max(tasks, default=0.0), "ms", "", None, "≤ 200"),
        Row(f"{what}, ten of which changed: a look of Python", look, "ms", "", None, "≤ 30"),
    ]
