"""The display in narrow and wide pages, and its gallery."""

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
    for title in ("Child runs", "Images", "Details", "Metrics"):
        notebook.tab(title).click()
        assert notebook.widget.evaluate("(root) => root.scrollWidth <= root.clientWidth"), title
        assert notebook.widget.evaluate(STICKING_OUT) == [], title
    status, aside = notebook.find(".rw-head .rw-status").bounding_box(), notebook.find(".rw-aside").bounding_box()
    is_below = aside["y"] >= status["y"] + status["height"]
    assert is_below == (width == 360)
    plots = [plot.bounding_box() for plot in notebook.find(".rw-chart .bqplot > svg").all()]
    assert all(plot["width"] <= width for plot in plots)
    assert len({plot["x"] for plot in plots}) == (1 if width == 360 else 2)


def test_gallery_shows_pictures_and_opens_one_large(open_notebook):
    images = """
import matplotlib.pyplot as plt
for i in range(3):
    figure = plt.figure(figsize=(6, 4))
    figure.add_subplot().plot([1, 3, i])
    run.log_image("confusion", plot=figure)
    plt.close(figure)
"""
    notebook = open_notebook([SETUP, images, SHOW])
    notebook.run()
    expect(notebook.tab("Images")).to_contain_text("3")
    notebook.tab("Images").click()
    pictures = notebook.find(".rw-gallery img")
    expect(pictures).to_have_count(3)
    for picture in pictures.all():
        picture.evaluate("(img) => img.decode()")
        assert picture.evaluate("(img) => img.naturalWidth") == 600
    viewer = notebook.page.locator("dialog.rw-viewer")
    expect(viewer).to_be_hidden()
    notebook.find(".rw-image-frame").nth(1).click()
    expect(viewer).to_be_visible()
    assert viewer.locator("img").evaluate("(img) => img.clientWidth") == 600
    notebook.page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
