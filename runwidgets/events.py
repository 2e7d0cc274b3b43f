"""What a journal holds: the events of runs.

Each is a MessagePack array with an integer tag, so a point is a few bytes longer than its content. All are
frozen. Times (``at``, ``*_at``) are UTC epoch seconds.
"""

from __future__ import annotations

from typing import Any

import msgspec

from runwidgets.records import MetricKind, RunError, RunStatus  # noqa: TC001 (msgspec reads the types)


class _Event(msgspec.Struct, frozen=True, array_like=True, tag_field="event", gc=False):
    pass


class JournalOpened(_Event, frozen=True, tag=0):
    """First event of each journal: which process writes it."""

    journal_id: str
    at: float
    host: str
    boot_id: str
    pid: int
    process_started_at: float
    format: int = 1


class RunCreated(_Event, frozen=True, tag=1):
    """A run began to exist in its experiment."""

    run_id: str
    at: float
    experiment: str
    parent_id: str | None = None
    name: str | None = None
    type: str | None = None


class StatusSet(_Event, frozen=True, tag=2):
    """A run entered a state."""

    run_id: str
    at: float
    status: RunStatus
    error: RunError | None = None


class PointLogged(_Event, frozen=True, tag=3):
    """One value of a vector: the event that must be quick.

    What all values of a vector share comes first, so that it is packed once for all (`runwidgets.store.points`).
    """

    run_id: str
    name: str
    at: float
    value: Any
    step: Any = None


class RowsLogged(_Event, frozen=True, tag=4):
    """Rows of a metric, by column, packed as in `runwidgets.columns`; all columns of one length."""

    run_id: str
    at: float
    name: str
    kind: MetricKind
    columns: dict[str, Any]
    steps: Any = None


class TagsSet(_Event, frozen=True, tag=5):
    """Tags were set, or set anew."""

    run_id: str
    at: float
    tags: dict[str, str | None]


class PropertiesAdded(_Event, frozen=True, tag=6):
    """Properties were added; the first value of a name stays."""

    run_id: str
    at: float
    properties: dict[str, str]


class FileStored(_Event, frozen=True, tag=7):
    """A file of the run lies in the artifact root."""

    run_id: str
    at: float
    path: str
    size: int


class ProgressMade(_Event, frozen=True, tag=8):
    """How far the run says it is."""

    run_id: str
    at: float
    done: float
    total: float | None
    unit: str


class RunDescribed(_Event, frozen=True, tag=9):
    """A run got another name or description; None leaves what is there."""

    run_id: str
    at: float
    name: str | None = None
    description: str | None = None


class TagsRemoved(_Event, frozen=True, tag=10):
    """Tags were taken away."""

    run_id: str
    at: float
    keys: list[str]


Event = (
    JournalOpened
    | RunCreated
    | StatusSet
    | PointLogged
    | RowsLogged
    | TagsSet
    | PropertiesAdded
    | FileStored
    | ProgressMade
    | RunDescribed
    | TagsRemoved
)
