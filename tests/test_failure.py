"""Why a script's run failed, from its exit and the end of its log."""

from __future__ import annotations

import signal

import pytest

from runwidgets.submit.failure import exit_error, last_lines

TRACE = """Traceback (most recent call last):
  File "train.py", line 3, in <module>
    f()
"""


@pytest.fixture
def log(tmp_path):
    return tmp_path / "std_log.txt"


@pytest.mark.parametrize(
    ("end", "code", "message"),
    [
        ("ValueError: no data\n", "ValueError", "no data"),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory\n", "OutOfMemoryError", "CUDA out of memory"),
        ("KeyboardInterrupt\n", "KeyboardInterrupt", ""),
        ("ValueError: two\nlines\n", "ValueError", "two\nlines"),
    ],
)
def test_the_exception_at_the_end_of_a_traceback_is_the_error(log, end, code, message):
    log.write_text(f"before\n{TRACE}{end}")
    error = exit_error("train.py", 1, log)
    assert (error.code, error.message) == (code, message)
    assert error.traceback.startswith(TRACE)


def test_a_script_that_cannot_be_parsed_has_that_for_its_error(log):
    place = '  File "/x/train.py", line 3\n    def f(:\n          ^\n'
    log.write_text(f"warning\n{place}SyntaxError: invalid syntax\n")
    error = exit_error("train.py", 1, log)
    assert (error.code, error.message) == ("SyntaxError", "invalid syntax")
    assert error.traceback == f"{place}SyntaxError: invalid syntax"


def test_of_several_tracebacks_the_last_counts(log):
    handled = f"{TRACE}KeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\n"
    log.write_text(f"{handled}{TRACE}ValueError: b\n")
    assert exit_error("train.py", 1, log).message == "b"


def test_a_traceback_that_was_only_printed_is_no_reason_where_a_signal_ended_the_script(log):
    log.write_text(f"{TRACE}ValueError: a\n")
    assert exit_error("train.py", -signal.SIGTERM, log).code == "ProcessKilled"


def test_what_the_system_killed_for_want_of_memory_is_said_to_be(log):
    log.write_text("epoch 1\n")
    error = exit_error("train.py", -signal.SIGKILL, log, out_of_memory=True)
    assert error.code == "OutOfMemory"
    assert error.message == "train.py was killed because memory ran out. The last lines of its log:\nepoch 1"
    assert "usual reason is that memory ran out" in exit_error("train.py", -signal.SIGKILL, log).message


def test_a_script_that_printed_nothing_is_said_to_have(log):
    assert exit_error("train.py", 2, log).message == "train.py ended with exit code 2. It printed nothing."


def test_last_lines_are_without_colours_and_bars_are_at_their_last_state(log):
    log.write_bytes(b"\x1b[31mred\x1b[0m\r\n 0%|\r 50%|\r100%|\n\xff\n\n\n")
    assert last_lines(log) == ["red", "100%|", "\ufffd"]


def test_a_huge_log_is_read_from_its_end_and_its_first_line_there_is_left_out(log):
    log.write_text("x" * 100 + "\n" + "line\n" * 100_000)
    assert set(last_lines(log)) == {"line"}


def test_of_several_processes_the_one_that_failed_is_named(log):
    log.write_text(f"{TRACE}ValueError: no data\n")
    assert exit_error("train.py", 1, log, rank=3).message == "rank 3: no data"
    log.write_text("")
    assert exit_error("train.py", 1, log, rank=3).message.startswith("train.py (rank 3) ended with exit code 1")
    assert exit_error("train.py", -signal.SIGTERM, log, rank=3).message.startswith("train.py (rank 3) was ended by")
