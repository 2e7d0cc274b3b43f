"""The commands on submitted runs, which have a supervisor."""

from __future__ import annotations

import json

import pytest

from runwidgets.store.recorder import close_all
from tests.commands import SECONDS, runwidgets
from tests.submissions import ended, project, start  # noqa: F401 (fixtures)
from tests.test_commands import start as start_command

WAITING = """
    import sys, time, pathlib
    print("begun", flush=True)
    while not pathlib.Path(sys.argv[1]).exists():
        time.sleep(0.01)
    print("done", flush=True)
"""


@pytest.fixture(autouse=True)
def closed():
    yield
    close_all()


def test_the_log_of_a_submitted_run_is_followed_to_its_end(start, tmp_path):  # noqa: F811
    run = start(WAITING, str(tmp_path / "go"))
    following = start_command("logs", run.id, "-f")
    assert following.stdout.readline() == b"begun\n"
    (tmp_path / "go").touch()
    out, err = following.communicate(timeout=SECONDS)
    assert (out, err, following.returncode) == (b"done\n", b"", 0)
    assert runwidgets("logs", run.id, "--tail", 1) == ("done\n", "")


def test_a_submitted_run_is_canceled_and_its_place_is_gone_when_it_is_deleted(start, tmp_path):  # noqa: F811
    run = start(WAITING, str(tmp_path / "never"))
    following = start_command("logs", run.id, "-f")
    assert following.stdout.readline() == b"begun\n"
    assert "is going on" in runwidgets("delete", run.id, "--yes", code=2)[1]
    assert runwidgets("cancel", run.id) == (f"{run.id}  CancelRequested\n", "")
    following.communicate(timeout=SECONDS)
    assert (ended(run), following.returncode) == ("Canceled", 0)
    (listed,) = json.loads(runwidgets("runs", "--json", "--type", "azureml.scriptrun")[0])
    assert (listed["run_id"], listed["status"]) == (run.id, "Canceled")
    place = run.experiment.workspace._folder / "submissions" / run.id
    assert place.is_dir()
    runwidgets("delete", run.id, "--yes")
    assert not place.exists()
