"""A run as its script and its readers have it: what is logged comes back unchanged, in the shapes of SDK v1."""

from __future__ import annotations

import io
import math
import sqlite3

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from runwidgets import Experiment, Run, RunStatus, Workspace
from runwidgets.errors import ArgumentTypeError, NotFoundError, StoreError, UserError
from runwidgets.store import recorder, sqlite
from runwidgets.store.recorder import close_all
from tests.test_values import TEXT, VALUES, exact, readable

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
ODD_NAMES = ["loss/train", "a" * 10_000, "🎉 损失", "<img src=x onerror=alert(1)>", "a\0b", "%s {}", " ", "..", "'; --"]


@pytest.fixture
def experiment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    yield Experiment(Workspace(), "exp")
    close_all()


@pytest.fixture
def run(experiment):
    return experiment.start_logging()


# ---- values


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.tuples(VALUES, st.none() | st.integers() | st.floats()), min_size=2))
def test_any_value_comes_back_unchanged(experiment, logged):
    run = experiment.start_logging()
    for value, step in logged:
        run.log("m", value, step=step)
    run.log_list("list", [value for value, _ in logged])
    for value, _ in logged:
        run.log_row("row", cell=value)
    run.log_table("table", {"column": [value for value, _ in logged]})
    run.complete()
    expected = exact([readable(value) for value, _ in logged])
    found = run.get_metrics()
    assert exact(found["m"]) == exact(found["list"]) == expected
    assert exact(found["row"]["cell"]) == exact(found["table"]["column"]) == expected
    (metric,) = run._recorder.store.metrics(run.id, "m")
    assert exact([s for b in metric.blocks for s in b.steps.to_list()]) == exact([step for _, step in logged])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(TEXT.filter(bool), TEXT, TEXT)
def test_any_name_comes_back_unchanged_and_can_be_asked_for(experiment, name, key, value):
    run = experiment.start_logging(name=name)
    run.log(name, 1)
    run.log_row("row", **{f"c{key}": 1})
    run.set_tags({key: value})
    run.add_properties({key: value})
    run.complete()
    assert run.get_metrics(name) == {readable(name): 1} or readable(name) == "row"
    assert run.get_metrics("row")["row"] == {f"c{readable(key)}": 1} or readable(name) == "row"
    assert run.get_tags() == run.get_properties() == {readable(key): readable(value)}
    assert Run(experiment, run.id).name == readable(name)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_metric_may_have_any_name(run, name):
    run.log(name, 1)
    run.log_table(f"table {name}", {name: [1, 2]})
    assert run.get_metrics(name) == {name: 1}
    assert run.get_metrics(f"table {name}") == {f"table {name}": {name: [1, 2]}}


WIDTHS = [
    *(np.dtype(f"{kind}{bits // 8}").type(3) for kind in "iu" for bits in (8, 16, 32, 64)),
    *(width(0.5) for width in (np.float16, np.float32, np.float64, np.longdouble)),
    np.uint64(2**64 - 1), np.int64(-(2**63)), np.array(2.5), np.array(7), np.bool_(True), np.str_("text"),
]  # fmt: skip


@pytest.mark.parametrize("value", WIDTHS)
def test_numpy_scalars_of_every_width_become_pythons(run, value):
    run.log("m", value, step=np.int64(7))
    run.log_row("r", x=value)
    run.log_list("l", [value, value])
    run.log_table("t", {"x": np.array([value, value])})
    plain = 0.5 if value.dtype == np.longdouble else value.item()
    assert exact(run.get_metrics()["m"]) == exact(plain)
    assert exact(run.get_metrics()["r"]["x"]) == exact(plain)
    assert exact(run.get_metrics()["l"]) == exact([plain, plain]) == exact(run.get_metrics()["t"]["x"])


def test_a_frame_of_pandas_is_a_table(run):
    run.log_table("t", pd.DataFrame({"x": [1, 2], 3: ["a", None], "z": [0.5, math.nan]}))
    table = run.get_metrics()["t"]
    assert table["x"] == [1, 2]
    assert table["3"][0] == "a"
    assert exact(table["z"]) == exact([0.5, math.nan])


def test_a_series_and_a_generator_are_lists(run):
    run.log_list("series", pd.Series([1.5, 2.5], index=[9, 8]))
    run.log_list("generator", (n for n in range(3)))
    assert run.get_metrics() == {"series": [1.5, 2.5], "generator": [0, 1, 2]}


@pytest.mark.parametrize(
    "cells", [(1, 2), [1, 2], np.array([1, 2]), pd.Series([1, 2]), range(1, 3), (n for n in (1, 2))]
)
def test_a_column_is_whatever_holds_several_values(run, cells):
    run.log_table("t", {"x": cells, "y": ["a", "b"]})
    assert run.get_metrics() == {"t": {"x": [1, 2], "y": ["a", "b"]}}


# ---- shapes


def test_nothing_logged_is_an_empty_dict(run):
    assert run.get_metrics() == run.get_metrics("unknown") == run.get_metrics(recursive=True) == {}


def test_a_lone_none_is_a_value_too(run):
    run.log("m", None)
    run.log_row("r", x=None)
    assert run.get_metrics() == {"m": None, "r": {"x": None}}
    assert run.get_metrics("m") == {"m": None}
    assert run.get_metrics(recursive=True) == {run.id: {"m": None, "r": {"x": None}}}


def test_one_value_is_itself_and_several_are_a_list_in_order(run):
    run.log("m", 1)
    assert run.get_metrics() == {"m": 1}
    run.log_list("m", [2, 3])
    run.log("m", "four")
    assert run.get_metrics("m") == {"m": [1, 2, 3, "four"]}


@pytest.mark.parametrize(("values", "shape"), [([], []), ([7], 7), ([7, 8], [7, 8])])
def test_a_list_of_one_is_itself_and_an_empty_one_is_empty(run, values, shape):
    run.log_list("l", values)
    assert run.get_metrics() == {"l": shape}


def test_one_row_is_a_dict_of_values_and_several_are_a_dict_of_lists(run):
    run.log_row("r", x=1, y=0.5)
    assert run.get_metrics() == {"r": {"x": 1, "y": 0.5}}
    run.log_row("r", x=2, y=0.25)
    assert run.get_metrics() == {"r": {"x": [1, 2], "y": [0.5, 0.25]}}


def test_rows_with_other_columns_are_padded_with_none(run):
    run.log_row("r", x=1)
    run.flush()
    run.log_row("r", y=2)
    run.log_table("r", {"x": [3, 4], "z": ["a", "b"]})
    assert run.get_metrics()["r"] == {
        "x": [1, None, 3, 4],
        "y": [None, 2, None, None],
        "z": [None, None, "a", "b"],
    }


@pytest.mark.parametrize(
    ("table", "shape"),
    [
        ({"x": [1], "y": (2,)}, {"x": 1, "y": 2}),
        ({"x": 1, "y": "text"}, {"x": 1, "y": "text"}),
        ({"x": [1, 2], "y": np.array([3.0, 4.0])}, {"x": [1, 2], "y": [3.0, 4.0]}),
        ({"x": []}, {"x": []}),
        ({}, {}),
    ],
)
def test_a_table_comes_back_by_column(run, table, shape):
    run.log_table("t", table)
    assert run.get_metrics() == {"t": shape}


def test_a_vector_that_becomes_a_table_keeps_its_values_under_its_name(run):
    run.log("m", 1)
    run.log_row("m", x=2)
    assert run.get_metrics() == {"m": {"m": [1, None], "x": [None, 2]}}


def test_recursive_gives_every_run_below_that_logged_something(run):
    child = run.child_run()
    deep = child.child_run()
    run.log("m", 1)
    deep.log("m", 2)
    assert run.get_metrics(recursive=True) == {run.id: {"m": 1}, deep.id: {"m": 2}}
    assert run.get_metrics("other", recursive=True) == {}


def test_an_image_is_the_identifier_of_its_first_file(run, tmp_path):
    (tmp_path / "any.name").write_bytes(PNG)
    run.log_image("picture", path=tmp_path / "any.name")
    run.log_image("picture", plot=Figure())
    first, second = sorted(run.get_file_names())
    assert first.startswith("picture_")
    assert first.endswith(".png")
    assert run.get_metrics() == {"picture": f"aml://artifactId/ExperimentRun/dcid.{run.id}/{first}"}
    run.download_file(second, tmp_path / "copy.png")
    assert (tmp_path / "copy.png").read_bytes().startswith(b"\x89PNG")


def test_pyplot_logs_the_figure_that_it_draws_on(run):
    plt.switch_backend("agg")
    figure = plt.figure(figsize=(1, 1), dpi=20)
    try:
        plt.plot([1, 2])
        run.log_image("picture", plot=plt)
    finally:
        plt.close(figure)
    image = run.get_metrics(populate=True)["picture"]
    assert image.data[:8] == PNG[:8]
    assert image.data[16:24] == (20).to_bytes(4, "big") * 2, "as large as the figure"
    assert image.filename.endswith(".png")


@pytest.mark.parametrize(
    "name", [*ODD_NAMES, "../../x", "/etc/x", "a/../b", "损" * 300, "C:\\x", "\ud800", "x" * 99 + "/y"]
)
def test_an_image_may_have_any_name(run, tmp_path, name):
    (tmp_path / "x").write_bytes(PNG)
    run.log_image(name, path=tmp_path / "x")
    (file,) = run.get_file_names()
    assert run._experiment.workspace._files.path(run.id, file).read_bytes() == PNG


# ---- errors at the call


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.log("m", [1]), "run.log does not support list type .*Use run.log_list instead"),
        (lambda r: r.log("m", range(3)), "does not support range"),
        (lambda r: r.log("m", np.ones(2)), "does not support ndarray"),
        (lambda r: r.log("", 1), "name is empty"),
        (lambda r: r.log(3, 1), "name is a str, not int"),
        (lambda r: r.log("m", 1, step="a"), "step is 'a'"),
        (lambda r: r.log_list("m", 3), "value is a int"),
        (lambda r: r.log_list("m", [[1]]), "element 0 is a list"),
        (lambda r: r.log_list("", [1]), "name is empty"),
        (lambda r: r.log_list("m", pd.DataFrame({"x": [1]})), "DataFrame, which has several columns: use log_table"),
        (lambda r: r.log_list("m", np.ones((2, 1))), "element 0 is a list"),
        (lambda r: r.log_row("m"), "got no columns"),
        (lambda r: r.log_row("m", x=[1]), "column x contains a list"),
        (lambda r: r.log_table("m", {"x": [1], "y": [1, 2]}), "Columns must have the same length"),
        (lambda r: r.log_table("m", [1]), "not a dict of columns"),
        (lambda r: r.log_table("m", {"x": [[1]]}), "column x: element 0"),
        (lambda r: r.log_table("m", {"1": [1], 1: [2]}), "two columns '1'"),
        (lambda r: r.log_table("m", pd.DataFrame([[1, 2]], columns=["x", "x"])), "two columns 'x'"),
        (lambda r: r.log_image("m"), "one of path and plot is required"),
        (lambda r: r.log_image("m", path="x", plot=Figure()), "both provided, only one"),
        (lambda r: r.log_image("m", plot=3), "Expected type"),
        (lambda r: r.log_image("m", path=__file__), "is malformed"),
        (lambda r: r.progress("a"), "both are numbers"),
        (lambda r: r.progress(1, "b"), "both are numbers"),
        (lambda r: r.set_tags("tag"), "tags are a dict"),
        (lambda r: r.set_tags({1: "a"}), "is no str"),
        (lambda r: r.add_properties("a"), "properties are a dict"),
        (lambda r: r.upload_file("../x", io.BytesIO()), "leads out"),
        (lambda r: r.upload_file("x", 3), "neither path nor stream"),
        (lambda r: r.fail(3), "give a str or an exception"),
        (lambda r: r.child_run(run_id="../x"), "run_id"),
    ],
)
def test_a_bad_argument_raises_at_the_call_and_leaves_nothing(run, call, message):
    run.flush()
    version = run._recorder.store.version()
    with pytest.raises(UserError, match=message):
        call(run)
    run.flush()
    assert run._recorder.store.version() == version
    assert run.get_status() == "Running"


@pytest.mark.parametrize("call", [lambda r: r.log_image("m", path="no"), lambda r: r.upload_file("m", "no")])
def test_a_missing_file_raises_at_the_call(run, call):
    with pytest.raises(FileNotFoundError):
        call(run)
    assert run.get_metrics() == {}
    assert run.get_file_names() == []


def test_a_wrong_type_is_also_a_type_error(run):
    with pytest.raises(TypeError):
        run.fail(3)
    assert issubclass(ArgumentTypeError, ValueError)


def test_what_is_no_number_is_kept_as_its_text(run):
    run.log("m", slice(1))
    run.log_row("r", x=object)
    assert run.get_metrics() == {"m": "slice(None, 1, None)", "r": {"x": "<class 'object'>"}}


# ---- tags, properties, files


def test_tags_add_up_and_are_text(run, caplog):
    run.tag("a")
    run.tag("b", 1)
    run.set_tags({"b": "2", "c": "3"})
    assert run.get_tags() == {"a": None, "b": "2", "c": "3"}
    assert [r.message for r in caplog.records] == ["the tag 'b' is set to the text of 1: tags are strings"]


def test_tags_can_be_given_at_the_start(experiment):
    assert experiment.start_logging(tags={"a": "b"}).get_tags() == {"a": "b"}


def test_properties_can_be_added_and_not_changed(run):
    run.add_properties({"a": 1})
    run.add_properties({"a": "1", "b": "2"})
    with pytest.raises(UserError, match="'a' is '1' already"):
        run.add_properties({"c": "3", "a": "4"})
    assert run.get_properties() == {"a": "1", "b": "2"}


def test_properties_are_added_unseen_while_the_store_is_away(run, monkeypatch):
    run.add_properties({"a": "1"})
    with monkeypatch.context() as patch:

        def away(*_):
            raise StoreError("the store is away")

        patch.setattr(type(run._recorder.store), "properties", away)
        run.add_properties({"b": "2"})
        with pytest.raises(UserError, match="'a' is '1' already"):
            run.add_properties({"a": "2"})
    assert run.get_properties() == {"a": "1", "b": "2"}


def test_a_file_goes_in_and_comes_out(run, tmp_path):
    (tmp_path / "in.txt").write_text("content")
    run.upload_file("outputs/./out.txt", str(tmp_path / "in.txt"))
    run.upload_file("stream", io.BytesIO(b"bytes"))
    assert run.get_file_names() == ["outputs/out.txt", "stream"]
    run.download_file("outputs/out.txt")
    assert (tmp_path / "out.txt").read_text() == "content"
    (tmp_path / "folder").mkdir()
    run.download_file("stream", tmp_path / "folder")
    run.download_file("stream", tmp_path / "new" / "other")
    assert (tmp_path / "folder" / "stream").read_bytes() == (tmp_path / "new" / "other").read_bytes() == b"bytes"
    with pytest.raises(NotFoundError, match=r"available files include: outputs/out\.txt,stream"):
        run.download_file("nothing")


# ---- life


def test_a_run_is_running_until_it_is_completed(run, experiment):
    other = Run(experiment, run.id)
    assert run.status == run.get_status() == other.get_status() == "Running"
    run.complete()
    assert run.status == run.get_status() == other.get_status() == "Completed"
    record = run._record()
    assert record.created_at <= record.started_at <= record.ended_at


@pytest.mark.parametrize(
    ("details", "code", "expected"),
    [
        (None, None, ("UserError", "The run was marked as failed.")),
        ("why", None, ("UserError", "why")),
        ("why", "MyCode", ("MyCode", "why")),
        (KeyError("k"), None, ("KeyError", "'k'")),
        (KeyError("k"), "MyCode", ("MyCode", "'k'")),
    ],
)
def test_a_failed_run_says_why(run, details, code, expected):
    run.fail(details, code)
    record = run._record()
    assert run.get_status() == record.status == "Failed"
    assert (record.error.code, record.error.message) == expected
    assert (record.error.traceback is not None) == isinstance(details, Exception)


def test_a_with_block_completes_its_run(experiment):
    with experiment.start_logging() as run:
        assert run.get_status() == "Running"
    assert run.get_status() == "Completed"


def test_an_error_in_a_with_block_fails_its_run_and_goes_on(experiment):
    with pytest.raises(ZeroDivisionError), experiment.start_logging() as run:
        _ = 1 / 0
    error = run._record().error
    assert (run.get_status(), error.code, error.message) == ("Failed", "ZeroDivisionError", "division by zero")
    assert "_ = 1 / 0" in error.traceback


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SystemExit(), "Completed"),
        (SystemExit(0), "Completed"),
        (SystemExit(2), "Failed"),
        (KeyboardInterrupt(), "Failed"),
    ],
)
def test_an_exit_from_a_with_block_ends_its_run_and_goes_on(experiment, error, status):
    run = experiment.start_logging()
    with pytest.raises(type(error)), run:
        raise error
    assert run.get_status() == status


def test_the_first_end_of_a_run_stays_and_is_what_everybody_sees(experiment):
    with experiment.start_logging() as run:
        other = Run(experiment, run.id)
        run.fail("first")
    other.complete()
    assert run.status == run.get_status() == other.status == other.get_status() == "Failed"
    assert run._record().error.message == "first"


def test_an_end_while_the_store_is_away_raises_nothing_and_is_recorded_later(monkeypatch, experiment, caplog):
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.02)
    monkeypatch.setattr(recorder, "FOLD_SECONDS", 3600.0)
    run = experiment.start_logging()
    run.flush()
    lock = sqlite3.connect(run._recorder.folder / "runs.sqlite", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    run.log("m", 1)
    run.complete()
    assert "the end of run" in caplog.text
    assert run.status == "Completed"
    with pytest.raises(StoreError):
        run.get_metrics()
    assert run.id in repr(run)
    lock.execute("ROLLBACK")
    lock.close()
    assert run.get_metrics() == {"m": 1}
    assert Run(experiment, run.id).get_status() == "Completed"


def test_a_run_that_is_given_no_name_is_called_by_its_id(experiment):
    assert (run := experiment.start_logging(run_id="a.b_c-1")).name == run.display_name == "run_a.b_c-1"
    assert experiment.start_logging(name="one").name == "one"
    assert experiment.start_logging(name="one", display_name="two").name == "two"


@pytest.mark.parametrize("run_id", ["", "-a", "a/b", "..", "a" * 256, "é", 3, "a\n"])
def test_a_run_id_that_could_be_no_folder_is_refused(experiment, run_id):
    with pytest.raises(UserError, match="run_id"):
        experiment.start_logging(run_id=run_id)


def test_a_run_id_is_given_once(experiment):
    experiment.start_logging(run_id="mine")
    with pytest.raises(UserError, match="has a run 'mine' already"):
        experiment.start_logging(run_id="mine")


def test_an_unknown_run_is_a_lookup_error(experiment):
    with pytest.raises(NotFoundError, match="'default' has no run 'nothing'"):
        Run(experiment, "nothing")


def test_a_run_opened_by_its_id_is_the_same_run_in_its_own_experiment(experiment):
    run = experiment.start_logging(name="one")
    again = Run(Experiment(experiment.workspace, "another"), run.id)
    assert again == run
    assert hash(again) == hash(run)
    assert (again.name, again.number, again.type, again.experiment.name) == ("one", 1, None, "exp")
    again.log("m", 1)
    assert run.get_metrics() == {"m": 1}
    assert run != experiment.start_logging()


def test_children_know_their_parent_and_come_newest_first(run):
    first = run.child_run(name="first")
    with run.child_run(run_id="second") as second:
        second.log("m", 1)
    assert [child.id for child in run.get_children()] == ["second", first.id]
    assert first.parent == run
    assert run.parent is None
    assert (first.number, second.number) == (2, 3)
    assert (first.get_status(), second.get_status()) == ("Running", "Completed")
    assert list(first.get_children()) == []


def test_a_run_prints_what_it_is(run):
    assert repr(run) == f"Run(Experiment: exp,\nId: {run.id},\nType: None,\nStatus: Running)"


def test_progress_is_recorded_as_numbers(run):
    run.progress(np.int64(1), total=np.float32(30), unit="epoch")
    progress = run._record().progress
    assert (progress.done, progress.total, progress.unit) == (1.0, 30.0, "epoch")


def test_statuses_tell_what_they_mean():
    assert {s for s in RunStatus if s.is_final} == {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED}
    assert {s.group for s in RunStatus} == {"waiting", "active", "done", "failed", "canceled", "silent"}
