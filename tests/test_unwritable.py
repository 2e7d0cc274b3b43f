"""A home that this user may read and not write: readers get all that is there, and nothing is written."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from runwidgets import Experiment, Workspace
from runwidgets.store.recorder import close_all
from tests.test_processes import not_measured, start  # noqa: F401 (a fixture)

pytestmark = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be somebody else")

AS_NOBODY = f"""
import json, os, sys
sys.path[:0] = {sys.path!r}
import tempfile
import filelock, numpy, psutil
from runwidgets import Experiment, Run, Workspace
from runwidgets.errors import RunwidgetsError
from runwidgets.store.recorder import close_all
# All that is needed is loaded while it may be read: by one round, elsewhere.
home = os.environ["RUNWIDGETS_HOME"]
with tempfile.TemporaryDirectory() as os.environ["RUNWIDGETS_HOME"]:
    warm = Experiment(Workspace(), "warm").start_logging(tags={{"a": "b"}})
    warm.log_list("m", [1, 2])
    warm.upload_file("a.txt", "/proc/self/stat")
    warm.flush()
    for run in Experiment(Workspace(), "warm").get_runs():
        run.get_status(), run.get_metrics(), run.get_file_names(), run.get_tags(), run.get_properties()
        run.download_file("a.txt", os.path.join(os.environ["RUNWIDGETS_HOME"], "copy"))
    warm.complete()
    close_all()
os.environ["RUNWIDGETS_HOME"] = home
os.setgid(65534); os.setuid(65534)
experiment = Experiment(Workspace(), "exp")
"""
READ = """
def look(run):
    run.download_file("outputs/a.txt", os.path.join(sys.argv[1], "copy"))
    return [run.id, run.get_status(), run.get_metrics(), run.get_tags(), run.get_file_names(), run.get_properties(),
        open(os.path.join(sys.argv[1], "copy")).read()]
print(json.dumps([look(run) for run in experiment.get_runs()]))
"""
TRY = """
try:
    print(json.dumps([run.id for run in experiment.get_runs()]))
except RunwidgetsError as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""


@pytest.fixture
def home(monkeypatch):
    """Give a home that others may read, which those of tests lie too deep for."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "target").mkdir()
        (place / "target").chmod(0o777)
        (place / "home").mkdir()
        monkeypatch.setenv("RUNWIDGETS_HOME", str(place / "home"))
        yield place / "home"
        close_all()


@pytest.fixture
def experiment(home):
    return Experiment(Workspace(), "exp")


def log_a_run(experiment, run_id="run"):
    run = experiment.start_logging(run_id=run_id, tags={"a": "b"})
    run.log_list("m", [1, 2, 3])
    run.add_properties({"c": "d"})
    source = experiment.workspace._recorder.folder.parent / "a.txt"
    source.write_text("text")
    run.upload_file("outputs/a.txt", source)
    return run


def may_not_be_written(home):
    for path in (home, *home.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


def all_in(home):
    return {path: path.stat().st_mtime_ns for path in home.rglob("*")}


def nobody(home, code=READ):
    """Run code as another user; give what it printed, and what it said."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", AS_NOBODY + code, str(home.parent / "target")],
        check=False, capture_output=True, text=True, timeout=120, env=not_measured(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def check(found, run_id, status):
    assert found[:2] == [run_id, status]
    assert found[2] == {"m": [1, 2, 3]}
    assert found[3] == {"a": "b"}
    assert "outputs/a.txt" in found[4]
    assert found[5]["c"] == "d"
    assert found[6] == "text"


@pytest.mark.parametrize("mode", ["0", "1"])
def test_a_store_that_may_not_be_written_is_read_and_nothing_is_made(home, experiment, monkeypatch, mode):
    monkeypatch.setenv("RUNWIDGETS_SAFE_STORE", mode)
    log_a_run(experiment).complete()
    close_all()
    may_not_be_written(home)
    before = all_in(home)
    ((found,), err) = nobody(home)
    check(found, "run", "Completed")
    assert err == ""
    assert all_in(home) == before


def test_it_is_read_while_its_owner_logs(home, experiment):
    run = log_a_run(experiment)
    run.flush()
    may_not_be_written(home)
    before = set(all_in(home))
    assert (home / "default" / "runs.sqlite-wal").stat().st_size
    ((found,), err) = nobody(home)
    check(found, "run", "Running")
    assert (err, set(all_in(home))) == ("", before)


def test_a_reader_follows_the_owner_who_begins_to_log_after_it(home, experiment):
    log_a_run(experiment, "first").complete()
    close_all()
    may_not_be_written(home)
    code = """
print(json.dumps([run.id for run in experiment.get_runs()]), flush=True)
sys.stdin.readline()
print(json.dumps([run.id for run in experiment.get_runs()]), flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-B", "-c", AS_NOBODY + code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert json.loads(process.stdout.readline()) == ["first"]
        log_a_run(experiment, "second").flush()
        process.stdin.write("go\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == ["second", "first"]


def test_what_a_killed_process_left_is_read_as_far_as_it_can_be_and_left_alone(home, start):  # noqa: F811
    process = start("""
run = experiment.start_logging(run_id="run")
run.log("m", 1)
run.flush()
run.log("m", 2)
os.kill(os.getpid(), signal.SIGKILL)
""")
    process.communicate(timeout=60)
    may_not_be_written(home)
    before = all_in(home)
    code = "print(json.dumps([(run.id, run.get_status(), run.get_metrics()) for run in experiment.get_runs()]))"
    found, err = nobody(home, code)
    assert found in ([["run", "NotResponding", {"m": value}]] for value in (1, [1, 2]))
    assert err == ""
    assert all_in(home) == before
    (home / "default" / "runs.sqlite-shm").unlink()
    found, err = nobody(home, TRY)
    assert found[0] == "StoreError"
    assert "part of the store" in found[1]
    assert "runs.sqlite-wal, which cannot be read" in found[1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("INSERT INTO schema_steps VALUES ('9999-future', 1.0)", "written by a newer runwidgets"),
        ("DELETE FROM schema_steps WHERE name = '0004-experiments'", "written by an older runwidgets"),
    ],
)
def test_a_schema_of_another_version_is_said(home, experiment, change, told):
    log_a_run(experiment).complete()
    close_all()
    with closing(sqlite3.connect(home / "default" / "runs.sqlite")) as db, db:
        db.execute(change)
    may_not_be_written(home)
    (kind, message), err = nobody(home, TRY)
    assert (kind, told in message, err) == ("SchemaError", True, "")


@pytest.mark.parametrize("is_there", [True, False])
def test_who_logs_there_is_told_once_when_it_begins_and_once_what_is_lost(home, experiment, is_there):
    log_a_run(experiment).complete()
    close_all()
    if not is_there:
        shutil.rmtree(home / "default")
    may_not_be_written(home)
    code = """
class Figure:
    def savefig(self, stream, **_):
        stream.write(bytes(100))
os.chdir(sys.argv[1])
with experiment.start_logging() as run:
    print("captured", file=sys.stderr)
    for n in range(10):
        run.log("m", n)
        run.log_image("image", plot=Figure())
    open("outputs/a.txt", "w").write("text")
    states = [run.get_status()]
    assert run.get_status() in repr(run)
states.append(run.get_status())
print(json.dumps(states))
"""
    states, err = nobody(home, code)
    assert states == ["Running", "Completed"]
    captured, begin, end = sorted(err.splitlines(), key=lambda line: ("cannot be" in line, "are lost" in line))
    assert captured == "captured"
    assert "training goes on" in begin
    assert "files are not kept meanwhile" in begin
    assert "that is all that this process logged" in end
