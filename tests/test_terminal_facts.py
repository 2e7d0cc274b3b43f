"""What a terminal shows of a run beside its metrics: queue, bar, log; all of it fits, with colours or without."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

import pytest
from rich.cells import cell_len
from rich.console import Console

from runwidgets.cli import main
from runwidgets.records import ChildRecord, RunError, RunStatus
from runwidgets.terminal.live import Sight, _Lines, _Screen
from runwidgets.terminal.picture import Picture
from runwidgets.watch.bars import Bar
from runwidgets.watch.beside import Beside
from runwidgets.watch.static import as_html, as_text
from tests.test_wire import START, example, record, vector, view_of

WAITING = Beside(queue="2nd of 3 that wait for gpu")
BAR = Beside(bar=(Bar(30.0, 120.0, "step", 9.0), START))
LOG = ["first", "last \x1b[31mline", "", ""]


def queued():
    return view_of(run=record(status=RunStatus.QUEUED, started_at=None))


def crowded():
    """A failed run with many metrics and children."""
    children = tuple(
        ChildRecord(record(f"c{i}", number=i, name=f"alpha {i}", parent_id="digits-17"), {"mse": float(i)})
        for i in range(50)
    )
    metrics = [vector(f"metric {i:02}", [1.0, 2.0, float(i)]) for i in range(40)]
    error = RunError("ValueError", "the loss is gone", "".join(f"  line {i}\n" for i in range(90)))
    return view_of(*metrics, children=children, run=record(error=error))


def drawn(view, width=80, height=24, **more):
    console = Console(width=width, height=height, force_terminal=True, file=io.StringIO(), color_system=None)
    console.print(Picture(view, now=START + 2, **more))
    return console.file.getvalue()


def test_what_the_queue_says_is_told_in_every_form():
    assert "2nd of 3 that wait for gpu" in drawn(queued(), beside=WAITING)
    assert "2nd of 3 that wait for gpu" in as_text(queued(), START, (), WAITING)
    assert "2nd of 3 that wait for gpu" in as_html(queued(), START, (), WAITING)
    assert "2nd" not in drawn(view_of(), beside=WAITING), "a run that runs waits no more"


def test_a_bar_that_a_script_prints_is_drawn_as_progress():
    text = drawn(view_of(), beside=BAR)
    assert "step 30 / 120" in text
    assert "━" in text


def test_the_last_lines_of_the_log_are_shown_clean_and_at_the_end_more_of_them():
    text = drawn(view_of(), log=LOG)
    assert "│ first\n  │ last �[31mline\n" in text
    many = [f"line {i}" for i in range(30)]
    assert drawn(view_of(), log=many).count("│ line") == 5
    assert drawn(view_of(), log=many, is_last=True).count("│ line") == 20
    assert "│ line 29" in drawn(view_of(), log=many)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 24), (120, 50), (200, 30)])
def test_all_of_it_fits_the_terminal(width, height):
    text = drawn(
        crowded(), width, height, log=[f"line {i} " + "x" * 300 for i in range(30)], beside=BAR, trouble="away"
    )
    lines = text.splitlines()
    assert max(map(cell_len, lines)) <= width
    assert len(lines) <= height
    for part in ("ValueError", "metric 00", "50 child runs", "│ line 29"):
        assert part in text, part


def test_a_terminal_that_is_resized_gets_a_picture_of_its_new_size():
    console = Console(width=120, height=40, force_terminal=True, file=io.StringIO(), color_system=None)
    screen = _Screen(console)
    screen.show(Sight(example(), None, Beside(), LOG))
    console.size = (50, 20)
    before = len(console.file.getvalue())
    screen.show(Sight(example(), None, Beside(), LOG))
    after = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", console.file.getvalue()[before:])
    assert max(map(cell_len, re.split(r"[\r\n]+", after))) <= 50
    screen.end(Sight(example(), None, Beside(), LOG))


@pytest.mark.parametrize(("no_color", "has_color"), [("1", False), ("", True)])
def test_no_color_is_obeyed(monkeypatch, no_color, has_color):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm-256color")
    console = Console(width=80, force_terminal=True, file=io.StringIO())
    console.print(Picture(example(), is_last=True, log=LOG))
    codes = re.findall(r"\x1b\[([\d;]+)m", console.file.getvalue())
    colors = [
        c for code in codes for c in code.split(";") if c.isdigit() and (30 <= int(c) <= 48 or 90 <= int(c) <= 107)
    ]
    assert bool(colors) is has_color


def test_a_file_is_told_of_each_place_in_the_queue_once_and_gets_the_log_at_the_end():
    console = Console(file=io.StringIO(), width=80)
    lines = _Lines(console)
    for beside in (WAITING, WAITING, Beside(queue="next for gpu"), Beside()):
        lines.show(Sight(queued(), None, beside, []))
    lines.end(Sight(view_of(), None, Beside(), LOG))
    said = console.file.getvalue().splitlines()
    assert [line.strip() for line in said[1:3]] == ["2nd of 3 that wait for gpu", "next for gpu"]
    assert said[3].startswith("● Running")
    assert "  │ first" in said


def test_show_has_the_log_of_a_script(monkeypatch, capsys, tmp_path):
    from runwidgets import Experiment, Workspace

    run = Experiment(Workspace(), "exp").start_logging()
    run.complete()
    monkeypatch.setattr("runwidgets.watch.beside.is_script", lambda _: True)
    lines = SimpleNamespace(lines=["epoch 1", "epoch 2"])
    monkeypatch.setattr("runwidgets.watch.beside.shown", lambda _: lines)
    monkeypatch.setattr("runwidgets.watch.logs.Logs.last", lambda *_: (b"", 0.0))
    assert main(["show", run.id]) == 0
    assert "│ epoch 2" in capsys.readouterr().out
