"""Notebooks that are read without their kernel: exported, or opened again on another day."""

from __future__ import annotations

import subprocess
import sys

import nbformat
import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "browser").start_logging(name="a run to keep")
"""
SHOW = "details = RunDetails(run, refresh_seconds=0.5); details.show()"
TRAIN = """
run.log_list("loss", [3.0, 2.0, 1.25, float("nan")])
with run.child_run(name="alpha") as child:
    child.log("mse", 3298.5)
run.complete()
"""
PARTS = ("Completed", "a run to keep", "loss", "1.25", "1 NaN", "alpha")
VISIBLE = ".jp-OutputArea-child:visible"


def test_saved_notebook_holds_the_last_picture_of_the_run_as_static_html_and_text(open_notebook, tmp_path):
    notebook = open_notebook([SETUP, SHOW, TRAIN])
    notebook.run()
    notebook.wait_painted(1)
    saved = notebook.save()
    live, picture = nbformat.read(saved, as_version=4).cells[1].outputs
    assert live.data["text/html"] == live.data["text/plain"] == ""
    for form in ("text/html", "text/plain"):
        for part in PARTS:
            assert part in picture.data[form], (form, part)
        assert "Running" not in picture.data[form]
    assert "<script" not in picture.data["text/html"]
    [text] = exported(notebook, saved, tmp_path)
    assert [part for part in PARTS if part not in text] == []


def test_notebook_that_is_executed_with_no_browser_holds_the_end_of_the_run(open_notebook, tmp_path):
    notebook = open_notebook([SETUP, SHOW, TRAIN])
    file = notebook.save()
    execute = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", tmp_path, file]
    subprocess.run([*execute, "--output", "done"], check=True, capture_output=True)
    [text] = exported(notebook, tmp_path / "done.ipynb", tmp_path)
    assert [part for part in PARTS if part not in text] == []


def exported(notebook, file, folder):
    """Export a notebook, and give the outputs that can be seen in the page with neither scripts nor internet."""
    convert = [sys.executable, "-m", "nbconvert", "--to", "html", "--output-dir", folder, "--output", "page", file]
    subprocess.run(convert, check=True, capture_output=True)
    page = notebook.page.context.browser.new_context(java_script_enabled=False, offline=True).new_page()
    page.goto((folder / "page.html").as_uri())
    texts = [text for text in page.locator(".jp-OutputArea-child").all_inner_texts() if text.strip()]
    page.context.close()
    return texts


@pytest.mark.parametrize("is_closed", [False, True])
def test_notebook_that_is_opened_again_shows_the_picture_in_place_of_the_display(open_notebook, server, is_closed):
    notebook = open_notebook([SETUP, SHOW, TRAIN, "details.close()" if is_closed else "pass"])
    notebook.run()
    notebook.save()
    notebook.page.goto("about:blank")
    for session in server.ask("GET", "/api/sessions"):
        server.ask("DELETE", f"/api/sessions/{session['id']}")
    notebook.load()
    outputs = notebook.page.locator(VISIBLE)
    expect(outputs.filter(has_text="Completed")).to_have_count(1)
    for part in PARTS:
        expect(outputs).to_contain_text(part)
    expect(notebook.page.get_by_text("model not found")).to_be_hidden()
    # ipywidgets says on the console what it cannot show, whatever the page makes of it.
    notebook.problems[:] = [problem for problem in notebook.problems if "widget model not found" not in problem]


def test_picture_is_never_seen_while_the_display_is_there_or_on_its_way(open_notebook):
    notebook = open_notebook([SETUP, SHOW, TRAIN])
    notebook.run(0)
    notebook.page.evaluate("""() => {
        window.seen = new Set();
        const look = () => {
            const output = window.panel.content.widgets[1].node;
            const parts = [...output.querySelectorAll(".jp-OutputArea-child")];
            window.seen.add(parts.map((part) => part.getBoundingClientRect().height > 0 ? 1 : 0).join(""));
            requestAnimationFrame(look);
        };
        look();
    }""")
    notebook.run(1, 2)
    expect(notebook.find(".rw-head .rw-status-word")).to_have_text("Completed")
    notebook.wait_painted(1)
    assert "Completed" in "".join(notebook.output(1)[1]["data"]["text/html"])
    assert set(notebook.page.evaluate("() => [...window.seen]")) <= {"", "0", "1", "00", "10"}


def test_closing_puts_the_picture_in_place_of_the_display(open_notebook):
    notebook = open_notebook([SETUP, SHOW, "run.log_list('loss', [3.0, 1.25])", "details.close()"])
    notebook.run(0, 1, 2)
    notebook.wait_painted(1)
    notebook.run(3)
    expect(notebook.widget).to_have_count(0)
    expect(notebook.page.locator(VISIBLE).filter(has_text="Running")).to_contain_text("1.25")
