"""Confusion matrices, curves, residuals and predictions in a real page: what is drawn, when, and how fast."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_layout import STICKING_OUT, fit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETUP = """
import sys
sys.path.insert(0, {root!r})
import numpy as np
from runwidgets import Experiment, RunDetails, Workspace
from tests.accuracy_tables import accuracy_table, classifier
run = Experiment(Workspace(), "browser").start_logging(name="a classifier")
hostile = "<img src=x onerror=window.__hacked=1>"

def matrix_of(truth, scores):
    matrix = np.zeros((scores.shape[1],) * 2, int)
    np.add.at(matrix, (truth, scores.argmax(axis=1)), 1)
    return matrix

def log(prefix, truth, scores, labels):
    grid = np.linspace(0, 1, 101)
    run.log_accuracy_table(prefix + "curves", accuracy_table(truth, scores, grid, grid, labels))
    document = {{"class_labels": labels, "matrix": matrix_of(truth, scores)}}
    run.log_confusion_matrix(prefix + "matrix", {{"schema_type": "confusion_matrix", "data": document}})

def log_regression():
    true = np.random.default_rng(0).normal(50, 15, 3000)
    predicted = 8 + 0.85 * true + np.random.default_rng(1).normal(0, 5, 3000)
    counts, edges = np.histogram(predicted - true, bins=40)
    document = {{"bin_edges": edges, "bin_counts": counts}}
    run.log_residuals("errors", {{"schema_type": "residuals", "data": document}})
    edges = np.linspace(0, 100, 21)
    bins = [predicted[(true >= a) & (true < b)] for a, b in zip(edges[:-1], edges[1:])]
    document = {{
        "bin_edges": edges, "bin_counts": [len(b) for b in bins],
        "bin_averages": [b.mean() if len(b) else None for b in bins],
        "bin_errors": [b.std() if len(b) else None for b in bins],
    }}
    run.log_predictions("predicted", {{"schema_type": "predictions", "data": document}})
"""
FLOWERS = 'log("", *classifier(rows=1500), ["setosa", "versicolor", hostile])'
SHOW = "details = RunDetails(run, refresh_seconds=0.5); details.show()"
CARD = ".rw-card:not(.rw-card-yet)"


@pytest.fixture
def setup(request):
    return SETUP.format(root=str(request.config.rootpath))


def open_tab(notebook, cards: int) -> None:
    notebook.tab("Evaluation").click()
    expect(notebook.find(CARD)).to_have_count(cards, timeout=30_000)


def test_everything_is_drawn_as_what_it_is(open_notebook, setup):
    notebook = open_notebook([setup, FLOWERS, "log_regression()", SHOW])
    notebook.run()
    expect(notebook.tab("Evaluation")).to_contain_text("4")
    open_tab(notebook, 4)
    expect(notebook.find(".rw-matrix-table .rw-cell")).to_have_count(9)
    expect(notebook.find(".rw-plot-picture:visible")).to_have_count(4)
    curves = notebook.find(".rw-curves")
    expect(curves.locator(".rw-plot-inside .rw-plot-line")).to_have_count(6)
    for title, label in (("lift", "Lift"), ("calibration", "Calibration"), ("gain", "Cumulative gain")):
        curves.get_by_role("button", name=title, exact=True).click()
        expect(curves.locator(".rw-plot-picture")).to_have_attribute("aria-label", re.compile(f"^{label}: macro"))
    notebook.find(".rw-confusion").get_by_role("button", name="% of row").click()
    expect(notebook.find(".rw-cell").first).not_to_have_text("0")
    assert notebook.page.evaluate("() => window.__hacked") is None
    expect(notebook.find(".rw-matrix-table tbody th").last).to_have_text("<img src=x onerror=window.__hacked=1>")


def test_plot_is_read_zoomed_and_reset_while_the_kernel_is_busy(open_notebook, setup, gate):
    notebook = open_notebook([setup, FLOWERS, SHOW, gate.sleeping])
    notebook.run(0, 1, 2)
    open_tab(notebook, 2)
    plot = notebook.find(".rw-curves .rw-plot")
    notebook.start(3)
    picture = plot.locator(".rw-plot-picture")
    box = picture.bounding_box()
    middle = box["y"] + box["height"] / 2
    mouse = notebook.page.mouse
    mouse.move(box["x"] + box["width"] * 0.3, middle)
    tip = plot.locator(".rw-plot-tip")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("false positive rate 0.")
    expect(tip.locator(".rw-plot-tip-row")).to_have_count(6)
    before = plot.locator(".rw-plot-tick").all_text_contents()
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
    mouse.up()
    reset = plot.get_by_role("button", name="Reset zoom")
    expect(reset).to_be_visible()
    assert plot.locator(".rw-plot-tick").all_text_contents() != before
    picture.focus()
    notebook.page.keyboard.press("Escape")
    expect(reset).to_be_hidden()
    assert plot.locator(".rw-plot-tick").all_text_contents() == before
    plot.get_by_role("button", name="macro").click()
    expect(plot.locator(".rw-plot-inside .rw-plot-line")).to_have_count(5)
    assert notebook.is_busy(3)


def test_slider_walks_through_what_was_logged_and_the_latest_follows(open_notebook, setup):
    log = """
def log_matrix(n):
    document = {"class_labels": ["a", "b"], "matrix": [[n, 1], [2, 3]]}
    run.log_confusion_matrix("m", {"schema_type": "confusion_matrix", "data": document})
for n in (10, 20, 30): log_matrix(n)
"""
    notebook = open_notebook([setup, log, SHOW, "log_matrix(40)"])
    notebook.run(0, 1, 2)
    open_tab(notebook, 1)
    first = notebook.find(".rw-cell").first
    expect(first).to_have_text("30")
    notebook.run(3)
    expect(first).to_have_text("40")
    expect(notebook.find(".rw-slider-word")).to_contain_text("4 of 4")
    for n in ("30", "20", "10"):
        notebook.find(".rw-slider").press("ArrowLeft")
        expect(first).to_have_text(n)


def test_run_without_documents_has_no_such_tab(open_notebook, setup):
    notebook = open_notebook([setup, "run.log('confusion_matrix', 1)", SHOW, FLOWERS])
    notebook.run(0, 1, 2)
    expect(notebook.find(".rw-page-metrics tbody tr")).to_have_count(1)
    expect(notebook.tab("Evaluation")).to_be_hidden()
    notebook.run(3)
    expect(notebook.tab("Evaluation")).to_be_visible()


def test_document_that_is_damaged_or_of_no_classes_says_so(open_notebook, setup):
    damage = """
log_regression()
run.log_confusion_matrix("none", {"schema_type": "confusion_matrix", "data": {"class_labels": [], "matrix": []}})
files = run.experiment.workspace._files
run.flush()
files.path(run.id, "errors").write_text('{"schema_type": "residuals", "da')
files.path(run.id, "predicted").unlink()
"""
    notebook = open_notebook([setup, damage, SHOW])
    notebook.run()
    open_tab(notebook, 3)
    expect(notebook.find(".rw-figure-trouble:visible")).to_have_text([
        "the file is no JSON: it is damaged or cut off", "the file is not there",
    ])  # fmt: skip
    expect(notebook.find(".rw-card-head")).to_contain_text(["errors", "no classes", "predicted"])


@pytest.mark.parametrize(("width", "theme"), [(360, "Light"), (800, "Dark"), (1600, "Light")])
def test_page_fits_and_can_be_read(open_notebook, setup, width, theme, tmp_path):
    many = """
labels = [f"species {i}" for i in range(120)]
log("many/", *classifier(rows=20_000, classes=120, skill=5), labels)
"""
    notebook = open_notebook(
        [setup, FLOWERS, "log_regression()", many, SHOW], theme=f"JupyterLab {theme}", width=1700, height=6000
    )
    notebook.run()
    fit(notebook, width)
    open_tab(notebook, 6)
    assert notebook.widget.evaluate("(root) => root.scrollWidth <= root.clientWidth")
    assert notebook.widget.evaluate(STICKING_OUT) == []
    for picture in notebook.find(".rw-plot-picture:visible").all():
        assert picture.bounding_box()["width"] <= width
    background, ink = (
        notebook.find(selector).first.evaluate("(node, name) => getComputedStyle(node)[name]", name)
        for selector, name in ((".rw-card", "backgroundColor"), (".rw-plot-tick", "fill"))
    )
    assert abs(brightness(background) - brightness(ink)) > 80
    picture = notebook.find(".rw-matrix-picture")
    picture.focus()
    notebook.page.keyboard.press("ArrowRight")
    expect(notebook.find(".rw-matrix-word:visible")).to_contain_text("true species 0, predicted species 0")
    notebook.widget.screenshot(path=tmp_path / "evaluation.png")


def brightness(color: str) -> float:
    numbers = [float(n) for n in re.findall(r"[\d.]+", color)[:3]]
    return sum(numbers) / 3 * (255 if color.startswith("color(") else 1)
