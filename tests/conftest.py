"""What holds for every test."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# The machine's load is no property of the code: no deadlines. CI draws the same examples each time, so that it fails
# for what was changed; developers' machines go on searching.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(autouse=True)
def runwidgets_home(tmp_path_factory, monkeypatch):
    """Keep every test, and the processes it starts, out of the user's own workspaces."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("RUNWIDGETS_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def current_folder(tmp_path_factory, monkeypatch):
    """Run every test, and the processes it starts, in a folder of its own: a run keeps a snapshot of it."""
    folder = tmp_path_factory.mktemp("current")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(autouse=True)
def plain_runs(request, monkeypatch):
    """Start runs that record nothing of this machine, but in tests marked ``surroundings``: they list files."""
    if request.node.get_closest_marker("surroundings") is None:
        monkeypatch.setattr("runwidgets.surroundings.packages_text", str)
        monkeypatch.setattr("runwidgets.surroundings.python_facts", dict)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Give the browser to drive. Without one a test fails, lest it seem to pass."""
    found = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    if found is None:
        pytest.fail("no Chromium: `make chromium` installs it, or CHROMIUM says where it is")
    return Path(found)
