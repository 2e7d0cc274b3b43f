"""Which Python runs here, on what, and with which packages."""

from __future__ import annotations

import functools
import platform
import re
from importlib.metadata import distributions
from typing import Final

_NAME: Final = re.compile(r"^Name:(.+)$", re.MULTILINE | re.IGNORECASE)
_VERSION: Final = re.compile(r"^Version:(.+)$", re.MULTILINE | re.IGNORECASE)
"""Read without a parser of mail, which takes a millisecond for each package."""


@functools.cache
def python_facts() -> dict[str, str]:
    """Give the version of Python and the platform, as properties of a run."""
    return {"runwidgets.python": platform.python_version(), "runwidgets.platform": platform.platform()}


@functools.cache
def packages_text() -> str:
    """List the installed packages as ``pip freeze`` does, a line each; looked up once in a process.

    Where two are on the path with the same name, the first counts, as in an import.
    """
    found: dict[str, str] = {}
    for distribution in distributions():
        try:
            text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
            head = text.partition("\n\n")[0]  # what follows is its description, which may be long
            name, version = (
                found_in[1].strip() for found_in in (_NAME.search(head), _VERSION.search(head)) if found_in
            )
        except Exception:  # noqa: BLE001, S112 (what a broken installation left may break in any way)
            continue
        found.setdefault(name.lower().replace("_", "-"), f"{name}=={version}")
    return "".join(f"{found[key]}\n" for key in sorted(found))
