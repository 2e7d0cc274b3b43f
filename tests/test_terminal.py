"""The live display in a terminal."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from msgspec import structs
from rich.cells import cell_len
from rich.console import Console

from runwidgets import Experiment, RunStatus, Workspace
from runwidgets.errors import ArgumentTypeError, MissingDependencyError, StoreError, UserError
from runwidgets.records import Progress
from runwidgets.terminal import LiveView, Picture, watch
from runwidgets.watch.feed import Feed
from runwidgets.watch.poller import Look
from runwidgets.watch.static import as_text
from runwidgets.watch.wire import header_state

HOSTILE = "[red]evil[/red] \x1b[31m\x1b[2J\x07 two\nlines 🚀"


@pytest.fixture
def experiment():
    return Experiment(Workspace(workspace_name="terminal"), "digits")


def view_of(run):
    feed = Feed(run._recorder, run.id)
    feed.step()
    return feed.view


def drawn(run, width=80, height=40, now=None, **options):
    """Draw a run, and check that no line is longer than the terminal is wide."""
    console = Console(record=True, width=width, height=height, force_terminal=True, file=io.StringIO())
    console.print(Picture(view_of(run), now=now, **options))
    text = console.export_text()
    assert max(map(cell_len, text.splitlines())) <= width
    return text


def line_with(text, word):
    (line,) = [line for line in text.splitlines() if word in line]
    return line


def train(run, epochs=4):
    for epoch in range(1, epochs + 1):
        run.log("val/loss", 1 / epoch, step=epoch)
        run.log("val/accuracy", 1 - 1 / epoch, step=epoch)
        run.progress(epoch, 30, unit="epoch")


# ---- the picture


def test_a_running_run_shows_status_names_progress_and_metrics_with_sparklines(experiment):
    run = experiment.start_logging(name="small network")
    train(run)
    text = drawn(run)
    first, second, *_ = text.splitlines()
    assert first.startswith("● Running   digits / small network #1")
    assert first.endswith("elapsed 00:00:00")
    assert second.startswith("━")
    assert second.endswith("  epoch 4 / 30")
    assert line_with(text, "val/loss").split() == ["val/loss", "0.25", "0.25", "1", "4", "█▃▁▁"]


def test_time_left_is_shown_until_the_estimate_runs_out(experiment):
    run = experiment.start_logging()
    train(run)
    view = view_of(run)
    at = time.time()
    slow = Progress(4.0, 30.0, "epoch", at, 1.0, at - 3)
    view = replace(view, record=structs.replace(view.record, progress=slow))
    for seconds, says in ((0, "about 00:00:26 left"), (24, "about 00:00:02 left"), (26, None), (99, None)):
        console = Console(record=True, width=80, force_terminal=True, file=io.StringIO())
        console.print(Picture(view, now=at + seconds))
        text = console.export_text()
        assert says in text if says else "left" not in text


def test_a_number_of_which_neither_unit_nor_total_is_known_says_that_it_is_done(experiment):
    run = experiment.start_logging()
    run.progress(7)
    assert drawn(run).splitlines()[1].endswith("  7 done")
    assert "7 done" in as_text(view_of(run), time.time())


def test_elapsed_time_goes_on_between_looks(experiment):
    run = experiment.start_logging()
    started_at = view_of(run).record.started_at
    assert "elapsed 00:00:05" in drawn(run, now=started_at + 5.5)
    assert "elapsed 1 d 00:02:41" in drawn(run, now=started_at + 86400 + 161)


def test_a_run_that_logged_nothing_is_one_line(experiment):
    run = experiment.start_logging(name="empty")
    (line,) = drawn(run).splitlines()
    assert line.startswith("● Running   digits / empty #1")


def test_a_completed_run_says_how_long_it_ran_and_nothing_is_left(experiment):
    with experiment.start_logging() as run:
        train(run)
    text = drawn(run, is_last=True)
    assert text.startswith("● Completed")
    assert "ran 00:00:00" in text
    assert "left" not in text


def test_a_canceled_run_is_not_drawn_in_the_black_of_dark_backgrounds(experiment):
    run = experiment.start_logging()
    run.cancel()
    out = io.StringIO()
    Console(file=out, force_terminal=True, color_system="standard", width=80).print(Picture(view_of(run)))
    assert "Canceled" in out.getvalue()
    assert set(re.findall(r"\033\[([\d;]*)m", out.getvalue())) & {"30", "90", "1;30", "1;90"} == set()


def test_a_failed_run_shows_the_error_and_the_end_of_its_traceback(experiment):
    run = experiment.start_logging()
    with pytest.raises(ZeroDivisionError), run:
        1 / 0  # noqa: B018
    text = drawn(run, is_last=True)
    assert text.startswith("● Failed")
    assert "╭─ ZeroDivisionError ─" in text
    assert text.count("division by zero") == 1
    assert "1 / 0" in text


def test_an_error_without_a_message_is_shown_by_its_code(experiment):
    run = experiment.start_logging()
    with pytest.raises(KeyboardInterrupt), run:
        raise KeyboardInterrupt
    assert "╭─ KeyboardInterrupt ─" in drawn(run, is_last=True)


def test_nan_and_infinity_are_marked(experiment):
    run = experiment.start_logging()
    run.log_list("loss", [3.0, float("nan"), 1.0, float("inf"), float("nan")])
    row = line_with(drawn(run), "loss")
    assert row.split()[:5] == ["loss", "NaN", "1", "3", "5"]
    assert "█ ▁" in row
    assert row.endswith("⚠ 2 NaN, 1 Inf")


def test_children_are_counted_by_status_and_the_latest_have_their_values(experiment):
    run = experiment.start_logging()
    for number in range(8):
        child = run.child_run(name=f"alpha {number}")
        child.log("mse", 100.0 + number)
        if number == 2:
            child.fail("no")
        elif number < 6:
            child.complete()
    text = drawn(run)
    assert "8 child runs   ● 5 Completed   ● 2 Running   ● 1 Failed" in text
    assert line_with(text, "alpha 7").split() == ["#9", "alpha", "7", "●", "Running", "107"]
    assert "alpha 2 " not in text
    assert line_with(text, "lowest of all").split()[-1] == "100"
    assert line_with(text, "highest of all").split()[-1] == "107"


def test_a_look_that_failed_is_told_over_the_last_good_picture(experiment):
    run = experiment.start_logging()
    run.log("loss", 0.5)
    text = drawn(run, trouble="the disk [bold]is away")
    assert "⚠ the last look failed: the disk [bold]is away" in text
    assert "loss" in text


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_hostile_names_are_shown_as_they_are_and_obeyed_by_nobody(experiment, width):
    run = experiment.start_logging(name=HOSTILE)
    run.log_list(HOSTILE, [1.0, 2.0])
    run.log("text", HOSTILE)
    run.log_row("table", **{HOSTILE: 1})
    run.progress(1, 2, unit=HOSTILE)
    run.child_run(name=HOSTILE).log(HOSTILE, 1.0)
    run.fail(HOSTILE, error_code=HOSTILE)
    console = Console(width=width, height=60, force_terminal=True, file=io.StringIO(), color_system=None)
    console.print(Picture(view_of(run), trouble=HOSTILE, is_last=True))
    text = console.file.getvalue()
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "🚀" in text
    assert "[red]" in text
    assert max(map(cell_len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [60, 80, 120])
def test_long_names_give_way_to_the_status_the_number_and_the_time(experiment, width):
    run = Experiment(experiment.workspace, "experiment" * 20).start_logging(name="name " * 40)
    run.log_list("a metric with a long name that ends in loss", [1.0, 2.0, 3.0])
    text = drawn(run, width)
    first = text.splitlines()[0]
    assert first.startswith("● Running   exp")
    assert "… / name" in first
    assert first.endswith("… #1  elapsed 00:00:00")
    row = line_with(text, "▁")
    assert row.lstrip().startswith("a metric")
    assert "loss" in row
    assert " 3 " in row


def test_numbers_have_the_digits_that_tell_them_apart_where_these_fit(experiment):
    run = experiment.start_logging()
    run.log_list("close", [1.0000003, 1.0000001, 1.0000002])
    run.log_list("far", [1e9, 1e9 + 0.001, 1e9])
    text = drawn(run)
    assert line_with(text, "close").split()[1:4] == ["1.0000002", "1.0000001", "1.0000003"]
    assert line_with(text, "far").split()[1:4] == ["1", "000", "000"]


def test_columns_are_aligned(experiment):
    run = experiment.start_logging()
    for name, values in (("a", [1.0, 2.0]), ("数据", [1e-9, 12345.678]), ("longer name", [0.1, 0.25])):
        run.log_list(name, values)
    lines = drawn(run).splitlines()
    table = lines[lines.index(next(line for line in lines if "metric" in line)) :]
    ends = {cell_len(line[: line.index("2  ▁")]) for line in table[1:]}
    assert ends == {cell_len(table[0][: table[0].index("count")]) + len("coun")}


def test_more_metrics_than_lines_are_counted_while_it_is_live_and_shown_at_the_end(experiment):
    run = experiment.start_logging()
    for number in range(30):
        run.log(f"metric {number:02}", number)
    live = drawn(run, height=20)
    assert len(live.splitlines()) <= 20
    assert "… and " in live
    assert "metric 29" not in live
    assert "metric 29" in drawn(run, height=20, is_last=True)


@pytest.mark.parametrize("progress", [(3, None), (0, 0), (5, float("inf")), (float("nan"), 3), (9, 4), (-1, 4)])
def test_any_progress_can_be_drawn(experiment, progress):
    run = experiment.start_logging()
    run.progress(0, progress[1])
    run.progress(*progress)
    assert drawn(run).startswith("● Running")
    assert as_text(view_of(run), time.time()).startswith("● Running")
    json.dumps(header_state(view_of(run), 0.0, None, None), allow_nan=False)


# ---- live


def terminal(**options):
    return Console(width=80, height=30, force_terminal=True, file=io.StringIO(), **options)


def test_a_live_view_draws_while_the_code_in_its_block_works_and_leaves_the_end_on_the_screen(experiment):
    console = terminal()
    run = experiment.start_logging(name="live")
    with LiveView(run, console=console), run:
        train(run)
        deadline = time.monotonic() + 10
        while "val/loss" not in console.file.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
        during = console.file.getvalue()
        run.log("later", 7)
    assert "val/loss" in during
    assert "Completed" not in during
    last = console.file.getvalue().removeprefix(during)
    assert "Completed" in last
    assert "later" in last
    assert last.endswith("\x1b[?25h")  # the cursor is there again


def test_what_was_logged_last_is_in_the_last_picture_of_a_run_that_goes_on(experiment):
    console = terminal()
    run = experiment.start_logging()
    with LiveView(run, refresh_seconds=60, console=console):
        time.sleep(0.2)
        run.log("at the very end", 1)
    assert "at the very end" in console.file.getvalue()
    assert run.get_status() == RunStatus.RUNNING


def test_an_exception_in_the_block_goes_through_and_is_in_the_last_picture(experiment):
    console = terminal()
    run = experiment.start_logging()
    with pytest.raises(ZeroDivisionError), LiveView(run, console=console), run:
        1 / 0  # noqa: B018
    assert "ZeroDivisionError" in console.file.getvalue()


def test_watch_returns_when_the_run_ends(experiment):
    console = terminal()
    run = experiment.start_logging()
    watcher = threading.Thread(target=watch, args=(run, 0.5, console), daemon=True)
    watcher.start()
    run.log("loss", 1)
    watcher.join(0.3)
    assert watcher.is_alive()
    run.complete()
    watcher.join(10)
    assert not watcher.is_alive()
    assert "Completed" in console.file.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_look_that_was_on_its_way_when_the_block_ended_writes_nothing(experiment, is_terminal):
    console = Console(width=80, file=io.StringIO(), force_terminal=is_terminal)
    run = experiment.start_logging()
    with LiveView(run, console=console) as view:
        pass
    before = console.file.getvalue()
    run.progress(5, 10)
    view._on_look(Look(view_of(run), changed=True, trouble=None, next_at=None))
    assert console.file.getvalue() == before


# ---- without a terminal


def test_a_file_gets_plain_lines_on_the_way_and_the_whole_at_the_end(experiment):
    console = Console(file=io.StringIO(), width=80)
    run = experiment.start_logging(name=HOSTILE)
    with LiveView(run, console=console) as view, run:
        for done in range(1, 5):
            run.log("val/loss", 1 / done)
            run.progress(done, 4, unit="epoch")
            view._subscription.refresh()
            deadline = time.monotonic() + 10
            while f"epoch {done} / 4" not in console.file.getvalue() and time.monotonic() < deadline:
                time.sleep(0.01)
    text = console.file.getvalue()
    assert "\x1b" not in text
    lines = text.splitlines()
    assert lines[0].startswith("● Running   digits / [red]evil[/red]")
    assert [line.split("   ")[0].strip() for line in lines[1:5]] == [f"epoch {done} / 4" for done in range(1, 5)]
    assert "val/loss 0.25" in lines[4]
    assert lines[5].startswith("● Completed")
    assert line_with("\n".join(lines[6:]), "val/loss").endswith("█▃▁▁")


def test_a_line_has_all_metrics_that_fit_and_counts_the_others(experiment):
    console = Console(file=io.StringIO(), width=80)
    run = experiment.start_logging()
    with LiveView(run, console=console) as view:
        for i in range(12):
            run.log(f"part {i:02}/accuracy", 0.123456)
        run.progress(1, 1, unit="epoch")
        view._subscription.refresh()
        deadline = time.monotonic() + 10
        while "epoch" not in console.file.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    line = line_with("\n".join(console.file.getvalue().splitlines()[:2]), "epoch 1 / 1")
    shown = line.count("0.1235")
    assert shown >= 5
    assert line.endswith(f"   … {12 - shown} more")


def test_what_could_not_be_kept_is_told_with_the_last_picture(experiment, monkeypatch):
    console = Console(file=io.StringIO(), width=80)
    run = experiment.start_logging()
    run.log("loss", 0.25)

    def full(_):
        raise StoreError("the disk is full")

    with LiveView(run, console=console):
        run._recorder.flush()
        monkeypatch.setattr(type(run._recorder), "flush", full)
    monkeypatch.undo()
    text = console.file.getvalue()
    assert "⚠ the disk is full" in text
    assert line_with(text, "loss").split()[:2] == ["loss", "0.25"]


def test_progress_of_less_than_a_tenth_is_no_line_of_its_own(experiment):
    console = Console(file=io.StringIO(), width=80)
    run = experiment.start_logging()
    with LiveView(run, console=console) as view:
        for done in range(1, 8):
            run.progress(done, 100)
            view._subscription.refresh()
            time.sleep(0.05)
    assert len(console.file.getvalue().splitlines()) == 2


def test_an_output_that_cannot_write_the_characters_gets_a_question_mark_and_no_exception(experiment):
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    run = experiment.start_logging()
    with LiveView(run, console=Console(file=file, force_terminal=True, width=80)), run:
        run.log_list("loss", [1, 2])
    file.flush()
    assert b"? Completed   digits" in file.buffer.getvalue()


# ---- what is refused


def test_only_a_run_can_be_watched(experiment):
    with pytest.raises(ArgumentTypeError, match="shows a Run, not a str"):
        watch("a run")


def test_too_short_an_interval_is_refused(experiment):
    run = experiment.start_logging()
    with pytest.raises(UserError, match="refresh_seconds"):
        LiveView(run, refresh_seconds=0.1)


def test_without_rich_the_error_names_the_extra():
    code = "import sys; sys.modules['rich'] = None; import runwidgets.terminal"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{MissingDependencyError.__name__}: " in done.stderr
    assert 'pip install "runwidgets[terminal]"' in done.stderr
