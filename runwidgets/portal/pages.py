"""Pages: empty, but for the script that fills them with widgets."""

from __future__ import annotations

from html import escape
from typing import Final

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import User

from runwidgets.portal.assets import asset, module, version
from runwidgets.portal.handling import PortalHandler
from runwidgets.portal.sign_in import sign_in_page

_POLICY: Final = (
    # Widgets bring their scripts as text, which anywidget loads from a blob, and their styles as text too.
    "default-src 'none'; script-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
    "connect-src 'self'; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>runwidgets</title>
<link rel="stylesheet" href="{base}/static/portal.css?v={css}">
<main id="rw-portal" data-base="{base}" data-path="{path}" data-modules="{modules}"></main>
<script src="{base}/static/portal.js?v={js}"></script>
</html>
"""
_LET_IN: Final = """<!doctype html><meta charset="utf-8"><title>runwidgets</title>
<meta http-equiv="refresh" content="0;url={path}"><a href="{path}">Go on</a>
"""


class PageHandler(PortalHandler):
    """Any page. Which widgets are in it, its socket says."""

    policy = _POLICY

    @allow_unauthenticated
    def get(self, path: str | None) -> None:
        """Give a page to who has signed in, or has a ticket."""
        ticket = self.get_query_argument("ticket", None)
        if ticket is not None and self.portal.tickets.redeem(ticket) and self.current_user is None:
            self.identity_provider.set_login_cookie(self, User("portal"))
        elif self.current_user is None:
            if ticket is None:
                self.redirect_to_sign_in()
            else:
                sign_in_page(self)
            return
        if ticket is not None:
            # Not redirected to: what a link of another site leads to is not sent cookies that are SameSite=Strict.
            self.finish(_LET_IN.format(path=escape(self.request.path)))
            return
        self.portal.visit()
        names = ("anywidget", "bqplot", "bqscales")
        files = {name: module(name) for name in names}
        modules = " ".join(f"{name}={version(file)}" for name, file in files.items() if file is not None)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(
            _PAGE.format(
                base=escape(self.base),
                path=escape(path or "/"),
                css=version(asset("portal.css")),
                js=version(asset("portal.js")),
                modules=escape(modules),
            )
        )

    def redirect_to_sign_in(self) -> None:
        """Send a browser to the page where it can sign in; that leads back here."""
        from tornado.httputil import url_concat

        self.redirect(url_concat(self.get_login_url(), {"next": self.request.path}))
