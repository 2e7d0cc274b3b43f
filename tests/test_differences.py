"""What runs were made with, and in what they differ."""

import math

from runwidgets.records import MetricHead, MetricKind
from runwidgets.watch.differences import differences_state
from runwidgets.watch.ingredients import Key, arguments_of, packages_of, parameters_of
from runwidgets.watch.secrecy import Secret


def head(name, last, count=1, kind=MetricKind.VECTOR):
    return MetricHead(name, kind, ("",), count, last)


def compared(*parameters, **more):
    return differences_state([(f"r{n}", f"run {n}", one) for n, one in enumerate(parameters, 1)], **more)


def differing(*parameters):
    return {(row["kind"], row["name"]): row["values"] for row in compared(*parameters)["rows"] if row["differs"]}


def test_parameters_are_told_by_what_they_are():
    found = parameters_of(
        {"model": "mlp", "starred": None, "azureml.batch_child_number": "3"},
        {"azureml.git.commit": "abc", "mlflow.source.git.commit": "abc", "ContentSnapshotId": "f00",
         "runwidgets.python": "3.11.2", "mine": "1"},
        [head("alpha", 0.1), head("loss", 0.5, count=2), head("picture", None, kind=MetricKind.IMAGE)],
    )  # fmt: skip
    assert found == {
        Key("tag", "model"): "mlp", Key("tag", "starred"): "", Key("git", "commit"): "abc",
        Key("snapshot", "files"): "f00", Key("environment", "Python"): "3.11.2", Key("property", "mine"): "1",
        Key("logged", "alpha"): 0.1,
    }  # fmt: skip


def test_what_was_submitted_is_told_and_what_variables_hold_is_not():
    found = parameters_of({}, {}, (), {
        "script": "train.py", "command": None, "target": "local", "arguments": ["--alpha", 0.1], "processCount": 1,
        "environment": {"name": "torch"}, "environmentVariables": {"TOKEN": "hunter2"},
    })  # fmt: skip
    assert found == {
        Key("run", "script"): "train.py", Key("run", "target"): "local", Key("argument", "alpha"): 0.1,
        Key("environment", "name"): "torch", Key("variable", "TOKEN"): "hunter2",
    }  # fmt: skip
    state = compared(found, {**found, Key("variable", "TOKEN"): Secret("other")}, found, {})
    row = next(row for row in state["rows"] if row["kind"] == "variable")
    assert row["values"] == ["hidden, value 1", "hidden, value 2", "hidden, value 1", None]
    assert "hunter2" not in str(state)


def test_a_command_line_is_read_by_its_options():
    words = ["data", "--alpha", "0.1", "--beta=2", "--fast", "--x", "-3.5", "-v", "--tag", "a", "--tag", "b", 7]
    assert arguments_of(words) == {
        "#1": "data", "alpha": 0.1, "beta": 2, "fast": True, "x": -3.5, "v": True, "tag": "a, b", "#2": 7,
    }  # fmt: skip
    assert arguments_of([]) == {}
    assert arguments_of(["--", "a"]) == {"#1": "--", "#2": "a"}


def test_only_what_differs_is_marked_and_what_one_run_lacks_differs():
    a = {Key("tag", "model"): "mlp", Key("tag", "size"): "1", Key("logged", "alpha"): 0.1}
    b = {Key("tag", "model"): "cnn", Key("tag", "size"): "1"}
    assert differing(a, b) == {("tag", "model"): ["mlp", "cnn"], ("logged", "alpha"): [0.1, None]}
    state = compared(a, b)
    assert (state["differing"], state["total"], len(state["rows"])) == (2, 3, 3)


def test_of_many_runs_one_that_is_different_is_enough():
    same = {Key("tag", "t"): "1"}
    assert differing(same, same, {Key("tag", "t"): "2"}, same) == {("tag", "t"): ["1", "1", "2", "1"]}
    assert differing(same, same, same) == {}


def test_numbers_are_compared_by_size_and_nan_is_itself():
    key = Key("logged", "x")
    for one, other in ((1, 1.0), (math.nan, math.nan), ("0.1", 0.1), (True, True)):
        assert differing({key: one}, {key: other}) == {}, (one, other)
    for one, other in ((1, 2), (math.nan, 1.0), (1, True), ("", None), ("a", "A")):
        assert differing({key: one}, {key: other}), (one, other)


def test_rows_come_by_kind_and_name_whatever_the_order_of_the_runs():
    a = {Key("tag", "b"): "1", Key("tag", "A"): "1", Key("package", "numpy"): "2"}
    b = {Key("argument", "--z"): "1", Key("run", "script"): "t.py"}
    names = [row["name"] for row in compared(a, b)["rows"]]
    assert names == ["script", "--z", "A", "b", "numpy"] == [row["name"] for row in compared(b, a)["rows"]]


def test_where_there_are_too_many_rows_those_that_differ_are_given():
    many = {Key("package", f"p{n:04}"): "1" for n in range(600)}
    state = compared(many, {**many, Key("package", "p0599"): "2"})
    assert (len(state["rows"]), state["total"], state["differing"]) == (500, 600, 1)
    assert state["rows"][-1] == {"kind": "package", "name": "p0599", "values": ["1", "2"], "differs": True}
    assert state["rows"][0]["name"] == "p0000"


def test_of_very_many_runs_the_first_are_compared_and_the_others_counted():
    state = compared(*({Key("tag", "t"): str(n)} for n in range(25)))
    assert (len(state["runs"]), len(state["rows"][0]["values"]), state["run_total"]) == (20, 20, 25)


def test_packages_are_read_as_pip_lists_them():
    assert packages_of("numpy==2.0\n\n-e git+https://x\nbroken\nScikit-Learn==1.5\n") == {
        Key("package", "numpy"): "2.0", Key("package", "Scikit-Learn"): "1.5",
    }  # fmt: skip
