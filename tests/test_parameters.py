"""What runs were started with, and which metric counts."""

import json

import pytest

from runwidgets.watch.ingredients import arguments_of
from runwidgets.watch.parameters import (
    arguments_from_parent,
    configured_primary,
    guessed_goal,
    is_internal,
    parsed,
    read_arguments,
    usual_primary,
)
from runwidgets.watch.secrecy import HIDDEN


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3), ("-0.5", -0.5), (".5", 0.5), ("1e-3", 0.001), ("2.", 2.0), ("0", 0),
        ("007", "007"), ("nan", "nan"), ("1_000", "1_000"), ("", ""), ("1.2.3", "1.2.3"), ("1\u0661", "1\u0661"),
        ("9" * 400, "9" * 400),
    ],
)  # fmt: skip
def test_a_text_is_the_number_that_it_writes_out_and_no_other(text, value):
    found = parsed(text)
    assert (found, type(found)) == (value, type(value))


def test_arguments_have_names_by_their_dashes_and_values_after_them():
    words = ["train.csv", "--alpha", 0.5, "--depth=3", "-v", "--shift", "-1.5", "--name", "a b", "--", "--last"]
    assert dict(read_arguments(words)) == {
        "alpha": 0.5, "depth": 3, "v": True, "shift": -1.5, "name": "a b", "last": True,
    }  # fmt: skip


def test_a_sweeps_parent_may_keep_the_parameters_of_a_child_as_sdk_v1_did():
    tags = {"sweep_7": json.dumps({"lr": 0.1, "layers": [1]}), "_aml_system_sweep_8": '{"lr": 0.2}', "sweep_9": "{"}
    assert arguments_from_parent(tags, "sweep_7") == {"lr": 0.1}
    assert arguments_from_parent(tags, "sweep_8") == {"lr": 0.2}
    assert arguments_from_parent(tags, "sweep_9") == {}


def test_what_tools_note_for_themselves_is_no_parameter():
    assert [is_internal(key) for key in ("azureml.git.commit", "_azureml.x", "mlflow.user", "lr")] == [
        True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tags", "properties", "found"),
    [
        ({"primary_metric_config": '{"name": "AUC", "goal": "MAXIMIZE"}'}, {}, ("AUC", "maximize")),
        ({}, {"primary_metric_config": '{"name": "acc", "goal": "minimize"}'}, ("acc", "minimize")),
        ({}, {"AMLSettingsJsonString": '{"primary_metric": "r2", "metric_operation": "maximize"}'}, ("r2", "maximize")),
        ({"primary_metric_config": '{"name": "accuracy"}'}, {}, ("accuracy", "maximize")),
        ({"primary_metric_config": "no JSON"}, {}, None),
        ({"primary_metric_config": '{"name": 5}'}, {"AMLSettingsJsonString": "[]"}, None),
    ],
)
def test_the_parent_names_the_metric_that_counts(tags, properties, found):
    primary = configured_primary(tags, properties)
    assert (primary and (primary["name"], primary["goal"])) == found


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("val_accuracy", "maximize"), ("AUC_weighted", "maximize"), ("f1", "maximize"), ("r2_score", "maximize"),
        ("mean reward", "maximize"), ("loss", "minimize"), ("mse", "minimize"), ("accumulated_loss", "minimize"),
        ("error rate", "minimize"), ("seconds", "minimize"), ("mAP", "maximize"),
    ],
)  # fmt: skip
def test_a_metrics_name_suggests_which_end_is_the_good_one(name, goal):
    assert guessed_goal(name) == goal


def test_of_the_metrics_that_most_runs_have_one_with_a_usual_name_counts():
    assert usual_primary({}, {}) is None
    assert usual_primary({"alpha": 10, "mse": 10, "r2": 9}, {}) == {"name": "mse", "goal": "minimize"}
    assert usual_primary({"loss": 2, "x": 10}, {}) == {"name": "x", "goal": "minimize"}
    assert usual_primary({"a": 5, "b": 5}, {"b": 5}) == {"name": "b", "goal": "minimize"}


def test_what_may_be_a_secret_by_its_name_is_shown_nowhere():
    words = ["--alpha", "0.5", "--api-key", "s3cret", "--token=abc", "file"]
    assert dict(read_arguments(words)) == {"alpha": 0.5, "api-key": HIDDEN, "token": HIDDEN}
    compared = arguments_of([*words, "--token", "other"])
    assert compared["api-key"] == "s3cret"  # two runs with other keys differ
    assert (repr(compared["api-key"]), repr(compared["token"])) == (HIDDEN, HIDDEN)
