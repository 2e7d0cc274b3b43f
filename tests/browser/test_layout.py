"""The display in narrow and wide pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "browser-" + "long-" * 8).start_logging(name="a run with a name that is not short at all")
for name in ("loss", "validation/" + "accuracy-of-the-best-model-" * 3, "rate"):
    run.log_list(name, [3e-5, 2.123456789, 1e12, float("nan")])
run.log_row("table", **{"a long column " + str(i): i for i in range(6)})
run.log_row("table", **{"a long column " + str(i): i + 1 for i in range(6)})
run.set_tags({"tag" * 30: "value" * 30})
run.add_properties({"property" * 10: "value" * 30})
with run.child_run(name="child " * 20) as child:
    child.log("accuracy of the child", 0.5)
run.progress(14, 30, unit="epoch")
"""
SHOW = "details = RunDetails(run, refresh_seconds=2); details.show()"
# What sticks out of the root, but for what lies in a box that scrolls or cuts by itself.
STICKING_OUT = """
    (root) => {
        const { left, right } = root.getBoundingClientRect();
        const cut = (node) => {
            for (let at = node.parentElement; at !== root; at = at.parentElement)
                if (getComputedStyle(at).overflowX !== "visible") return true;
            return false;
        };
        return [...root.querySelectorAll("*")].filter((node) => {
            const box = node.getBoundingClientRect();
            return box.width > 0 && (box.right > right + 1 || box.left < left - 1) && !cut(node);
        }).map((node) => `${node.tagName} ${node.getAttribute("class")}`);
    }
"""


def fit(notebook, width: int) -> None:
    """Make the page so wide that the display is `width` wide."""
    for _ in range(5):  # what stands around it is narrower in a narrow page
        size = notebook.page.viewport_size
        missing = width - notebook.widget.evaluate("(root) => root.clientWidth")
        if missing == 0:
            return
        notebook.page.set_viewport_size({"width": size["width"] + missing, "height": size["height"]})
        notebook.page.wait_for_timeout(500)
    pytest.fail(f"the display does not become {width} wide")


@pytest.mark.parametrize("width", [360, 1600])
def test_nothing_sticks_out_sideways(open_notebook, width):
    notebook = open_notebook([SETUP, SHOW], height=1800)
    notebook.run()
    notebook.wait_painted(4)
    fit(notebook, width)
    notebook.page.wait_for_timeout(500)
    for title in ("Child runs", "Images", "Files", "Details", "Metrics"):
        notebook.tab(title).click()
        assert notebook.widget.evaluate("(root) => root.scrollWidth <= root.clientWidth"), title
        assert notebook.widget.evaluate(STICKING_OUT) == [], title
    status, aside = notebook.find(".rw-head .rw-status").bounding_box(), notebook.find(".rw-aside").bounding_box()
    is_below = aside["y"] >= status["y"] + status["height"]
    assert is_below == (width == 360)
    plots = [plot.bounding_box() for plot in notebook.find(".rw-chart .bqplot > svg").all()]
    assert all(plot["width"] <= width for plot in plots)
    assert len({plot["x"] for plot in plots}) == (1 if width == 360 else 2)


def test_tabs_of_a_narrow_display_are_one_row_that_scrolls_to_the_open_one(open_notebook):
    notebook = open_notebook([SETUP + "run.log_row('t', a=1)", SHOW], height=1800)
    notebook.run()
    fit(notebook, 360)
    strip = notebook.find("[role=tablist]")
    assert strip.bounding_box()["height"] < 45
    expect(strip).to_have_attribute("data-more", "right")
    details = notebook.tab("Details")
    notebook.tab("Metrics").focus()
    notebook.page.keyboard.press("End")
    expect(details).to_be_focused()
    expect(details).to_be_in_viewport(ratio=0.99)
    expect(strip).to_have_attribute("data-more", "left")
    box, frame = details.bounding_box(), strip.bounding_box()
    assert frame["x"] <= box["x"]
    assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
    notebook.page.keyboard.press("Home")
    expect(notebook.tab("Metrics")).to_be_in_viewport(ratio=0.99)
    expect(strip).to_have_attribute("data-more", "right")
