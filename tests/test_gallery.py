"""The gallery: which names it has, and the image that is asked for."""

import pytest

from runwidgets import Experiment, Workspace
from runwidgets.store.recorder import close_all
from runwidgets.watch.feed import Feed
from runwidgets.watch.gallery import MAX_NAMES, MISSING, Gallery
from runwidgets.watch.requests import Desk
from tests.test_pictures import PNG


@pytest.fixture
def run():
    yield Experiment(Workspace(), "exp").start_logging()
    close_all()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    return path


class Looker:
    def __init__(self, run):
        self.gallery = Gallery(run.experiment.workspace._files, run.id)
        self._feed = Feed(run._recorder, run.id)
        self._desk = Desk({"picture": self.gallery.answer})

    def look(self):
        self._feed.step()
        return self.gallery.state(self._feed.view, is_open=True)

    def ask(self, name, index):
        return self._desk.answer({"kind": "picture", "id": "1", "name": name, "index": index})


@pytest.fixture
def looker(run):
    return Looker(run)


def test_images_are_counted_by_name_and_none_is_read_until_it_is_asked_for(run, looker, file, monkeypatch):
    for name in ("zebra", "Alpha", "zebra"):
        run.log_image(name, path=file)
    run.log("loss", 1.0)

    def refuse(_path):
        raise AssertionError("it is read")

    with monkeypatch.context() as patch:
        patch.setattr("runwidgets.watch.gallery.read_picture", refuse)
        state = looker.look()
    assert [(one["name"], one["count"]) for one in state["names"]] == [("Alpha", 1), ("zebra", 2)]
    assert (state["total_names"], state["total"]) == (2, 3)
    message, data = looker.ask("zebra", 1)
    assert (message["note"], message["mime"], message["width"], data) == (None, "image/png", 1, PNG)
    assert message["path"].startswith("zebra")
    assert message["logged_at"] == state["names"][1]["logged_at"]


def test_an_image_that_is_not_there_or_cut_off_may_be_there_at_another_time(run, looker, file):
    run.log_image("a", path=file)
    looker.look()
    path = run.experiment.workspace._files.path(run.id, looker.ask("a", 0)[0]["path"])
    path.write_bytes(PNG[:-8])
    message, data = looker.ask("a", 0)
    assert ("cut off" in message["note"], message["may_pass"], data) == (True, True, b"")
    path.unlink()
    message, data = looker.ask("a", 0)
    assert (message["note"], message["may_pass"], message["trouble"], data) == (MISSING, True, None, b"")
    path.write_bytes(b"no picture")
    assert not looker.ask("a", 0)[0]["may_pass"]


@pytest.mark.parametrize(("name", "index"), [("a", 1), ("b", 0), ("../a", 0), ("loss", 0)])
def test_an_image_that_was_never_logged_is_not_given(run, looker, file, name, index):
    run.log_image("a", path=file)
    run.log("loss", 1.0)
    looker.look()
    message, data = looker.ask(name, index)
    assert (message["trouble"], data) == ("it is not there any more", b"")


def test_a_run_of_very_many_names_lists_a_bounded_number_and_says_how_many_there_are(run, looker, file, monkeypatch):
    monkeypatch.setattr("runwidgets.watch.gallery.MAX_NAMES", 2)
    assert MAX_NAMES > 2
    for name in "abc":
        run.log_image(name, path=file)
    state = looker.look()
    assert ([one["name"] for one in state["names"]], state["total_names"]) == (["a", "b"], 3)
