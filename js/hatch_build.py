"""Build hook: the browser panels of js/src become runwidgets/static whenever the package is built from a checkout.

`pip install -e .`, a wheel and an sdist all pass through here. Node is needed only where there is something to build:
an sdist brings the built files along, and files newer than all they are made from are left as they are.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_AT_LEAST = 20
INPUTS = ("src", "build.mjs", "package.json", "package-lock.json", "tsconfig.json")
SKIP = "RUNWIDGETS_SKIP_JS"
"""Set to 1, makes an editable install without the panels, for work on Python alone. A wheel or an sdist ignores it."""


class PanelsBuildHook(BuildHookInterface):
    """Builds runwidgets/static before hatchling collects the files of a wheel or an sdist."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build what is missing or out of date."""
        if version == "editable" and os.environ.get(SKIP) == "1":
            self.app.display_warning(f"{SKIP}=1: runwidgets/static is left as it is")
            return
        build_panels(Path(self.root))


def build_panels(root: Path) -> None:
    """Build runwidgets/static under the project's root, unless it is there and up to date.

    Raises
    ------
    SystemExit
        Node or npm is missing or too old, or one of npm's steps failed; the message says what to do.
    """
    js, static = root / "js", root / "runwidgets" / "static"
    outputs = [*static.glob("*.js"), *static.glob("*.css")]
    from_sdist = (root / "PKG-INFO").is_file()
    if outputs and (from_sdist or min(map(_modified_at, outputs)) >= _newest_input(js)):
        return

    npm = _npm()
    lock, installed = js / "package-lock.json", js / "node_modules" / ".package-lock.json"
    if not installed.is_file() or _modified_at(installed) < _modified_at(lock):
        _run(npm, "ci", "--no-audit", "--no-fund", cwd=js)
    shutil.rmtree(static, ignore_errors=True)  # a panel that is no more must not be shipped
    _run(npm, "run", "build", cwd=js)
    for output in static.iterdir():
        os.utime(output)


def _modified_at(path: Path) -> float:
    return path.stat().st_mtime


def _newest_input(js: Path) -> float:
    """Give the time of the last change to anything the panels are made from; folders tell of removed files."""
    named = [js / name for name in INPUTS if (js / name).exists()]
    return max(_modified_at(path) for top in named for path in (top, *top.rglob("*")))


def _npm() -> str:
    """Give the path of npm, once Node is known to be there and new enough."""
    wanted = (
        f"runwidgets builds its browser panels from source, and needs Node.js {NODE_AT_LEAST} or newer with npm: {{}}\n"
        f"Install it (https://nodejs.org, or your system's packages nodejs and npm) and try again, or install "
        f"a released wheel of runwidgets, which has the panels in it and needs no Node."
    )
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        raise SystemExit(wanted.format("no `node` was found on the PATH."))
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    version = re.fullmatch(r"v(\d+)\..*", said)
    if version is None or int(version[1]) < NODE_AT_LEAST:
        raise SystemExit(wanted.format(f"{node} is {said or 'of a version it does not tell'}."))
    if npm is None:
        raise SystemExit(wanted.format(f"{node} is {said}, but no `npm` was found on the PATH."))
    return npm


def _run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        called = " ".join(("npm", *command[1:]))
        raise SystemExit(f"`{called}` failed in {cwd} with exit code {done.returncode}:\n{done.stdout}")
