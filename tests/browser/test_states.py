"""What the display says of runs that fail, that log nothing, that bear strange names; and when it comes and goes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
import ctypes, math, threading, time
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "browser").start_logging(name="a run")
"""
SHOW = "details = RunDetails(run, refresh_seconds=0.5); details.show()"
HOSTILE = "<img src=x onerror=window.__hacked=1>"


def test_failed_run_says_so_in_words_and_opens_its_traceback(open_notebook):
    fail = """
def train():
    raise ValueError("the loss is gone")

try:
    with run:
        run.log_list("loss", [3, 2, 1])
        train()
except ValueError:
    pass
"""
    notebook = open_notebook([SETUP, SHOW, fail])
    notebook.run()
    expect(notebook.find(".rw-head .rw-status-word")).to_have_text("Failed")
    expect(notebook.find(".rw-head .rw-dot")).to_have_class("rw-dot rw-dot-failed")
    banner = notebook.find(".rw-banner-error")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text("ValueError")
    expect(banner).to_contain_text("the loss is gone")
    traceback = notebook.find(".rw-traceback")
    expect(traceback).to_be_hidden()
    banner.get_by_role("button", name="Show traceback").click()
    expect(traceback).to_be_visible()
    expect(traceback).to_contain_text("in train")
    notebook.wait_painted(1)
    banner.get_by_role("button", name="Hide traceback").click()
    expect(traceback).to_be_hidden()


def test_run_without_metrics_says_so_until_the_first_arrives(open_notebook):
    notebook = open_notebook([SETUP, SHOW, "for i in range(5): run.log('loss', 1 / (i + 1))"])
    notebook.run(0, 1)
    expect(notebook.find(".rw-head .rw-status-word")).to_have_text("Running")
    expect(notebook.find(".rw-empty:visible").get_by_text("No metrics yet")).to_be_visible()
    expect(notebook.find(".rw-chart")).to_have_count(0)
    expect(notebook.find(".rw-metrics .rw-toolbar")).to_be_hidden()
    expect(notebook.find(".rw-banner:visible")).to_have_count(0)
    for title, says in (("Child runs", "No child runs yet"), ("Images", "No images yet")):
        notebook.tab(title).click()
        expect(notebook.find(".rw-yet:visible")).to_contain_text(says)
        expect(notebook.find(".rw-over:visible")).to_have_count(0)
    notebook.tab("Metrics").click()
    notebook.run(2)
    expect(notebook.find(".rw-page-metrics tbody tr")).to_have_count(1)
    expect(notebook.find(".rw-metrics .rw-empty:visible")).to_have_count(0)
    assert notebook.wait_painted(1) == {"loss": 1}


def test_run_that_ended_without_metrics_promises_none(open_notebook):
    notebook = open_notebook([SETUP, SHOW, "run.complete()"])
    notebook.run()
    for title, says in (("Metrics", "No metrics."), ("Child runs", "No child runs."), ("Images", "No images.")):
        notebook.tab(title).click()
        expect(notebook.find(".rw-over:visible")).to_have_text(says)
        expect(notebook.find(".rw-yet:visible")).to_have_count(0)


def test_display_whose_kernel_is_killed_says_so_and_stands_still(open_notebook):
    log = "for i in range(9): run.log('loss', i); run.log('accuracy', i)"
    # In a workspace of its own: whoever opens it next says what became of the run.
    setup = SETUP.replace("Workspace()", 'Workspace(workspace_name="killed")')
    notebook = open_notebook([setup, log, SHOW, "import os; os.kill(os.getpid(), 9)"])
    notebook.run(0, 1, 2)
    notebook.wait_painted(2)
    places = """() => [...document.querySelectorAll(".rw-panel, .rw-chart")].map((part) => {
        const { x, y, width, height } = part.getBoundingClientRect();
        return [x, y, width, height].map(Math.round).join();
    })"""
    before = notebook.page.evaluate(places)
    notebook.start(3)
    # JupyterLab's server looks every few seconds whether a kernel lives, and starts another in its place.
    expect(notebook.find(".rw-gone-word")).to_have_text("kernel gone", timeout=30_000)
    expect(notebook.find(".rw-head .rw-status-word")).to_have_text("was Running")
    expect(notebook.page.get_by_role("button", name="Refresh now")).to_be_hidden()
    clock = notebook.find(".rw-time").text_content()
    assert notebook.page.evaluate(places) == before
    notebook.page.wait_for_timeout(2500)
    expect(notebook.find(".rw-time")).to_have_text(clock)


def test_names_are_shown_as_text_whatever_is_in_them(open_notebook):
    logging = f"""
import io
from pathlib import Path
import matplotlib.pyplot as plt
hostile = {HOSTILE!r}
run = Experiment(Workspace(), "browser").start_logging(name=hostile)
for name in ("train/loss", "🔥 loss", hostile):
    run.log_list(name, [1, 2, 3])
run.log_table("table", {{hostile: [1, 2, 3], "b/c": [3, 2, 1], "x": [1, 1, 2]}})
run.log("word", hostile)
run.set_tags({{hostile: hostile, "🔥": None}})
run.add_properties({{hostile: hostile}})
run.upload_file("models/" + hostile.replace("/", ""), io.BytesIO(b"file"))
figure = plt.figure(figsize=(1, 1))
run.log_image(hostile + " image", plot=figure)
plt.close(figure)
with run.child_run(name=hostile) as child:
    child.log(hostile, 1.5)
run.fail(hostile, error_code=hostile)
details = RunDetails(run)
"""
    notebook = open_notebook([SETUP, logging, "details"])
    notebook.run()

    def texts(selector: str) -> list[str]:
        return notebook.find(selector).all_text_contents()

    expect(notebook.find(".rw-run")).to_have_text(HOSTILE)
    expect(notebook.find(".rw-error-message").first).to_have_text(HOSTILE)
    expect(notebook.find(".rw-error-code").first).to_have_text(HOSTILE)
    assert notebook.wait_painted(4) == {HOSTILE: 1, "table": 3, "train/loss": 1, "🔥 loss": 1}
    rows = texts(".rw-page-metrics tbody th")
    assert set(rows) == {
        HOSTILE, f"table · {HOSTILE}", "table · b/c", "table · x", "train/loss", "word", "🔥 loss"
    }  # fmt: skip
    assert HOSTILE in texts(".rw-page-metrics tbody td")
    assert HOSTILE in texts(".rw-legend")
    notebook.tab("Child runs").click()
    expect(notebook.find(".rw-page-children [role=row]:visible").filter(has_text=HOSTILE).last).to_be_visible()
    assert any(HOSTILE in text for text in texts(".rw-page-children [role=columnheader]"))
    notebook.tab("Details").click()
    assert set(texts(".rw-tag")) == {f"{HOSTILE} = {HOSTILE}", "🔥"}
    assert HOSTILE in texts(".rw-properties td")
    notebook.tab("Files").click()
    assert {"models/", HOSTILE.replace("/", "")} <= set(texts(".rw-tree-name"))
    notebook.tab("Images").click()
    expect(notebook.find(".rw-image-name")).to_have_text(f"{HOSTILE} image")
    notebook.find(".rw-image-frame").click()
    expect(notebook.find(".rw-viewer-name")).to_have_text(f"{HOSTILE} image")
    pictures = notebook.page.locator(".jp-OutputArea img")
    assert pictures.count() == 2
    assert pictures.evaluate_all(
        "(all) => all.every((img) => img.closest('.rw-page-images') && img.src.startsWith('blob:'))"
    )
    assert notebook.page.evaluate("() => window.__hacked") is None

    fallback = "".join(notebook.output(2)[1]["data"]["text/html"])
    notebook.page.evaluate(
        "(html) => { document.body.innerHTML = `<main>${html}</main>`; }", fallback
    )  # without JupyterLab's cleaning
    main = notebook.page.locator("main")
    assert main.inner_text().count(HOSTILE) >= 5
    assert main.locator("img").count() == 0
    assert notebook.page.evaluate("() => window.__hacked") is None


def test_display_comes_as_last_expression_and_goes_with_close(open_notebook):
    notebook = open_notebook(
        [
            SETUP,
            "run.log_list('loss', [3, 2, 1])\ndetails = RunDetails(run, refresh_seconds=0.5)\ndetails",
            "details.close()",
        ]
    )
    notebook.run(0, 1)
    expect(notebook.widget).to_have_count(1)
    notebook.wait_painted(1)
    notebook.run(2)
    expect(notebook.widget).to_have_count(0)


def test_second_view_shows_the_same_and_follows(open_notebook):
    notebook = open_notebook([SETUP, SHOW, "run.log_list('loss', [3, 2, 1])", "details", "run.log('loss', 0)"])
    notebook.run(0, 1, 2, 3)
    expect(notebook.widget).to_have_count(2)
    notebook.page.wait_for_function("() => document.querySelectorAll('.rw-chart .bqplot path.line[d]').length === 2")
    notebook.run(4)
    for view in (notebook.widget.first, notebook.widget.last):
        expect(view.locator(".rw-page-metrics tbody td").nth(3)).to_have_text("4")
    notebook.widget.last.get_by_role("tab", name="Details").click()
    expect(notebook.widget.last.locator(".rw-facts").first).to_be_visible()
