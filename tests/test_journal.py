"""The journal: what was written outlives its process, and what is readable of a damaged file is read."""

from __future__ import annotations

import errno
import logging
import os
import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwidgets.events import JournalOpened, PointLogged
from runwidgets.store import appender, framing, journal
from runwidgets.store.framing import Damage, frame, read_journal
from runwidgets.store.journal import JournalWriter
from runwidgets.store.locks import lock_of


def point(value):
    return PointLogged("run", "metric", 1.5, value)


def points_of(path, **how):
    return [e.value for e in read_journal(path, **how).events if isinstance(e, PointLogged)]


@pytest.fixture
def writer(tmp_path):
    writer = JournalWriter(tmp_path)
    yield writer
    writer.close()


class Disk:
    """Stands in for `os.write`, and fails as it is told to."""

    def __init__(self):
        self.fault = None

    def __call__(self, fd, data):
        if isinstance(self.fault, int):
            raise OSError(self.fault, os.strerror(self.fault))
        return os.write(fd, data[: len(data) // 2] if self.fault == "short" else data)


@pytest.fixture
def disk(monkeypatch):
    disk = Disk()
    monkeypatch.setattr(appender, "_write", disk)
    monkeypatch.setattr(journal, "_write", disk)
    return disk


FAULTS = pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, "short"])


def test_events_are_read_as_they_were_written_after_one_that_says_who_wrote(writer):
    for n in range(3):
        writer.write(point(n))
    reading = read_journal(writer.path)
    opened = reading.events[0]
    assert isinstance(opened, JournalOpened)
    assert (opened.journal_id, opened.pid) == (writer.journal_id, os.getpid())
    assert reading.events[1:] == [point(0), point(1), point(2)]
    assert reading.end == writer.end() == writer.path.stat().st_size
    assert reading.damage == []


def test_reading_goes_on_from_where_it_ended(writer):
    writer.write(point(1))
    end = read_journal(writer.path).end
    writer.write(point(2))
    assert points_of(writer.path, start=end) == [2]


def test_a_torn_frame_at_the_end_is_damage_unless_it_lies_behind_where_to_stop(writer):
    writer.write(point(1))
    whole = writer.end()
    torn = frame(point(2))[:-1]
    with writer.path.open("ab") as file:
        file.write(torn)
    reading = read_journal(writer.path)
    assert points_of(writer.path) == points_of(writer.path, stop=whole) == [1]
    assert (reading.damage, reading.end) == ([Damage(whole, len(torn))], whole + len(torn))
    reading = read_journal(writer.path, stop=whole)
    assert (reading.damage, reading.end) == ([], whole)


def test_a_damaged_middle_is_skipped_and_said(writer):
    starts = []
    for n in range(3):
        starts.append(writer.end())
        writer.write(point(n))
    with writer.path.open("r+b") as file:
        file.seek(starts[1] + 10)
        file.write(b"\xff\xff")
    reading = read_journal(writer.path)
    assert points_of(writer.path) == [0, 2]
    assert reading.damage == [Damage(starts[1], starts[2] - starts[1])]


@pytest.mark.parametrize("garbage", [b"garbage", b"\0" * 500, b"\xff" * 9])
def test_garbage_at_the_head_is_skipped_and_the_rest_is_read(writer, garbage):
    writer.write(point(1))
    writer.path.write_bytes(garbage + writer.path.read_bytes())
    assert points_of(writer.path) == [1]
    assert read_journal(writer.path).damage == [Damage(0, len(garbage))]


def test_an_event_of_a_newer_version_is_skipped_and_said(writer, caplog):
    payload = b"\x92\x63\x01"  # [99, 1]
    with writer.path.open("ab") as file:
        newer = framing._pack_header(len(payload), framing._crc32(payload)) + payload
        file.write(newer + newer + frame(point(1)))
    assert points_of(writer.path) == [1]
    assert caplog.text.count("this version cannot read the event") == 1


def test_looking_for_the_next_event_after_damage_costs_no_more_than_a_few_readings_of_the_file(tmp_path, monkeypatch):
    # An event that is found after damage is not to be looked for with a checksum at each byte of a long file.
    checked = []
    crc32 = framing._crc32
    monkeypatch.setattr(framing, "_crc32", lambda data: checked.append(len(data)) or crc32(data))
    events = b"".join(frame(point(n)) for n in range(50_000))
    path = tmp_path / "damaged.journal"
    for damaged in (
        b"\xff" * 8 + events[8:],  # its first header
        b"\x01\x00\x80\x00" + events[4:],  # its first length, which is now nearly all of the file
        bytes(len(events)),
        random.Random(1).randbytes(len(events)),
        b"".join(events[n : n + 9_990] + b"\xa5" * 10 for n in range(0, len(events), 10_000)),
    ):
        checked.clear()
        path.write_bytes(damaged)
        reading = read_journal(path)
        assert reading.end == len(damaged)
        assert sum(checked) < 20 * len(damaged)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.data())
def test_whatever_bytes_are_overwritten_every_other_event_is_read(tmp_path_factory, sizes, data):
    path = tmp_path_factory.mktemp("journal") / "damaged.journal"
    frames = [frame(point(f"{n}{'x' * size}")) for n, size in enumerate(sizes)]
    content = bytearray(b"".join(frames))
    at = data.draw(st.integers(0, len(content) - 1))
    garbage = data.draw(st.binary(min_size=1, max_size=len(content) - at))
    whole = bytes(content)
    content[at : at + len(garbage)] = garbage
    path.write_bytes(content)
    expected, offset = [], 0
    for n, one in enumerate(frames):
        if whole[offset : offset + len(one)] == content[offset : offset + len(one)]:
            expected.append(n)
        offset += len(one)
    reading = read_journal(path)
    assert [int(str(e.value).rstrip("x")) for e in reading.events] == expected
    assert reading.end == len(content)
    assert sum(d.length for d in reading.damage) == sum(len(f) for n, f in enumerate(frames) if n not in expected)


def test_threads_write_whole_events_each_in_its_own_order(writer):
    def write(name):
        for n in range(300):
            writer.write(PointLogged("run", name, 0.0, n))

    threads = [threading.Thread(target=write, args=(f"thread {t}",)) for t in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reading = read_journal(writer.path)
    assert reading.damage == []
    for t in range(8):
        found = [e.value for e in reading.events if isinstance(e, PointLogged) and e.name == f"thread {t}"]
        assert found == list(range(300))


# ---- a disk that fails


@FAULTS
def test_a_failing_disk_stops_nothing_warns_once_and_gets_all_in_order_when_it_works_again(writer, disk, fault, caplog):
    writer.write(point(0))
    disk.fault = fault
    for n in range(1, 50):
        writer.write(point(n))
    assert writer.path.stat().st_size == writer.end(), "no torn frame stays"
    assert not writer.drain()
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "training goes on" in caplog.text
    assert points_of(writer.path) == [0]
    caplog.clear()
    disk.fault = None
    writer.write(point(50))
    assert writer.drain()
    assert points_of(writer.path) == list(range(51))
    assert read_journal(writer.path).damage == []
    assert writer.lost == 0
    assert "can be written again" in caplog.text
    writer.write(point(51))
    assert points_of(writer.path) == list(range(52))


@FAULTS
def test_a_disk_that_fails_from_the_beginning_still_gets_first_who_writes(tmp_path, disk, fault, caplog):
    disk.fault = fault
    writer = JournalWriter(tmp_path)
    writer.write(point(1))
    assert not writer.drain()
    assert len(caplog.records) == 1
    disk.fault = None
    assert writer.drain()
    events = read_journal(writer.path).events
    assert isinstance(events[0], JournalOpened)
    assert events[1:] == [point(1)]
    writer.close()


def test_a_folder_that_cannot_be_written_at_first_gets_all_once_it_can(tmp_path, caplog):
    folder = tmp_path / "journals"
    folder.write_text("a file is in the way")
    writer = JournalWriter(folder)
    writer.write(point(1))
    assert not writer.drain()
    assert len(caplog.records) == 1
    folder.unlink()
    folder.mkdir()
    assert writer.drain()
    assert points_of(writer.path) == [1]
    writer.close()


def test_a_torn_frame_that_cannot_be_cut_off_is_skipped_by_readers(writer, disk, monkeypatch):
    def refuse(fd, size):
        raise OSError(errno.EIO, "no")

    writer.write(point(1))
    disk.fault = "short"
    monkeypatch.setattr(os, "ftruncate", refuse)
    writer.write(point(2))
    disk.fault = None
    assert writer.drain()
    writer.write(point(3))
    assert points_of(writer.path) == [1, 2, 3]
    assert len(read_journal(writer.path).damage) == 1


def test_what_waits_in_memory_is_bounded_and_what_is_given_up_is_the_oldest_and_counted(
    writer, disk, monkeypatch, caplog
):
    size = len(frame(point(1)))
    monkeypatch.setattr(journal, "WAITING_LIMIT", 10 * size)
    disk.fault = errno.ENOSPC
    for n in range(100):
        writer.write(point(n))
    assert writer.lost == 90
    assert writer.waiting == 10
    assert len(caplog.records) == 2
    assert "the oldest are given up" in caplog.records[1].message
    disk.fault = None
    assert writer.drain()
    assert points_of(writer.path) == list(range(90, 100))
    assert "on disk now: 10; older ones that were given up: 90" in caplog.records[2].message
    disk.fault = errno.ENOSPC
    writer.write(point(100))
    disk.fault = None
    assert writer.drain()
    assert "none was given up" in caplog.records[4].message


def test_however_much_is_given_up_the_journal_begins_with_who_writes_it(tmp_path, disk, monkeypatch):
    monkeypatch.setattr(journal, "WAITING_LIMIT", 500)
    disk.fault = errno.ENOSPC
    writer = JournalWriter(tmp_path)
    for n in range(100):
        writer.write(point(n))
    assert writer.waiting + writer.lost == 100
    disk.fault = None
    assert writer.drain()
    assert isinstance(read_journal(writer.path).events[0], JournalOpened)
    assert points_of(writer.path) == list(range(writer.lost, 100))
    writer.close()


def test_events_that_could_never_be_written_are_said_to_be_lost(tmp_path, disk, caplog):
    writer = JournalWriter(tmp_path)
    disk.fault = errno.ENOSPC
    writer.write(point(1))
    writer.write(point(2))
    caplog.clear()
    writer.close()
    assert "events that are lost: 2" in caplog.text


# ---- the lock


def test_a_writer_holds_its_lock_until_it_closes(tmp_path):
    writer = JournalWriter(tmp_path)
    other = lock_of(writer.path)
    with pytest.raises(TimeoutError):
        other.acquire(timeout=0)
    writer.close()
    with other.acquire(timeout=0):
        assert writer.path.exists()


def test_closing_with_removal_leaves_nothing(tmp_path):
    writer = JournalWriter(tmp_path)
    writer.write(point(1))
    writer.close(folded=writer.end())
    assert list(tmp_path.iterdir()) == []
