"""The logs of a run in a browser: following, searching, reading back; and canceling the run that writes them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = r"""
import threading, time
from runwidgets import Experiment, RunDetails, Workspace
workspace = Workspace()
run = Experiment(workspace, "browser").start_logging(name="a run")
log = workspace._files.root / run.id / "user_logs" / "std_log.txt"
log.parent.mkdir(parents=True)
def write(text):
    with log.open("a") as file:
        file.write(text)
"""
SHOW = "details = RunDetails(run, refresh_seconds=600); details.show()"
LINES = "for i in range(200): write(f'line {i} of the Log\\n')"
# How well text can be told from what is behind it, by WCAG: 1 not at all, 21 black on white.
CONTRASTS = r"""
    (box) => {
        const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
        const light = (color, under) => {
            for (const fill of [under, color]) { pen.fillStyle = fill; pen.fillRect(0, 0, 1, 1); }
            const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((part) => {
                const share = part / 255;
                return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const page = getComputedStyle(box).backgroundColor;
        return [...box.querySelectorAll(".rw-log-line span")].map((span) => {
            const { color, backgroundColor } = getComputedStyle(span);
            const [a, b] = [light(color, page), light(backgroundColor, page)].sort((x, y) => x - y);
            return [span.textContent, (b + 0.05) / (a + 0.05)];
        });
    }
"""


def log_box(notebook):
    return notebook.find(".rw-log")


def last_line(notebook):
    return notebook.find(".rw-log-line:not(:empty)").last


def is_at_end(notebook):
    return log_box(notebook).evaluate("(box) => box.scrollHeight - box.scrollTop - box.clientHeight < 8")


def test_a_log_is_followed_until_its_reader_scrolls_up_and_again_from_its_end_on(open_notebook):
    notebook = open_notebook([SETUP, LINES, SHOW, "write('more\\n')", "write('\\r 10%|#')", "write('\\r 20%|##')"])
    notebook.run(0, 1, 2)
    notebook.tab("Logs").click()
    expect(last_line(notebook)).to_have_text("line 199 of the Log")
    assert is_at_end(notebook)
    jump = notebook.page.get_by_role("button", name="Jump to end")
    expect(jump).to_be_hidden()
    log_box(notebook).hover()
    notebook.page.mouse.wheel(0, -600)
    expect(jump).to_be_visible()
    at = log_box(notebook).evaluate("(box) => box.scrollTop")
    notebook.run(3)
    expect(last_line(notebook)).to_have_text("more")
    assert log_box(notebook).evaluate("(box) => box.scrollTop") == at
    jump.click()
    expect(jump).to_be_hidden()
    assert is_at_end(notebook)
    notebook.run(4)
    expect(last_line(notebook)).to_have_text(" 10%|#")
    notebook.run(5)
    expect(last_line(notebook)).to_have_text(" 20%|##")
    assert is_at_end(notebook)


def test_lines_that_are_printed_while_a_cell_runs_come_within_the_second(open_notebook):
    prints = "for i in range(30): write(f'{i}\\n'); time.sleep(0.1)"
    notebook = open_notebook([SETUP, "write('begin\\n')", SHOW, prints])
    notebook.run(0, 1, 2)
    notebook.tab("Logs").click()
    expect(last_line(notebook)).to_have_text("begin")
    notebook.start(3)
    expect(notebook.find(".rw-log-line").get_by_text("5", exact=True)).to_be_visible()
    assert notebook.is_busy(3)
    notebook.wait(3)
    expect(last_line(notebook)).to_have_text("29")


def test_words_are_found_and_gone_through_by_keyboard(open_notebook, gate):
    notebook = open_notebook([SETUP, LINES, SHOW])
    notebook.run()
    notebook.tab("Logs").click()
    expect(last_line(notebook)).to_have_text("line 199 of the Log")
    search = notebook.page.get_by_role("searchbox", name="Search in what is loaded of the log")
    search.fill("LINE 1")
    count = notebook.find(".rw-search-count")
    search.press("Enter")  # at once: the words are looked for, with no wait for more of them
    expect(count).to_have_text("111 of 111")
    search.press("Enter")
    expect(count).to_have_text("1 of 111")
    first = notebook.find(".rw-hit-current")
    expect(first).to_be_in_viewport()
    assert log_box(notebook).evaluate("(box) => box.scrollTop") < 100
    search.press("Shift+Enter")
    expect(count).to_have_text("111 of 111")
    search.press("Escape")
    expect(notebook.find(".rw-hit")).to_have_count(0)


def test_a_huge_log_opens_at_its_end_and_is_read_back_page_by_page(open_notebook):
    huge = r"""
with log.open("wb") as file:
    file.truncate(2**30)
    file.seek(2**30)
    file.write(b"\n" + b"".join(b"line %06d of many\n" % i for i in range(40_000)))
"""
    notebook = open_notebook([SETUP, huge, SHOW])
    notebook.run()
    notebook.tab("Logs").click()
    expect(last_line(notebook)).to_have_text("line 039999 of many")
    assert notebook.find(".rw-log-line").count() <= 5001
    earlier = notebook.page.get_by_role("button", name="Load earlier")
    expect(earlier).to_contain_text("1.1 GB before this")
    first = notebook.find(".rw-log-line").first.text_content()
    earlier.click()
    expect(notebook.find(".rw-log-line").first).not_to_have_text(first)
    expect(notebook.page.get_by_role("button", name="Jump to end")).to_be_visible()
    assert notebook.find(".rw-log-line").count() <= 10_000
    notebook.page.get_by_role("button", name="Jump to end").click()
    expect(last_line(notebook)).to_have_text("line 039999 of many")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_colours_can_be_read_in_light_and_dark(open_notebook, theme):
    colors = r"""
E = "\x1b["
sixteen = [*range(30, 38), *range(90, 98), *range(40, 48), *range(100, 108)]
others = [f"{what};5;{i}" for what in (38, 48) for i in range(16, 256)]
both = ["30;47", "37;41", "31;41", "7", "7;33", "2", "1;34", "38;2;255;255;0", "38;2;0;0;0", "38;2;255;255;255"]
write("\n".join(f"{E}{code}m{code}{E}0m" for code in [*sixteen, *others, *both]) + "\n")
"""
    notebook = open_notebook([SETUP, colors, SHOW], theme=theme)
    notebook.run()
    notebook.tab("Logs").click()
    expect(last_line(notebook)).to_have_text("38;2;255;255;255")
    contrasts = log_box(notebook).evaluate(CONTRASTS)
    assert len(contrasts) == 32 + 480 + 10
    assert [(code, round(contrast, 1)) for code, contrast in contrasts if contrast < 3] == []


def test_a_run_is_canceled_after_a_question_also_by_keyboard(open_notebook, gate):
    # The run's own process goes on: a cell that is busy must not keep anybody from canceling.
    busy = f"run.child_run()\n{gate.sleeping}"
    notebook = open_notebook([SETUP, "details = RunDetails(run, refresh_seconds=0.5); details.show()", busy])
    notebook.run(0, 1)
    notebook.start(2)
    button = notebook.page.get_by_role("button", name="Cancel", exact=True)
    question = notebook.page.get_by_role("alertdialog")
    expect(notebook.tab("Child runs")).to_contain_text("1")
    button.click()
    expect(question).to_contain_text("Cancel this run and its child run?")
    expect(notebook.page.get_by_role("button", name="Keep running")).to_be_focused()
    notebook.page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(button).to_be_focused()
    notebook.page.keyboard.press("Enter")
    notebook.page.keyboard.press("Shift+Tab")
    notebook.page.keyboard.press("Enter")
    status = notebook.find(".rw-head .rw-status-word")
    expect(status).to_have_text("Canceled")
    assert notebook.is_busy(2)
    expect(button).to_be_hidden()
    expect(notebook.tab("Child runs")).to_be_focused()
    gate.open()
    notebook.wait(2)
