"""How the display follows a run: by itself, at a click, past errors of the store, and no longer than needed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
import ctypes, threading, time
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "browser").start_logging(name="a run")
run.log_list("loss", [3, 2, 1])
"""


def show(seconds: float) -> str:
    return f"details = RunDetails(run, refresh_seconds={seconds}); details.show()"


def count_cell(notebook):
    return notebook.find(".rw-page-metrics tbody td").nth(3)


def test_tabs_turn_while_the_kernel_can_do_nothing_at_all(open_notebook):
    # PyDLL, unlike time.sleep, keeps the interpreter's lock: no thread and no subshell of the kernel gets a turn.
    frozen = "print('frozen'); time.sleep(0.5); ctypes.PyDLL(None).sleep(8)"
    notebook = open_notebook([SETUP, show(0.5), frozen])
    notebook.run(0, 1)
    notebook.wait_painted(1)
    notebook.start(2)
    notebook.page.wait_for_function("() => window.panel.content.widgets[2].model.outputs.length > 0")
    notebook.page.wait_for_timeout(700)
    for title, page in (
        ("Child runs", "children"),
        ("Images", "images"),
        ("Details", "details"),
        ("Metrics", "metrics"),
    ):
        notebook.tab(title).click()
        expect(notebook.find(f".rw-page-{page}")).to_be_visible()
        expect(notebook.find(".rw-page:visible")).to_have_count(1)
        expect(notebook.tab(title)).to_have_attribute("aria-selected", "true")
    assert notebook.is_busy(2)
    notebook.wait(2)


def test_refresh_button_looks_at_once_also_while_a_cell_runs(open_notebook, gate):
    busy = f"run.log('loss', 0)\n{gate.computing}"
    notebook = open_notebook([SETUP, show(600), "run.log('loss', 0)", busy])
    notebook.run(0, 1)
    expect(count_cell(notebook)).to_have_text("3")
    expect(notebook.find(".rw-next")).to_contain_text("next refresh")
    notebook.run(2)
    notebook.page.wait_for_timeout(1500)
    expect(count_cell(notebook)).to_have_text("3")
    notebook.page.get_by_role("button", name="Refresh now").click()
    expect(count_cell(notebook)).to_have_text("4")
    notebook.start(3)
    notebook.page.wait_for_timeout(1000)
    notebook.page.get_by_role("button", name="Refresh now").click()
    expect(count_cell(notebook)).to_have_text("5")
    assert notebook.is_busy(3)


def test_display_follows_at_its_interval_with_no_action_and_stops_at_the_end(open_notebook):
    log = """
def log():
    for i in range(30):
        run.log("loss", i)
        time.sleep(0.1)
    run.complete()
threading.Thread(target=log).start()
"""
    notebook = open_notebook([SETUP, show(0.5), log, "time.sleep(1); print([t.name for t in threading.enumerate()])"])
    notebook.run(0, 1)
    expect(notebook.find(".rw-next")).to_be_visible()
    notebook.run(2)
    seen = {count_cell(notebook).text_content()}
    while notebook.find(".rw-head .rw-status-word").text_content() != "Completed":
        seen.add(count_cell(notebook).text_content())
        notebook.page.wait_for_timeout(50)
    assert len(seen) >= 4
    expect(count_cell(notebook)).to_have_text("33")
    expect(notebook.find(".rw-next")).to_be_hidden()
    expect(notebook.page.get_by_role("button", name="Refresh now")).to_be_hidden()
    notebook.run(3)
    assert "MainThread" in notebook.text(3)
    assert "runwidgets-poller" not in notebook.text(3)


def test_error_of_the_store_is_a_banner_over_the_last_good_data_and_goes_away(open_notebook):
    broken = """
from runwidgets.errors import StoreError
def fails(*_):
    raise StoreError("<b>the disk is gone</b>")
run._recorder.store.changes = fails
"""
    notebook = open_notebook([SETUP, show(0.5), broken, "run.log('loss', 0); del run._recorder.store.changes"])
    notebook.run(0, 1)
    notebook.wait_painted(1)
    banner = notebook.find(".rw-banner-warning")
    expect(banner).to_be_hidden()
    notebook.run(2)
    expect(banner).to_be_visible()
    expect(banner).to_contain_text("<b>the disk is gone</b>")
    expect(count_cell(notebook)).to_have_text("3")
    expect(notebook.find(".rw-head .rw-status-word")).to_have_text("Running")
    assert notebook.lines() == {"loss": 1}
    notebook.run(3)
    expect(banner).to_be_hidden()
    expect(count_cell(notebook)).to_have_text("4")
