"""Who can use the display: with a keyboard, with a screen reader, with weak eyes, without things that move."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
import io
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "reach").start_logging(name="a run")
run.log_list("loss", [3.0, 2.0, 1.25, float("nan"), float("inf")])
run.log_table("curve", {"x": [0.0, 1.0], "sine": [0.0, 0.8], "cosine": [1.0, 0.5]})
run.log("phase", "warm-up")
run.set_tags({"model": "mlp", "starred": None})
run.add_properties({"key": "value"})
run.upload_file("outputs/model.bin", io.BytesIO(b"model"))
run.upload_file("logs/std_log.txt", io.BytesIO(b"one\\nWARNING two\\n"))
for name, error in (("alpha", None), ("beta", "it broke")):
    child = run.child_run(name=name)
    child.log("mse", 3298.5)
    child.complete() if error is None else child.fail(error)
run.progress(3, unit="batches")
"""
SHOW = "details = RunDetails(run, refresh_seconds=0.5); details.show()"
FAIL = "run.fail('the loss is gone', error_code='ValueError')"
TABS = ("Child runs", "Details", "Logs", "Images", "Metrics")

# The texts that can be seen, with their colour and what is behind it; colours as the screen has them.
FAINT = """
    (root) => {
        const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
        const rgba = (color) => {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = color;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
            return [r, g, b, a / 255];
        };
        const over = ([r, g, b, a], under) => [r, g, b].map((part, i) => part * a + under[i] * (1 - a));
        const linear = (part) => part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4;
        const luminance = (rgb) => 0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2]);
        const behind = (node) => {
            const above = [];
            for (let at = node; at; at = at.parentElement) above.push(rgba(getComputedStyle(at).backgroundColor));
            return above.reverse().reduce((under, color) => over(color, under), [255, 255, 255]);
        };
        const found = [];
        let count = 0;
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const node = walker.currentNode.parentElement;
            const text = walker.currentNode.data.trim();
            const box = node.getBoundingClientRect();
            if (!text || box.width === 0 || box.height <= 1) continue;
            if (!node.checkVisibility({ visibilityProperty: true })) continue;
            if (node.closest("[aria-hidden=true], [aria-disabled=true], option")) continue;
            if (getComputedStyle(node).opacity === "0") continue; // what comes with the pointer or the focus
            const style = getComputedStyle(node);
            const under = behind(node);
            const ink = over(rgba(node instanceof SVGElement ? style.fill : style.color), under);
            let opacity = 1;
            for (let at = node; at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
            const seen = over([...ink, opacity], under);
            const [dark, light] = [luminance(seen), luminance(under)].sort((a, b) => a - b);
            const contrast = (light + 0.05) / (dark + 0.05);
            count++;
            if (contrast < 4.5)
                found.push(`${contrast.toFixed(2)} ${text.slice(0, 30)} <${node.getAttribute("class")}>`);
        }
        return [count, found];
    }
"""
# What can be pressed or filled in and has no name.
NAMELESS = """
    (root) => [...root.querySelectorAll("button, input, select, a, [role=tab], [role=img], [role=progressbar]")]
        .filter((node) => node.checkVisibility({ visibilityProperty: true }))
        .filter((node) => !["aria-label", "aria-labelledby", "alt"].some((name) => node.getAttribute(name)))
        .filter((node) => !node.textContent.trim() && !node.labels?.length)
        .map((node) => node.outerHTML.slice(0, 200))
"""
LIVE_REGIONS = """
    (root) => [...root.querySelectorAll("[role=status], [role=alert], [role=log], [aria-live]")]
        .filter((node) => node.getAttribute("aria-live") !== "off")
        .map((node) => [node.getAttribute("class") ?? "", node.textContent])
"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_every_text_stands_out_from_what_is_behind_it(open_notebook, theme):
    notebook = open_notebook([SETUP, SHOW, FAIL], theme=theme)
    notebook.run(0, 1)
    notebook.wait_painted(2)
    expect(notebook.find(".rw-head .rw-status-word")).to_have_text("Running")
    faint = dict.fromkeys(TABS)
    for title in TABS:
        notebook.tab(title).click()
        expect(notebook.tab(title)).to_have_attribute("aria-selected", "true")
        count, faint[title] = notebook.widget.evaluate(FAINT)
        assert count > 9
    notebook.run(2)
    expect(notebook.find(".rw-banner-error")).to_be_visible()
    faint["failed"] = notebook.widget.evaluate(FAINT)[1]
    assert {title: found for title, found in faint.items() if found} == {}


def test_it_can_be_used_by_keyboard_and_is_named_for_who_does_not_see_it(open_notebook):
    notebook = open_notebook([SETUP, SHOW])
    notebook.run()
    notebook.wait_painted(2)
    page = notebook.page
    for title in TABS:
        notebook.tab(title).click()
        assert notebook.widget.evaluate(NAMELESS) == []
    # The strip is one stop, arrows go along it, and the focus can be seen.
    strip = notebook.find("[role=tablist]")
    expect(strip.locator("[tabindex='0']")).to_have_count(1)
    notebook.tab("Metrics").focus()
    page.keyboard.press("ArrowRight")
    expect(notebook.tab("Child runs")).to_be_focused()
    expect(notebook.tab("Child runs")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Home")
    expect(notebook.tab("Metrics")).to_be_focused()
    # From the strip on, each stop is further down the page, is seen, and has an outline.
    stops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        stop = page.evaluate("""() => {
            const node = document.activeElement, style = getComputedStyle(node);
            const inside = node.closest(".runwidgets") !== null;
            const outline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
            const { top, left, width } = node.getBoundingClientRect();
            return { inside, top, left, width, outline, html: node.outerHTML.slice(0, 120) };
        }""")
        if not stop["inside"]:
            break
        stops.append(stop)
    assert len(stops) >= 5
    assert [stop["html"] for stop in stops if not (stop["outline"] and stop["width"])] == []
    rows = [stop["top"] for stop in stops]
    assert all(after >= before - 30 for before, after in pairwise(rows)), rows


def test_a_change_of_status_is_read_out_and_what_ticks_is_not(open_notebook):
    notebook = open_notebook([SETUP, SHOW, FAIL])
    notebook.run(0, 1)
    notebook.wait_painted(2)
    regions = dict(notebook.widget.evaluate(LIVE_REGIONS))
    assert "Running" in regions.values()
    before = notebook.find(".rw-time").text_content()
    expect(notebook.find(".rw-time")).not_to_have_text(before)
    expect(notebook.find(".rw-time")).not_to_have_text(notebook.find(".rw-time").text_content())
    assert dict(notebook.widget.evaluate(LIVE_REGIONS)) == regions, "what ticks is read out"
    notebook.run(2)
    expect(notebook.find(".rw-head [role=status]").first).to_have_text("Failed")
    expect(notebook.find("[role=alert]:visible")).to_contain_text("the loss is gone")


def test_nothing_moves_where_that_is_not_wanted(open_notebook):
    notebook = open_notebook([SETUP, SHOW])
    notebook.run()
    notebook.wait_painted(2)
    moving = "() => document.getAnimations().filter((one) => one.effect.target?.closest('.runwidgets')).length"
    notebook.page.wait_for_function(f"() => ({moving})() > 0")
    notebook.page.emulate_media(reduced_motion="reduce")
    notebook.page.wait_for_function(f"() => ({moving})() === 0")
