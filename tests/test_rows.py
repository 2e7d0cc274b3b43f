"""Rows of a metric, as a browser asks for them."""

import pytest

from runwidgets import Experiment, Workspace
from runwidgets.errors import StoreError
from runwidgets.store.recorder import close_all
from runwidgets.watch.rows import ROWS_A_PAGE, RowPages


@pytest.fixture
def run():
    yield Experiment(Workspace(), "exp").start_logging()
    close_all()


@pytest.fixture
def pages(run):
    return RowPages(run._recorder, run.id)


def ask(name, start=0):
    return {"kind": "rows", "name": name, "start": start}


def test_pages_hold_every_row_once_and_in_order_also_what_was_just_logged(run, pages):
    words = [f"word {i}" for i in range(2 * ROWS_A_PAGE + 3)]
    run.log_table("t", {"word": words, "n": list(range(len(words)))})
    run.log_row("t", word="late", n=None)
    read = []
    while (page := pages.answer(ask("t", len(read))))["rows"]:
        assert page["columns"] == ["word", "n"]
        assert page["total"] == len(words) + 1
        assert len(page["rows"]) <= ROWS_A_PAGE
        read += page["rows"]
    assert read == [*([word, i] for i, word in enumerate(words)), ["late", None]]


def test_a_vector_has_one_column_none_included(run, pages):
    for value in (1, "two", None):
        run.log("mixed", value)
    page = pages.answer(ask("mixed"))
    assert (page["columns"], page["rows"], page["total"]) == (["value"], [[1], ["two"], [None]], 3)


@pytest.mark.parametrize(
    "request_",
    [None, "rows", {}, {"kind": "refresh"}, ask(5), ask("t", -1), ask("t", 1.5), ask("t", True), ask("t", 2**60)],
)
def test_what_is_no_request_has_no_answer(pages, request_):
    assert pages.answer(request_) is None


def test_a_metric_that_is_not_there_has_no_rows(pages):
    assert pages.answer(ask("gone"))["rows"] == []


def test_a_store_that_does_not_answer_is_told(run, pages, monkeypatch):
    def refuse(*_args):
        raise StoreError("the store does not answer")

    monkeypatch.setattr(run._recorder.store, "window", refuse)
    assert pages.answer(ask("t"))["trouble"] == "the store does not answer"
