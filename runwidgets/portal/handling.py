"""What all routes of the portal have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join

from runwidgets.addressing import PREFIX
from runwidgets.portal.portal import KEY

if TYPE_CHECKING:
    from runwidgets.portal.portal import Portal

NOTHING_ALLOWED: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""The policy of what is no page."""


class PortalHandler(JupyterHandler):
    """A route of the portal: whoever asks has signed in, unless the method says otherwise."""

    policy = NOTHING_ALLOWED

    @property
    def portal(self) -> Portal:
        """What all routes share."""
        return cast("Portal", self.settings[KEY])

    @property
    def base(self) -> str:
        """The path of the portal."""
        return str(url_path_join(self.base_url, PREFIX))

    @property
    def content_security_policy(self) -> str:
        """What the answer may load, if a browser takes it for a page."""
        return self.policy

    def set_default_headers(self) -> None:
        """Answers are what they say they are, and nobody learns from where a link was followed."""
        super().set_default_headers()
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")

    def finish_json(self, answer: Any) -> None:
        """Answer with JSON."""
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(answer)
