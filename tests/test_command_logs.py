"""`runwidgets logs`: what a run prints, as it comes, from its end, and to readers who go away."""

from __future__ import annotations

import io
import os
import signal
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwidgets import Experiment, Workspace
from runwidgets.commands.logs import LogReader, begin_of_last, primary_log
from runwidgets.store.recorder import close_all
from tests.commands import SECONDS, runwidgets
from tests.test_commands import process, start, tell  # noqa: F401 (a fixture)

TEN_LINES = "".join(f"line {n}\n" for n in range(10))


@pytest.fixture
def make_run():
    def make(**logs):
        with Experiment(Workspace(), "exp").start_logging(run_id="one") as run:
            for name, content in logs.items():
                run.upload_file(name.replace("__", "/") + ".txt", io.BytesIO(content))
        close_all()

    return make


# ---- which log


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["outputs/a.txt", "logs/user_log.txt", "user_logs/std_log.txt"], "user_logs/std_log.txt"),
        (["user_logs/std_log_process_01.txt", "user_logs/std_log_process_00.txt"], "user_logs/std_log_process_00.txt"),
        (["azureml-logs/60_control_log.txt", "azureml-logs/70_driver_log.txt"], "azureml-logs/70_driver_log.txt"),
        (["logs/user_log.txt", "logs/a.txt"], "logs/user_log.txt"),
        (["logs/b.txt", "logs/a/c.txt"], "logs/a/c.txt"),
        (["outputs/logs/x.txt", "a.txt"], None),
    ],
)
def test_the_log_that_is_meant_is_what_the_run_prints(names, expected):
    assert primary_log(names) == expected


def test_a_log_can_be_named_and_one_that_is_not_there_is_told(make_run):
    make_run(logs__user_log=b"printed", outputs__other=b"other")
    assert runwidgets("logs", "one") == ("printed", "")
    assert runwidgets("logs", "one", "--name", "outputs/other.txt") == ("other", "")
    for options in ((), ("-f",)):
        _, err = runwidgets("logs", "one", "--name", "none.txt", *options, code=2)
        assert "has no file 'none.txt'; it has: " in err


def test_a_run_without_a_log_says_so(make_run):
    make_run(outputs__other=b"other")
    assert "run one has no log" in runwidgets("logs", "one", code=2)[1]
    assert runwidgets("logs", "one", "-f") == ("", "")


# ---- from its end


@given(st.lists(st.binary(max_size=9), max_size=12).map(b"\n".join), st.integers(0, 14))
def test_the_last_lines_are_those_that_they_are_when_all_is_read(content, count):
    expected = b"".join(content.splitlines(keepends=True)[-count:]) if count else b""
    lines = content.split(b"\n")  # a carriage return ends no line of a log
    kept = [*(line + b"\n" for line in lines[:-1]), *([lines[-1]] if lines[-1] else [])]
    expected = b"".join(kept[-count:]) if count else b""
    begin = begin_of_last(io.BytesIO(content), count)
    assert content[begin:] == expected


class Counting(io.FileIO):
    count = 0

    def read(self, size=-1):
        self.count += size
        return super().read(size)


def test_a_log_of_a_gigabyte_is_read_from_its_end(tmp_path):
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.truncate(2**30)
        file.seek(2**30)
        file.write(b"\n" + TEN_LINES.encode())
    with Counting(path) as file:
        begin = begin_of_last(file, 3)
        assert file.count <= 2**17
    assert 2**30 + 1 + len(TEN_LINES) - begin == 3 * len("line 0\n")


def test_lines_are_found_over_the_bounds_of_pieces(tmp_path):
    content = b"".join(b"%d " % n + b"x" * (n * 997 % 90_000) + b"\n" for n in range(40))
    lines = content.splitlines(keepends=True)
    for count in range(1, 41):
        assert content[begin_of_last(io.BytesIO(content), count) :] == b"".join(lines[-count:])


@pytest.mark.parametrize(("tail", "expected"), [(0, ""), (2, "line 8\nline 9\n"), (99, TEN_LINES)])
def test_as_many_lines_are_printed_as_are_asked_for(make_run, tail, expected):
    make_run(logs__user_log=TEN_LINES.encode())
    assert runwidgets("logs", "one", "--tail", tail) == (expected, "")
    assert runwidgets("logs", "one", "--tail", tail, "-f") == (expected, "")


def test_a_negative_number_of_lines_is_told(make_run):
    make_run(logs__user_log=b"x")
    assert "--tail is -1: it must be a number of lines" in runwidgets("logs", "one", "--tail", "-1", code=2)[1]


def test_bytes_that_are_no_text_are_printed_as_they_are(make_run):
    make_run(logs__user_log=b"\xff\x00\xfe\n")
    following = start("logs", "one")
    assert following.communicate(timeout=SECONDS) == (b"\xff\x00\xfe\n", b"")


# ---- following


def test_a_log_is_followed_while_another_process_writes_it_and_ends_with_the_run(process):  # noqa: F811
    following = start("logs", "one", "-f")
    assert following.stdout.readline() == b"first line\n"
    for n in range(3):
        tell(process, f"line {n}")
        assert following.stdout.readline() == b"line %d\n" % n
    assert following.poll() is None
    process.stdin.close()
    assert following.communicate(timeout=SECONDS) == (b"", b"")
    assert following.returncode == 0


def test_following_a_run_that_fails_tells_so_by_the_exit_code(process):  # noqa: F811
    following = start("logs", "one", "-f", "--tail", "0")
    tell(process, "last")
    tell(process, "fail")
    out, err = following.communicate(timeout=SECONDS)
    assert (out in (b"last\n", b""), err, following.returncode) == (True, b"", 1)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_following_ends_where_the_process_was_killed(process):  # noqa: F811
    following = start("logs", "one", "-f")
    assert following.stdout.readline() == b"first line\n"
    process.kill()
    out, _ = following.communicate(timeout=SECONDS)
    assert (out, following.returncode) == (b"", 1)


@pytest.mark.usefixtures("process")
@pytest.mark.parametrize("command", [("logs", "one", "-f"), ("show", "one", "--watch")])
def test_ctrl_c_ends_what_follows_without_a_traceback(command):
    following = start(*command)
    assert following.stdout.readline()
    following.send_signal(signal.SIGINT)
    _, err = following.communicate(timeout=SECONDS)
    assert (following.returncode, err) == (130, b"")


def test_a_reader_that_has_read_enough_is_no_error(make_run):
    make_run(logs__user_log=b"x\n" * 1_000_000)
    process = start("logs", "one")  # noqa: F811
    with subprocess.Popen(["head", "-n", "1"], stdin=process.stdout, stdout=subprocess.PIPE) as head:
        process.stdout.close()
        assert head.stdout.read() == b"x\n"
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(timeout=SECONDS)


def test_who_follows_sees_the_making_of_the_environment_and_then_the_script(make_run, capfdbinary):
    make_run(**{"azureml-logs__20_image_build_log": b"collecting\n"})
    run = Experiment(Workspace(), "exp").get_runs().__next__()
    reader = LogReader(run)
    reader.print_more()
    run.upload_file("azureml-logs/20_image_build_log.txt", io.BytesIO(b"collecting\nbuilt\n"))
    run.upload_file("user_logs/std_log.txt", io.BytesIO(b"epoch 1\n"))
    reader.print_more()
    reader.print_more()
    close_all()
    assert capfdbinary.readouterr().out == b"collecting\nbuilt\nepoch 1\n"
