"""Child runs in a browser: thousands of rows, what comes in meanwhile, the pop-up of one, and their charts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_layout import STICKING_OUT, fit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
import time
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "browser").start_logging(name="a sweep", outputs=False, snapshot_directory=None)
def make(i, loss=None, ends=True):
    child = run.child_run(name=f"trial {i:05}")
    child.set_tags({"lr": f"{10 ** -(1 + i % 5)}", "depth": str(i % 7), "optimizer": ["adam", "sgd"][i % 2]})
    child.log_list("val_loss", [9.0, 1.0 + i * 7919 % 1009 / 1009 if loss is None else loss])
    if ends:
        child.complete()
    return child
"""
MANY = "for i in range(2000): make(i)\nrun.flush()"
FEW = "for i in range(8): make(i)\nmake(8, ends=False)\nmake(9, ends=False).fail('CUDA out of memory', 'OutOfMemory')"
SHOW = "details = RunDetails(run, refresh_seconds=0.5); details.show()"
LIVE = """
for second in range(3):
    for i in range(10):
        make(3000 + second * 10 + i, loss=0.5 - second / 10)
    time.sleep(0.5)
"""
# Where rows stand in the box, by their names: those that can be seen.
PLACES = """
    (grid) => {
        const box = grid.getBoundingClientRect();
        const places = {};
        for (const row of grid.querySelectorAll(".rw-grid-body [role=row]:not([hidden])")) {
            const { top, bottom } = row.getBoundingClientRect();
            if (top - box.top >= 27 && bottom <= box.bottom)
                places[row.querySelector("[role=rowheader]").textContent] = Math.round(top - box.top);
        }
        return places;
    }
"""


def grid_of(notebook):
    return notebook.find(".rw-grid").first


def rows_of(notebook):
    return grid_of(notebook).locator(".rw-grid-body [role=row]:not([hidden])")


def heading(notebook, title):
    return grid_of(notebook).get_by_role("button", name=title, exact=True)


def row_named(notebook, name):
    return rows_of(notebook).filter(has_text=name)


def active_row(notebook):
    return grid_of(notebook).evaluate(
        "(grid) => document.getElementById(grid.getAttribute('aria-activedescendant'))"
        "?.querySelector('[role=rowheader]').textContent"
    )


def test_two_thousand_rows_are_scrolled_sorted_and_filtered_with_a_few_elements(open_notebook):
    notebook = open_notebook([SETUP, MANY, SHOW])
    notebook.run()
    expect(notebook.tab("Child runs")).to_have_attribute("aria-selected", "true")
    expect(grid_of(notebook)).to_have_attribute("aria-rowcount", "2001")
    assert rows_of(notebook).count() < 40
    grid_of(notebook).evaluate("(grid) => { grid.scrollTop = 28 * 1500; }")
    expect(row_named(notebook, "trial 01503")).to_be_in_viewport()
    heading(notebook, "val_loss").click()
    expect(row_named(notebook, "trial 00000")).to_be_in_viewport()
    notebook.page.get_by_role("searchbox", name="Filter runs").fill("optimizer=sgd trial depth=3")
    expect(grid_of(notebook)).to_have_attribute("aria-rowcount", "144")
    expect(notebook.find(".rw-told")).to_contain_text("showing 143 of 2000")


def test_what_comes_in_moves_neither_rows_nor_selection(open_notebook):
    notebook = open_notebook([SETUP, MANY, SHOW, LIVE])
    notebook.run(0, 1, 2)
    heading(notebook, "val_loss").click()
    grid = grid_of(notebook)
    grid.evaluate("(grid) => { grid.scrollTop = 28 * 700 + 9; }")
    rows_of(notebook).nth(12).locator(".rw-grid-pick").click()
    selected = grid.locator("[aria-selected=true] [role=rowheader]").text_content()
    before = grid.evaluate(PLACES)
    assert len(before) > 5
    assert selected
    notebook.start(3)
    expect(grid).to_have_attribute("aria-rowcount", "2031", timeout=20_000)
    assert grid.evaluate(PLACES) == before
    assert grid.locator("[aria-selected=true] [role=rowheader]").text_content() == selected
    notebook.wait(3)


def test_a_row_opens_its_run_in_a_pop_up_that_keys_walk_and_close(open_notebook):
    check = "print(details._pages['children'].popup.run_id, len(details._pages['children'].children))"
    notebook = open_notebook([SETUP, FEW, SHOW, check])
    notebook.run(0, 1, 2)
    popup, bar = notebook.find(".rw-popup"), notebook.find(".rw-popup-name")
    row_named(notebook, "trial 00003").locator("[role=rowheader]").click()
    expect(bar).to_have_text("trial 00003")
    expect(popup.locator(".rw-head .rw-run")).to_have_text("trial 00003")
    expect(popup.locator(".rw-page-metrics tbody th")).to_have_text(["val_loss"])
    expect(notebook.find(".rw-popup-place")).to_have_text("4 of 10")
    expect(notebook.find(".rw-popup-bar")).to_be_focused()
    for _ in range(2):
        notebook.page.keyboard.press("ArrowDown")
    expect(bar).to_have_text("trial 00005")
    expect(popup.locator(".rw-head .rw-run")).to_have_text("trial 00005")
    popup.get_by_role("tab", name="Details").click()
    notebook.page.keyboard.press("Escape")
    expect(popup).to_be_hidden()
    expect(grid_of(notebook)).to_be_focused()
    assert active_row(notebook) == "trial 00005"
    notebook.page.keyboard.press("ArrowDown")
    notebook.page.keyboard.press("Enter")
    expect(popup.locator(".rw-head .rw-run")).to_have_text("trial 00006")
    notebook.page.get_by_role("button", name="Close", exact=True).click()
    expect(popup).to_have_count(0)
    notebook.run(3)
    assert notebook.text(3).split() == ["None", "1"]


def test_a_run_opens_and_closes_while_a_cell_runs(open_notebook, gate):
    notebook = open_notebook([SETUP, FEW, SHOW, gate.sleeping])
    notebook.run(0, 1, 2)
    expect(row_named(notebook, "trial 00001")).to_be_visible()
    notebook.start(3)
    row_named(notebook, "trial 00001").locator("[role=rowheader]").click()
    expect(notebook.find(".rw-popup .rw-head .rw-run")).to_have_text("trial 00001")
    assert notebook.is_busy(3)
    notebook.page.keyboard.press("Escape")
    expect(notebook.find(".rw-popup")).to_be_hidden()
    gate.open()
    notebook.wait(3)


def test_a_failed_child_says_so_and_a_click_on_its_count_shows_it_alone(open_notebook):
    notebook = open_notebook([SETUP, FEW, SHOW])
    notebook.run()
    expect(notebook.find(".rw-count-button:visible")).to_have_text(["1 running", "8 completed", "1 failed"])
    notebook.page.get_by_role("button", name="1 failed").click()
    expect(rows_of(notebook)).to_have_count(1)
    expect(rows_of(notebook).locator("[title='OutOfMemory: CUDA out of memory']")).to_have_text("Failed")


def test_an_axis_that_is_brushed_filters_the_table(open_notebook):
    notebook = open_notebook([SETUP, FEW, SHOW])
    notebook.run()
    axis = notebook.find(".rw-parallel-catch").first  # depth, from 0 to 6
    axis.scroll_into_view_if_needed()
    box = axis.bounding_box()
    x, mouse = box["x"] + box["width"] / 2, notebook.page.mouse
    mouse.move(x, box["y"] + 6)
    mouse.down()
    mouse.move(x, box["y"] + 20)
    mouse.move(x, box["y"] + box["height"] * 0.3)
    mouse.up()
    expect(rows_of(notebook).locator("[role=rowheader]")).to_have_text(["trial 00005", "trial 00006"])
    notebook.page.get_by_role("button", name="Clear brushes").click()
    expect(rows_of(notebook)).to_have_count(10)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_best_lines_stand_out_from_the_page_in_light_and_dark(open_notebook, theme):
    notebook = open_notebook([SETUP, FEW, SHOW], theme=theme)
    notebook.run()
    expect(notebook.find(".rw-parallel-title").first).to_be_visible()
    strongest = notebook.find(".rw-parallel-lines").evaluate("""
        (canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let most = 0;
            for (let i = 3; i < data.length; i += 4) most = Math.max(most, data[i]);
            return most;
        }
    """)
    assert strongest > 180


@pytest.mark.parametrize("width", [360, 1600])
def test_nothing_of_a_sweep_sticks_out_sideways(open_notebook, width):
    notebook = open_notebook([SETUP, FEW, SHOW], height=1800)
    notebook.run()
    expect(rows_of(notebook)).to_have_count(10)
    fit(notebook, width)
    charts = [chart.bounding_box() for chart in notebook.find(".rw-run-chart").all()]
    assert len({chart["y"] for chart in charts}) == (3 if width == 360 else 2)
    assert max(chart["x"] + chart["width"] for chart in charts[:2]) > charts[2]["x"] + charts[2]["width"] - 2
    notebook.page.get_by_role("button", name="Columns", exact=True).click()
    assert notebook.widget.evaluate("(root) => root.scrollWidth <= root.clientWidth")
    assert notebook.widget.evaluate(STICKING_OUT) == []
    row_named(notebook, "trial 00001").locator("[role=rowheader]").click()
    expect(notebook.find(".rw-popup .rw-head .rw-run")).to_have_text("trial 00001")
    assert notebook.widget.first.evaluate(STICKING_OUT) == []


def test_what_was_chosen_outlives_a_reload_of_the_page(open_notebook):
    notebook = open_notebook([SETUP, FEW, SHOW])
    notebook.run()
    heading(notebook, "name").click()
    heading(notebook, "name").click()
    row_named(notebook, "trial 00004").locator(".rw-grid-pick").click()
    expect(grid_of(notebook).locator("[aria-selected=true]")).to_have_count(1)
    notebook.save()
    notebook.load()
    expect(grid_of(notebook).locator("[aria-selected=true]")).to_contain_text(["trial 00004"])
    places = grid_of(notebook).evaluate(PLACES)
    assert min(places, key=places.get) == "trial 00009"
