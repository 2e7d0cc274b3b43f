"""The quickstart notebook, from Run All to its end, as a new user sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
READABLE = 4.5
# WCAG 2's contrast of what is drawn on what; colours are read from a canvas, whatever syntax they are computed to.
CONTRAST = """
    (node, property) => {
        const context = new OffscreenCanvas(1, 1).getContext("2d");
        const paint = (color) => { context.fillStyle = color; context.fillRect(0, 0, 1, 1); };
        const luminance = () => {
            const linear = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)
                .map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
        };
        const grounds = [];
        for (let at = node; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
        paint("white");
        grounds.forEach(paint);
        const below = luminance();
        paint(getComputedStyle(node)[property]);
        const above = luminance();
        return (Math.max(above, below) + 0.05) / (Math.min(above, below) + 0.05);
    }
"""


def cell_with(code: str) -> int:
    cells = json.loads(QUICKSTART.read_text(encoding="utf-8"))["cells"]
    [place] = [i for i, cell in enumerate(cells) if code in "".join(cell["source"])]
    return place


def seen_while_busy(notebook, cell: int) -> list[tuple[str, str]]:
    """Collect what the count of a metric and the words of the progress bar are while a cell runs."""
    look = """(cell) => {
        const row = [...document.querySelectorAll(".rw-page-metrics tbody tr")]
            .find((row) => row.cells[0].textContent === "mse");
        const done = document.querySelector(".rw-done");
        return [window.panel.content.widgets[cell].prompt, row?.cells[4].textContent ?? "", done?.textContent ?? ""];
    }"""
    seen = []
    while True:
        prompt, count, done = notebook.page.evaluate(look, cell)
        if prompt != "*":
            return seen
        if count and (count, done) not in seen:
            seen.append((count, done))
        notebook.page.wait_for_timeout(100)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_quickstart_moves_while_it_trains_and_ends_complete(open_notebook, theme):
    notebook = open_notebook(QUICKSTART, theme=theme)
    notebook.run_all()
    seen = seen_while_busy(notebook, cell_with("run.progress(done"))
    counts = [int(count) for count, _ in seen]
    progress = [int(done.split()[1]) for _, done in seen if done]
    assert len(set(counts)) >= 3, seen
    assert counts == sorted(counts)
    assert len(set(progress)) >= 3, seen
    assert progress == sorted(progress)
    notebook.wait(cell_with('ridge.pkl").unlink()'))

    expect(notebook.find(".rw-head .rw-status-word")).to_have_text("Completed")
    expect(notebook.find(".rw-head .rw-dot")).to_have_class("rw-dot rw-dot-done")
    expect(notebook.find(".rw-done")).to_have_text("alpha 40 / 40")
    expect(notebook.find(".rw-chart")).to_have_count(3)
    assert notebook.wait_painted(3) == {"coefficients": 4, "error over alpha": 1, "mse": 1}
    for selector in (".rw-status-word", ".rw-crumbs", ".rw-number", ".rw-done", ".rw-sort", ".rw-chart-last",
                     ".rw-page-metrics tbody th", ".rw-page-metrics tbody td", '.rw-tab[aria-selected="false"]',
                     '.rw-choice[aria-pressed="true"]', '.rw-choice[aria-pressed="false"]'):  # fmt: skip
        assert notebook.find(selector).first.evaluate(CONTRAST, "color") >= READABLE, selector
    ticks = notebook.find(".bqplot .axis .tick text")
    assert ticks.count() >= 6
    assert ticks.first.evaluate(CONTRAST, "fill") >= READABLE
    assert notebook.page.evaluate("() => document.body.dataset.jpThemeLight") == str(theme.endswith("Light")).lower()
    notebook.tab("Child runs").click()
    grid = notebook.page.get_by_role("grid", name="child runs")
    expect(grid).to_have_attribute("aria-rowcount", "41")
    expect(notebook.find(".rw-page-children")).to_contain_text("40 completed")
