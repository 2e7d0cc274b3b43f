"""What the tests in a browser share: one server, one browser, one page for each notebook."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.lab import LOOK_SECONDS, Browser, Gate, Server

expect.set_options(timeout=1000 * LOOK_SECONDS)


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("lab"))
    try:
        server.wait()
        yield server
    finally:
        server.close()


# Not for the session: while it is open, Playwright's event loop runs in this thread, where other tests run theirs.
@pytest.fixture(scope="package")
def browser(server, chromium):
    with Browser(server, chromium) as browser:
        yield browser


@pytest.fixture
def gate(tmp_path):
    gate = Gate(tmp_path / "go")
    yield gate
    gate.open()


@pytest.fixture
def open_notebook(browser, server):
    """Open notebooks; at the end of the test nothing may have gone wrong in any of them."""
    opened = []

    def open_(cells, *, theme="JupyterLab Light", at=server, **size):
        at.set_theme(theme)
        opened.append(browser.open(cells, server=at, **size))
        return opened[-1]

    yield open_
    problems = []
    for notebook in opened:
        problems += notebook.all_problems()
        notebook.close()
    assert not problems
