"""The address of a page of the portal: on a server that answers and serves this home, or on one that is started.

A server is asked whether it is one, with the secret that it keeps for this user: neither a file that a dead process
left nor a port that another has taken is believed.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from runwidgets.context import RUN_ID
from runwidgets.errors import StoreError
from runwidgets.home import home

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)

PORTAL_URL: Final = "RUNWIDGETS_PORTAL_URL"
"""The environment variable that says where the portal is, up to and without ``/runwidgets``."""
NO_PORTAL: Final = "RUNWIDGETS_NO_PORTAL"
"""The environment variable that, set to 1, lets no server be started."""
DEFAULT_PORT: Final = 8790
PREFIX: Final = "runwidgets"
_ASK_SECONDS: Final = 2.0
_START_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.05
_SECRET_BYTES: Final = 24
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST_ANSWER: Final = 2**16


def page_path(*names: str) -> str:
    """Give the path of a page below the portal's own from its parts, such as ``("w", "lab", "runs", run_id)``."""
    return "/" + "/".join(quote(name, safe="") for name in names)


def portal_url(path: str) -> str:
    """Give the address of a page.

    In this order: where ``RUNWIDGETS_PORTAL_URL`` says; a Jupyter server of this user that serves this home; a portal
    of this user; one that is started, in the background, on loopback. In a submitted script, and with
    ``RUNWIDGETS_NO_PORTAL=1``, none is started, and the address is the one that it would have.

    Parameters
    ----------
    path
        Of the page, below the portal's own: see `page_path`.

    Returns
    -------
    str
        With a ticket that lets the browser in, where the server gives one: it works once, for ten minutes. The address
        without it stays good for a browser that has been let in.
    """
    if given := os.environ.get(PORTAL_URL):
        return f"{given.rstrip('/')}/{PREFIX}{path}"
    for server in (*_jupyter_servers(), *_portals()):
        if (url := _ask(server, path)) is not None:
            return url
    if os.environ.get(NO_PORTAL) == "1" or RUN_ID in os.environ:
        return f"http://127.0.0.1:{DEFAULT_PORT}/{PREFIX}{path}"
    return _started(path)


# ---- what is kept for servers of this home


def portal_folder() -> Path:
    """Give the folder where portals of this home keep what only this user may read; it is made if need be.

    Raises
    ------
    StoreError
        If it cannot be made.
    """
    folder = home() / ".portal"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the portal has no place for what it keeps: {error}") from error
    return folder


def secret(name: str) -> str:
    """Give a secret that is kept under a name; the first to ask makes it.

    Raises
    ------
    StoreError
        If it can be neither read nor made.
    """
    import secrets

    file = portal_folder() / name
    draft = file.with_name(f"{name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        if not file.exists():
            write_private(draft, secrets.token_urlsafe(_SECRET_BYTES))
            with suppress(FileExistsError):
                os.link(draft, file)  # of several at once, one wins
            draft.unlink()
        return file.read_text("ascii")
    except OSError as error:
        raise StoreError(f"a secret of the portal can be neither read nor made: {error}") from error


def write_private(file: Path, text: str) -> None:
    """Write a file that only this user may read."""
    with open(file, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(text)


class _Server:
    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self.token = token


def _portals() -> Iterator[_Server]:
    for file in sorted((home() / ".portal").glob("server-*.json")):
        info = _read(file)
        if (server := _server_of(info)) is not None:
            yield server


def _jupyter_servers() -> Iterator[_Server]:
    """List the Jupyter servers of this user that say they run, that which started this kernel first."""
    try:
        from jupyter_core.paths import jupyter_runtime_dir
    except ImportError:
        return
    found = [_read(file) for file in Path(jupyter_runtime_dir()).glob("jpserver-*.json")]
    found.sort(key=lambda info: str(info.get("pid")) != os.environ.get("JPY_PARENT_PID"))
    for info in found:
        if (server := _server_of(info)) is not None:
            yield server


def _read(file: Path) -> dict[str, Any]:
    try:
        info = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return info if isinstance(info, dict) else {}


def _server_of(info: dict[str, Any]) -> _Server | None:
    """Give the server that a file tells of, if its token may be sent there: to the very process that wrote it."""
    url, token, pid = info.get("url"), info.get("token"), info.get("pid")
    if not (isinstance(url, str) and isinstance(token, str) and token and type(pid) is int):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or parts.hostname not in _LOOPBACK or not _listens(pid, port):
        return None
    return _Server(url, token)


def _listens(pid: int, port: int | None) -> bool:
    """Tell whether a process listens at a port: the one that did may be gone, and its port another's."""
    import psutil

    try:
        sockets = psutil.Process(pid).net_connections("tcp")
    except (psutil.Error, ValueError, OverflowError):
        return False
    return any(found.status == psutil.CONN_LISTEN and found.laddr.port == port for found in sockets)


def _ask(server: _Server, path: str) -> str | None:
    """Ask a server for a ticket to a page; None if it does not answer, or not as one that serves this home."""
    import urllib.request

    class Stay(urllib.request.HTTPRedirectHandler):
        """Follows no redirection: the token is for the server that was asked."""

        def redirect_request(self, *_: Any, **__: Any) -> None:
            return None

    request = urllib.request.Request(  # noqa: S310 (http or https, by _server_of)
        f"{server.url}/{PREFIX}/api/tickets",
        data=json.dumps({"home": secret("id")}).encode(),
        headers={"Authorization": f"token {server.token}", "Content-Type": "application/json"},
        method="POST",
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay())
    try:
        with opener.open(request, timeout=_ASK_SECONDS) as answer:
            found = json.loads(answer.read(_LONGEST_ANSWER))
        ticket = found["ticket"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.debug("no portal answers at %s: %s", server.url, error)
        return None
    return f"{server.url}/{PREFIX}{path}?ticket={ticket}"


# ---- starting one


def _started(path: str) -> str:
    """Start a portal in the background, and give the page's address there.

    Raises
    ------
    StoreError
        If it does not answer.
    """
    import subprocess

    from runwidgets.store.locks import lock_at

    folder = portal_folder()
    with lock_at(folder / "starting.lock").acquire(timeout=_START_SECONDS):
        for server in _portals():  # another process may just have started one
            if (url := _ask(server, path)) is not None:
                return url
        log = folder / "portal.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "runwidgets", "portal", "--background"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                close_fds=True,
            )
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            for server in _portals():
                if (url := _ask(server, path)) is not None:
                    return url
            time.sleep(_LOOK_SECONDS)
    raise StoreError(f"the portal does not start; {log} says why. `runwidgets portal` starts it in a terminal")
