"""What is recorded around an interactive run: its folder, git, Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from runwidgets import Experiment, NotFoundError, Run, UserError, Workspace, packages
from runwidgets import git as git_module
from runwidgets.errors import SnapshotError
from runwidgets.store import snapshots, sources
from runwidgets.store.files import FileRoot
from runwidgets.store.recorder import close_all

pytestmark = pytest.mark.surroundings
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def experiment(monkeypatch):
    monkeypatch.setattr(git_module, "_known", {})
    for key in list(os.environ):
        if key.startswith("AZUREML_GIT_"):
            monkeypatch.delenv(key)
    yield Experiment(Workspace(), "exp")
    close_all()


def snapshot_names(run):
    path = run.restore_snapshot()
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


# ---- the snapshot


def test_the_current_folder_is_kept_as_it_is_at_the_start_less_outputs_logs_and_our_own(monkeypatch):
    monkeypatch.setenv("RUNWIDGETS_HOME", "home")
    Path("train.py").write_text("epochs = 1")
    for name in ("outputs/model", "logs/a.log", "models/m", "sub/outputs/kept.py"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x")
    run = Experiment(Workspace(), "exp").start_logging(outputs=["models"])
    Path("train.py").write_text("epochs = 2")
    assert run.properties["ContentSnapshotId"] == run.get_snapshot_id()
    assert snapshot_names(run) == ["sub/outputs/kept.py", "train.py"]
    path = run.restore_snapshot(path="elsewhere")
    assert path == os.path.join("elsewhere", f"{run.get_snapshot_id()}.zip")  # noqa: PTH118
    with zipfile.ZipFile(path) as archive:
        assert archive.read("train.py") == b"epochs = 1"
    close_all()


def test_runs_in_an_unchanged_folder_share_a_snapshot_and_another_process_finds_the_same(experiment):
    Path("train.py").write_text("x")
    ids = {experiment.start_logging().get_snapshot_id() for _ in range(3)}
    code = "from runwidgets import *; r = Experiment(Workspace(), 'exp').start_logging(); print(r.get_snapshot_id())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ids == {done.stdout.strip()}
    assert Run(experiment, next(experiment.get_runs()).id).get_snapshot_id() in ids


def test_another_folder_can_be_named_and_none(experiment):
    Path("train.py").write_text("x")
    Path("src").mkdir()
    Path("src/model.py").write_text("x")
    assert snapshot_names(experiment.start_logging(snapshot_directory=Path("src"))) == ["model.py"]
    run = experiment.start_logging(snapshot_directory=None)
    assert run.get_snapshot_id() is None
    with pytest.raises(NotFoundError, match="has no snapshot"):
        run.restore_snapshot()
    assert experiment.start_logging(snapshot_directory="src/../src").get_snapshot_id()


@pytest.mark.parametrize("folder", ["missing", 3, "train.py"])
def test_a_folder_that_is_none_is_refused_before_a_run_begins(experiment, folder):
    Path("train.py").write_text("x")
    with pytest.raises(UserError, match="snapshot_directory"):
        experiment.start_logging(snapshot_directory=folder)
    assert list(experiment.get_runs()) == []
    assert not Path("outputs").exists()


def test_a_folder_that_is_too_big_is_one_warning_that_says_what_to_do(experiment, caplog, monkeypatch):
    Path("data").mkdir()
    for n in range(2001):
        Path(f"data/{n}").touch()
    runs = [experiment.start_logging() for _ in range(3)]
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    for part in ("2,001 files", "Biggest: data/", ".amlignore", "snapshot_directory=None"):
        assert part in record.message
    assert {run.get_status() for run in runs} == {"Running"}
    assert [run.get_snapshot_id() for run in runs] == [None] * 3
    Path(".amlignore").write_text("data/\n")
    assert snapshot_names(experiment.start_logging()) == [".amlignore"]
    assert len(caplog.records) == 1


def test_a_folder_that_was_too_big_is_not_looked_through_again_at_each_start(experiment, monkeypatch):
    monkeypatch.setattr("runwidgets.surroundings.Limits", lambda: sources.Limits(files=1))
    for n in range(3):
        Path(f"{n}").touch()
    experiment.start_logging()
    monkeypatch.setattr(snapshots, "source_of", lambda *_, **__: pytest.fail("looked through again"))
    experiment.start_logging()


def test_a_store_of_snapshots_that_cannot_be_written_is_a_warning(experiment, caplog):
    Path("train.py").write_text("x")
    experiment.workspace._recorder.flush()
    (experiment.workspace._folder / "snapshots").write_text("in the way")
    run = experiment.start_logging()
    assert (run.get_status(), run.get_snapshot_id()) == ("Running", None)
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert "no snapshot of" in caplog.text


def test_a_current_folder_that_is_gone_is_a_warning(experiment, tmp_path, monkeypatch, caplog):
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    try:
        assert experiment.start_logging().get_status() == "Running"
    finally:
        os.chdir(tmp_path)
    assert "the current folder is gone" in caplog.text


def test_a_run_takes_a_snapshot_once(experiment, monkeypatch):
    Path("src").mkdir()
    Path("src/model.py").write_text("x")
    Path("train.py").write_text("y")
    run = experiment.start_logging(snapshot_directory=None)
    snapshot_id = run.take_snapshot("src")
    assert run.get_snapshot_id() == snapshot_id
    assert snapshot_names(run) == ["model.py"]
    with pytest.raises(SnapshotError, match=f"has the snapshot {snapshot_id} already"):
        run.take_snapshot("src")
    with pytest.raises(SnapshotError, match="snapshot_directory=None"):
        experiment.start_logging().take_snapshot("src")
    child = run.child_run()
    child.take_snapshot("train.py")
    assert snapshot_names(child) == ["train.py"]
    with pytest.raises(NotFoundError, match="no file or folder"):
        run.child_run().take_snapshot("missing")
    with pytest.raises(NotFoundError, match="there is no snapshot"):
        run.restore_snapshot("0" * 64)


def test_a_snapshot_that_is_asked_for_and_too_big_is_an_error(experiment):
    Path("src").mkdir()
    for n in range(2001):
        Path(f"src/{n}").touch()
    run = experiment.start_logging(snapshot_directory=None)
    with pytest.raises(SnapshotError, match="more than the 2,000 files"):
        run.take_snapshot("src")
    assert run.get_snapshot_id() is None


# ---- git


@pytest.fixture
def commit(monkeypatch):
    """Make the current folder a repository with one commit; give the commit."""
    for key in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(key, os.devnull)
    Path("train.py").write_text("epochs = 1\n")
    for command in ("init -b topic", "add .", "commit -m first", "remote add origin https://user:s3cr3t@host/x.git"):
        subprocess.run(
            ["git", "-c", "user.name=A", "-c", "user.email=a@b", *command.split()], check=True, capture_output=True
        )
    return subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def git_properties(run):
    return {key: value for key, value in run.get_properties().items() if "git" in key}


@needs_git
def test_the_commit_and_what_was_changed_since_are_recorded_and_no_password(experiment, commit):
    run = experiment.start_logging()
    expected = {
        "azureml.git.repository_uri": "https://host/x.git",
        "azureml.git.branch": "topic",
        "azureml.git.commit": commit,
        "azureml.git.dirty": "False",
        "mlflow.source.git.repoURL": "https://host/x.git",
        "mlflow.source.git.branch": "topic",
        "mlflow.source.git.commit": commit,
    }
    assert git_properties(run) == expected
    assert run.get_file_names() == ["environment/packages.txt"]
    git_module._known.clear()
    Path("train.py").write_text("epochs = 2\n")
    run = experiment.start_logging()
    assert git_properties(run) == expected | {"azureml.git.dirty": "True"}
    assert run.get_file_names() == ["environment/packages.txt", "environment/uncommitted.diff"]
    run.download_file("environment/uncommitted.diff", "changes.diff")
    assert "-epochs = 1\n+epochs = 2\n" in Path("changes.diff").read_text()
    run = experiment.start_logging(snapshot_directory=None)
    assert run.get_file_names() == ["environment/packages.txt"], "no snapshot, no diff"
    assert git_properties(run) == expected | {"azureml.git.dirty": "True"}
    everything = b"".join(p.read_bytes() for p in experiment.workspace._folder.rglob("*") if p.is_file())
    assert b"s3cr3t" not in everything


@needs_git
def test_the_environment_overrides_what_git_says(experiment, commit, monkeypatch):
    monkeypatch.setenv("AZUREML_GIT_REPOSITORY_URI", "https://me:secret@other/y.git")
    monkeypatch.setenv("AZUREML_GIT_COMMIT", "abc")
    monkeypatch.setenv("AZUREML_GIT_BUILD_ID", "17")
    assert git_properties(experiment.start_logging()) == {
        "azureml.git.repository_uri": "https://other/y.git",
        "azureml.git.branch": "topic",
        "azureml.git.commit": "abc",
        "azureml.git.dirty": "False",
        "azureml.git.build_id": "17",
        "mlflow.source.git.repoURL": "https://other/y.git",
        "mlflow.source.git.branch": "topic",
        "mlflow.source.git.commit": "abc",
    }


def test_a_folder_without_a_repository_has_no_such_facts(experiment, caplog, capfd):
    assert git_properties(experiment.start_logging()) == {}
    assert (caplog.records, capfd.readouterr()) == ([], ("", ""))


# ---- Python


def test_python_platform_and_packages_are_recorded_and_packages_lie_on_disk_once(experiment):
    runs = [experiment.start_logging() for _ in range(3)]
    properties = runs[0].get_properties()
    assert properties["runwidgets.python"] == ".".join(map(str, sys.version_info[:3]))
    assert sys.platform[:3].lower() in properties["runwidgets.platform"].lower()
    runs[0].download_file("environment/packages.txt")
    lines = Path("packages.txt").read_text().splitlines()
    assert f"msgspec=={version('msgspec')}" in lines
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0].lower().replace("_", "-"))
    files = experiment.workspace._files
    assert len({files.path(run.id, "environment/packages.txt").stat().st_ino for run in runs}) == 1


def test_a_broken_installation_of_a_package_is_passed_over(experiment, tmp_path, monkeypatch):
    for name, content in {
        "broken": b"\xff\xfe",
        "nameless": b"Version: 1\n",
        "whole": b"Name: whole\nVersion: 2\n",
    }.items():
        folder = tmp_path / f"{name}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_bytes(content)
    (tmp_path / "empty-1.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    packages.packages_text.cache_clear()
    try:
        lines = packages.packages_text().splitlines()
    finally:
        packages.packages_text.cache_clear()
    assert "whole==2" in lines
    assert not any("nameless" in line or "broken" in line for line in lines)


def test_where_files_cannot_be_linked_they_are_copied(experiment, monkeypatch):
    def refuse(*_):
        raise OSError(31, "Too many links")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    run = experiment.start_logging()
    assert FileRoot(experiment.workspace._folder / "artifacts").path(run.id, "environment/packages.txt").is_file()


def test_runs_below_record_nothing_of_this(experiment):
    Path("train.py").write_text("x")
    run = experiment.start_logging(outputs=False)
    children = [run.child_run(), *run.create_children(2)]
    for child in children:
        child.complete()
        assert (child.get_properties(), child.get_file_names()) == ({}, [])
    assert not Path("outputs").exists()


def test_arguments_may_be_given_by_position_as_in_the_sdk(experiment):
    run = experiment.start_logging("name", "id-1", ["models"], None)
    assert (run.name, run.id, run.get_snapshot_id(), Path("models").is_dir()) == ("name", "id-1", None, True)


def test_many_runs_in_one_process_ask_git_python_and_the_disk_once(experiment, monkeypatch):
    Path("train.py").write_text("x")
    os.utime("train.py", (1e9, 1e9))
    monkeypatch.setattr(git_module, "_FRESH_SECONDS", 1e9)
    experiment.start_logging()
    monkeypatch.setattr(git_module, "_git", lambda *_, **__: pytest.fail("git was asked again"))
    monkeypatch.setattr("runwidgets.packages.distributions", lambda: pytest.fail("packages were listed again"))
    monkeypatch.setattr(snapshots, "_open", lambda _: pytest.fail("a file was read again"))
    for _ in range(50):
        experiment.start_logging()
