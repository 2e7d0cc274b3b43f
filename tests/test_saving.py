"""`save_html`: from a display, from a run that is over, from the command line; and files that cannot be written."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from runwidgets import Experiment, RunDetails, Workspace
from runwidgets.cli import main
from runwidgets.errors import ArgumentTypeError, StoreError, UserError
from runwidgets.watch.poller import poller
from tests.accuracy_tables import accuracy_table
from tests.test_pictures import PNG


@pytest.fixture
def run():
    run = Experiment(Workspace(), "exp").start_logging(name="one")
    run.log_list("loss", [3.0, 2.0, 1.25])
    yield run
    if run.status == "Running":
        run.complete()


def test_a_display_writes_the_run_as_it_is_now_and_gives_the_path(run, tmp_path):
    details = RunDetails(run)
    run.log("late", 7.5)
    (tmp_path / "confusion.png").write_bytes(PNG)
    run.log_image("confusion", path=str(tmp_path / "confusion.png"))
    target = tmp_path / "run.html"
    assert details.save_html(target) == str(target)
    text = target.read_text()
    for part in ("<!DOCTYPE html>", "exp / ", "Running", "7.5", "data:image/png;base64,"):
        assert part in text
    details.close()
    run.complete()
    assert details.save_html(str(target)) == str(target), "also once it is closed"
    assert "Completed" in target.read_text()
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".html"] == ["run.html"]


def test_the_page_draws_the_latest_document_of_each_kind(run, tmp_path):
    rng = np.random.default_rng(0)
    table = accuracy_table(np.arange(90) % 3, rng.dirichlet([1, 1, 1], 90), [0, 0.3, 0.6, 1], [0, 0.5, 1])
    run.log_accuracy_table("table", table)
    for counts in ([[1, 2], [3, 4]], [[5, 1], [0, 777]]):
        data = {"class_labels": ["cat", "dog"], "matrix": counts}
        run.log_confusion_matrix(
            "confusion", {"schema_type": "confusion_matrix", "schema_version": "1.0.0", "data": data}
        )
    text = Path(RunDetails(run).save_html(tmp_path / "run.html")).read_text()
    evaluation = text.partition("<h2>Evaluation<span>2</span></h2>")[2].partition("<h2>")[0]
    assert evaluation.count('<svg class="rw-svg"') == 6
    assert ">777<" in evaluation
    assert 'scope="row" class="l words">confusion' not in text, "the table has numbers, not paths of documents"
    assert "table · ROC" in evaluation
    assert "nan" not in evaluation.replace("NaN", "")


def test_a_display_that_was_never_shown_looks_for_itself(run, tmp_path, monkeypatch):
    run.complete()
    monkeypatch.setattr(type(poller()), "subscribe", lambda *_: None)
    assert "1.25" in Path(RunDetails(run).save_html(tmp_path / "run.html")).read_text()


def test_the_home_and_the_current_folder_are_not_in_the_page(run, tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "a long secret")
    run.tag("where", f"{Path.cwd()}/data.csv")
    run.tag("home", str(Path.home()))
    run.tag("said", "it is a long secret")
    text = Path(RunDetails(run).save_html(tmp_path / "run.html")).read_text()
    assert "where = ./data.csv" in text
    assert "home = ~" in text
    assert "it is •••" in text
    assert str(Path.cwd()) not in text


def test_the_command_writes_the_same_page(run, tmp_path, capsys):
    run.complete()
    target = tmp_path / "run.html"
    assert main(["show", run.id, "--html", str(target)]) == 0
    assert capsys.readouterr().out == f"{target}\n"
    assert "1.25" in target.read_text()
    assert main(["show", run.id, "--html", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_a_folder_a_missing_folder_and_what_is_no_path_are_refused(run, tmp_path):
    details = RunDetails(run)
    for path, words in ((tmp_path, "is a folder"), ("", "is a folder"), (tmp_path / "no" / "x.html", "make it first")):
        with pytest.raises(UserError, match=words):
            details.save_html(path)
    with pytest.raises(ArgumentTypeError, match="give its path"):
        details.save_html(3)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_told_and_leaves_what_was_there(run, tmp_path, monkeypatch):
    target = tmp_path / "run.html"
    target.write_text("before")

    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UserError, match=r"run\.html' cannot be written: No space left on device"):
        RunDetails(run).save_html(target)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_may_be_read_by_whom_other_new_files_may(run, tmp_path):
    before = os.umask(0o022)
    try:
        RunDetails(run).save_html(tmp_path / "run.html")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "run.html").stat().st_mode) == 0o644


def test_where_the_store_does_not_answer_what_was_seen_is_written(run, tmp_path, monkeypatch):
    details = RunDetails(run)
    details._have_looked()

    def away(*_):
        raise StoreError("database is locked")

    monkeypatch.setattr(type(run._recorder.store), "changes", away)
    assert "1.25" in Path(details.save_html(tmp_path / "run.html")).read_text()
    details.close()
    details._view = type(details._view)()
    with pytest.raises(StoreError, match="database is locked"):
        details.save_html(tmp_path / "other.html")
    assert not (tmp_path / "other.html").exists()


def test_a_run_that_was_seen_to_end_is_not_read_again(run, tmp_path, monkeypatch):
    details = RunDetails(run)
    run.complete()
    details._after_cell(None)

    def never(*_):
        raise AssertionError

    monkeypatch.setattr("runwidgets.watch.saving.Feed", never)
    assert "Completed" in Path(details.save_html(tmp_path / "run.html")).read_text()
