"""What other programs ask."""

from __future__ import annotations

import hmac

from jupyter_server.auth.decorator import allow_unauthenticated  # noqa: F401
from tornado import web

from runwidgets.addressing import secret
from runwidgets.portal.handling import PortalHandler


class AboutHandler(PortalHandler):
    """What this is."""

    @web.authenticated
    def get(self) -> None:
        """Say which version it is."""
        from importlib.metadata import version

        self.finish_json({"name": "runwidgets", "version": version("runwidgets")})


class TicketsHandler(PortalHandler):
    """Tickets, for processes of this user that know the home which is served."""

    @web.authenticated
    def post(self) -> None:
        """Give a ticket to who names this home."""
        asked = self.get_json_body()
        named = asked.get("home") if isinstance(asked, dict) else None
        if not isinstance(named, str) or not hmac.compare_digest(named.encode(), secret("id").encode()):
            raise web.HTTPError(409, "this portal serves another RUNWIDGETS_HOME")
        self.finish_json({"ticket": self.portal.tickets.issue()})
