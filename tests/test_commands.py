"""The commands that list, show, export, end and delete runs, as processes of their own."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys

import pytest

from runwidgets import Experiment, NotFoundError, Run, Workspace
from runwidgets.commands import table
from runwidgets.commands.runs import unique_length
from runwidgets.store.recorder import close_all
from tests.commands import COMMAND, SECONDS, in_terminal, runwidgets

ANSI = re.compile(r"\033\[")


@pytest.fixture
def workspace():
    yield Workspace()
    close_all()


@pytest.fixture
def experiment(workspace):
    return Experiment(workspace, "exp")


@pytest.fixture
def three(experiment):
    """Three runs that have ended, and one below the first; what they logged is for others to read."""
    for n, loss in enumerate([0.5, 0.125, 2.0]):
        with experiment.start_logging(
            run_id=f"run-{n}", display_name=f"name {n}", tags={"n": str(n), "all": None}
        ) as run:
            run.log("loss", 9)
            run.log("loss", loss)
            if n == 0:
                run.child_run(run_id="below", name="child").complete()
    with pytest.raises(ValueError, match="bad"), Experiment(experiment.workspace, "other").start_logging(run_id="bad"):
        raise ValueError("bad")
    close_all()


def ids_in(text):
    return [line.split()[0] for line in text.splitlines()[1:] if not line.startswith("…")]


# ---- runs


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", ["bad", "run-2", "run-1", "run-0"]),
        ("--all", ["bad", "run-2", "run-1", "below", "run-0"]),
        ("--experiment exp", ["run-2", "run-1", "run-0"]),
        ("--status Failed", ["bad"]),
        ("--status completed --limit 2", ["run-2", "run-1"]),
        ("--tag n=1", ["run-1"]),
        ("--tag all --tag n=2", ["run-2"]),
        ("--type azureml.scriptrun", []),
        ("--sort loss", ["run-1", "run-0", "run-2"]),
        ("--sort loss --desc --limit 1", ["run-2"]),
        ("--sort loss --status failed", []),
        ("--limit 0", ["bad", "run-2", "run-1", "run-0"]),
        ("--sort=-metrics.loss", ["run-2", "run-0", "run-1", "bad"]),
        ("--sort tags.n --desc", ["run-2", "run-1", "run-0", "bad"]),
        ("--sort number --limit 2", ["bad", "run-0"]),
        ("--where metrics.loss<1", ["run-1", "run-0"]),
        ("--where status=failed --status Failed", ["bad"]),
        ("--where parent=run-0 --all", ["below"]),
        ("--where tags.n>=1 --sort loss", ["run-1", "run-2"]),
        ("--where other", ["bad"]),
    ],
)
def test_runs_are_listed_newest_first_as_far_as_they_are_asked_for(options, expected):
    out, _ = runwidgets("runs", *options.split())
    assert (ids_in(out) if expected else out) == (expected or "no runs in the workspace 'default' that are asked for\n")
    listed = json.loads(runwidgets("runs", "--json", *options.split())[0])
    assert [run["run_id"] for run in listed] == expected


@pytest.mark.usefixtures("three")
def test_the_metric_that_runs_are_sorted_by_is_shown_with_its_last_value():
    out, _ = runwidgets("runs", "--sort", "loss")
    assert [line.split()[-1] for line in out.splitlines()] == ["loss", "0.125", "0.5", "2"]
    listed = json.loads(runwidgets("runs", "--sort", "loss", "--json")[0])
    assert [run["metric"] for run in listed] == [{"name": "loss", "last": value} for value in (0.125, 0.5, 2.0)]


@pytest.mark.usefixtures("three")
def test_a_filter_that_cannot_be_read_is_shown_with_what_is_expected():
    _, err = runwidgets("runs", "--where", "metrics.loss < and tags.n = 1", code=2)
    first, *shown = err.splitlines()
    assert "at character 16: found 'and', expected a value" in first
    assert shown == ["  metrics.loss < and tags.n = 1", "                 ^"]


@pytest.mark.usefixtures("three")
def test_json_has_all_that_is_recorded_of_a_run():
    (bad,) = json.loads(runwidgets("runs", "--json", "--status", "Failed")[0])
    assert bad["created_at"] <= bad["started_at"] <= bad["ended_at"]
    assert (bad["experiment"], bad["number"], bad["status"], bad["parent_id"]) == ("other", 1, "Failed", None)
    assert (bad["error"]["code"], bad["error"]["message"]) == ("ValueError", "bad")
    (child,) = [r for r in json.loads(runwidgets("runs", "--all", "--json")[0]) if r["run_id"] == "below"]
    assert (child["parent_id"], child["name"]) == ("run-0", "child")


@pytest.mark.usefixtures("three")
def test_a_list_that_goes_on_says_so():
    assert "… and more: --limit 4" in runwidgets("runs", "--limit", 2)[0]
    assert "…" not in runwidgets("runs", "--limit", 4)[0]


def test_a_table_fits_the_terminal_and_numbers_are_aligned_to_the_right(experiment):
    for n in range(11):
        experiment.start_logging(display_name="a long name " * n or None).complete()
    close_all()
    lines = runwidgets("runs", env={"COLUMNS": "80"})[0].splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" in lines[1]
    place = lines[0].index("#")
    assert [line[place - 1 : place + 1] for line in lines[1:]] == ["11", "10", *(f" {n}" for n in range(9, 0, -1))]
    assert len(ids_in("\n".join(lines))[0]) == 8
    assert len(ids_in(runwidgets("runs")[0])[0]) == 36


@pytest.mark.usefixtures("three")
def test_there_are_colours_in_a_terminal_alone_and_not_where_they_are_not_wanted():
    assert not ANSI.search(runwidgets("runs")[0])
    assert "\033[31mFailed\033[0m" in in_terminal("runs")[1]
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        code, shown = in_terminal("runs", **env)
        assert (code, ANSI.search(shown)) == (0, None)


def test_the_colour_is_on_the_state_and_not_on_what_is_called_like_it(monkeypatch):
    monkeypatch.setattr(table, "has_colors", lambda: True)
    columns = [table.Column("name"), table.Column("status")]
    lines = table.lines_of(columns, [["Failed", "Failed"], ["損失", "Running"]], ["failed", "active"])
    assert lines[1:] == ["Failed  \033[31mFailed\033[0m", "損失    \033[94mRunning\033[0m"]


@pytest.mark.parametrize("group", ["active", "done", "failed", "canceled", "silent", "waiting"])
def test_no_state_has_the_colour_of_a_dark_or_a_light_background(monkeypatch, group):
    monkeypatch.setattr(table, "has_colors", lambda: True)
    assert table.colored("x", group).partition("m")[0].removeprefix("\033[") not in {"30", "37", "90", "97"}


def test_what_a_terminal_would_obey_is_not_printed(experiment):
    experiment.start_logging(display_name="a\033[2Jb\r\nc", tags={"\033[31m": "x\ny"}, run_id="one").complete()
    close_all()
    for command in (["runs"], ["show", "one"]):
        out, _ = runwidgets(*command)
        assert "\033" not in out
        assert "\r" not in out
    assert "tags   �[31m=x y" in out


def test_names_that_the_terminal_has_no_letters_for_are_no_error(experiment):
    experiment.start_logging(display_name="損失", run_id="one").complete()
    close_all()
    assert "??" in runwidgets("runs", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})[0]


@pytest.mark.parametrize(
    ("ids", "length"),
    [
        ([], 8),
        (["abcdefghijk"], 8),
        (["abc", "abcd"], 8),
        (["abcdefghij1", "abcdefghij2"], 11),
        (["a" * 9, "a" * 20], 10),
    ],
)
def test_ids_are_cut_as_far_as_they_still_differ(ids, length):
    assert unique_length(ids) == length


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (7199, "1 h"), (86_400 * 40, "40 d"), (-5, "0 s")],
)
def test_ages_are_told_in_the_largest_unit_that_fits(seconds, expected):
    assert table.age(1000.0, 1000.0 + seconds) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345, "12 kB"), (3 * 10**15, "3000 TB")]
)
def test_sizes_are_told_in_the_unit_that_fits(count, expected):
    assert table.byte_size(count) == expected


# ---- which workspace, which run


def test_a_workspace_that_is_not_there_is_told_and_not_made(runwidgets_home):
    for arguments in (["runs"], ["runs", "--workspace", "none"], ["show", "x"], ["delete", "x", "--yes"]):
        out, err = runwidgets(*arguments, code=2)
        assert out == ""
        assert "there is no workspace" in err
    assert list(runwidgets_home.iterdir()) == []


def test_the_workspace_is_the_one_that_is_named_or_the_one_of_the_folder(current_folder):
    mine = Workspace.create("mine")
    Experiment(mine, "exp").start_logging(run_id="one").complete()
    close_all()
    assert ids_in(runwidgets("runs", "--workspace", "mine")[0]) == ["one"]
    mine.write_config(current_folder)
    assert ids_in(runwidgets("runs")[0]) == ["one"]


@pytest.mark.usefixtures("three")
def test_the_beginning_of_an_id_is_enough_where_it_is_the_only_one():
    assert "id     run-1" in runwidgets("show", "run-1")[0]
    assert "id     below" in runwidgets("show", "be")[0]
    _, err = runwidgets("show", "run", code=2)
    assert "the ids of several runs in the workspace 'default' begin with 'run'" in err
    assert re.findall(r"  (run-\d) +exp +\d+ s", err) == ["run-2", "run-1", "run-0"]
    _, err = runwidgets("show", "zz", code=2)
    assert "has no run whose id begins with 'zz': `runwidgets runs --all` lists" in err
    assert "an empty text names none" in runwidgets("show", "", code=2)[1]


def test_a_whole_id_is_meant_where_others_begin_with_it_and_of_many_ten_are_named(experiment):
    for n in range(13):
        experiment.start_logging(run_id="x" * (n + 1)).complete()
    close_all()
    assert "id     xxx\n" in runwidgets("show", "xxx")[0]
    experiment.start_logging(run_id="y1").complete()
    close_all()
    _, err = runwidgets("cancel", "xxxxxxxxxxxxx", "y", "xx", "", code=2)
    assert "empty text" in err
    for n in range(11):
        experiment.start_logging(run_id=f"z{n}").complete()
    close_all()
    _, err = runwidgets("show", "z", code=2)
    assert len(re.findall(r"^  z", err, re.MULTILINE)) == 10
    assert err.rstrip().endswith("…")


# ---- show


@pytest.mark.usefixtures("three")
def test_a_run_is_shown_with_its_state_metrics_children_and_tags():
    out, _ = runwidgets("show", "run-0")
    for word in ("● Completed", "loss", "0.5", "child", "all, n=0", "exp / name 0"):
        assert word in out
    assert "ValueError" in runwidgets("show", "bad")[0]


@pytest.mark.usefixtures("three")
def test_a_run_is_shown_where_rich_is_not_installed():
    code = "import sys; sys.modules['rich'] = None; from runwidgets.cli import main; sys.exit(main(sys.argv[1:]))"
    run = [sys.executable, "-c", code, "show", "run-0"]
    done = subprocess.run(run, check=True, capture_output=True, text=True, timeout=SECONDS)
    assert re.search(r"loss +0.5 +0.5 +9 +2", done.stdout)
    done = subprocess.run([*run, "--watch"], check=False, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 2
    assert 'pip install "runwidgets[terminal]"' in done.stderr


LOGGING = """
import sys
from runwidgets import Experiment, Workspace
with Experiment(Workspace(), "exp").start_logging(run_id="one") as run:
    for line in sys.stdin:
        if line == "fail\\n":
            raise ValueError("as asked")
        run.log("loss", 1)
        sys.stdout.write(line)
        sys.stdout.flush()
"""


@pytest.fixture
def process():
    """A process with a run, which prints what it is told to, and ends with what it is told."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOGGING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, bufsize=1,
    )  # fmt: skip
    tell(process, "first line")
    yield process
    process.kill()
    process.wait(timeout=SECONDS)
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(BrokenPipeError):
            stream.close()


def tell(process, line):
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    if line != "fail":
        assert process.stdout.readline() == f"{line}\n"


def start(*arguments):
    return subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize(("end", "code", "state"), [("close", 0, b"Completed"), ("fail", 1, b"Failed")])
def test_a_run_is_watched_until_it_ends_and_the_exit_code_tells_how(process, end, code, state):
    watching = start("show", "one", "--watch")
    assert "Running" in watching.stdout.readline().decode()
    process.stdin.close() if end == "close" else tell(process, end)
    out, err = watching.communicate(timeout=SECONDS)
    assert (watching.returncode, err) == (code, b"")
    assert state in out


def test_a_run_is_watched_in_a_terminal(process):
    process.stdin.close()
    process.wait(timeout=SECONDS)
    code, shown = in_terminal("show", "one", "--watch")
    assert (code, "Completed" in shown, "loss" in shown) == (0, True, True)


# ---- cancel


def test_a_run_of_another_process_is_canceled_and_stays_so(process):
    assert runwidgets("cancel", "on") == ("one  Canceled\n", "")
    assert runwidgets("cancel", "one") == ("one  Canceled already\n", "")
    process.stdin.close()
    process.wait(timeout=SECONDS)
    assert ids_in(runwidgets("runs", "--status", "Canceled")[0]) == ["one"]


@pytest.mark.usefixtures("process")
def test_no_run_is_canceled_where_one_of_them_is_not_found():
    runwidgets("cancel", "one", "two", code=2)
    assert ids_in(runwidgets("runs", "--status", "Running")[0]) == ["one"]


# ---- metrics, files, download


@pytest.mark.usefixtures("three")
def test_metrics_are_a_table_or_go_to_a_file_of_another_format(tmp_path):
    out, _ = runwidgets("metrics", "run-0")
    assert [line.split() for line in out.splitlines()] == [
        ["metric", "last", "min", "max", "count"], ["loss", "0.5", "0.5", "9", "2"],
    ]  # fmt: skip
    out, _ = runwidgets("metrics", "run-0", "--csv")
    assert [line.rpartition(",")[2] for line in out.splitlines()] == ["value", "9", "0.5"]
    assert json.loads(runwidgets("metrics", "run-0", "--json")[0])["loss"]["columns"] == {"value": [9, 0.5]}
    for name in ("csv", "json", "parquet"):
        runwidgets("metrics", "run-0", f"--{name}", tmp_path / name)
    assert (tmp_path / "csv").read_text() == out
    assert json.loads((tmp_path / "json").read_text())["loss"]["columns"] == {"value": [9, 0.5]}
    assert (tmp_path / "parquet").read_bytes().startswith(b"PAR1")
    assert runwidgets("metrics", "below")[0] == "run below has no metrics\n"


@pytest.mark.usefixtures("three")
def test_a_metric_that_is_not_there_or_a_file_that_cannot_be_written_is_told(tmp_path):
    for options in ((), ("--csv",), ("--parquet", tmp_path / "file")):
        assert "has no metric 'x'; it has: 'loss'" in runwidgets("metrics", "run-0", "--name", "x", *options, code=2)[1]
    _, err = runwidgets("metrics", "run-0", "--csv", tmp_path / "none" / "file", code=2)
    assert err.startswith("runwidgets metrics: ")
    assert f"there is no folder {tmp_path / 'none'}: make it first" in err
    assert "needs the name of a file" in runwidgets("metrics", "run-0", "--parquet", "-", code=2)[1]


@pytest.fixture
def with_files(experiment, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"x" * 1500)
    with experiment.start_logging(run_id="one", snapshot_directory=None, outputs=False) as run:
        for name in ("outputs/model.pkl", "outputs/deep/a.txt", "outputs2/b.txt"):
            run.upload_file(name, source)
    experiment.start_logging(run_id="two", snapshot_directory=None, outputs=False).complete()
    close_all()


@pytest.mark.usefixtures("with_files")
def test_files_are_listed_with_their_sizes():
    out, _ = runwidgets("files", "one")
    rows = [line.split() for line in out.splitlines()[1:] if "outputs" in line]
    assert [(row[:2], row[-1]) for row in rows] == [
        (["1.5", "kB"], name) for name in ("outputs/deep/a.txt", "outputs/model.pkl", "outputs2/b.txt")
    ]
    listed = {file["path"]: file["size"] for file in json.loads(runwidgets("files", "one", "--json")[0])}
    assert listed["outputs/model.pkl"] == 1500


@pytest.mark.usefixtures("with_files")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["outputs", "--to", "x"], ["x/outputs/deep/a.txt", "x/outputs/model.pkl"]),
        (["./outputs/model.pkl", "--to", "x"], ["x/outputs/model.pkl"]),
        (["outputs2/"], ["one/outputs2/b.txt"]),
        (["--to", "x", "outputs2"], ["x/outputs2/b.txt"]),
    ],
)
def test_files_are_copied_out_all_or_those_in_a_folder(current_folder, arguments, expected):
    out, _ = runwidgets("download", "one", *arguments)
    assert f"{len(expected)} file" in out
    found = sorted(path.relative_to(current_folder).as_posix() for path in current_folder.rglob("*") if path.is_file())
    assert found == expected


@pytest.mark.usefixtures("with_files")
def test_a_file_that_is_not_there_is_told_with_those_that_are():
    assert "no file or folder 'x'; it has: " in runwidgets("download", "one", "x", code=2)[1]


# ---- delete


@pytest.mark.usefixtures("three")
def test_deleted_runs_are_gone_with_those_below_and_their_files(workspace, runwidgets_home):
    assert runwidgets("delete", "run-0", "run-1", "--yes") == ("deleted 3 runs\n", "")
    assert ids_in(runwidgets("runs", "--all")[0]) == ["bad", "run-2"]
    assert not (runwidgets_home / "default" / "artifacts" / "run-0").exists()
    for run_id in ("run-0", "below"):
        with pytest.raises(NotFoundError):
            Run.get(workspace, run_id)


@pytest.mark.usefixtures("three")
def test_nothing_is_deleted_without_a_yes():
    assert "nobody can be asked here" in runwidgets("delete", "run-0", code=2)[1]
    code, shown = in_terminal("delete", "run-0", keys="n\n")
    assert code == 2
    assert "Delete 1 run, and 1 run below, for good?" in shown
    assert len(ids_in(runwidgets("runs", "--all")[0])) == 5
    code, shown = in_terminal("delete", "run-0", keys="y\n")
    assert code == 0
    assert len(ids_in(runwidgets("runs", "--all")[0])) == 3


@pytest.mark.usefixtures("process", "three")
def test_a_run_that_goes_on_is_not_deleted_nor_are_those_named_with_it():
    _, err = runwidgets("delete", "run-0", "one", "--yes", code=2)
    assert "cannot be deleted while it, or a run below it, is going on (one)" in err
    assert len(ids_in(runwidgets("runs")[0])) == 5


# ---- completion


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def completion(request):
    pytest.importorskip("shtab")
    if shutil.which(request.param) is None:
        pytest.skip(f"there is no {request.param}")
    return request.param, runwidgets("completion", request.param)[0]


def test_a_shell_takes_what_completes(completion, tmp_path):
    shell, script = completion
    file = tmp_path / "completion"
    file.write_text(script)
    subprocess.run([shell, "-n", file], check=True, timeout=SECONDS)


def test_bash_completes_commands_and_options(tmp_path):
    pytest.importorskip("shtab")
    file = tmp_path / "completion"
    file.write_text(runwidgets("completion", "bash")[0])
    (tmp_path / "my-folder").mkdir()
    (tmp_path / "my-file").touch()
    ask = """
        source "$1"
        COMP_WORDS=(runwidgets "${@:2}") COMP_CWORD=$(($# - 1))
        $(complete -p runwidgets | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        echo "${COMPREPLY[@]}"
    """
    for words, expected in (
        (["ru"], {"runs"}), (["runs", "--so"], {"--sort"}), (["completion", "f"], {"fish"}),
        (["d"], {"doctor", "delete", "download"}), (["submit", "--exp"], {"--experiment"}),
        (["compute", "sh"], {"show"}), (["compute", "create", "--sl"], {"--slots"}),
        (["submit", "my-"], {"my-folder"}), (["import", "my-"], {"my-file", "my-folder"}),
    ):  # fmt: skip
        done = subprocess.run(
            ["bash", "-c", ask, "bash", file, *words],
            check=True,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=SECONDS,
        )
        assert set(done.stdout.split()) == expected, (words, done.stderr)


def test_completion_without_shtab_says_what_to_install():
    code = "import sys; sys.modules['shtab'] = None; from runwidgets.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "completion", "bash"], check=False, capture_output=True, text=True, timeout=SECONDS
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install shtab" in done.stderr
