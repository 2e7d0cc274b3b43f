"""Which pictures are shown, told by their first bytes and never by their names."""

from __future__ import annotations

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
