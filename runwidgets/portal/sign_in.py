"""What is told to a browser that has not been let in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jupyter_server.base.handlers import JupyterHandler

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Sign in · runwidgets</title>
<style>body{font:15px/1.6 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}
code{font:14px ui-monospace,monospace;background:#8882;padding:.1em .4em;border-radius:4px}</style>
<h1>This link lets nobody in any more</h1>
<p>A link to the portal works once and for ten minutes, and this browser has not been let in before.
For a new one, run</p>
<p><code>runwidgets portal --ticket</code></p>
<p>in a terminal of the machine where the runs are, or <code>print(run.get_portal_url())</code> in a notebook,
and open what it prints.</p>
</html>
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def sign_in_page(handler: JupyterHandler) -> None:
    """Answer with the page that says how to be let in."""
    handler.set_status(403)
    handler.set_header("Content-Security-Policy", _POLICY)
    handler.finish(_PAGE)
