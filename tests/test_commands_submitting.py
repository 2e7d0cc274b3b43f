"""`runwidgets submit` and `runwidgets compute`, as processes of their own."""

from __future__ import annotations

import json
import re
import signal
import textwrap

import pytest

from runwidgets import ComputeTarget, LocalCompute, Run, Workspace
from runwidgets.commands.submitting import experiment_name
from runwidgets.store.recorder import close_all
from tests.commands import SECONDS, eventually, runwidgets
from tests.submissions import ended, log_of, nothing_is_left
from tests.test_commands import ids_in
from tests.test_commands import start as start_command

WAITING = """
    import os, pathlib, sys, time
    print(sys.argv[1:], os.environ.get("SAID"), os.environ.get("RANK"), flush=True)
    while not pathlib.Path(sys.argv[1]).exists():
        time.sleep(0.01)
    print("done", flush=True)
    sys.exit(" ".join(sys.argv[2:]) or 0)
"""


@pytest.fixture
def workspace():
    found = Workspace()
    yield found
    for target in ComputeTarget.list(found):
        for run in [*Run.list_by_compute(target)]:
            run.cancel()
    close_all()
    nothing_is_left()


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "my project.v2"
    folder.mkdir()
    (folder / "train.py").write_text(textwrap.dedent(WAITING))
    return folder


@pytest.fixture
def go(tmp_path):
    """The file that the script waits for."""
    return tmp_path / "go"


# ---- submit


def test_what_is_printed_is_the_id_alone_of_a_run_that_outlives_the_command(workspace, project, go):
    out, err = runwidgets(
        "submit", project, "train.py", "--name", "first", "--tag", "a=b=c", "--tag", "all", "--env", "SAID=x=y",
        "--", go, "--follow", "",
    )  # fmt: skip
    assert re.fullmatch(r"my-project-v2_\d+_[0-9a-f]{8}\n", out)
    assert err == ""
    run = Run.get(workspace, out.strip())
    assert (run.experiment.name, run.name, run.tags) == ("my-project-v2", "first", {"a": "b=c", "all": None})
    go.touch()
    assert ended(run) == "Failed"
    assert log_of(run).splitlines()[0] == f"['{go}', '--follow', ''] x=y None"


def test_a_command_that_is_read_by_a_shell_does_not_wait_for_the_script(workspace, project, go):
    started = start_command("submit", str(project), "train.py", "--experiment", "mine", "--", str(go))
    out, _ = started.communicate(timeout=SECONDS)  # to the end of the pipe: nothing of the run holds it open
    run = Run.get(workspace, out.decode().strip())
    assert run.experiment.name == "mine"
    assert not go.exists()
    assert run.get_status() in {"Queued", "Preparing", "Starting", "Running"}
    go.touch()
    assert ended(run) == "Completed"


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["no", "luck"], 1)])
@pytest.mark.usefixtures("workspace")
def test_a_run_is_followed_to_its_end_and_the_exit_code_tells_how_that_was(project, go, arguments, code):
    following = start_command("submit", str(project), "train.py", "-f", "--", str(go), *arguments)
    assert following.stdout.readline().startswith(b"[")
    go.touch()
    out, err = following.communicate(timeout=SECONDS)
    assert out.splitlines() == ([b"done", b"no luck"] if code else [b"done"])
    first, *last = err.decode().splitlines()
    assert re.fullmatch(r"run my-project-v2_\w+", first)
    assert following.returncode == code
    assert [line.startswith(f"{first}: Failed: ") for line in last] == [True] * code


def test_following_a_run_that_is_canceled_is_no_success(workspace, project, go):
    following = start_command("submit", str(project), "train.py", "-f", "--", str(go))
    assert following.stdout.readline()
    (run,) = Run.list_by_compute(ComputeTarget(workspace, "local"))
    runwidgets("cancel", run.id)
    _, err = following.communicate(timeout=SECONDS)
    assert (err.decode().splitlines()[-1], following.returncode) == (f"run {run.id}: Canceled", 1)


def test_ctrl_c_ends_the_following_and_not_the_run_and_tells_so(workspace, project, go):
    following = start_command("submit", str(project), "train.py", "-f", "--", str(go))
    assert following.stdout.readline()
    following.send_signal(signal.SIGINT)
    _, err = following.communicate(timeout=SECONDS)
    (run,) = Run.list_by_compute(ComputeTarget(workspace, "local"))
    assert following.returncode == 130
    assert err.decode().splitlines()[-1] == (
        f"run {run.id} goes on: `runwidgets logs {run.id} -f` follows it again, `runwidgets cancel {run.id}` ends it"
    )
    go.touch()
    assert ended(run) == "Completed"


def test_several_processes_run_it_and_a_time_limit_ends_it(workspace, project, go):
    out, _ = runwidgets("submit", project, "train.py", "--processes", 2, "--max-seconds", 0.5, "--", go)
    run = Run.get(workspace, out.strip())
    assert ended(run) == "Canceled"
    assert "max_run_duration_seconds" in run.get_details()["error"]["error"]["message"]
    logs = [log_of(run, f"user_logs/std_log_process_0{rank}.txt") for rank in (0, 1)]
    assert [log.split()[-1] for log in logs if log] == [str(rank) for rank, log in enumerate(logs) if log]
    assert run.get_details()["runDefinition"]["processCount"] == 2


def test_requirements_are_the_packages_of_its_environment(workspace, project, tmp_path):
    file = tmp_path / "what it needs.txt"
    file.write_text("--no-index\nno-such-package==1  # none\n")
    out, _ = runwidgets("submit", project, "train.py", "--requirements", file)
    run = Run.get(workspace, out.strip())
    environment = run.get_environment()
    assert environment.name == "what it needs"
    assert "no-such-package==1" in environment.python.conda_dependencies.pip_packages
    run.cancel()
    ended(run)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["{}", "none.py"], "none.py: the script path doesn't exist"),
        (["{}/none", "train.py"], "there is no such folder"),
        (["{}", "../train.py"], "the script leads out of"),
        (["{}", "train.py", "--target", "none"], "has no compute target 'none'; it has: local"),
        (["{}", "train.py", "--env", "X"], "--env X: give it as KEY=VALUE"),
        (["{}", "train.py", "--env", "=X"], "--env =X: give it as KEY=VALUE"),
        (["{}", "train.py", "--requirements", "none.txt"], "--requirements none.txt: there is no such file"),
        (["{}", "train.py", "--processes", "0"], "--processes is 0: it must be a number of processes"),
        (["{}", "train.py", "--max-seconds", "-1"], "--max-seconds: '-1' is no number of seconds above 0"),
        (["{}", "train.py", "--priority", "99999"], "priority is 99999"),
        (["{}", "train.py", "--experiment", "a b"], "experiment name 'a b'"),
        (["{}", "train.py", "--workspace", "a b"], "workspace_name is 'a b'"),
        (["{}", "train.py", "0.1"], "unrecognized arguments: 0.1 (what the script is to get comes after --)"),
        (["{}"], "the following arguments are required: SCRIPT"),
    ],
)
def test_what_cannot_be_submitted_is_told_and_nothing_starts(project, arguments, expected):
    out, err = runwidgets("submit", *(word.format(project) for word in arguments), code=2)
    assert out == ""
    assert expected in err
    assert not [*Run.list_by_compute(ComputeTarget(Workspace(), "local"))]
    close_all()
    nothing_is_left()


def test_nothing_is_made_where_the_script_is_not_there(project, runwidgets_home):
    runwidgets("submit", project, "none.py", code=2)
    assert list(runwidgets_home.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/home/me/digits", "digits"),
        ("/my project (2)", "my-project-2"),
        ("/.hidden_", "hidden_"),
        ("/--", "experiment"),
        ("/", "experiment"),
        ("/日本", "experiment"),
        ("/a日本", "a日本"),
        (f"/{'x' * 300}", "x" * 255),
    ],
)
def test_an_experiment_is_called_as_the_folder_as_far_as_it_can_be(folder, expected):
    assert experiment_name(folder) == expected


# ---- compute


def test_a_workspace_that_is_named_begins_to_exist_with_its_first_run_or_target(project, go):
    go.touch()
    out, _ = runwidgets("submit", project, "train.py", "--workspace", "lab", "--", go)
    assert ended(Run.get(Workspace.get("lab"), out.strip())) == "Completed"
    runwidgets("compute", "create", "two", "--workspace", "other")
    assert list(Workspace.get("other").compute_targets) == ["local", "two"]
    close_all()
    nothing_is_left()


def test_targets_are_made_listed_changed_and_deleted(current_folder):
    assert runwidgets("compute", "create", "two", "--slots", 2) == ("two  2 slots\n", "")  # also the workspace
    assert runwidgets("compute", "create", "two", "--slots", 1) == ("two  1 slot\n", "")
    out, _ = runwidgets("compute", "list")
    assert [line.split()[0] for line in out.splitlines()] == ["target", "local", "two"]
    assert out.splitlines()[2].split() == ["two", "1", "0", "0"]
    assert json.loads(runwidgets("compute", "list", "--json")[0])[1] == {
        "name": "two", "type": "local", "slots": 1, "running": [], "queued": [],
    }  # fmt: skip
    assert runwidgets("compute", "delete", "two") == ("deleted two\n", "")
    assert len(runwidgets("compute", "list")[0].splitlines()) == 2
    assert re.fullmatch(r"local: 0 of \d+ slots taken, 0 queued\n", runwidgets("compute", "show")[0])


def test_a_target_is_shown_with_its_runs_those_that_wait_in_the_order_of_their_turns(workspace, project, go):
    target = ComputeTarget.create(workspace, "one", LocalCompute(slots=1))
    submit = ("submit", project, "train.py", "--target", "one")
    running, behind, before = (
        runwidgets(*submit, "--experiment", experiment, "--priority", priority, "--", go)[0].strip()
        for experiment, priority in (("a", 0), ("b", 1), ("c", 2))
    )
    eventually(lambda: Run.get(workspace, running).get_status() == "Running")
    out, _ = runwidgets("compute", "show", "one")
    head, _, *table = out.splitlines()
    assert head == "one: 1 of 1 slots taken, 2 queued"
    assert [line.split()[:3] for line in table[2:]] == [["1", before, "c"], ["2", behind, "b"]]
    assert table[1].split()[:3] == [running, "a", "Running"]
    shown = json.loads(runwidgets("compute", "show", "one", "--json")[0])
    assert [run["run_id"] for run in shown["running"]] == [running]
    assert [(run["run_id"], run["status"]) for run in shown["queued"]] == [(before, "Queued"), (behind, "Queued")]
    assert "is in use (runs that go on there: 1, that wait: 2)" in runwidgets("compute", "delete", "one", code=2)[1]

    following = start_command(*map(str, submit), "-f", "--", str(go))
    assert re.fullmatch(
        r"run \w\S+ waits: 3rd of 3 in the queue of 'one'; 1 of 1 slots are taken\n",
        following.stderr.readline().decode(),
    )
    go.touch()
    assert following.communicate(timeout=SECONDS)[1] == b""
    eventually(lambda: target.get_status().running == [])
    assert ids_in(runwidgets("runs", "--status", "Completed", "--limit", 9)[0])[1:] == [before, behind, running]


@pytest.mark.usefixtures("workspace")
def test_what_is_no_target_is_told():
    runwidgets("compute", "create", "two")
    for arguments, expected in (
        (("show", "none"), "has no compute target 'none'; it has: local, two"),
        (("delete", "none"), "has no compute target 'none'"),
        (("delete", "local"), "'local' is always there"),
        (("create", "a b"), "compute target name 'a b'"),
        (("create", "x", "--slots", 0), "--slots is 0: give a number from 1"),
        ((), "the following arguments are required: ACTION"),
    ):
        assert expected in runwidgets("compute", *arguments, code=2)[1]


def test_a_workspace_that_is_not_there_has_no_targets():
    assert "there is no workspace" in runwidgets("compute", "list", code=2)[1]
