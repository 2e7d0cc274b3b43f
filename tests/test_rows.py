"""Rows of a metric, as a browser asks for them."""

import csv
import math

import pytest

from runwidgets import Experiment, Workspace
from runwidgets.errors import StoreError
from runwidgets.store.recorder import close_all
from runwidgets.watch import rows
from runwidgets.watch.requests import Desk
from runwidgets.watch.rows import HISTORY_POINTS, ROWS_A_PAGE, RowPages, history_of, rows_reply
from runwidgets.watch.wire import MAX_TEXT


@pytest.fixture
def run():
    yield Experiment(Workspace(), "exp").start_logging()
    close_all()


@pytest.fixture
def pages(run):
    return RowPages(run._recorder, run.id)


@pytest.fixture
def ask(pages):
    desk = Desk({"rows": pages.answer})

    def ask(name, start=0):
        answer = desk.answer({"kind": "rows", "id": "1", "name": name, "start": start})
        return answer and answer.message

    return ask


def test_pages_hold_every_row_once_and_in_order_also_what_was_just_logged(run, ask):
    words = [f"word {i}" for i in range(2 * ROWS_A_PAGE + 3)]
    run.log_table("t", {"word": words, "n": list(range(len(words)))})
    run.log_row("t", word="late", n=None)
    read = []
    while (page := ask("t", len(read)))["rows"]:
        assert page["columns"] == ["word", "n"]
        assert page["total"] == len(words) + 1
        assert len(page["rows"]) == len(page["times"]) == len(page["steps"]) <= ROWS_A_PAGE
        read += page["rows"]
    assert read == [*([word, i] for i, word in enumerate(words)), ["late", None]]


@pytest.mark.parametrize(("count", "start"), [(1, 0), (ROWS_A_PAGE, 0), (ROWS_A_PAGE + 1, ROWS_A_PAGE), (25, 20)])
def test_the_last_page_is_asked_for_without_a_number_and_follows_what_comes(run, ask, count, start):
    for i in range(count):
        run.log("loss", float(i), step=10 * i)
    page = ask("loss", None)
    assert (page["start"], page["rows"][-1], page["steps"][-1]) == (start, [count - 1.0], 10 * (count - 1))
    assert page["times"][-1] > 1_700_000_000


def test_a_vector_has_one_column_none_included(run, ask):
    for value in (1, "two", None):
        run.log("mixed", value)
    page = ask("mixed")
    assert (page["columns"], page["rows"], page["total"]) == (["value"], [[1], ["two"], [None]], 3)


def test_values_and_steps_that_json_lacks_travel_wrapped_and_long_texts_are_cut(run, ask):
    run.log("odd", 2**60, step=2**60)
    run.log("odd", math.nan)
    run.log("odd", "x" * 2000)
    page = ask("odd")
    assert page["rows"][:2] == [[{"int": str(2**60)}], [{"float": "NaN"}]]
    assert page["steps"] == [{"int": str(2**60)}, None, None]
    assert len(page["rows"][2][0]) == MAX_TEXT + 1


@pytest.mark.parametrize("start", [-1, 1.5, True, 2**60, "0"])
def test_what_is_no_request_has_no_answer(ask, start):
    assert ask("t", start) is None
    assert ask(5) is None


def test_a_metric_that_is_not_there_has_no_rows(ask):
    assert (ask("gone")["rows"], ask("gone", None)["total"]) == ([], 0)
    assert rows_reply("gone", 5, None)["start"] == 5


def test_a_store_that_does_not_answer_is_told(run, ask, monkeypatch):
    def refuse(*_args):
        raise StoreError("the store does not answer")

    monkeypatch.setattr(run._recorder.store, "window", refuse)
    assert ask("t")["trouble"] == "the store does not answer"


def test_of_words_it_is_told_how_often_each_was_said(run, ask):
    for word in ("train", "evaluate", "train", "train"):
        run.log("phase", word)
    history = ask("phase", None)["history"]
    assert history["words"] == [{"value": "train", "count": 3}, {"value": "evaluate", "count": 1}]
    assert (history["others"], history["truth"]) == (0, [])
    run.log("phase", "done")
    assert len(ask("phase", None)["history"]["words"]) == 3


def test_of_numbers_and_tables_there_is_no_history_and_nothing_is_counted(run, ask, monkeypatch):
    run.log_list("loss", [1.0, 2.0])
    run.log_table("t", {"word": ["a", "b"]})
    monkeypatch.setattr(run._recorder.store, "metrics", None)
    assert ask("loss")["history"] is ask("t")["history"] is None


def test_what_was_counted_is_not_counted_again_until_there_is_more(run, ask, monkeypatch):
    for i in range(2 * ROWS_A_PAGE):
        run.log("ok", i % 2 == 0)
    first = ask("ok", None)["history"]
    with monkeypatch.context() as patch:
        patch.setattr(run._recorder.store, "metrics", None)
        assert ask("ok", 0)["history"] == first


def test_booleans_are_a_line_of_how_true_they_were_and_words_of_other_types_are_others():
    history = history_of([True, False, None, True])
    assert history["truth"] == [1.0, 0.0, None, 1.0]
    assert history["words"][0] == {"value": True, "count": 2}
    many = history_of([True] * 5000 + [False] * 5000)["truth"]
    assert (len(many), many[0], many[-1]) == (HISTORY_POINTS, 1.0, 0.0)
    mixed = history_of([True, 1, 1.0, "1", math.nan, math.nan])
    assert sorted((repr(word["value"]), word["count"]) for word in mixed["words"]) == [
        ("'1'", 1), ("1", 1), ("1.0", 1), ("True", 1), ("{'float': 'NaN'}", 2),
    ]  # fmt: skip
    assert mixed["truth"] == []
    assert history_of([f"word {i}" for i in range(20)])["others"] == 12


def test_a_metric_of_any_kind_is_made_a_file_that_holds_all_of_it(run, pages, tmp_path):
    for i in range(3 * ROWS_A_PAGE):
        run.log("loss", math.nan if i == 4 else -math.inf if i == 5 else i / 2, step=i)
    offer = pages.offer("loss", tmp_path)
    read = list(csv.DictReader(offer.path.read_text(encoding="utf-8").splitlines()))
    assert [row["value"] for row in read[3:7]] == ["1.5", "NaN", "-Infinity", "3.0"]
    assert (len(read), read[-1]["step"]) == (30, "29")
    run.log_table("t", {"word": ['say "no"', "a,b"]})
    assert '"say ""no"""' in pages.offer("t", tmp_path).path.read_text(encoding="utf-8")


def test_a_metric_that_is_not_there_or_too_long_is_no_file(run, pages, tmp_path, monkeypatch):
    with pytest.raises(LookupError, match="no metric 'gone'"):
        pages.offer("gone", tmp_path)
    run.log_list("loss", [1.0, 2.0])
    monkeypatch.setattr(rows, "MAX_CSV_VALUES", 1)
    with pytest.raises(ValueError, match=r"too many for a notebook: run\.to_csv\('metrics\.csv', 'loss'\)"):
        pages.offer("loss", tmp_path)
