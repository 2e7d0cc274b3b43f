"""The gallery: which images are shown, in which order, and what is said of those that are not."""

import struct
import zlib

import pytest

from runwidgets import Experiment, Workspace
from runwidgets.images import is_whole
from runwidgets.store.recorder import close_all
from runwidgets.watch.feed import Feed
from runwidgets.watch.pictures import Pictures


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = b"".join((
    b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
    chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IEND", b""),
))  # fmt: skip


@pytest.fixture
def run():
    yield Experiment(Workspace(), "exp").start_logging()
    close_all()


@pytest.fixture
def gallery(run):
    feed, pictures = Feed(run._recorder, run.id), Pictures(run.experiment.workspace._files, run.id)

    def look():
        feed.step()
        return pictures.gallery(feed.view)

    return look


def test_the_newest_image_comes_first_and_those_of_one_name_are_numbered(run, gallery, tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(PNG)
    run.log_image("alone", path=file)
    for _ in range(3):
        run.log_image("series", path=file)
    state, data = gallery()
    found = [(item["name"], item["number"]) for item in state["images"]]
    assert found == [("series", 3), ("series", 2), ("series", 1), ("alone", None)]
    assert set(data.values()) == {PNG}
    run.log_image("alone", path=file)
    assert [item["number"] for item in gallery()[0]["images"] if item["name"] == "alone"] == [2, 1]


def test_an_image_that_is_cut_off_says_so_and_is_shown_once_it_is_whole(run, gallery, tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(PNG[:-8])
    run.log_image("cut", path=file)
    state, data = gallery()
    (item,) = state["images"]
    assert "cut off" in item["note"]
    assert data == {}
    run.experiment.workspace._files.path(run.id, item["path"]).write_bytes(PNG)
    state, data = gallery()
    assert (state["images"][0]["note"], list(data.values())) == (None, [PNG])


@pytest.mark.parametrize(
    ("media_type", "whole"),
    [
        ("image/png", PNG + b"more"),
        ("image/jpeg", b"\xff\xd8\xff\xe0....\xff\xd9"),
        ("image/gif", b"GIF89a......;"),
        ("image/webp", b"RIFF" + (12).to_bytes(4, "little") + b"WEBPVP8 1234"),
        ("image/bmp", b"BM" + (10).to_bytes(4, "little") + b"1234"),
    ],
)
def test_the_end_of_an_image_is_known_for_each_type(media_type, whole):
    assert is_whole(whole, media_type)
    assert not is_whole(whole[:-6], media_type)
