"""Progress bars in what a script prints, such as ``Epoch 3:  45%|████▌     | 45/100 [00:10<00:12, 4.4it/s]``.

The format is that of ``tqdm.std.tqdm.format_meter``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from runwidgets.watch.screen import Shown

_NUMBER: Final = r"(\d+(?:\.\d+)?)([kKMGTPEZY]?)"
_CLOCK: Final = r"(?:\d+ days?, )?\d+:\d\d(?::\d\d)?"
_RATE: Final = r"(?:\s*(?:[\d.]+[kKMGTPEZY]?|\?)(?P<unit>[^\s,\]/\d][^\s,\]/]*)/s|\s*[\d.]+s/(?P<slow>[^\s,\]]+))?"
_OF_TOTAL: Final = re.compile(rf"\d{{1,3}}%\|[^|]*\|\s*{_NUMBER}/{_NUMBER}\s*\[{_CLOCK}<(?P<left>{_CLOCK}|\?),?{_RATE}")
_OF_UNKNOWN: Final = re.compile(
    rf"(?:(?<=: )|^\s*){_NUMBER}(?P<of>[^\W\d]\w*)?\s*(?:/\?\s*)?\[{_CLOCK}(?:<\?)?,{_RATE}"
)
_SCALES: Final = {"": 1.0, **{prefix: 1000.0**power for power, prefix in enumerate("kMGTPEZY", 1)}, "K": 1000.0}
_USUAL_UNIT: Final = "it"


@dataclass(frozen=True)
class Bar:
    """A progress bar.

    Attributes
    ----------
    done, total
        How much is done, of how much; the total is None where the bar does not know it.
    unit
        What the bar says it is: its description, else its unit; empty where that is only ``it``.
    seconds_left
        For how long, as the bar had it; None where it does not know.
    """

    done: float
    total: float | None
    unit: str
    seconds_left: float | None


def read_bar(line: str) -> Bar | None:
    """Read a line as a progress bar; None where it is none."""
    if found := _OF_TOTAL.search(line):
        done, done_scale, total, total_scale = found.groups()[:4]
        whole = float(total) * _SCALES[total_scale]
        left = found["left"]
        return Bar(
            done=float(done) * _SCALES[done_scale],
            total=whole,
            unit=_unit(line[: found.start()], found["unit"] or found["slow"]),
            seconds_left=None if left == "?" else _seconds(left),
        )
    if found := _OF_UNKNOWN.search(line):
        done, done_scale = found.groups()[:2]
        unit = _unit(line[: found.start()], found["unit"] or found["slow"] or found["of"])
        return Bar(float(done) * _SCALES[done_scale], None, unit, None)
    return None


def current_bar(screen: Shown) -> Bar | None:
    """Find the bar that is drawn now: the last one at or above the cursor, which stands in the outermost of several."""
    return next((bar for line in reversed(screen.lines[: screen.row + 1]) if (bar := read_bar(line))), None)


def _unit(before: str, unit: str | None) -> str:
    described = before.strip().removesuffix(":").strip()
    if described:
        return f"{described}:"
    return "" if unit in (None, _USUAL_UNIT) else str(unit)


def _seconds(clock: str) -> float:
    days, _, rest = clock.rpartition(", ")
    seconds = 0.0
    for part in rest.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds + (int(days.split(maxsplit=1)[0]) * 86400 if days else 0)
