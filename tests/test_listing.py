"""The list of files, of which only what is new is told."""

import pytest

from runwidgets.records import Cursor, FileRecord, RunDelta
from runwidgets.watch import listing
from runwidgets.watch.listing import Listing
from runwidgets.watch.view import RunView, fold


def with_files(view, **sizes):
    files = tuple(FileRecord(path, size, 1.0) for path, size in sizes.items())
    return fold(view, RunDelta(cursor=Cursor(), files=files))


def test_what_is_new_is_told_once_and_in_the_whole():
    told = Listing()
    view = with_files(RunView(), a=1, b=2)
    assert told.news(view) == [("a", 1), ("b", 2)]
    assert (told.news(view), told.seq) == ([], 1)
    view = with_files(view, b=5, c=3)
    assert told.news(view) == [("b", 5), ("c", 3)]
    assert told.all() == {"seq": 2, "files": [("a", 1), ("b", 5), ("c", 3)]}
    assert told.state(view, is_open=False) == {"total": 3, "seq": 2, "is_open": False}


def test_a_file_that_is_stored_again_as_large_as_before_is_no_news():
    told = Listing()
    view = with_files(RunView(), a=1)
    told.news(view)
    assert (told.news(with_files(view, a=1)), told.seq) == ([], 1)


def test_very_many_files_are_listed_up_to_a_number(monkeypatch):
    monkeypatch.setattr(listing, "MAX_LISTED", 2)
    told = Listing()
    view = with_files(RunView(), a=1, b=2, c=3)
    assert told.news(view) == [("a", 1), ("b", 2)]
    assert told.state(view, is_open=True)["total"] == 3
    assert told.news(with_files(view, a=9, d=1)) == [("a", 9)]


@pytest.mark.parametrize("count", [0, 1])
def test_a_run_without_news_tells_nothing(count):
    told = Listing()
    view = with_files(RunView(), **{"a": 1} if count else {})
    told.news(view)
    assert told.news(fold(view, RunDelta(cursor=Cursor(), tags={"k": "v"}))) == []
