"""The display in the hosts that can be started here: it is live, turns its pages, draws its charts, in both themes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
import io
from runwidgets import Experiment, RunDetails, Workspace
run = Experiment(Workspace(), "hosts").start_logging(name="a run")
run.log_list("loss", [3.0, 2.0, 1.25, float("nan")])
run.log_table("curve", {"x": [0.0, 1.0], "sine": [0.0, 0.8], "cosine": [1.0, 0.5]})
run.upload_file("outputs/model.bin", io.BytesIO(b"model"))
with run.child_run(name="alpha") as child:
    child.log("mse", 3298.5)
"""
SHOW = "details = RunDetails(run, refresh_seconds=0.5); details.show()"
LUMINANCE = "(node) => getComputedStyle(node).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)"


@pytest.fixture(scope="package")
def notebook_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("notebook"), "notebook")
    try:
        server.wait()
        yield server
    finally:
        server.close()


@pytest.fixture(params=["jupyterlab", "notebook"])
def host(request):
    return request.getfixturevalue("server" if request.param == "jupyterlab" else "notebook_server")


def test_the_display_is_live_and_its_charts_are_painted(open_notebook, host):
    notebook = open_notebook(
        [SETUP, SHOW, "run.log('accuracy', 0.5); run.log('accuracy', 0.75)", "run.complete()"], at=host
    )
    notebook.run(0, 1)
    assert notebook.wait_painted(2) == {"curve": 3, "loss": 1}
    expect(notebook.find(".rw-head .rw-status-word")).to_have_text("Running")
    notebook.run(2)
    assert notebook.wait_painted(3) == {"accuracy": 1, "curve": 3, "loss": 1}
    notebook.run(3)
    expect(notebook.find(".rw-head .rw-status-word")).to_have_text("Completed")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_its_pages_turn_while_the_kernel_is_busy_and_it_follows_the_theme(open_notebook, host, theme, gate):
    notebook = open_notebook([SETUP, SHOW, gate.sleeping], at=host, theme=theme)
    notebook.run(0, 1)
    notebook.wait_painted(2)
    notebook.start(2)
    for title, page in (
        ("Child runs", "children"),
        ("Images", "images"),
        ("Details", "details"),
        ("Metrics", "metrics"),
    ):
        notebook.tab(title).click()
        expect(notebook.tab(title)).to_have_attribute("aria-selected", "true")
        expect(notebook.find(f".rw-page-{page} > *").first).to_be_visible()
    assert notebook.is_busy(2)
    light = sum(notebook.find(".rw-header").evaluate(LUMINANCE))
    assert (light < 3 * 100) is (theme == "JupyterLab Dark")
    gate.open()
    notebook.wait(2)


def test_what_is_saved_is_read_without_a_kernel(open_notebook, host):
    notebook = open_notebook([SETUP, SHOW, "run.complete()"], at=host)
    notebook.run()
    notebook.wait_painted(2)
    notebook.save()
    notebook.page.goto("about:blank")
    for session in host.ask("GET", "/api/sessions"):
        host.ask("DELETE", f"/api/sessions/{session['id']}")
    notebook.load()
    picture = notebook.page.locator(".jp-OutputArea-child:visible").filter(has_text="Completed")
    expect(picture).to_have_count(1)
    expect(picture.locator("svg.rw-svg")).to_have_count(2)
    notebook.problems[:] = [problem for problem in notebook.problems if "widget model not found" not in problem]
