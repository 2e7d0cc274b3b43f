"""Notebooks that are read without their kernel: exported, or opened again on another day."""

from __future__ import annotations

import subprocess
import sys

import nbformat
import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CODE = """
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "browser").start_logging(name="a run to keep")
run.log_list("loss", [3.0, 2.0, 1.25, float("nan")])
run.complete()
details = RunDetails(run)
details.show()
"""


def test_saved_notebook_holds_the_run_as_static_html_and_text(open_notebook, tmp_path):
    notebook = open_notebook([CODE])
    notebook.run()
    notebook.wait_painted(1)
    saved = notebook.save()
    [output] = nbformat.read(saved, as_version=4).cells[0].outputs
    for form in ("text/html", "text/plain"):
        for part in ("Completed", "a run to keep", "loss", "1.25", "1 NaN"):
            assert part in output.data[form], (form, part)
    assert "<script" not in output.data["text/html"]
    convert = [sys.executable, "-m", "nbconvert", "--to", "html", "--output-dir", tmp_path, "--output", "page", saved]
    subprocess.run(convert, check=True, capture_output=True)
    # The page asks for scripts from the internet: it is read here with none.
    page = notebook.page.context.browser.new_context(java_script_enabled=False, offline=True).new_page()
    page.goto((tmp_path / "page.html").as_uri())
    output_area = page.locator(".jp-OutputArea")
    expect(output_area).to_contain_text("Completed")
    expect(output_area).to_contain_text("a run to keep")
    expect(output_area.locator("td").filter(has_text="1.25").first).to_be_visible()
    page.context.close()
