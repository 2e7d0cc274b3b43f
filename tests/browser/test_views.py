"""A display that is seen again: after a reload, in a view of its own, on paper, and when its kernel is another."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "views").start_logging(name="a run to see again")
run.log_list("loss", [3.0, 2.0, 1.25, float("nan")])
"""
SHOW = "details = RunDetails(run, refresh_seconds=0.5); details.show()"
VISIBLE = ".jp-OutputArea-child:visible"


def test_reload_of_the_page_brings_the_live_display_back(open_notebook):
    notebook = open_notebook([SETUP, SHOW, "run.log('loss', 0.5); run.log('accuracy', 0.75)"])
    notebook.run(0, 1)
    notebook.wait_painted(1)
    notebook.save()
    notebook.page.reload()
    notebook.load()
    expect(notebook.find(".rw-head .rw-status-word")).to_have_text("Running")
    notebook.wait_painted(1)
    expect(notebook.page.locator(VISIBLE).filter(has=notebook.page.locator("[class^='rw-still-']"))).to_have_count(0)
    notebook.tab("Details").click()
    expect(notebook.find(".rw-facts").first).to_be_visible()
    notebook.tab("Metrics").click()
    notebook.run(2)
    expect(notebook.find(".rw-page-metrics tbody tr")).to_have_count(2)


def test_panels_that_got_their_scripts_after_a_while_are_live(open_notebook):
    # anywidget gives a module two seconds to begin, and tells it nothing ever after if that is not enough.
    setup = SETUP + "from runwidgets.widgets.scripts import Scripts, inside_display"
    show = f"with inside_display():\n    {SHOW}"
    notebook = open_notebook(
        [setup, show, "run.log_list('accuracy', [0.5, 0.6])", "Scripts()", "run.log_list('recall', [0.75, 0.5])"]
    )
    notebook.run(0, 1)
    notebook.page.wait_for_timeout(2500)
    notebook.run(2, 3)
    expect(notebook.find(".rw-page-metrics tbody tr")).to_have_count(2)
    notebook.run(4)
    expect(notebook.find(".rw-page-metrics tbody tr")).to_have_count(3)
    notebook.wait_painted(3)


def test_new_view_for_output_shows_the_live_display(open_notebook):
    notebook = open_notebook([SETUP, SHOW, "run.log('accuracy', 0.75)"], width=2000)
    notebook.run(0, 1)
    notebook.wait_painted(1)
    notebook.page.evaluate("() => { window.panel.content.activeCellIndex = 1; }")
    notebook.page.evaluate("() => window.jupyterapp.commands.execute('notebook:create-output-view')")
    expect(notebook.widget).to_have_count(2)
    view = notebook.page.locator(".jp-LinkedOutputView .runwidgets")
    expect(view.locator(".rw-head .rw-status-word")).to_have_text("Running")
    notebook.page.wait_for_function(
        "() => document.querySelectorAll('.jp-LinkedOutputView .rw-chart .bqplot path.line[d]').length === 1"
    )
    assert notebook.page.locator(".jp-LinkedOutputView [class^='rw-still-']:visible").count() == 0
    notebook.run(2)
    expect(view.locator(".rw-page-metrics tbody tr")).to_have_count(2)
    view.get_by_role("tab", name="Details").click()
    expect(view.locator(".rw-facts").first).to_be_visible()


def test_restart_of_the_kernel_leaves_the_display_as_it_was_and_says_that_nobody_follows(open_notebook, server):
    setup = SETUP.replace("Workspace()", 'Workspace(workspace_name="restarted")')
    notebook = open_notebook([setup, SHOW])
    notebook.run()
    notebook.wait_painted(1)
    notebook.page.evaluate("() => window.panel.sessionContext.session.kernel.restart()")
    expect(notebook.find(".rw-gone-word")).to_have_text("kernel gone", timeout=30_000)
    expect(notebook.find(".rw-head .rw-status-word")).to_have_text("was Running")
    assert notebook.lines() == {"loss": 1}
    notebook.run(0, 1)
    expect(notebook.find(".rw-head .rw-status-word")).to_have_text("Running")
    notebook.wait_painted(1)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_printed_the_display_is_dark_on_white_with_no_controls(open_notebook, theme):
    notebook = open_notebook([SETUP, SHOW], theme=theme)
    notebook.run()
    notebook.wait_painted(1)
    notebook.page.emulate_media(media="print")
    colors = notebook.find(".rw-header").evaluate(
        "(node) => { const s = getComputedStyle(node); return [s.backgroundColor, s.color]; }"
    )
    lights = [sum(map(float, color.strip("rgba()").split(",")[:3])) for color in colors]
    assert lights[0] > 3 * 245
    assert lights[1] < 3 * 60
    for hidden in (".rw-toolbar", ".rw-refresh", ".rw-cancel", ".rw-tabs"):
        assert notebook.find(f"{hidden}:visible").count() == 0, hidden
    expect(notebook.find(".rw-page-metrics tbody tr")).to_have_count(1)
    assert notebook.find(".rw-chart svg").first.is_visible()
