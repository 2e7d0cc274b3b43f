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


def image_type(head: bytes) -> str | None:
    """Give the media type of a picture by its first `HEAD_BYTES` bytes; None if it is none that browsers show."""
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None
