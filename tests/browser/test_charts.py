"""Charts of values that are hard to draw, and the controls above them, also while the kernel is busy."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
import time
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "browser").start_logging(name="a run")
nan, inf = float("nan"), float("inf")
"""
SHOW = "details = RunDetails(run, refresh_seconds=0.5); details.show()"
HARD = """
run.log_list("constant", [3.0] * 20)
run.log_list("constant zero", [0.0] * 20)
run.log("single", 0.5, step=7)
run.log_list("all nan", [nan] * 5)
run.log_list("holes", [1.0, 2.0, nan, 3.0, inf, 2.0, -inf, 1.0])
run.log_list("nan first", [nan, nan, 1.0, 2.0])
run.log_list("nan last", [1.0, 2.0, nan])
run.log_list("with zero", [0.0, 0.1, 10.0, 1000.0])
run.log_list("negative", [-1.0, -2.0, -3.0])
run.log_list("huge", [1e300, 2e300, 3e300])
run.log_list("widest", [-1.7e308, 0.0, 1.7e308])
run.log_list("tiny on big", [1e9 + i * 1e-4 for i in range(20)])
"""
NOTES = {
    "all nan": ["◆ 5 NaN"],
    "holes": ["◆ 1 NaN", "▲ 1 +Inf", "▼ 1 \N{MINUS SIGN}Inf"],
    "nan first": ["◆ 2 NaN"],
    "nan last": ["◆ 1 NaN"],
    "widest": ["⚠ drawn up to ±8e307"],
}
LOG_NOTES = {
    "all nan": ["⚠ no values > 0: linear axis", "◆ 5 NaN"],
    "constant zero": ["⚠ no values > 0: linear axis"],
    "negative": ["⚠ no values > 0: linear axis"],
    "with zero": ["⚠ values ≤ 0 are not shown"],
    "widest": ["⚠ drawn up to ±8e307", "⚠ values ≤ 0 are not shown"],
}
MANY = "for name in range(14):\n    run.log_list(f'metric {name:02}', [1 + name, 10, 100, 50])"
BUSY = ("sleeping", "computing")


def notes(notebook) -> dict[str, list[str]]:
    headings = notebook.find(".rw-chart .rw-heading").evaluate_all(
        "(all) => all.map((heading) => [heading.querySelector('.rw-chart-title').textContent,"
        " [...heading.querySelectorAll('.rw-note')].map((note) => note.textContent)])"
    )
    return {title: said for title, said in headings if said}


def chart(notebook, title: str):
    return notebook.find(".rw-chart").filter(has=notebook.page.get_by_text(title, exact=True))


def tick_texts(notebook, title: str, axis: str) -> list[str]:
    place = {"x": 0, "y": 1}[axis]
    return chart(notebook, title).locator(".axis").nth(place).locator(".tick text").all_text_contents()


def marks(notebook, title: str) -> dict[str, int]:
    """Count the marks of values that are not finite, told by their shape."""
    paths = (
        chart(notebook, title)
        .locator(".bqplot .object_grp path")
        .evaluate_all("(all) => all.map((mark) => mark.getAttribute('d'))")
    )
    shapes = [
        (len(re.findall(r"-?[\d.]+,-?[\d.]+", path)), path.startswith("M0,-")) for path in paths if "A" not in path
    ]
    return {"NaN": shapes.count((4, True)), "+Inf": shapes.count((3, True)), "-Inf": shapes.count((3, False))}


def choose(notebook, label: str, value: str) -> None:
    notebook.find(f'[role=group][aria-label="{label}"]').get_by_role("button", name=value, exact=True).click()


def eventually(notebook, read, wanted, seconds: float = 8) -> None:
    """Wait until what is read is what is wanted (or, given a function, suits it)."""
    for _ in range(int(seconds * 20)):
        found = read()
        if wanted(found) if callable(wanted) else found == wanted:
            return
        notebook.page.wait_for_timeout(50)
    pytest.fail(f"got {found!r}" + ("" if callable(wanted) else f", wanted {wanted!r}"))


def test_hard_values_are_drawn_or_the_chart_says_why_not(open_notebook):
    notebook = open_notebook([SETUP + HARD, SHOW])
    notebook.run()
    drawn = {"all nan": 0}
    everything = {title: drawn.get(title, 1) for title in re.findall(r'run\.log(?:_list)?\("([^"]+)"', HARD)}
    eventually(notebook, notebook.lines, everything)
    assert notes(notebook) == NOTES
    for title in everything:
        found = tick_texts(notebook, title, "y")
        assert found == [""] if title == "all nan" else len(set(found)) >= 2, title
    assert marks(notebook, "holes") == {"NaN": 1, "+Inf": 1, "-Inf": 1}
    assert marks(notebook, "all nan") == {"NaN": 5, "+Inf": 0, "-Inf": 0}
    dots = chart(notebook, "single").locator(".bqplot path.dot")
    expect(dots).to_have_count(1)
    assert dots.bounding_box()["width"] > 0
    in_rows = dict(zip(
        notebook.find(".rw-page-metrics tbody th").all_text_contents(),
        notebook.find(".rw-page-metrics tbody .rw-marks").all_text_contents(), strict=True,
    ))  # fmt: skip
    assert {name: text for name, text in in_rows.items() if text} == {
        "all nan": "⚠ 5 NaN", "holes": "⚠ 1 NaN, 2 Inf", "nan first": "⚠ 2 NaN", "nan last": "⚠ 1 NaN"
    }  # fmt: skip

    choose(notebook, "y", "log")
    eventually(notebook, lambda: notes(notebook), {**NOTES, **LOG_NOTES})
    eventually(notebook, notebook.lines, everything)
    for x_axis in ("index", "time", "relative", "step"):
        choose(notebook, "x", x_axis)
        expect(notebook.find(f'.rw-choice[aria-pressed="true"]:text-is("{x_axis}")')).to_be_visible()
        notebook.page.wait_for_timeout(400)
        eventually(notebook, notebook.lines, everything)
    choose(notebook, "y", "linear")
    eventually(notebook, lambda: notes(notebook), NOTES)
    notebook.find(".rw-smoothing").fill("0.9")
    smoothed = {title: count + (title != "all nan") for title, count in everything.items()}
    eventually(notebook, notebook.lines, smoothed)
    # Nothing that is drawn has no place.
    assert notebook.page.evaluate(
        "() => [...document.querySelectorAll('.bqplot svg *')].every((node) => [...node.attributes]"
        ".every(({ value }) => !/NaN|Infinity|undefined/.test(value)))"
    )


@pytest.mark.parametrize("busy", BUSY)
def test_controls_take_effect_while_a_cell_of_the_same_kernel_runs(open_notebook, gate, busy):
    notebook = open_notebook([SETUP + MANY, SHOW, getattr(gate, busy)])
    notebook.run(0, 1)
    notebook.wait_painted(12)
    notebook.start(2)
    notebook.page.wait_for_timeout(500)

    linear = tick_texts(notebook, "metric 00", "y")
    choose(notebook, "y", "log")
    eventually(notebook, lambda: tick_texts(notebook, "metric 00", "y"), lambda texts: texts not in ([], linear))
    choose(notebook, "x", "time")
    eventually(
        notebook,
        lambda: " ".join(tick_texts(notebook, "metric 00", "x")),
        lambda text: ":" in text or "." in text,
    )
    choose(notebook, "columns", "3")
    eventually(
        notebook,
        lambda: len({box["x"] for box in (chart.bounding_box() for chart in notebook.find(".rw-chart").all())}),
        3,
    )
    notebook.find(".rw-smoothing").fill("0.5")
    eventually(notebook, lambda: set(notebook.lines().values()), {2})
    notebook.page.get_by_role("button", name="Next charts").click()
    eventually(notebook, lambda: set(notebook.lines()), {"metric 12", "metric 13"})
    expect(notebook.find(".rw-pager-range")).to_have_text("charts 13\N{EN DASH}14 of 14")
    notebook.find(".rw-metrics .rw-filter").fill("metric 0")
    eventually(notebook, lambda: set(notebook.lines()), {f"metric 0{i}" for i in range(10)})
    expect(notebook.find(".rw-page-metrics tbody tr")).to_have_count(10)
    notebook.find(".rw-metrics .rw-filter").fill("nothing of that name")
    eventually(notebook, notebook.lines, {})
    expect(notebook.find(".rw-metrics .rw-empty")).to_contain_text("No metric matches")
    assert notebook.is_busy(2)


def test_times_on_an_axis_are_those_of_the_browser_though_the_kernel_is_in_another_zone(open_notebook):
    elsewhere = "import os, time\nos.environ['TZ'] = 'XYZ-9'\ntime.tzset()\n"
    notebook = open_notebook([elsewhere + SETUP + "run.log_list('v', [3.0, 2.0, 1.0])", SHOW])
    notebook.run()
    notebook.wait_painted(1)
    choose(notebook, "x", "time")
    eventually(
        notebook, lambda: tick_texts(notebook, "v", "x"), lambda texts: texts and all(":" in text for text in texts)
    )
    away = notebook.page.evaluate(
        "([text]) => { const [hours, minutes] = text.split(':').map(Number), now = new Date();"
        " return Math.abs(hours * 60 + minutes - now.getHours() * 60 - now.getMinutes()) % 1430 }",
        tick_texts(notebook, "v", "x"),
    )
    assert away < 10, "minutes, also around midnight"


def test_rows_of_a_text_table_are_read_page_by_page_also_while_a_cell_runs(open_notebook, gate):
    table = "run.log_table('t', {'word': [f'word {i}' for i in range(12)], 'n': list(range(12))})"
    notebook = open_notebook([SETUP + table, SHOW, gate.sleeping])
    notebook.run(0, 1)
    notebook.wait_painted(1)
    notebook.start(2)
    notebook.find(".rw-rows-button").first.click()
    cells = notebook.find(".rw-rows tbody tr:first-child td:not(:last-child)")
    expect(cells).to_have_text(["10", "word 10", "10"])
    expect(notebook.find(".rw-rows .rw-pager-range")).to_have_text("rows 10\N{EN DASH}11 of 12")
    notebook.page.get_by_role("button", name="Previous rows").click()
    expect(cells).to_have_text(["0", "word 0", "0"])
    notebook.page.get_by_role("button", name="Close rows").click()
    expect(cells).to_have_count(0)
    assert notebook.is_busy(2)


def test_ticks_are_written_with_the_digits_of_the_axis_they_are_on_now(open_notebook):
    values = "for i in range(3): run.log('m', 1.0000001 + i * 1e-7, step=10 * i)"
    notebook = open_notebook([SETUP + values, SHOW])
    notebook.run()
    notebook.wait_painted(1)
    assert tick_texts(notebook, "m", "y") == ["1.0000001", "1.0000002", "1.0000003"]
    for x_axis, ticks, label in (("index", ["0", "1", "2"], "index"), ("step", ["0", "5", "10", "15", "20"], "step")):
        choose(notebook, "x", x_axis)
        eventually(notebook, lambda: tick_texts(notebook, "m", "x"), ticks)
        expect(chart(notebook, "m").locator("text.axislabel").first).to_have_text(label)
