"""Appending without a lock: threads, signals, exceptions and forks at any moment, and nothing is lost or twice."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from runwidgets import Experiment, Workspace
from runwidgets.events import PointLogged
from runwidgets.store import appender, journal, points
from runwidgets.store.appender import Appender, appending
from runwidgets.store.framing import frame, read_journal
from runwidgets.store.journal import JournalWriter, segments_in
from runwidgets.store.points import point_writer
from tests.test_processes import finish, forking, journals, not_measured, recovered, start, values  # noqa: F401 (a fixture)

unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no timers that send signals")


def point(value, name="m"):
    return PointLogged("run", name, 1.5, value)


def events_in(folder):
    """Read a journal as whoever recovers it: its files in order, each up to where the next begins."""
    ((_, segments),) = segments_in(folder).items()
    events, damage = [], []
    for n, segment in enumerate(segments):
        stop = segments[n + 1].begin - segment.begin if n + 1 < len(segments) else None
        reading = read_journal(segment.path, 0, stop)
        assert stop is None or reading.end == stop, "no file ends before the next begins"
        if stop is not None:
            assert segment.path.stat().st_size == stop, "nor goes on behind that"
        events += reading.events
        damage += reading.damage
    return events, damage


def values_in(folder, name="m"):
    events, _ = events_in(folder)
    return [event.value for event in events if isinstance(event, PointLogged) and event.name == name]


def boundaries_in(segments):
    """Give the offsets, in the journal, after an event or a torn part of one."""
    found = set()
    for segment in segments:
        data, at = segment.path.read_bytes(), 0
        torn = {one.offset: one.length for one in read_journal(segment.path).damage}
        while at < len(data):
            at += torn[at] if at in torn else 8 + int.from_bytes(data[at : at + 4], "little")
            found.add(segment.begin + at)
    return found


@pytest.fixture
def unreliable(monkeypatch):
    """Have the disk be full now and then, or take a part only."""
    chance = random.Random(1)

    @appending  # for it has a frame, which `os.write` has not
    def write(fd, data):
        lot = chance.random()
        if lot < 0.02:
            raise OSError(errno.ENOSPC, "full")
        return os.write(fd, data[:7] if lot < 0.04 else data)

    for module in (appender, journal, points):
        monkeypatch.setattr(module, "_write", write)


@pytest.fixture
def writer(tmp_path):
    writer = JournalWriter(tmp_path)
    yield writer
    writer.close()


@pytest.fixture
def switching():
    """Have threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def run_threads(*functions):
    errors = []

    def guarded(function):
        try:
            function()
        except BaseException as error:  # noqa: BLE001 (the test tells)
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(function,), daemon=True) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "it hangs"
    assert errors == []


# ---- the appender alone


def test_who_stops_the_appender_waits_for_the_write_that_has_begun(tmp_path, monkeypatch):
    begun, may_end, order = threading.Event(), threading.Event(), []

    reading, writing = os.pipe()
    handle = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    left = []
    it = Appender(lambda data, written: left.append((data, written)))
    # A pipe that is full: the write ends when somebody reads.
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(1024))
    os.set_blocking(writing, True)
    it.go_on(writing)

    def append():
        begun.set()
        it.append(b"x" * 4096)
        order.append("written")

    def stop():
        begun.wait()
        while not any(frame.f_code is it.attempt.__code__ for frame in sys._current_frames().values()):
            pass
        threading.Thread(target=drain, daemon=True).start()
        it.stop()
        order.append("stopped")

    def drain():
        may_end.wait(0.2)
        while order != ["written", "stopped"]:
            os.read(reading, 65536)

    run_threads(append, stop)
    assert order == ["written", "stopped"]
    it.append(b"late")
    assert left == [(b"late", 0)]
    it.go_on(handle)
    it.append(b"again")
    assert (tmp_path / "file").read_bytes() == b"again"
    for one in (reading, writing, handle):
        os.close(one)


# ---- threads


@pytest.mark.usefixtures("switching")
@pytest.mark.parametrize("disk", [None, "unreliable"])
def test_threads_that_write_while_the_journal_goes_on_in_new_files_lose_nothing_and_keep_their_order(
    tmp_path, monkeypatch, disk, request
):
    if disk:
        request.getfixturevalue(disk)
    monkeypatch.setattr(journal, "FILE_BYTES", 3000)
    writer = JournalWriter(tmp_path)
    names, ends = [f"thread {n}" for n in range(6)], []
    going, counts = set(names), {}

    def write(name):
        series = point_writer(writer._appender, "run", name, pytest.fail)
        n = 0
        while n < 300 or len(writer.segments) <= 10:
            if n % 7:
                series(n, n)
            else:
                writer.write(point(n, name))
            n += 1
            if n % 20 == 0:
                time.sleep(0.001)  # locks are not fair, and there would be no end of writing
        counts[name] = n
        going.discard(name)

    def look():
        while going:
            ends.append(writer.end())
            writer.tidy(0)
            writer.drain()
            writer.mend()

    run_threads(look, *(lambda name=name: write(name) for name in names))
    while not writer.drain():
        pass
    ends.append(writer.end())
    for name in names:
        assert values_in(tmp_path, name) == list(range(counts[name]))
    _, damage = events_in(tmp_path)
    assert disk or damage == []
    boundaries = boundaries_in(writer.segments)
    assert set(ends) <= boundaries, "no end is within an event"
    writer.close()


@pytest.mark.usefixtures("switching")
def test_threads_that_log_while_the_store_is_fed_and_closed_and_opened_anew_lose_nothing(monkeypatch):
    monkeypatch.setattr(journal, "FILE_BYTES", 20_000)
    run = Experiment(Workspace(), "exp").start_logging(run_id="run", snapshot_directory=None, outputs=False)
    run._recorder._owned.clear()  # so that closing leaves it running
    count, threads = 2000, 4
    going = set(range(threads))

    def log(t):
        for n in range(count):
            run.log(f"thread {t}", n, step=n)
        going.discard(t)

    def close():
        while going:
            run._recorder.close()

    run_threads(close, *(lambda t=t: log(t) for t in range(threads)))
    run._recorder.close()
    run._recorder.recover()
    found = {name: Counter(values(run, name)) for name in (f"thread {t}" for t in range(threads))}
    assert found == {f"thread {t}": Counter(range(count)) for t in range(threads)}


# ---- in the middle of something: as a signal's handler does that logs


def test_what_is_written_in_the_middle_of_going_on_in_a_new_file_is_not_lost(writer, tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "FILE_BYTES", 1)
    open_file, nested = journal._append_to, iter(range(100, 103))

    def interrupted(path):
        handle = open_file(path)
        for n in nested:
            writer.write(point(n))
            assert n in values_in(tmp_path), "it is there when the handler returns"
        return handle

    monkeypatch.setattr(journal, "_append_to", interrupted)
    for n in range(5):
        writer.write(point(n))
        writer.tidy(0)
    assert values_in(tmp_path) == [0, 100, 101, 102, 1, 2, 3, 4]
    assert len(writer.segments) > 1


def test_what_is_written_in_the_middle_of_copying_a_deleted_file_is_not_lost(writer, tmp_path, monkeypatch):
    open_file, nested = journal._append_to, iter(range(100, 103))

    def interrupted(path):
        handle = open_file(path)
        for n in nested:
            writer.write(point(n))
        return handle

    replace = Path.replace

    def interrupted_too(self, target):
        found = replace(self, target)
        writer.write(point(103))
        return found

    monkeypatch.setattr(journal, "_append_to", interrupted)
    monkeypatch.setattr(Path, "replace", interrupted_too)
    writer.write(point(0))
    writer.path.unlink()
    assert writer.mend()
    writer.write(point(1))
    assert values_in(tmp_path) == [0, 100, 101, 102, 103, 1]
    assert not writer.mend()


def test_what_is_written_in_the_middle_of_cutting_off_a_torn_event_is_not_cut_off(writer, tmp_path, monkeypatch):
    read, nested = journal.read_journal, iter([100])

    def interrupted(*args):
        reading = read(*args)
        for n in nested:
            writer.write(point(n))
        return reading

    writer.write(point(0))
    monkeypatch.setattr(journal, "read_journal", interrupted)
    monkeypatch.setattr(appender, "_write", lambda fd, data: os.write(fd, data[:9]))
    writer.write(point(1))
    assert values_in(tmp_path) == [0, 100, 1]


def test_of_an_event_that_was_torn_under_others_only_that_is_damaged(writer, tmp_path):
    torn = frame(point(1))[:-3]
    for data in (frame(point(0)), torn, frame(point(2))):
        os.write(writer._fd, data)
    assert writer.insert(frame(point(1)), len(torn)), "by the thread that could write only a part of it"
    events, damage = events_in(tmp_path)
    assert [event.value for event in events[1:]] == [0, 2, 1]
    assert [one.length for one in damage] == [len(torn)]


def test_what_a_fold_was_told_to_be_there_is_not_cut_off(writer, tmp_path):
    torn = frame(point(1))[:-3]
    os.write(writer._fd, torn)
    end = writer.end()
    assert writer.insert(frame(point(1)), len(torn))
    assert read_journal(writer.path, end).events == [point(1)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupt_in_the_middle_of_going_on_in_a_new_file_leaves_no_other_file(writer, tmp_path, monkeypatch, when):
    monkeypatch.setattr(journal, "FILE_BYTES", 1)
    writer.write(point(0))
    open_file = journal._append_to

    def interrupt(path):
        if when == "after":
            os.close(open_file(path))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(journal, "_append_to", interrupt)
        with pytest.raises(KeyboardInterrupt):
            writer.tidy(0)
    writer.write(point(1))
    assert values_in(tmp_path) == [0, 1]
    assert len(list(tmp_path.glob("*.journal"))) == 1
    writer.tidy(0)
    writer.write(point(2))
    assert values_in(tmp_path) == [0, 1, 2]


def test_an_interrupt_before_threads_may_append_again_delays_that_to_the_next_event(writer, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(writer, "_go_on", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            writer.end()
    assert writer._appender.handle == [appender.NO_FILE]
    writer.write(point(0))
    assert writer._appender.handle != [appender.NO_FILE]
    assert values_in(tmp_path) == [0]


def _interrupt():
    raise KeyboardInterrupt


# ---- signals

STORM = """
from runwidgets.store import journal, recorder
recorder.FOLD_SECONDS = 0.001
recorder.MUCH_BYTES = 0
journal.FILE_BYTES = 20_000
run = experiment.start_logging(run_id="run", snapshot_directory=None, outputs=False)
"""


@unix
def test_interrupts_at_any_moment_lose_nothing_that_returned_and_hold_up_nothing(start, experiment):  # noqa: F811
    code = """
import random
returned, interrupts, n = [], 0, 0
signal.signal(signal.SIGALRM, signal.default_int_handler)
for _ in range(300):
    try:
        signal.setitimer(signal.ITIMER_REAL, random.random() / 1000)
        for _ in range(200):  # and not for ever: an interrupt in a finalizer is lost
            n += 1
            run.log("m", n, step=n)
            returned.append(n)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        interrupts += 1
run.log("after", 1)
run.flush()
assert run._recorder.appender.handle[0] >= 0
print(json.dumps(returned))
run.complete()
"""
    returned, err = finish(start(STORM + code, env=not_measured()))
    assert err == ""
    run = recovered(experiment, "run")
    found = values(run)
    assert found == sorted(set(found)), "each once, and in order"
    assert set(returned) <= set(found)
    assert (values(run, "after"), run.get_status()) == ([1], "Completed")


@unix
def test_interrupts_of_what_is_done_to_a_journal_lose_nothing_that_returned(start, tmp_path):  # noqa: F811
    code = """
from pathlib import Path
from runwidgets.events import PointLogged
from runwidgets.store import journal
journal.FILE_BYTES = 2000
writer = journal.JournalWriter(Path(sys.argv[1]))
import random
returned, interrupts, n = [], 0, 0
signal.signal(signal.SIGALRM, signal.default_int_handler)
for _ in range(300):
    try:
        signal.setitimer(signal.ITIMER_REAL, random.random() / 1000)
        for _ in range(200):  # and not for ever: an interrupt in a finalizer is lost
            n += 1
            writer.write(PointLogged("run", "m", 1.5, n))
            returned.append(n)
            writer.end()
            writer.mend()
            writer.drain()
            writer.tidy(0)
            if n % 50 == 0:
                writer.path.unlink()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        interrupts += 1
writer.mend()
writer.write(PointLogged("run", "m", 1.5, 0))
print(json.dumps([returned, len(writer.segments)]))
writer.close()
"""
    (returned, segments), err = finish(start(code, tmp_path, env=not_measured()))
    assert err == ""
    assert segments > 2
    found = values_in(tmp_path)
    assert found.pop() == 0
    assert found == sorted(set(found))
    assert set(returned) <= set(found)


@unix
def test_a_handler_that_logs_and_flushes_while_the_script_logs_hangs_nothing_and_loses_nothing(start, experiment):  # noqa: F811
    code = """
handled = []
def handle(*_):
    handled.append(len(handled))
    run.log("handled", handled[-1], step=1)
    if len(handled) % 10 == 0:
        run.flush()
    again()
def again():
    signal.setitimer(signal.ITIMER_REAL, 0.0005)
signal.signal(signal.SIGALRM, handle)
again()
n = 0
while n < 30_000 or len(handled) < 300:
    run.log("m", n, step=n)
    n += 1
again = lambda: None
while signal.setitimer(signal.ITIMER_REAL, 0)[0]:
    pass
run.complete()
print(json.dumps([n, len(handled)]))
"""
    (logged, handled), err = finish(start(STORM + code, env=not_measured()))
    assert err == ""
    run = recovered(experiment, "run")
    assert values(run) == list(range(logged))
    assert values(run, "handled") == list(range(handled))


@unix
@forking
def test_a_handler_that_forks_leaves_both_processes_logging(start, experiment):  # noqa: F811
    code = """
children = []
def handle(*_):
    pid = os.fork()
    if pid:
        children.append(pid)
        if len(children) < 10:
            signal.setitimer(signal.ITIMER_REAL, 0.003)
    else:
        for n in range(100):
            run.log("child", n, step=n)
        run.flush()
        os._exit(0)
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.003)
n = 0
while len(children) < 10:
    run.log("m", n, step=n)
    n += 1
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
run.complete()
print(json.dumps([n, codes]))
"""
    (logged, codes), err = finish(start(STORM + code, env=not_measured()))
    assert (codes, err) == ([0] * 10, "")
    run = recovered(experiment, "run")
    assert Counter(values(run, "child")) == Counter([*range(100)] * 10)
    assert values(run) == list(range(logged))


@unix
def test_a_script_that_only_logs_has_all_of_it_in_the_store_when_it_is_terminated(start, experiment):  # noqa: F811
    for attempt in range(5):
        code = f"run = experiment.start_logging(run_id='run-{attempt}')\nprint('ready', flush=True)\n"
        process = start(code + "while True:\n    run.log('m', 1, step=1)\n", env=not_measured())
        process.stdout.readline()
        process.terminate()
        process.communicate(timeout=120)
        assert process.returncode == -signal.SIGTERM
        assert journals() == [], "though the signal came in the middle of a call"


@pytest.fixture
def experiment():
    return Experiment(Workspace(), "exp")
