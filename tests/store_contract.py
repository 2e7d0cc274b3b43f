"""What every store promises, as tests: a backend's own test module derives from `StoreContract`.

The subclass has a fixture ``make_store``: a function that opens one more `Store` on the same, at first empty, database.
"""

from __future__ import annotations

import os
import threading

import pytest
from msgspec import structs

from runwidgets.columns import pack_column
from runwidgets.errors import UserError
from runwidgets.events import (
    FileStored,
    JournalOpened,
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
from runwidgets.metrics import sdk_metrics
from runwidgets.records import Cursor, MetricKind, RunError, RunQuery, RunStatus
from runwidgets.system import this_process


class Folder:
    """Folds events as if they were the next bytes of a journal."""

    def __init__(self, store, journal_id="journal-1"):
        self.store = store
        self.journal_id = journal_id

    def __call__(self, *events):
        start = self.store.folded_bytes(self.journal_id)
        assert self.store.fold(self.journal_id, start, start + 10 * len(events), events)


def opened(journal_id="journal-1", at=1.0):
    return JournalOpened(journal_id, at, "host", "boot", 77, 5.0)


def created(run_id="run", at=10.0, parent_id=None, experiment="exp", name=None):
    return RunCreated(run_id, at, experiment, parent_id, name)


def status(status, run_id="run", at=20.0, error=None):
    return StatusSet(run_id, at, status, error)


def points(values, name="m", run_id="run", first=0):
    return [PointLogged(run_id, name, 100.0 + n, value, n) for n, value in enumerate(values, first)]


def rows(columns, name="t", run_id="run", kind=MetricKind.TABLE, at=100.0):
    return RowsLogged(run_id, at, name, kind, {name: pack_column(cells) for name, cells in columns.items()})


class StoreContract:
    @pytest.fixture
    def store(self, make_store):
        return make_store()

    @pytest.fixture
    def fold(self, store):
        fold = Folder(store)
        fold(opened(), created())
        return fold

    # ---- deleting runs

    @pytest.mark.usefixtures("fold")
    def test_a_deleted_run_is_gone_with_all_below_it_and_all_that_they_logged(self, store):
        Folder(store)(
            *points([1.0]),
            status(RunStatus.COMPLETED),
            *(created(run_id, parent_id=parent_id) for run_id, parent_id in [("a", "run"), ("b", "a"), ("c", None)]),
            *points([2.0], run_id="b"),
            TagsSet("b", 1.0, {"tag": "1"}),
            *(status(RunStatus.COMPLETED, run_id) for run_id in "abc"),
        )
        cursor, version = store.changes("b", Cursor()).cursor, store.version()
        assert store.delete_runs(["a", "b", "unknown"], 40.0) == ["a", "b"]
        assert store.find(RunQuery(deep=True)) == ["c", "run"]
        assert store.run("b") is None
        assert store.metrics("b") == store.files("b") == store.described(["a", "b"]) == []
        assert sdk_metrics(store.metrics("run"), "run") == {"m": 1.0}
        assert store.changes("b", cursor).is_empty
        assert store.version() > version
        assert store.experiments()[0].run_count == 2
        assert store.delete_runs(["a"], 41.0) == []

    @pytest.mark.usefixtures("fold")
    def test_what_comes_late_for_a_deleted_run_is_dropped(self, store):
        fold = Folder(store)
        fold(status(RunStatus.COMPLETED))
        store.delete_runs(["run"], 40.0)
        fold(*points([1.0]), TagsSet("run", 41.0, {"tag": "1"}))
        assert store.run("run") is None

    def test_no_run_is_deleted_while_one_of_them_goes_on(self, store):
        process = this_process()
        Folder(store)(
            JournalOpened("journal-1", 1.0, process.host, process.boot_id, process.pid, process.started_at),
            *(created("a"), created("b", parent_id="a"), created("c")),
            *(status(RunStatus.COMPLETED, "a"), status(RunStatus.RUNNING, "b"), status(RunStatus.COMPLETED, "c")),
        )
        with pytest.raises(UserError, match=r"a run below it, is going on \(b\): end them"):
            store.delete_runs(["c", "a"], 40.0)
        assert store.find(RunQuery(deep=True)) == ["c", "b", "a"]

    # ---- runs that come from elsewhere

    @pytest.mark.usefixtures("fold")
    def test_adopted_runs_are_there_whole_and_belong_to_no_process(self, store):
        version = store.version()
        store.adopt([created("new", at=5.0), *points([1.0, 2.0], run_id="new"), status(RunStatus.COMPLETED, "new")])
        found = store.run("new")
        assert (found.owner, found.status, found.created_at, found.number) == (None, RunStatus.COMPLETED, 5.0, 2)
        assert sdk_metrics(store.metrics("new"), "new") == {"m": [1.0, 2.0]}
        assert store.version() > version
        assert store.owner("run") is not None

    @pytest.mark.usefixtures("fold")
    def test_no_run_is_adopted_where_one_of_them_is_there_already(self, store):
        with pytest.raises(UserError, match="runs of these ids already: run"):
            store.adopt([created("new"), created("run")])
        assert store.find(RunQuery(deep=True)) == ["run"]

    @pytest.mark.usefixtures("fold")
    def test_a_deleted_run_can_be_adopted_again(self, store):
        Folder(store)(status(RunStatus.COMPLETED))
        store.delete_runs(["run"], 40.0)
        store.adopt([created(at=10.0), *points([1.0])])
        assert sdk_metrics(store.metrics("run"), "run") == {"m": 1.0}

    # ---- finding by ids

    def test_runs_are_found_by_the_beginning_of_their_ids(self, store):
        Folder(store)(opened(), *(created(run_id) for run_id in ["ab", "abc", "abé", "a_c", "ac", "AB", "b"]))
        found = {
            prefix: store.find(RunQuery(id_prefix=prefix, deep=True)) for prefix in ("ab", "a_", "a%", "a", "abc", "z")
        }
        assert found == {
            "ab": ["abé", "abc", "ab"],
            "a_": ["a_c"],
            "a%": [],
            "a": ["ac", "a_c", "abé", "abc", "ab"],
            "abc": ["abc"],
            "z": [],
        }
        assert store.find(RunQuery(id_prefix="a", limit=2)) == ["ac", "a_c"]

    # ---- folding

    def test_a_new_store_is_empty(self, store):
        assert store.folded_bytes("journal-1") == 0
        assert store.run("run") is store.owner("run") is None
        assert store.runs(experiment="exp") == store.runs(parent_id="run") == store.metrics("run") == []
        assert store.tags("run") == store.properties("run") == {}
        assert store.files("run") == []
        assert store.changes("run", Cursor()).is_empty

    def test_a_stretch_of_a_journal_is_folded_just_once(self, store):
        events = [opened(), created(), *points([1.0])]
        assert store.fold("journal-1", 0, 50, events)
        version = store.version()
        assert not store.fold("journal-1", 0, 50, events)
        assert not store.fold("journal-1", 0, 90, [*events, *points([2.0])])
        assert not store.fold("journal-1", 60, 70, points([2.0]))
        assert sdk_metrics(store.metrics("run"), "run") == {"m": 1.0}
        assert (store.version(), store.folded_bytes("journal-1")) == (version, 50)
        assert store.runs(experiment="exp")[0].number == 1

    def test_of_many_who_fold_the_same_stretch_at_once_one_does(self, make_store):
        stores = [make_store() for _ in range(6)]
        barrier = threading.Barrier(6)
        done = []

        def fold(store):
            barrier.wait()
            done.append(store.fold("journal-1", 0, 50, [opened(), created(), *points([1.0, 2.0])]))

        threads = [threading.Thread(target=fold, args=(store,)) for store in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(done) == [False] * 5 + [True]
        assert sdk_metrics(stores[0].metrics("run"), "run") == {"m": [1.0, 2.0]}

    @pytest.mark.usefixtures("fold")
    def test_a_fold_that_fails_leaves_nothing_and_can_be_done_again(self, store):
        bad = TagsSet("run", 1.0, {"a": object()})
        start = store.folded_bytes("journal-1")
        version = store.version()
        with pytest.raises(Exception):  # noqa: B017, PT011 (each driver has its own)
            store.fold("journal-1", start, start + 10, [*points([1.0]), status(RunStatus.RUNNING), bad])
        assert (store.folded_bytes("journal-1"), store.version(), store.metrics("run")) == (start, version, [])
        assert store.run("run").status is RunStatus.NOT_STARTED
        assert store.fold("journal-1", start, start + 10, points([1.0]))

    def test_damage_without_events_is_folded_past(self, store):
        assert store.fold("journal-1", 0, 30, [])
        assert store.folded_bytes("journal-1") == 30

    def test_every_change_raises_the_version(self, store, fold):
        seen = [store.version()]
        for event in (points([1.0])[0], TagsSet("run", 1.0, {"a": "b"}), status(RunStatus.RUNNING)):
            fold(event)
            seen.append(store.version())
        assert seen == sorted(set(seen))

    def test_another_connection_reads_what_was_folded(self, make_store, fold):
        fold(*points([1.0]))
        other = make_store()
        assert other.run("run") == fold.store.run("run")
        assert sdk_metrics(other.metrics("run"), "run") == {"m": 1.0}

    # ---- runs and their owners

    def test_a_run_is_read_as_it_was_recorded(self, store, fold):
        error = RunError("ValueError", "bad", "Traceback …")
        fold(created("child", 11.0, "run", name="the child"), status(RunStatus.RUNNING, "child", 12.0))
        fold(status(RunStatus.FAILED, "child", 13.0, error))
        record = store.run("child")
        assert (record.run_id, record.experiment, record.parent_id, record.name) == ("child", "exp", "run", "the child")
        assert (record.number, record.status, record.error) == (2, RunStatus.FAILED, error)
        assert (record.created_at, record.started_at, record.ended_at) == (11.0, 12.0, 13.0)

    @pytest.mark.usefixtures("fold")
    def test_the_owner_is_the_process_that_created_the_run_with_its_last_beat(self, store):
        Folder(store, "journal-2")(opened("journal-2"), *points([1.0]))
        owner = store.owner("run")
        assert (owner.journal_id, owner.host, owner.pid, owner.beat_at) == ("journal-1", "host", 77, 1.0)
        version = store.version()
        store.beat("journal-1", 99.0)
        assert store.owner("run").beat_at == store.run("run").owner.beat_at == 99.0
        assert store.version() == version, "a beat is no change"

    def test_runs_are_numbered_by_experiment_and_listed_newest_first_without_children(self, store, fold):
        fold(created("b"), created("c", parent_id="b"), created("d", parent_id="b"), created("x", experiment="other"))
        assert [(r.run_id, r.number) for r in store.runs(experiment="exp")] == [("b", 2), ("run", 1)]
        assert [(r.run_id, r.number) for r in store.runs(parent_id="b")] == [("d", 4), ("c", 3)]
        assert [(r.run_id, r.number) for r in store.runs(experiment="other")] == [("x", 1)]

    def test_a_final_status_stays(self, store, fold):
        fold(status(RunStatus.COMPLETED, at=30.0))
        fold(status(RunStatus.FAILED, at=40.0, error=RunError("E", "late")), status(RunStatus.RUNNING, at=50.0))
        record = store.run("run")
        assert (record.status, record.ended_at, record.error) == (RunStatus.COMPLETED, 30.0, None)

    def test_the_states_of_a_run_come_with_its_changes_by_time_each_once(self, store, fold):
        assert store.changes("run", Cursor()).history == ()
        fold(status(RunStatus.QUEUED, at=11.0), status(RunStatus.RUNNING, at=12.5), status(RunStatus.RUNNING, at=13.0))
        delta = store.changes("run", Cursor())
        assert [(change.status, change.at) for change in delta.history] == [("Queued", 11.0), ("Running", 12.5)]
        fold(*points([1.0]), status(RunStatus.FAILED, at=20.0))
        fold(status(RunStatus.RUNNING, at=21.0))  # of an older journal
        later = store.changes("run", delta.cursor)
        assert [(change.status, change.at) for change in later.history[1:]] == [("Running", 12.5), ("Failed", 20.0)]
        store.delete_runs(["run"], 30.0)
        fold(created(at=31.0), status(RunStatus.RUNNING, at=32.0))
        assert [change.at for change in store.changes("run", Cursor()).history] == [32.0]

    def test_the_first_start_counts(self, store, fold):
        fold(status(RunStatus.RUNNING, at=20.0), status(RunStatus.RUNNING, at=30.0))
        assert store.run("run").started_at == 20.0

    def test_what_is_logged_to_a_run_is_kept_though_its_creation_comes_later(self, store):
        Folder(store, "journal-2")(opened("journal-2"), *points([1.0]))
        assert store.run("run").number is None
        Folder(store)(opened(), created())
        record = store.run("run")
        assert (record.experiment, record.number, record.owner.journal_id) == ("exp", 1, "journal-1")
        assert sdk_metrics(store.metrics("run"), "run") == {"m": 1.0}

    def test_a_journal_whose_head_is_lost_is_folded_all_the_same(self, store):
        Folder(store)(created(), *points([1.0]))
        assert store.owner("run").pid == 0
        assert sdk_metrics(store.metrics("run"), "run") == {"m": 1.0}

    def test_the_end_of_a_journal_fails_the_runs_it_left_and_no_others(self, store, fold):
        fold(created("done"), status(RunStatus.COMPLETED, "done"), created("left", parent_id="run"))
        Folder(store, "journal-2")(opened("journal-2"), created("others"), *points([1.0]))
        assert sorted(store.end_journal("journal-1", 60.0)) == ["left", "run"]
        assert store.end_journal("journal-1", 61.0) == []
        record = store.run("left")
        assert (record.status, record.ended_at) == (RunStatus.FAILED, 60.0)
        assert "without run.complete()" in record.error.message
        assert store.run("done").status is RunStatus.COMPLETED
        assert store.run("others").status is RunStatus.NOT_STARTED

    def test_progress_remembers_where_its_kind_began(self, store, fold):
        fold(ProgressMade("run", 10.0, 1.0, 30.0, "epoch"), ProgressMade("run", 20.0, 5.0, 30.0, "epoch"))
        progress = store.run("run").progress
        assert (progress.done, progress.at, progress.first_done, progress.first_at) == (5.0, 20.0, 1.0, 10.0)
        fold(ProgressMade("run", 30.0, 2.0, 30.0, "epoch"))
        assert store.run("run").progress.first_at == 30.0, "it began again"
        fold(ProgressMade("run", 40.0, 3.0, None, "epoch"))
        assert store.run("run").progress.first_at == 40.0, "it counts towards something else"

    # ---- tags, properties, files

    def test_tags_can_be_set_anew_and_properties_cannot(self, store, fold):
        fold(TagsSet("run", 1.0, {"a": "1", "none": None}), PropertiesAdded("run", 1.0, {"p": "1"}))
        fold(TagsSet("run", 2.0, {"a": "2", "b\0": "\0"}), PropertiesAdded("run", 2.0, {"p": "2", "q": ""}))
        assert store.tags("run") == {"a": "2", "none": None, "b\0": "\0"}
        assert store.properties("run") == {"p": "1", "q": ""}

    def test_removed_tags_are_gone_until_set_again(self, store, fold):
        fold(TagsSet("run", 1.0, {"a": "1", "b": "2"}), TagsRemoved("run", 2.0, ["a", "unknown"]))
        assert store.tags("run") == {"b": "2"}
        fold(TagsSet("run", 3.0, {"a": "3"}))
        assert store.tags("run") == {"a": "3", "b": "2"}

    def test_a_run_is_renamed_and_described_each_by_itself(self, store, fold):
        fold(created("named", name="first"), RunDescribed("named", 1.0, description="text"))
        assert (store.run("named").name, store.run("named").description) == ("first", "text")
        fold(RunDescribed("named", 2.0, name="second"))
        assert (store.run("named").name, store.run("named").description) == ("second", "text")
        assert store.run("run").description is None

    def test_runs_are_found_by_what_they_are_newest_first(self, store, fold):
        fold(created("a", parent_id="run"), created("b", parent_id="a"), created("x", experiment="other"))
        fold(TagsSet("a", 1.0, {"k": "1", "none": None}), PropertiesAdded("b", 1.0, {"k": "1"}))
        fold(status(RunStatus.COMPLETED, "b"), RunCreated("typed", 1.0, "exp", None, None, "hyperdrive"))
        expected = [
            (RunQuery(experiment="exp"), ["typed", "run"]),
            (RunQuery(experiment="exp", deep=True), ["typed", "b", "a", "run"]),
            (RunQuery(below="run"), ["a"]),
            (RunQuery(below="run", deep=True), ["b", "a"]),
            (RunQuery(), ["typed", "x", "run"]),
            (RunQuery(deep=True, tags={"k": None}), ["a"]),
            (RunQuery(deep=True, tags={"k": "1", "none": None}), ["a"]),
            (RunQuery(deep=True, tags={"k": "2"}), []),
            (RunQuery(below="run", deep=True, properties={"k": "1"}), ["b"]),
            (RunQuery(deep=True, status=RunStatus.COMPLETED), ["b"]),
            (RunQuery(type="hyperdrive"), ["typed"]),
            (RunQuery(experiment="unknown"), []),
            (RunQuery(below="unknown", deep=True), []),
        ]
        assert [(query, store.find(query)) for query, _ in expected] == expected

    def test_runs_are_found_page_by_page(self, store, fold):
        fold(*(created(f"run-{n}") for n in range(5)), created("x", experiment="other"))
        for query in (RunQuery(experiment="exp", limit=2), RunQuery(limit=2)):
            pages, before = [], None
            while page := store.find(structs.replace(query, before=before)):
                pages.append(page)
                before = page[-1]
            whole = store.find(structs.replace(query, limit=None))
            assert [run_id for page in pages for run_id in page] == whole
            assert [len(page) for page in pages] == [2] * (len(whole) // 2) + [1] * (len(whole) % 2)
        assert store.find(RunQuery(experiment="exp", before="unknown")) == []

    def test_a_circle_of_parents_is_searched_once(self, store, fold):
        fold(created("a", parent_id="b"), created("b", parent_id="a"))
        assert sorted(store.find(RunQuery(below="a", deep=True))) == ["a", "b"]

    def test_described_runs_come_with_tags_and_properties_in_the_order_asked_for(self, store, fold):
        fold(created("b"), TagsSet("b", 1.0, {"k": None}), PropertiesAdded("run", 1.0, {"p": "1"}))
        first, second = store.described(["run", "unknown", "b"])
        assert (first.run, first.tags, first.properties) == (store.run("run"), {}, {"p": "1"})
        assert (second.run, second.tags, second.properties) == (store.run("b"), {"k": None}, {})
        assert store.described([]) == []

    def test_files_are_listed_by_path_each_as_last_stored(self, store, fold):
        fold(FileStored("run", 1.0, "b", 10), FileStored("run", 2.0, "a", 20), FileStored("run", 3.0, "b", 30))
        assert [(f.path, f.size, f.stored_at) for f in store.files("run")] == [("a", 20, 2.0), ("b", 30, 3.0)]

    # ---- metrics

    def test_metrics_are_listed_in_the_order_in_which_they_were_first_logged(self, store, fold):
        fold(*points([1], "z"), *points([2], "a"))
        fold(*points([3], "m"), *points([4], "a"))
        assert [m.name for m in store.metrics("run")] == ["z", "a", "m"]
        assert [m.name for m in store.metrics("run", "a")] == ["a"]
        assert store.metrics("run", "unknown") == []

    def test_a_series_longer_than_a_block_is_read_whole_and_from_any_row(self, store, fold):
        count = 40_000
        fold(*points(range(count)))
        (metric,) = store.metrics("run")
        assert metric.row_count == count
        assert len(metric.blocks) > 1
        for first in (0, 1, 16_383, 16_384, 16_385, count - 1, count):
            delta = store.changes("run", Cursor(0, {"m": first}))
            found = [v for b in delta.metrics[0].blocks for v in b.columns[""].to_list()]
            assert found == list(range(first, count))
            assert all(b.first_index == b.columns[""].to_list()[0] for b in delta.metrics[0].blocks)
            assert [s for b in delta.metrics[0].blocks for s in b.steps.to_list()] == found

    @pytest.mark.parametrize("in_one_fold", [True, False])
    def test_rows_with_other_columns_are_padded_with_none(self, store, fold, in_one_fold):
        events = [rows({"x": [1], "y": ["a"]}), rows({"x": [2], "z": [True]}), rows({}), *points([7.5], "t")]
        if in_one_fold:
            fold(*events)
        else:
            for event in events:
                fold(event)
        (metric,) = store.metrics("run")
        assert metric.kind is MetricKind.TABLE
        assert sdk_metrics([metric], "run")["t"] == {
            "x": [1, 2, None],
            "y": ["a", None, None],
            "z": [None, True, None],
            "t": [None, None, 7.5],
        }

    def test_steps_and_times_belong_to_their_rows(self, store, fold):
        fold(PointLogged("run", "m", 1.5, 1, 10), rows({"": [2, 3]}, "m", kind=MetricKind.VECTOR, at=2.5))
        fold(PointLogged("run", "m", 3.5, 4, 2.5))
        (metric,) = store.metrics("run")
        assert [s for b in metric.blocks for s in b.steps.to_list()] == [10, None, None, 2.5]
        assert [t for b in metric.blocks for t in b.times.to_list()] == [1_500_000, 2_500_000, 2_500_000, 3_500_000]

    # ---- changes

    def test_changes_from_cursor_to_cursor_add_up_to_the_whole(self, store, fold):
        cursor, found = Cursor(), {"m": [], "n": []}
        for n in range(10):
            if n % 3 == 0:
                fold(*points([n], "m"), *points([n, -n], "n"))
            elif n % 3 == 1:
                fold(*points(range(n), "m"))
            else:
                fold(TagsSet("run", 1.0, {"n": str(n)}))
            delta = store.changes("run", cursor)
            for metric in delta.metrics:
                found[metric.name] += [v for b in metric.blocks for v in b.columns[""].to_list()]
            cursor = delta.cursor
            assert store.changes("run", cursor).is_empty
        assert found == {m.name: [v for b in m.blocks for v in b.columns[""].to_list()] for m in store.metrics("run")}
        assert cursor.rows == {"m": len(found["m"]), "n": len(found["n"])}

    def test_a_change_brings_what_changed_and_nothing_else(self, store, fold):
        fold(*points([1.0]), *points([1.0], "other"), FileStored("run", 1.0, "a", 1), created("child", parent_id="run"))
        cursor = store.changes("run", Cursor()).cursor
        fold(*points([2.0], first=1))
        delta = store.changes("run", cursor)
        (metric,) = delta.metrics
        assert (metric.name, metric.row_count, len(metric.blocks), metric.blocks[0].first_index) == ("m", 2, 1, 1)
        assert (delta.files, delta.children) == ((), ())

    def test_a_change_of_another_run_is_none_of_this_one(self, store, fold):
        fold(created("other"))
        cursor = store.changes("run", Cursor()).cursor
        fold(*points([1.0], run_id="other"))
        delta = store.changes("run", cursor)
        assert delta.is_empty
        assert delta.cursor.version > cursor.version

    def test_children_that_changed_come_with_the_vectors_that_changed(self, store, fold):
        fold(created("a", parent_id="run"), created("b", parent_id="run"), created("deep", parent_id="a"))
        fold(*points([1.0, 2.0], "loss", "a"), *points([5.0], "acc", "a"), rows({"x": [1]}, "table", "a"))
        delta = store.changes("run", Cursor())
        assert {c.run.run_id: c.last for c in delta.children} == {"a": {"loss": 2.0, "acc": 5.0}, "b": {}}
        fold(*points([3.0], "loss", "a"), *points([1.0], "loss", "deep"))
        after = store.changes("run", delta.cursor)
        assert {c.run.run_id: c.last for c in after.children} == {"a": {"loss": 3.0}}
        assert after.run is None

    def test_children_that_changed_come_with_all_their_tags_and_properties(self, store, fold):
        fold(created("a", parent_id="run"), created("b", parent_id="run"))
        fold(TagsSet("a", 1.0, {"lr": "0.1", "starred": None}), PropertiesAdded("a", 1.0, {"data": "iris"}))
        delta = store.changes("run", Cursor())
        found = {c.run.run_id: (c.tags, c.properties) for c in delta.children}
        assert found == {"a": ({"lr": "0.1", "starred": None}, {"data": "iris"}), "b": ({}, {})}
        fold(TagsSet("a", 2.0, {"lr": "0.2"}), TagsRemoved("a", 2.0, ["starred"]))
        (after,) = store.changes("run", delta.cursor).children
        assert (after.tags, after.properties) == ({"lr": "0.2"}, {"data": "iris"})

    def test_children_tell_which_vectors_have_more_than_one_row(self, store, fold):
        fold(created("a", parent_id="run"), *points([1.0], "alpha", "a"), *points([1.0], "loss", "a"))
        delta = store.changes("run", Cursor())
        assert [c.repeated for c in delta.children] == [frozenset()]
        fold(*points([2.0], "loss", "a", first=1))
        (after,) = store.changes("run", delta.cursor).children
        assert after.repeated == {"loss"}
        fold(StatusSet("a", 3.0, RunStatus.COMPLETED))  # which settles the rows
        (late,) = store.changes("run", Cursor()).children
        assert (late.repeated, late.last) == ({"loss"}, {"alpha": 1.0, "loss": 2.0})

    def test_a_run_that_comes_after_the_first_look_is_seen_whole(self, store):
        cursor = store.changes("run", Cursor()).cursor
        Folder(store)(opened(), created(), *points([1.0]), TagsSet("run", 1.0, {"a": "b"}))
        delta = store.changes("run", cursor)
        assert (delta.run.run_id, delta.tags, len(delta.metrics)) == ("run", {"a": "b"}, 1)

    # ---- threads and forks

    @pytest.mark.usefixtures("fold")
    def test_readers_see_whole_folds_only_while_another_connection_folds(self, make_store, store):
        writer = Folder(make_store())
        torn = []
        done = threading.Event()

        def read():
            while not done.is_set():
                counts = {m.name: m.row_count for m in store.metrics("run")}
                if len(set(counts.values())) > 1:
                    torn.append(counts)

        reader = threading.Thread(target=read)
        reader.start()
        for n in range(100):
            writer(*points([n, n], "a"), *points([n, n], "b"))
        done.set()
        reader.join()
        assert torn == []

    def test_a_closed_store_opens_again_when_it_is_asked(self, store, fold):
        store.close()
        assert store.run("run") is not None
        fold(*points([1.0]))

    @pytest.mark.usefixtures("fold")
    def test_no_thread_is_in_the_store_while_the_process_forks(self, store):
        store.suspend()
        asked = threading.Thread(target=store.version, daemon=True)
        asked.start()
        asked.join(0.05)
        assert asked.is_alive()
        store.resume(in_child=False)
        asked.join(30)
        assert not asked.is_alive()

    def test_a_forked_child_reads_and_writes(self, store, fold):
        store.suspend()
        store.resume(in_child=True)
        answered = []
        thread = threading.Thread(target=lambda: answered.append(store.version()), daemon=True)
        thread.start()
        thread.join(30)
        assert answered
        fold(*points([float(os.getpid())]))

    # ---- news of many runs

    def test_of_many_runs_those_are_news_that_changed_since_with_the_values_that_did(self, store, fold):
        fold(*(created(f"r{n}") for n in range(3)), *points([1.0, 2.0], run_id="r1"), *points([5.0], "b", "r1"))
        query = RunQuery(experiment="exp")
        first = store.news(query, -1)
        assert [one.run.run_id for one in first.runs] == ["r2", "r1", "r0", "run"]
        assert (first.total, first.runs[1].last) == (4, {"m": 2.0, "b": 5.0})
        assert store.news(query, first.version).runs == ()
        fold(*points([3.0], run_id="r1"), TagsSet("r0", 30.0, {"a": "b"}))
        second = store.news(query, first.version)
        assert [(one.run.run_id, one.tags, one.last) for one in second.runs] == [
            ("r1", {}, {"m": 3.0}),
            ("r0", {"a": "b"}, {}),
        ]
        assert second.total is None

    def test_news_are_those_of_the_query_only_and_at_first_the_newest(self, store, fold):
        fold(
            *(created(f"r{n}") for n in range(3)), created("child", parent_id="r1"), created("else", experiment="other")
        )
        first = store.news(RunQuery(experiment="exp", limit=2), -1)
        assert ([one.run.run_id for one in first.runs], first.total) == (["r2", "r1"], 4)
        chosen = RunQuery(ids=("else", "child"))
        assert {one.run.run_id for one in store.news(chosen, -1).runs} == {"else", "child"}
        fold(
            status(RunStatus.COMPLETED, "child"), status(RunStatus.COMPLETED, "else"), status(RunStatus.COMPLETED, "r0")
        )
        assert {one.run.run_id for one in store.news(chosen, first.version).runs} == {"else", "child"}
        assert [one.run.run_id for one in store.news(RunQuery(experiment="exp", limit=2), first.version).runs] == ["r0"]

    def test_news_tell_that_a_run_was_deleted(self, store, fold):
        fold(created("gone"), status(RunStatus.COMPLETED, "gone"))
        first = store.news(RunQuery(experiment="exp"), -1)
        store.delete_runs(["gone"], 50.0)
        second = store.news(RunQuery(experiment="exp"), first.version)
        assert (first.deleted_at, second.deleted_at, second.runs) == (None, 50.0, ())

    def test_heads_tell_of_metrics_with_those_rows_that_came_last(self, store, fold):
        fold(*points([1.0] * 3000), rows({"x": [1, 2], "y": [3, 4]}))
        fold(*points([7.0], first=3000), *points(["word"], "text"))
        heads = store.heads("run")
        assert [(one.name, one.kind, one.columns, one.row_count, one.last) for one in heads] == [
            ("m", MetricKind.VECTOR, ("",), 3001, 7.0), ("t", MetricKind.TABLE, ("x", "y"), 2, None),
            ("text", MetricKind.VECTOR, ("",), 1, "word"),
        ]  # fmt: skip
        assert store.heads("nobody") == []
