"""The recorder: what is logged is found by readers, whatever fails between, and each event just once."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from runwidgets.errors import StoreError
from runwidgets.events import PointLogged, RunCreated, StatusSet
from runwidgets.metrics import sdk_metrics
from runwidgets.records import RunStatus
from runwidgets.store import appender, folding, journal, recorder, recovery, sqlite
from runwidgets.store.journal import JournalWriter
from runwidgets.store.recorder import Recorder, close_all, recorder_of


def eventually(check, seconds=60):
    """Wait until `check` gives something true, and give that."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.01)
    return found


def begin(write, run_id="run"):
    write(RunCreated(run_id, 1.0, "exp"))
    write(StatusSet(run_id, 2.0, RunStatus.RUNNING))


def point(value, run_id="run"):
    return PointLogged(run_id, "m", 3.0, value)


def values(store, run_id="run"):
    found = sdk_metrics(store.metrics(run_id), run_id).get("m", [])
    return found if isinstance(found, list) else [found]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "workspace"


@pytest.fixture
def open_recorder(folder):
    made = []

    def make():
        made.append(Recorder(folder))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def recording(open_recorder):
    recording = open_recorder()
    begin(recording.write)
    return recording


@pytest.fixture
def by_hand(monkeypatch):
    """Leave folding to the test: the thread sleeps."""
    monkeypatch.setattr(recorder, "FOLD_SECONDS", 3600.0)


def set_write(monkeypatch, write):
    monkeypatch.setattr(appender, "_write", write)
    monkeypatch.setattr(journal, "_write", write)


def names(folder):
    return sorted(p.suffix for p in (folder / "journals").iterdir())


def leave_behind(folder, run_id="run", count=3):
    """Leave a journal as a process does that was killed."""
    (folder / "journals").mkdir(parents=True, exist_ok=True)
    writer = JournalWriter(folder / "journals")
    begin(writer.write, run_id)
    for n in range(count):
        writer.write(point(n, run_id))
    writer.close()
    return writer.path


# ---- folding


def test_what_was_written_is_found_by_others_after_a_flush(by_hand, recording, open_recorder):
    recording.write(point(1.0))
    reader = open_recorder()
    assert values(reader.store) == []
    recording.flush()
    assert values(reader.store) == [1.0]
    recording.flush()
    assert values(reader.store) == [1.0]


def test_what_was_written_is_found_by_others_without_a_flush(recording, open_recorder):
    recording.write(point(1.0))
    reader = open_recorder()
    assert eventually(lambda: values(reader.store)) == [1.0]


def test_a_status_is_folded_at_once(by_hand, recording, open_recorder):
    recording.set_status(StatusSet("run", 4.0, RunStatus.FINALIZING))
    reader = open_recorder()
    eventually(lambda: (r := reader.store.run("run")) and r.status is RunStatus.FINALIZING)


def test_much_is_folded_at_the_next_look_and_little_after_a_few(monkeypatch, open_recorder):
    monkeypatch.setattr(recorder, "FOLD_SECONDS", 0.01)
    monkeypatch.setattr(recorder, "PATIENCE", 10**9)
    recording = open_recorder()
    begin(recording.write)
    recording.write(point(1))
    looks = []
    real_wait = recording._wake.wait
    monkeypatch.setattr(recording._wake, "wait", lambda seconds: looks.append(1) or real_wait(seconds))
    eventually(lambda: len(looks) > 3)
    assert values(recording.store) == []
    text = "x" * 1000
    for _ in range(recorder.MUCH_BYTES // 1000):
        recording.write(point(text))
    eventually(lambda: len(values(recording.store)) == 1 + recorder.MUCH_BYTES // 1000)
    recording.write(point(2))
    monkeypatch.setattr(recorder, "PATIENCE", 3)
    eventually(lambda: values(recording.store)[-1] == 2)


def test_a_reader_has_no_journal_and_no_thread(open_recorder, folder):
    reader = open_recorder()
    reader.flush()
    assert reader._thread is None
    assert not (folder / "journals").exists()


def test_the_thread_that_folds_does_not_keep_the_process(recording):
    assert recording._thread.daemon


def test_a_process_that_owns_a_run_beats(monkeypatch, open_recorder):
    monkeypatch.setattr(recorder, "BEAT_SECONDS", 0.01)
    recording = open_recorder()
    begin(recording.write)
    first = eventually(lambda: recording.store.owner("run")).beat_at
    eventually(lambda: recording.store.owner("run").beat_at > first)


def test_one_recorder_serves_all_of_a_process_until_they_are_closed(folder, monkeypatch):
    first = recorder_of(folder)
    monkeypatch.chdir(folder.parent)
    assert recorder_of(Path(folder.name)) is first
    close_all()
    assert recorder_of(folder) is not first
    close_all()


def test_listeners_hear_of_statuses_until_they_forget(recording):
    heard = []
    forget = recording.on_status(heard.append)
    recording.set_status(StatusSet("run", 4.0, RunStatus.FINALIZING))
    forget()
    forget()
    recording.set_status(StatusSet("run", 5.0, RunStatus.COMPLETED))
    assert heard == ["run"]


# ---- a store or a disk that fails


def test_a_locked_store_stops_nothing_warns_once_and_gets_all_when_it_is_free(
    monkeypatch, open_recorder, folder, caplog
):
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.02)
    monkeypatch.setattr(recorder, "FOLD_SECONDS", 0.01)
    recording = open_recorder()
    begin(recording.write)
    recording.flush()
    lock = sqlite3.connect(folder / "runs.sqlite", isolation_level=None)
    eventually(lambda: _locked(lock))
    for n in range(100):
        recording.write(point(n))
    with pytest.raises(StoreError, match="does not answer: database is locked"):
        recording.flush()
    eventually(lambda: caplog.records)
    failures = []
    fold = recording._fold
    monkeypatch.setattr(recording, "_fold", lambda journal: failures.append(1) or fold(journal))
    eventually(lambda: len(failures) > 3)
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "training goes on" in caplog.text
    assert values(recording.store) == []
    lock.execute("ROLLBACK")
    lock.close()
    assert eventually(lambda: values(recording.store)) == list(range(100))
    eventually(lambda: "answers again" in caplog.text)
    assert len(caplog.records) == 2
    recording.write(point(100))
    recording.flush()
    assert values(recording.store) == list(range(101))


def _locked(db):
    try:
        db.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        return False
    return True


def test_a_fold_that_fails_halfway_is_done_again_whole(by_hand, recording, monkeypatch):
    recording.flush()
    store_rows = folding.Fold._store_rows

    def fail(self, *args):
        store_rows(self, *args)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(folding.Fold, "_store_rows", fail)
    recording.write(point(1))
    for _ in range(2):
        with pytest.raises(StoreError, match="disk is full"):
            recording.flush()
    assert values(recording.store) == []
    monkeypatch.setattr(folding.Fold, "_store_rows", store_rows)
    recording.write(point(2))
    recording.flush()
    assert values(recording.store) == [1, 2]


def test_a_mistake_in_folding_ends_neither_the_thread_nor_the_data(open_recorder, monkeypatch, caplog):
    monkeypatch.setattr(recorder, "FOLD_SECONDS", 0.01)
    recording = open_recorder()
    fold = recording.store.fold

    def fail(*args):
        raise KeyError("a mistake of ours")

    monkeypatch.setattr(recording.store, "fold", fail)
    begin(recording.write)
    recording.write(point(1))
    eventually(lambda: "training goes on" in caplog.text)
    monkeypatch.setattr(recording.store, "fold", fold)
    assert eventually(lambda: values(recording.store)) == [1]


def test_a_journal_that_cannot_be_read_is_a_store_error_and_is_read_later(by_hand, recording, monkeypatch):
    def refuse(path, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    recording.write(point(1))
    with monkeypatch.context() as patch:
        patch.setattr(recovery, "read_journal", refuse)
        with pytest.raises(StoreError, match="cannot be read"):
            recording.flush()
    recording.flush()
    assert values(recording.store) == [1]


def test_a_disk_that_was_full_for_a_while_loses_nothing(by_hand, recording, monkeypatch, caplog):
    write = journal._write

    def full(fd, data):
        raise OSError(28, "No space left on device")

    recording.write(point(0))
    set_write(monkeypatch, full)
    for n in range(1, 10):
        recording.write(point(n))
    with pytest.raises(StoreError, match="wait in memory: 9"):
        recording.flush()
    assert values(recording.store) == [0]
    set_write(monkeypatch, write)
    recording.write(point(10))
    recording.flush()
    assert values(recording.store) == list(range(11))


def test_a_torn_frame_that_cannot_be_cut_off_does_not_hold_up_a_flush(by_hand, recording, monkeypatch, caplog):
    def refuse(fd, size):
        raise OSError(5, "no")

    write = journal._write
    recording.write(point(1))
    set_write(monkeypatch, lambda fd, data: write(fd, data[:9]))
    monkeypatch.setattr(journal.os, "ftruncate", refuse)
    recording.write(point(2))

    def flush():
        with pytest.raises(StoreError, match="wait in memory: 1"):
            recording.flush()

    flushing = threading.Thread(target=flush, daemon=True)
    flushing.start()
    flushing.join(30)
    assert not flushing.is_alive()
    set_write(monkeypatch, write)
    recording.flush()
    assert values(recording.store) == [1, 2]
    assert "are damaged and were skipped" in caplog.text


def test_damage_in_the_middle_is_said_and_the_rest_is_folded(by_hand, recording, caplog):
    recording.write(point(1))
    where = recording._journal.end()
    recording.write(point(2))
    recording.write(point(3))
    with recording._journal.path.open("r+b") as file:
        file.seek(where + 9)
        file.write(b"\xff\xff\xff")
    recording.flush()
    assert values(recording.store) == [1, 3]
    assert "damaged and were skipped" in caplog.text


def test_damage_in_many_places_is_one_warning_and_no_more_at_later_folds(by_hand, recording, caplog):
    starts = []
    for n in range(30):
        starts.append(recording._journal.end())
        recording.write(point(n))
    with recording._journal.path.open("r+b") as file:
        for start in starts[::3]:
            file.seek(start + 9)
            file.write(b"\xff\xff\xff")
    recording.flush()
    recording.write(point(30))
    recording.flush()
    assert values(recording.store) == [n for n in range(31) if n % 3 or n == 30]
    (told,) = [record.message for record in caplog.records]
    length = starts[1] - starts[0]
    assert f"{length} bytes at offset {starts[0]} are damaged" in told
    assert f"{9 * length} bytes in 9 places after it" in told


# ---- the end


def test_closing_folds_all_fails_what_is_unfinished_and_leaves_no_journal(by_hand, open_recorder, folder):
    recording = open_recorder()
    begin(recording.write)
    recording.own("run")
    begin(recording.write, "finished")
    recording.own("finished")
    recording.set_status(StatusSet("finished", 4.0, RunStatus.COMPLETED))
    recording.write(point(1))
    recording.close()
    assert names(folder) == []
    store = open_recorder().store
    assert values(store) == [1]
    assert store.run("run").status is RunStatus.FAILED
    assert "without run.complete()" in store.run("run").error.message
    assert store.run("finished").status is RunStatus.COMPLETED


def test_writing_after_the_end_begins_anew(by_hand, recording, open_recorder, folder):
    recording.close()
    recording.write(point(1))
    recording.flush()
    assert values(recording.store) == [1]
    recording.close()
    assert names(folder) == []


@pytest.mark.usefixtures("by_hand")
def test_closing_while_the_store_is_away_leaves_the_journal_to_whoever_comes_next(
    recording, open_recorder, folder, monkeypatch, caplog
):
    def away(*args):
        raise StoreError("the store is away")

    recording.write(point(1))
    monkeypatch.setattr(recording.store, "fold", away)
    recording.close()
    assert "will be read later" in caplog.text
    assert ".journal" in names(folder)
    assert values(open_recorder().store) == [1]
    assert names(folder) == []


# ---- recovery


def test_the_journal_of_a_dead_process_is_folded_its_runs_fail_and_its_files_go(folder, open_recorder, caplog):
    leave_behind(folder)
    store = open_recorder().store
    assert values(store) == [0, 1, 2]
    assert store.run("run").status is RunStatus.FAILED
    assert "killed" in store.run("run").error.message
    assert names(folder) == []
    assert "is recorded as Failed" in caplog.text


def test_a_torn_end_is_said_and_all_before_it_is_recovered(folder, open_recorder, caplog):
    path = leave_behind(folder)
    path.write_bytes(path.read_bytes()[:-3])
    assert values(open_recorder().store) == [0, 1]
    assert "damaged and were skipped" in caplog.text
    assert names(folder) == []


def test_a_journal_that_was_partly_folded_is_recovered_from_there(by_hand, folder, open_recorder):
    recording = open_recorder()
    begin(recording.write)
    recording.write(point(1))
    recording.flush()
    recording.write(point(2))
    dead, recording._journal = recording._journal, None
    dead.close()
    other = open_recorder()
    assert values(other.store) == [1, 2]


def test_the_journal_of_a_living_process_is_left_alone(by_hand, recording, open_recorder, folder):
    recording.write(point(1))
    other = open_recorder()
    other.recover()
    recording.recover()
    assert names(folder) == [".journal", ".lock"]
    recording.write(point(2))
    recording.flush()
    assert values(other.store) == [1, 2]
    assert other.store.run("run").status is RunStatus.RUNNING


def test_many_who_recover_one_journal_at_once_fold_it_once(by_hand, folder, open_recorder):
    recorders = [open_recorder() for _ in range(6)]
    for round_ in range(5):
        run_id = f"run-{round_}"
        leave_behind(folder, run_id, count=50)
        barrier = threading.Barrier(len(recorders))
        errors = []

        def recover(one, barrier=barrier, errors=errors):
            barrier.wait()
            try:
                one.recover()
            except Exception as error:  # noqa: BLE001 (the test tells)
                errors.append(error)

        threads = [threading.Thread(target=recover, args=(one,)) for one in recorders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert values(recorders[0].store, run_id) == list(range(50))
        assert names(folder) == []


def test_a_process_that_goes_on_recovers_those_that_die_meanwhile(monkeypatch, open_recorder, folder):
    monkeypatch.setattr(recorder, "FOLD_SECONDS", 0.01)
    monkeypatch.setattr(recorder, "RECOVER_SECONDS", 0.01)
    recording = open_recorder()
    begin(recording.write, "mine")
    leave_behind(folder)
    eventually(lambda: (r := recording.store.run("run")) and r.status is RunStatus.FAILED)
    assert values(recording.store) == [0, 1, 2]


def test_a_folder_that_cannot_be_made_is_a_store_error_that_says_what_to_do(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="RUNWIDGETS_HOME"):
        _ = Recorder(tmp_path / "file" / "workspace").store


def files_of(folder):
    return sorted(path.name for path in (folder / "journals").glob("*.journal"))


def test_a_journal_that_grows_long_goes_on_in_a_new_file_and_what_is_folded_is_deleted(
    by_hand, open_recorder, folder, monkeypatch
):
    monkeypatch.setattr(journal, "FILE_BYTES", 2000)
    recording = open_recorder()
    for i in range(300):
        recording.write(point(i))
        if i % 20 == 0:
            recording.flush()
            assert len(files_of(folder)) <= 2
    recording.flush()
    assert int(files_of(folder)[-1].split(".")[1]) > 2000
    assert values(recording.store) == list(range(300))
    recording.close()
    assert files_of(folder) == []


def test_the_files_of_a_long_journal_of_a_dead_process_are_folded_in_order(by_hand, open_recorder, folder, monkeypatch):
    monkeypatch.setattr(journal, "FILE_BYTES", 1000)
    (folder / "journals").mkdir(parents=True)
    writer = JournalWriter(folder / "journals")
    for i in range(100):
        writer.write(point(i))
        writer.tidy(0)  # nothing of it is folded, so no file goes
    writer.close()
    assert len(files_of(folder)) == 3
    recording = open_recorder()
    assert values(recording.store) == list(range(100))
    assert files_of(folder) == []


def test_a_file_of_a_journal_that_was_cut_short_costs_its_own_events_alone(
    by_hand, open_recorder, folder, monkeypatch, caplog
):
    monkeypatch.setattr(journal, "FILE_BYTES", 1000)
    (folder / "journals").mkdir(parents=True)
    writer = JournalWriter(folder / "journals")
    for i in range(100):
        writer.write(point(i))
        writer.tidy(0)
    second = writer.segments[1]
    writer.close()
    with second.path.open("r+b") as file:
        file.truncate(100)
    left = values(open_recorder().store)
    assert left[-1] == 99
    assert left == sorted(set(left))
    assert 50 < len(left) < 100
    assert "are missing" in caplog.text


def test_a_store_that_lost_what_was_folded_gets_what_the_journal_still_has(
    by_hand, open_recorder, folder, monkeypatch, caplog
):
    # SQLite promises consistency after a power cut, not the last commits; the files they were folded from are deleted.
    monkeypatch.setattr(journal, "FILE_BYTES", 1000)
    recording = open_recorder()
    for i in range(100):
        recording.write(point(i))
        if i == 50:
            recording.flush()
            recording.flush()
    assert int(files_of(folder)[0].split(".")[1]) > 0, "the first file is gone"
    writer, recording._journal = recording._journal, None
    writer.close()
    recording.store.close()
    for path in folder.glob("runs.sqlite*"):
        path.unlink()
    left = values(open_recorder().store)
    assert left == list(range(51, 100))
    assert "are missing" in caplog.text
    assert files_of(folder) == []
