"""By which rules hosts load a display: nothing of it may need a network or an extension of ours.

JupyterLab and Notebook load the modules of widgets from extensions that their packages bring, VS Code and Colab from
there or from a CDN by the package's name: so every model has to be of a package that is published with its JavaScript.
Our own code travels with the models, as anywidget's.
"""

import re
from pathlib import Path

import pytest
from ipywidgets.embed import dependency_state

import runwidgets
from runwidgets import Experiment, RunDetails, Workspace
from runwidgets.widgets.scripts import Scripts

MODULES = {"anywidget", "bqplot", "bqscales", "@jupyter-widgets/base", "@jupyter-widgets/controls"}
STATIC = Path(runwidgets.__file__).parent / "static"


@pytest.fixture
def run():
    run = Experiment(Workspace(), "exp").start_logging()
    run.log_list("loss", [3.0, 2.0, float("nan")])
    run.log_table("curve", {"x": [0.0, 1.0], "a": [0.0, 0.8], "b": [1.0, 0.5]})
    run.complete()
    return run


def test_every_model_of_a_display_is_of_a_package_that_brings_its_javascript_or_has_its_own(run):
    details = RunDetails(run)
    details._have_looked()
    details._charts.is_on = details._charts.shows_system = True
    details._charts.draw()
    models = dependency_state([details], drop_defaults=False).values()
    modules = {model["model_module"] for model in models}
    modules |= {model["state"]["_view_module"] for model in models if model["state"].get("_view_module")}
    assert {"anywidget", "bqplot"} <= modules <= MODULES
    panels = [model["state"] for model in models if model["model_module"] == "anywidget"]
    assert len(panels) > 6
    parts = [panel["_esm"] for panel in panels if panel["_esm"] != Scripts._esm]
    assert len(parts) == len(panels) - 1  # the code comes once for all
    assert all(len(part) < 2000 and "http" not in part for part in parts)
    details.close()


@pytest.mark.parametrize("file", sorted(STATIC.glob("*.*")), ids=lambda file: file.name)
def test_our_own_code_loads_nothing(file):
    text = re.sub(r"http://www\.w3\.org/\d+/\w+", "", file.read_text())  # names of namespaces
    for loading in (
        r"https?://",
        r"\bimport\s*\(",
        r"^\s*import\b",
        r"\bfetch\(",
        r"@import",
        r"url\(",
        r"\brequire\(",
    ):
        assert re.search(loading, text, re.MULTILINE) is None, loading
