"""Tags that a browser changes."""

import pytest

from runwidgets import Experiment, Workspace
from runwidgets.store.recorder import close_all
from runwidgets.watch.requests import Desk
from runwidgets.watch.tagging import MAX_KEY, MAX_VALUE, Tagging


@pytest.fixture
def run():
    run = Experiment(Workspace(), "exp").start_logging()
    run.set_tags({"model": "mlp", "baseline": None})
    yield run
    close_all()


@pytest.fixture
def told():
    return []


@pytest.fixture
def change(run, told):
    desk = Desk({"tag": Tagging(run, told.append).answer})

    def change(before=None, key=None, value=None):
        answer = desk.answer({"kind": "tag", "id": "1", "before": before, "key": key, "value": value})
        return answer and answer.message["trouble"]

    return change


@pytest.mark.parametrize("is_over", [False, True])
def test_tags_are_added_changed_renamed_and_taken_away_also_after_the_end(run, change, told, is_over):
    if is_over:
        run.complete()
    assert change(key=" stage ", value="dev") is None
    assert told[-1] == {"model": "mlp", "baseline": None, "stage": "dev"}
    assert change(before="stage", key="stage", value="prod") is None
    assert change(before="model", key="architecture", value="mlp") is None
    assert change(before="baseline") is None
    assert told[-1] == run.get_tags() == {"architecture": "mlp", "stage": "prod"}
    assert change(before="stage", key="stage") is None
    assert run.get_tags()["stage"] is None


@pytest.mark.parametrize(
    ("sent", "trouble"),
    [
        ({"key": "  "}, "a tag needs a name"),
        ({"key": "model", "value": "cnn"}, "there is a tag 'model' already"),
        ({"before": "baseline", "key": "model"}, "there is a tag 'model' already"),
        ({"key": "k" * (MAX_KEY + 1)}, "has at most 256 characters"),
        ({"key": "k", "value": "v" * (MAX_VALUE + 1)}, "has at most 10,000 characters"),
    ],
)
def test_what_can_be_no_tag_is_refused_and_changes_nothing(run, change, told, sent, trouble):
    assert trouble in change(**sent)
    assert told == []
    assert run.get_tags() == {"model": "mlp", "baseline": None}


@pytest.mark.parametrize("sent", [{"key": 5}, {"key": "k", "value": 1}, {"before": ["x"]}, {"key": "k" * 20_000}])
def test_what_is_no_request_changes_nothing(run, change, sent):
    assert change(**sent) is None
    assert run.get_tags() == {"model": "mlp", "baseline": None}
