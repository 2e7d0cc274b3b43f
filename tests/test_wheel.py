"""What is shipped: the wheel and the sdist, and the hook that builds the panels into them (js/hatch_build.py)."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PORTAL = ("portal.js", "portal.css", "portal.js.LEGAL.txt")
STATIC = {
    "runwidgets/static/runwidgets.css",
    "runwidgets/static/panels.js",
    "runwidgets/static/part.js",
    *(f"runwidgets/static/portal/{name}" for name in PORTAL),
}

_spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "js" / "hatch_build.py")
hatch_build = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(hatch_build)


def built(what: str, root: Path, **environment: str) -> Path:
    """Build the `wheel` or `sdist` of the project in root, and give its path."""
    out = root / "dist" / what
    done = subprocess.run(
        [sys.executable, "-m", "build", f"--{what}", "--no-isolation", "--outdir", str(out), str(root)],
        check=False,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    (path,) = out.iterdir()
    return path


def sizes(wheel: Path) -> dict[str, int]:
    with zipfile.ZipFile(wheel) as archive:
        return {entry.filename: entry.file_size for entry in archive.infolist()}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Give a copy of the checkout, as fresh as after `git clone` and `npm ci`."""
    copy = tmp_path_factory.mktemp("checkout") / "runwidgets"
    left_out = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "dist", "node_modules", "static")
    shutil.copytree(ROOT, copy, ignore=left_out)
    (copy / "js" / "node_modules").symlink_to(ROOT / "js" / "node_modules")
    return copy


@pytest.fixture(scope="module")
def sdist(checkout):
    return built("sdist", checkout)


@pytest.fixture(scope="module")
def wheel(checkout):
    return built("wheel", checkout)


def test_the_wheel_has_every_panel_and_the_package_alone(wheel):
    files = sizes(wheel)
    assert {name for name in files if name.startswith("runwidgets/static/")} == STATIC
    assert [name for name in STATIC if not files[name]] == []
    assert {"runwidgets/__init__.py", "runwidgets/py.typed"} <= set(files)
    stem = wheel.name.split("-py3-")[0]
    assert {name.split("/")[0] for name in files} == {"runwidgets", f"{stem}.dist-info", f"{stem}.data"}
    enabled = [name for name in files if name.startswith(f"{stem}.data")]
    assert enabled == [f"{stem}.data/data/etc/jupyter/jupyter_server_config.d/runwidgets.json"]


def test_the_sdist_has_all_that_a_build_and_the_tests_need_and_nothing_installed(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names > STATIC
    assert {"pyproject.toml", "setup.cfg", "LICENSE", "js/hatch_build.py", "js/build.mjs", "tests/conftest.py"} < names
    assert [name for name in names if "node_modules" in name or ".venv" in name] == []


def test_the_wheel_built_from_the_sdist_needs_no_node_and_is_the_same(sdist, wheel, tmp_path):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (root,) = tmp_path.iterdir()
    again = built("wheel", root, PATH="")
    assert sizes(again) == sizes(wheel)


class Project:
    """A project with sources for the hook, and a PATH that holds only what a test puts there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.static = root / "runwidgets" / "static"
        self.programs = root / "bin"
        self.calls = root / "calls"
        for name in ("js/src/panel.ts", "js/src/deep/wire.ts", "js/build.mjs", "js/package-lock.json"):
            self.write(name, at=100)
        for name in ("js/node_modules/.package-lock.json", "runwidgets/static/panel.js"):
            self.write(name, at=200)
        for folder in ("js/src/deep", "js/src"):
            os.utime(root / folder, (100, 100))
        self.programs.mkdir()
        self.install(node="echo v22.4.0")
        # npm writes a panel, dated long ago as a tool may that leaves an unchanged file as it was.
        make = (
            f'case "$*" in "run build") /bin/mkdir -p {self.static}; /usr/bin/touch -d @1 {self.static}/new.js;; esac'
        )
        self.install(npm=f'echo "$*" >> {self.calls}; {make}')

    def write(self, name: str, at: float) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (at, at))

    def install(self, **programs: str) -> None:
        for name, script in programs.items():
            path = self.programs / name
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)

    def build(self) -> list[str]:
        """Run the hook; give the calls of npm."""
        self.calls.write_text("")
        hatch_build.build_panels(self.root)
        return self.calls.read_text().splitlines()


@pytest.fixture
def project(tmp_path, monkeypatch):
    made = Project(tmp_path)
    monkeypatch.setenv("PATH", str(made.programs))
    return made


def test_panels_newer_than_their_sources_are_left_as_they_are(project):
    assert project.build() == []


@pytest.mark.parametrize("name", ["js/src/deep/wire.ts", "js/build.mjs", "js/src/added.ts"])
def test_panels_older_than_a_source_are_built_anew_once(project, name):
    project.write(name, at=300)
    assert project.build() == ["run build"]
    assert [path.name for path in project.static.iterdir()] == ["new.js"]
    assert project.build() == []


def test_panels_are_built_anew_when_a_source_was_removed(project):
    (project.root / "js/src/deep/wire.ts").unlink()
    assert project.build() == ["run build"]


def test_missing_panels_are_built(project):
    shutil.rmtree(project.static)
    assert project.build() == ["run build"]


def test_what_npm_installs_is_installed_again_when_the_lock_is_newer(project):
    project.write("js/package-lock.json", at=300)
    assert project.build() == ["ci --no-audit --no-fund", "run build"]


def test_an_sdist_with_panels_needs_no_node_though_its_files_have_any_dates(project):
    project.write("js/src/panel.ts", at=300)
    project.write("PKG-INFO", at=300)
    (project.programs / "node").unlink()
    assert project.build() == []


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (None, "no `node` was found on the PATH"),
        ("echo v18.19.1", "/node is v18.19.1"),
        ("exit 1", "/node is of a version it does not tell"),
    ],
)
def test_without_a_fit_node_the_message_says_what_is_needed_found_and_to_be_done(project, node, said):
    shutil.rmtree(project.static)
    (project.programs / "node").unlink()
    if node:
        project.install(node=node)
    with pytest.raises(SystemExit) as stop:
        project.build()
    message = str(stop.value)
    assert said in message
    assert "needs Node.js 20 or newer with npm" in message
    assert "Install it" in message
    assert not project.static.exists()


def test_without_npm_the_message_says_so(project):
    shutil.rmtree(project.static)
    (project.programs / "npm").unlink()
    with pytest.raises(SystemExit, match=r"/node is v22\.4\.0, but no `npm` was found on the PATH"):
        project.build()


def test_a_failed_step_of_npm_is_shown_with_all_it_said(project):
    shutil.rmtree(project.static)
    project.install(npm="echo 'panel.ts:7: no such thing'; exit 3")
    with pytest.raises(
        SystemExit, match=r"(?s)`npm run build` failed in .*/js with exit code 3:\npanel\.ts:7: no such"
    ):
        project.build()


@pytest.mark.parametrize(("version", "calls"), [("editable", 0), ("standard", 1)])
def test_only_an_editable_install_may_do_without_panels(project, monkeypatch, version, calls):
    shutil.rmtree(project.static)
    project.calls.write_text("")
    monkeypatch.setenv("RUNWIDGETS_SKIP_JS", "1")
    hatch_build.PanelsBuildHook(str(project.root), {}, None, None, "", "wheel").initialize(version, {})
    assert len(project.calls.read_text().splitlines()) == calls
