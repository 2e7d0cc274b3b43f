"""What every store promises of experiments, as tests: a backend's own test module derives from `ExperimentsContract`.

The subclass has the fixture ``make_store`` of `tests.store_contract.StoreContract`.
"""

from __future__ import annotations

import pytest

from runwidgets.errors import UserError
from runwidgets.events import FileStored, JournalOpened, PropertiesAdded, TagsSet
from runwidgets.records import Cursor, ExperimentRecord, RunQuery, RunStatus
from runwidgets.system import this_process
from tests.store_contract import Folder, created, opened, points, status


def full(run_id, experiment="exp", parent_id=None):
    """Give the events of a run that has something in every table, and has ended."""
    return (
        created(run_id, experiment=experiment, parent_id=parent_id),
        *points([1.0, 2.0], run_id=run_id),
        TagsSet(run_id, 1.0, {"tag": "1"}),
        PropertiesAdded(run_id, 1.0, {"property": "1"}),
        FileStored(run_id, 1.0, "a.txt", 3),
        status(RunStatus.COMPLETED, run_id),
    )


class ExperimentsContract:
    @pytest.fixture
    def store(self, make_store):
        return make_store()

    # ---- listing

    def test_experiments_are_listed_in_the_order_of_their_beginning_with_the_number_of_runs(self, store):
        assert store.experiments() == []
        Folder(store)(
            opened(),
            created("1", at=10.0, experiment="b"),
            created("2", at=11.0, experiment="a"),
            created("3", at=12.0, experiment="b", parent_id="1"),
        )
        assert store.experiments() == [
            ExperimentRecord("b", 10.0, None, 2, {}),
            ExperimentRecord("a", 11.0, None, 1, {}),
        ]
        assert store.experiments("a") == store.experiments()[1:]
        assert store.experiments("unknown") == []

    # ---- tags

    def test_an_experiment_begins_to_exist_when_it_is_tagged(self, store):
        store.tag_experiment("exp", {"a": "1", "b": None}, 5.0)
        assert store.experiments() == [ExperimentRecord("exp", 5.0, None, 0, {"a": "1", "b": None})]
        Folder(store)(opened(), created())
        assert store.experiments() == [ExperimentRecord("exp", 5.0, None, 1, {"a": "1", "b": None})]

    def test_tags_are_added_replaced_and_taken_away(self, store):
        store.tag_experiment("exp", {"a": "1", "b": "1"}, 5.0)
        store.tag_experiment("other", {"a": "1"}, 5.0)
        store.tag_experiment("exp", {"b": "2", "c": "3"}, 6.0)
        store.untag_experiment("exp", ["a", "unknown"])
        assert [record.tags for record in store.experiments()] == [{"b": "2", "c": "3"}, {"a": "1"}]
        store.untag_experiment("unknown", ["a"])
        assert len(store.experiments()) == 2

    # ---- archiving

    def test_an_archived_experiment_is_active_again_when_it_is_reactivated(self, store):
        Folder(store)(opened(), created(at=10.0))
        store.archive_experiment("exp", 20.0)
        assert store.experiments() == [ExperimentRecord("exp", 10.0, 20.0, 1, {})]
        store.reactivate_experiment("exp", 30.0)
        assert store.experiments() == [ExperimentRecord("exp", 10.0, None, 1, {})]

    def test_an_archived_experiment_is_active_again_when_a_later_run_of_it_begins(self, store):
        fold = Folder(store)
        fold(opened(), created("1", at=10.0))
        store.archive_experiment("exp", 20.0)
        fold(created("late", at=19.0))
        assert store.experiments()[0].archived_at == 20.0
        fold(created("2", at=21.0))
        assert store.experiments()[0].archived_at is None
        store.archive_experiment("exp", 30.0)
        assert store.experiments()[0].archived_at == 30.0

    def test_an_experiment_can_be_archived_before_its_first_run(self, store):
        store.archive_experiment("exp", 20.0)
        assert store.experiments() == [ExperimentRecord("exp", 20.0, 20.0, 0, {})]

    # ---- deleting

    def test_a_deleted_experiment_is_gone_with_all_of_its_runs_and_nothing_else_is(self, store):
        fold = Folder(store)
        fold(opened(), *full("1"), *full("2", "kept"), *full("child", parent_id="1"))
        store.tag_experiment("exp", {"a": "1"}, 5.0)
        kept = (store.described(["2"]), store.files("2"), len(store.metrics("2")[0].blocks[0]))
        assert store.delete_experiment("exp", 40.0) == ["1", "child"]
        assert [record.name for record in store.experiments()] == ["kept"]
        assert store.run("1") is store.run("child") is store.owner("1") is None
        assert store.metrics("1") == store.files("1") == store.described(["1", "child"]) == []
        assert store.find(RunQuery(deep=True)) == ["2"]
        assert (store.described(["2"]), store.files("2"), len(store.metrics("2")[0].blocks[0])) == kept

    def test_a_new_experiment_of_the_name_of_a_deleted_one_begins_anew(self, store):
        fold = Folder(store)
        fold(opened(), *full("1"))
        store.tag_experiment("exp", {"a": "1"}, 5.0)
        store.delete_experiment("exp", 40.0)
        fold(created("2", at=50.0))
        assert store.experiments() == [ExperimentRecord("exp", 50.0, None, 1, {})]
        assert store.run("2").number == 1
        assert store.described(["2"])[0].tags == {}
        assert store.metrics("2") == []

    def test_what_comes_late_for_a_deleted_run_is_dropped_until_a_run_of_that_id_is_created_again(self, store):
        fold = Folder(store)
        fold(opened(), *full("1"))
        store.delete_experiment("exp", 40.0)
        fold(
            *points([1.0], run_id="1"),
            TagsSet("1", 41.0, {"a": "b"}),
            created("1", at=39.0),
            *points([2.0], run_id="1"),
        )
        assert store.run("1") is None
        assert store.experiments() == []
        fold(*points([3.0], run_id="1"), created("1", at=50.0), *points([4.0], run_id="1"))
        assert store.run("1").number == 1
        fold(*points([5.0], run_id="1"))
        assert [v for b in store.metrics("1")[0].blocks for v in b.columns[""].to_list()][-1] == 5.0

    def test_a_reader_of_a_deleted_run_notices_and_reads_on(self, store):
        fold = Folder(store)
        fold(opened(), *full("1"))
        cursor = store.changes("1", Cursor()).cursor
        store.delete_experiment("exp", 40.0)
        delta = store.changes("1", cursor)
        assert delta.is_empty
        assert delta.cursor.version > cursor.version
        assert store.changes("1", Cursor()).is_empty

    @pytest.mark.parametrize("state", [RunStatus.RUNNING, RunStatus.QUEUED, RunStatus.FINALIZING])
    def test_nothing_is_deleted_while_a_run_goes_on_and_its_process_lives(self, store, state):
        process = this_process()
        fold = Folder(store)
        fold(
            JournalOpened("journal-1", 1.0, process.host, process.boot_id, process.pid, process.started_at),
            *full("1"),
            created("2"),
            status(state, "2"),
        )
        version = store.version()
        with pytest.raises(UserError, match=r"'exp' cannot be deleted .*\(2\): end them"):
            store.delete_experiment("exp", 40.0)
        assert store.version() == version
        assert store.find(RunQuery(deep=True)) == ["2", "1"]
        fold(status(RunStatus.COMPLETED, "2"))
        assert store.delete_experiment("exp", 40.0) == ["1", "2"]

    def test_of_many_runs_that_go_on_a_few_are_named(self, store):
        process = this_process()
        Folder(store)(
            JournalOpened("journal-1", 1.0, process.host, process.boot_id, process.pid, process.started_at),
            *(created(f"run-{n}") for n in range(9)),
        )
        with pytest.raises(UserError, match=r"\(run-0, run-1, run-2, run-3, run-4 and 4 more\)"):
            store.delete_experiment("exp", 40.0)

    def test_an_unfinished_run_of_a_process_that_is_gone_is_deleted(self, store):
        process = this_process()
        Folder(store)(
            JournalOpened("journal-1", 1.0, process.host, "an earlier boot", process.pid, process.started_at),
            created("1"),
            status(RunStatus.RUNNING, "1"),
        )
        assert store.delete_experiment("exp", 40.0) == ["1"]

    def test_an_unknown_experiment_has_nothing_to_delete(self, store):
        assert store.delete_experiment("unknown", 40.0) == []

    # ---- readers

    def test_every_change_of_an_experiment_raises_the_version(self, store):
        Folder(store)(opened(), *full("1"))
        versions = [store.version()]
        for change in (
            lambda: store.tag_experiment("exp", {"a": "1"}, 1.0),
            lambda: store.untag_experiment("exp", ["a"]),
            lambda: store.archive_experiment("exp", 1.0),
            lambda: store.reactivate_experiment("exp", 1.0),
            lambda: store.delete_experiment("exp", 40.0),
        ):
            change()
            versions.append(store.version())
        assert versions == sorted(set(versions))
