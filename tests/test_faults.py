"""What fails under a training that logs: disks, folders, stores, clocks, other machines. Training goes on."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import sqlite3
import subprocess
import time

import pytest

from runwidgets import Experiment, Run, RunStatus, Workspace
from runwidgets.errors import FileNotKeptError, SchemaError, StoreError
from runwidgets.store import journal, liveness, locks, recorder, recovery
from runwidgets.store.recorder import close_all
from tests.test_processes import SECONDS, eventually, finish, start  # noqa: F401 (a fixture)

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="limits, mounts and deletion of open files as POSIX has them"
)


@pytest.fixture
def experiment():
    yield Experiment(Workspace(), "exp")
    close_all()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(recorder, "FOLD_SECONDS", 0.01)


@pytest.fixture
def folder(runwidgets_home):
    return runwidgets_home / "default"


@pytest.fixture
def disk(runwidgets_home):
    """Give a disk of its own to the home: a function that mounts it anew with other options."""

    def mount(options, kind=("-t", "tmpfs", "tmpfs")):
        done = subprocess.run(
            ["mount", *kind, "-o", options, str(runwidgets_home)], check=False, capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"this user cannot mount: {done.stderr.strip()}")

    mount("size=4m")
    yield mount
    close_all()
    subprocess.run(["umount", "--lazy", str(runwidgets_home)], check=True)


def values(run, name="m"):
    found = run.get_metrics(name).get(name, [])
    return found if isinstance(found, list) else [found]


def said(caplog):
    return [record.message for record in caplog.records]


def journals(folder):
    return [path for path in (folder / "journals").iterdir() if path.suffix == ".journal"]


# ---- the disk


@pytest.mark.usefixtures("quick")
def test_a_full_disk_stops_nothing_and_gets_all_when_there_is_space(disk, experiment, runwidgets_home, caplog):
    run = experiment.start_logging()
    run.log("m", -1)
    run.flush()
    filler = runwidgets_home / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    for n in range(20_000):
        run.log("m", n)
    child = run.child_run("child")
    child.log_row("rows", x=1)
    child.set_tags({"a": "b"})
    child.add_properties({"c": "d"})
    child.log_image("image", plot=_Figure())
    with pytest.raises(StoreError, match=r"disk is full|wait in memory"):
        run.get_metrics()
    child.complete()
    eventually(lambda: experiment.workspace._recorder._journal.waiting)
    assert sum("cannot be written (" in text for text in said(caplog)) == 1
    filler.unlink()
    eventually(lambda: any("can be written again" in text and "none was given up" in text for text in said(caplog)))
    assert values(run) == list(range(-1, 20_000))
    assert child.get_metrics("rows") == {"rows": {"x": 1}}
    assert (child.get_tags(), child.get_properties(), child.get_status()) == ({"a": "b"}, {"c": "d"}, "Completed")
    run.complete()


@pytest.mark.usefixtures("disk")
def test_an_end_that_a_full_disk_does_not_take_is_not_said_to_be_in_the_journal(start, runwidgets_home):  # noqa: F811
    code = """
from pathlib import Path
run = experiment.start_logging(run_id="run", snapshot_directory=None, outputs=False)
run.log("m", 1)
run.flush()
with Path(sys.argv[1]).open("wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(4096))
    except OSError:
        pass
run.log_list("m", [n / 3 for n in range(100_000)])
run.complete()
print(json.dumps(run.get_status()))
"""
    status, err = finish(start(code, runwidgets_home / "filler"))
    assert status == "Completed"
    assert "the end of run run waits in memory, and is lost if" in err
    assert ("the end of run run waits in the journal" in err, "will be read later" in err) == (False, False)
    assert err.count("what it has from before is read later") == 1
    (runwidgets_home / "filler").unlink()
    run = Run(Experiment(Workspace(), "exp"), "run")
    assert (values(run), run.get_status()) == ([1], "Failed")


def test_a_file_that_a_full_disk_does_not_take_is_named_with_what_to_do(disk, experiment, runwidgets_home, tmp_path):
    run = experiment.start_logging(run_id="run", snapshot_directory=None)
    source = tmp_path / "model.bin"
    source.write_bytes(bytes(5 * 2**20))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "model.bin").write_bytes(bytes(5 * 2**20))
    uploads = (
        lambda: run.upload_file("outputs/model.bin", source),
        lambda: run.upload_files(["outputs/model.bin"], [source]),
        lambda: run.upload_folder("outputs", tmp_path / "folder"),
    )
    for upload in uploads:
        with pytest.raises(StoreError, match=r"the file 'outputs/model.bin' of run run .*free some space") as caught:
            upload()
        assert isinstance(caught.value, OSError)
        assert (caught.value.errno, isinstance(caught.value, FileNotKeptError)) == (errno.ENOSPC, True)
    source.write_bytes(b"smaller")
    run.upload_file("outputs/model.bin", source)
    with pytest.raises(FileNotFoundError):
        run.upload_file("outputs/model.bin", tmp_path / "missing")
    run.complete()
    close_all()
    disk("remount,ro", kind=())
    run = experiment.start_logging(snapshot_directory=None)
    with pytest.raises(FileNotKeptError, match="set RUNWIDGETS_HOME to a folder that can be written"):
        run.upload_file("outputs/model.bin", source)


class _Figure:
    def savefig(self, stream, **_):
        stream.write(b"\x89PNG\r\n\x1a\n" + bytes(100_000))


def test_a_limit_of_the_file_size_is_a_full_disk_too(start):  # noqa: F811
    code = """
import resource
run = experiment.start_logging(run_id="run")
run.log("m", -1)
run.flush()
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
for n in range(2000):
    run.log("m", n)
try:
    run.flush()
except Exception as error:
    print(json.dumps(type(error).__name__))
sys.stdin.readline()
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
run.flush()
run.complete()
"""
    process = start(code)
    process.stdin.write(b"go\n")
    name, err = finish(process)
    assert name == "StoreError"
    assert values(Run(Experiment(Workspace(), "exp"), "run")) == list(range(-1, 2000))
    assert err.count("training goes on") <= 2, "one of the journal, and one of the store if that came first"
    assert err.count("can be written again") == 1
    assert "Traceback" not in err


@pytest.mark.usefixtures("quick")
def test_a_disk_that_becomes_read_only_stops_nothing_and_gets_all_when_it_can_be_written(disk, experiment, caplog):
    run = experiment.start_logging()
    run.log("m", 0)
    run.flush()
    run.complete()
    close_all()
    disk("remount,ro", kind=())
    run = experiment.start_logging(run_id="second")
    for n in range(100):
        run.log("m", n)
    run.log_list("list", [1, 2])
    with pytest.raises(StoreError):
        run.get_metrics()
    assert sum("training goes on" in text for text in said(caplog)) == 1
    assert any("RUNWIDGETS_HOME" in text for text in said(caplog))
    disk("remount,rw", kind=())
    assert eventually(lambda: _try(lambda: values(run))) == list(range(100))
    run.complete()
    assert run.get_status() == "Completed"


def _try(read):
    try:
        return read()
    except StoreError:
        return None


@pytest.mark.usefixtures("quick")
def test_a_home_that_cannot_be_made_stops_nothing_and_gets_all_when_it_can(experiment, runwidgets_home, caplog):
    runwidgets_home.rmdir()
    runwidgets_home.write_text("a file is in the way")
    run = experiment.start_logging(run_id="run")
    for n in range(100):
        run.log("m", n)
    with pytest.raises(StoreError, match="RUNWIDGETS_HOME"):
        list(experiment.get_runs())
    assert run.get_status() == "Running"
    with pytest.raises(StoreError, match=r"cannot be made|wait in memory"):
        run.get_tags()
    own = experiment.workspace._recorder._journal
    assert own.waiting > 100
    assert sum("training goes on" in text for text in said(caplog)) == 1
    runwidgets_home.unlink()
    eventually(lambda: not own.waiting)
    assert values(run) == list(range(100))
    run.complete()
    assert run.get_status() == "Completed"


@pytest.mark.usefixtures("quick")
def test_a_home_that_could_never_be_made_is_said_at_the_end_with_what_is_lost(start, runwidgets_home):  # noqa: F811
    runwidgets_home.rmdir()
    runwidgets_home.write_text("a file is in the way")
    process = start("run = experiment.start_logging()\nfor n in range(10):\n    run.log('m', n)\nrun.complete()")
    _, err = finish(process)
    (lost,) = re.findall(r"events that are lost: (\d+)", err)
    assert int(lost) >= 13, "the run, its states, ten values, and where it started"
    assert "that is all that this process logged" in err
    assert (err.count("\n"), "Traceback" in err) == (2, False), "one when it begins, and one at the end"


@pytest.mark.usefixtures("quick")
def test_a_run_whose_creation_was_given_up_is_made_anew(experiment, runwidgets_home, monkeypatch, caplog):
    runwidgets_home.rmdir()
    runwidgets_home.write_text("a file is in the way")
    monkeypatch.setattr(journal, "WAITING_LIMIT", 2000)
    run = experiment.start_logging(display_name="name")
    for n in range(1000):
        run.log("m", n)
    own = experiment.workspace._recorder._journal
    runwidgets_home.unlink()
    eventually(lambda: not own.waiting)
    found = values(run)
    assert 0 < own.lost < 1000
    assert found == list(range(1000 - len(found), 1000))
    eventually(lambda: list(experiment.get_runs()) == [run])
    assert (run._record().name, run._record().owner.pid, run.get_status()) == ("name", os.getpid(), "Running")
    assert sum("from now on the oldest are given up" in text for text in said(caplog)) == 1
    assert any("older ones that were given up:" in text for text in said(caplog))


# ---- the folder


@pytest.mark.parametrize("how", ["deleted", "moved", "journals deleted"])
def test_a_home_that_is_deleted_while_a_script_logs_is_made_anew_with_what_it_still_has(start, folder, how):  # noqa: F811
    code = """
run = experiment.start_logging(run_id="run", display_name="name", tags={"a": "b"})
for n in range(1000):
    run.log("m", n)
run.flush()
print("ready", flush=True)
sys.stdin.readline()
for n in range(1000, 2000):
    run.log("m", n)
print("logged", flush=True)
sys.stdin.readline()
"""
    with Experiment(Workspace(), "exp").start_logging(run_id="other") as other:
        other.log("m", 1)
    close_all()
    process = start(code)
    process.stdout.readline()
    if how == "deleted":
        shutil.rmtree(folder)
    elif how == "moved":
        folder.rename(folder.with_name("elsewhere"))
    else:
        shutil.rmtree(folder / "journals")
    process.stdin.write(b"go\n")
    process.stdin.flush()
    process.stdout.readline()
    eventually(lambda: (folder / "journals").exists() and journals(folder))
    experiment = Experiment(Workspace(), "exp")
    run = eventually(lambda: next((r for r in experiment.get_runs() if r.id == "run"), None))
    eventually(lambda: values(run) == list(range(2000)))
    assert (run.name, run.get_tags(), run.get_status()) == ("name", {"a": "b"}, "Running")
    assert len(list(experiment.get_runs())) == (2 if how == "journals deleted" else 1)
    process.kill()
    eventually(lambda: run.get_status() == "NotResponding")
    err = process.stderr.read().decode()
    assert err.count("whatever else was there is lost") == 1
    assert "Traceback" not in err


@pytest.mark.usefixtures("quick")
def test_a_home_that_is_deleted_and_cannot_be_made_anew_at_once_loses_nothing(experiment, runwidgets_home, caplog):
    run = experiment.start_logging(run_id="run")
    run.log("m", 0)
    run.flush()
    shutil.rmtree(runwidgets_home)
    runwidgets_home.write_text("a file is in the way")
    for n in range(1, 100):
        run.log("m", n)
    eventually(lambda: any("cannot be made anew" in text for text in said(caplog)))
    with pytest.raises(StoreError, match="cannot be made anew"):
        run.get_metrics()
    assert sum("training goes on" in text for text in said(caplog)) == 1
    runwidgets_home.unlink()
    assert eventually(lambda: _try(lambda: values(run))) == list(range(100))
    assert (run.get_status(), len(list(experiment.get_runs()))) == ("Running", 1)


def test_a_run_that_began_before_what_is_left_of_its_journal_is_made_anew(start, folder):  # noqa: F811
    code = """
from runwidgets.store import journal
journal.FILE_BYTES = 10_000
run = experiment.start_logging(run_id="run", display_name="name")
for n in range(1000):
    run.log("m", n)
    if n % 100 == 0:
        run.flush()
print("ready", flush=True)
sys.stdin.readline()
run.log("m", 1000)
run.flush()
print("logged", flush=True)
sys.stdin.readline()
"""
    process = start(code)
    process.stdout.readline()
    shutil.rmtree(folder)
    process.stdin.write(b"go\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"logged\n"
    run = Run(Experiment(Workspace(), "exp"), "run")
    found = values(run)
    assert 1 < len(found) < 1000
    assert found == list(range(1001 - len(found), 1001))
    assert (run.name, run._record().owner.pid, run.get_status()) == ("name", process.pid, "Running")
    process.kill()
    eventually(lambda: run.get_status() == "NotResponding")
    assert process.stderr.read().decode().count("is lost") == 1


@pytest.mark.usefixtures("quick")
def test_a_journal_that_is_cut_short_goes_on_in_a_new_file(experiment, folder, caplog):
    run = experiment.start_logging()
    run.log("m", 0)
    run.flush()
    os.truncate(journals(folder)[0], 100)
    eventually(lambda: all(path.name.count(".") == 2 for path in journals(folder)))
    run.log("m", 1)
    assert values(run) == [0, 1]


@pytest.mark.usefixtures("quick")
def test_a_lock_file_that_is_deleted_is_held_anew(experiment, folder):
    run = experiment.start_logging()
    run.log("m", 0)
    run.flush()
    lock = next((folder / "journals").glob("*.lock"))
    lock.unlink()
    eventually(lock.exists)
    with pytest.raises(OSError, match="another process holds the lock"):
        locks.take(locks.lock_of(journals(folder)[0]))


# ---- the store


def _damage_text(path):
    path.write_text("this is no database\n" * 1000)


def _damage_cut(path):
    os.truncate(path, path.stat().st_size // 2)


def _damage_bits(path):
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), 97):
        data[at] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("damage", [_damage_text, _damage_cut, _damage_bits])
def test_a_store_that_is_damaged_stops_nothing_and_once_moved_away_is_made_anew(experiment, folder, damage, caplog):
    run = experiment.start_logging(run_id="run")
    for n in range(3000):
        run.log("m", n)
    run.flush()
    recording = experiment.workspace._recorder
    with recording._folding:  # so that it all happens between two folds
        recording._access.forget()
        for path in folder.glob("runs.sqlite-*"):
            path.unlink()
        damage(folder / "runs.sqlite")
    for n in range(3000, 3100):
        run.log("m", n)
    eventually(lambda: any("training goes on" in text for text in said(caplog)))
    with pytest.raises(StoreError, match=r"runs\.sqlite"):
        run.flush()
    assert sum("training goes on" in text for text in said(caplog)) == 1
    with recording._folding:
        for path in folder.glob("runs.sqlite*"):
            path.rename(path.with_name(f"moved-{path.name}"))
    assert eventually(lambda: _try(lambda: values(run))) == list(range(3100))
    eventually(lambda: any("answers again" in text for text in said(caplog)))
    assert any("is lost" in text for text in said(caplog))
    run.complete()
    assert run.get_status() == "Completed"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("how", ["deleted", "deleted alone", "emptied", "replaced by an older one"])
def test_a_store_that_is_replaced_gets_what_the_journal_still_has(experiment, folder, how):
    store = folder / "runs.sqlite"
    run = experiment.start_logging(run_id="run")
    run.log("m", 0)
    run.flush()
    with sqlite3.connect(store) as source, sqlite3.connect(folder / "copy") as target:
        source.backup(target)
    source.close()
    target.close()
    for n in range(1, 100):
        run.log("m", n)
    run.flush()
    with experiment.workspace._recorder._folding:
        _replace(store, how)
    run.log("m", 100)
    assert eventually(lambda: _try(lambda: values(run))) == list(range(101))
    run.complete()
    close_all()
    assert [(found.id, values(found)) for found in experiment.get_runs()] == [("run", list(range(101)))]


def _replace(store, how):
    if how == "emptied":
        with contextlib.closing(sqlite3.connect(store)) as db:
            eventually(lambda: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
        os.truncate(store, 0)
    elif how == "deleted alone":
        store.unlink()
    else:
        for path in store.parent.glob("runs.sqlite*"):
            path.unlink()
    if how == "replaced by an older one":
        (store.parent / "copy").rename(store)


@pytest.mark.usefixtures("quick")
def test_a_store_of_a_newer_version_stops_nothing_and_readers_are_told(experiment, folder, caplog):
    experiment.start_logging().complete()
    close_all()
    db = sqlite3.connect(folder / "runs.sqlite", isolation_level=None)
    db.execute("INSERT INTO schema_steps VALUES ('9999-future', 1.0)")
    run = experiment.start_logging(run_id="run")
    for n in range(100):
        run.log("m", n)
    run.complete()
    with pytest.raises(SchemaError, match="9999-future"):
        run.get_metrics()
    eventually(lambda: any("training goes on" in text for text in said(caplog)))
    close_all()
    assert len(journals(folder)) == 1, "it waits for whoever can read the store"
    db.execute("DELETE FROM schema_steps WHERE name = '9999-future'")
    db.close()
    run = Run(experiment, "run")
    assert (values(run), run.get_status()) == (list(range(100)), "Completed")


# ---- the clock


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_a_clock_that_is_set_changes_neither_order_nor_life(start, jump):  # noqa: F811
    code = """
jump = 0.0
clock = time.time
time.time = lambda: clock() + jump
from runwidgets.store import recorder
recorder.BEAT_SECONDS = 0.05
run = experiment.start_logging(run_id="run")
for n in range(1000):
    run.log("m", n)
run.flush()
print("ready", flush=True)
sys.stdin.readline()
jump = float(sys.argv[1])
for n in range(1000, 2000):
    run.log("m", n)
print("logged", flush=True)
sys.stdin.readline()
run.complete()
"""
    process = start(code, jump)
    process.stdout.readline()
    run = Run(Experiment(Workspace(), "exp"), "run")
    store = run.experiment.workspace._store
    assert run.get_status() == "Running"
    process.stdin.write(b"go\n")
    process.stdin.flush()
    process.stdout.readline()
    eventually(lambda: len(values(run)) == 2000, 10)
    eventually(lambda: abs(store.owner("run").beat_at - time.time() - jump) < 60, 10)
    beat = store.owner("run").beat_at
    eventually(lambda: store.owner("run").beat_at > beat, 10)
    assert values(run) == list(range(2000))
    assert run.get_status() == "Running"
    process.stdin.write(b"go\n")
    finish_quietly(process)
    assert run.get_status() == "Completed"


def finish_quietly(process):
    _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (0, b"")


# ---- other machines

ELSEWHERE = """
from runwidgets import system
from runwidgets.store import journal, recorder
system._machine = lambda: ("another machine", "its number:its start:")
journal.take = lambda lock: None  # this network file system carries no locks
recorder.BEAT_SECONDS = 0.05
run = experiment.start_logging(run_id="run")
n = 0
while True:
    run.log("m", n)
    n += 1
    os.write(1, b"%d\\n" % n)
    time.sleep(0.001)
"""


@pytest.mark.parametrize("skew", [0.0, -40_000.0, 40_000.0])
def test_a_writer_on_another_machine_is_left_alone_while_it_beats_and_failed_after_a_long_silence(
    start,  # noqa: F811
    experiment,
    folder,
    monkeypatch,
    skew,
):
    monkeypatch.setattr(liveness, "SILENT_AFTER_SECONDS", 1.0)
    monkeypatch.setattr(recovery, "LOST_AFTER_SECONDS", 2.0)
    process = start(f"clock = time.time\ntime.time = lambda: clock() + {skew}\n{ELSEWHERE}")
    process.stdout.readline()
    workspace = experiment.workspace
    eventually(lambda: workspace._store.run("run"))
    run = Run(experiment, "run")
    first = workspace._store.owner("run").beat_at
    eventually(lambda: run.get_status() == "Running")
    # Until it has been looked at for longer than a dead one would be left alone.
    while workspace._store.owner("run").beat_at < first + 3.0:
        workspace._recorder.recover()
        assert run.get_status() == "Running"
        assert len(journals(folder)) == 1
    process.kill()
    out = process.stdout.read()
    eventually(lambda: run.get_status() == "NotResponding")
    assert workspace._store.run("run").status is RunStatus.RUNNING
    eventually(lambda: workspace._recorder.recover() or run.get_status() == "Failed")
    assert values(run) == list(range(len(values(run))))
    assert len(values(run)) >= int(out.split()[-1])
    assert journals(folder) == []


def test_a_writer_elsewhere_whose_last_sign_is_a_day_old_is_failed_by_whoever_looks_first(start, experiment, folder):  # noqa: F811
    process = start(f"clock = time.time\ntime.time = lambda: clock() - 100_000\n{ELSEWHERE}")
    eventually(lambda: int(process.stdout.readline()) > 300)
    eventually(lambda: experiment.workspace._store.run("run"))
    process.kill()
    process.wait(SECONDS)
    for path in journals(folder):
        os.utime(path, (1.0, 1.0))
    close_all()
    assert Run(Experiment(Workspace(), "exp"), "run").get_status() == "Failed"
