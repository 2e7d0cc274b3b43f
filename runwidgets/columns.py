"""Columns of values, packed by what they hold: how rows of metrics lie in the journal and in the store.

A packed column is something for MessagePack: a plain list of values, or a dict of one key that says how the rest is
packed.

=============  =========================================================================================
``[...]``      the values themselves
``{"n": c}``   ``c`` times None
``{"f": b}``   64-bit floats
``{"b": b}``   integers of 8 bits; ``h``: of 16, ``i``: of 32, ``q``: of 64 bits
``{"r": ...}``  ``[first, stride, count]``: integers at a constant distance, which may be 0
``{"d": ...}``  ``[first, code, b]``: an integer, and then the distances, packed as ``code`` says
=============  =========================================================================================

All bytes are little-endian. So a step that counts up, or the times of a list logged at once, are a few bytes for a
block, and the times of a quick logger two bytes a row.
"""

from __future__ import annotations

import math
import sys
from array import array
from itertools import accumulate, chain
from operator import sub
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from runwidgets.values import Value

_SHORT: Final = 8
"""Fewer values than this are smallest as they are."""
_SIZES: Final = {"b": 1, "h": 2, "i": 4, "q": 8, "f": 8}
_CODES: Final = (("b", 2**7), ("h", 2**15), ("i", 2**31), ("q", 2**63))
_PLAIN: Final = "v"


def pack_column(values: Sequence[Value]) -> Any:
    """Pack values as one column."""
    kinds = set(map(type, values))
    if kinds <= {type(None)}:
        return {"n": len(values)}
    if len(values) >= _SHORT:
        if kinds == {float}:
            return {"f": _to_bytes("d", values)}
        if kinds == {int}:
            return _pack_integers(values)  # type: ignore[arg-type]
    return list(values)


def _pack_integers(values: Sequence[int]) -> Any:
    code = _narrowest(values)
    if code is None:
        return list(values)
    first, stride = values[0], values[1] - values[0]
    if values[-1] == first + stride * (len(values) - 1) and all(map(stride.__eq__, map(sub, values[1:], values))):
        return {"r": [first, stride, len(values)]}
    distances = list(map(sub, values[1:], values))
    closer = _narrowest(distances)
    if closer is not None and _SIZES[closer] < _SIZES[code]:
        return {"d": [first, closer, _to_bytes(closer, distances)]}
    return {code: _to_bytes(code, values)}


def _narrowest(values: Sequence[int]) -> str | None:
    low, high = min(values), max(values)
    return next((code for code, bound in _CODES if -bound <= low and high < bound), None)


def _to_bytes(code: str, values: Iterable[Any]) -> bytes:
    data = array(code, values)
    if sys.byteorder == "big":
        data.byteswap()
    return data.tobytes()


def _from_bytes(code: str, data: bytes) -> list[Any]:
    values = array(code)
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()


class Column:
    """Values of one column, still packed.

    Parameters
    ----------
    packed
        What `pack_column` gave.
    start, stop
        The part of it that is meant, as in a slice.
    """

    __slots__ = ("_data", "_kind", "_start", "_stop")

    def __init__(self, packed: Any, start: int = 0, stop: int | None = None) -> None:
        self._kind: str = _PLAIN
        self._data: Any = packed
        if isinstance(packed, dict):
            ((self._kind, self._data),) = packed.items()
        self._start = start
        self._stop = self._length() if stop is None else stop

    def _length(self) -> int:
        match self._kind:
            case "v":
                return len(self._data)
            case "n":
                return int(self._data)
            case "r":
                return int(self._data[2])
            case "d":
                return 1 + len(self._data[2]) // _SIZES[self._data[1]]
        return len(self._data) // _SIZES[self._kind]

    def __len__(self) -> int:
        return self._stop - self._start

    def part(self, start: int, stop: int | None = None) -> Column:
        """Give a part of the column, as a slice does."""
        cut = Column.__new__(Column)
        cut._kind, cut._data = self._kind, self._data
        cut._start = min(self._start + start, self._stop)
        cut._stop = self._stop if stop is None else min(self._start + stop, self._stop)
        return cut

    def packed(self) -> Any:
        """Give what `pack_column` would give for the values."""
        if self._start == 0 and self._stop == self._length():
            return self._data if self._kind == _PLAIN else {self._kind: self._data}
        match self._kind:
            case "n":
                return {"n": len(self)}
            case "r":
                first, stride, _ = self._data
                return {"r": [first + stride * self._start, stride, len(self)]}
            case "f" if len(self) >= _SHORT:
                return {"f": self._data[self._start * 8 : self._stop * 8]}
        return pack_column(self.to_list())

    @property
    def byte_count(self) -> int:
        """About how many bytes the whole packed column takes."""
        match self._kind:
            case "v":
                return sum(len(v) if isinstance(v, str) else 9 for v in self._data)
            case "n" | "r":
                return 16
            case "d":
                return len(self._data[2])
        return len(self._data)

    @property
    def is_text(self) -> bool:
        """Whether any value is no number: a string or a boolean."""
        return self._kind == _PLAIN and any(isinstance(v, (str, bool)) for v in self._plain())

    def _plain(self) -> list[Value]:
        whole: list[Value] = self._data
        return whole if len(self) == len(whole) else whole[self._start : self._stop]

    def count_present(self) -> int:
        """Count the values that are not None."""
        if self._kind == _PLAIN:
            return sum(v is not None for v in self._plain())
        return 0 if self._kind == "n" else len(self)

    def last(self) -> Value:
        """Give the last value that is not None; None if there is none."""
        if self._kind == _PLAIN:
            return next((v for v in reversed(self._plain()) if v is not None), None)
        return self.part(len(self) - 1).to_list()[-1] if len(self) else None

    def to_list(self) -> list[Value]:
        """Give the values as they were logged."""
        part = slice(self._start, self._stop)
        match self._kind:
            case "v":
                return self._data[part]  # type: ignore[no-any-return]
            case "n":
                return [None] * len(self)
            case "r":
                first, stride, _ = self._data
                if stride == 0:
                    return [first] * len(self)
                return list(range(first + stride * self._start, first + stride * self._stop, stride))
            case "d":
                first, code, data = self._data
                return list(accumulate(_from_bytes(code, data), initial=first))[part]
        size = _SIZES[self._kind]
        return _from_bytes("d" if self._kind == "f" else self._kind, self._data[part.start * size : part.stop * size])

    def to_floats(self) -> NDArray[np.float64]:
        """Give the values as float64, shape ``(n,)``: None and text as NaN, booleans as 0 and 1."""
        import numpy as np

        if self._kind == _PLAIN:
            return np.array([_as_float(v) for v in self._plain()], dtype=np.float64)
        if self._kind == "n":
            return np.full(len(self), np.nan)
        return self._numbers().astype(np.float64)

    def to_numpy(self) -> NDArray[Any] | None:
        """Give the values as float64 or int64, shape ``(n,)``, in one step; None where they are not all of one kind."""
        return None if self._kind in {_PLAIN, "n"} else self._numbers()

    def _numbers(self) -> NDArray[Any]:
        import numpy as np

        part = slice(self._start, self._stop)
        if self._kind == "f":
            return np.frombuffer(self._data, "<f8")[part].astype(np.float64)
        if self._kind == "r":
            first, stride, _ = self._data
            return first + stride * np.arange(self._start, self._stop, dtype=np.int64)  # type: ignore[no-any-return]
        if self._kind == "d":
            first, code, data = self._data
            whole = np.frombuffer(data, f"<i{_SIZES[code]}").astype(np.int64)
            return np.concatenate([[first], first + np.cumsum(whole)]).astype(np.int64)[part]
        return np.frombuffer(self._data, f"<i{_SIZES[self._kind]}")[part].astype(np.int64)

    def missing(self) -> NDArray[np.bool_]:
        """Tell which values are None or text, and so no number at all, shape ``(n,)``."""
        import numpy as np

        if self._kind == _PLAIN:
            return np.array([v is None or isinstance(v, str) for v in self._plain()], dtype=np.bool_)
        return np.full(len(self), self._kind == "n", dtype=np.bool_)


def join(columns: Sequence[Column]) -> Column:
    """Give columns one after the other, as one."""
    if len(columns) == 1:
        return columns[0]
    kinds = {column._kind for column in columns}
    if kinds == {"f"}:
        return Column({"f": b"".join(c._data[c._start * 8 : c._stop * 8] for c in columns)})
    if kinds == {"n"}:
        return Column({"n": sum(map(len, columns))})
    return Column(pack_column(list(chain.from_iterable(column.to_list() for column in columns))))


def constant(value: int | None, count: int) -> Column:
    """Give a column that holds one integer, or nothing, ``count`` times."""
    return Column({"n": count} if value is None else {"r": [value, 0, count]})


def _as_float(value: Value) -> float:
    if value is None or isinstance(value, str):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
