"""Names and words of any kind, through the public API in and out: refused at the call, or found again unchanged."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runwidgets import Experiment, Run, Workspace
from runwidgets.errors import NotFoundError, UserError
from runwidgets.store.recorder import close_all
from tests.test_values import TEXT, readable

ONE_HOME = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
HALF = "\ud800"
"""Half of a surrogate pair, as in a file name that is no UTF-8. No database takes it: it is kept as a question mark."""


@pytest.fixture
def experiment():
    yield Experiment(Workspace(), "exp")
    close_all()


@ONE_HOME
@given(st.text(st.sampled_from("aZ9_-.é损 /\n\0\ud800'"), max_size=6) | TEXT | st.just("a" * 256))
@example("a\n")
def test_an_experiment_is_refused_for_its_name_or_found_by_it(experiment, name):
    workspace = experiment.workspace
    is_fine = name[:1].isascii() and name[:1].isalnum() and re.fullmatch(r"[\w-]*", name) and len(name) <= 255
    if not is_fine:
        with pytest.raises(UserError, match="it must begin with a letter or digit"):
            Experiment(workspace, name)
        assert Experiment.list(workspace, experiment_name=name) == []
        return
    run = Experiment(workspace, name).start_logging()
    assert workspace.experiments[name] == Experiment(workspace, name) == Run.get(workspace, run.id).experiment
    assert next(Experiment(workspace, name).get_runs()) == run
    run.complete()


@ONE_HOME
@given(TEXT, TEXT)
@example(HALF, HALF)
def test_tags_of_an_experiment_come_back_unchanged_and_can_be_filtered_by_and_removed(experiment, key, value):
    experiment.set_tags({key: value})
    assert experiment.tags == {readable(key): readable(value)}
    for wanted in (key, {key: value}):
        assert Experiment.list(experiment.workspace, tags=wanted) == [experiment]
    experiment.remove_tags([key])
    assert experiment.tags == {}


@ONE_HOME
@given(TEXT, TEXT)
@example(HALF, HALF)
def test_runs_are_found_by_any_tag_and_property_and_a_property_can_be_added_again(experiment, key, value):
    with experiment.start_logging(tags={key: value}) as run:
        run.add_properties({key: value})
        run.add_properties({key: value})
        assert run.tags == run.get_tags() == run.properties == run.get_properties() == {readable(key): readable(value)}
    for wanted in (key, {key: value}):
        assert run in experiment.get_runs(tags=wanted)
        assert run in experiment.get_runs(properties=wanted)
    run.remove_tags([key])
    assert run not in experiment.get_runs(tags=key)
    assert run.tags == run.get_tags() == {}


@ONE_HOME
@given(TEXT.filter(lambda text: text != "*"))
@example(HALF)
def test_a_run_that_is_not_there_is_not_found_whatever_it_is_called(experiment, run_id):
    with pytest.raises(NotFoundError):
        Run(experiment, run_id)


@ONE_HOME
@given(st.text(st.one_of(st.sampled_from("./\\ab:~ "), st.characters(exclude_categories=())), max_size=12), st.binary())
def test_a_file_is_refused_for_its_name_or_given_back_under_it(experiment, tmp_path, name, content):
    with experiment.start_logging() as run:
        try:
            stored = run.upload_file(name, io.BytesIO(content))
        except UserError as error:
            assert "cannot name a file of a run" in str(error)  # noqa: PT017 (a name need not be refused)
            assert run.get_file_names() == []
            return
    assert run.get_file_names() == [stored.path]
    assert stored.path.split("/") == [part for part in name.split("/") if part not in {"", "."}]
    for asked in (stored.path, name):
        run.download_file(asked, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == content


@ONE_HOME
@given(TEXT.filter(bool), TEXT)
@example("loss", "loss")
def test_values_and_rows_under_one_name_hide_no_column_of_each_other(experiment, name, column):
    with experiment.start_logging() as run:
        run.log(name, 1)
        run.log_table(name, {column: [2], "other": [3]})
    name, column = readable(name), readable(column)
    own = "" if name in {column, "other"} else name
    expected = {own: [1, None], column: [None, 2], "other": [None, 3]}
    if column == "":
        expected = {own: [1, 2], "other": [None, 3]}
    if column != "other":
        assert run.get_metrics(name) == {name: expected}
        if not {name, column} & {"_time", "_step"}:
            assert list(run.get_metrics_frame(name).columns) == ["_time", *expected]
