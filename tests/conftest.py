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


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Give the browser to drive. Without one a test fails, lest it seem to pass."""
    found = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    if found is None:
        pytest.fail("no Chromium: `make chromium` installs it, or CHROMIUM says where it is")
    return Path(found)
