"""The run that a process belongs to: submitted or not, ended well or not, forked; and runs that are pickled."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import shutil
import sqlite3
import sys
from collections import Counter
from pathlib import Path

import pytest

from runwidgets import Experiment, Run, Workspace, context
from runwidgets.errors import RunEnvironmentError, RunwidgetsError
from runwidgets.store import recorder, sqlite
from runwidgets.store.recorder import close_all
from runwidgets.submitted import SubmittedRun
from tests.test_processes import eventually, finish, start, values  # noqa: F401 (a fixture)
from tests.test_run import PNG

forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
OFFLINE = r"OfflineRun_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(context, "_runs", {})
    monkeypatch.setattr(sys, "exit", sys.exit)
    yield
    close_all()


@pytest.fixture
def experiment():
    return Experiment(Workspace(), "exp")


@pytest.fixture
def run(experiment):
    return experiment.start_logging(run_id="run")


@pytest.fixture
def submitted(monkeypatch, run):
    run.flush()
    monkeypatch.setenv("RUNWIDGETS_RUN_ID", run.id)
    monkeypatch.setenv("RUNWIDGETS_WORKSPACE", "default")
    monkeypatch.setenv("RUNWIDGETS_EXPERIMENT", "exp")
    return run


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))  # noqa: S301 (our own)


def offline_runs(workspace=None):
    close_all()
    return list(Experiment(workspace or Workspace(), "offline").get_runs())


# ---- offline


def test_what_an_offline_run_leaves_in_outputs_is_kept(start):  # noqa: F811
    finish(start("from pathlib import Path\nRun.get_context()\nPath('outputs/model.txt').write_text('x')"))
    (run,) = offline_runs()
    assert (run.get_status(), "outputs/model.txt" in run.get_file_names()) == ("Completed", True)


def test_outside_a_submitted_script_there_is_one_run_that_records_and_says_once_where(caplog, runwidgets_home):
    run = Run.get_context()
    assert Run.get_context() is run
    assert Run.get_context(allow_offline=True, used_for_context_manager=True, anything=1) is run
    assert re.fullmatch(OFFLINE, run.id)
    (said,) = [r.getMessage() for r in caplog.records]
    assert run.id in said
    assert str(runwidgets_home / "default") in said
    assert (run.experiment.name, run.experiment.workspace, run.get_status()) == ("offline", Workspace(), "Running")


def test_an_offline_run_has_all_that_a_run_has(tmp_path):
    (tmp_path / "x").write_bytes(PNG)
    run = Run.get_context()
    run.log("m", 1, step=3)
    run.log_row("r", x=1)
    run.log_image("i", path="x")
    run.tag("a", "b")
    with run.child_run() as child:
        child.log("m", 2)
    assert run.get_metrics("m") == {"m": 1}
    assert run.get_tags() == {"a": "b"}
    assert [found.id for found in run.get_children()] == [child.id]
    assert (run.parent, run.get_details()["status"]) == (None, "Running")
    run.fail("why")
    assert Run.get(Workspace(), run.id).get_status() == "Failed"


def test_it_records_in_the_workspace_that_the_configuration_names(tmp_path):
    keys = {"subscription_id": "s", "resource_group": "g", "workspace_name": "mine"}
    (tmp_path / "config.json").write_text(json.dumps(keys))
    assert Run.get_context().experiment.workspace.name == "mine"


def test_a_configuration_of_something_else_is_no_reason_to_stop(tmp_path, caplog):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert Run.get_context().experiment.workspace.name == "default"
    assert "names no workspace" in caplog.text


@pytest.mark.parametrize("ask", [lambda: Run.get_context(allow_offline=False), Run.get_submitted_run])
def test_who_allows_no_offline_run_is_told_that_the_script_was_not_submitted(ask):
    Run.get_context()  # whatever another part of the program asked for
    with pytest.raises(RunEnvironmentError, match="RUNWIDGETS_RUN_ID is not set") as caught:
        ask()
    assert isinstance(caught.value, RunwidgetsError)


SCRIPT = """
run = Run.get_context()
run.log("m", 1)
"""


@pytest.mark.parametrize(
    ("end", "code", "status", "error"),
    [
        ("", 0, "Completed", None),
        ("run.complete()", 0, "Completed", None),
        ("sys.exit()", 0, "Completed", None),
        ("sys.exit(0)", 0, "Completed", None),
        ("sys.exit(3)", 3, "Failed", "The process ended with sys.exit(3)."),
        ("sys.exit('no data')", 1, "Failed", "The process ended with sys.exit('no data')."),
        ("1 / 0", 1, "Failed", "division by zero"),
        ("raise KeyboardInterrupt", -2, "Failed", ""),
        ("run.fail('why')", 0, "Failed", "why"),
        ("run.cancel()", 0, "Canceled", None),
        ("thread = threading.Thread(target=sys.exit, args=(3,)); thread.start(); thread.join()", 0, "Completed", None),
        ("experiment.start_logging()", 0, "Completed", None),
    ],
)
def test_an_offline_run_ends_as_its_process_does(start, end, code, status, error):  # noqa: F811
    _, said = finish(start(SCRIPT + end), code)
    assert said.count("OfflineRun_") == 1
    (run,) = offline_runs()
    assert (run.get_status(), run.get_metrics()) == (status, {"m": 1})
    found = run._record().error
    assert (found.message if found else None) == error
    for other in Experiment(Workspace(), "exp").get_runs():
        assert other.get_status() == "Failed", "a run of start_logging is owed its end"


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGTERM)"])
def test_an_offline_run_whose_process_is_cut_off_is_failed(start, end):  # noqa: F811
    process = start(SCRIPT + end)
    process.communicate(timeout=120)
    (run,) = offline_runs()
    assert (run.get_status(), run.get_metrics()) == ("Failed", {"m": 1})


def test_an_offline_run_can_be_used_with_with(start):  # noqa: F811
    finish(start("with Run.get_context() as run:\n    run.log('m', 1)\nwith Run.get_context():\n    pass"))
    (run,) = offline_runs()
    assert (run.get_status(), run.get_metrics()) == ("Completed", {"m": 1})


FORKED = """
import multiprocessing
parents = sys.argv[1:]
if parents:
    Run.get_context().log("parent", 1)
def train(n):
    run = Run.get_context()
    run.log("m", n)
    return run.id
with multiprocessing.get_context("fork").Pool(2) as pool:
    ids = pool.map(train, range(20), chunksize=1)
    pool.close()
    pool.join()
print(json.dumps(sorted(set(ids))))
"""


@forking
def test_a_forked_worker_belongs_to_the_run_that_its_parent_had(start):  # noqa: F811
    ids, said = finish(start(FORKED, "parent"))
    assert said.count("OfflineRun_") == 1
    (run,) = offline_runs()
    assert ids == [run.id]
    assert Counter(values(run)) == Counter(range(20))
    assert run.get_status() == "Completed"


@forking
def test_a_forked_worker_that_is_the_first_to_ask_completes_its_own_run(start):  # noqa: F811
    ids, _ = finish(start(FORKED))
    runs = offline_runs()
    assert sorted(run.id for run in runs) == ids
    assert Counter(v for run in runs for v in values(run)) == Counter(range(20))
    assert {run.get_status() for run in runs} == {"Completed"}


@forking
def test_a_forked_worker_that_fails_leaves_its_own_run_failed(start):  # noqa: F811
    code = """
import multiprocessing
def train():
    Run.get_context().log("m", 1)
    raise ValueError("bad data")
process = multiprocessing.get_context("fork").Process(target=train)
process.start()
process.join()
"""
    finish(start(code))
    (run,) = offline_runs()
    assert (run.get_status(), run._record().error.message) == ("Failed", "bad data")


# ---- submitted


def test_a_submitted_script_gets_its_run_and_its_end_is_not_for_the_script_to_say(submitted, caplog):
    submitted.tag("a", "b")
    run = Run.get_context()
    assert Run.get_context(allow_offline=False) is Run.get_submitted_run() is run
    assert (run, run.experiment, run.tags) == (submitted, submitted.experiment, {"a": "b"})
    assert isinstance(run, Run)
    run.log("m", 1)
    run.complete()
    assert caplog.records == []
    run.fail("why")
    run.fail(ValueError("another"), "Code")
    assert "to fail, the script has to end with sys.exit(1)" in caplog.text
    assert run.get_properties()["runwidgets.failure.message"] == "why"
    caplog.clear()
    run.cancel()
    assert "is not canceled from within" in caplog.text
    assert run.status == run.get_status() == submitted.get_status() == "Running"
    with pytest.raises(TypeError):
        run.fail(3)
    assert submitted.get_metrics() == {"m": 1}
    submitted.complete()
    assert run.get_status() == "Completed"


def test_a_submitted_run_can_be_used_with_with(submitted):
    with Run.get_context(used_for_context_manager=True) as run:
        run.log("m", 1)
    with pytest.raises(ZeroDivisionError), Run.get_context():
        _ = 1 / 0
    assert (submitted.get_status(), submitted.get_metrics()) == ("Running", {"m": 1})


def test_what_a_submitted_script_flushes_others_can_read(start, submitted):  # noqa: F811
    process = start(
        """
run = Run.get_context()
run.log("m", 1)
run.complete()
print(json.dumps(run.id), flush=True)
sys.stdin.readline()
run.log("m", 2)
"""
    )
    assert json.loads(process.stdout.readline()) == "run"
    assert submitted.get_metrics() == {"m": 1}
    process.stdin.write(b"go\n")
    process.stdin.flush()
    finish(process)
    assert submitted.get_metrics() == {"m": [1, 2]}
    assert submitted.get_status() == "Running"


def test_every_process_of_a_submitted_script_belongs_to_its_run(start, submitted, tmp_path):  # noqa: F811
    script = tmp_path / "script.py"
    script.write_text(
        """
import multiprocessing
from runwidgets import Run
def train(n):
    run = Run.get_context()
    run.log("m", n)
    return run.id
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert set(pool.map(train, range(6))) == {"run"}
        pool.close()
        pool.join()
"""
    )
    finish(start(f"import runpy; sys.path.insert(0, ''); runpy.run_path({str(script)!r}, run_name='__main__')"))
    eventually(lambda: submitted._recorder.recover() or Counter(values(submitted)) == Counter(range(6)))
    assert list(Experiment(Workspace(), "offline").get_runs()) == []


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.02)
    monkeypatch.setattr(recorder, "FOLD_SECONDS", 3600.0)


def test_a_submitted_script_begins_while_the_store_does_not_answer(impatient, submitted, caplog):
    lock = sqlite3.connect(submitted._recorder.folder / "runs.sqlite", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    submitted.log("m", 0)
    run = Run.get_context()
    run.log("m", 1)
    run.complete()
    lock.execute("ROLLBACK")
    lock.close()
    assert "what is logged to run run waits in the journal" in caplog.text
    assert (run, run.get_status(), run.get_metrics()) == (submitted, "Running", {"m": [0, 1]})


@pytest.mark.parametrize("missing", ["RUNWIDGETS_WORKSPACE", "RUNWIDGETS_EXPERIMENT"])
def test_half_an_environment_is_an_error_that_names_the_other_half(submitted, monkeypatch, missing):
    monkeypatch.delenv(missing)
    with pytest.raises(RunEnvironmentError, match=f"RUNWIDGETS_RUN_ID is set .run., but {missing} is not"):
        Run.get_context()


def test_an_environment_that_names_no_run_is_an_error(submitted, monkeypatch):
    monkeypatch.setenv("RUNWIDGETS_RUN_ID", "other")
    with pytest.raises(RunEnvironmentError, match="has no run 'other', which RUNWIDGETS_RUN_ID"):
        Run.get_context()


# ---- pickled, copied


def test_a_pickled_run_is_the_same_run(run):
    run.tag("a", "b")
    run.display_name = "name"
    run.get_metrics()
    again = pickled(run)
    assert (again, hash(again), again.experiment) == (run, hash(run), run.experiment)
    assert (again.name, again.tags, again.status) == ("name", {"a": "b"}, "Running")
    again.log("m", 1)
    assert run.get_metrics() == again.get_metrics() == {"m": 1}
    assert pickled(run.experiment) == run.experiment
    assert pickled(run.experiment.workspace) == run.experiment.workspace
    child = pickled(run.child_run())
    assert child.parent == run


def test_a_pickled_run_of_a_submitted_script_leaves_its_end_alone_too(submitted):
    run = pickled(Run.get_context())
    assert type(run) is SubmittedRun
    run.complete()
    assert submitted.get_status() == "Running"


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_a_copy_is_the_same_run(run, how):
    again = how(run)
    assert again == run
    again.log("m", 1)
    assert run.get_metrics() == {"m": 1}


def test_a_run_is_unpickled_while_its_store_is_away(run, runwidgets_home):
    data = pickle.dumps(run)
    close_all()
    shutil.rmtree(runwidgets_home)
    runwidgets_home.write_text("no folder")
    again = pickle.loads(data)  # noqa: S301 (our own)
    assert (again, again.id, again.status, again.experiment.name) == (run, "run", "Running", "exp")
    assert copy.deepcopy(again) == run
    assert pickle.dumps(again)
    runwidgets_home.unlink()


def test_a_run_has_no_attribute_that_nobody_gave_it(run):
    with pytest.raises(AttributeError, match="'Run' object has no attribute 'lgo'"):
        _ = run.lgo
    assert not hasattr(Run.__new__(Run), "_recorder")


POOLS = {
    "spawn": "multiprocessing.get_context('spawn').Pool(2)",
    "forkserver": "multiprocessing.get_context('forkserver').Pool(2)",
    "fork": "multiprocessing.get_context('fork').Pool(2)",
    "futures": "concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context('spawn'))",
}
POOLED = """
import concurrent.futures, multiprocessing
from runwidgets import Experiment, Workspace
def train(task):
    run, n = task
    run.log("m", n)
    run.tag(f"t{{n}}")
    return run.id
if __name__ == "__main__":
    run = Experiment(Workspace(), "exp").start_logging(run_id="pooled")
    with {pool} as pool:
        assert set(pool.map(train, [(run, n) for n in range(6)])) == {{"pooled"}}
        if hasattr(pool, "close"):
            pool.close()
            pool.join()
    run.complete()
"""
LOKY = """
import joblib
from runwidgets import Experiment, Workspace
def train(run, n):
    run.log("m", n)
    run.tag(f"t{n}")
    return run.id
if __name__ == "__main__":
    run = Experiment(Workspace(), "exp").start_logging(run_id="pooled")
    found = joblib.Parallel(n_jobs=2)(joblib.delayed(train)(run, n) for n in range(6))
    assert set(found) == {"pooled"}
    from joblib.externals.loky import get_reusable_executor
    get_reusable_executor().shutdown(wait=True)
    run.complete()
"""


@forking
@pytest.mark.parametrize("pool", [*POOLS, "loky"])
def test_workers_log_to_the_run_that_they_are_given(start, experiment, tmp_path, pool):  # noqa: F811
    script = tmp_path / "script.py"
    script.write_text(LOKY if pool == "loky" else POOLED.format(pool=POOLS[pool]))
    finish(start(f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"))
    run = Run(experiment, "pooled")
    assert Counter(values(run)) == Counter(range(6))
    assert set(run.get_tags()) == {f"t{n}" for n in range(6)}
    assert run.get_status() == "Completed"
    assert list(Path(experiment.workspace._folder, "journals").iterdir()) == []
