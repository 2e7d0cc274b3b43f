"""Files and details of a run in a browser."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile

import pytest
from playwright.sync_api import expect

from tests.browser.test_layout import STICKING_OUT, fit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = r"""
import io, json, os, time
from runwidgets import Experiment, RunDetails, Workspace
from runwidgets.events import FileStored
run = Experiment(Workspace(), "browser").start_logging(name="a run", snapshot_directory=None)
files = run.experiment.workspace._files
def store(name, data=b"x"):
    size = files.save(run.id, name, io.BytesIO(data if isinstance(data, bytes) else data.encode()))
    run._write(FileStored(run.id, time.time(), name, size))
"""
SHOW = "details = RunDetails(run, refresh_seconds=0.5); details.show()"
KINDS = r"""
store("outputs/metrics.json", '{"loss": [0.50, NaN], "big": 12345678901234567890}')
store("outputs/table.csv", 'name,n\n"a, b",1\n<b>c</b>,2\n')
store("outputs/report.md", "# Title\n<script>window.__hacked = 1</script>\n")
store("outputs/model.pkl", b"\x80\x05\0\0" * 100)
store("outputs/evil\u202egnp.exe", "x")
store("outputs/huge.log", "line\n" * 200_000)
store("outputs/page.svg", "<svg xmlns='http://www.w3.org/2000/svg' onload='window.__hacked = 1'/>")
store("empty.txt", b"")
"""


def open_file(notebook, name):
    notebook.find(".rw-tree-name").get_by_text(name, exact=True).click()


def test_each_kind_of_file_is_shown_as_what_it_is_and_never_as_markup(open_notebook):
    notebook = open_notebook([SETUP + KINDS, SHOW])
    notebook.run()
    notebook.tab("Files").click()
    text, note = notebook.find(".rw-preview .rw-preview-text"), notebook.find(".rw-preview-note")
    open_file(notebook, "metrics.json")
    expect(text).to_have_text('{ "loss": [ 0.50, NaN ], "big": 12345678901234567890 }')
    open_file(notebook, "table.csv")
    expect(notebook.find(".rw-preview td")).to_have_text(["a, b", "1", "<b>c</b>", "2"])
    open_file(notebook, "report.md")
    expect(text).to_contain_text("<script>window.__hacked = 1</script>")
    open_file(notebook, "page.svg")
    expect(text).to_contain_text("onload")
    open_file(notebook, "model.pkl")
    expect(note).to_have_text("This is not a text: it can be downloaded.")
    open_file(notebook, "empty.txt")
    expect(note).to_have_text("The file is empty.")
    open_file(notebook, "huge.log")
    expect(note).to_have_text("the first 262 kB of 1.0 MB")
    open_file(notebook, "evil\\u202egnp.exe")
    expect(notebook.find(".rw-preview-name")).to_have_text("outputs/evil\\u202egnp.exe")
    assert notebook.page.evaluate("() => window.__hacked") is None


def test_a_file_is_downloaded_whole_and_its_path_copied(open_notebook):
    data = "import hashlib; data = os.urandom(5_000_000); store('outputs/model.bin', data)"
    notebook = open_notebook([SETUP + data, SHOW, "print(hashlib.sha256(data).hexdigest())"])
    notebook.run()
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook.tab("Files").click()
    open_file(notebook, "model.bin")
    with notebook.page.expect_download() as download:
        notebook.find(".rw-preview").get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "model.bin"
    assert hashlib.sha256(download.value.path().read_bytes()).hexdigest() == notebook.text(2).strip()
    notebook.page.get_by_role("button", name="Copy path").click()
    expect(notebook.find(".rw-preview .rw-copy")).to_have_text("Copied")
    assert notebook.page.evaluate("() => navigator.clipboard.readText()") == "outputs/model.bin"


def test_a_file_that_is_too_large_for_a_browser_names_the_call_that_copies_it(open_notebook):
    large = "store('huge.bin'); os.truncate(files.path(run.id, 'huge.bin'), 300_000_000)"
    notebook = open_notebook([SETUP + large, SHOW])
    notebook.run()
    notebook.tab("Files").click()
    open_file(notebook, "huge.bin")
    notebook.page.get_by_role("button", name="Download").click()
    expect(notebook.find(".rw-preview .rw-trouble")).to_contain_text("run.download_file('huge.bin')")


def test_ten_thousand_files_open_scroll_and_are_filtered_at_once(open_notebook):
    many = """
for i in range(10_000): run._write(FileStored(run.id, 1.0, f"shard_{i % 20}/part_{i}.bin", i))
run.flush()
"""
    notebook = open_notebook([SETUP + many, SHOW, "store('new.txt')"])
    notebook.run(0, 1)
    expect(notebook.tab("Files")).to_contain_text("10")
    took = notebook.page.evaluate(
        """async () => {
            const begin = performance.now();
            [...document.querySelectorAll("[role=tab]")].find((tab) => tab.textContent.startsWith("Files")).click();
            while (!document.querySelector(".rw-tree-line")) await new Promise(requestAnimationFrame);
            return performance.now() - begin;
        }"""
    )
    assert took < 5000
    lines = notebook.find(".rw-tree-line")
    expect(lines).to_have_count(21)  # and that of the packages
    expect(notebook.find(".rw-page-files .rw-toolbar")).to_contain_text("10\u202f001 files, 50.0 MB")
    notebook.page.get_by_role("searchbox", name="Filter files").fill("part_77")
    expect(notebook.find(".rw-page-files .rw-toolbar")).to_contain_text("111 files")
    assert lines.count() < 60
    tree = notebook.find("[role=tree]")
    tree.evaluate("(box) => { box.scrollTop = 1500; }")
    expect(notebook.find(".rw-tree-line[data-at='65']")).to_be_visible()
    notebook.run(2)
    notebook.page.get_by_role("searchbox", name="Filter files").fill("new")
    expect(notebook.find(".rw-tree-name")).to_have_text(["new.txt"])
    assert tree.evaluate("(box) => box.isConnected")


def test_files_that_come_keep_the_place_and_the_preview_of_who_reads(open_notebook):
    notebook = open_notebook(
        [SETUP + "for i in range(90): store(f'file_{i}.txt', f'text {i}')", SHOW, "store('a.txt')"]
    )
    notebook.run(0, 1)
    notebook.tab("Files").click()
    tree = notebook.find("[role=tree]")
    tree.evaluate("(box) => { box.scrollTop = 600; }")
    open_file(notebook, "file_30.txt")
    expect(notebook.find(".rw-preview .rw-preview-text")).to_have_text("text 30")
    text = notebook.find(".rw-preview .rw-preview-text").element_handle()
    at = tree.evaluate("(box) => box.scrollTop")
    notebook.run(2)
    expect(notebook.tab("Files")).to_contain_text("91")
    assert tree.evaluate("(box) => box.scrollTop") == at
    assert text.evaluate("(node) => node.isConnected")


DETAILS = r"""
import subprocess, tempfile
project = tempfile.mkdtemp()
def git(*words):
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", project, *words]
    subprocess.run(command, check=True, capture_output=True)
git("init"); open(project + "/train.py", "w").write("lr = 0.1\n"); git("add", "."); git("commit", "-m", "first")
open(project + "/train.py", "w").write("lr = 0.2\n")
run = Experiment(Workspace(), "browser").start_logging(name="a run", snapshot_directory=project)
run.set_tags({"model": "mlp"})
"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_details_tell_git_diff_packages_and_states_and_give_the_snapshot(open_notebook, theme):
    notebook = open_notebook([SETUP + DETAILS, SHOW, "run.fail('no data')"], theme=theme)
    notebook.run()
    notebook.tab("Details").click()
    expect(notebook.find(".rw-timeline .rw-status-word")).to_have_text(["Running", "Failed"])
    notebook.find("summary").get_by_text("Changes since the commit").click()
    expect(notebook.find(".rw-diff-old")).to_have_text("-lr = 0.1")
    expect(notebook.find(".rw-diff-new")).to_have_text("+lr = 0.2")
    notebook.find("summary").get_by_text("Installed packages").click()
    expect(notebook.find(".rw-kept-body").get_by_text("ipywidgets==")).to_be_visible()
    with notebook.page.expect_download() as download:
        notebook.page.get_by_role("button", name="Download as zip").click()
    archive = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    assert archive.read("train.py") == b"lr = 0.2\n"
    expect(notebook.find(".rw-page-details .rw-error-line")).to_have_text("UserError no data")


def test_tags_are_changed_in_place_also_when_the_run_is_over_and_other_displays_see_it(open_notebook):
    notebook = open_notebook(
        [SETUP + "run.set_tags({'model': 'mlp'})", SHOW, SHOW, "run.complete()", "print(run.get_tags())"]
    )
    notebook.run(0, 1, 2)
    first, second = (notebook.widget.nth(at) for at in (0, 1))
    for display in (first, second):
        display.get_by_role("tab").filter(has_text="Details").click()
    first.get_by_role("button", name="Add tag").click()
    first.get_by_role("textbox", name="Name of the tag").fill("stage")
    first.get_by_role("textbox", name="Value of the tag").fill("dev")
    first.get_by_role("textbox", name="Value of the tag").press("Enter")
    for display in (first, second):
        expect(display.locator(".rw-tag")).to_have_text(["model = mlp", "stage = dev"])
    notebook.run(3)
    expect(first.locator(".rw-status-word").first).to_have_text("Completed")
    first.locator(".rw-tag").first.click()
    first.get_by_role("textbox", name="Name of the tag").fill("stage")
    first.get_by_role("button", name="Save").click()
    expect(first.locator(".rw-tag-trouble")).to_have_text("there is a tag 'stage' already")
    first.get_by_role("button", name="Remove").click()
    expect(first.locator(".rw-tag")).to_have_text(["stage = dev"])
    notebook.run(4)
    assert notebook.text(4).strip() == "{'stage': 'dev'}"


def test_a_metric_is_read_row_by_row_and_downloaded_as_csv(open_notebook):
    log = """
for i in range(25): run.log("loss", float("nan") if i == 20 else i / 2, step=10 * i)
for i in range(25): run.log("improved", i % 3 == 0)
"""
    notebook = open_notebook([SETUP + log, SHOW])
    notebook.run()
    notebook.page.get_by_role("button", name="Rows of loss").click()
    row = notebook.find(".rw-rows tbody tr:first-child td:not(:last-child)")
    expect(row).to_have_text(["20", "200", "⚠ NaN"])
    jump = notebook.find(".rw-rows").get_by_role("spinbutton", name="Go to row")
    jump.fill("3")
    jump.press("Enter")
    expect(row).to_have_text(["3", "30", "1.5"])
    with notebook.page.expect_download() as download:
        notebook.page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text("utf-8").splitlines()))
    assert (len(rows), rows[20]["value"], rows[24]["step"]) == (25, "NaN", "240")
    notebook.page.get_by_role("button", name="Rows of improved").click()
    expect(notebook.find(".rw-history-words")).to_have_text(
        "False \N{MULTIPLICATION SIGN} 16True \N{MULTIPLICATION SIGN} 9"
    )
    expect(notebook.find(".rw-history-chart path")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1600])
def test_nothing_sticks_out_of_files_and_details_that_are_open(open_notebook, width):
    long = "store('outputs/' + 'long_name_' * 20 + '.txt', 'word ' * 1000); store('a/b/c/d/e/f/g/h/i/j/k.txt')"
    notebook = open_notebook([SETUP + DETAILS + long, SHOW], height=2400)
    notebook.run()
    fit(notebook, width)
    notebook.tab("Files").click()
    open_file(notebook, "long_name_" * 20 + ".txt")
    expect(notebook.find(".rw-preview .rw-preview-text")).to_be_visible()
    assert notebook.widget.evaluate(STICKING_OUT) == []
    tree, preview = notebook.find(".rw-tree").bounding_box(), notebook.find(".rw-preview").bounding_box()
    assert (preview["y"] > tree["y"]) == (width == 360)
    notebook.tab("Details").click()
    for summary in notebook.find(".rw-kept:visible > summary").all():
        summary.click()
    expect(notebook.find(".rw-diff-new")).to_be_visible()
    assert notebook.widget.evaluate(STICKING_OUT) == []
