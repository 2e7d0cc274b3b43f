"""Which pictures are shown, told by their first bytes and never by their names."""

from __future__ import annotations

import struct
from typing import Final

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
)
HEAD_BYTES: Final = 16
"""How many bytes `image_type` needs."""
_GIF_EXTENSION: Final = 0x21
_GIF_FRAME: Final = 0x2C
_OLD_BMP_HEADER: Final = 12
_JPEG_MARK: Final = 0xFF
_JPEG_SCAN: Final = 0xDA
_HEADER_BYTES: Final = 2**20
"""Within so many bytes a picture has to say how large it is; previews and profiles may come before that."""
_ENDS: Final = {"image/png": b"IEND\xaeB`\x82", "image/jpeg": b"\xff\xd9"}


def image_type(head: bytes) -> str | None:
    """Give the media type of a picture by its first `HEAD_BYTES` bytes; None if it is none that browsers show."""
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def is_whole(data: bytes, media_type: str) -> bool:
    """Tell whether a picture of this type comes to its end: what is cut off, browsers show as far as it goes."""
    if media_type in _ENDS:
        return _ENDS[media_type] in data  # anything may follow
    if media_type == "image/gif":
        return data.rstrip(b"\0").endswith(b";")
    if media_type == "image/webp":
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    return len(data) >= int.from_bytes(data[2:6], "little")


def pixels_of(data: bytes, media_type: str) -> tuple[int, int] | None:
    """Give width and height of a picture as its header says, without decoding it; None where that cannot be told.

    A few bytes can announce an image that takes gigabytes to decode. Of a GIF the first frame counts where it is larger
    than the screen: browsers make room for it.

    Parameters
    ----------
    data
        The file.
    media_type
        As `image_type` gives it.
    """
    try:
        found = _PIXELS[media_type](data[:_HEADER_BYTES])
    except (struct.error, IndexError):
        return None
    return found if found is not None and min(found) > 0 else None


def _png_pixels(data: bytes) -> tuple[int, int] | None:
    width, height = struct.unpack_from(">II", data, 16)
    return (width, height) if data[12:16] == b"IHDR" else None


def _gif_pixels(data: bytes) -> tuple[int, int] | None:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while data[at] == _GIF_EXTENSION:  # an extension: a label, and blocks up to an empty one
        at += 2
        while data[at]:
            at += data[at] + 1
        at += 1
    if data[at] != _GIF_FRAME:
        return None
    left, top, its_width, its_height = struct.unpack_from("<HHHH", data, at + 1)
    return max(width, left + its_width), max(height, top + its_height)


def _bmp_pixels(data: bytes) -> tuple[int, int] | None:
    (header,) = struct.unpack_from("<I", data, 14)
    if header == _OLD_BMP_HEADER:
        return struct.unpack_from("<HH", data, 18)
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)  # upside down where it is negative


def _jpeg_pixels(data: bytes) -> tuple[int, int] | None:
    at = 2
    while True:
        while data[at] != _JPEG_MARK:
            at += 1
        while data[at] == _JPEG_MARK:
            at += 1
        marker, at = data[at], at + 1
        if marker in _WITHOUT_LENGTH:
            continue
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 3)
            return width, height
        if marker == _JPEG_SCAN:  # the image itself begins, and nothing has said how large it is
            return None
        at += struct.unpack_from(">H", data, at)[0]


def _webp_pixels(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_PIXELS: Final = {
    "image/png": _png_pixels,
    "image/gif": _gif_pixels,
    "image/bmp": _bmp_pixels,
    "image/jpeg": _jpeg_pixels,
    "image/webp": _webp_pixels,
}
