"""What a look at a workspace finds: plain records."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """Something that was logged is lost, or cannot be read as it is."""
    WARNING = "warning"
    """Nothing is lost: something is left over, or not where it belongs."""


class Trouble(StrEnum):
    """What kind of thing is wrong; each is mended in its own way, in this order."""

    PERMISSIONS = "permissions"
    DATABASE = "database"
    INDEX = "index"
    SCHEMA = "schema"
    SCHEMA_NEWER = "newer schema"
    VERSION = "version"
    STRAY_ROWS = "stray rows"
    RUN = "run"
    ROWS = "rows"
    JOURNAL = "journal"
    NO_EXPERIMENT = "no experiment"
    UNFINISHED = "unfinished"
    FILE_MISSING = "file missing"
    FILE_UNKNOWN = "file unknown"
    FILE_SIZE = "file size"
    FOLDER_DELETED = "folder of a deleted run"
    FOLDER_UNKNOWN = "folder of no run"
    LEFTOVER = "leftover"
    SAFE_MODE = "safe mode"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    Attributes
    ----------
    trouble
        Of what kind it is.
    severity
        How bad it is.
    what
        What was found, in words.
    where
        At what: a path, a table, a run, a metric.
    mend
        What a repair does about it; None where it can do nothing.
    is_harmless
        Whether a repair may do that while other processes log.
    place
        What a repair needs to know of it.
    """

    trouble: Trouble
    severity: Severity
    what: str
    where: str
    mend: str | None = None
    is_harmless: bool = False
    place: tuple[Any, ...] = ()


def counted(count: int, noun: str) -> str:
    """Give a number with its noun: ``1 row``, ``2,000 rows``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def some_of(names: list[str], most: int = 5) -> str:
    """List names, not too many of them."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
