"""Which pictures are shown, and what is said of those that are not."""

import io
import os
import struct
import zlib

import pytest
from PIL import Image

from runwidgets.images import image_type, is_whole, pixels_of
from runwidgets.watch.pictures import MAX_BYTES, read_picture


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width=1, height=1):
    return b"".join((
        b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IEND", b""),
    ))  # fmt: skip


PNG = png()
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP", "image/bmp": "BMP"}


def picture(media_type, size=(37, 21), **options):
    stream = io.BytesIO()
    Image.new("RGB", size, (200, 10, 10)).save(stream, FORMATS[media_type], **options)
    return stream.getvalue()


@pytest.mark.parametrize("media_type", FORMATS)
def test_a_picture_of_each_type_is_read_with_its_measures(media_type, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(picture(media_type))
    found = read_picture(path)
    assert (found.mime, found.width, found.height, found.note) == (media_type, 37, 21, None)
    assert found.data == path.read_bytes()


@pytest.mark.parametrize(
    ("media_type", "options"),
    [
        ("image/jpeg", {"progressive": True}),
        ("image/jpeg", {"exif": b"Exif\0\0" + b"x" * 60_000, "comment": "c" * 60_000}),
        ("image/webp", {"lossless": True}),
        ("image/webp", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}),
        ("image/gif", {"comment": b"c" * 600}),
    ],
)
def test_measures_are_found_behind_what_else_a_file_holds(media_type, options):
    data = picture(media_type, **options)
    assert image_type(data[:16]) == media_type
    assert pixels_of(data, media_type) == (37, 21)


@pytest.mark.parametrize("media_type", FORMATS)
def test_no_beginning_of_a_picture_breaks_the_reader(media_type):
    data = picture(media_type)
    for end in range(len(data)):
        assert pixels_of(data[:end], media_type) in {None, (37, 21)}
    pixels_of(data[:16] + b"\xff" * 100, media_type)


def test_a_frame_of_a_gif_that_is_larger_than_its_screen_counts():
    data = bytearray(picture("image/gif"))
    assert pixels_of(bytes(data), "image/gif") == (37, 21)
    frame = data.index(b"\x2c", 13 + 3 * 2)
    while struct.unpack_from("<HHHH", data, frame + 1) != (0, 0, 37, 21):
        frame = data.index(b"\x2c", frame + 1)
    struct.pack_into("<HHHH", data, frame + 1, 10, 0, 60_000, 60_000)
    assert pixels_of(bytes(data), "image/gif") == (60_010, 60_000)


def test_a_small_file_that_decodes_to_gigabytes_is_refused_by_its_header(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(30_000, 30_000))
    assert path.stat().st_size < 1000
    found = read_picture(path)
    assert (found.width, found.height, found.data) == (30_000, 30_000, b"")
    assert found.note == "30,000 by 30,000 pixels are more than a browser should decode"


def test_what_is_too_large_no_picture_or_cut_off_says_so(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    os.truncate(path, MAX_BYTES + 1)
    assert read_picture(path).note == "larger than 16 MB: download the file to see it"
    path.write_bytes(b"<svg onload='alert(1)'/>")
    assert "not a PNG" in read_picture(path).note
    path.write_bytes(PNG[:-8])
    assert "cut off" in read_picture(path).note
    path.write_bytes(png(0, 5))
    assert "does not say how large" in read_picture(path).note


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
