"""Messages of a comm as binary frames; ``js/src/portal/frames.ts`` is the twin.

A frame is four bytes with the length of its header (little-endian), the header as JSON, and buffers one after the
other. The header has ``kind``, ``id`` (of the comm), ``data``, ``metadata`` and ``buffers`` (their lengths).
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from runwidgets.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["open", "message", "close", "root", "error"]
_LENGTH: Final = struct.Struct("<I")


class Frame(TypedDict):
    """One message."""

    kind: Kind
    id: str
    data: Any
    metadata: Any


def pack_frame(frame: Frame, buffers: Sequence[bytes | bytearray | memoryview] = ()) -> bytes:
    """Give a frame as bytes."""
    parts = [memoryview(buffer).cast("B") for buffer in buffers]
    head = json.dumps({**frame, "buffers": [len(part) for part in parts]}, separators=(",", ":")).encode()
    return b"".join((_LENGTH.pack(len(head)), head, *parts))


def unpack_frame(data: bytes) -> tuple[Frame, list[memoryview]]:
    """Read a frame as a browser sent it.

    Raises
    ------
    UserError
        If it is none.
    """
    try:
        (length,) = _LENGTH.unpack_from(data)
        start = _LENGTH.size + length
        head = json.loads(data[_LENGTH.size : start])
        lengths = head["buffers"]
        frame: Frame = {"kind": head["kind"], "id": head["id"], "data": head["data"], "metadata": None}
        fits = (
            isinstance(frame["id"], str)
            and isinstance(lengths, list)
            and all(type(n) is int and n >= 0 for n in lengths)
        )
        fits = fits and start + sum(lengths) == len(data)
    except (struct.error, ValueError, TypeError, KeyError, RecursionError):
        fits = False
    if not fits:
        raise UserError("a message from the browser is not of the form that the portal reads")
    buffers = []
    for size in lengths:
        buffers.append(memoryview(data)[start : start + size])
        start += size
    return frame, buffers
