"""What a terminal would show, by the table that the browser's side is held to as well."""

import json
from pathlib import Path

import pytest

from runwidgets.watch.screen import shown

TABLE = json.loads((Path(__file__).parent / "golden" / "screen.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case["about"])
def test_a_text_is_shown_as_in_a_terminal(case):
    assert shown("".join(case["parts"])).lines == case["lines"]


def test_the_cursor_is_where_the_next_text_would_be_written():
    assert [shown(text).row for text in ("", "a\nb", "a\n", "a\nb\x1b[A", "a\nb\x1b[9A")] == [0, 1, 1, 0, 0]


def test_a_sequence_with_no_end_is_left_out():
    assert shown("a\x1b[31").lines == ["a"]
    assert shown("a\x1b]0;title").lines == ["a"]
    assert shown("a\x1b").lines == ["a"]


@pytest.mark.parametrize(
    "text",
    ["\x1b[" + "1" * 200_000, "\x1b]" + "x" * 200_000, "\x1b[500Cx\n" * 2000, "\x1b[9C\b" * 50_000, "\r" * 200_000,
     "\x1b" * 200_000, "\n\x1b[A" * 50_000],
    ids=["parameters", "title", "blanks", "to and fro", "returns", "escapes", "up and down"],
)  # fmt: skip
def test_hostile_text_becomes_no_more_than_a_screen_could_hold(text):
    lines = shown(text).lines
    assert len(lines) <= text.count("\n") + 1
    assert max(map(len, lines)) <= 2000
