"""Where a page is: on a server that was asked, and is the right one."""

import http.server
import json
import os
import subprocess
import sys
import threading
import time

import psutil
import pytest

from runwidgets import Experiment, Workspace
from runwidgets.addressing import DEFAULT_PORT, page_path, portal_folder, portal_url, secret
from tests.portal.conftest import Client, Server

PATH = page_path("w", "default", "runs", "x")


@pytest.fixture(autouse=True)
def no_jupyter(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    (tmp_path / "runtime").mkdir()
    return tmp_path / "runtime"


@pytest.fixture
def impostor():
    """A server that answers anything with a ticket, and remembers what it was told."""
    heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(dict(self.headers))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"ticket": "stolen"}')

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], heard
    server.shutdown()
    server.server_close()


def tell(name: str, folder, url: str, pid: object, **more: object) -> None:
    (folder / name).write_text(json.dumps({"url": url, "pid": pid, "token": "t", **more}))


def test_where_the_environment_says_comes_first(monkeypatch):
    monkeypatch.setenv("RUNWIDGETS_PORTAL_URL", "https://hub.example/user/me/")
    assert portal_url(PATH) == "https://hub.example/user/me/runwidgets/w/default/runs/x"


def test_without_a_portal_none_is_started_and_the_address_is_what_it_would_be(monkeypatch):
    monkeypatch.setenv("RUNWIDGETS_NO_PORTAL", "1")
    assert portal_url(PATH) == f"http://127.0.0.1:{DEFAULT_PORT}/runwidgets/w/default/runs/x"
    assert not list(portal_folder().glob("server-*"))


def test_a_submitted_script_starts_none(monkeypatch):
    monkeypatch.setenv("RUNWIDGETS_RUN_ID", "x")
    assert portal_url(PATH).startswith(f"http://127.0.0.1:{DEFAULT_PORT}/")
    assert not list(portal_folder().glob("server-*"))


def test_a_port_that_another_process_has_taken_is_told_no_secret(monkeypatch, impostor, no_jupyter):
    monkeypatch.setenv("RUNWIDGETS_NO_PORTAL", "1")
    port, heard = impostor
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    sleeping = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    for pid in (gone.pid, sleeping.pid, 2**22 + 1, -1, "x", None):
        tell("server-1.json", portal_folder(), url=f"http://127.0.0.1:{port}/", pid=pid)
        tell("jpserver-1.json", no_jupyter, url=f"http://127.0.0.1:{port}/", pid=pid)
        assert "stolen" not in portal_url(PATH)
    sleeping.kill()
    sleeping.wait()
    assert heard == []


@pytest.mark.parametrize("url", ["http://evil.example/", "ftp://127.0.0.1/", "file:///etc/passwd", "x", "", "http://["])
def test_no_other_place_is_asked(monkeypatch, url):
    monkeypatch.setenv("RUNWIDGETS_NO_PORTAL", "1")
    tell("server-1.json", portal_folder(), url=url, pid=os.getpid())
    assert portal_url(PATH).startswith("http://127.0.0.1:")


def test_secrets_are_this_user_s_alone_and_the_same_for_all_its_processes():
    assert secret("token") == secret("token") != secret("id")
    assert (portal_folder() / "token").stat().st_mode & 0o777 == 0o600
    assert portal_folder().stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
def test_a_portal_that_runs_is_used_and_lets_in_whoever_follows_the_link(runwidgets_home):
    server = Server(runwidgets_home)
    try:
        url = portal_url(PATH)
        assert url.startswith(f"{server.url}/runwidgets{PATH}?ticket=")
        found = server.client.ask(url.removeprefix(server.url), signed_in=False)
        assert found.status == 200
        elsewhere = runwidgets_home / "other"
        elsewhere.mkdir()
        os.environ["RUNWIDGETS_HOME"] = str(elsewhere)  # the fixture sets it back
        tell(f"server-{server.process.pid}.json", portal_folder(), **server.info)
        os.environ["RUNWIDGETS_NO_PORTAL"] = "1"
        assert "ticket" not in portal_url(PATH)  # it serves another home
    finally:
        os.environ["RUNWIDGETS_HOME"] = str(runwidgets_home)
        del os.environ["RUNWIDGETS_NO_PORTAL"]
        server.stop()


@pytest.mark.slow
def test_one_is_started_where_none_runs_and_ends_when_nobody_comes(runwidgets_home, monkeypatch):
    run = Experiment(Workspace(), "exp").start_logging(snapshot_directory=None)
    run.complete()
    code = "from runwidgets.addressing import portal_url; print(portal_url('/'))"
    asked = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=runwidgets_home)
        for _ in range(3)
    ]
    urls = [process.communicate(timeout=120)[0].strip() for process in asked]
    assert len({url.partition("?")[0] for url in urls}) == 1  # all three found the same
    (file,) = portal_folder().glob("server-*.json")
    info = json.loads(file.read_text())
    process = psutil.Process(info["pid"])
    try:
        assert run.get_portal_url().startswith(info["url"].rstrip("/") + f"/runwidgets/w/default/runs/{run.id}?ticket=")
    finally:
        process.terminate()
        process.wait(30)
    assert not file.exists()


@pytest.mark.slow
def test_a_portal_ends_by_itself_when_nobody_comes(runwidgets_home):
    server = Server(runwidgets_home, "--PortalApp.idle_seconds=1")
    assert server.process.wait(60) == 0
    assert not list(portal_folder().glob("server-*.json"))
    server.stop()


@pytest.mark.slow
def test_a_jupyter_server_with_the_extension_is_asked_first(runwidgets_home, no_jupyter, tmp_path):
    options = ["--ServerApp.port=0", "--IdentityProvider.token=abc", "--allow-root", "--no-browser", "--port-retries=0"]
    extensions = "--ServerApp.jpserver_extensions={'runwidgets.portal': True}"
    jupyter = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *options, extensions],
        env={**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path / "config")}, cwd=tmp_path,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        end = time.monotonic() + 60
        while not list(no_jupyter.glob("jpserver-*.json")):
            assert time.monotonic() < end
            time.sleep(0.05)
        os.environ["RUNWIDGETS_NO_PORTAL"] = "1"
        url = portal_url(PATH)
        while "ticket" not in url:
            assert time.monotonic() < end
            time.sleep(0.1)
            url = portal_url(PATH)
        host = url.split("/")[2]
        answer = Client(*host.split(":"), "").ask(url.partition(host)[2], signed_in=False)
        assert answer.status == 200
    finally:
        os.environ.pop("RUNWIDGETS_NO_PORTAL", None)
        jupyter.terminate()
        jupyter.wait(30)
