"""The board of a compute target in a browser: it follows, cancels, and shows the details of a run."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
import os
from pathlib import Path
os.environ["RUNWIDGETS_GRACE_SECONDS"] = "1"
from runwidgets import ComputeTarget, ComputeView, Experiment, LocalCompute, ScriptRunConfig, Workspace
workspace = Workspace()
target = ComputeTarget.create(workspace, "one-slot", LocalCompute(slots=1))
folder = Path("board-project")
folder.mkdir(exist_ok=True)
(folder / "train.py").write_text("import time; print('hello'); time.sleep(600)")
def submit(name):
    config = ScriptRunConfig(str(folder), script="train.py", compute_target="one-slot")
    return Experiment(workspace, "browser").submit(config, display_name=name)
"""
SUBMIT = "runs = [submit(name) for name in ('first', '<b>second</b>', 'third')]"
CLEAN = """
for run in runs:
    run.cancel()
for run in runs:
    run.wait_for_completion()
"""

PAUSE = """
import time
end = time.monotonic() + 20
while (view._errand is None) is not {paused} and time.monotonic() < end:
    time.sleep(0.05)
print(view._errand is None)
"""


def test_runs_are_followed_canceled_and_looked_into(open_notebook):
    notebook = open_notebook([SETUP, "view = ComputeView(target)\nview", SUBMIT, CLEAN, "view.close()"])
    notebook.run(0, 1)
    expect(notebook.find(".rw-empty")).to_have_text("No run is active or queued on 'one-slot'.")
    notebook.run(2)
    try:
        jobs = notebook.find(".rw-job:visible")
        expect(jobs.locator(".rw-job-name")).to_have_text(["first", "<b>second</b>", "third"])
        expect(jobs.locator(".rw-status-word")).to_have_text(["Running", "Queued", "Queued"])
        expect(notebook.find(".rw-target-slots")).to_contain_text("1 of 1 slots taken")
        clock = jobs.first.locator(".rw-job-span")
        before = clock.text_content()
        expect(clock).not_to_have_text(before or "")

        jobs.first.get_by_role("button", name="Details").click()
        inner = notebook.page.locator(".runwidgets .runwidgets")
        expect(inner.locator(".rw-run")).to_have_text("first")
        expect(inner.locator(".rw-log")).to_contain_text("hello")
        inner.get_by_role("tab").first.press("Escape")
        expect(inner).to_have_count(0)
        expect(jobs.first.get_by_role("button", name="Details")).to_be_focused()

        jobs.first.get_by_role("button", name="Cancel", exact=True).click()
        jobs.first.get_by_role("button", name="Yes, cancel").click()
        expect(jobs.locator(".rw-job-name")).to_have_text(["<b>second</b>", "third"])
        expect(jobs.locator(".rw-status-word")).to_have_text(["Running", "Queued"])
    finally:
        notebook.run(3)
    expect(notebook.find(".rw-empty")).to_be_visible()
    notebook.run(4)
    expect(notebook.widget).to_have_count(0)
    assert "No run is active or queued" in "".join(notebook.output(1)[1]["data"]["text/html"])


def test_a_page_that_is_put_aside_is_not_looked_for(open_notebook):
    show = "view = ComputeView(target); view.show()"
    notebook = open_notebook([SETUP, show, PAUSE.format(paused=True), PAUSE.format(paused=False), "view.close()"])
    notebook.run(0, 1)
    expect(notebook.find(".rw-empty")).to_be_visible()
    turn = "(display) => { document.querySelector('.rw-compute').style.display = display; }"  # as another tab does
    notebook.page.evaluate(turn, "none")
    notebook.run(2)
    assert notebook.text(2) == "True\n"
    notebook.page.evaluate(turn, "")
    notebook.run(3)
    assert notebook.text(3) == "False\n"
    notebook.run(4)
