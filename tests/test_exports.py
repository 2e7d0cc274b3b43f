"""Metrics as DataFrames and files: every value comes back as it was logged."""

from __future__ import annotations

import json
import math
import re
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runwidgets import Experiment, NotFoundError, Workspace
from runwidgets.errors import MissingDependencyError
from runwidgets.exports import CSV_HEAD
from runwidgets.values import exact_wire_value, from_wire_value

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.one_of(
    st.floats(), st.integers(), st.sampled_from([2**63, 10**400, -(10**5000)]), TEXT, st.booleans(), st.none()
)


@pytest.fixture
def run():
    return Experiment(Workspace(), "exp").start_logging()


def exact(values):
    return [(type(v), hex(v) if isinstance(v, int) else repr(v)) for v in values]


# ---- frames


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1.5, math.nan, math.inf], "float64"),
        ([1, 2, -(2**63)], "int64"),
        ([True, False], "bool"),
        (["a", "b"], "string"),
        ([1, 2.5], "float64"),
        ([1.5, None, math.nan], "Float64"),
        ([1, None], "Int64"),
        ([True, None], "boolean"),
        (["a", None], "string"),
        ([1, "a", None, True], "object"),
        ([2**63, 1], "object"),
        ([2**53 + 1, 0.5], "object"),
        ([None, None], "object"),
    ],
)
@pytest.mark.parametrize("repeated", [1, 9])
def test_a_frame_has_the_type_and_the_values_that_were_logged(run, values, dtype, repeated):
    run.log_list("m", values * repeated)
    frame = run.get_metrics_frame("m")
    assert str(frame["value"].dtype) == dtype
    found = frame["value"].array
    for expected, value in zip(values * repeated, found, strict=True):
        if expected is None:
            assert value is None or value is pd.NA
        elif isinstance(expected, float) and math.isnan(expected):
            assert value is not pd.NA
            assert math.isnan(value)
        else:
            assert value == expected


def test_a_frame_has_steps_where_there_are_any_and_times(run):
    run.log("m", 1.0, step=10)
    run.log("m", 2.0)
    run.log("other", 1.0)
    frame = run.get_metrics_frame("m")
    assert list(frame.columns) == ["_step", "_time", "value"]
    assert frame["_step"].tolist() == [10, pd.NA]
    assert str(frame["_time"].dtype) == "datetime64[us, UTC]"
    assert abs(frame["_time"].iloc[0] - pd.Timestamp.now("UTC")) < pd.Timedelta(minutes=5)
    assert list(run.get_metrics_frame("other").columns) == ["_time", "value"]


def test_a_frame_of_a_table_has_its_columns_padded(run):
    run.log_row("t", x=1, y="a")
    run.log_row("t", x=2, z=0.5)
    frame = run.get_metrics_frame("t")
    assert list(frame.columns) == ["_time", "x", "y", "z"]
    assert frame["x"].tolist() == [1, 2]
    assert frame["y"].isna().tolist() == [False, True]
    assert frame["z"].isna().tolist() == [True, False]


def test_a_frame_of_nothing_is_empty_and_of_an_unknown_name_an_error(run):
    run.log_list("empty", [])
    assert len(run.get_metrics_frame("empty")) == 0
    with pytest.raises(NotFoundError, match=r"no metric 'nope'; it has: 'empty'"):
        run.get_metrics_frame("nope")


def test_a_frame_of_a_long_metric_is_whole(run):
    values = np.random.default_rng(0).normal(size=50_000)
    run.log_list("m", values)
    for value in range(300):
        run.log("m", float(value))
    assert run.get_metrics_frame("m")["value"].tolist() == [*values.tolist(), *map(float, range(300))]


@pytest.mark.parametrize(("library", "call"), [("pandas", "get_metrics_frame"), ("pyarrow", "to_parquet")])
def test_without_the_library_the_error_names_the_extra(run, monkeypatch, tmp_path, library, call):
    run.log("m", 1)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingDependencyError, match=r"runwidgets\[frames\]"):
        getattr(run, call)(*(["m"] if call == "get_metrics_frame" else [tmp_path / "a.parquet"]))


# ---- files


@given(st.lists(VALUES, min_size=1, max_size=15), st.lists(VALUES, min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_all_values_come_back_from_every_format(tmp_path_factory, values, cells):
    folder = tmp_path_factory.mktemp("exports")
    run = Experiment(Workspace(), "exp").start_logging()
    run.log_list('m, "1"\n', values)
    run.log_table("t", {"x": cells, "y": list(range(len(cells)))})
    expected = {('m, "1"\n', None): values, ("t", "x"): cells, ("t", "y"): list(range(len(cells)))}

    run.to_json(folder / "m.json")
    found = json.loads((folder / "m.json").read_text("utf-8"))
    columns = {(n, c if n == "t" else None): v for n, m in found.items() for c, v in m["columns"].items()}
    assert {key: exact(map(from_wire_value, v)) for key, v in columns.items()} == {
        k: exact(v) for k, v in expected.items()
    }

    run.to_csv(folder / "m.csv")
    text = (folder / "m.csv").read_bytes().decode()
    assert text.startswith(CSV_HEAD)
    read = {}
    for metric, column, _row, _step, _time, value in csv_rows(text[len(CSV_HEAD) :]):
        read.setdefault((metric, column), []).append(value)
    assert {key: exact(v) for key, v in read.items()} == {k: exact(v) for k, v in expected.items()}

    run.to_parquet(folder / "m.parquet")
    read = {}
    for row in pq.read_table(folder / "m.parquet").to_pylist():
        value = row["value"] if row["text"] is None else from_wire_value(json.loads(row["text"]))
        read.setdefault((row["metric"], row["column"]), []).append(value)
    as_numbers = {k: [float(v) if type(v) is int and abs(v) <= 2**53 else v for v in vs] for k, vs in expected.items()}
    assert {key: exact(v) for key, v in read.items()} == {k: exact(v) for k, v in as_numbers.items()}
    run.complete()


def csv_rows(text):
    """Read CSV in which quotes tell strings from all else."""
    cell = r'(?:"((?:[^"]|"")*)"|([^",\n]*))'
    for line in re.finditer(",".join([cell] * 6) + "\n", text):
        pairs = list(zip(line.groups()[::2], line.groups()[1::2], strict=True))
        yield [quoted.replace('""', '"') if quoted is not None else plain(word) for quoted, word in pairs]


def plain(word):
    words = {"": None, "true": True, "false": False}
    if word in words:
        return words[word]
    try:
        return int(word, 0)
    except ValueError:
        return float(word)


@given(VALUES)
def test_a_value_comes_back_from_its_wire_form(value):
    assert exact([from_wire_value(json.loads(json.dumps(exact_wire_value(value))))]) == exact([value])


def test_parquet_has_types_and_one_metric_is_written_alone(run, tmp_path):
    run.log("a", 1.0, step=3)
    run.log("b", "text")
    run.to_parquet(str(tmp_path / "a.parquet"), "a")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.schema.field("value").type == pa.float64()
    assert table.schema.field("_time").type == pa.timestamp("us", tz="UTC")
    assert table.select(["metric", "_step", "value"]).to_pylist() == [{"metric": "a", "_step": 3.0, "value": 1.0}]
    with pytest.raises(NotFoundError, match="'a', 'b'"):
        run.to_csv(tmp_path / "c.csv", "c")
