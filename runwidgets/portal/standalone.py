"""The portal as a server of its own: Jupyter Server with nothing in it but signing in and the portal."""

from __future__ import annotations

import json
import logging
import os
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

from jupyter_server.auth.identity import IdentityProvider
from jupyter_server.auth.login import LoginFormHandler
from jupyter_server.serverapp import ServerApp
from tornado.ioloop import PeriodicCallback
from traitlets import Bool, Float, Int, default

from runwidgets.addressing import DEFAULT_PORT, PREFIX, portal_folder, secret, write_private
from runwidgets.portal.portal import KEY
from runwidgets.portal.sign_in import sign_in_page

if TYPE_CHECKING:
    from pathlib import Path

    from runwidgets.portal.portal import Portal

_LOOK_MILLISECONDS: Final = 15_000


class SignInHandler(LoginFormHandler):
    """What a browser sees that has not been let in."""

    def _render(self, message: Any = None) -> None:  # noqa: ARG002 (jupyter_server's signature)
        sign_in_page(self)


class TicketIdentityProvider(IdentityProvider):
    """Lets in who has a ticket, or the token that is kept for this user's processes."""

    login_handler_class = SignInHandler

    @default("token")
    def _kept_token(self) -> str:
        return secret("token")

    @default("cookie_options")
    def _strict(self) -> dict[str, Any]:
        return {"httponly": True, "samesite": "Strict"}

    @property
    def login_available(self) -> bool:
        """Whether there is a page to sign in: there is one that says how."""
        return True


class PortalApp(ServerApp):
    """The server. Its options are those of Jupyter Server."""

    name = "runwidgets-portal"
    description = "Shows runs in a browser."
    default_services = ("auth", "security")  # type: ignore[assignment]  # fewer, as its documentation invites to

    idle_seconds = Float(0.0, help="End after so long without a visitor; 0 for never.").tag(config=True)
    in_background = Bool(False, help="Started by another process: say nothing.").tag(config=True)

    _file: Path | None = None

    websocket_ping_interval = Int(30_000, config=True)
    websocket_ping_timeout = Int(30_000, config=True)

    @default("port")
    def _usual_port(self) -> int:
        return DEFAULT_PORT

    @default("identity_provider_class")
    def _tickets(self) -> type[IdentityProvider]:
        return TicketIdentityProvider

    @default("open_browser")
    def _opens_none(self) -> bool:
        return False

    @default("cookie_secret_file")
    def _kept_cookies(self) -> str:
        return str(portal_folder() / "cookies")

    @default("root_dir")
    def _nothing_to_serve(self) -> str:
        return str(portal_folder())

    @default("default_url")
    def _home_page(self) -> str:
        return f"/{PREFIX}/"

    @default("allow_root")
    def _of_whoever(self) -> bool:
        return True

    @default("log_level")
    def _quiet(self) -> int:
        return logging.WARNING

    @property
    def portal(self) -> Portal:
        """The portal in it."""
        return cast("Portal", self.web_app.settings[KEY])

    def initialize(self, argv: list[str] | None = None, *_: Any, **__: Any) -> None:
        """Set up, with no other extension than the portal."""
        self.jpserver_extensions = {"runwidgets.portal": True}
        super().initialize(argv=argv, find_extensions=False)

    def write_server_info_file(self) -> None:
        """Tell this user's processes where it is."""
        self._file = portal_folder() / f"server-{os.getpid()}.json"
        told = {"url": self.connection_url, "pid": os.getpid(), "token": self.identity_provider.token}
        write_private(self._file, json.dumps(told))
        if self.idle_seconds > 0:
            PeriodicCallback(self._end_unless_visited, min(_LOOK_MILLISECONDS, self.idle_seconds * 250)).start()

    def remove_server_info_file(self) -> None:
        """Tell no more."""
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink()

    def write_browser_open_files(self) -> None:
        """Leave nothing on disk that lets anybody in."""

    def remove_browser_open_files(self) -> None:
        """There are none."""

    def launch_browser(self) -> None:
        """Open the home page."""
        webbrowser.open(self.ticket_url())

    def _end_unless_visited(self) -> None:
        if self.portal.seconds_unvisited() > self.idle_seconds:
            self.log.info("no visitor for %g s: the portal ends", self.idle_seconds)
            self.stop()

    def running_server_info(self, kernel_count: bool = True) -> str:  # noqa: ARG002
        """Say where it is, with a ticket."""
        return f"The portal is at {self.ticket_url()}"

    def ticket_url(self, path: str = "/") -> str:
        """Give an address that lets a browser in."""
        return f"{self.connection_url.rstrip('/')}/{PREFIX}{path}?ticket={self.portal.tickets.issue()}"
