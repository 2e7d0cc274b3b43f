"""The view: a pure fold, the same however the changes came in."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runwidgets.columns import Column, pack_column
from runwidgets.records import (
    Block,
    ChildRecord,
    Cursor,
    FileRecord,
    MetricDelta,
    MetricKind,
    Owner,
    RunDelta,
    RunRecord,
    RunStatus,
)
from runwidgets.store.summaries import BESIDE
from runwidgets.values import pack, unpack
from runwidgets.watch.view import RunView, fold

CURSOR = Cursor()
CELLS = st.one_of(
    st.none(), st.floats(), st.integers(-(2**62), 2**62), st.just(10**400), st.sampled_from([0.0, 1.0, "text", True])
)


def column(values):
    return Column(unpack(pack(pack_column(list(values)))))


def block(first, columns, steps=None, times=None):
    count = len(next(iter(columns.values())))
    return Block(
        first,
        column(steps or [None] * count),
        column([round(t * 1_000_000) for t in times or [100.0 + first + n for n in range(count)]]),
        {name: column(values) for name, values in columns.items()},
    )


def metric(*blocks, name="m", kind=MetricKind.VECTOR, columns=("",)):
    return MetricDelta(name, kind, tuple(columns), sum(map(len, blocks)), tuple(blocks))


def view_of(*metrics, before=None):
    return fold(before or RunView(), RunDelta(cursor=CURSOR, metrics=metrics))


def vector(values, **more):
    return view_of(metric(block(0, {"": values}, **more))).metrics["m"].columns[""]


def record(run_id="run", status=RunStatus.RUNNING):
    return RunRecord(
        run_id=run_id, experiment="e", parent_id=None, number=1, name=None, type=None, status=status, created_at=1.0,
        started_at=2.0, ended_at=None, error=None, progress=None, owner=Owner("j", "h", "b", 1, 1.0, 1.0), version=1,
    )  # fmt: skip


def assert_same(a, b):
    """Compare views to the last bit; NaN equals NaN."""
    for field in fields(a):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(one, np.ndarray):
            assert np.array_equal(one, other, equal_nan=True), field.name
        elif hasattr(one, "__dataclass_fields__"):
            assert_same(one, other)
        elif isinstance(one, dict) and one and hasattr(next(iter(one.values())), "__dataclass_fields__"):
            assert list(one) == list(other)
            for key in one:
                assert_same(one[key], other[key])
        else:
            assert repr(one) == repr(other), field.name


@example([1.0, None], [1], False)
@example([None, 0.0, "text"], [2], False)
@given(st.lists(CELLS, min_size=1, max_size=40), st.lists(st.integers(0, 40), max_size=5), st.booleans())
def test_a_vector_folded_in_any_pieces_is_the_one_folded_at_once(values, cuts, in_one_delta):
    steps = [n % 3 or None for n in range(len(values))]
    places = sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})
    parts = [block(i, {"": values[i:j]}, steps=steps[i:j]) for i, j in pairwise(places)]
    whole = view_of(metric(block(0, {"": values}, steps=steps)))
    if in_one_delta:
        view = view_of(metric(*parts))
    else:
        view = RunView()
        for part in parts:
            view = view_of(metric(part), before=view)
    found, expected = view.metrics["m"].columns[""], whole.metrics["m"].columns[""]
    assert_same(
        found if not found.is_text else replace(found, series=replace(found.series, beside=None)),
        expected if not expected.is_text else replace(expected, series=replace(expected.series, beside=None)),
    )  # what is beside text, which is never drawn, may differ


def test_rows_with_other_columns_show_the_same_however_they_came_in():
    # Folded by the store at once, a row is padded with None; folded one by one, a block lacks the column.
    names = ("a", "b")
    together = metric(block(0, {"a": [1.0, None], "b": [None, 2.0]}), kind=MetricKind.TABLE, columns=names)
    first = metric(block(0, {"a": [1.0]}), kind=MetricKind.TABLE, columns=("a",))
    second = metric(block(1, {"b": [2.0]}), kind=MetricKind.TABLE, columns=names)
    at_once = view_of(together).metrics["m"]
    one_by_one = view_of(second, before=view_of(first)).metrics["m"]
    for name in names:
        a, b = at_once.columns[name], one_by_one.columns[name]
        assert (a.last, a.count, a.minimum, a.maximum) == (b.last, b.count, b.minimum, b.maximum)
        assert (a.series.index.tolist(), a.series.y.tolist()) == (b.series.index.tolist(), b.series.y.tolist())


def test_a_vector_is_summed_up():
    found = vector([1.0, math.nan, 3, math.inf, None, -math.inf, math.nan, 2.0])
    assert (found.count, found.last, found.minimum, found.maximum) == (7, 2.0, 1.0, 3.0)
    assert (found.nan_count, found.inf_count, found.is_text, found.has_steps) == (2, 2, False, False)
    assert found.series.index.tolist() == [0, 1, 2, 3, 5, 6, 7], "None is no value"


def test_a_vector_of_nothing_finite_has_no_extremes():
    found = vector([math.nan, math.inf])
    assert (found.minimum, found.maximum, found.count) == (None, None, 2)


def test_text_among_the_values_makes_a_column_text_for_good():
    view = view_of(metric(block(0, {"": [1.0]})))
    assert not view.metrics["m"].columns[""].is_text
    view = view_of(metric(block(1, {"": ["text"]})), before=view)
    view = view_of(metric(block(2, {"": [2.0]})), before=view)
    found = view.metrics["m"]
    assert found.columns[""].is_text
    assert found.columns[""].last == 2.0
    assert found.numeric == []


def test_steps_times_and_the_first_numeric_column_are_beside_each_value():
    names = ("label", "x", "y")
    delta = metric(
        block(0, {"label": ["a", "b"], "x": [1.0, 2.0], "y": [5.0, None]}, steps=[10, None], times=[1.5, 2.5]),
        kind=MetricKind.TABLE,
        columns=names,
    )
    found = view_of(delta).metrics["m"].columns
    beside = dict(zip(BESIDE, found["x"].series.beside, strict=True))
    assert np.array_equal(beside["step"], [10, np.nan], equal_nan=True)
    assert beside["time"].tolist() == [1.5, 2.5]
    assert dict(zip(BESIDE, found["y"].series.beside, strict=True))["over"].tolist() == [1.0]
    assert found["x"].has_steps


def test_a_column_has_steps_only_if_its_own_rows_have():
    delta = metric(
        block(0, {"a": [1.0, None], "b": [None, 2.0]}, steps=[1, None]), kind=MetricKind.TABLE, columns=("a", "b")
    )
    found = view_of(delta).metrics["m"].columns
    assert (found["a"].has_steps, found["b"].has_steps) == (True, False)


def test_images_are_listed_with_their_times():
    view = view_of(metric(block(0, {"": ["a.png"]}), kind=MetricKind.IMAGE))
    view = view_of(metric(block(1, {"": ["b.png"]}), kind=MetricKind.IMAGE), before=view)
    assert view.metrics["m"].images == ((100.0, "a.png"), (101.0, "b.png"))


@pytest.mark.parametrize("columns", [{"x": [1.0]}, {"": [None], "x": [1.0]}])
def test_a_row_that_is_logged_under_an_images_name_is_no_image(columns):
    view = view_of(metric(block(0, columns), kind=MetricKind.IMAGE, columns=("", "x")))
    assert view.metrics["m"].images == ()


def test_what_did_not_change_stays():
    full = RunDelta(
        cursor=CURSOR,
        run=record(),
        tags={"a": "b"},
        properties={"p": "q"},
        metrics=(metric(block(0, {"": [1.0]})),),
        children=(ChildRecord(record("child"), {"loss": 1.0, "acc": 2.0}, frozenset({"acc"}), {"old": "tag"}),),
        files=(FileRecord("a", 1, 1.0),),
    )
    before = fold(RunView(), full)
    same = fold(before, RunDelta(cursor=CURSOR))
    assert same == before
    changed = fold(
        before,
        RunDelta(
            cursor=CURSOR,
            tags={},
            children=(
                ChildRecord(record("child", RunStatus.COMPLETED), {"loss": 0.5}, frozenset({"loss"}), {"new": "tag"}),
                ChildRecord(record("two"), {}),
            ),
            files=(FileRecord("a", 2, 2.0), FileRecord("b", 3, 3.0)),
        ),
    )
    assert changed.tags == {}
    assert changed.children["child"].last == {"loss": 0.5, "acc": 2.0}
    assert (changed.children["child"].tags, changed.children["child"].repeated) == ({"new": "tag"}, {"acc", "loss"})
    assert changed.children["child"].run.status is RunStatus.COMPLETED
    assert list(changed.children) == ["child", "two"]
    assert [(f.path, f.size) for f in changed.files.values()] == [("a", 2), ("b", 3)]
    assert (changed.record, changed.properties, changed.metrics) == (before.record, before.properties, before.metrics)
    assert before.tags == {"a": "b"}, "the view before is another"


def test_a_silent_run_is_shown_as_not_responding_and_only_as_long_as_it_is():
    view = fold(RunView(), RunDelta(cursor=CURSOR, run=record()), frozenset({"run"}))
    assert view.status is RunStatus.NOT_RESPONDING
    assert fold(view, RunDelta(cursor=CURSOR), frozenset()).status is RunStatus.RUNNING


def test_a_run_nobody_knows_yet_has_not_started():
    assert RunView().status is RunStatus.NOT_STARTED
