"""A closer look at charts: choosing a part, reading values, and which charts are drawn at all."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.browser.test_charts import BUSY, SETUP, SHOW, chart, choose, eventually, tick_texts

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = "run.log_list('long', [i % 1000 / 1000 for i in range(200_000)])\nrun.log_list('other', list(range(200_000)))"
OWN = """
import ipywidgets
figures = RunDetails(run, refresh_seconds=0.5).figures
ipywidgets.VBox([figures["loss"], figures["t"]])
"""
THEMES = pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])


def figure(notebook, title: str):
    return chart(notebook, title).locator(".bqplot")


def plot(notebook, title: str) -> dict[str, float]:
    return figure(notebook, title).locator(".plotarea_background").bounding_box()


def drag(notebook, title: str, start: float, end: float) -> None:
    """Drag over a part of a chart, by shares of its width."""
    area, mouse = plot(notebook, title), notebook.page.mouse
    middle = area["y"] + area["height"] / 2
    mouse.move(area["x"] + area["width"] * start, middle)
    mouse.down()
    mouse.move(area["x"] + area["width"] * (start + end) / 2, middle)
    mouse.move(area["x"] + area["width"] * end, middle)
    mouse.up()


def point(notebook, title: str, at: float) -> None:
    area = plot(notebook, title)
    notebook.page.mouse.move(area["x"] + area["width"] * at - 2, area["y"] + 20)
    notebook.page.mouse.move(area["x"] + area["width"] * at, area["y"] + 20)


def falls(notebook, title: str) -> int:
    """Count how often a line goes down."""
    path = figure(notebook, title).locator("path.line").first.get_attribute("d")
    heights = [float(point.partition(",")[2]) for point in path.removeprefix("M").split("L")]
    return sum(after > before for before, after in pairwise(heights))


def resets(notebook):
    return notebook.find(".rw-reset")


@THEMES
def test_a_part_is_chosen_by_dragging_and_shown_in_detail_until_it_is_reset(open_notebook, theme):
    notebook = open_notebook([SETUP + LONG, SHOW], theme=theme)
    notebook.run()
    notebook.wait_painted(2)
    whole = tick_texts(notebook, "long", "x")
    assert whole[-1] == "200k"

    drag(notebook, "long", 0.5, 0.52)  # of 200 teeth of a saw four
    eventually(notebook, lambda: tick_texts(notebook, "long", "x"), lambda texts: texts != whole)
    expect(notebook.find(".rw-brush")).to_have_count(0)
    eventually(notebook, lambda: falls(notebook, "long"), lambda count: 3 <= count <= 6)
    assert tick_texts(notebook, "other", "x") == whole

    for again in (
        lambda: resets(notebook).click(),
        lambda: (point(notebook, "long", 0.5), notebook.page.mouse.dblclick(*centre(notebook, "long"))),
        lambda: (figure(notebook, "long").focus(), notebook.page.keyboard.press("Escape")),
    ):
        if resets(notebook).count() == 0:
            drag(notebook, "long", 0.25, 0.5)
            expect(resets(notebook)).to_have_count(1)
        again()
        expect(resets(notebook)).to_have_count(0)
        eventually(notebook, lambda: tick_texts(notebook, "long", "x"), whole)


def centre(notebook, title: str) -> tuple[float, float]:
    area = plot(notebook, title)
    return area["x"] + area["width"] / 2, area["y"] + area["height"] / 2


def test_the_zoom_stays_while_the_run_goes_on_and_through_pages_and_filters(open_notebook):
    many = "\nfor name in range(14):\n    run.log_list(f'metric {name:02}', [float(name + i % 7) for i in range(100)])"
    more = "for i in range(100, 150): run.log('metric 00', float(i))"
    notebook = open_notebook([SETUP + many, SHOW, more])
    notebook.run(0, 1)
    notebook.wait_painted(12)
    drag(notebook, "metric 00", 0.25, 0.5)
    expect(resets(notebook)).to_have_count(1)
    zoomed = tick_texts(notebook, "metric 00", "x")

    notebook.run(2)
    expect(chart(notebook, "metric 00").locator(".rw-chart-last")).to_have_text("149")
    assert tick_texts(notebook, "metric 00", "x") == zoomed
    notebook.page.get_by_role("button", name="Next charts").click()
    eventually(notebook, lambda: set(notebook.lines()), {"metric 12", "metric 13"})
    expect(resets(notebook)).to_have_count(0)
    notebook.page.get_by_role("button", name="Previous charts").click()
    expect(resets(notebook)).to_have_count(1)
    eventually(notebook, lambda: tick_texts(notebook, "metric 00", "x"), zoomed)
    notebook.find(".rw-metrics .rw-filter").fill("metric 0")
    eventually(notebook, lambda: len(notebook.lines()), 10)
    assert tick_texts(notebook, "metric 00", "x") == zoomed

    resets(notebook).focus()
    notebook.page.keyboard.press("Enter")
    expect(resets(notebook)).to_have_count(0)
    # The button was the place of the keyboard; now the chart is.
    assert figure(notebook, "metric 00").evaluate("(node) => node === document.activeElement")


def test_one_range_for_all_charts_where_that_is_wanted_and_none_across_kinds_of_axes(open_notebook):
    notebook = open_notebook([SETUP + LONG, SHOW])
    notebook.run()
    notebook.wait_painted(2)
    notebook.find(".rw-linked").click()
    expect(notebook.find(".rw-linked")).to_have_attribute("aria-pressed", "true")
    whole = tick_texts(notebook, "other", "x")
    drag(notebook, "other", 0.5, 0.75)
    expect(resets(notebook)).to_have_count(2)
    eventually(
        notebook,
        lambda: [tick_texts(notebook, name, "x") for name in ("long", "other")],
        lambda texts: texts[0] == texts[1] not in ([], whole),
    )
    choose(notebook, "x", "time")
    expect(resets(notebook)).to_have_count(0)
    choose(notebook, "x", "step")
    expect(resets(notebook)).to_have_count(2)


@pytest.mark.parametrize("y_scale", ["linear", "log"])
@pytest.mark.parametrize("x_axis", ["time", "relative"])
def test_a_part_of_times_is_chosen_too_and_on_a_logarithmic_axis(open_notebook, x_axis, y_scale):
    notebook = open_notebook([SETUP + "for i in range(60): run.log('v', 1.5 ** i); time.sleep(0.02)", SHOW])
    notebook.run()
    notebook.wait_painted(1)
    choose(notebook, "x", x_axis)
    choose(notebook, "y", y_scale)
    before = tick_texts(notebook, "v", "x")
    drag(notebook, "v", 0.3, 0.6)
    expect(resets(notebook)).to_have_count(1)
    eventually(notebook, lambda: tick_texts(notebook, "v", "x"), lambda texts: texts not in ([], before))
    point(notebook, "v", 0.5)
    expect(notebook.find(".rw-readout-x")).to_contain_text("time" if x_axis == "time" else "seconds since the start")


@pytest.mark.parametrize("busy", BUSY)
def test_charts_are_zoomed_and_read_while_a_cell_runs(open_notebook, gate, busy):
    notebook = open_notebook([SETUP + LONG, SHOW, getattr(gate, busy)])
    notebook.run(0, 1)
    notebook.wait_painted(2)
    notebook.start(2)
    notebook.page.wait_for_timeout(300)
    point(notebook, "other", 0.5)
    expect(notebook.find(".rw-readout-x")).to_contain_text("index")
    drag(notebook, "long", 0.25, 0.5)
    expect(resets(notebook)).to_have_count(1)
    assert notebook.is_busy(2)


def test_a_zoom_that_python_does_not_answer_says_so_and_escape_takes_it_back(open_notebook):
    notebook = open_notebook([SETUP + LONG, SHOW])
    notebook.run()
    notebook.wait_painted(2)
    # As of a host that keeps messages until a cell has ended.
    notebook.page.evaluate("() => { window.panel.sessionContext.session.kernel._sendMessage = () => {}; }")
    drag(notebook, "long", 0.25, 0.5)
    expect(notebook.find(".rw-brush-word")).to_have_text("waiting for Python …")
    notebook.page.keyboard.press("Escape")
    expect(notebook.find(".rw-brush")).to_have_count(0)


@THEMES
def test_pointing_at_a_chart_reads_the_values_of_its_lines(open_notebook, theme):
    table = "run.log_table('t', {'a': [1, 2, 3, 4, 5], 'b': [2.0, 4, 6, 8, 10], 'c': [7, 7, 7, 7, 7]})"
    stepped = "\nfor i in range(11): run.log('loss', i / 7, step=1_000_001 + i)"
    notebook = open_notebook([SETUP + table + stepped, SHOW], theme=theme)
    notebook.run()
    notebook.wait_painted(2)
    point(notebook, "t", 0.5)
    expect(notebook.find(".rw-readout-x")).to_have_text("index 2")
    expect(notebook.find(".rw-readout tr")).to_have_text(["a3", "b6", "c7"])
    point(notebook, "loss", 0.5)
    expect(notebook.find(".rw-readout-x")).to_have_text("step 1\u202f000\u202f006")
    expect(notebook.find(".rw-readout tr")).to_have_text(["loss0.7143"])
    notebook.find(".rw-smoothing").fill("0.9")
    expect(notebook.find(".rw-readout-raw")).to_have_text("")
    eventually(notebook, lambda: set(notebook.lines().values()), {2, 6})
    point(notebook, "loss", 0.51)
    expect(notebook.find(".rw-readout-raw")).to_have_text("raw 0.7143")
    # Nothing of it is in the way of the wheel, and it goes with the pointer.
    notebook.page.mouse.move(5, 5)
    expect(notebook.find(".rw-readout")).to_have_count(0)

    figure(notebook, "loss").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight"):
        notebook.page.keyboard.press(key)
    expect(notebook.find(".rw-readout-x")).to_have_text("step 1\u202f000\u202f003")
    notebook.page.keyboard.press("+")
    expect(resets(notebook)).to_have_count(1)


def test_charts_are_drawn_when_they_come_into_sight(open_notebook):
    many = "\nfor name in range(12):\n    run.log_list(f'metric {name:02}', [1.0, 2.0, float(name)])"
    # However slow the page is: nothing is drawn because it has not yet said what is seen, or says it between cells.
    patient = (
        "\nfrom runwidgets.watch.lens import Sight\nfrom runwidgets.widgets import drawing"
        "\ndrawing._PATIENCE_SECONDS = 600\nSight.give_up = lambda self: None"
    )
    notebook = open_notebook([SETUP + many + patient, SHOW], height=360)
    notebook.run()
    eventually(notebook, lambda: notebook.find(".rw-chart").count(), 12)
    notebook.find(".rw-place-0").scroll_into_view_if_needed()
    notebook.find(".rw-place-0 path.line").wait_for()
    # Wherever JupyterLab has scrolled to: some are too far away.
    away = [n for n in range(12) if notebook.find(f".rw-place-{n} .bqplot").count() == 0]
    assert 0 < len(away) < 12
    card = notebook.find(f".rw-place-{away[0]}")
    expect(card.locator(".rw-chart-title")).to_have_text(f"metric {away[0]:02}")
    card.scroll_into_view_if_needed()
    card.locator("path.line").wait_for()


def test_what_nobody_sees_is_caught_up_with_when_it_is_seen(open_notebook):
    notebook = open_notebook([SETUP + "run.log_list('v', [1.0, 2.0, 3.0])", SHOW, "run.log('v', 44.0)", "run.flush()"])
    notebook.run(0, 1)
    notebook.wait_painted(1)
    turn = (
        "(state) => { Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    notebook.page.evaluate(turn, "hidden")
    notebook.page.wait_for_timeout(500)
    notebook.run(2)
    notebook.page.wait_for_timeout(2000)
    last = notebook.find(".rw-page-metrics tbody td").first
    assert last.text_content() == "3"
    notebook.page.evaluate(turn, "visible")
    expect(last).to_have_text("44")
    expect(chart(notebook, "v").locator(".rw-chart-last")).to_have_text("44")


def test_figures_of_ones_own_dashboard_stay_live_with_no_display_shown(open_notebook):
    notebook = open_notebook([
        SETUP + "run.log_list('loss', [3.0, 2.0])\nrun.log_table('t', {'a': [1, 2], 'b': [3, 4], 'c': [5, 6]})",
        OWN,
        "run.log_list('loss', [900.0])",
    ])  # fmt: skip
    notebook.run(0, 1)
    figures = notebook.page.locator(".bqplot")
    expect(figures).to_have_count(2)
    ticks = figures.first.locator(".axis").nth(1).locator(".tick text")
    expect(ticks.last).to_have_text("3")
    expect(figures.first.locator(".mainheading")).to_have_text("loss")
    expect(figures.last.locator(".legendtext")).to_have_count(3)
    notebook.run(2)
    expect(ticks.last).to_have_text("500")
