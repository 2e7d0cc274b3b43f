"""The command `runwidgets`."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from runwidgets import cli

ROOT = Path(__file__).parent.parent


def run(*arguments, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "runwidgets", *map(str, arguments)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def test_help_names_each_command_with_what_it_does():
    for arguments in [(), ("--help",)]:
        out, err = run(*arguments)
        assert (out.startswith("usage: runwidgets"), err) == (True, "")
        assert re.search(r"^ +doctor +look whether what is kept is sound", out, re.MULTILINE)
        assert "Exit codes: 0 done; 1 the run that a command waited for has failed" in out


def test_the_version_is_that_of_the_package():
    assert run("--version") == (f"runwidgets {version('runwidgets')}\n", "")


def test_help_loads_neither_numpy_nor_pandas_nor_widgets_nor_the_store():
    heavy = {"anywidget", "bqplot", "ipywidgets", "numpy", "pandas", "psutil", "sqlite3"}
    code = f"""
import sys
sys.path += {sys.path!r}
from runwidgets.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
print(*sorted(set(sys.modules) & {heavy!r}), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_an_unknown_command_or_option_is_told_with_what_there_is():
    assert "doctor" in run("docktor", code=2)[1]
    assert "--reparo" in run("doctor", "--reparo", code=2)[1]


def test_an_error_is_one_line_and_not_a_traceback(tmp_path):
    out, err = run("doctor", "--home", tmp_path / "nowhere", code=2)
    assert out == ""
    assert err.startswith(f"runwidgets doctor: {tmp_path / 'nowhere'} could not be looked at: there is no such folder")
    assert err.count("\n") == 1


def test_a_reader_that_has_read_enough_is_no_error(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "runwidgets", "doctor", "--home", tmp_path],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 141


def test_a_command_is_a_module_that_is_named(monkeypatch):
    module = type(sys)("runwidgets_example")

    def add_command(commands):
        commands.add_parser("example", help="an example").set_defaults(run=lambda arguments: len(arguments.command))

    module.add_command = add_command
    monkeypatch.setitem(sys.modules, "runwidgets_example", module)
    monkeypatch.setattr(cli, "COMMANDS", (*cli.COMMANDS, "runwidgets_example"))
    assert cli.main(["example"]) == 7


def test_the_script_of_the_package_is_the_command():
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())
    module, _, function = package["project"]["scripts"]["runwidgets"].partition(":")
    assert getattr(import_module(module), function) is cli.main
