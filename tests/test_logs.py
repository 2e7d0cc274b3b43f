"""Logs as they grow: what is read of them, and when nothing is."""

import os
from pathlib import Path

import pytest

from runwidgets.errors import UserError
from runwidgets.store.files import FileRoot
from runwidgets.watch.logs import DOWNLOAD_BYTES, PART_BYTES, GrowingFile, Logs, log_names

LOG = "user_logs/std_log.txt"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "user_logs" / "std_log.txt"


@pytest.fixture
def log(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"one\n")
    return path


@pytest.fixture
def logs(tmp_path):
    return Logs(FileRoot(tmp_path), "run")


def append(path, data):
    with path.open("ab") as file:
        file.write(data)


def follow(path):
    file = GrowingFile(lambda: path)
    file.tail()
    return file


def test_the_end_is_read_first_then_what_is_new_and_nothing_twice(log):
    file = GrowingFile(lambda: log)
    assert file.tail().data == b"one\n"
    append(log, b"two\nthr")
    append(log, b"ee\n")
    part = file.more()
    assert (part.start, part.end, part.size, part.data) == (4, 14, 14, b"two\nthree\n")
    assert file.more() is None


def test_a_look_that_finds_nothing_new_does_not_open_the_file(log, monkeypatch):
    file = follow(log)
    looks = []
    stat = Path.stat
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("it was opened"))
    monkeypatch.setattr(Path, "stat", lambda self, **more: looks.append(self) or stat(self, **more))
    assert [file.more() for _ in range(5)] == [None] * 5
    assert looks == [log] * 5


def test_a_log_of_a_gigabyte_is_opened_at_its_end(log):
    with log.open("r+b") as file:  # with a hole, so that no disk is filled
        file.truncate(2**30)
        file.seek(0, os.SEEK_END)
        file.write(b"the end\n")
    growing = GrowingFile(lambda: log)
    part = growing.tail()
    assert (len(part.data), part.end, part.size) == (PART_BYTES, 2**30 + 8, 2**30 + 8)
    assert part.data.endswith(b"\0the end\n")
    append(log, b"more\n")
    assert growing.more().data == b"more\n"


def test_earlier_parts_are_read_until_the_beginning_and_leave_the_end_where_it_is(log):
    content = b"".join(b"%07d\n" % i for i in range(100_000))
    log.write_bytes(content)
    file = GrowingFile(lambda: log)
    part = file.tail()
    pages = [part.data]
    while part.start > 0:
        part = file.before(part.start)
        assert len(part.data) <= PART_BYTES
        pages.insert(0, part.data)
    assert b"".join(pages) == content
    append(log, b"new\n")
    assert file.more().data == b"new\n"


def test_more_than_a_part_at_once_is_its_end(log):
    file = follow(log)
    append(log, b"x" * (3 * PART_BYTES))
    part = file.more()
    assert (part.content, part.start, part.end) == (0, 4 + 2 * PART_BYTES, 4 + 3 * PART_BYTES)


@pytest.mark.parametrize(
    "change",
    [
        lambda log: log.write_bytes(b""),
        lambda log: log.write_bytes(b"ane\n"),
        lambda log: log.write_bytes(b"another, and longer\n"),
        lambda log: (log.with_name("new").write_bytes(b"one\ntwo\n"), log.with_name("new").replace(log)),
    ],
    ids=["cut", "overwritten", "overwritten by more", "replaced"],
)
def test_a_log_that_is_cut_or_replaced_begins_anew(log, change):
    file = follow(log)
    change(log)
    os.utime(log, ns=(1, 1))  # a clock that is coarser than this test
    part = file.more()
    assert (part.content, part.start, part.data) == (1, 0, log.read_bytes())
    assert file.more() is None
    append(log, b"on\n")
    assert file.more().data == b"on\n"


def test_what_is_touched_but_not_changed_is_not_sent_again(log):
    file = follow(log)
    os.utime(log, ns=(1, 1))
    assert file.more() is None


def test_a_log_that_is_gone_is_told_of_once_and_read_when_it_is_back(log):
    file = follow(log)
    log.unlink()
    assert file.more().trouble == "the file is not there any more"
    assert file.more() is None
    log.write_bytes(b"back\n")
    part = file.more()
    assert (part.trouble, part.content, part.data) == (None, 1, b"back\n")


def test_logs_are_offered_with_the_scripts_own_first_and_numbers_in_their_order():
    names = [
        "logs/a10.log", "logs/a9.log", "outputs/log.txt", "azureml-logs/x.txt", "user_logs/other.txt",
        "user_logs/std_log_process_10.txt", "user_logs/std_log_process_02.txt", "user_logs/std_log.txt",
    ]  # fmt: skip
    assert log_names(names) == [
        "user_logs/std_log.txt", "user_logs/std_log_process_02.txt", "user_logs/std_log_process_10.txt",
        "azureml-logs/x.txt", "logs/a9.log", "logs/a10.log", "user_logs/other.txt",
    ]  # fmt: skip


def test_a_log_is_found_before_the_store_knows_of_it(log, logs):
    assert logs.find(["logs/user_log.txt", "outputs/model.pkl"]) == [LOG, "logs/user_log.txt"]


def test_a_browser_gets_the_end_of_a_log_an_earlier_part_and_all_of_it(log, logs):
    log.write_bytes(b"one\ntwo\n")
    logs.find([])
    message, data = logs.answer({"kind": "log", "name": LOG, "before": None})
    assert (message["kind"], message["start"], message["end"], message["size"], data) == ("log", 0, 8, 8, b"one\ntwo\n")
    assert logs.answer({"kind": "log", "name": LOG, "before": 4})[1] == b"one\n"
    message, data = logs.answer({"kind": "download", "name": LOG})
    assert (message["kind"], data) == ("download", b"one\ntwo\n")


def test_of_a_huge_log_a_browser_is_given_the_end_as_a_file(log, logs):
    with log.open("r+b") as file:
        file.truncate(DOWNLOAD_BYTES + 100)
    logs.find([])
    message, data = logs.answer({"kind": "download", "name": LOG})
    assert (message["start"], message["size"], len(data)) == (100, DOWNLOAD_BYTES + 100, DOWNLOAD_BYTES)


@pytest.mark.parametrize(
    "request_",
    [
        None, 7, {}, {"kind": "rows", "name": LOG}, {"kind": "log"}, {"kind": "log", "name": "outputs/model.pkl"},
        {"kind": "log", "name": "../other/user_logs/std_log.txt"}, {"kind": "log", "name": ["x"]},
        {"kind": "log", "name": LOG, "before": -1}, {"kind": "log", "name": LOG, "before": "4"},
        {"kind": "log", "name": LOG, "before": 2**60}, {"kind": "log", "name": LOG, "before": True},
        {"kind": "download", "name": "/etc/passwd"},
    ],
)  # fmt: skip
def test_a_request_for_what_is_no_log_of_the_run_gets_no_answer(log, logs, request_):
    logs.find([])
    assert logs.answer(request_) is None


def test_a_link_out_of_the_runs_folder_is_not_followed(log, logs, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    link = log.with_name("link.txt")
    link.symlink_to(secret)
    assert logs.find([]) == [LOG]
    logs.find(["user_logs/link.txt"])
    message, data = logs.answer({"kind": "log", "name": "user_logs/link.txt", "before": None})
    assert data == b""
    assert "leads out" in message["trouble"]
    with pytest.raises(UserError):
        FileRoot(tmp_path).path("run", "user_logs/link.txt")


def test_only_what_somebody_has_asked_for_is_followed(log, logs):
    logs.find([])
    assert logs.more(LOG) is None
    logs.answer({"kind": "log", "name": LOG, "before": None})
    append(log, b"two\n")
    assert logs.more(LOG)[1] == b"two\n"
    assert logs.more(LOG) is None


def test_a_log_that_is_asked_for_before_it_is_there_comes_with_its_first_line(logs, path):
    logs.find([LOG])
    message, data = logs.answer({"kind": "log", "name": LOG, "before": None})
    assert (message["trouble"], data) == ("the file is not there any more", b"")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"first\n")
    assert logs.more(LOG)[1] == b"first\n"


def test_the_end_of_the_first_log_is_read_with_its_time(log, logs):
    assert logs.last(100) is None
    logs.find([])
    os.utime(log, (1000, 1000))
    assert logs.last(3) == (b"ne\n", 1000)
    append(log, b"2\n")
    assert logs.last(3)[0] == b"\n2\n"
    log.unlink()
    assert logs.last(3) is None


def test_the_log_of_the_process_that_failed_comes_first_whenever_that_is_known(logs):
    names = [f"user_logs/std_log_process_0{rank}.txt" for rank in range(3)]
    assert logs.find(names) == names
    failed = {"runwidgets.failed_log": names[1]}
    assert logs.find(names, failed) == [names[1], names[0], names[2]]
    assert logs.find([], failed)[0] == names[1]
    assert logs.find([], {"runwidgets.failed_log": "none"}) == names
