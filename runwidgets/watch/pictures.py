"""One picture, read for a browser within limits: of a known type, whole, and not larger than can be decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from runwidgets.images import HEAD_BYTES, image_type, is_whole, pixels_of

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 16 * 2**20
"""Largest picture that is sent to a browser."""
MAX_PIXELS: Final = 50_000_000
"""Most pixels that a browser is made to decode: four bytes each, however small the file."""
CUT_OFF: Final = "the file is damaged or cut off: its image does not come to an end"


class Picture(NamedTuple):
    """A picture.

    Attributes
    ----------
    size
        Of the file, in bytes.
    mime
        Its media type; empty where it is none that is shown.
    width, height
        In pixels; 0 where they are not known.
    note
        Why it is not shown; None where ``data`` has it.
    """

    size: int
    mime: str = ""
    width: int = 0
    height: int = 0
    note: str | None = None
    data: bytes = b""


def read_picture(path: Path) -> Picture:
    """Read a picture.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        return Picture(size, note=f"larger than {MAX_BYTES // 2**20} MB: download the file to see it")
    data = path.read_bytes()
    media_type = image_type(data[:HEAD_BYTES])
    if media_type is None:
        return Picture(size, note="not a PNG, JPEG, GIF, WebP or BMP image")
    if not is_whole(data, media_type):
        return Picture(size, note=CUT_OFF)
    measures = pixels_of(data, media_type)
    if measures is None:
        return Picture(size, note="the file is damaged: it does not say how large its image is")
    width, height = measures
    if width * height > MAX_PIXELS:
        note = f"{width:,} by {height:,} pixels are more than a browser should decode"
        return Picture(size, "", width, height, note)
    return Picture(size, media_type, width, height, None, data)
