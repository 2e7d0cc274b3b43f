"""The gallery of images in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
import struct, threading, time, zlib
import matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot as plt
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "browser").start_logging(name="a run", snapshot_directory=None)
def draw(name, value, size=(6, 4)):
    figure = plt.figure(figsize=size)
    figure.add_subplot().plot([1, 3, value])
    run.log_image(name, plot=figure)
    plt.close(figure)
"""
SHOW = "details = RunDetails(run, refresh_seconds=0.5); details.show()"
THREE = "for i in range(3): draw('confusion', i)"
BOMB = r"""
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def png(size, data):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", data) + chunk(b"IEND", b"")
rows = zlib.compress(b"\0" * 200)
for name, data in (("bomb", png(30_000, rows)), ("cut off", png(1, rows)[:-8])):
    with open("picture.png", "wb") as file: file.write(data)
    run.log_image(name, path="picture.png")
"""


def shown(notebook, name):
    """Find the card of a name."""
    return notebook.find(".rw-card").filter(has=notebook.page.get_by_text(name, exact=True))


def test_a_name_has_a_card_whose_slider_walks_its_steps_and_follows_the_latest(open_notebook):
    notebook = open_notebook([SETUP + THREE, SHOW, "draw('confusion', 9)"])
    notebook.run(0, 1)
    expect(notebook.tab("Images")).to_contain_text("3")
    notebook.tab("Images").click()
    card = shown(notebook, "confusion")
    picture, step = card.locator("img"), card.locator(".rw-step")
    expect(step).to_have_text("#3 of 3")
    expect(picture).to_be_visible()
    picture.evaluate("(img) => img.decode()")
    assert picture.evaluate("(img) => img.naturalWidth") == 600
    notebook.run(2)
    expect(step).to_have_text("#4 of 4")
    slider = card.get_by_role("slider")
    slider.press("ArrowLeft")
    slider.press("ArrowLeft")
    expect(step).to_have_text("#2 of 4")
    expect(picture).to_have_attribute("alt", "confusion #2")
    slider.press("End")
    expect(step).to_have_text("#4 of 4")


def test_a_picture_opens_at_full_size_with_arrows_zoom_and_download(open_notebook):
    notebook = open_notebook([SETUP + THREE + "\ndraw('wide', 2, (30, 3))", SHOW])
    notebook.run()
    notebook.tab("Images").click()
    viewer = notebook.page.locator("dialog.rw-viewer")
    expect(viewer).to_be_hidden()
    shown(notebook, "confusion").locator(".rw-image-frame").first.click()
    expect(viewer).to_be_visible()
    expect(viewer.locator("img")).to_have_js_property("clientWidth", 600)
    notebook.page.keyboard.press("ArrowLeft")
    expect(viewer.locator(".rw-viewer-number")).to_have_text("#2 of 3")
    notebook.page.keyboard.press("ArrowDown")
    expect(viewer.locator(".rw-viewer-name")).to_have_text("wide")
    expect(viewer.locator(".rw-viewer-facts")).to_contain_text("3000 \N{MULTIPLICATION SIGN} 300")
    page = notebook.page.viewport_size["width"]
    expect(viewer.locator("img")).to_be_visible()
    assert viewer.locator("img").evaluate("(img) => img.clientWidth") < page
    viewer.get_by_role("button", name="Show at its own size").click()
    expect(viewer.locator("img")).to_have_js_property("clientWidth", 3000)
    with notebook.page.expect_download() as download:
        viewer.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.startswith("wide")
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    notebook.page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()


def test_steps_stand_side_by_side_and_sliders_move_together(open_notebook):
    notebook = open_notebook([SETUP + "for i in range(12): draw('a', i); draw('b', i)", SHOW])
    notebook.run()
    notebook.tab("Images").click()
    notebook.page.get_by_role("button", name="Move together").click()
    shown(notebook, "a").get_by_role("slider").focus()
    notebook.page.keyboard.press("Home")
    expect(shown(notebook, "b").locator(".rw-step")).to_have_text("#1 of 12")
    shown(notebook, "a").get_by_role("button", name="Steps of a side by side").click()
    captions = shown(notebook, "a").locator(".rw-beside figcaption")
    expect(captions).to_have_text(["#1", "#3", "#4", "#6", "#7", "#9", "#10", "#12"])
    expect(shown(notebook, "a").locator(".rw-beside img").nth(7)).to_be_visible()


def test_what_would_hurt_a_browser_or_is_no_picture_says_so(open_notebook):
    notebook = open_notebook([SETUP + BOMB, SHOW], theme="JupyterLab Dark")
    notebook.run()
    notebook.tab("Images").click()
    for name, words in (
        ("bomb", "30,000 by 30,000 pixels are more than a browser should decode"),
        ("cut off", "the file is damaged or cut off: its image does not come to an end"),
    ):
        expect(shown(notebook, name).locator(".rw-image-note")).to_have_text(words)
    shown(notebook, "bomb").locator(".rw-image-frame").click()
    expect(notebook.page.locator("dialog.rw-viewer .rw-viewer-note")).to_contain_text("30,000 by 30,000")


def test_of_many_images_only_those_in_sight_are_sent(open_notebook):
    notebook = open_notebook([SETUP + "for i in range(120): draw(f'name {i:03}', 1, (1, 1))", SHOW], height=900)
    notebook.run(0)
    notebook.page.evaluate("() => { window.panel.content.widgets[0].inputHidden = true; }")
    notebook.run(1)
    assert notebook.page.evaluate("() => document.querySelectorAll('.rw-images img[src]').length") == 0
    notebook.tab("Images").click()
    expect(notebook.find(".rw-card img[src]").first).to_be_visible()
    assert notebook.find(".rw-card").count() == 120
    assert notebook.find(".rw-card img[src]").count() < 60
    last = notebook.find(".rw-card").last
    last.scroll_into_view_if_needed()
    expect(last.locator("img")).to_be_visible()


def test_pictures_come_while_a_cell_runs(open_notebook, gate):
    notebook = open_notebook([SETUP + THREE, SHOW, gate.sleeping])
    notebook.run(0, 1)
    notebook.start(2)
    notebook.tab("Images").click()
    expect(shown(notebook, "confusion").locator("img")).to_be_visible()
    assert notebook.is_busy(2)


def test_a_run_without_images_says_so(open_notebook):
    notebook = open_notebook([SETUP, SHOW])
    notebook.run()
    notebook.tab("Images").click()
    expect(notebook.find(".rw-page-images .rw-empty")).to_contain_text("No images yet")
