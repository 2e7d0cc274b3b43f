"""The limits of SDK v1's service: kept by nobody, and told once for each kind to those who ask for it."""

from __future__ import annotations

import logging
from itertools import pairwise

import pytest

from runwidgets import Experiment, Run, Workspace, limits
from runwidgets.events import (
    FileStored,
    PointLogged,
    ProgressMade,
    PropertiesAdded,
    RowsLogged,
    RunCreated,
    RunDescribed,
    StatusSet,
    TagsRemoved,
    TagsSet,
)
from runwidgets.limits import Limits
from runwidgets.records import MetricKind, RunError, RunStatus
from runwidgets.store.recorder import close_all


def rows(columns, kind=MetricKind.TABLE, name="t"):
    return RowsLogged("run", 1.0, name, kind, columns)


def texts(count, length=1):
    return {f"key {n}": "x" * length for n in range(count)}


def failed(message):
    return StatusSet("run", 1.0, RunStatus.FAILED, RunError("UserError", message))


@pytest.fixture
def said(caplog):
    """Give a function that shows events to new limits and gives what was said."""
    caplog.set_level(logging.WARNING, logger="runwidgets")

    def said(*events):
        caplog.clear()
        checked = Limits()
        for event in events:
            checked.check(event)
        return caplog.messages

    return said


# What is just within a limit, what is just past it, and what is said of that.
EDGES = {
    "metrics": (
        [PointLogged("run", f"m{n}", 1.0, 1.0) for n in range(50)],
        PointLogged("run", "m50", 1.0, 1.0),
        "51 metrics of a run ('m50'): the service of SDK v1 took 50",
    ),
    "rows": (
        [rows({"": [1.0] * 999_999}, MetricKind.VECTOR), PointLogged("run", "t", 1.0, 1.0)],
        PointLogged("run", "t", 1.0, 1.0),
        "1000001 rows of a metric ('t'): the service of SDK v1 took 1000000",
    ),
    "columns": (
        [rows({f"c{n}": [n] for n in range(15)})],
        rows({f"c{n}": [n] for n in range(16)}),
        "16 columns of a row ('t'): the service of SDK v1 took 15",
    ),
    "column name": (
        [rows({"c" * 255: [1]})],
        rows({"c" * 256: [1]}),
        "the name of a column ('t') has 256 characters: the service of SDK v1 took 255",
    ),
    "text": (
        [PointLogged("run", "m", 1.0, "x" * 255)],
        PointLogged("run", "m", 1.0, "x" * 256),
        "a text that was logged ('m') has 256 characters: the service of SDK v1 took 255",
    ),
    "text in a table": (
        [rows({"c": [1, None, "x" * 255]})],
        rows({"c": [1, None, "x" * 256]}),
        "a text that was logged ('t') has 256 characters: the service of SDK v1 took 255",
    ),
    "run's name": (
        [RunCreated("run", 1.0, "e", name="x" * 256)],
        RunDescribed("run", 1.0, name="x" * 257),
        "the name of a run has 257 characters: the service of SDK v1 took 256",
    ),
    "description": (
        [RunDescribed("run", 1.0, description="x" * 5_000)],
        RunDescribed("run", 1.0, description="x" * 5_001),
        "the description of a run has 5001 characters: the service of SDK v1 took 5000",
    ),
    "tags": (
        [TagsSet("run", 1.0, texts(50)), TagsSet("run", 1.0, texts(50))],
        TagsSet("run", 1.0, texts(51)),
        "51 tags of a run: the service of SDK v1 took 50",
    ),
    "tag's key": (
        [TagsSet("run", 1.0, {"k" * 100: None})],
        TagsSet("run", 1.0, {"k" * 101: None}),
        f"a key among the tags of a run ('{'k' * 50}') has 101 characters: the service of SDK v1 took 100",
    ),
    "tag's value": (
        [TagsSet("run", 1.0, texts(1, 1_000))],
        TagsSet("run", 1.0, texts(1, 1_001)),
        "a value among the tags of a run ('key 0') has 1001 characters: the service of SDK v1 took 1000",
    ),
    "properties": (
        [PropertiesAdded("run", 1.0, texts(50))],
        PropertiesAdded("run", 1.0, {"one more": "x"}),
        "51 properties of a run: the service of SDK v1 took 50",
    ),
    "property's value": (
        [PropertiesAdded("run", 1.0, texts(1, 1_000))],
        PropertiesAdded("run", 1.0, texts(1, 1_001)),
        "a value among the properties of a run ('key 0') has 1001 characters: the service of SDK v1 took 1000",
    ),
    "path": (
        [FileStored("run", 1.0, "p" * 5_000, 1)],
        FileStored("run", 1.0, "p" * 5_001, 1),
        "the name of a file has 5001 characters: the service of SDK v1 took 5000",
    ),
    "error": (
        [failed("x" * 3_000), StatusSet("run", 1.0, RunStatus.COMPLETED)],
        failed("x" * 3_001),
        "the message of an error has 3001 characters: the service of SDK v1 took 3000",
    ),
}


@pytest.mark.parametrize(("within", "past", "expected"), EDGES.values(), ids=EDGES)
def test_what_is_within_a_limit_is_silent_and_what_is_past_it_is_told_once(said, within, past, expected):
    assert said(*within) == []
    assert said(*within, past, past) == [f"{expected}; all are kept here"]


def test_files_of_a_run_are_counted(said, monkeypatch):
    monkeypatch.setattr(limits, "FILES", 2)
    files = [FileStored("run", 1.0, f"{n}.txt", 1) for n in range(3)]
    assert said(*files[:2]) == []
    assert said(*files) == ["3 files of a run: the service of SDK v1 took 2; all are kept here"]


def test_each_kind_is_told_by_itself(said):
    alone = [past for name, (_, past, _) in EDGES.items() if name not in {"metrics", "rows", "properties"}]
    assert len(said(*alone)) == len(alone) - 1  # two are texts that were logged


def test_runs_are_counted_apart_and_tags_that_were_removed_not_at_all(said):
    assert said(*(PointLogged(f"run {n % 2}", f"m{n}", 1.0, 1.0) for n in range(100))) == []
    batches = [TagsSet("run", 1.0, {f"{n}": None}) for n in range(90)]
    removed = [TagsRemoved("run", 1.0, [f"{n}"]) for n in range(90)]
    assert said(*(event for pair in pairwise([*batches, *removed]) for event in pair[:1])) != []
    assert said(*(event for both in zip(batches, removed, strict=True) for event in both)) == []


def test_what_was_no_limit_to_a_caller_is_none(said):
    assert said(rows({"c": [1.0] * 251}), ProgressMade("run", 1.0, 1.0, None, "")) == []
    assert said(rows({"": ["path/" * 100]}, MetricKind.IMAGE)) == []  # a path is judged as a file's name


# ---- a strict workspace


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.WARNING, logger="runwidgets")
    monkeypatch.chdir(tmp_path)
    yield
    close_all()


STRICT = {
    "constructor": lambda: Workspace(strict=True),
    "create": lambda: Workspace.create("mine", strict=True),
    "from_config": lambda: Workspace.from_config(strict=True),
}


@pytest.mark.parametrize("make", STRICT.values(), ids=STRICT)
def test_a_strict_workspace_warns_once_and_keeps_all(make, caplog):
    workspace = make()
    assert workspace.strict
    run = Experiment(workspace, "e").start_logging()
    for n in range(60):
        run.log(f"m{n}", n)
    run.log_row("row", **{f"c{n}": n for n in range(20)})
    run.log("text", "x" * 300)
    run.complete()
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "51 metrics of a run ('m50')",
        "20 columns of a row ('row')",
        "a text that was logged ('text') has 300 characters",
    ]
    found = run.get_metrics()
    assert len(found) == 62
    assert len(found["row"]) == 20
    assert found["text"] == "x" * 300


def test_a_strict_workspace_looks_at_every_call(caplog):
    experiment = Experiment(Workspace(strict=True), "e")
    run = experiment.start_logging(name="x" * 257, description="x" * 5_001)
    run.set_tags(texts(51))
    run.add_properties({"k" * 101: "x"})
    for child in run.create_children(count=101):
        child.complete()
    run.fail("x" * 3_001)
    experiment.set_tags({"k" * 251: "x", **texts(49)})
    experiment.tag("one more")
    assert [message.partition(":")[0].partition(" ('")[0] for message in caplog.messages] == [
        "the name of a run has 257 characters",
        "the description of a run has 5001 characters",
        "51 tags of a run",
        "a key among the properties of a run",
        "101 runs in one create_children()",
        "the message of an error has 3001 characters",
        "a key among the tags of an experiment",
        "51 tags of an experiment",
    ]


def test_tags_and_properties_that_a_run_has_already_count(caplog):
    run = Experiment(Workspace(), "e").start_logging(tags=texts(50))
    run.add_properties(texts(50))
    again = Run(Experiment(Workspace(strict=True), "e"), run.id)
    again.tag("one more")
    again.add_properties({"one more": "x"})
    run.complete()
    assert [message.partition(":")[0] for message in caplog.messages] == ["51 tags of a run", "51 properties of a run"]


def test_without_strict_nothing_is_said_and_logging_takes_no_step_more(caplog):
    workspace = Workspace()
    assert not workspace.strict
    run = Experiment(workspace, "e").start_logging(name="x" * 300)
    assert run._write == run._recorder.write
    for n in range(60):
        run.log(f"m{n}", "x" * 300)
    run.complete()
    assert caplog.messages == []
    assert len(run.get_metrics()) == 60
