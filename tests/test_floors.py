"""Who may import whom. CONTRIBUTING.md, section "Architecture", tells why."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "runwidgets"

# A module, or a room (a package with all that is in it), and its floor. A module imports from its own floor and from
# those below it.
FLOORS = {
    "runwidgets": 6,  # __init__.py alone: the rest is named below
    "runwidgets.__main__": 6,
    "runwidgets.cli": 6,
    "runwidgets.commands": 6,
    "runwidgets.doctor": 6,
    "runwidgets.demo": 6,
    "runwidgets.portal": 5,
    "runwidgets.widgets": 4,
    "runwidgets.terminal": 4,
    "runwidgets.watch": 3,
    "runwidgets.submit": 3,
    # Of submitting, what a workspace keeps and makes: what was submitted, and environments.
    "runwidgets.submit.building": 2,
    "runwidgets.submit.built": 2,
    "runwidgets.submit.closed": 2,
    "runwidgets.submit.conda": 2,
    "runwidgets.submit.conda_tool": 2,
    "runwidgets.submit.definition": 2,
    "runwidgets.submit.environment": 2,
    "runwidgets.submit.failure": 2,
    "runwidgets.submit.links": 2,
    "runwidgets.submit.needs": 2,
    "runwidgets.submit.registered": 2,
    "runwidgets.submit.requirements": 2,
    "runwidgets.submit.sections": 2,
    "runwidgets.run": 2,
    "runwidgets.addressing": 2,
    "runwidgets.archive": 2,
    "runwidgets.deleting": 2,
    "runwidgets.context": 2,
    "runwidgets.figures": 2,
    "runwidgets.handle": 2,
    "runwidgets.opening": 2,
    "runwidgets.reading": 2,
    "runwidgets.recording": 2,
    "runwidgets.submitted": 2,
    "runwidgets.uploading": 2,
    "runwidgets.starting": 2,
    "runwidgets.surroundings": 2,
    "runwidgets.outputs": 2,
    "runwidgets.restless": 2,
    "runwidgets.capture": 2,
    "runwidgets.snapshotting": 2,
    "runwidgets.waiting": 2,
    "runwidgets.family": 2,
    "runwidgets.filters": 2,
    "runwidgets.frames": 2,
    "runwidgets.exports": 2,
    "runwidgets.experiment": 2,
    "runwidgets.compute": 2,
    "runwidgets.workspace": 2,
    "runwidgets.configuration": 2,
    "runwidgets.home": 2,
    "runwidgets.limits": 2,
    "runwidgets.model": 2,
    "runwidgets.choosing": 2,
    "runwidgets.registering": 2,
    "runwidgets.reprs": 2,
    "runwidgets.store": 1,
    "runwidgets.artifacts": 0,
    "runwidgets.columns": 0,
    "runwidgets.conditions": 0,
    "runwidgets.documents": 0,
    "runwidgets.errors": 0,
    "runwidgets.events": 0,
    "runwidgets.exiting": 0,
    "runwidgets.git": 0,
    "runwidgets.images": 0,
    "runwidgets.metrics": 0,
    "runwidgets.moments": 0,
    "runwidgets.packages": 0,
    "runwidgets.query": 0,
    "runwidgets.records": 0,
    "runwidgets.system": 0,
    "runwidgets.values": 0,
}
# Rooms that do not know each other, though their floors would allow it: who, whom.
STRANGERS = (("runwidgets.widgets", "runwidgets.store"),)
# A library that is heavy to import, and the one module that may.
SOLE_IMPORTERS = {"bqplot": "runwidgets.widgets.charts"}
# Names that tell nothing of what is in the module.
VAGUE = {"base", "common", "helpers", "manager", "utils"}
# What is imported by many who never look at a widget, and what it does not load.
_WIDGETS = {"anywidget", "bqplot", "ipywidgets"}
_DATA = {"numpy", "pandas", "yaml"}
HEAVY = {
    "import runwidgets": {"msgspec", "psutil", "sqlite3"} | _WIDGETS | _DATA,
    "from runwidgets import Experiment, Run, Workspace": _WIDGETS | _DATA,
    "from runwidgets import Environment, ScriptRunConfig": _WIDGETS | _DATA,
}


@dataclass(frozen=True)
class Import:
    """One import of one module, found in the source of another."""

    importer: str
    imported: str
    line: int
    at_import_time: bool

    def __str__(self) -> str:
        return f"{self.importer}, line {self.line}, imports {self.imported}"


def modules_of(package: Path) -> dict[str, Path]:
    """Find all modules of a package: dotted names to files."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(package: Path) -> list[Import]:
    """Find all imports that may ever be executed: of modules of the package by full name, of others by top level."""
    modules = modules_of(package)
    found = []
    for name, path in modules.items():
        reader = _ImportReader(name, path, modules)
        reader.visit(ast.parse(path.read_text(encoding="utf-8"), str(path)))
        found += reader.found
    return found


class _ImportReader(ast.NodeVisitor):
    def __init__(self, name: str, path: Path, modules: dict[str, Path]) -> None:
        self._name = name
        self._package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        self._modules = modules
        self._depth = 0
        self.found: list[Import] = []

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        source = node.module or ""
        if node.level:
            parent = self._package.split(".")[: len(self._package.split(".")) - node.level + 1]
            source = ".".join([*parent, source] if source else parent)
        for alias in node.names:
            # `from room import module` is an import of the module, `from module import name` of the module named first.
            submodule = f"{source}.{alias.name}"
            self._add(submodule if submodule in self._modules else source, node.lineno)

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        if called in {"import_module", "__import__"} and node.args and isinstance(node.args[0], ast.Constant):
            self._add(str(node.args[0].value), node.lineno)
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        tested = node.test.attr if isinstance(node.test, ast.Attribute) else getattr(node.test, "id", None)
        for child in node.orelse if tested == "TYPE_CHECKING" else ast.iter_child_nodes(node):
            self.visit(child)

    def _visit_body_of_function(self, node: ast.AST) -> None:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _visit_body_of_function  # noqa: N815 - ast's names

    def _add(self, imported: str, line: int) -> None:
        top_level = imported.partition(".")[0]
        if top_level != self._name.partition(".")[0]:
            imported = top_level
        self.found.append(Import(self._name, imported, line, at_import_time=not self._depth))


def _is_in(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def floor_of(module: str) -> int | None:
    """Give the floor of a module, that of its room where it has none of its own; None for one that nobody placed."""
    name = module
    while "." in name:
        if name in FLOORS:
            return FLOORS[name]
        name = name.rpartition(".")[0]
    return FLOORS.get(module)


def unplaced(package: Path) -> list[str]:
    """Name the modules that have no floor."""
    return [name for name in modules_of(package) if floor_of(name) is None]


def vague_names(package: Path) -> list[str]:
    """Name the modules whose names tell nothing."""
    return [name for name in modules_of(package) if VAGUE & set(name.split("."))]


def upward_imports(package: Path) -> list[str]:
    """Tell of each import from a floor above the importer's."""
    found = []
    for one in imports_of(package):
        mine, other = floor_of(one.importer), floor_of(one.imported)
        if mine is not None and other is not None and other > mine:
            found.append(f"{one}: floor {mine} from floor {other}")
    return found


def forbidden_imports(package: Path) -> list[str]:
    """Tell of each import between strangers, and of each import of a library by another than its sole importer."""
    return [
        str(one)
        for one in imports_of(package)
        if any(_is_in(one.importer, who) and _is_in(one.imported, whom) for who, whom in STRANGERS)
        or SOLE_IMPORTERS.get(one.imported, one.importer) != one.importer
    ]


def import_cycles(package: Path) -> list[list[str]]:
    """Give each cycle among the imports that are made when a module is imported."""
    graph: dict[str, set[str]] = {name: set() for name in modules_of(package)}
    for one in imports_of(package):
        if one.at_import_time and one.imported in graph and one.imported != one.importer:
            graph[one.importer].add(one.imported)
    cycles, finished = [], set()

    def walk(name: str, path: list[str]) -> None:
        if name in path:
            cycles.append([*path[path.index(name) :], name])
        elif name not in finished:
            for imported in sorted(graph[name]):
                walk(imported, [*path, name])
            finished.add(name)

    for name in graph:
        walk(name, [])
    return cycles


def test_every_module_has_a_floor():
    missing = unplaced(PACKAGE)
    assert not missing, f"give these a floor in FLOORS, {__file__}: {missing}"


def test_every_module_is_named_for_what_is_in_it():
    assert vague_names(PACKAGE) == []


def test_no_module_imports_from_a_floor_above_its_own():
    assert upward_imports(PACKAGE) == []


def test_widgets_never_open_the_store_and_only_charts_know_bqplot():
    assert forbidden_imports(PACKAGE) == []


def test_no_modules_import_each_other_in_a_circle():
    assert import_cycles(PACKAGE) == []


@pytest.mark.parametrize(("code", "heavy"), HEAVY.items())
def test_what_is_imported_first_is_light(code, heavy):
    code = f"import sys; sys.path += {sys.path!r}; {code}; print(*sorted(set(sys.modules) & {heavy!r}))"
    # -S, for what is installed beside us (coverage in a child process, for one) may load libraries when Python starts.
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=PACKAGE.parent, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


@pytest.fixture
def package(tmp_path):
    """Make a package of the given files, to break the rules in."""

    def make(sources: dict[str, str]) -> Path:
        root = tmp_path / "runwidgets"
        for name, source in {"__init__.py": "", **sources}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return root

    return make


@pytest.mark.parametrize(
    "source",
    [
        "import runwidgets.watch.feed",
        "import json, runwidgets.watch.feed as feed",
        "from runwidgets.watch.feed import Feed",
        "from runwidgets.watch import feed",
        "from .watch import feed",
        "from . import watch",
        "def show():\n    from .watch.feed import Feed",
        "class Run:\n    async def show(self):\n        import runwidgets.watch",
        "if True:\n    from runwidgets.watch import feed",
        "if TYPE_CHECKING:\n    pass\nelse:\n    from runwidgets.watch import feed",
        "try:\n    pass\nfinally:\n    import runwidgets.watch",
        "feed = importlib.import_module('runwidgets.watch.feed')",
        "from runwidgets import Run",
    ],
)
def test_an_upward_import_is_found_however_it_is_written(package, source):
    (found,) = upward_imports(package({"run.py": source, "watch/__init__.py": "", "watch/feed.py": ""}))
    assert found.startswith("runwidgets.run, line ")


def test_an_upward_import_is_found_in_a_room(package):
    root = package({"store/journal.py": "from .. import run\nfrom ..watch.feed import Feed", "run.py": ""})
    assert upward_imports(root) == [
        "runwidgets.store.journal, line 1, imports runwidgets.run: floor 1 from floor 2",
        "runwidgets.store.journal, line 2, imports runwidgets.watch.feed: floor 1 from floor 3",
    ]


def test_downward_imports_and_imports_for_types_are_allowed(package):
    root = package(
        {
            "errors.py": "",
            "run.py": "from runwidgets.store import journal\nfrom .errors import UserError\n"
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from runwidgets.watch.feed import Feed",
            "store/journal.py": "import typing\nif typing.TYPE_CHECKING:\n    import runwidgets.run",
            "watch/feed.py": "from runwidgets.run import Run",
        }
    )
    assert upward_imports(root) == forbidden_imports(root) == import_cycles(root) == []


def test_a_widget_that_opens_the_store_is_found(package):
    root = package({"widgets/details.py": "def f():\n    from runwidgets.store.sqlite import SqliteStore"})
    assert forbidden_imports(root) == ["runwidgets.widgets.details, line 2, imports runwidgets.store.sqlite"]


def test_bqplot_is_found_outside_of_charts(package):
    root = package({"widgets/charts.py": "import bqplot.marks", "widgets/details.py": "from bqplot.marks import Lines"})
    assert forbidden_imports(root) == ["runwidgets.widgets.details, line 1, imports bqplot"]


def test_a_circle_of_modules_is_found(package):
    root = package(
        {
            "run.py": "from runwidgets.experiment import Experiment",
            "experiment.py": "from .workspace import Workspace",
            "workspace.py": "import runwidgets.run",
        }
    )
    (circle,) = import_cycles(root)
    assert circle[0] == circle[-1]
    assert set(circle) == {"runwidgets.run", "runwidgets.experiment", "runwidgets.workspace"}


def test_a_circle_that_closes_only_when_a_function_is_called_is_allowed(package):
    root = package({"run.py": "import runwidgets.experiment", "experiment.py": "def f():\n    import runwidgets.run"})
    assert import_cycles(root) == []


def test_a_module_without_a_floor_is_found(package):
    assert unplaced(package({"run.py": "", "stray.py": "", "store/journal.py": ""})) == ["runwidgets.stray"]


def test_a_vague_name_is_found(package):
    assert vague_names(package({"run.py": "", "store/utils.py": ""})) == ["runwidgets.store.utils"]
