"""`runwidgets doctor`: damage of every kind, found by its words, mended, and read through the public API afterwards."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pytest

from runwidgets import Experiment, Run, Workspace, cli
from runwidgets.columns import Column, pack_column
from runwidgets.doctor import look
from runwidgets.records import Block
from runwidgets.store.blocks import BLOCK_ROWS, pack_block
from runwidgets.store.recorder import close_all
from tests.test_processes import eventually, start  # noqa: F401 (a fixture)

ROWS = 20 * BLOCK_ROWS + 100  # two levels of summaries, and some small blocks
OF_NO_RUN = "{} of no run that the store knows: delete or move the folder if you do not need it"
GARBAGE = b"\x93\xc1garbage"


@pytest.fixture
def folder(runwidgets_home):
    yield runwidgets_home / "default"
    close_all()


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Make a workspace with two runs that have ended."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNWIDGETS_HOME", str(tmp_path_factory.mktemp("template")))
        patch.chdir(tmp_path_factory.mktemp("current"))
        patch.setattr("runwidgets.surroundings.packages_text", str)
        patch.setattr("runwidgets.surroundings.python_facts", dict)
        experiment = Experiment(Workspace(), "exp")
        run = experiment.start_logging(run_id="run")
        run.log_list("long", [float(n) for n in range(ROWS)])
        for n in range(50):
            run.log("loss", n / 2, step=10 * n)
            run.log_row("table", x=n, text=str(n))
        run.upload_file("outputs/a.txt", io.BytesIO(b"abc"))
        run.upload_file("outputs/b.txt", io.BytesIO(b"defg"))
        run.set_tags({"k": "v"})
        other = experiment.start_logging(run_id="other")
        other.log("m", 1)
        other.log("m", float("nan"))
        run.complete()
        other.fail(ValueError("no"))
        close_all()
        return Path(os.environ["RUNWIDGETS_HOME"]) / "default"


@pytest.fixture
def sound(template, folder):
    shutil.copytree(template, folder)
    return folder


def change(folder, sql, *values):
    with closing(sqlite3.connect(folder / "runs.sqlite")) as db, db:
        return db.execute(sql, values).fetchall()


def compact(folder):
    """Have all of the database in its one file."""
    with closing(sqlite3.connect(folder / "runs.sqlite")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA journal_mode = DELETE")


def old(path, seconds=7200):
    os.utime(path, (time.time() - seconds,) * 2)


def diagnosis(folder):
    """Give what is wrong, each in a line of words."""
    (report,) = look(folder.parent)
    assert report.trouble is None
    assert not report.mended
    return [f"{one.where}: {one.what}" for one in report.left]


def repaired(folder, *, left=()):
    """Repair; give what was done. Another look finds nothing but what it said is left."""
    (report,) = look(folder.parent, repair=True)
    assert (report.trouble, [one.what for one in report.left]) == (None, list(left))
    assert report.backup is None or report.backup.is_relative_to(folder / "backups")
    (again,) = look(folder.parent)
    assert [one.what for one in again.left] == list(left)
    return "\n".join(report.mended), report


def read(run_id="run", experiment="exp"):
    return Run(Experiment(Workspace(), experiment), run_id)


def found(folder, *patterns):
    """Make sure that just this is wrong."""
    told = diagnosis(folder)
    assert len(told) == len(patterns), told
    for line, pattern in zip(told, patterns, strict=True):
        assert re.search(pattern, line), (line, pattern)


def key(folder, name):
    ((metric_key,),) = change(folder, "SELECT metric_key FROM metrics WHERE name = ?", name)
    return metric_key


# ---- what is well


def test_a_sound_workspace_gives_nothing_and_is_left_as_it_is(sound):
    compact(sound)
    before = {path: path.read_bytes() for path in sound.rglob("*") if path.is_file()}
    assert diagnosis(sound) == []
    assert repaired(sound)[0] == ""
    assert {path: path.read_bytes() for path in before} == before
    assert not (sound / "backups").exists()


def test_an_empty_home_is_well(runwidgets_home, capsys):
    assert cli.main(["doctor"]) == 0
    assert capsys.readouterr().out == f"there is no workspace in {runwidgets_home}\n"


def test_every_kind_of_run_is_sound_however_it_was_logged(folder):
    experiment = Experiment(Workspace(), "exp")
    run = experiment.start_logging()
    run.log("n", 1)
    run.log("n", "text")
    run.log("n", 2**80)
    run.log_list("empty", [])
    run.log_list("mixed", [None, True, "a", float("nan"), float("inf"), 2**70] * 4000)
    run.log_list("texts", ["x" * 300] * 9000)  # blocks that are full by their bytes
    for n in range(3000):
        run.log("point", n % 7, step=None if n % 2 else n)
        run.log_row("rows", **{f"c{n % 5}": n})
    run.log("mixed kinds", 1)
    run.log_row("mixed kinds", a=1)
    run.log_table("wide", {"a": list(range(40_000)), "b": ["t"] * 40_000})
    child = run.child_run("child")
    child.progress(1, 2)
    run.flush()
    assert diagnosis(folder) == []
    child.complete()
    run.complete()
    assert diagnosis(folder) == []
    close_all()
    assert diagnosis(folder) == []


LOG = """
run = experiment.start_logging(run_id="busy")
print("ready", flush=True)
n = 0
while not os.path.exists(sys.argv[1]):
    run.log("m", n)
    run.log_list("long", range(3000))
    run.upload_file(f"outputs/{n % 50}.txt", __import__("io").BytesIO(b"x" * n))
    child = run.child_run(f"child {n}")
    child.log("m", 1)
    child.complete()
    n += 1
run.complete()
"""


def test_there_is_no_false_alarm_while_another_process_logs_and_it_is_not_held_up(start, folder, tmp_path):  # noqa: F811
    stop = tmp_path / "stop"
    process = start(LOG, stop)
    process.stdout.readline()
    for _ in range(15):
        (report,) = look(folder.parent)
        assert (report.left, report.trouble) == ([], None)
        assert re.fullmatch(rf"process {process.pid} on .+", report.writers[0])
    (report,) = look(folder.parent, repair=True)
    assert (report.mended, report.backup) == ([], None)
    stop.touch()
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, b"")
    assert diagnosis(folder) == []


@pytest.mark.parametrize("safe", ["0", "1"])
def test_a_look_holds_no_writer_back(sound, monkeypatch, safe):
    """A writer writes between any two steps of a look, with no patience at all."""
    from runwidgets.store.health import checking

    monkeypatch.setenv("RUNWIDGETS_SAFE_STORE", safe)
    writes = []

    def write_first(function):
        def wrapped(*arguments):
            with closing(sqlite3.connect(sound / "runs.sqlite", timeout=0)) as db, db:
                writes.append(db.execute("UPDATE workspace SET version = version + 1").rowcount)
            return function(*arguments)

        return wrapped

    for name in ("check_schema", "check_journals", "check_ends", "check_files"):
        monkeypatch.setattr(checking, name, write_first(getattr(checking, name)))
    assert diagnosis(sound) == []
    assert writes == [1] * 4


# ---- rows


def test_a_block_that_cannot_be_read_is_dropped_and_what_follows_takes_its_place(sound):
    change(sound, "UPDATE blocks SET rows = ? WHERE metric_key = ? AND first_index = ?", GARBAGE, key(sound, "long"),
           3 * BLOCK_ROWS)  # fmt: skip
    found(sound, r"metric 'long' of run run: rows 49,152 to 65,535 cannot be read")
    deeds, report = repaired(sound)
    assert "metric 'long' of run run: rows 49,152 to 65,535 could not be read and are lost" in deeds
    assert read().get_metrics("long")["long"] == [n for n in range(ROWS) if n // BLOCK_ROWS != 3]
    assert read().get_metrics("loss")["loss"] == [n / 2 for n in range(50)]
    with closing(sqlite3.connect(report.backup / "runs.sqlite")) as db:
        assert db.execute("SELECT count(*) FROM blocks WHERE rows = ?", (GARBAGE,)).fetchone() == (1,)


def test_a_metric_of_which_blocks_were_lost_can_be_drawn_and_logged_on(sound):
    long = key(sound, "long")
    for at in (0, 7 * BLOCK_ROWS, 19 * BLOCK_ROWS):
        change(sound, "UPDATE blocks SET rows = ? WHERE metric_key = ? AND first_index = ?", GARBAGE, long, at)
    repaired(sound)
    left = [n for n in range(ROWS) if n // BLOCK_ROWS not in {0, 7, 19}]
    store = Workspace()._store
    window = store.window("run", "long", 0, len(left), 2**20)
    assert window.row_count == len(left)
    assert (window.parts[0].first_index, window.parts[-1].end) == (0, len(left))
    assert all(before.end == after.first_index for before, after in zip(window.parts, window.parts[1:], strict=False))
    assert window.parts[0].columns[""].minimum == BLOCK_ROWS
    whole = store.window("run", "long", 0, len(left))
    assert [value for part in whole.parts for value in part.columns[""].to_list()] == left
    read().log_list("long", range(2 * BLOCK_ROWS))
    Workspace()._recorder.flush()
    assert read().get_metrics("long")["long"] == [*left, *range(2 * BLOCK_ROWS)]
    close_all()
    assert diagnosis(sound) == []


def test_a_metric_of_which_nothing_is_left_is_deleted(sound):
    change(sound, "UPDATE blocks SET rows = ? WHERE metric_key = ?", GARBAGE, key(sound, "loss"))
    deeds, _ = repaired(sound)
    assert "metric 'loss' of run run: deleted, since none of its rows is left" in deeds
    assert "loss" not in read().get_metrics()
    assert len(read().get_metrics("table")["table"]["x"]) == 50


@pytest.mark.parametrize(
    "garbage",
    [
        b"", b"\xc0", None, "text", 17, b"\x93\x01\x02\x03", b"\x93\x81\xa1n\xce\xff\xff\xff\xff\xc0\xc0",
        b"\x93\x81\xa1n\x02\x81\xa1r\x93\x01\x01\x02\x81\xa0\x92\x91\x01\x91\x02",
        b"\x93\x81\xa1n\x02\x81\xa1r\x93\x01\x01\x02\x81\xa0\x93\x01\x02\x03",
        pack_block(Block(0, Column({"n": 2}), Column({"r": [0, 0, 2]}), {"": Column({"r": [0, 1, 10**12]})})),
    ],
)  # fmt: skip
def test_garbage_of_any_kind_is_found_and_dropped(sound, garbage):
    change(sound, "PRAGMA ignore_check_constraints = 1")
    if garbage is None:
        garbage = bytes(100)
    change(sound, "UPDATE blocks SET rows = ? WHERE metric_key = ?", garbage, key(sound, "table"))
    found(sound, r"metric 'table' of run run: rows 0 to \d+ cannot be read")
    repaired(sound)
    assert "table" not in read().get_metrics()


def test_a_flipped_bit_in_the_values_of_a_full_block_shows_by_its_summary(sound):
    long = key(sound, "long")
    values = [float(n) for n in range(BLOCK_ROWS)]
    values[77] = 1e9
    wrong = pack_block(
        Block(0, Column({"n": BLOCK_ROWS}), Column({"r": [0, 0, BLOCK_ROWS]}), {"": Column(pack_column(values))})
    )
    change(sound, "UPDATE blocks SET rows = ? WHERE metric_key = ? AND first_index = 0", wrong, long)
    found(sound, "metric 'long' of run run: a summary says something else than the rows")
    repaired(sound)
    assert read().get_metrics("long")["long"][:78] == values[:78]
    assert Workspace()._store.window("run", "long", 0, ROWS, 2**20).parts[0].columns[""].maximum == 1e9


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE summaries SET rows = x'c1' WHERE level = 0 AND first_index = 0", "a summary cannot be read"),
        ("UPDATE summaries SET rows = x'c1' WHERE level = 1", "a summary cannot be read"),
        ("UPDATE summaries SET row_count = 5 WHERE level = 1", "a summary says something else"),
        ("DELETE FROM summaries WHERE level = 0 AND first_index = 0", "lack a summary"),
        ("DELETE FROM summaries WHERE level = 1", "sixteen summaries without one of them all"),
        ("DELETE FROM summaries", "full blocks without a summary"),
        ("UPDATE summaries SET first_index = first_index + 1 WHERE level = 0 AND first_index > 200000", "of no rows"),
        ("UPDATE summaries SET level = 2 WHERE level = 1", "of no summaries|without one"),
    ],
)
def test_summaries_are_made_anew_of_the_rows(sound, sql, words):
    whole = Workspace()._store.window("run", "long", 0, ROWS, 2**20)
    close_all()
    change(sound, sql)
    (told,) = diagnosis(sound)
    assert re.search(words, told)
    deeds, _ = repaired(sound)
    assert "metric 'long' of run run: 327,780 rows in blocks, counted and summarised anew" in deeds
    again = Workspace()._store.window("run", "long", 0, ROWS, 2**20)
    assert repr(shown(again)) == repr(shown(whole))
    assert read().get_metrics("long")["long"] == list(range(ROWS))


def shown(metric):
    return [
        (part.first_index, part.end, part.columns[""].to_list() if isinstance(part, Block) else part.columns)
        for part in metric.parts
    ]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE metrics SET row_count = 7 WHERE name = 'long'", "said to have 7 rows in blocks, and has 327,780"),
        ("UPDATE metrics SET last = x'01' WHERE name = 'long'", "its last value is noted wrongly"),
        ("UPDATE metrics SET last_number = 4.5 WHERE name = 'long'", "its last value is noted wrongly"),
        ("UPDATE metrics SET columns = x'c1' WHERE name = 'long'", "names of its columns cannot be read"),
        ("UPDATE metrics SET columns = x'91a161' WHERE name = 'long'", r"columns that it has not: \[''\]"),
        ("UPDATE metrics SET kind = 'vectro' WHERE name = 'long'", "of no kind that there is: 'vectro'"),
        ("UPDATE blocks SET row_count = 9 WHERE first_index = 0 AND row_count = 16384", "has 16,384 rows, not 9"),
        (
            "UPDATE blocks SET first_index = first_index + 5 WHERE first_index = 327680",
            "rows 327,680 to 327,684 are mis",
        ),
        (
            "UPDATE blocks SET first_index = first_index - 5 WHERE first_index = 327680",
            "327,675 to 327,679 are there tw",
        ),
    ],
)
def test_what_is_noted_of_rows_is_noted_anew_and_no_row_is_lost(sound, sql, words):
    before = read().get_metrics()
    ranked = list(Experiment(Workspace(), "exp").get_runs())
    close_all()
    change(sound, sql)
    (told,) = diagnosis(sound)
    assert told.startswith("metric 'long' of run run: ")
    assert re.search(words, told)
    repaired(sound)
    assert read().get_metrics() == before
    assert len(list(Experiment(Workspace(), "exp").get_runs())) == len(ranked)


def test_rows_that_are_missing_are_closed_up(sound):
    long = key(sound, "long")
    change(sound, "DELETE FROM blocks WHERE metric_key = ? AND first_index = ?", long, 5 * BLOCK_ROWS)
    (told,) = diagnosis(sound)
    assert "rows 81,920 to 98,303 are missing" in told
    assert "16,384 rows that should be there are lost; 311,396 rows in blocks" in repaired(sound)[0]
    assert read().get_metrics("long")["long"] == [n for n in range(ROWS) if n // BLOCK_ROWS != 5]


RECENT = """
from runwidgets.store.recorder import Recorder
Recorder._look = lambda *_: None  # only a flush folds
run = experiment.start_logging(run_id="busy")
for part in range(4):
    for n in range(5):
        run.log("m", 5 * part + n)
        run.log("other", part)
    run.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def killed(start, folder):  # noqa: F811
    """Make a workspace whose process was killed, after it had folded all, part by part, into ``recent``."""
    process = start(RECENT)
    process.communicate(timeout=60)
    return folder


def recover_nothing(folder):
    """Take the journals away, so that what is recent stays so, and nobody ends its run."""
    for path in (folder / "journals").iterdir():
        path.unlink()


def test_recent_rows_that_cannot_be_read_are_dropped(killed):
    recover_nothing(killed)
    versions = [version for (version,) in change(killed, "SELECT version FROM recent ORDER BY version")]
    change(killed, "UPDATE recent SET rows = ? WHERE version = ?", GARBAGE, versions[-2])
    told = diagnosis(killed)
    assert f"those of version {versions[-2]} cannot be read" in told[0]
    assert "some do not continue those before them" in told[0]
    assert told[1] == "run busy: it is not finished, and its process is gone"
    deeds, _ = repaired(killed)
    assert "9 bytes of them could not be read and are lost; numbered anew" in deeds
    run = read("busy")
    assert run.get_metrics()["m"] == [n for n in range(20) if n // 5 != 2]
    assert run.get_status() == "Failed"


def test_recent_rows_of_no_metric_are_dropped(killed):
    recover_nothing(killed)
    change(killed, "DELETE FROM metrics WHERE name = 'other'")
    told = diagnosis(killed)
    assert "newest rows of run busy: some are of a metric that the run has not" in told[0]
    deeds, _ = repaired(killed)
    assert "20 rows of no metric of the run dropped" in deeds
    assert read("busy").get_metrics() == {"m": list(range(20))}


# ---- rows of other tables


def test_what_is_left_of_a_run_that_is_gone_becomes_a_run_again(sound):
    ((run_key,),) = change(sound, "SELECT run_key FROM runs WHERE run_id = 'run'")
    shutil.rmtree(sound / "artifacts")
    change(sound, "DELETE FROM files")
    change(sound, "DELETE FROM runs WHERE run_id = 'run'")
    found(
        sound,
        r"table tags: 1 row of runs that is not there",
        r"table metrics: 3 rows of runs that are not there",
        r"table statuses: 2 rows of runs that are not there",
    )
    deeds, _ = repaired(sound)
    assert f"run recovered-{run_key}: made anew for what is left of it" in deeds
    run = read(f"recovered-{run_key}", "recovered")
    assert run.get_metrics("long")["long"] == list(range(ROWS))
    assert (run.get_tags(), run.get_status()) == ({"k": "v"}, "Failed")
    assert [one.id for one in Experiment(Workspace(), "recovered").get_runs()] == [run.id]


def test_rows_of_metrics_that_are_gone_are_dropped(sound):
    change(sound, "DELETE FROM metrics WHERE name = 'long'")
    told = diagnosis(sound)
    assert [line.partition(": ")[0] for line in told] == ["table blocks", "table summaries"]
    repaired(sound)
    assert set(read().get_metrics()) == {"loss", "table"}


def test_a_run_whose_experiment_is_gone_can_be_found_again(sound):
    change(sound, "DELETE FROM experiments")
    found(sound, "table runs: 2 rows of experiments that are not there")
    deeds, _ = repaired(sound)
    assert "run run: put into the experiment 'recovered'" in deeds
    assert {run.id for run in Experiment(Workspace(), "recovered").get_runs()} == {"run", "other"}
    assert read("run", "recovered").get_status() == "Completed"


def test_a_run_whose_row_cannot_be_read_is_listed_again(sound):
    change(sound, "UPDATE runs SET status = 'Runing', progress = x'c1', error = x'90' WHERE run_id = 'run'")
    (told,) = [line for line in diagnosis(sound) if "cannot be read" in line]
    assert told == "run run: what is kept of it cannot be read: status, error, progress"
    deeds, _ = repaired(sound)
    assert "run run: its status is Failed" in deeds
    assert {run.id: run.get_status() for run in Experiment(Workspace(), "exp").get_runs()} == {
        "run": "Failed",
        "other": "Failed",
    }


@pytest.mark.parametrize("sql", ["DELETE FROM workspace", "UPDATE workspace SET version = 0"])
def test_a_version_number_that_is_lost_is_the_highest_again(sound, sql):
    change(sound, sql)
    found(sound, "table workspace: the workspace's version number is missing, or lower")
    repaired(sound)
    with Experiment(Workspace(), "exp").start_logging() as run:
        run.log("m", 1)
    assert run.get_metrics() == {"m": 1}


def test_an_index_that_does_not_fit_is_made_anew(sound):
    row = change(sound, "SELECT * FROM sqlite_master WHERE name = 'runs_of_journal'")[0]
    _edit_schema(sound, "DELETE FROM sqlite_master WHERE name = 'runs_of_journal'")  # forgotten: it is not kept up
    change(sound, "UPDATE runs SET journal_id = 'another'")
    _edit_schema(sound, "INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", *row)
    found(sound, "an index does not fit its table: row 1 missing from index runs_of_journal")
    assert "indices made anew" in repaired(sound)[0]
    query = "SELECT run_id FROM runs INDEXED BY runs_of_journal WHERE journal_id = 'another' ORDER BY run_key"
    assert change(sound, query) == [("run",), ("other",)]


def test_a_page_that_belongs_to_nothing_has_the_database_made_anew(sound):
    compact(sound)
    ((sql,),) = change(sound, "SELECT sql FROM sqlite_master WHERE name = 'runs_of_journal'")
    _edit_schema(sound, "DELETE FROM sqlite_master WHERE name = 'runs_of_journal'")
    found(sound, "the database is damaged: .*never used")
    repaired(sound)
    assert read().get_metrics("long")["long"] == list(range(ROWS))
    assert change(sound, "SELECT sql FROM sqlite_master WHERE name = 'runs_of_journal'") == [(sql,)]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE blocks SET row_count = 'text' WHERE first_index = 0",
        "UPDATE files SET size = 'text'",
        "UPDATE tags SET run_key = x'c1'",
        "UPDATE runs SET name = x'c1ff', created_at = 'never'",
        "UPDATE journals SET pid = ''",
        "UPDATE summaries SET row_count = 3.5",
    ],
)
def test_what_is_no_value_of_its_column_costs_that_value_or_its_row(sound, sql):
    change(sound, sql)
    found(sound, r"the database is damaged: what is no value of its column is in \d+ rows? of table \w+")
    repaired(sound)
    assert (read().get_status(), read("other").get_status()) == ("Completed", "Failed")
    assert len(read().get_metrics("long")["long"]) >= ROWS - BLOCK_ROWS


def _edit_schema(folder, sql, *values):
    with closing(sqlite3.connect(folder / "runs.sqlite", isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = 1")
        db.execute(sql, values)


# ---- the database


def test_a_schema_of_a_newer_version_is_said_and_left_alone(sound):
    change(sound, "INSERT INTO schema_steps VALUES ('9999-future', 0)")
    found(sound, "another, newer runwidgets wrote this .its schema has 9999-future.: install that version")
    (report,) = look(sound.parent, repair=True)
    assert (report.mended, report.backup, len(report.left)) == ([], None, 1)


def test_a_schema_of_an_older_version_is_brought_up_to_date(sound):
    change(sound, "DELETE FROM schema_steps WHERE name = '0004-experiments'")
    change(sound, "DROP TABLE experiment_tags")
    change(sound, "DROP TABLE deleted_runs")
    change(sound, "ALTER TABLE experiments DROP COLUMN archived_at")
    found(sound, "an older runwidgets wrote this .its schema lacks 0004-experiments.")
    repaired(sound)
    assert read().get_status() == "Completed"


def test_a_name_in_the_schema_that_is_no_text_is_damage_too(sound):
    _edit_schema(sound, "UPDATE sqlite_master SET name = CAST(x'a2a2' AS TEXT) WHERE name = 'runs_of_journal'")
    (told,) = diagnosis(sound)
    assert "the database is damaged" in told
    repaired(sound)
    assert read().get_metrics("long")["long"] == list(range(ROWS))


def test_a_table_that_is_missing_is_there_again(sound):
    change(sound, "DROP TABLE properties")
    found(sound, "tables that are missing, or lack columns: properties")
    repaired(sound)
    assert read().get_properties() == {}
    assert read().get_metrics("long")["long"] == list(range(ROWS))


def test_a_page_in_the_middle_that_was_overwritten_costs_what_was_on_it(sound):
    compact(sound)
    ((root,),) = change(sound, "SELECT rootpage FROM sqlite_master WHERE name = 'tags'")
    with (sound / "runs.sqlite").open("r+b") as file:
        file.seek((root - 1) * 1024)
        file.write(b"\xff" * 1024)
    (told,) = diagnosis(sound)
    assert told.startswith(f"{sound / 'runs.sqlite'}: the database is damaged: ")
    damaged = (sound / "runs.sqlite").read_bytes()
    deeds, report = repaired(sound)
    assert "made anew of what could be read of it (1 experiment, 2 runs, 4 metrics" in deeds
    assert (report.backup / "runs.sqlite").read_bytes() == damaged
    assert read().get_metrics("long")["long"] == list(range(ROWS))
    assert (read().get_tags(), read().get_file_names()) == ({}, ["outputs/a.txt", "outputs/b.txt"])


@pytest.mark.parametrize("part", [0.6, 0.9])
def test_of_a_database_that_was_cut_short_is_kept_what_is_there(sound, part):
    compact(sound)
    path = sound / "runs.sqlite"
    os.truncate(path, int(path.stat().st_size * part) // 1024 * 1024)
    found(sound, "the database is damaged")
    repaired(sound)
    kept = read().get_metrics("long")["long"]
    assert kept == sorted(set(kept))
    assert len(kept) > (part - 0.2) * ROWS
    assert read("other").get_status() == "Failed"


def test_a_database_that_was_cut_short_after_its_first_pages_is_one_to_log_into(sound):
    compact(sound)
    os.truncate(sound / "runs.sqlite", 10 * 1024)
    (report,) = look(sound.parent, repair=True)
    assert {one.trouble for one in report.left} <= {"folder of no run"}
    with Experiment(Workspace(), "exp").start_logging() as run:
        run.log("m", 1)
    assert run.get_metrics() == {"m": 1}


@pytest.mark.parametrize("content", [bytes(1024), b"\xff" * 1024, bytes(100)], ids=["zeros", "ones", "header"])
def test_a_first_page_that_was_overwritten_costs_nothing(sound, content):
    compact(sound)
    with (sound / "runs.sqlite").open("r+b") as file:
        file.write(content)
    found(sound, "the database is damaged: file is not a database")
    before = (sound / "runs.sqlite").read_bytes()
    _, report = repaired(sound)
    assert (report.backup / "runs.sqlite").read_bytes() == before
    assert read().get_metrics("long")["long"] == list(range(ROWS))
    assert (read().get_tags(), read("other").get_status()) == ({"k": "v"}, "Failed")


@pytest.mark.parametrize("seed", range(8))
def test_random_pages_that_were_overwritten_leave_what_can_be_read(sound, seed):
    import random

    compact(sound)
    path, chance = sound / "runs.sqlite", random.Random(seed)
    pages = path.stat().st_size // 1024
    with path.open("r+b") as file:
        for _ in range(3):
            file.seek(chance.randrange(40, pages) * 1024 + chance.randrange(512))
            file.write(chance.randbytes(256))
    repaired(sound)
    kept = read().get_metrics("long").get("long", [])
    assert len(kept) > ROWS // 3
    assert read("other").get_status() == "Failed"


@pytest.mark.parametrize("content", [b"", b"no database at all, but a text" * 1000], ids=["empty", "text"])
def test_a_file_that_is_no_database_gives_way_to_one(sound, content):
    compact(sound)
    (sound / "runs.sqlite").write_bytes(content)
    assert re.search("the database is (damaged|empty)", diagnosis(sound)[0])
    _, report = repaired(sound, left=[OF_NO_RUN.format("2 files")])
    assert (report.backup / "runs.sqlite").is_file()
    with Experiment(Workspace(), "exp").start_logging() as run:
        run.log("m", 1)
    assert run.get_metrics() == {"m": 1}


def test_a_database_that_was_deleted_is_made_anew_of_the_journals(killed):
    for path in killed.glob("runs.sqlite*"):
        path.unlink()
    told = diagnosis(killed)
    assert any("the database is missing" in line for line in told)
    repaired(killed)
    assert read("busy").get_metrics() == {"m": list(range(20)), "other": [n // 5 for n in range(20)]}
    assert read("busy").get_status() == "Failed"


def test_a_journal_that_is_read_again_after_a_salvage_gives_its_rows_once(killed):
    compact(killed)
    ((root,),) = change(killed, "SELECT rootpage FROM sqlite_master WHERE name = 'journals'")
    with (killed / "runs.sqlite").open("r+b") as file:
        file.seek((root - 1) * 1024)
        file.write(b"\xff" * 1024)
    repaired(killed)
    assert read("busy").get_metrics() == {"m": list(range(20)), "other": [n // 5 for n in range(20)]}


# ---- journals


def test_the_leftovers_of_a_killed_process_are_read_and_its_run_ends(killed):
    (journal,) = (killed / "journals").glob("*.journal")
    found(killed, rf"{journal}: its process is gone, and \d+ bytes? of it are not in the store")
    deeds, report = repaired(killed)
    assert "run busy is recorded as Failed" in deeds
    assert f"{journal}: read into the store, and deleted" in deeds
    assert (report.backup / "journals" / journal.name).is_file()
    assert list((killed / "journals").iterdir()) == []
    assert read("busy").get_metrics()["m"] == list(range(20))


UNFOLDED = """
from runwidgets.store.recorder import Recorder
Recorder._look = lambda *_: None  # only a flush folds
run = experiment.start_logging(run_id="busy")
for n in range(100):
    run.log("m", n)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_damage_in_a_journal_is_said_with_its_place_and_the_rest_is_read(start, folder):  # noqa: F811
    start(UNFOLDED).communicate(timeout=60)
    (journal,) = (folder / "journals").glob("*.journal")
    data = bytearray(journal.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 10] = bytes(10)
    journal.write_bytes(data[:-3])  # and torn at its end
    told = diagnosis(folder)
    words = r"(\d+) bytes are damaged, and what was logged in them is lost \(2 places, the first at byte ([\d,]+) of"
    match = next(filter(None, (re.search(words, line) for line in told)))
    assert middle - 100 < int(match[2].replace(",", "")) <= middle
    repaired(folder)
    kept = read("busy").get_metrics()["m"]
    assert 95 <= len(kept) < 99
    assert kept == sorted(set(kept))


def test_a_file_of_a_journal_that_is_missing_is_said(start, folder):  # noqa: F811
    start(UNFOLDED).communicate(timeout=60)
    (journal,) = (folder / "journals").glob("*.journal")
    journal.rename(journal.with_name(f"{journal.stem}.100000.journal"))
    assert any("100,000 bytes are missing" in told for told in diagnosis(folder))
    repaired(folder)
    assert read("busy").get_metrics()["m"] == list(range(100))


def test_a_journal_of_a_process_that_lives_is_left_alone(start, folder):  # noqa: F811
    process = start(UNFOLDED.replace("os.kill(os.getpid(), signal.SIGKILL)", "print(1, flush=True); time.sleep(600)"))
    process.stdout.readline()
    before = {path: path.read_bytes() for path in (folder / "journals").iterdir()}
    assert diagnosis(folder) == []
    assert repaired(folder)[0] == ""
    assert {path: path.read_bytes() for path in (folder / "journals").iterdir()} == before


def test_a_lock_of_no_journal_is_deleted_when_it_is_old_and_nobody_holds_it(sound):
    from runwidgets.store.locks import lock_of

    (sound / "journals").mkdir(exist_ok=True)
    stray, fresh, held = (sound / "journals" / f"{name * 32}.lock" for name in "abc")
    for path in (stray, fresh, held):
        path.touch()
    lock = lock_of(held)
    lock.acquire()
    for path in (stray, held):
        old(path)
    for _ in range(2):  # a look leaves it as old as it was
        found(sound, f"{stray}: left over: a lock of no journal")
    _, report = repaired(sound)
    assert report.backup is None
    assert sorted((sound / "journals").iterdir()) == [fresh, held]
    lock.release()


# ---- files


def test_a_file_that_its_run_does_not_know_becomes_one_of_its_files(sound):
    place = sound / "artifacts" / "run" / "outputs" / "deep" / "new file.txt"
    place.parent.mkdir()
    place.write_bytes(b"12345")
    found(sound, r"artifacts/run: 1 file that the run does not know: outputs/deep/new file.txt")
    repaired(sound)
    assert read().get_file_names() == ["outputs/a.txt", "outputs/b.txt", "outputs/deep/new file.txt"]


def test_a_file_that_is_gone_is_forgotten_and_one_that_was_cut_short_is_measured(sound, tmp_path):
    (sound / "artifacts" / "run" / "outputs" / "a.txt").unlink()
    os.truncate(sound / "artifacts" / "run" / "outputs" / "b.txt", 2)
    found(
        sound,
        "file 'outputs/a.txt' of run run: it is not there",
        "file 'outputs/b.txt' of run run: it has 2 bytes, not 4",
    )
    repaired(sound)
    assert read().get_file_names() == ["outputs/b.txt"]


def test_files_that_are_all_gone_at_once_are_not_forgotten(sound):
    (sound / "artifacts").rename(sound / "elsewhere")
    found(sound, "the folder of all files of runs is not there: is it on a disk that is not mounted")
    (report,) = look(sound.parent, repair=True)
    assert (report.mended, report.backup) == ([], None)
    (sound / "elsewhere").rename(sound / "artifacts")
    assert diagnosis(sound) == []


def test_files_of_a_deleted_run_move_into_the_backup_and_those_of_no_run_stay(sound):
    for run_id in ("gone", "mystery"):
        (sound / "artifacts" / run_id).mkdir()
        (sound / "artifacts" / run_id / "model.pkl").write_bytes(b"model")
    change(sound, "INSERT INTO deleted_runs VALUES ('gone', 0)")
    unknown = OF_NO_RUN.format("1 file")
    found(sound, "artifacts/gone: 1 file of a run that was deleted", f"artifacts/mystery: {unknown}")
    _, report = repaired(sound, left=[unknown])
    assert (report.backup / "artifacts" / "gone" / "model.pkl").read_bytes() == b"model"
    assert sorted(path.name for path in (sound / "artifacts").iterdir()) == ["mystery", "run"]


def test_half_stored_files_and_half_deleted_workspaces_go_when_they_are_old(sound, runwidgets_home):
    fresh, stale = (sound / "artifacts" / f".incoming-{name}" for name in ("fresh", "stale"))
    for path in (fresh, stale):
        path.write_bytes(b"half")
    doomed = runwidgets_home / ".deleted-0123"
    (doomed / "artifacts").mkdir(parents=True)
    for path in (stale, doomed):
        old(path)
    reports = look(runwidgets_home)
    assert [one.what for report in reports for one in report.left] == [
        "left over: half of a file that was being stored",
        "left over: part of a deleted workspace",
    ]
    reports = look(runwidgets_home, repair=True)
    assert [report.left for report in reports] == [[], []]
    assert (fresh.exists(), stale.exists(), doomed.exists()) == (True, False, False)


def test_a_log_that_a_killed_process_had_not_noted_the_whole_of_is_no_damage(start, folder):  # noqa: F811
    code = """
with experiment.start_logging(run_id="run") as run:
    for n in range(5):
        print("line", n)
        run.log("m", n)
    run.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    process = start(code)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert read().get_status() == "Failed"
    close_all()
    ((noted,),) = change(folder, "SELECT size FROM files WHERE path = 'logs/user_log.txt'")
    log = folder / "artifacts" / "run" / "logs" / "user_log.txt"
    assert log.stat().st_size > noted
    found(folder)
    os.truncate(log, noted - 1)
    found(folder, r"file 'logs/user_log\.txt' of run run: it has \d+ bytes, not ")


@pytest.mark.parametrize("how", ["named", "of the environment"])
def test_a_home_that_is_not_there_could_not_be_looked_at(runwidgets_home, monkeypatch, capsys, how):
    mistyped = runwidgets_home / "mistyped"
    monkeypatch.setenv("RUNWIDGETS_HOME", str(mistyped))
    assert cli.main(["doctor", *(["--home", str(mistyped)] if how == "named" else [])]) == 2
    out, err = capsys.readouterr()
    assert (out, f"{mistyped} could not be looked at: there is no such folder" in err) == ("", True)
    assert not mistyped.exists()


# ---- permissions, and other users

AS_NOBODY = f"""
import os, sys
sys.path[:0] = {sys.path!r}
# All that is needed, while it may be read.
import filelock, numpy, psutil, runwidgets.doctor, runwidgets.store.health.mending, runwidgets.store.summaries
from runwidgets.cli import main
main(["doctor", "--home", sys.argv[-1]])
os.setgid(65534); os.setuid(65534)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be somebody else")
def test_what_may_not_be_written_is_said_and_mended_where_it_is_ones_own(sound):
    compact(sound)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        shutil.copytree(sound, home / "default")
        for path in (home, *home.rglob("*")):
            os.chown(path, 65534, 65534)
        (home / "default" / "runs.sqlite").chmod(0o444)

        def doctor(*arguments):
            done = subprocess.run(
                [sys.executable, "-B", "-c", AS_NOBODY, "doctor", *arguments, "--home", name],
                check=False, capture_output=True, text=True,
            )  # fmt: skip
            return done.returncode, done.stdout + done.stderr

        code, said = doctor()
        assert (code, "this user may not read and write it (-r--r--r--)" in said) == (1, True), said
        assert doctor("--repair")[0] == 0
        assert doctor()[0] == 0
        for path in (home / "default", home / "default" / "runs.sqlite"):
            os.chown(path, 0, 0)
        code, said = doctor("--repair")
        assert (code, "no repair can mend this" in said) == (1, True), said


# ---- repair while others log, and what is printed


def test_while_others_log_only_what_is_harmless_is_mended(start, sound):  # noqa: F811
    change(sound, "UPDATE metrics SET row_count = 7 WHERE name = 'long'")
    stale = sound / "artifacts" / ".incoming-stale"
    stale.touch()
    old(stale)
    process = start("run = experiment.start_logging(); print(1, flush=True); sys.stdin.readline()")
    process.stdout.readline()
    (report,) = look(sound.parent, repair=True)
    assert (len(report.left), stale.exists(), report.backup) == (1, False, None)
    assert report.writers == [f"process {process.pid} on {os.uname().nodename}"]
    process.communicate(b"\n", timeout=60)
    repaired(sound)
    assert read().get_metrics("long")["long"] == list(range(ROWS))


def test_without_a_backup_nothing_is_touched(sound):
    change(sound, "UPDATE metrics SET row_count = 7 WHERE name = 'long'")
    compact(sound)
    before = (sound / "runs.sqlite").read_bytes()
    (sound / "backups").write_bytes(b"in the way")
    (report,) = look(sound.parent, repair=True)
    assert "no backup can be made" in report.trouble
    assert (sound / "runs.sqlite").read_bytes() == before


def test_two_repairs_at_once_do_not_meet(sound):
    from filelock import FileLock

    change(sound, "UPDATE metrics SET row_count = 7 WHERE name = 'long'")
    with FileLock(sound / "runs.doctor.lock"):
        (report,) = look(sound.parent, repair=True)
        assert "another repair is at work" in report.trouble
        assert (report.mended, len(report.left)) == ([], 1)
    repaired(sound)
    assert not (sound / "runs.doctor.lock").exists()


def test_the_report_says_what_where_and_what_a_repair_does(sound, capsys):
    change(sound, "UPDATE metrics SET row_count = 7 WHERE name = 'long'")
    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().out == (
        f"workspace default ({sound}): 2 runs\n"
        "\n"
        "  warning  metric 'long' of run run\n"
        "           it is said to have 7 rows in blocks, and has 327,780\n"
        "           repair: counts anew\n"
        "\n"
        "1 thing wrong; `runwidgets doctor --repair` mends 1 of them, after a backup\n"
    )
    assert cli.main(["doctor", "--repair"]) == 0
    (backup,) = (sound / "backups").iterdir()
    assert capsys.readouterr().out == (
        f"workspace default ({sound}): 2 runs; all is well now\n"
        "\n"
        "  mended:\n"
        "    metric 'long' of run run: 327,780 rows in blocks, counted and summarised anew\n"
        "\n"
        f"  what was there before is in {backup}\n"
        "\n"
        "nothing is wrong\n"
    )
    assert cli.main(["doctor"]) == 0


def test_the_report_as_json_has_all_of_it(sound, capsys):
    change(sound, "UPDATE metrics SET row_count = 7 WHERE name = 'long'")
    assert cli.main(["doctor", "--json", "--home", str(sound.parent)]) == 1
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert (report["workspace"], report["run_count"], report["backup"]) == ("default", 2, None)
    assert report["findings"] == report["left"]
    assert report["left"] == [
        {
            "trouble": "rows", "severity": "warning", "where": "metric 'long' of run run", "mend": "counts anew",
            "what": "it is said to have 7 rows in blocks, and has 327,780", "is_harmless": False,
        }
    ]  # fmt: skip
    assert cli.main(["doctor", "--json", "--repair"]) == 0
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert (len(report["findings"]), report["left"], len(report["mended"])) == (1, [], 1)


def test_one_workspace_can_be_looked_at_and_one_that_is_not_there_is_said(sound, capsys):
    (sound.parent / "second").mkdir()
    (sound.parent / "second" / "runs.sqlite").write_bytes(b"nonsense" * 1000)
    assert cli.main(["doctor", "--workspace", "default"]) == 0
    assert cli.main(["doctor", "--workspace", "second"]) == 1
    assert cli.main(["doctor"]) == 1
    capsys.readouterr()
    assert cli.main(["doctor", "--workspace", "third"]) == 2
    assert "no workspace 'third'" in capsys.readouterr().err


def test_a_store_that_is_locked_could_not_be_looked_at(sound, monkeypatch, capsys):
    from runwidgets.store.health import database

    compact(sound)
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0)
    with closing(sqlite3.connect(sound / "runs.sqlite", isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        assert cli.main(["doctor"]) == 2
    assert "could not be looked at" in capsys.readouterr().out


def test_a_network_disk_without_the_safe_mode_is_said(sound, monkeypatch):
    from runwidgets import system
    from runwidgets.store.health import files

    monkeypatch.setattr(files, "file_system_of", lambda _: system.FileSystem("nfs4", is_network=True))
    assert diagnosis(sound) == []
    monkeypatch.setenv("RUNWIDGETS_SAFE_STORE", "0")
    found(sound, "it is on a network file system .nfs4., and RUNWIDGETS_SAFE_STORE=0 switches")
