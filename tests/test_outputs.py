"""Outputs: what a run writes into its folders is kept with it, and no more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runwidgets import Experiment, UserError, Workspace
from runwidgets.outputs import Outputs, outputs_of
from runwidgets.store import files as store_files
from runwidgets.store.recorder import close_all


@pytest.fixture
def experiment():
    yield Experiment(Workspace(), "exp")
    close_all()


def content(run, name):
    return run._experiment.workspace._files.path(run.id, name).read_text()


def outputs_in(run):
    return [name for name in run.get_file_names() if not name.startswith(("environment/", "logs/"))]


@pytest.mark.parametrize("end", [lambda run: run.complete(), lambda run: run.fail("why"), lambda run: run.cancel()])
def test_what_is_written_to_outputs_is_kept_when_the_run_ends(experiment, end):
    run = experiment.start_logging()
    assert Path("outputs").is_dir(), "notebooks write there without making it"
    Path("outputs/deep").mkdir()
    Path("outputs/model.pkl").write_text("model")
    Path("outputs/deep/more.txt").write_text("more")
    end(run)
    assert outputs_in(run) == ["outputs/deep/more.txt", "outputs/model.pkl"]
    assert content(run, "outputs/model.pkl") == "model"


def test_a_with_block_keeps_outputs_too_also_from_another_folder_and_after_an_error(experiment, tmp_path):
    run = experiment.start_logging()

    def train():
        with run:
            Path("outputs/model.pkl").write_text("model")
            os.chdir(tmp_path)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train()
    assert outputs_in(run) == ["outputs/model.pkl"]


def test_runs_one_after_another_over_one_folder_keep_their_own_files(experiment):
    Path("outputs").mkdir()
    Path("outputs/old.txt").write_text("from before")
    first = experiment.start_logging()
    Path("outputs/model.pkl").write_text("first")
    Path("outputs/both.txt").write_text("same")
    first.complete()
    second = experiment.start_logging()
    Path("outputs/model.pkl").write_text("second")
    second.complete()
    third = experiment.start_logging()
    third.complete()
    assert outputs_in(first) == ["outputs/both.txt", "outputs/model.pkl"]
    assert outputs_in(second) == ["outputs/model.pkl"]
    assert outputs_in(third) == []
    assert (content(first, "outputs/model.pkl"), content(second, "outputs/model.pkl")) == ("first", "second")


def test_a_file_that_is_written_anew_with_the_same_content_belongs_to_the_run(experiment):
    Path("outputs").mkdir()
    Path("outputs/model.pkl").write_text("same")
    os.utime("outputs/model.pkl", (1e9, 1e9))
    run = experiment.start_logging()
    Path("outputs/model.pkl").write_text("same")
    run.complete()
    assert outputs_in(run) == ["outputs/model.pkl"]


def test_what_was_uploaded_before_is_not_copied_again_and_what_changed_since_is(experiment, monkeypatch):
    run = experiment.start_logging()
    for name in ("same", "other"):
        Path(f"outputs/{name}").write_text(name)
        run.upload_file(f"outputs/{name}", f"outputs/{name}")
    Path("outputs/other").write_text("OTHER")
    saved = []
    real = store_files.FileRoot.save
    monkeypatch.setattr(store_files.FileRoot, "save", lambda *a: (saved.append(a[2]), real(*a))[1])
    run.complete()
    assert saved == ["outputs/other"]
    assert outputs_in(run) == ["outputs/other", "outputs/same"]
    assert content(run, "outputs/other") == "OTHER"


def test_a_run_opened_by_its_id_keeps_the_outputs_when_it_ends_it(experiment):
    run = experiment.start_logging()
    Path("outputs/model.pkl").write_text("model")
    experiment.workspace._recorder.flush()
    type(run)(experiment, run.id).complete()
    assert outputs_in(run) == ["outputs/model.pkl"]


def test_other_folders_and_none_can_be_asked_for(experiment, tmp_path):
    run = experiment.start_logging(outputs=["models", tmp_path / "far" / "plots", "a/b"])
    for path in ("models/m", tmp_path / "far" / "plots" / "p", "a/b/c"):
        Path(path).write_text("x")
    run.complete()
    assert outputs_in(run) == ["a/b/c", "models/m", "plots/p"]
    assert not Path("outputs").exists()
    experiment.start_logging(outputs=False).complete()
    assert not Path("outputs").exists()
    experiment.start_logging(outputs=True).complete()
    assert Path("outputs").exists()


@pytest.mark.parametrize("outputs", [3, [3], {"a": 1}, ".", "..", "/"])
def test_outputs_that_are_no_folder_below_are_refused_before_a_run_begins(experiment, outputs):
    with pytest.raises(UserError, match="outputs is"):
        experiment.start_logging(outputs=outputs)
    assert list(experiment.get_runs()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such files")
def test_links_to_files_are_kept_as_files_and_pipes_are_not_waited_for(experiment):
    run = experiment.start_logging()
    Path("outputs/step-3").write_text("3")
    Path("outputs/last").symlink_to("step-3")
    Path("outputs/nowhere").symlink_to("missing")
    Path("outputs/round").symlink_to(".")
    os.mkfifo("outputs/pipe")
    run.complete()
    assert outputs_in(run) == ["outputs/last", "outputs/step-3"]
    assert content(run, "outputs/last") == "3"


def test_what_cannot_be_copied_is_one_warning_that_names_it_and_the_run_completes(experiment, monkeypatch, caplog):
    run = experiment.start_logging()
    for n in range(6):
        Path(f"outputs/{n}").write_text(str(n))
    Path("outputs/back\\slash").write_text("x")
    real = store_files.shutil.copyfileobj

    def full(source, target, *rest):
        if source.name.endswith(("0", "1", "2", "3")):
            raise OSError(28, "No space left on device")
        real(source, target, *rest)

    monkeypatch.setattr(store_files.shutil, "copyfileobj", full)
    run.complete()
    (record,) = caplog.records
    assert (record.levelname, run.get_status()) == ("WARNING", "Completed")
    assert "5 outputs of run" in record.message
    assert f"{Path.cwd()}/outputs/0: [Errno 28] No space left" in record.message
    assert record.message.endswith("; and 2 more")
    assert outputs_in(run) == ["outputs/4", "outputs/5"]


def test_a_mistake_of_ours_in_collecting_does_not_keep_a_run_from_its_end(experiment, monkeypatch, caplog):
    run = experiment.start_logging()
    Path("outputs/model.pkl").write_text("model")
    with monkeypatch.context() as patch:
        patch.setattr(store_files.FileRoot, "save", lambda *_: 1 / 0)
        run.complete()
    assert run.get_status() == "Completed"
    assert "cannot all be kept" in caplog.text


def test_a_folder_that_cannot_be_made_is_a_warning(experiment, caplog):
    Path("outputs").write_text("a file")
    experiment.start_logging().complete()
    assert "outputs cannot be made" in caplog.text


def test_a_file_that_failed_is_tried_again_and_one_that_is_kept_is_not(tmp_path, caplog):
    files = store_files.FileRoot(tmp_path / "files")
    outputs = Outputs(outputs_of("out", tmp_path))
    (tmp_path / "out" / "a").write_text("a")
    (tmp_path / "files").write_text("in the way")
    assert list(outputs.collect(files, "run")) == []
    (tmp_path / "files").unlink()
    assert list(outputs.collect(files, "run")) == [("out/a", 1)]
    assert list(outputs.collect(files, "run")) == []
    (tmp_path / "out" / "a").write_text("ab")
    assert list(outputs.collect(files, "run")) == [("out/a", 2)]
