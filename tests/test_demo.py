"""The demo, run as its users run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from runwidgets import Experiment, Workspace, demo
from runwidgets.images import image_type

COMMAND = [sys.executable, "-m", "runwidgets.demo"]
NOT_FOR_TESTS = ("DISPLAY", "WAYLAND_DISPLAY", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    env = {name: value for name, value in os.environ.items() if name not in NOT_FOR_TESTS}
    return {**env, "RUNWIDGETS_HOME": str(tmp_path_factory.mktemp("demo")), "PYTHONUTF8": "1", "TERM": "xterm"}


@pytest.fixture(scope="module")
def output(environment):
    """Run the demo once, into a pipe."""
    command = [*COMMAND, "--fast", "--no-lab"]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def workspace(output, environment, monkeypatch):
    monkeypatch.setenv("RUNWIDGETS_HOME", environment["RUNWIDGETS_HOME"])
    return Workspace(workspace_name="demo")


def in_pseudo_terminal(env, *arguments, interrupt_at=None):
    """Run the demo in a terminal of 100 columns; give its exit code and what it wrote."""
    pty = pytest.importorskip("pty")
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    program = subprocess.Popen([*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    written = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            part = os.read(ours, 65536)
        except OSError:  # so Linux tells the end
            break
        if not part:
            break
        written += part
        if interrupt_at is not None and interrupt_at in written:
            program.send_signal(signal.SIGINT)
            interrupt_at = None
    os.close(ours)
    return program.wait(10), written.decode()


def test_into_a_pipe_it_tells_the_states_and_what_to_do_next(output):
    lines = output.splitlines()
    assert "\x1b" not in output
    assert lines[0] == "● Running   digits / small network #1"
    assert any(line.startswith("● Completed   digits / small network #1   ran ") for line in lines)
    assert any(line.startswith("● Completed   diabetes / alpha sweep #1   ran ") for line in lines)
    assert "-m jupyterlab " in output
    assert "RunDetails(next(experiment.get_runs())).show()" in output


def test_the_digits_run_has_metrics_images_tags_and_its_model(workspace):
    (run,) = Experiment(workspace, "digits").get_runs()
    assert run.get_status() == "Completed"
    metrics = run.get_metrics()
    curves = {"learning rate", "train/loss", "train/accuracy", "val/loss", "val/accuracy"}
    assert metrics.keys() == curves | {"confusion"}
    assert {len(metrics[name]) for name in curves} == {3}
    assert metrics["train/loss"][0] > metrics["train/loss"][-1] > 0
    assert metrics["learning rate"] == sorted(metrics["learning rate"], reverse=True)
    assert 0.5 < metrics["val/accuracy"][-1] < 1
    assert run.get_tags() == {"model": "MLPClassifier", "data": "digits"}
    assert "outputs/model.joblib" in run.get_file_names()


def test_the_confusion_matrix_is_an_image(workspace, tmp_path):
    (run,) = Experiment(workspace, "digits").get_runs()
    (name,) = (name for name in run.get_file_names() if name.startswith("confusion"))
    run.download_file(name, tmp_path / "confusion.png")
    assert image_type((tmp_path / "confusion.png").read_bytes()[:64]) == "image/png"


def test_the_sweep_has_a_child_for_each_alpha(workspace):
    (run,) = Experiment(workspace, "diabetes").get_runs()
    children = list(run.get_children())
    assert [child.get_status() for child in children] == ["Completed"] * 4
    rows = run.get_metrics()["error over alpha"]
    found = {child.get_metrics()["alpha"]: child.get_metrics()["mse"] for child in children}
    assert found == dict(zip(rows["alpha"], rows["mse"], strict=True))
    assert all(0.2 < child.get_metrics()["r2"] < 0.6 for child in children)


def test_the_python_that_it_recommends_shows_the_run(output, environment):
    start = output.index("    from runwidgets import")
    code = [line.strip() for line in output[start:].splitlines()[:3]]
    shown = subprocess.run(
        [sys.executable, "-c", "\n".join(code)], check=False, capture_output=True, encoding="utf-8", env=environment
    )
    assert "● Completed   digits / small network #1" in shown.stdout, shown.stderr


def test_in_a_terminal_it_draws_and_ends_by_itself(environment):
    code, written = in_pseudo_terminal(environment, "--fast", "--no-lab", "--workspace", "drawn")
    assert code == 0
    assert "\x1b[?25l" in written  # redrawn in place, the cursor hidden
    assert "▁▇█" in written or "▁▆█" in written
    assert "4 child runs" in written
    assert "-m jupyterlab " in written


def test_ctrl_c_ends_it_with_one_line_and_the_run_as_failed(environment, monkeypatch):
    code, written = in_pseudo_terminal(environment, "--no-lab", "--workspace", "stopped", interrupt_at=b"val/loss")
    assert code == 130
    assert written.rstrip().splitlines()[-1] == "interrupted: the run that was going on is recorded as Failed"
    assert 'demo.py", line' not in written.rpartition("╯")[2]
    monkeypatch.setenv("RUNWIDGETS_HOME", environment["RUNWIDGETS_HOME"])
    (run,) = Experiment(Workspace(workspace_name="stopped"), "digits").get_runs()
    assert run.get_status() == "Failed"


def test_a_missing_extra_is_named_and_nothing_is_run(monkeypatch, capsys, runwidgets_home):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert demo.main(["--fast"]) == 2
    assert 'needs sklearn: pip install "runwidgets[demo]"' in capsys.readouterr().err
    assert not (runwidgets_home / "demo").exists()


def test_a_workspace_that_cannot_be_is_refused_in_one_line(capsys):
    assert demo.main(["--fast", "--workspace", "no/such"]) == 2
    assert capsys.readouterr().err.startswith("the demo cannot go on: workspace_name is 'no/such'")


@pytest.mark.parametrize(
    ("is_terminal", "display", "arguments", "opens"),
    [(True, ":0", [], True), (True, ":0", ["--no-lab"], False), (True, "", [], False), (False, ":0", [], False)],
)
def test_jupyterlab_opens_only_for_a_person_at_a_desk(monkeypatch, is_terminal, display, arguments, opens):
    started = []
    monkeypatch.setattr(demo, "_train", lambda *_, **__: None)
    monkeypatch.setattr(demo, "_open_lab", lambda: started.append(1) or 7)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert demo.main(arguments) == (7 if opens else 0)
    assert bool(started) == opens


def test_the_exit_code_of_jupyterlab_is_given_on(monkeypatch):
    monkeypatch.setattr(demo, "_lab_command", lambda: [sys.executable, "-c", "raise SystemExit(3)"])
    assert demo._open_lab() == 3


def test_without_the_notebook_it_says_how_to_get_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(demo, "_train", lambda *_, **__: None)
    monkeypatch.setattr(demo, "NOTEBOOK", tmp_path / "quickstart.ipynb")
    assert demo.main([]) == 0
    assert "pip download --no-deps --no-binary runwidgets runwidgets" in capsys.readouterr().out
