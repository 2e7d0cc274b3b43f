"""Which Python runs here, on what, and with which packages."""

from __future__ import annotations

import functools
import platform
from importlib.metadata import distributions


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
            metadata = distribution.metadata  # parsed anew each time it is asked for
            name, version = metadata["Name"], metadata["Version"]
            found.setdefault(name.lower().replace("_", "-"), f"{name}=={version}")
        except Exception:  # noqa: BLE001, S112 (what a broken installation left may break in any way)
            continue
    return "".join(f"{found[key]}\n" for key in sorted(found))
