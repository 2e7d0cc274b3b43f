"""The text and the static page that stand in for the live display."""

import math
from html.parser import HTMLParser

import numpy as np

from runwidgets.records import MetricKind, RunError, RunStatus
from runwidgets.watch.static import as_html, as_text, duration, sparkline
from runwidgets.watch.view import RunView
from tests.test_wire import START, example, metric, record, vector, view_of

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\n🚀"


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()
        self.words = []

    def handle_starttag(self, tag, _attrs):
        self.seen.add(tag)

    def handle_data(self, data):
        self.words.append(data)


def test_the_text_has_status_names_progress_error_metrics_and_children():
    text = as_text(example(), START + 141)
    for part in ("● Running", "digits / mlp baseline #17", "epoch 14 / 30", "about 00:02:39 left",
                 "ValueError: Input X contains NaN.", "train/loss", "⚠ 1 NaN, 1 Inf", "curve · sine",
                 "alpha 0.1", "3298.5", "\N{MINUS SIGN}∞"):  # fmt: skip
        assert part in text


def test_the_text_of_a_run_of_which_nothing_is_known_says_its_status():
    assert as_text(RunView(), START) == "● NotStarted    /"


def test_what_a_user_logged_cannot_break_the_text_table_or_move_the_cursor():
    text = as_text(view_of(vector(HOSTILE, [1.0]), run=record(error=RunError("E", "x"))), START)
    assert "\x1b" not in text
    (row,) = [line for line in text.splitlines() if "onerror" in line]
    assert row.split() == ["<img", "src=x", "onerror=alert(1)>�[31m", "🚀", "1", "1", "1", "1", "▄"]


def test_names_and_messages_that_are_long_are_cut_in_the_text_and_can_be_read_whole_in_the_page():
    name, message = "n" * 300, "the disk is full, " * 40
    view = view_of(run=record(name=name, experiment="e" * 300, error=RunError("OSError", message)))
    text = as_text(view, START)
    assert max(map(len, text.splitlines())) <= len("  ") + 200
    assert "…" in text
    assert "#17" in text
    assert "elapsed" in text
    page = as_html(view, START)
    assert name in page
    assert message in page
    assert "overflow-wrap: anywhere" in page


def test_the_page_shows_every_string_as_text_and_has_no_element_but_its_own():
    hostile = record(name=HOSTILE, experiment="exp", error=RunError(HOSTILE, HOSTILE))
    page = Tags()
    page.feed(as_html(view_of(vector(HOSTILE, [HOSTILE]), vector("n", [1.0, math.nan]), run=hostile), START))
    assert page.seen == {"div", "span", "b", "table", "thead", "tr", "th", "tbody", "td", "svg", "path", "g", "text"}
    assert sum("onerror" in word for word in page.words) >= 4


def test_the_page_has_the_marks_the_child_runs_and_numbers_under_their_headings():
    page = as_html(example(), START + 141)
    for part in ("⚠ 1 NaN, 1 Inf", ">alpha 0.1<", "●</span> Completed", ">3298.5<"):
        assert part in page, part
    assert page.count('<th align="right"') > page.count('<th align="left"') > 0


def test_the_page_of_a_run_that_goes_on_says_when_it_was_drawn_and_that_of_one_that_is_over_does_not():
    assert "as of " in as_html(view_of(run=record()), START)
    over = record(status=RunStatus.COMPLETED, ended_at=START + 3)
    assert "as of " not in as_html(view_of(run=over), START + 10)


def test_numbers_that_differ_have_the_digits_that_tell_them_apart():
    close = view_of(vector("close", [1.0000003, 1.0000001, 1.0000002]))
    for form in (as_text(close, START), as_html(close, START)):
        for digits in ("1.0000001", "1.0000002", "1.0000003"):
            assert digits in form


def test_durations_are_clocks_with_days_before_them():
    assert [duration(s) for s in (0, 161.9, 3600, 90_061, -5)] == [
        "00:00:00", "00:02:41", "01:00:00", "1 d 01:01:01", "00:00:00"
    ]  # fmt: skip


def test_a_sparkline_spans_all_heights_and_has_gaps():
    assert sparkline([0, None, 50, 100]) == "▁ ▄█"


def test_the_page_has_the_first_charts_small_and_says_how_many_more_there_are():
    rng = np.random.default_rng(0)
    walks = [vector(f"walk {i}", rng.normal(size=1000).cumsum().tolist()) for i in range(8)]
    page = as_html(view_of(*walks), START)
    charts = page.split('<svg class="rw-svg"')[1:]
    assert len(charts) == 6
    assert "… 2 more charts" in page
    assert max(len(chart.partition("</svg>")[0]) for chart in charts) < 6_000
    assert as_html(view_of(vector("one", [1.0])), START).count("rw-svg") == 0
    over = metric("over", {HOSTILE: [1.0, 2.0], "b": [2.0, 3.0], "c": [1.0, 1.0]}, kind=MetricKind.TABLE)
    page = as_html(view_of(over), START)
    assert "\x1b" not in page.partition('<svg class="rw-svg"')[2]
    assert page.count('viewBox="0 0 12 4"') == 3, "a legend"
