"""What the documents say is there, is there."""

import ast
import importlib
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md")


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_is_named_exists(document):
    named = {word for line in re.findall(r"make ((?:[a-z-]+ ?)+)", text(document)) for word in line.split()[:1]}
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    assert named & targets
    assert set(re.findall(r"`make ([a-z]+)", text(document))) <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_exists(document):
    named = re.findall(r"`((?:tests|js|notebooks|watch|store|widgets)/[\w./-]*)`", text(document))
    named += re.findall(r"\]\((?!http|#)([^)]+)\)", text(document))
    assert named
    missing = [name for name in named if not ((ROOT / name).exists() or (ROOT / "runwidgets" / name).exists())]
    assert missing == []


def test_every_module_has_its_floor_in_the_table():
    table = text("CONTRIBUTING.md").split("| floor |")[1].split("\n\n")[0]
    package = ROOT / "runwidgets"
    modules = {path.stem for path in package.rglob("*.py")} - {"__init__"}
    assert {name for name in modules if f"`{name}`" not in table} == set()


def test_every_extra_that_is_named_exists():
    extras = tomllib.loads(text("pyproject.toml"))["project"]["optional-dependencies"]
    assert set(re.findall(r"\.\[(\w+)\]", text("README.md"))) <= set(extras)


def test_the_examples_import_names_that_exist_and_parse():
    for block in re.findall(r"```python\n(.*?)```", text("README.md"), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names)
