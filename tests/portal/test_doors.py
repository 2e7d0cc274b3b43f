"""Who is let into the portal: nobody by default, by any route, from any other site."""

import asyncio
import json
import re
import socket
import threading

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from runwidgets.addressing import secret
from runwidgets.portal.extension import ROUTES

EXAMPLES = {
    r"/static/(portal\.(?:js|css))": "/static/portal.js",
    r"/modules/(anywidget|bqplot|bqscales)/index\.js": "/modules/bqplot/index.js",
    r"/socket(/.*)": "/socket/w/default/runs/x",
    r"/api/openapi\.json": "/api/openapi.json",
    r"/api/w/([^/]+)/experiments": "/api/w/default/experiments",
    r"/api/w/([^/]+)/runs": "/api/w/default/runs",
    r"/api/w/([^/]+)/runs/([^/]+)": "/api/w/default/runs/x",
    r"/api/w/([^/]+)/runs/([^/]+)/metrics": "/api/w/default/runs/x/metrics",
    r"/api/w/([^/]+)/runs/([^/]+)/rows": "/api/w/default/runs/x/rows",
    r"/api/.*": "/api/nothing",
    r"/w/([^/]+/runs/[^/]+/files/.+)": "/w/default/runs/x/files/y",
    r"/w/([^/]+)/runs/([^/]+)/files\.zip": "/w/default/runs/x/files.zip",
    r"/w/([^/]+)/runs/([^/]+)/snapshot\.zip": "/w/default/runs/x/snapshot.zip",
    r"/w/([^/]+)/runs/([^/]+)/metrics\.(csv|parquet)": "/w/default/runs/x/metrics.csv",
    r"(/.*)?": "/w/default/runs/x",
}
ALL = [EXAMPLES.get(pattern, pattern) for pattern, *_ in ROUTES]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def test_every_route_has_an_example_that_it_fits():
    for (pattern, *_), example in zip(ROUTES, ALL, strict=True):
        assert re.fullmatch(pattern, example), pattern


@pytest.mark.slow
def test_no_route_answers_a_stranger(client):
    for path in ALL:
        for method in METHODS:
            body = b"{}" if method in {"POST", "PUT", "PATCH"} else None
            answer = client.ask(f"/runwidgets{path}", method, body, signed_in=False)
            if answer.status == 302:
                assert answer.headers["Location"].startswith("/login?next="), (method, path)
                assert answer.body == b""
                continue
            # 204: any page may ask by OPTIONS what it may do, and is told that it may do nothing.
            assert answer.status in {204, 400, 403, 404, 405}, (method, path, answer.status)
            assert answer.headers["Access-Control-Allow-Origin"] is None


@pytest.mark.slow
def test_a_page_of_another_name_that_leads_here_is_refused(client):
    for path in ALL:
        for host in ("evil.example", "evil.example:8790", "127.0.0.1.evil.example", "[::2]"):
            assert client.ask(f"/runwidgets{path}", Host=host).status == 403, (path, host)


@pytest.mark.slow
def test_another_site_can_change_nothing(client):
    """A browser sends its cookie along, but neither a token nor the word against forgery."""
    page = client.ask("/runwidgets/?ticket=" + ticket(client), signed_in=False)
    cookie = page.headers["Set-Cookie"].split(";")[0]
    body = json.dumps({"home": secret("id")}).encode()
    sent = {"Cookie": cookie, "Origin": "https://evil.example", "Content_Type": "application/json"}
    assert client.ask("/runwidgets/api/tickets", "POST", body, signed_in=False, **sent).status in {403, 404}
    seen = client.ask("/runwidgets/api/about", signed_in=False, Cookie=cookie)
    assert seen.status == 200
    assert client.ask("/runwidgets/api/about", signed_in=False, **sent).headers["Access-Control-Allow-Origin"] is None


def ticket(client) -> str:
    body = json.dumps({"home": secret("id")}).encode()
    return client.ask("/runwidgets/api/tickets", "POST", body).json["ticket"]


@pytest.mark.slow
def test_a_ticket_lets_one_browser_in_once_and_stays_in_no_log(server, client):
    path = f"/runwidgets/w/default/runs/x?ticket={ticket(client)}"
    first = client.ask(path, signed_in=False)
    assert first.status == 200
    told = first.headers["Set-Cookie"]
    assert "HttpOnly" in told
    assert "SameSite=Strict" in told
    # What brings the cookie along must be of this site: a redirection would be the other site's.
    assert b"ticket" not in first.body
    assert b'http-equiv="refresh" content="0;url=/runwidgets/w/default/runs/x"' in first.body
    cookie = told.split(";")[0]
    assert client.ask("/runwidgets/w/default/runs/x", signed_in=False, Cookie=cookie).status == 200
    again = client.ask(path, signed_in=False)
    assert again.status == 403
    assert b"runwidgets portal --ticket" in again.body
    assert again.headers["Referrer-Policy"] == "no-referrer"
    log = (server.home / "portal-of-test.log").read_text()
    assert path.partition("=")[2] not in log


@pytest.mark.slow
def test_a_ticket_is_given_only_to_who_knows_the_home(client):
    for body in (b"{}", b'{"home": "x"}', b'{"home": null}', b"[]", b"7"):
        assert client.ask("/runwidgets/api/tickets", "POST", body).status == 409
    assert client.ask("/runwidgets/api/tickets", "POST", b"{").status == 400


@pytest.mark.slow
def test_signing_in_leads_to_no_other_site(client):
    page = client.ask("/runwidgets/?ticket=" + ticket(client), signed_in=False)
    cookie = page.headers["Set-Cookie"].split(";")[0]
    for there in ("//evil.example", "https://evil.example", "/\\evil.example", "https:///evil.example", "%2F%2Fevil"):
        answer = client.ask(f"/login?next={there}", signed_in=False, Cookie=cookie)
        assert answer.status == 302
        assert re.fullmatch(r"/[^/\\].*|/", answer.headers["Location"]), there


def connects(server, **headers) -> bool:
    """Tell whether a socket opens with these headers."""
    request = HTTPRequest(f"{server.url.replace('http', 'ws', 1)}/runwidgets/socket/x", headers=headers)

    async def come_and_go() -> None:
        connection = await websocket_connect(request)
        connection.close()
        while await connection.read_message() is not None:
            pass

    try:
        asyncio.run(come_and_go())
    except HTTPClientError:
        return False
    return True


@pytest.mark.slow
def test_a_socket_opens_only_for_a_page_of_this_site(server, home):
    token = f"token {server.client.token}"
    assert connects(server, Authorization=token)
    assert not connects(server)
    assert not connects(server, Authorization="token x")
    page = server.client.ask("/runwidgets/?ticket=" + ticket(server.client), signed_in=False)
    cookie = page.headers["Set-Cookie"].split(";")[0]
    assert connects(server, Cookie=cookie, Origin=server.url)
    assert not connects(server, Cookie=cookie, Origin="https://evil.example")
    assert not connects(server, Cookie=cookie, Origin="null")


@pytest.mark.slow
def test_no_page_can_be_framed_and_none_runs_a_script_that_is_written_in_it(client):
    policy = client.ask("/runwidgets/").headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert scripts == "script-src 'self' blob:"
    for path in ALL:
        answer = client.ask(f"/runwidgets{path}")
        if answer.status == 426 or path.startswith("/socket"):
            continue
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path


@pytest.mark.slow
def test_a_slow_visitor_keeps_nobody_else_waiting(server, home):
    slow = [socket.create_connection((server.client.host, server.client.port)) for _ in range(50)]
    for connection in slow:
        connection.sendall(b"GET /runwidgets/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
    done = threading.Event()

    def ask() -> None:
        assert server.client.ask("/runwidgets/api/about").status == 200
        done.set()

    threading.Thread(target=ask, daemon=True).start()
    assert done.wait(30)
    for connection in slow:
        connection.close()
