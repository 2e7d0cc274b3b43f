"""Pages of the portal in a real browser."""

from __future__ import annotations

import os
import shutil
import socket

import pytest
from playwright.sync_api import expect, sync_playwright

from runwidgets import Experiment, Workspace
from runwidgets.addressing import portal_url
from tests.browser.lab import FLAGS
from tests.portal.conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NAME = "<img src=x onerror=alert(1)> & \u202erun"


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


class Tab:
    """A page, and all that it complained of."""

    def __init__(self, browser, url: str, **options) -> None:
        self.context = browser.new_context(viewport={"width": 1200, "height": 900}, **options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda said: said.type in {"error", "warning"} and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))
        self.page.goto(url)

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def open_tab(chromium):
    tabs = []

    def open_(url: str, **options) -> Tab:
        tabs.append(Tab(chromium, url, **options))
        return tabs[-1]

    yield open_
    for tab in tabs:
        tab.close()


@pytest.fixture
def run(home):
    run = Experiment(Workspace(), "exp").start_logging(name=NAME, snapshot_directory=None)
    run.log_list("loss", [3.0, 2.0, 1.0])
    run.flush()
    yield run
    if run.status == "Running":
        run.complete()


def cell(tab: Tab, name: str):
    return tab.page.locator("tr", has=tab.page.locator("th", has_text=name)).locator("td").first


def test_the_link_leads_to_the_display_and_the_address_keeps_no_ticket(run, open_tab):
    tab = open_tab(run.get_portal_url())
    expect(tab.page.locator(".rw-header")).to_contain_text(NAME, timeout=60_000)
    expect(cell(tab, "loss")).to_have_text("1")
    expect(tab.page.locator(".bqplot path.line").first).to_be_visible(timeout=60_000)
    assert tab.page.url.endswith(f"/runwidgets/w/default/runs/{run.id}")
    assert tab.page.title() == f"● {NAME} · runwidgets"
    expect(tab.page.locator(".rw-steps")).to_contain_text("exp")
    assert tab.complaints == []


def test_two_browsers_follow_one_run_to_its_end(run, open_tab):
    tabs = [open_tab(run.get_portal_url()), open_tab(run.get_portal_url(), color_scheme="dark")]
    for tab in tabs:
        expect(cell(tab, "loss")).to_have_text("1", timeout=60_000)
    run.log("loss", 0.125)
    run.complete()
    for tab in tabs:
        expect(cell(tab, "loss")).to_have_text("0.125", timeout=60_000)
        expect(tab.page.locator(".rw-header")).to_contain_text("Completed")
        assert tab.page.title().startswith("✓")
        assert tab.complaints == []


def test_a_page_goes_on_as_it_was_when_its_server_is_back(runwidgets_home, run, open_tab, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = runwidgets_home
    monkeypatch.setenv("RUNWIDGETS_HOME", str(home))
    run = Experiment(Workspace(), "exp").start_logging(snapshot_directory=None)
    run.log_list("loss", [3.0, 2.0, 1.0])
    run.log_list("accuracy", [0.1, 0.2])
    run.flush()
    server = Server(home, port=port)
    try:
        tab = open_tab(run.get_portal_url())
        expect(cell(tab, "loss")).to_have_text("1", timeout=60_000)
        tab.page.get_by_role("radio", name="log").or_(
            tab.page.get_by_role("button", name="log", exact=True)
        ).first.click()
        tab.page.get_by_role("tab", name="Details").click()
        server.stop(kill=True)
        expect(tab.page.locator(".rw-portal-banner")).to_be_visible(timeout=60_000)
        expect(tab.page.locator(".rw-portal-banner")).to_contain_text("not live")
        run.log("loss", 0.5)
        run.flush()
        server = Server(home, port=port)
        expect(tab.page.locator(".rw-portal-banner")).to_be_hidden(timeout=60_000)
        expect(tab.page.get_by_role("tab", name="Details")).to_have_attribute("aria-selected", "true")
        assert tab.page.locator(".runwidgets").count() == 1
        tab.page.get_by_role("tab", name="Metrics").click()
        expect(cell(tab, "loss")).to_have_text("0.5")
    finally:
        server.stop()
        run.complete()


def test_what_is_not_there_is_said(home, open_tab):
    tab = open_tab(portal_url("/w/default/runs/nothing"))
    expect(tab.page.locator(".rw-portal-banner")).to_contain_text("nothing", timeout=60_000)


def test_a_stranger_is_told_how_to_get_in(server, open_tab):
    tab = open_tab(f"{server.url}/runwidgets/w/default/runs/x")
    expect(tab.page.locator("body")).to_contain_text("runwidgets portal --ticket")
