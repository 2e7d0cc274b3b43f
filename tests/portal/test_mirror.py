"""Widgets of pages: each page's messages reach its own, and only what a browser may say."""

import contextlib
import threading

import comm
import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances

from runwidgets import RunDetails
from runwidgets.portal.frames import unpack_frame
from runwidgets.portal.mirror import Mirror, mirror_widgets
from runwidgets.watch.poller import poller
from runwidgets.watch.viewer import made_for
from runwidgets.widgets.panels import HeaderPanel
from tests.test_details import until


@pytest.fixture(autouse=True)
def mirrored(monkeypatch):
    monkeypatch.setattr(comm, "create_comm", comm.create_comm)
    mirror_widgets()


class Page:
    """A page that remembers what it was sent."""

    def __init__(self) -> None:
        self.frames = []
        self.mirror = Mirror(lambda data: self.frames.append(unpack_frame(data)[0]))

    def send(self, widget_id, data):
        self.mirror.receive({"kind": "message", "id": widget_id, "data": data, "metadata": None}, [])

    def kinds(self):
        return [frame["kind"] for frame in self.frames]


def test_a_widget_belongs_to_the_page_it_was_made_for():
    one, two = Page(), Page()
    with made_for(one.mirror):
        button = ipywidgets.Button(description="a")
    assert "open" in one.kinds()
    assert two.kinds() == []
    clicks = []
    button.on_click(clicks.append)
    two.send(button.model_id, {"method": "custom", "content": {"event": "click"}})
    assert clicks == []
    one.send(button.model_id, {"method": "custom", "content": {"event": "click"}})
    assert clicks == [button]
    button.close()


def test_a_widget_of_nobody_goes_where_it_went():
    page = Page()
    with made_for(page.mirror):
        pass
    button = ipywidgets.Button()
    assert page.frames == []
    button.close()


def test_a_browser_sets_only_what_is_its_own():
    page = Page()
    with made_for(page.mirror):
        header = HeaderPanel(_view_count=0)
    shown = header.state
    hostile = {
        "state": {"run_name": "x"},
        "selected_index": 2,
        "_esm": "alert(1)",
        "browser_traits": ["state"],
        "_css": "*{}",
    }
    page.send(header.model_id, {"method": "update", "state": hostile, "buffer_paths": []})
    assert (header.state, header.selected_index) == (shown, 2)
    assert header.browser_traits == ["selected_index", "time_zone"]
    assert header._esm != "alert(1)"
    header.close()


@pytest.mark.parametrize(
    "data",
    [
        None, 7, [], {}, {"method": "update"}, {"method": "update", "state": 7}, {"method": "backbone"},
        {"method": "update", "state": {}, "buffer_paths": [["a"]]}, {"method": "update", "state": {"x": 1}},
        {"method": "custom"}, {"method": "custom", "content": {"kind": ["x"]}}, {"method": {}},
    ],
)  # fmt: skip
def test_what_makes_no_sense_changes_nothing(data):
    page = Page()
    with made_for(page.mirror):
        header = HeaderPanel(_view_count=0)
    with contextlib.suppress(KeyError, TypeError):  # the socket logs it and goes on
        page.send(header.model_id, data)
    assert header.selected_index == 0
    header.close()


def test_a_page_that_is_gone_frees_all_that_it_held(run):
    before = set(_instances), threading.active_count()
    run.log_list("loss", [3.0, 2.0, 1.0])
    page = Page()
    with made_for(page.mirror):
        details = RunDetails(run, refresh_seconds=0.5)
        details._header._view_count = 1
    until(lambda: len(details._charts.grid.children) == 1)
    assert len(page.mirror) > 10
    assert all(frame["kind"] == "open" for frame in page.frames if frame["id"] == details.model_id)
    page.mirror.end()
    with made_for(page.mirror):
        details.close()
        page.mirror.clear()
    assert len(page.mirror) == 0
    assert set(_instances) == before[0]
    until(lambda: not poller()._watched and not poller()._errands)


def test_what_a_display_makes_later_belongs_to_its_page(run):
    page = Page()
    with made_for(page.mirror):
        details = RunDetails(run, refresh_seconds=0.5)
        details._header._view_count = 1
    count = len(page.mirror)
    run.log_list("loss", [3.0, 2.0, 1.0])
    until(lambda: details._charts.grid.children)
    card = details._charts.grid.cards[0]
    assert len(page.mirror) > count
    assert any(frame["kind"] == "open" and frame["id"] == card.model_id for frame in page.frames)
    details.close()
