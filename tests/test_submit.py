"""Submitted scripts, with real processes: their way through the queue, and every way to end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runwidgets import (
    ComputeTarget,
    Environment,
    Experiment,
    LocalCompute,
    MpiConfiguration,
    PyTorchConfiguration,
    Run,
    RunDetails,
    ScriptRun,
    ScriptRunConfig,
    Workspace,
)
from runwidgets.errors import ComputeTargetError, RunFailedError, SnapshotError, StoreError, UserError
from runwidgets.submit.launching import BUILD_LOG
from tests.commands import runwidgets
from tests.submissions import (
    ended,
    log_of,
    message_of,
    nothing_is_left,
    project,  # noqa: F401 (a fixture)
    start,  # noqa: F401 (a fixture)
    wait_until,
)

LOGS = """
    import sys
    from runwidgets import Run
    run = Run.get_context()
    run.log("m", 1)
    print("arguments", sys.argv[1:])
"""
SLEEPS = """
    import time
    print("ready", flush=True)
    time.sleep(600)
"""


def says(run, word: str) -> bool:
    try:
        return word in log_of(run)
    except LookupError:
        return False


def test_a_script_finds_its_run_logs_to_it_and_is_completed_by_its_end(start):  # noqa: F811
    run = start(LOGS, "--alpha", "0.5", tags={"a": 1})
    assert (run.type, run.get_status() in {"Queued", "Starting", "Running", "Finalizing", "Completed"}) == (
        "azureml.scriptrun",
        True,
    )
    assert ended(run) == "Completed"
    assert run.get_metrics() == {"m": 1}
    assert log_of(run) == "arguments ['--alpha', '0.5']\n"
    assert run.get_tags() == {"a": "1"}
    assert run.get_properties()["runwidgets.exit_code"] == "0"


def test_complete_and_fail_in_the_script_leave_the_status_to_its_exit(start):  # noqa: F811
    assert ended(start(LOGS + "    run.fail('no')")) == "Completed"
    assert ended(start(LOGS + "    run.complete(); sys.exit(3)")) == "Failed"


def test_the_python_of_a_command_is_that_of_its_environment(project, tmp_path):  # noqa: F811
    interpreter = tmp_path / "conda" / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.write_text(f'#!/bin/sh\nMARK=its exec "{sys.executable}" "$@"\n')  # no virtual environment
    interpreter.chmod(0o755)
    (project / "show.py").write_text("import os; print(os.environ.get('MARK'))")
    environment = Environment("conda's")
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = str(interpreter)
    for command in (["python", "-c", "import os; print(os.environ.get('MARK'))"], "python -c '' && python show.py"):
        run = Experiment(Workspace(), "exp").submit(ScriptRunConfig(project, command=command, environment=environment))
        assert ended(run) == "Completed"
        assert log_of(run) == "its\n"
    nothing_is_left()


def test_a_script_is_told_what_was_submitted(start):  # noqa: F811
    run = start(
        """
        from runwidgets import Run
        run = Run.get_context()
        details = run.get_details()
        print(details["target"], details["status"], details["runDefinition"]["arguments"], run.get_environment().name)
        """,
        "--alpha",
        environment=Environment("mine"),
    )
    assert ended(run) == "Completed"
    assert log_of(run) == "local Running ['--alpha'] mine\n"


def test_the_reason_that_a_script_gives_is_the_error_if_it_ends_so(start):  # noqa: F811
    run = start(LOGS + "    run.fail('the data has no target', 'NoTarget'); sys.exit(1)")
    assert ended(run) == "Failed"
    error = run.get_details()["error"]["error"]
    assert (error["code"], error["message"]) == ("NoTarget", "the data has no target")
    assert "sys.exit(1)" in log_of(run)


def test_a_command_that_is_no_program_is_said_to_be(start):  # noqa: F811
    run = start("pass", script=None, command=["nosuchcommand", "-x"])
    assert ended(run) == "Failed"
    assert "'nosuchcommand' is not on the PATH" in message_of(run)


def test_a_command_of_one_text_is_a_line_for_the_shell(start):  # noqa: F811
    run = start("pass", script=None, command="echo one && echo $RUNWIDGETS_RUN_ID")
    assert ended(run) == "Completed"
    assert log_of(run) == f"one\n{run.id}\n"


def test_waiting_prints_how_the_environment_was_made_and_then_what_the_script_prints(start, tmp_path, capsys):  # noqa: F811
    package = tmp_path / "package"
    package.mkdir()
    (package / "pyproject.toml").write_text("[project]\nname = 'little-two'\nversion = '1.0'\n")
    (package / "little_two.py").write_text("")
    environment = Environment("made")
    environment.python.conda_dependencies.add_pip_package(str(package))
    run = start("print('the script')", environment=environment)
    run.wait_for_completion(show_output=True)
    said = capsys.readouterr().out
    assert said.index(f"Streaming {BUILD_LOG}") < said.index("built in") < said.index("Streaming user_logs/std_log.txt")
    assert said.index("Streaming user_logs/std_log.txt") < said.index("the script")


def test_what_it_writes_is_kept_and_the_copy_that_it_worked_in_is_gone(start, project):  # noqa: F811
    (project / "helper.py").write_text("name = 'from the helper'")
    run = start(
        """
        import os, helper, pathlib
        print(helper.name)
        pathlib.Path("outputs/deep").mkdir()
        pathlib.Path("outputs/deep/model.bin").write_bytes(b"model")
        pathlib.Path("logs/train.txt").write_text("log")
        pathlib.Path("scratch.txt").write_text("scratch")
        print(os.getcwd())
        """
    )
    assert ended(run) == "Completed"
    files = [name for name in run.get_file_names() if not name.startswith("environment/")]
    assert files == ["logs/train.txt", "outputs/deep/model.bin", "user_logs/std_log.txt"]
    helper, folder = log_of(run).split("\n")[:2]
    assert helper == "from the helper"
    wait_until(lambda: not Path(folder).exists(), "the end of the copy")
    assert not (project / "scratch.txt").exists()
    assert run.clean() == []


def test_a_change_after_the_submission_changes_nothing(start, project):  # noqa: F811
    Workspace.create("default", exist_ok=True)
    ComputeTarget.create(Workspace(), "one", LocalCompute(slots=1))
    first = start(SLEEPS, target="one")
    second = start("print('old')", target="one")
    (project / "train.py").write_text("print('new')")
    first.cancel()
    assert ended(second) == "Completed"
    assert log_of(second) == "old\n"


def test_an_exception_is_the_error_of_the_run(start):  # noqa: F811
    run = start("def f():\n    raise ValueError('no data\\nat all')\nprint('begins')\nf()")
    assert ended(run) == "Failed"
    error = run.get_details()["error"]["error"]
    assert error["message"] == "User program failed with ValueError: no data\nat all"
    assert "line 2, in f" in error["debugInfo"]["stackTrace"]
    with pytest.raises(RunFailedError, match="no data"):
        run.wait_for_completion()


def test_an_exit_code_is_told_with_the_last_lines(start):  # noqa: F811
    run = start("import sys\nprint('out of cheese')\nsys.exit(3)")
    assert ended(run) == "Failed"
    assert message_of(run) == "train.py ended with exit code 3. The last lines of its log:\nout of cheese"
    assert run.get_properties()["runwidgets.exit_code"] == "3"


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM"])
def test_an_end_by_a_signal_is_told(start, name):  # noqa: F811
    run = start(f"import os, signal\nprint('last words')\nos.kill(os.getpid(), signal.{name})")
    assert ended(run) == "Failed"
    assert f"ended by {name}" in message_of(run)
    assert "last words" in message_of(run)
    assert run.get_properties()["runwidgets.signal"] == str(int(getattr(signal, name)))


def test_output_that_is_no_text_is_kept_byte_for_byte(start):  # noqa: F811
    run = start("import os\nos.write(1, b'\\xff\\xfe ok \\x00\\n')\nos.write(2, b'error\\n')")
    assert ended(run) == "Completed"
    path = run.experiment.workspace._files.path(run.id, "user_logs/std_log.txt")
    assert path.read_bytes() == b"\xff\xfe ok \x00\nerror\n"
    assert "\ufffd\ufffd ok" in run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]


def test_lines_can_be_read_while_the_script_goes_on(start):  # noqa: F811
    run = start("import time\nprint('first')\ntime.sleep(600)")
    wait_until(lambda: says(run, "first"), "the first line")
    wait_until(lambda: Run.get(Workspace(), run.id).get_status() == "Running", "the status")
    assert "user_logs/std_log.txt" in run.get_file_names()


def test_children_that_it_forks_and_daemonises_end_with_it(start):  # noqa: F811
    run = start(
        """
        import os, time
        for daemonise in (False, True):
            if os.fork() == 0:
                if daemonise:
                    os.setsid()
                    if os.fork():
                        os._exit(0)
                time.sleep(600)
        print("done")
        """
    )
    assert ended(run) == "Completed"
    nothing_is_left()


def test_a_deleted_experiment_leaves_nothing_of_its_runs(start):  # noqa: F811
    run = start("pass")
    assert ended(run) == "Completed"
    nothing_is_left()
    Experiment.delete(Workspace(), run.experiment.id)
    assert not run._place.folder.exists()


def test_a_script_may_delete_its_own_folder(start):  # noqa: F811
    run = start("import os, shutil\nshutil.rmtree(os.getcwd())\nprint('gone')")
    assert ended(run) == "Completed"
    assert log_of(run) == "gone\n"


def test_ten_thousand_outputs_are_kept(start):  # noqa: F811
    run = start("for i in range(10_000):\n    open(f'outputs/{i:05d}', 'w').write(str(i))")
    assert ended(run) == "Completed"
    assert sum(name.startswith("outputs/") for name in run.get_file_names()) == 10_000


def test_much_output_is_kept_to_the_last_byte(start):  # noqa: F811
    run = start("line = 'x' * 1023 + '\\n'\nfor _ in range(100):\n    print(line * 1024, end='')\nprint('end')")
    assert ended(run) == "Completed"
    assert run.experiment.workspace._files.path(run.id, "user_logs/std_log.txt").stat().st_size == 100 * 2**20 + 4


# ---- environments


def test_an_environment_with_packages_is_made_logged_and_can_log(start, tmp_path):  # noqa: F811
    package = tmp_path / "package"
    package.mkdir()
    (package / "pyproject.toml").write_text("[project]\nname = 'little-one'\nversion = '1.0'\n")
    (package / "little_one.py").write_text("word = 'of the environment'")
    environment = Environment("with-package")
    environment.python.conda_dependencies.add_pip_package(str(package))
    text = "import sys, little_one\nfrom runwidgets import Run\nRun.get_context().log('m', 1)\nprint(little_one.word)"
    run = start(text, environment=environment)
    assert ended(run) == "Completed", log_of(run, BUILD_LOG)
    assert log_of(run) == "of the environment\n"
    assert run.get_metrics() == {"m": 1}
    assert "built in" in log_of(run, BUILD_LOG)
    assert run.get_environment().name == "with-package"


def test_an_environment_that_cannot_be_made_is_why_the_run_failed(start, tmp_path):  # noqa: F811
    environment = Environment("broken")
    environment.python.conda_dependencies.add_pip_package(str(tmp_path / "not-there-1.0-py3-none-any.whl"))
    run = start("pass", environment=environment)
    assert ended(run) == "Failed"
    assert run.get_details()["error"]["error"]["code"] == "EnvironmentBuildError"
    assert "not-there" in message_of(run)


def test_a_run_that_is_canceled_while_its_environment_is_made_ends_at_once(start, tmp_path):  # noqa: F811
    package = tmp_path / "package"
    package.mkdir()
    (package / "setup.py").write_text("import time\nprint('slow', flush=True)\ntime.sleep(600)")
    environment = Environment("slow")
    environment.python.conda_dependencies.add_pip_package(str(package))
    run = start("pass", environment=environment)
    wait_until(lambda: run.get_status() == "Preparing", "the making of the environment")
    run.cancel()
    assert ended(run) == "Canceled"


# ---- being canceled


def test_a_running_script_is_canceled_with_all_that_it_started(start):  # noqa: F811
    run = start("import os, time\nos.fork()\nprint('ready', flush=True)\ntime.sleep(600)")
    wait_until(lambda: says(run, "ready"), "the script")
    run.cancel()
    run.cancel()
    assert ended(run) == "Canceled"
    nothing_is_left()
    assert run.wait_for_completion()["status"] == "Canceled"


def test_one_that_ignores_sigterm_is_killed_after_the_grace_period(start, monkeypatch):  # noqa: F811
    monkeypatch.setenv("RUNWIDGETS_GRACE_SECONDS", "0.3")
    run = start(
        """
        import signal, time
        signal.signal(signal.SIGTERM, lambda *_: print("I stay", flush=True))
        print("ready", flush=True)
        while True:
            time.sleep(600)
        """
    )
    wait_until(lambda: says(run, "ready"), "the script")
    run.cancel()
    assert ended(run) == "Canceled"
    assert "I stay" in log_of(run)


def test_a_script_has_the_grace_period_to_save_what_it_has(start):  # noqa: F811
    run = start(
        """
        import signal, sys, time
        def save(*_):
            open("outputs/checkpoint", "w").write("saved")
            sys.exit(0)
        signal.signal(signal.SIGTERM, save)
        print("ready", flush=True)
        time.sleep(600)
        """
    )
    wait_until(lambda: says(run, "ready"), "the script")
    run.cancel()
    assert ended(run) == "Canceled"
    assert "outputs/checkpoint" in run.get_file_names()


def test_a_queued_run_is_canceled_and_another_process_can_do_it(start):  # noqa: F811
    ComputeTarget.create(Workspace(), "one", LocalCompute(slots=1))
    first, second = start(SLEEPS, target="one"), start(SLEEPS, target="one")
    wait_until(lambda: says(first, "ready"), "the first script")
    code = f"from runwidgets import Run, Workspace; Run.get(Workspace(), {second.id!r}).cancel()"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert ended(second) == "Canceled"
    wait_until(lambda: first.get_status() == "Running", "the status")


def test_a_run_that_is_opened_by_its_id_is_the_script_s_and_ends_it(start):  # noqa: F811
    run = start("import time; time.sleep(600)")
    wait_until(lambda: run.get_status() == "Running", "the script")
    opened = Run(run.experiment, run.id)
    assert isinstance(opened, ScriptRun)
    assert opened.get_details()["runDefinition"]["script"] == "train.py"
    assert opened.get_environment().name == run.get_environment().name
    opened.cancel()
    assert ended(run) == "Canceled"
    nothing_is_left()


def test_complete_and_fail_from_outside_leave_the_status_to_the_script_and_say_so(start, caplog):  # noqa: F811
    run = start(SLEEPS)
    wait_until(lambda: run.get_status() == "Running", "the script")
    run.complete()
    run.fail("as asked")
    assert [record.message.partition(":")[0] for record in caplog.records] == ["complete()", "fail()"]
    assert run.get_status() == Run.get(run.experiment.workspace, run.id).get_status() == "Running"
    run.cancel()
    assert ended(run) == "Canceled"
    run.complete()
    assert len(caplog.records) == 2


def test_a_parent_that_is_canceled_cancels_its_children(start):  # noqa: F811
    parent = start(SLEEPS)
    child = start(SLEEPS, _parent_run_id=parent.id)
    wait_until(lambda: says(child, "ready"), "the child's script")
    parent.cancel()
    assert (ended(parent), ended(child)) == ("Canceled", "Canceled")


def test_an_interactive_parent_that_is_canceled_cancels_its_children(start):  # noqa: F811
    parent = Experiment(Workspace(), "exp").start_logging(outputs=False, snapshot_directory=None)
    child = start(SLEEPS, _parent_run_id=parent.id)
    inner = parent.child_run()
    parent.cancel()
    assert (parent.get_status(), ended(child), inner.get_status()) == ("Canceled", "Canceled", "Canceled")


def test_a_run_that_takes_too_long_is_ended_and_says_why(start):  # noqa: F811
    run = start(SLEEPS, max_run_duration_seconds=0.2)
    assert ended(run) == "Canceled"
    assert "max_run_duration_seconds" in message_of(run)


def test_a_run_that_a_script_submits_goes_on_when_the_script_has_ended(start, project):  # noqa: F811
    (project / "below.py").write_text(
        f"import os, time\nwhile not os.path.exists({str(project / 'go')!r}):\n    time.sleep(0.01)"
    )
    ComputeTarget.create(Workspace(), "two", LocalCompute(slots=2))
    parent = start(
        """
        from runwidgets import Run, ScriptRunConfig
        child = Run.get_context().submit_child(ScriptRunConfig(".", "below.py", compute_target="two"))
        print(child.id)
        """,
        target="two",
    )
    assert ended(parent) == "Completed"
    (child,) = parent.get_children()
    assert child.id == log_of(parent).strip()
    assert child.get_status() in {"Queued", "Starting", "Running"}
    (project / "go").touch()
    assert ended(child) == "Completed"


# ---- the queue


def test_runs_wait_for_their_turns_in_the_order_of_submission_and_know_their_places(start):  # noqa: F811
    target = ComputeTarget.create(Workspace(), "one", LocalCompute(slots=1))
    first = start(SLEEPS, target="one")
    wait_until(lambda: says(first, "ready"), "the first script")
    order = [start("pass", target="one") for _ in range(3)]
    urgent = start("pass", target="one", priority=5)
    assert target.get_status().running == [first.id]
    assert target.get_status().queued == [urgent.id, *(run.id for run in order)]
    assert order[1].get_detailed_status() == {
        "status": "Queued",
        "details": "3rd of 4 in the queue of 'one'; 1 of 1 slots are taken",
    }
    assert [run.id for run in Run.list_by_compute(target)] == [first.id, urgent.id, *(run.id for run in order)]
    running = lambda: [run.id for run in Run.list_by_compute(target, status="Running")]  # noqa: E731
    wait_until(lambda: running() == [first.id], "its state")
    with pytest.raises(UserError, match="status is 'running': it must be one of"):
        Run.list_by_compute(target, status="running")
    first.cancel()
    for run in (urgent, *order):
        assert ended(run) == "Completed"
    begun = [run._record().started_at for run in (urgent, *order)]
    assert begun == sorted(begun)
    assert [*Run.list_by_compute(target)] == []


def test_as_many_run_at_once_as_there_are_slots(start):  # noqa: F811
    ComputeTarget.create(Workspace(), "two", LocalCompute(slots=2))
    runs = [start(SLEEPS, target="two") for _ in range(3)]
    wait_until(lambda: says(runs[0], "ready") and says(runs[1], "ready"), "the two scripts")
    wait_until(lambda: [run.get_status() for run in runs] == ["Running", "Running", "Queued"], "their states")


def test_scripts_begin_in_the_order_of_the_queue_though_one_has_more_files_to_copy(start, project):  # noqa: F811
    ComputeTarget.create(Workspace(), "some", LocalCompute(slots=1))
    occupant = start(SLEEPS, target="some")
    wait_until(lambda: says(occupant, "ready"), "the script before them")
    (project / "data").mkdir()
    for number in range(1900):
        (project / "data" / f"{number}.txt").write_text(str(number))
    first = start("pass", target="some")
    shutil.rmtree(project / "data")
    second = start("pass", target="some")
    ComputeTarget.create(Workspace(), "some", LocalCompute(slots=2))
    occupant.cancel()
    assert [ended(first), ended(second)] == ["Completed", "Completed"]
    assert first._record().started_at < second._record().started_at


def test_the_next_script_begins_while_the_environment_of_the_one_before_it_is_made(start, tmp_path):  # noqa: F811
    ComputeTarget.create(Workspace(), "two", LocalCompute(slots=2))
    package = tmp_path / "package"
    package.mkdir()
    (package / "setup.py").write_text("import time\ntime.sleep(600)")
    environment = Environment("slow")
    environment.python.conda_dependencies.add_pip_package(str(package))
    first = start("pass", target="two", environment=environment)
    wait_until(lambda: first.get_status() == "Preparing", "the making of the environment")
    assert ended(start("pass", target="two")) == "Completed"
    assert first.get_status() == "Preparing"
    first.cancel()


def test_a_slot_that_gets_free_is_taken_though_one_that_waited_for_it_runs_in_another(start, tmp_path):  # noqa: F811
    ComputeTarget.create(Workspace(), "two", LocalCompute(slots=2))
    one, other = start(SLEEPS, target="two"), start(SLEEPS, target="two")
    wait_until(lambda: says(one, "ready") and says(other, "ready"), "the two scripts")
    third = start(SLEEPS, target="two")
    wait_until(lambda: _flocks_waited_for(third) == 2, "the third, which waits for both slots")
    one.cancel()
    wait_until(lambda: says(third, "ready"), "the third script")
    fourth = start("pass", target="two")
    other.cancel()
    assert ended(fourth) == "Completed"
    assert third.get_status() == "Running"


def _flocks_waited_for(run) -> int:
    """Count the locks that threads of a run's supervisor wait for, as the system lists them."""
    pid = run._place.supervisor.read_text().split()[0] if run._place.supervisor.exists() else "none"
    waiting = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" in line]
    return sum(pid in words for words in waiting)


def test_who_waits_behind_one_that_is_killed_moves_up(start):  # noqa: F811
    ComputeTarget.create(Workspace(), "one", LocalCompute(slots=1))
    first, second, third = start(SLEEPS, target="one"), start("pass", target="one"), start("pass", target="one")
    wait_until(second._place.supervisor.exists, "the second supervisor")
    os.kill(int(second._place.supervisor.read_text().split()[0]), signal.SIGKILL)
    first.cancel()
    assert ended(third) == "Completed"
    assert ended(second) == "Failed"


def test_a_supervisor_loads_little_and_one_that_waits_next_to_nothing():
    code = """
import sys
from runwidgets.submit import supervisor
print(sorted({"json", "logging", "msgspec", "sqlite3", "subprocess"} & set(sys.modules)))
supervisor._load()
print(sorted({"asyncio", "filelock", "psutil", "runwidgets.run", "typing_extensions", "zipfile"} & set(sys.modules)))
"""
    said = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, check=True, text=True, env=_paths())
    assert said.stdout.split("\n") == ["[]", "[]", ""]


def _paths() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


# ---- who else may end


def test_the_run_outlives_the_process_that_submitted_it(project, start):  # noqa: F811
    run = start(SLEEPS)  # for the folder, and what is counted at the end
    code = """
import sys
from runwidgets import Experiment, ScriptRunConfig, Workspace
Experiment(Workspace(), "exp").submit(ScriptRunConfig(sys.argv[1], "wait.py"), run_id="of-another")
"""
    (project / "wait.py").write_text(
        "import os, time\nwhile not os.path.exists('%s'):\n    time.sleep(0.01)" % (project / "go")
    )
    subprocess.run([sys.executable, "-c", code, str(project)], check=True)
    other = ScriptRun(Experiment(Workspace(), "exp"), "of-another")
    assert other.get_status() in {"Queued", "Starting", "Running"}
    (project / "go").touch()
    assert ended(other) == "Completed"
    run.cancel()


def test_when_the_supervisor_is_killed_nothing_of_the_script_is_left_and_the_run_has_failed(start):  # noqa: F811
    run = start(
        """
        import os, time
        from runwidgets import Run
        Run.get_context().log("m", 1)
        if os.fork() == 0:
            os.setsid()
        print("ready", flush=True)
        time.sleep(600)
        """
    )
    wait_until(lambda: log_of(run).count("ready") == 2 if says(run, "ready") else False, "both processes")
    os.kill(int(run._place.supervisor.read_text().split()[0]), signal.SIGKILL)
    nothing_is_left()
    assert run.get_status() == "Failed"
    assert run.get_metrics() == {"m": 1}


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="nothing here puts a process on a leash")
def test_when_the_warden_is_killed_a_daemon_of_the_script_ends_with_it_all_the_same(start, tmp_path):  # noqa: F811
    run = start(
        """
        import os, sys, time
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
        print("ready", flush=True)
        while not os.path.exists(sys.argv[1]):
            time.sleep(0.01)
        """,
        str(tmp_path / "go"),
    )
    wait_until(lambda: says(run, "ready"), "the script")
    supervisor = run._place.supervisor.read_text().split()[0]
    warden = Path(f"/proc/{supervisor}/stat").read_text().rpartition(")")[2].split()[1]
    os.kill(int(warden), signal.SIGKILL)
    (tmp_path / "go").touch()
    assert ended(run) == "Completed"
    nothing_is_left()


def test_when_supervisor_and_warden_are_killed_at_once_the_script_goes_too(start):  # noqa: F811
    run = start(SLEEPS)
    wait_until(lambda: says(run, "ready"), "the script")
    supervisor = int(run._place.supervisor.read_text().split()[0])
    warden = int(Path(f"/proc/{supervisor}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(warden, signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    nothing_is_left()
    wait_until(lambda: run._recorder.recover() or run.get_status() == "Failed", "its end")


def test_a_supervisor_that_is_terminated_ends_the_script_and_says_so(start):  # noqa: F811
    run = start(SLEEPS)
    wait_until(lambda: says(run, "ready"), "the script")
    os.kill(int(run._place.supervisor.read_text().split()[0]), signal.SIGTERM)
    assert ended(run) == "Failed"
    assert "SIGTERM" in message_of(run)


# ---- what is refused before anything starts


def nothing_was_submitted() -> None:
    assert [*Experiment(Workspace(), "exp").get_runs()] == []
    nothing_is_left()
    folder = Workspace()._folder
    assert (
        [*folder.glob("submissions/*")]
        == [*folder.glob("journals/*.journal")]
        == [*folder.glob("compute/*/queue/*")]
        == []
    )


def test_a_temporary_folder_that_cannot_be_written_is_refused(start, monkeypatch, tmp_path):  # noqa: F811
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    with pytest.raises(UserError, match="TMPDIR"):
        start("pass")
    nothing_was_submitted()


def test_a_folder_that_is_too_big_is_refused_and_the_biggest_is_named(start, project):  # noqa: F811
    with (project / "data.bin").open("wb") as file:
        file.truncate(400 * 2**20)
    with pytest.raises(SnapshotError, match=r"data\.bin"):
        start("pass")
    nothing_was_submitted()


def test_a_script_that_the_snapshot_leaves_out_is_refused(start, project):  # noqa: F811
    (project / ".amlignore").write_text("train.py\n")
    with pytest.raises(SnapshotError, match=r"leaves out the script train\.py.*\.amlignore"):
        start("pass")
    nothing_was_submitted()


def test_a_workspace_that_cannot_be_written_is_refused(start):  # noqa: F811
    folder = Workspace.create("default", exist_ok=True)._folder
    start("pass").wait_for_completion(wait_post_processing=True)
    (folder / "submissions").rename(folder / "before")
    (folder / "submissions").write_text("in the way")
    with pytest.raises(StoreError, match="submissions"):
        start("pass")


def test_a_target_that_is_not_there_is_refused_and_those_there_are_named(start):  # noqa: F811
    ComputeTarget.create(Workspace(), "big", LocalCompute(slots=2))
    with pytest.raises(ComputeTargetError, match=r"no compute target 'cluster'; it has: local, big"):
        start("pass", target="cluster")
    nothing_was_submitted()


def test_an_id_is_taken_once(start):  # noqa: F811
    start("pass", run_id="mine")
    with pytest.raises(UserError, match="'mine' already"):
        start("pass", run_id="mine")


# ---- several processes


def test_ranks_know_their_places_log_to_one_run_and_have_logs_of_their_own(start):  # noqa: F811
    run = start(
        """
        import os
        from runwidgets import Run
        rank = int(os.environ["RANK"])
        Run.get_context().log(f"of {rank}", rank)
        print(rank, *(os.environ[name] for name in ("LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR")))
        open(f"outputs/{rank}", "w")
        """,
        job=PyTorchConfiguration(process_count=3),
    )
    assert ended(run) == "Completed"
    assert run.get_metrics() == {"of 0": 0, "of 1": 1, "of 2": 2} or sorted(run.get_metrics()) == [
        "of 0",
        "of 1",
        "of 2",
    ]
    for rank in range(3):
        assert log_of(run, f"user_logs/std_log_process_0{rank}.txt") == f"{rank} {rank} 3 127.0.0.1\n"
    assert [name for name in run.get_file_names() if name.startswith("outputs")] == [
        "outputs/0",
        "outputs/1",
        "outputs/2",
    ]


def test_a_rank_that_fails_ends_the_others_and_is_named(start):  # noqa: F811
    run = start(
        "import os, sys, time\nif os.environ['RANK'] == '1':\n    sys.exit('broken')\ntime.sleep(600)",
        job=MpiConfiguration(process_count_per_node=2),
    )
    assert ended(run) == "Failed"
    assert message_of(run).startswith("train.py (rank 1) ended with exit code 1")
    assert "broken" in message_of(run)
    assert run.get_properties()["runwidgets.failed_log"] == "user_logs/std_log_process_01.txt"


def test_the_log_of_the_rank_that_failed_comes_first_and_its_error_names_it(start):  # noqa: F811
    run = start(
        """
        import os, time
        print("I am", os.environ["RANK"], flush=True)
        if os.environ["RANK"] == "2":
            raise ValueError("no data")
        time.sleep(600)
        """,
        job=MpiConfiguration(process_count_per_node=3),
    )
    assert ended(run) == "Failed"
    assert message_of(run) == "User program failed with ValueError: rank 2: no data"
    details = RunDetails(run)
    try:
        details._repr_mimebundle_()
        wait_until(lambda: details._logs.panel.state["logs"], "the logs")
        assert details._logs.panel.state["logs"] == [f"user_logs/std_log_process_0{rank}.txt" for rank in (2, 0, 1)]
    finally:
        details.close()
    assert runwidgets("logs", run.id)[0].startswith("I am 2\n")
    alone = start("raise ValueError")
    assert ended(alone) == "Failed"
    assert "runwidgets.failed_log" not in alone.get_properties()


# ---- what it uses of the machine


def test_what_it_uses_is_a_series_that_get_metrics_gives_when_asked(start):  # noqa: F811
    run = start("import time\nx = bytearray(50 * 2**20)\ntime.sleep(600)")
    wait_until(lambda: run.get_metrics("system/memory_mb"), "a sample")
    assert 50 < run.get_metrics("system/memory_mb")["system/memory_mb"] < 500
    assert run.get_metrics() == {}
