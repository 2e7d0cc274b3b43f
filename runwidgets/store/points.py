"""Writing the points of one series: what each logged value costs the training.

All points of a series begin with the same bytes, which are made once, with their checksum. What is left to do is to
pack three numbers, to go on with the checksum, and to write.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from typing import TYPE_CHECKING, Any, Final

from runwidgets.events import PointLogged
from runwidgets.store.appender import appending
from runwidgets.values import pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from runwidgets.store.appender import Appender

_write = os.write
_now = time.time
_crc32 = zlib.crc32
_too_long = struct.error

# Of MessagePack: how an array of up to 15 elements begins, a 64-bit float, a 64-bit integer; and nil.
_ARRAY: Final = 0x90
_FLOAT: Final = 0xCB
_INTEGER: Final = 0xD3
_NIL: Final = 0xC0

# ``at`` without the byte before it, which all points of a series have; the value; the step.
_pack_float_step = struct.Struct(">dBdBq").pack
_pack_float = struct.Struct(">dBdB").pack
_pack_integer_step = struct.Struct(">dBqBq").pack
_pack_integer = struct.Struct(">dBqB").pack
_BYTES_WITH_STEP: Final = struct.calcsize(">dBdBq")
_BYTES: Final = struct.calcsize(">dBdB")


def point_writer(  # noqa: C901 (written out: each call more would cost a tenth of a write)
    appender: Appender, run_id: str, name: str, otherwise: Callable[[Any, Any], None]
) -> Callable[[Any, Any], None]:
    """Give a function ``write(value, step)`` that appends a point of a series, as `PointLogged` is framed.

    Parameters
    ----------
    appender
        Where to.
    run_id, name
        The series.
    otherwise
        Called with a value and a step that are not a float or an integer of 64 bits, and such an integer or None.
    """
    head = _head(run_id, name)
    pack_head = struct.Struct(f"<II{len(head)}s").pack  # with the frame's header
    checksum, handle, not_appended = _crc32(head), appender.handle, appender.otherwise
    length, length_with_step = len(head) + _BYTES, len(head) + _BYTES_WITH_STEP

    @appending
    def write(value: Any, step: Any) -> None:
        try:
            if type(step) is int:
                if type(value) is float:
                    tail = _pack_float_step(_now(), _FLOAT, value, _INTEGER, step)
                elif type(value) is int:
                    tail = _pack_integer_step(_now(), _INTEGER, value, _INTEGER, step)
                else:
                    return otherwise(value, step)
                data = pack_head(length_with_step, _crc32(tail, checksum), head) + tail
            elif step is None:
                if type(value) is float:
                    tail = _pack_float(_now(), _FLOAT, value, _NIL)
                elif type(value) is int:
                    tail = _pack_integer(_now(), _INTEGER, value, _NIL)
                else:
                    return otherwise(value, step)
                data = pack_head(length, _crc32(tail, checksum), head) + tail
            else:
                return otherwise(value, step)
        except _too_long:
            return otherwise(value, step)
        try:
            written = _write(handle[0], data)
        except OSError:
            written = 0
        if written != len(data):
            not_appended(data, written)
        return None

    return write


def _head(run_id: str, name: str) -> bytes:
    """Give the bytes that all points of a series begin with, up to the number that ``at`` is."""
    tag = PointLogged.__struct_config__.tag
    first = pack([tag, run_id, name])[1:]
    return bytes([_ARRAY + 1 + len(PointLogged.__struct_fields__)]) + first + bytes([_FLOAT])
