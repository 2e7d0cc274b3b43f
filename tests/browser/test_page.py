"""The page of `save_html` in a browser that is offline: it shows itself, loads nothing, complains of nothing."""

from __future__ import annotations

import math
import re

import pytest

from runwidgets import Experiment, Workspace
from runwidgets.watch.saving import save_html
from tests.test_pictures import PNG

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HOSTILE = "<img src=x onerror=window.__hacked=1>"


@pytest.fixture
def file(tmp_path):
    """A page with one of everything."""
    run = Experiment(Workspace(), "page").start_logging(name=HOSTILE)
    (tmp_path / "image.png").write_bytes(PNG)
    for name in ("loss", HOSTILE, "a name " * 40):
        run.log_list(name, [3.0, math.nan, 2.0, math.inf, 1.0])
    run.log_table("table", {f"column {HOSTILE} {i}": [float(i), 2.0, 3.0] for i in range(12)})
    run.log("text", "word" * 200)
    run.log_image(f"{HOSTILE} image", path=str(tmp_path / "image.png"))
    run.set_tags({HOSTILE: HOSTILE * 9})
    for alpha in range(3):
        with run.child_run(name=HOSTILE) as child:
            child.log("mse", alpha)
    run.fail(HOSTILE, error_code=HOSTILE)
    return save_html(run, tmp_path / "run.html")


@pytest.fixture
def open_page(file, browser):
    contexts, complaints, asked = [], [], []

    def open_(width=1280, scheme="light"):
        context = browser.context(offline=True, color_scheme=scheme, viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"file://{file}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("width", [360, 800, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_and_can_be_read(open_page, width, scheme):
    page = open_page(width, scheme)
    assert page.evaluate("() => document.documentElement.scrollWidth") == width
    assert page.evaluate("() => [...document.images].every((image) => image.naturalWidth > 0)")
    assert page.locator("svg.rw-svg").count() == 4
    for chart in page.locator("svg.rw-svg").all():
        box = chart.bounding_box()
        assert box["width"] >= 300
        assert box["x"] + box["width"] <= width
    assert page.evaluate("() => window.__hacked") is None
    dark, ink = page.evaluate(
        "() => { const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]; }"
    )
    brightness = [sum(map(int, re.findall(r"\d+", color))) for color in (dark, ink)]
    assert (brightness[0] < brightness[1]) is (scheme == "dark")


def test_printed_it_is_light_with_all_that_was_folded_up(open_page):
    page = open_page(scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf()[:4] == b"%PDF"
