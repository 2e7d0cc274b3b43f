"""A portal of its own process, and a browser's way to ask it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from runwidgets import Experiment, Workspace

if TYPE_CHECKING:
    from pathlib import Path

START_SECONDS = 60


@dataclass
class Answer:
    """What a server said."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks just what it is told to: paths are sent as they are."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self.host, self.port, self.token = host, port, token

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, *, signed_in: bool = True, **headers: str):
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if signed_in:
            sent["Authorization"] = f"token {self.token}"
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        connection.putrequest(method, path, skip_host="Host" in sent)
        if body is not None:
            sent.setdefault("Content-Length", str(len(body)))
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        got = connection.getresponse()
        answer = Answer(got.status, got.headers, got.read())
        connection.close()
        return answer


class Server:
    """``runwidgets portal`` as a process."""

    def __init__(self, home: Path, *options: str, port: int = 0) -> None:
        self.home = home
        self.log = (home / "portal-of-test.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runwidgets", "portal", f"--port={port}", "--", *options],
            env={**os.environ, "RUNWIDGETS_HOME": str(home)},
            stdout=self.log,
            stderr=self.log,
        )
        file = home / ".portal" / f"server-{self.process.pid}.json"
        end = time.monotonic() + START_SECONDS
        while not (file.exists() and file.read_text()):
            if self.process.poll() is not None:
                self.log.close()
                pytest.fail((home / "portal-of-test.log").read_text())
            assert time.monotonic() < end, "the portal does not start"
            time.sleep(0.05)
        self.info = json.loads(file.read_text())
        parts = urlsplit(self.info["url"])
        self.url = self.info["url"].rstrip("/")
        self.client = Client(parts.hostname, parts.port, self.info["token"])

    def stop(self, *, kill: bool = False) -> None:
        if self.process.poll() is None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(30)
        self.log.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for the tests of a file, with a home of its own: a server takes seconds to start."""
    server = Server(tmp_path_factory.mktemp("home-of-portal"))
    yield server
    server.stop()


@pytest.fixture
def home(server, monkeypatch, runwidgets_home):
    monkeypatch.setenv("RUNWIDGETS_HOME", str(server.home))
    return server.home


@pytest.fixture
def client(server, home):
    return server.client


@pytest.fixture
def run(home):
    run = Experiment(Workspace(), "exp").start_logging(name="<b>one</b>", snapshot_directory=None)
    run.log("loss", 0.5)
    yield run
    if run.status == "Running":
        run.complete()
