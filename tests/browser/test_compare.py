"""Many runs in a browser: a live run in an overlay, groups, differences, images, and pages of all kinds."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_layout import STICKING_OUT, fit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
import secrets, struct, zlib
from pathlib import Path
from runwidgets import CompareRuns, Experiment, RunDetails, RunList, Workspace
experiment = Experiment(Workspace(), "compare-" + secrets.token_hex(3))
def png(red, size=24):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\\0" + bytes([red, 90, 9 * y]) * size for y in range(size))
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"".join(rows))), chunk(b"IEND", b"")
    return b"\\x89PNG\\r\\n\\x1a\\n" + b"".join(parts)
def begin(name, **tags):
    return experiment.start_logging(name=name, tags=tags, snapshot_directory=None, outputs=False)
runs = []
for n, name in enumerate(("one", "two", "<b>three</b>", "four " * 12)):
    with begin(name, model="mlp" if n % 2 else "cnn") as run:
        run.log("alpha", 0.1 * n)
        run.log_list("loss", [3.0 - n / 2, float("nan") if n == 1 else 2.0, 1.0 + n / 9, 0.5])
        run.log_list("accuracy", [0.1 * n, 0.5])
        for number in range(3 - n % 2):
            path = Path(f"{n}-{number}.png")
            path.write_bytes(png(60 * number))
            run.log_image("samples", path)
    runs.append(run)
"""
COMPARE = "view = CompareRuns(runs, refresh_seconds=0.5)\nview"
LIST = "view = RunList(experiment, refresh_seconds=0.5)\nview"
LIVE = "live = begin('live')\nfor n in range(6):\n    live.log('loss', 4.0 - n)"
MORE = "for n in range(6):\n    live.log('loss', -2.0 - n)"
END = "live.complete()"
PATHS = ".rw-overlay .rw-plot-inside [data-id]:has(.rw-plot-line) .rw-plot-line"


def entries(notebook):
    return notebook.find(".rw-overlay .rw-plot-entry .rw-plot-name")


def choose(notebook, name):
    """Choose a metric by typing its name."""
    box = notebook.find(".rw-overlay").get_by_role("combobox", name="metric")
    box.click()
    box.fill(name)
    box.press("Enter")


def test_a_live_run_comes_into_the_overlay_and_grows_and_what_was_logged_stays(open_notebook):
    notebook = open_notebook([SETUP, LIST, LIVE, MORE, END, "view.close()"])
    notebook.run(0, 1)
    expect(entries(notebook)).to_have_count(4)
    notebook.run(2)
    expect(entries(notebook).last).to_have_text("live")
    expect(notebook.find(".rw-runs").get_by_text("Running", exact=True)).to_be_visible()
    path = notebook.find(PATHS).last
    before = path.get_attribute("d")
    notebook.run(3)
    expect(path).not_to_have_attribute("d", before)
    notebook.run(4)
    expect(notebook.find(".rw-runs").get_by_text("Running", exact=True)).to_have_count(0)
    notebook.run(5)
    expect(notebook.widget).to_have_count(0)
    assert "live" in "".join(notebook.output(1)[1]["data"]["text/html"])


def test_metric_groups_and_smoothing_are_chosen(open_notebook):
    notebook = open_notebook([SETUP, COMPARE, "view.close()"])
    notebook.run(0, 1)
    expect(entries(notebook)).to_have_text(["one", "two", "<b>three</b>", "four " * 12])
    expect(notebook.find(".rw-overlay .rw-plot-marks")).to_have_count(1)
    choose(notebook, "accu")
    expect(notebook.find(".rw-overlay .rw-plot-axis").last).to_have_text("accuracy")
    choose(notebook, "loss")
    notebook.find(".rw-overlay").get_by_label("Group by").select_option("tag model")
    expect(entries(notebook)).to_have_text(["model = cnn (2 runs)", "model = mlp (2 runs)"])
    expect(notebook.find(".rw-overlay .rw-plot-band")).to_have_count(2)
    notebook.find(".rw-overlay").get_by_label("Group by").select_option("nothing")
    expect(entries(notebook)).to_have_count(4)
    notebook.find(".rw-overlay").get_by_label("Smoothing").fill("0.8")
    expect(notebook.find(PATHS)).to_have_count(8)
    notebook.find(".rw-overlay .rw-plot-picture").hover()
    expect(notebook.find(".rw-overlay .rw-plot-tip")).to_contain_text("smoothed")
    notebook.run(2)


def test_while_a_cell_runs_scale_and_metric_are_chosen(open_notebook, gate):
    notebook = open_notebook([SETUP, COMPARE, gate.sleeping, "view.close()"])
    notebook.run(0, 1)
    expect(entries(notebook)).to_have_count(4)
    notebook.start(2)
    log = notebook.find(".rw-overlay").get_by_role("button", name="log")
    log.click()
    expect(log).to_have_attribute("aria-pressed", "true")
    choose(notebook, "accu")
    expect(notebook.find(".rw-overlay .rw-plot-axis").last).to_have_text("accuracy")
    assert notebook.is_busy(2)
    gate.open()
    notebook.wait(2)
    notebook.run(3)


def test_who_opens_the_page_anew_sees_the_same_lines(open_notebook):
    notebook = open_notebook([SETUP, LIST, LIVE, "view.close()\nlive.complete()"])
    notebook.run(0, 1, 2)
    expect(entries(notebook).last).to_have_text("live")
    expect(notebook.find(PATHS)).to_have_count(5)
    before = notebook.find(PATHS).evaluate_all("(paths) => paths.map((path) => path.getAttribute('d'))")
    notebook.save()
    notebook.load()
    expect(notebook.find(PATHS)).to_have_count(5)
    assert notebook.find(PATHS).evaluate_all("(paths) => paths.map((path) => path.getAttribute('d'))") == before
    notebook.run(3)


def test_only_what_differs_is_listed_and_all_on_demand(open_notebook):
    notebook = open_notebook([SETUP, COMPARE, "view.close()"])
    notebook.run(0, 1)
    panel = notebook.find(".rw-differences")
    expect(panel.locator("thead .rw-sort-title")).to_have_text(
        ["parameter", "one", "two", "<b>three</b>", "four " * 12]
    )
    expect(panel.locator("tbody th")).to_have_text(["tagmodel", "loggedalpha"])
    expect(panel.locator("tbody tr").first.locator(".rw-differs")).to_have_text(["mlp", "mlp"])
    panel.get_by_label("also what is alike").check()
    expect(panel.get_by_role("rowheader", name="environment Python")).to_be_visible()
    notebook.run(2)


def test_images_are_side_by_side_with_one_slider(open_notebook):
    notebook = open_notebook([SETUP, COMPARE, "view.close()"])
    notebook.run(0, 1)
    panel = notebook.find(".rw-sides")
    expect(panel.locator(".rw-image-facts")).to_have_text(["#3", "its last, #2", "#3", "its last, #2"])
    images = panel.locator("img.rw-image")
    expect(images).to_have_count(4)
    notebook.page.wait_for_function(
        "() => [...document.querySelectorAll('.rw-sides img.rw-image')].every((one) => one.naturalWidth === 24)"
    )
    before = images.first.get_attribute("src")
    panel.get_by_label("Number of the image").fill("1")
    expect(panel.locator(".rw-image-facts")).to_have_text(["#1"] * 4)
    expect(images.first).not_to_have_attribute("src", before)
    panel.get_by_role("button", name="Open samples #1 of one at full size").click()
    expect(panel.get_by_role("dialog")).to_be_visible()
    notebook.page.keyboard.press("Escape")
    expect(panel.get_by_role("dialog")).to_be_hidden()
    notebook.run(2)


def test_a_run_opens_over_the_table_and_children_are_overlaid_below_theirs(open_notebook):
    sweep = (
        "parent = begin('sweep')\nfor n in range(3):\n    with parent.child_run(f'child {n}') as child:\n"
        "        child.log_list('loss', [3.0, 2.0 + n])\nparent.complete()\ndetails = RunDetails(parent)\ndetails"
    )
    notebook = open_notebook([SETUP, COMPARE, sweep, "view.close()\ndetails.close()"])
    notebook.run(0, 1)
    notebook.find(".rw-runs").get_by_text("two", exact=True).click()
    inner = notebook.page.locator(".rw-popup .runwidgets")
    expect(inner.locator(".rw-run")).to_have_text("two")
    inner.get_by_role("tab").first.press("Escape")
    expect(inner).to_have_count(0)
    notebook.run(2)
    page = notebook.page.locator(".rw-page-children")
    expect(page.locator(".rw-overlay")).to_have_count(0)
    page.get_by_role("checkbox").nth(1).check()
    page.get_by_role("checkbox").nth(3).check()
    expect(page.locator(".rw-overlay .rw-plot-entry")).to_have_count(2)
    notebook.run(3)


@pytest.mark.parametrize(("width", "theme"), [(360, "JupyterLab Dark"), (1600, "JupyterLab Light")])
def test_nothing_sticks_out_sideways(open_notebook, width, theme):
    notebook = open_notebook([SETUP, COMPARE, "view.close()"], theme=theme, height=1800)
    notebook.run(0, 1)
    expect(entries(notebook)).to_have_count(4)
    fit(notebook, width)
    notebook.page.wait_for_timeout(500)
    assert notebook.widget.evaluate(STICKING_OUT) == []
    notebook.run(2)


def test_no_runs_and_runs_without_metrics_say_so(open_notebook):
    empty = "import secrets\nfrom runwidgets import *\nempty = Experiment(Workspace(), 'empty-' + secrets.token_hex(3))"
    bare = "bare = empty.start_logging(name='bare', snapshot_directory=None)\nbare.complete()"
    notebook = open_notebook([empty, "view = RunList(empty, refresh_seconds=0.5)\nview", bare, "view.close()"])
    notebook.run(0, 1)
    expect(notebook.find(".rw-overlay .rw-empty")).to_contain_text("Select runs")
    expect(notebook.find(".rw-runs .rw-yet")).to_contain_text("No runs")
    notebook.run(2)
    expect(notebook.find(".rw-overlay .rw-empty")).to_contain_text("no metric that can be drawn")
    notebook.run(3)
