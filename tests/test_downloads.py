"""Files on their way to a browser."""

import os

import pytest

from runwidgets.watch import downloads
from runwidgets.watch.downloads import MAX_BYTES, PART_BYTES, Downloads, Offer
from runwidgets.watch.requests import Desk


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(os.urandom(2 * PART_BYTES + 5))
    return path


@pytest.fixture
def made():
    """Folders in which files were made."""
    return []


@pytest.fixture
def ask(file, made):
    def make(name, scratch):
        made.append(scratch)
        path = scratch / "made.csv"
        path.write_text(name * 10)
        return Offer(path, "do it yourself")

    given = Downloads({"file": lambda _name, _scratch: Offer(file, "run.download_file('model.bin')"), "made": make})
    desk = Desk({"download": given.answer})

    def ask(start=0, what="file", number="t", name="a"):
        return desk.answer(
            {"kind": "download", "id": "1", "download": number, "what": what, "name": name, "start": start}
        )

    ask.downloads = given
    yield ask
    given.close()


def whole(ask, **more):
    data, size = b"", 1
    while len(data) < size:
        message, part = ask(len(data), **more)
        assert message["trouble"] is None
        assert (message["start"], message["end"]) == (len(data), len(data) + len(part))
        data, size = data + part, message["size"]
    return data


def test_a_file_comes_in_parts_that_are_the_file(ask, file):
    assert whole(ask) == file.read_bytes()


def test_what_is_appended_meanwhile_stays_away(ask, file):
    before = file.read_bytes()
    ask()
    with file.open("ab") as log:
        log.write(b"more")
    assert ask(PART_BYTES)[0]["size"] == len(before)
    message, part = ask(2 * PART_BYTES)
    assert (message["end"], part) == (len(before), before[-5:])


def test_a_file_that_is_replaced_or_cut_meanwhile_is_given_up(ask, file):
    ask()
    file.with_suffix(".new").write_bytes(b"other" * PART_BYTES)
    file.with_suffix(".new").replace(file)
    assert "has changed" in ask(PART_BYTES)[0]["trouble"]
    assert "given up" in ask(PART_BYTES)[0]["trouble"]
    ask()
    os.truncate(file, PART_BYTES)
    assert "has changed" in ask(PART_BYTES)[0]["trouble"]


def test_what_is_too_large_for_a_browser_names_another_way(ask, file):
    os.truncate(file, MAX_BYTES + 1)
    assert ask()[0]["trouble"] == (
        "larger than 200 MB, the most that goes through a notebook: run.download_file('model.bin')"
    )


def test_what_is_made_for_a_download_is_gone_after_it(ask, made):
    assert whole(ask, what="made", name="abc") == b"abc" * 10
    assert not made[0].exists()


def test_what_is_made_is_gone_when_the_display_is_closed_or_others_were_begun(ask, made, monkeypatch):
    monkeypatch.setattr(downloads, "PART_BYTES", 4)
    for number in range(10):
        ask(what="made", number=str(number))
    assert [folder.exists() for folder in made] == [False] * 2 + [True] * 8
    ask.downloads.close()
    assert not any(folder.exists() for folder in made)


def test_each_download_has_a_file_of_its_own(ask, monkeypatch):
    monkeypatch.setattr(downloads, "PART_BYTES", 4)
    ask(what="made", number="1", name="a")
    ask(what="made", number="2", name="b")
    assert (ask(4, number="1")[1], ask(4, number="2")[1]) == (b"aaaa", b"bbbb")


def test_what_there_is_not_is_told(ask):
    assert "no such thing" in ask(what="secrets")[0]["trouble"]
    assert "given up" in ask(5, number="unknown")[0]["trouble"]


def test_an_empty_file_is_one_part(ask, file):
    os.truncate(file, 0)
    message, part = ask()
    assert (message["end"], message["size"], part) == (0, 0, b"")
