"""What all routes of the portal have in common."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join

from runwidgets.addressing import PREFIX
from runwidgets.errors import NotFoundError, RunwidgetsError
from runwidgets.portal.portal import KEY
from runwidgets.run import Run
from runwidgets.workspace import Workspace

if TYPE_CHECKING:
    from runwidgets.portal.portal import Portal


def run_at(workspace: str, run_id: str) -> Run:
    """Find the run of an address.

    Raises
    ------
    NotFoundError
        If there is no such workspace, or no such run in it.
    """
    return Run.get(Workspace.get(workspace), run_id)


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

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what is wrong in words, and nothing of the code."""
        raised = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(raised, RunwidgetsError):
            status_code = 404 if isinstance(raised, NotFoundError) else 400
            told = str(raised)
        else:
            told = getattr(raised, "log_message", None) or HTTPStatus(status_code).phrase
        self.set_status(status_code)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish({"error": told})

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what is a mistake of ours; what a visitor got wrong, the visitor is told."""
        if not isinstance(value, RunwidgetsError):
            super().log_exception(typ, value, tb)

    def finish_json(self, answer: Any) -> None:
        """Answer with JSON."""
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(answer)
