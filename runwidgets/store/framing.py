"""How events lie in a journal's file: each framed, so that of a damaged file all else is read.

A frame is ``length`` and ``CRC-32`` of the payload (little-endian unsigned 32-bit integers) and then the payload, one
event as a MessagePack array.
"""

from __future__ import annotations

import logging
import re
import struct
import zlib
from typing import TYPE_CHECKING, Final

import msgspec

from runwidgets.events import Event
from runwidgets.values import long_integer, pack

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)
_header = struct.Struct("<II")
_pack_header = _header.pack
_unpack_header = _header.unpack_from
_crc32 = zlib.crc32
_decode: Final = msgspec.msgpack.Decoder(Event, ext_hook=long_integer).decode

HEADER_BYTES: Final = _header.size


def frame(event: Event) -> bytes:
    """Give the bytes of one event in a journal."""
    payload = pack(event)
    return _pack_header(len(payload), _crc32(payload)) + payload


class Damage(msgspec.Struct, frozen=True):
    """Bytes of a journal that hold no readable event."""

    offset: int
    length: int


class Reading(msgspec.Struct):
    """What was read of a journal.

    Attributes
    ----------
    events
        In order of writing.
    end
        Offset up to which was read: where to read on.
    damage
        Stretches that were skipped.
    """

    events: list[Event]
    end: int
    damage: list[Damage]


def read_journal(path: Path, start: int = 0, stop: int | None = None) -> Reading:
    """Read the events in a stretch of a journal's file; what is no whole event there is damage.

    Parameters
    ----------
    path
        The journal's file.
    start
        Offset of a frame.
    stop
        Offset after a frame, at which to stop; by default the end of the file, which fits where the writer is gone.
    """
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(-1 if stop is None else max(0, stop - start))
    events: list[Event] = []
    damage: list[Damage] = []
    unknown: Exception | None = None
    view, at, size = memoryview(data), 0, len(data)
    take, unpack_header, checksum_of, decode = events.append, _unpack_header, _crc32, _decode
    while at < size:
        begin = at + HEADER_BYTES
        if begin <= size:  # `_payload_at`, written out: this is what each logged value costs the thread that folds
            length, checksum = unpack_header(view, at)
            end = begin + length
            payload = view[begin:end]
            if 0 < length == len(payload) and checksum_of(payload) == checksum:
                try:
                    take(decode(payload))
                except msgspec.MsgspecError as error:
                    unknown = unknown or error
                    damage.append(Damage(start + at, end - at))
                at = end
                continue
        following = _next_frame(view, at + 1)
        damage.append(Damage(start + at, following - at))
        at = following
    if unknown is not None:
        _log.warning("%s: this version cannot read the event of a newer one in it (%s)", path, unknown)
    return Reading(events, start + at, damage)


def _payload_at(view: memoryview, at: int) -> memoryview | None:
    """Give the payload of the whole frame that begins here; None if there is none, or its checksum is wrong."""
    begin = at + HEADER_BYTES
    if begin > len(view):
        return None
    length, checksum = _unpack_header(view, at)
    payload = view[begin : begin + length]
    return payload if 0 < length == len(payload) and _crc32(payload) == checksum else None


# An event is a short array that begins with a small integer and a string. Checksums are computed only where that may
# begin: else each wrong length in a damaged file would cost the checksum of all that follows it.
_LIKELY_PAYLOAD: Final = re.compile(rb"[\x93-\x9f][\x00-\x3f][\xa0-\xbf\xd9-\xdb]")


def _next_frame(view: memoryview, at: int) -> int:
    """Find the next offset at which a whole frame with a right checksum stands; where there is none, the end."""
    for found in _LIKELY_PAYLOAD.finditer(view, at + HEADER_BYTES):
        offset = found.start() - HEADER_BYTES
        if _payload_at(view, offset) is not None:
            return offset
    return len(view)
