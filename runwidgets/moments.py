"""Times and lengths of time as people write them: ``2026-11-25 10:00``, ``-2h``, ``yesterday``, ``1h30m``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final, NamedTuple

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_LENGTH: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|min|[smhdw]))+", re.ASCII | re.IGNORECASE)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|min|[smhdw])", re.ASCII | re.IGNORECASE)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK: Final = re.compile(r"(\d\d?):(\d\d)(:\d\d)?(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE)


class Moment(NamedTuple):
    """A time that was written: where it begins and where it ends, as UTC epoch seconds.

    A date is a whole day, a time without seconds a minute, one with seconds a second; what is told more finely, or
    relative to now, ends where it begins.
    """

    begin: float
    end: float


def is_date(text: str) -> bool:
    """Tell whether a text has the form of a date, which a time of day may follow."""
    return _DATE.fullmatch(text) is not None


def is_clock(text: str) -> bool:
    """Tell whether a text has the form of a time of day."""
    return _CLOCK.fullmatch(text) is not None


def read_seconds(text: str) -> float | None:
    """Read a length of time with its units, such as ``90s``, ``5m``, ``1h30m``, ``2d``, ``1w``; None for others."""
    if _LENGTH.fullmatch(text) is None:
        return None
    return sum(float(number) * _UNITS[unit.lower()] for number, unit in _PART.findall(text))


def read_moment(text: str, now: float) -> Moment | None:
    """Read a point in time; None for what is none, or lies beyond what calendars tell.

    Parameters
    ----------
    text
        A date, alone or with a time of day behind a space or a ``T``, in the local time zone where it names none; a
        length of time behind a minus: so long ago; ``now``, ``today``, ``yesterday``.
    now
        UTC epoch seconds.
    """
    word = text.lower()
    try:
        if word == "now":
            return Moment(now, now)
        if word in {"today", "yesterday"}:
            midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)  # noqa: DTZ006 (local)
            return _stretch(midnight - timedelta(days=word == "yesterday"), timedelta(days=1))
        if word.startswith("-"):
            ago = read_seconds(word[1:])
            return None if ago is None else Moment(now - ago, now - ago)
        return _calendar(text.strip())
    except (ValueError, OverflowError, OSError):  # the 31st of April; the year 9999 and a day
        return None


def _calendar(text: str) -> Moment | None:
    day, clock = text[:10], text[11:]
    if not is_date(day) or (len(text) > len(day) and text[10] not in " Tt"):
        return None
    if len(text) == len(day):
        return _stretch(datetime.fromisoformat(day), timedelta(days=1))
    found = _CLOCK.fullmatch(clock.strip())
    if found is None:
        return None
    hour, minute, second, fraction, zone = found.groups()
    if fraction and not second:
        return None
    digits = fraction and f"{fraction:0<7}"
    at = datetime.fromisoformat(
        f"{day}T{hour:0>2}:{minute}{second or ''}{digits or ''}{(zone or '').upper().replace('Z', '+00:00')}"
    )
    if fraction:
        return _stretch(at, timedelta())
    return _stretch(at, timedelta(seconds=1) if second else timedelta(minutes=1))


def _stretch(begin: datetime, length: timedelta) -> Moment:
    return Moment(begin.timestamp(), (begin + length).timestamp())
