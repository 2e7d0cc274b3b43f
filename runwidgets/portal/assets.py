"""Scripts and stylesheets of the pages: the portal's own, and those of the widget libraries as they are installed."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from jupyter_core.paths import jupyter_path
from tornado import web

from runwidgets.portal.handling import PortalHandler

_STATIC: Final = Path(__file__).parent.parent / "static" / "portal"
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_LONG: Final = "private, max-age=31536000, immutable"


def asset(name: str) -> Path:
    """Give the file of one of the portal's own."""
    return _STATIC / name


def module(name: str) -> Path | None:
    """Find the script of a widget library; None where it is not installed."""
    for folder in jupyter_path("nbextensions"):
        file = Path(folder) / name / "index.js"
        if file.is_file():
            return file
    return None


@cache
def _digest(file: Path, modified_at: float) -> str:  # noqa: ARG001 (of another time is another digest)
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def version(file: Path) -> str:
    """Give what tells a file's content from others: it is a part of its address, so that browsers may keep it."""
    return _digest(file, file.stat().st_mtime)


class _FileHandler(PortalHandler):
    def answer(self, file: Path | None) -> None:
        if file is None or not file.is_file():
            raise web.HTTPError(404)
        if self.get_query_argument("v", "") == version(file):
            self.set_header("Cache-Control", _LONG)
        self.set_header("Content-Type", _TYPES[file.suffix])
        self.finish(file.read_bytes())


class StaticHandler(_FileHandler):
    """The portal's own script and stylesheet."""

    @web.authenticated
    def get(self, name: str) -> None:
        """Give a file."""
        self.answer(asset(name))


class ModuleHandler(_FileHandler):
    """The script of a widget library."""

    @web.authenticated
    def get(self, name: str) -> None:
        """Give the script."""
        self.answer(module(name))
