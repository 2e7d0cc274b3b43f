"""The limits of the service that SDK v1 logged to, and who warns where a strict workspace goes past them.

Nothing here is enforced: runwidgets keeps more than the service did. ``Workspace(..., strict=True)`` is for scripts
that must not rely on that. Batches of 250 rows, and requests of 45 metrics, were no limits to a caller: the SDK split
what was longer.

The numbers are those of "Service limits in Azure Machine Learning" as of 2023-09,
learn.microsoft.com/azure/machine-learning/resource-limits-capacity; that of `CHILDREN` is the SDK's own.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from runwidgets.events import (
    FileStored,
    PointLogged,
    PropertiesAdded,
    RowsLogged,
    RunCreated,
    RunDescribed,
    StatusSet,
    TagsRemoved,
    TagsSet,
)
from runwidgets.records import MetricKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from runwidgets.events import Event

_log = logging.getLogger(__name__)

METRIC_NAMES: Final = 50
"""Metrics of a run, by name."""
METRIC_ROWS: Final = 1_000_000
"""Rows of a metric."""
COLUMNS: Final = 15
"""Columns of a row."""
COLUMN_NAME_CHARS: Final = 255
TEXT_CHARS: Final = 255
"""Characters of a text that is logged as a value."""
RUN_NAME_CHARS: Final = 256
DESCRIPTION_CHARS: Final = 5_000
RUN_TAGS: Final = 50
RUN_PROPERTIES: Final = 50
KEY_CHARS: Final = 100
"""Characters of the key of a run's tag or property."""
EXPERIMENT_TAGS: Final = 50
EXPERIMENT_KEY_CHARS: Final = 250
VALUE_CHARS: Final = 1_000
"""Characters of the value of a tag or property."""
FILES: Final = 10_000_000
"""Files of a run."""
PATH_CHARS: Final = 5_000
"""Characters of the name of a run's file."""
ERROR_CHARS: Final = 3_000
"""Characters of the message of a run's error."""
CHILDREN: Final = 100
"""Runs that one call of ``create_children`` starts."""
_TEXT: Final = "a text that was logged"


class _Counts:
    """What one run has had so far."""

    __slots__ = ("files", "properties", "rows", "tags")

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.tags: set[str] = set()
        self.properties: set[str] = set()
        self.files = 0


class Limits:
    """Says of each kind of limit, the first time that something is past it, what the service would have done.

    One for a strict workspace. Metrics, rows and files are counted as far as this object has seen them logged.
    """

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._runs: dict[str, _Counts] = {}

    def watched(self, write: Callable[[Event], None]) -> Callable[[Event], None]:
        """Give a function that does what ``write`` does, and looks at the event first."""

        def checked(event: Event) -> None:
            self.check(event)
            write(event)

        return checked

    def know(self, run_id: str, tags: Iterable[str], properties: Iterable[str]) -> None:
        """Count the tags and properties that a run has already."""
        counts = self._of(run_id)
        counts.tags.update(tags)
        counts.properties.update(properties)

    def check(self, event: Event) -> None:
        """Look at what is about to be logged."""
        match event:
            case PointLogged():
                self._rows(event.run_id, event.name, 1)
                self._text(event.name, event.value)
            case RowsLogged():
                self._table(event)
            case TagsSet():
                self._pairs("tags of a run", self._of(event.run_id).tags, event.tags, RUN_TAGS, KEY_CHARS)
            case TagsRemoved():
                self._of(event.run_id).tags.difference_update(event.keys)
            case PropertiesAdded():
                known = self._of(event.run_id).properties
                self._pairs("properties of a run", known, event.properties, RUN_PROPERTIES, KEY_CHARS)
            case FileStored():
                counts = self._of(event.run_id)
                counts.files += 1
                self._most("files of a run", counts.files, FILES)
                self._longest("the name of a file", event.path, PATH_CHARS)
            case RunCreated() | RunDescribed() | StatusSet():
                self._words(event)

    def _words(self, event: RunCreated | RunDescribed | StatusSet) -> None:
        if isinstance(event, StatusSet):
            if event.error is not None:
                self._longest("the message of an error", event.error.message, ERROR_CHARS)
            return
        self._longest("the name of a run", event.name, RUN_NAME_CHARS)
        if isinstance(event, RunDescribed):
            self._longest("the description of a run", event.description, DESCRIPTION_CHARS)

    def check_children(self, count: int) -> None:
        """Look at how many runs are about to be started by one call."""
        self._most("runs in one create_children()", count, CHILDREN)

    def check_experiment_tags(self, present: Iterable[str], tags: Mapping[str, str | None]) -> None:
        """Look at tags that an experiment is about to get, beside those ``present``."""
        self._pairs("tags of an experiment", set(present), tags, EXPERIMENT_TAGS, EXPERIMENT_KEY_CHARS)

    def _of(self, run_id: str) -> _Counts:
        counts = self._runs.get(run_id)
        if counts is None:
            counts = self._runs[run_id] = _Counts()
        return counts

    def _rows(self, run_id: str, name: str, count: int) -> None:
        rows = self._of(run_id).rows
        rows[name] = total = rows.get(name, 0) + count
        self._most("metrics of a run", len(rows), METRIC_NAMES, name)
        self._most("rows of a metric", total, METRIC_ROWS, name)

    def _table(self, event: RowsLogged) -> None:
        self._rows(event.run_id, event.name, max((len(cells) for cells in event.columns.values()), default=0))
        self._most("columns of a row", len(event.columns), COLUMNS, event.name)
        for column, cells in event.columns.items():
            self._longest("the name of a column", column, COLUMN_NAME_CHARS, event.name)
            if event.kind is not MetricKind.IMAGE and _TEXT not in self._said:
                for cell in cells:
                    self._text(event.name, cell)

    def _text(self, name: str, value: object) -> None:
        if isinstance(value, str):
            self._longest(_TEXT, value, TEXT_CHARS, name)

    def _pairs(self, what: str, known: set[str], pairs: Mapping[str, str | None], most: int, key_chars: int) -> None:
        known.update(pairs)
        self._most(what, len(known), most)
        for key, value in pairs.items():
            self._longest(f"a key among the {what}", key, key_chars, key)
            self._longest(f"a value among the {what}", value, VALUE_CHARS, key)

    def _most(self, kind: str, count: int, most: int, where: str = "") -> None:
        if count > most and kind not in self._said:
            self._said.add(kind)
            _log.warning("%d %s%s: the service of SDK v1 took %d; all are kept here", count, kind, _at(where), most)

    def _longest(self, kind: str, text: str | None, most: int, where: str = "") -> None:
        if text is not None and len(text) > most and kind not in self._said:
            self._said.add(kind)
            _log.warning(
                "%s%s has %d characters: the service of SDK v1 took %d; all are kept here",
                kind, _at(where), len(text), most,
            )  # fmt: skip


def _at(name: str) -> str:
    return f" ({name[:50]!r})" if name else ""
