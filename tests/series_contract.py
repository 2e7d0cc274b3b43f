"""What every store promises of long metrics, as tests: a mixin beside `StoreContract`.

The subclass also has a fixture ``make_fresh_store``: a function that opens a store on a new database each time.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runwidgets.events import TagsSet
from runwidgets.metrics import sdk_metrics
from runwidgets.records import Block, Cursor, MetricKind, RunQuery, RunStatus, Summary
from runwidgets.store import blocks, series, thinning
from runwidgets.watch.view import RunView
from runwidgets.watch.view import fold as fold_view
from tests.store_contract import Folder, created, opened, points, rows, status
from tests.test_view import assert_same

CELLS = st.one_of(st.none(), st.floats(), st.integers(-3, 3), st.sampled_from([1.0, "text", True, 10**400]))
SMALL = {
    (blocks, "BLOCK_ROWS"): 8,
    (series, "SETTLE_ROWS"): 3,
    (series, "SUMMARY_WIDTH"): 2,
    (series, "GROUP"): 2,
    (thinning, "MAX_BUCKETS"): 4,
}
"""Sizes with which a few hundred rows have summaries of several levels."""


def view_of(store, cursor=None, view=None):
    delta = store.changes("run", cursor or Cursor())
    return fold_view(view or RunView(), delta), delta.cursor


def values(metric, column=""):
    return [value for block in metric.blocks for value in block.columns[column].to_list()]


class SeriesContract:
    @pytest.fixture
    def small_sizes(self, monkeypatch):
        for (module, name), value in SMALL.items():
            monkeypatch.setattr(module, name, value)

    @pytest.mark.usefixtures("small_sizes")
    @pytest.mark.parametrize("piece", [1, 2, 3, 7, 50, 400])
    def test_rows_are_read_whole_and_in_order_however_they_came(self, store, fold, piece):
        for first in range(0, 400, piece):
            fold(*points(range(first, min(first + piece, 400)), first=first))
        (metric,) = store.metrics("run")
        assert values(metric) == [step for b in metric.blocks for step in b.steps.to_list()] == list(range(400))
        assert [b.first_index for b in metric.blocks] == [values_[0] for values_ in map(block_values, metric.blocks)]

    @pytest.mark.usefixtures("small_sizes")
    @pytest.mark.parametrize("piece", [1, 5, 64, 1000])
    def test_the_picture_from_summaries_is_that_of_all_rows(self, store, fold, piece):
        numbers = np.random.default_rng(0).normal(size=1000).tolist()
        numbers[3], numbers[500], numbers[777] = float("nan"), float("inf"), float("-inf")
        for first in range(0, 1000, piece):
            fold(*points(numbers[first : first + piece], first=first))
        view, _ = view_of(store)
        plain, _ = view_of(Plain(store))
        assert_same(view.metrics["m"], plain.metrics["m"])
        if piece > 1:
            parts = store.changes("run", Cursor()).metrics[0].parts
            assert any(isinstance(part, Summary) for part in parts)
            assert sum(len(part) for part in parts if isinstance(part, Block)) < 500

    @pytest.mark.usefixtures("small_sizes")
    def test_a_reader_that_follows_sees_what_one_that_comes_late_sees(self, store, fold):
        view, cursor = RunView(), Cursor()
        for first in range(0, 300, 7):
            fold(*points([float(v % 13) for v in range(first, first + 7)], first=first), *points([first], "slow"))
            if first % 3:
                view, cursor = view_of(store, cursor, view)
        view, _ = view_of(store, cursor, view)
        late, _ = view_of(store)
        for name in ("m", "slow"):
            assert_same(view.metrics[name], late.metrics[name])

    @pytest.mark.usefixtures("small_sizes")
    def test_a_settled_row_is_not_read_again_by_who_has_seen_it(self, store, fold):
        fold(*points([1.0]))
        _, cursor = view_of(store)
        fold(*points(range(40), first=1))
        fold(*points([9.0], "other"))
        delta = store.changes("run", cursor)
        (metric,) = [m for m in delta.metrics if m.name == "m"]
        assert sum(len(p) if isinstance(p, Block) else p.row_count for p in metric.parts) == 40
        assert metric.parts[0].first_index == 1

    @pytest.mark.usefixtures("small_sizes")
    def test_two_processes_that_fold_into_one_run_do_not_mix_up_its_rows(self, make_store, store, fold):
        other = Folder(make_store(), "journal-2")
        other(opened("journal-2"))
        for n in range(60):
            (fold if n % 3 else other)(*points([n], first=n), *([] if n % 5 else points([n], "slow")))
        (metric, slow) = store.metrics("run")
        assert values(metric) == list(range(60))
        assert values(slow) == list(range(0, 60, 5))

    @pytest.mark.usefixtures("small_sizes")
    def test_a_fold_that_fails_forgets_what_it_thought_it_had_written(self, store, fold):
        fold(*points([0.0]))
        start = store.folded_bytes("journal-1")
        with pytest.raises(Exception):  # noqa: B017, PT011 (each driver has its own)
            store.fold("journal-1", start, start + 10, [*points([1.0]), TagsSet("run", 1.0, {"a": object()})])
        fold(*points([2.0]))
        assert sdk_metrics(store.metrics("run"), "run") == {"m": [0.0, 2.0]}

    @pytest.mark.usefixtures("small_sizes")
    def test_a_window_has_just_its_rows(self, store, fold):
        for first in range(0, 100, 9):
            fold(*points(range(first, min(first + 9, 100)), first=first))
        for start, stop in ((0, 100), (0, 1), (17, 18), (5, 77), (90, 100), (99, 200), (100, 110)):
            assert values(store.window("run", "m", start, stop)) == list(range(start, min(stop, 100)))
        assert store.window("run", "m", 0, 10).row_count == 100
        assert store.window("run", "unknown", 0, 10) is store.window("unknown", "m", 0, 10) is None

    @pytest.mark.usefixtures("small_sizes")
    def test_a_wide_window_is_read_from_summaries_no_coarser_than_asked_for(self, store, fold):
        fold(*points(range(640)))
        for width in (1, 2, 4, 8, 16):
            parts = store.window("run", "m", 3, 639, width).parts
            assert all(part.width <= width for part in parts if isinstance(part, Summary))
            assert parts[0].first_index == 3
            assert [a.end for a in parts[:-1]] == [b.first_index for b in parts[1:]]
            assert parts[-1].end == 639
        assert any(isinstance(part, Summary) and part.width == 16 for part in parts)

    @given(data=st.data())
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_rows_in_any_pieces_are_kept_and_drawn_as_they_are(self, make_fresh_store, data):
        with pytest.MonkeyPatch.context() as patch:
            for (module, name), value in SMALL.items():
                patch.setattr(module, name, value)
            store = make_fresh_store()
            fold = Folder(store)
            fold(opened(), created())
            table = data.draw(st.lists(st.tuples(CELLS, CELLS), max_size=60))
            cuts = sorted(data.draw(st.lists(st.integers(0, len(table)), max_size=12)))
            view, cursor = RunView(), Cursor()
            for first, last in zip([0, *cuts], [*cuts, len(table)], strict=True):
                if first < last:
                    x, y = zip(*table[first:last], strict=True)
                    fold(rows({"x": list(x), "y": list(y)}))
                if data.draw(st.booleans()):
                    view, cursor = view_of(store, cursor, view)
            if data.draw(st.booleans()):
                fold(status(RunStatus.COMPLETED))
            found = store.metrics("run")
            assert [repr(v) for m in found for v in values(m, "x")] == [repr(x) for x, _ in table]
            assert [repr(v) for m in found for v in values(m, "y")] == [repr(y) for _, y in table]
            view, _ = view_of(store, cursor, view)
            late, _ = view_of(store)
            plain, _ = view_of(Plain(store))
            if table:
                one, two, three = (v.metrics["t"].columns["y"] for v in (view, late, plain))
                assert (one.count, one.minimum, one.nan_count) == (three.count, three.minimum, three.nan_count)
                assert one.series.index.tolist() == two.series.index.tolist() == three.series.index.tolist()
                assert one.series.y.tobytes() == two.series.y.tobytes() == three.series.y.tobytes()

    @pytest.mark.usefixtures("small_sizes")
    def test_rows_seen_before_are_not_read_again_after_a_table_got_a_column_and_no_row(self, store, fold):
        fold(*points([1.0]), *points([0.0], "other"))
        view, cursor = view_of(store)
        fold(rows({"x": []}, "m"))
        view, cursor = view_of(store, cursor, view)
        fold(*points(range(40), "other"), *points([2.0]))
        view, _ = view_of(store, cursor, view)
        assert view.metrics["m"].columns[""].count == 2

    @pytest.mark.usefixtures("small_sizes")
    @pytest.mark.parametrize("end", [[None] * 60, ["text"] * 60])
    def test_a_column_whose_last_rows_are_no_numbers_is_drawn_alike_whenever_one_comes(self, store, fold, end):
        view, cursor = RunView(), Cursor()
        for first, numbers in ((0, [5.0, 1.0, 2.0, 4.0, 3.0, 2.5, 2.0, 1.5, 1.75]), (9, end)):
            fold(*points(numbers, first=first))
            view, cursor = view_of(store, cursor, view)
        late, _ = view_of(store)
        one, other = (v.metrics["m"].columns[""].series for v in (view, late))
        assert (one.width, one.index.tolist(), one.y.tolist()) == (other.width, other.index.tolist(), other.y.tolist())

    @pytest.mark.usefixtures("small_sizes")
    @pytest.mark.parametrize("kind", [MetricKind.IMAGE, MetricKind.RESIDUALS])
    def test_no_file_of_a_long_row_of_pictures_or_documents_is_left_out(self, store, fold, kind):
        paths = [f"{n}.png" for n in range(64)]
        fold(rows({"": paths}, "p", kind=kind))
        view, _ = view_of(store)
        found = view.metrics["p"].images or view.metrics["p"].documents
        assert [path for _, path in found] == paths

    def test_long_strings_do_not_share_one_huge_block(self, store, fold):
        texts = [str(n) * (200_000 // len(str(n))) for n in range(30)]
        for text in texts:
            fold(*points([text]))
        (metric,) = store.metrics("run")
        assert values(metric) == texts
        assert max(column.byte_count for b in metric.blocks for column in b.columns.values()) < 3 * blocks.BLOCK_BYTES
        assert len(store.changes("run", Cursor()).metrics[0].parts) > 3

    def test_ten_thousand_names_and_a_name_of_ten_thousand_characters(self, store, fold):
        names = [f"name {n}" for n in range(10_000)] + ["ü" * 10_000]
        for value in range(2):
            fold(*(point for name in names for point in points([value], name)))
        assert [m.name for m in store.metrics("run")] == names
        assert sdk_metrics(store.metrics("run", names[-1]), "run") == {names[-1]: [0, 1]}
        assert store.changes("run", Cursor()).cursor.rows == dict.fromkeys(names, 2)

    # ---- last values

    def test_a_child_that_is_there_before_its_parent_is_not_missed_by_who_follows(self, store, fold):
        fold(created("child", parent_id="late"))
        view = fold_view(RunView(), delta := store.changes("late", Cursor()))
        fold(created("late"))
        view = fold_view(view, store.changes("late", delta.cursor))
        assert list(view.children) == ["child"]

    def test_children_show_the_last_value_whether_it_is_settled_or_recent(self, store, fold):
        fold(created("child", parent_id="run"), *points([1.0, 2.0], "a", "child"), *points(["x"], "b", "child"))
        (child,) = store.changes("run", Cursor()).children
        assert child.last == {"a": 2.0, "b": "x"}
        fold(status(RunStatus.COMPLETED, "child"))
        (child,) = store.changes("run", Cursor()).children
        assert child.last == {"a": 2.0, "b": "x"}

    @pytest.mark.usefixtures("small_sizes")
    @pytest.mark.parametrize("last", ["text", float("nan")])
    def test_a_run_whose_last_value_is_no_number_any_more_is_not_ranked(self, store, fold, last):
        fold(*points(range(40), "loss"))
        fold(*points([last], "loss"))
        assert store.find(RunQuery(order_by="loss")) == []

    @pytest.mark.usefixtures("small_sizes")
    def test_the_best_run_is_found_where_a_running_one_was_better_once(self, store, fold):
        fold(created("a"), created("b"), *points([1.0] * 40, "loss", "a"), *points([2.0] * 40, "loss", "b"))
        fold(*points([3.0], "loss", "a"))
        assert store.find(RunQuery(order_by="loss", limit=1)) == ["b"]

    def test_runs_are_ranked_by_the_last_value_of_a_vector_running_ones_too(self, store, fold):
        numbers = {"a": [5.0], "b": [1, 3], "c": [float("nan")], "d": [-2.5], "e": ["text"], "f": [float("inf")]}
        for run_id, logged in numbers.items():
            fold(created(run_id), *points(logged, "loss", run_id))
        fold(created("g"), rows({"x": [1]}, "loss", "g"))
        for final in ("b", "c", "e"):
            fold(status(RunStatus.COMPLETED, final))
        fold(*points([4.0], "loss", "d"))
        ranked = RunQuery(experiment="exp", order_by="loss")
        assert store.find(ranked) == ["b", "d", "a", "f"]
        assert store.find(RunQuery(experiment="exp", order_by="loss", descending=True, limit=2)) == ["f", "a"]
        assert store.find(RunQuery(experiment="exp", order_by="loss", limit=1)) == ["b"]
        assert store.find(RunQuery(experiment="other", order_by="loss")) == []
        assert store.find(RunQuery(experiment="exp", limit=2)) == ["g", "f"]


def block_values(block):
    return block.columns[""].to_list()


class Plain:
    """Reads a run's metrics whole, as if there were no summaries."""

    def __init__(self, store):
        self._store = store

    def changes(self, run_id, cursor):
        delta = self._store.changes(run_id, cursor)
        return type(delta)(cursor=delta.cursor, run=delta.run, metrics=tuple(self._store.metrics(run_id)))
