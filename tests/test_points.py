"""Points of a series are written as any event is, only sooner."""

from __future__ import annotations

import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwidgets import Experiment, Workspace, recording
from runwidgets.events import PointLogged
from runwidgets.store import points
from runwidgets.store.appender import Appender
from runwidgets.store.framing import frame, read_journal
from runwidgets.store.points import point_writer
from runwidgets.store.recorder import close_all

integers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(categories=None) | st.characters(categories=["Cs"]), max_size=300)


@pytest.fixture
def experiment():
    yield Experiment(Workspace(), "exp")
    close_all()


def same(one, other):
    return type(one) is type(other) and (one == other or (one != one and other != other))  # noqa: PLR0124 (NaN)


@given(texts, texts, st.floats() | integers, st.none() | integers)
def test_a_point_is_read_as_the_event_that_it_is(tmp_path_factory, run_id, name, value, step):
    path = tmp_path_factory.mktemp("journal") / "one.journal"
    appender = Appender(pytest.fail)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        appender.go_on(handle)
        point_writer(appender, run_id, name, pytest.fail)(value, step)
        appender.append(frame(PointLogged(run_id, name, 1.0, value, step)))
    finally:
        os.close(handle)
    reading = read_journal(path)
    assert reading.damage == []
    quick, general = reading.events
    assert (quick.run_id, quick.name) == (general.run_id, general.name)
    assert same(quick.value, general.value)
    assert same(quick.step, general.step)
    assert (type(quick.at), math.isfinite(quick.at)) == (float, True)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**400, True, "text", None, 1j])
@pytest.mark.parametrize("step", [None, 1, 2**63, 0.5, True])
def test_what_is_no_point_of_64_bits_is_left_to_others(value, step):
    left = []
    write = point_writer(Appender(pytest.fail), "run", "m", lambda *point: left.append(point))
    write(value, step)
    write(1.0, 0.5)
    write(1, 2**64)
    assert left == [(value, step), (1.0, 0.5), (1, 2**64)]


def test_values_and_steps_of_every_kind_are_found_as_they_were_logged(experiment):
    values = [1, 1.5, True, None, "text", 2**63, -(2**63), -(10**30), math.inf, 0.0, -1]
    with experiment.start_logging(snapshot_directory=None) as run:
        for n, value in enumerate(values):
            run.log("m", value, step=n)
        run.log("m", 2, step=2**70)
        run.log("m", 3, step=0.5)
        run.log("m", 4)
    found = run.get_metrics("m")["m"]
    assert [(type(value), value) for value in found] == [(type(value), value) for value in [*values, 2, 3, 4]]
    (metric,) = run._recorder.store.metrics(run.id)
    steps = [step for block in metric.blocks for step in block.steps.to_list()]
    assert steps == [*range(len(values)), 2**70, 0.5, None]


def test_the_first_bytes_of_a_series_are_packed_once(experiment, monkeypatch):
    packed = []
    monkeypatch.setattr(recording, "point_writer", lambda *given: packed.append(given[2]) or point_writer(*given))
    run = experiment.start_logging(snapshot_directory=None)
    for _ in range(3):
        run.log("a", 1)
        run.log("b", 1.0, step=1)
    assert packed == ["a", "b"]
    run.complete()


def test_names_without_end_take_memory_with_an_end(experiment, monkeypatch):
    monkeypatch.setattr(recording, "_MOST_SERIES", 10)
    run = experiment.start_logging(snapshot_directory=None)
    for n in range(35):
        run.log(f"m{n}", n)
        assert len(run._series) <= 10
    long = "x" * 10_000
    run.log(long, 1)
    assert long not in run._series
    run.complete()
    assert run.get_metrics() == {**{f"m{n}": n for n in range(35)}, long: 1}


def test_a_strict_workspace_looks_at_every_point(caplog):
    run = Experiment(Workspace(strict=True), "exp").start_logging(snapshot_directory=None)
    for n in range(60):
        run.log(f"m{n}", 1.0, step=n)
    run.complete()
    assert sum("metrics of a run" in message for message in caplog.messages) == 1
    close_all()


def test_no_field_of_a_point_was_forgotten():
    assert PointLogged.__struct_fields__ == ("run_id", "name", "at", "value", "step")
    assert points._head("r", "n") == frame(PointLogged("r", "n", 1.0, 1.0))[8:15]
