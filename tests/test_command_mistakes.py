"""What a user does wrong at the command line is told in plain words: no traceback, exit code 2."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runwidgets import Experiment, Workspace, cli
from runwidgets.store.recorder import close_all
from tests.commands import COMMAND, SECONDS, runwidgets

PYTHON = re.compile(r"Traceback|\[Errno|Error:|ComputeTarget|LocalCompute|MpiConf|_seconds|invalid int|True\b")


@pytest.fixture
def folder(current_folder):
    """Give a folder with a file, a folder and archives that are none, and a workspace with one run."""
    (current_folder / "file").write_text("x")
    (current_folder / "folder").mkdir()
    (current_folder / "folder" / "train.py").write_text("")
    (current_folder / "junk.zip").write_bytes(b"PK" + os.urandom(1000))
    experiment = Experiment(Workspace(), "exp")
    for number in range(2):
        with experiment.start_logging(run_id=f"run-{number}", snapshot_directory=None, outputs=False) as run:
            run.log("loss", number)
            run.upload_file("outputs/a", io.BytesIO(b"x"))
    yield current_folder
    close_all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("show none", "has no run whose id begins with 'none': `runwidgets runs --all`"),
        ("show \udcff", "no text that UTF-8 can hold: '\\udcff'"),
        ("show run", "the ids of several runs in the workspace 'default' begin with 'run': write more of it"),
        ("runs --experiment \udcff", "UTF-8"),
        ("runs --status none", "status is 'none': it must be one of"),
        ("runs --limit x", "argument --limit: 'x' is no whole number, such as 3"),
        ("runs --limit 99999999999999999999", "argument --limit: '99999999999999999999' is too large"),
        ("runs --sort =", "--sort '': the name of a metric is wanted"),
        ("runs --workspace none", "there is no workspace 'none'"),
        ("metrics run-0 --name none", "run run-0 has no metric 'none'; it has: 'loss'"),
        ("metrics run-0 --csv folder", "--csv 'folder': is a folder: give a file, such as folder/FILE"),
        ("metrics run-0 --json none/x", "--json 'none/x': there is no folder none: make it first"),
        ("metrics run-0 --parquet file/x", "--parquet 'file/x': file is a file, and a folder is wanted"),
        ("metrics run-0 --csv=", "--csv '': the name of a file is wanted"),
        ("logs run-0 --tail x", "argument --tail: 'x' is no whole number"),
        ("logs run-0 --name none", "run run-0 has no file 'none'; it has: "),
        ("files none", "has no run whose id begins with 'none'"),
        ("download run-0 none", "run run-0 has no file or folder 'none'; it has: "),
        ("download run-0 --to file", "a part of this path is a file, and a folder is wanted"),
        ("export run-0 folder", "the archive 'folder': is a folder: give a file"),
        ("export run-0 none/x.zip", "the archive 'none/x.zip': there is no folder none"),
        ("export run-0 file", "file is there already: name another file, or replace it with --overwrite"),
        ("export none x.zip", "has no run whose id begins with 'none'"),
        ("import folder", "folder: is a folder, and a file is wanted"),
        ("import none.zip", "none.zip: there is no such file or folder"),
        ("import junk.zip", "junk.zip is no zip archive"),
        ("import =", "the archive '': the name of a file is wanted"),
        ("cancel none", "has no run whose id begins with 'none'"),
        ("delete none --yes", "has no run whose id begins with 'none'"),
        ("compute show none", "no compute target 'none'; it has: local. `runwidgets compute create NAME --slots N`"),
        ("compute delete none", "no compute target 'none'; it has: local"),
        ("compute create x --slots 0", "--slots is 0: give a number from 1 to 1,000"),
        ("compute create x --slots x", "argument --slots: 'x' is no whole number"),
        ("compute create ../x", "compute target name '../x': it must begin with a letter or digit"),
        ("submit none train.py", "and there is no such folder"),
        ("submit folder none.py", "the script path doesn't exist"),
        ("submit folder train.py --target none", "no compute target 'none'; it has: local. `runwidgets compute"),
        ("submit folder train.py --processes 0", "--processes is 0: it must be a number of processes from 1 on"),
        ("submit folder train.py --max-seconds 0", "--max-seconds: '0' is no number of seconds above 0"),
        ("submit folder train.py --max-seconds nan", "--max-seconds: 'nan' is no number of seconds above 0"),
        ("submit folder train.py --priority x", "argument --priority: 'x' is no whole number"),
        ("submit folder train.py --env =x", "--env =x: give it as KEY=VALUE"),
        ("submit folder train.py --requirements none", "--requirements none: there is no such file or folder"),
        ("submit folder train.py --requirements folder", "--requirements folder: is a folder, and a file is wanted"),
        ("doctor --home file", "a part of this path is a file, and a folder is wanted"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_mistake_is_told_in_plain_words(capsys, arguments, words):
    given = ["" if word == "=" else word for word in arguments.split(" ")]
    given = [word.removesuffix("=") if word.startswith("--csv=") else word for word in given]
    given = [*given, ""] if given[-1] == "--csv" else given
    assert cli.main(given) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert not PYTHON.search(err), err
    assert out == ""


@pytest.mark.usefixtures("folder")
def test_a_metric_that_no_run_has_is_told_with_those_that_there_are():
    note = "no run in the workspace 'default' has the metric 'none'; the newest have: 'loss'\n"
    assert runwidgets("runs", "--sort", "none") == ("", note)
    assert runwidgets("runs", "--sort", "none", "--json") == ("[]\n", note)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_what_the_user_may_not_write_is_told(folder, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everything
    assert cli.main(["metrics", "run-0", "--csv", "x"]) == 2
    assert "--csv 'x': this user may not write ." in capsys.readouterr().err
    assert not (folder / "x").exists()


def test_the_words_of_the_system_come_without_their_number(folder, capsys, monkeypatch):
    monkeypatch.setenv("RUNWIDGETS_HOME", str(folder / "file"))
    assert cli.main(["submit", "folder", "train.py"]) == 2
    err = capsys.readouterr().err
    assert "cannot be made (Not a directory: " in err
    assert not PYTHON.search(err)


# ---- what is printed to


@pytest.mark.parametrize("arguments", [["runs"], ["--help"], ["--version"], ["runs", "--help"], ["show", "run-0"], []])
@pytest.mark.usefixtures("folder")
def test_whoever_reads_no_more_ends_a_command_quietly_as_a_signal_ends_others(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*COMMAND, *arguments], stdout=writing, stderr=subprocess.PIPE, check=False, timeout=SECONDS
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.usefixtures("folder")
def test_a_long_list_is_cut_off_quietly():
    script = f'set -o pipefail; {sys.executable} -m runwidgets metrics run-0 --csv | true; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=SECONDS)
    assert (done.stdout, done.stderr) == ("141\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("arguments", [["runs"], ["--help"], ["metrics", "run-0", "--csv"]])
@pytest.mark.usefixtures("folder")
def test_a_full_disk_is_told_once(arguments):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=SECONDS
        )
    assert done.returncode == 2
    assert done.stderr.endswith("the disk is full\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("runs", 0), ("--help", 0), ("show run-0", 0), ("metrics run-0 --csv", 0), ("doctor", 0), ("show none", 2)],
)
@pytest.mark.usefixtures("folder")
def test_nothing_to_print_to_is_no_trouble(arguments, code):
    script = f"{sys.executable} -m runwidgets {arguments} >&-"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
