"""What crosses between floors: the states of a run, and the records that a reader gets.

All are frozen. Times (``at``, ``*_at``) are UTC epoch seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from runwidgets.columns import Column
    from runwidgets.conditions import Condition, Field


class RunStatus(StrEnum):
    """The state of a run, by the names that SDK v1 users know."""

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    PROVISIONING = "Provisioning"
    STARTING = "Starting"
    RUNNING = "Running"
    CANCEL_REQUESTED = "CancelRequested"
    FINALIZING = "Finalizing"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"
    NOT_RESPONDING = "NotResponding"
    UNAPPROVED = "Unapproved"
    PAUSING = "Pausing"
    PAUSED = "Paused"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the run."""
        return self in _FINAL

    @property
    def group(self) -> str:
        """What the status means to a person: waiting, active, done, failed, canceled or silent."""
        return _GROUPS.get(self, "waiting")


_FINAL: Final = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED})
_GROUPS: Final = {
    RunStatus.STARTING: "active",
    RunStatus.RUNNING: "active",
    RunStatus.FINALIZING: "active",
    RunStatus.CANCEL_REQUESTED: "active",
    RunStatus.COMPLETED: "done",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELED: "canceled",
    RunStatus.NOT_RESPONDING: "silent",
}


class MetricKind(StrEnum):
    """What a metric is a growing table of."""

    VECTOR = "vector"
    """One value a row (`Run.log`, `Run.log_list`)."""
    TABLE = "table"
    """Named columns (`Run.log_row`, `Run.log_table`)."""
    IMAGE = "image"
    """One file path a row (`Run.log_image`)."""
    ACCURACY_TABLE = "accuracy_table"
    """One path of a JSON file a row (`Run.log_accuracy_table`)."""
    CONFUSION_MATRIX = "confusion_matrix"
    """One path of a JSON file a row (`Run.log_confusion_matrix`)."""
    RESIDUALS = "residuals"
    """One path of a JSON file a row (`Run.log_residuals`)."""
    PREDICTIONS = "predictions"
    """One path of a JSON file a row (`Run.log_predictions`)."""

    @property
    def is_document(self) -> bool:
        """Whether each row is the path of a JSON file, one that `runwidgets.documents` has checked."""
        return self in _DOCUMENTS


_DOCUMENTS: Final = frozenset(
    {MetricKind.ACCURACY_TABLE, MetricKind.CONFUSION_MATRIX, MetricKind.RESIDUALS, MetricKind.PREDICTIONS}
)


SYSTEM_METRICS: Final = "system/"
"""How the names of metrics begin that a supervisor measures: what a run uses of the machine."""
VECTOR_COLUMN: Final = ""
"""Name of the one column of a vector or image metric."""


class RunError(msgspec.Struct, frozen=True):
    """Why a run failed.

    Attributes
    ----------
    code
        ``UserError``, or the name of the exception's class.
    message
        One line or a few, for a person.
    traceback
        The formatted traceback where there was an exception.
    """

    code: str
    message: str
    traceback: str | None = None


# ---- records: what a reader gets


class Owner(msgspec.Struct, frozen=True):
    """The process that started a run, as last heard of."""

    journal_id: str
    host: str
    boot_id: str
    pid: int
    process_started_at: float
    beat_at: float


class Progress(msgspec.Struct, frozen=True):
    """The last progress that a run reported; `first_at` and `first_done` are the first of the same kind."""

    done: float
    total: float | None
    unit: str
    at: float
    first_done: float
    first_at: float


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A run as the store has it."""

    run_id: str
    experiment: str
    parent_id: str | None
    number: int | None
    name: str | None
    type: str | None
    status: RunStatus
    created_at: float | None
    started_at: float | None
    ended_at: float | None
    error: RunError | None
    progress: Progress | None
    owner: Owner | None
    version: int
    description: str | None = None


class FoundRun(msgspec.Struct, frozen=True):
    """A run with its tags and properties."""

    run: RunRecord
    tags: dict[str, str | None]
    properties: dict[str, str]


class ExperimentRecord(msgspec.Struct, frozen=True):
    """An experiment as the store has it.

    Attributes
    ----------
    archived_at
        Since when it is archived; None for an active one.
    run_count
        How many runs it has, children included.
    """

    name: str
    created_at: float
    archived_at: float | None
    run_count: int
    tags: dict[str, str | None]


class RunQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs are wanted: all conditions that are given hold.

    Attributes
    ----------
    experiment
        Name of their experiment.
    id_prefix
        What their ids begin with.
    below
        Id of the run that they are children of.
    deep
        Whether children's children count: of the run ``below``, or of the experiment's.
    tags, properties
        Keys that they have, with these values; None as a value: with any.
    type, status
        As recorded.
    where
        What else holds for them (`runwidgets.query` reads it from text). In `Store.news`, for them as they are now.
    order_by
        What they are in the order of; those that do not have it come last, in either direction. Texts that are numbers
        come before others. Of a metric the last value of a vector counts, where it is a number. The name of a vector
        alone: only runs that have it with such a value.
    descending
        Whether the greatest comes first. Those that are equal come newest first in either direction, and so do all
        where nothing else is asked for.
    ids
        Only these runs, whichever runs they are below.
    since
        Only those that changed after this version of the workspace.
    before
        Only those that come after this run in the order, since it comes before them: the next page.
    after
        Only those that come before this run in the order: the page before, its last runs where they are more than the
        limit. With `before`: those between the two, from its first on.
    offset
        So many at the beginning are left out (with `after`: next to that run).
    limit
        At most so many.
    """

    experiment: str | None = None
    id_prefix: str | None = None
    below: str | None = None
    deep: bool = False
    tags: dict[str, str | None] = {}
    properties: dict[str, str | None] = {}
    type: str | None = None
    status: RunStatus | None = None
    where: Condition | None = None
    order_by: Field | str | None = None
    descending: bool = False
    ids: tuple[str, ...] | None = None
    since: int | None = None
    before: str | None = None
    after: str | None = None
    offset: int = 0
    limit: int | None = None


class Block(msgspec.Struct, frozen=True):
    """Consecutive rows of one metric.

    Attributes
    ----------
    first_index
        Index of the first row.
    steps
        A column of integers, floats or None.
    times
        When each row was logged, as integers: microseconds since the epoch.
    columns
        By name, all of one length; a metric's column that is missing here is None throughout.
    """

    first_index: int
    steps: Column
    times: Column
    columns: dict[str, Column]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def end(self) -> int:
        """Index after the last row."""
        return self.first_index + len(self.times)

    def part(self, start: int, stop: int | None = None) -> Block:
        """Give some of the rows, counted from the block's first, as a slice does."""
        return Block(
            self.first_index + start,
            self.steps.part(start, stop),
            self.times.part(start, stop),
            {name: column.part(start, stop) for name, column in self.columns.items()},
        )


class ColumnSummary(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of one column of many rows: what is told of them all, and the few that are worth drawing.

    Attributes
    ----------
    count
        How many values, NaN and the infinities included, None not.
    last
        The last value, whatever it is, but for None.
    minimum, maximum
        Of the finite values; None where there are none.
    is_text
        Whether a string or boolean was among the values.
    index, y, steps, times, over
        Packed columns: of each row that is kept its number within the summary, its value, its step, its time in
        microseconds, and the value of the table's first numeric column.
    """

    count: int
    last: Any
    minimum: float | None
    maximum: float | None
    nan_count: int
    inf_count: int
    is_text: bool
    index: Any
    y: Any
    steps: Any
    times: Any
    over: Any


class Summary(msgspec.Struct, frozen=True):
    """Consecutive rows of one metric, thinned to buckets of ``width`` rows."""

    first_index: int
    row_count: int
    width: int
    columns: dict[str, ColumnSummary]

    @property
    def end(self) -> int:
        """Index after the last row."""
        return self.first_index + self.row_count


class MetricDelta(msgspec.Struct, frozen=True):
    """What is new of one metric, past the reader's cursor, in order: rows, and summaries where there are many."""

    name: str
    kind: MetricKind
    columns: tuple[str, ...]
    row_count: int
    parts: tuple[Block | Summary, ...]

    @property
    def blocks(self) -> list[Block]:
        """The parts that are rows: all of them, where a metric is read whole."""
        return [part for part in self.parts if isinstance(part, Block)]


class ChildRecord(msgspec.Struct, frozen=True):
    """A run, one of many, that changed.

    Attributes
    ----------
    last
        The last value of each of its vectors that changed.
    repeated
        The names of those that have more than one row.
    tags, properties
        All that it has.
    """

    run: RunRecord
    last: dict[str, Any]
    repeated: frozenset[str] = frozenset()
    tags: dict[str, str | None] = {}
    properties: dict[str, str] = {}


class RunsNews(msgspec.Struct, frozen=True):
    """Which of many runs changed.

    Attributes
    ----------
    version
        The workspace's, now.
    runs
        Those that changed.
    total
        How many there are, where all were asked for; else None.
    deleted_at
        When a run was last deleted from the workspace; None for never, and where nothing has changed.
    """

    version: int
    runs: tuple[ChildRecord, ...] = ()
    total: int | None = None
    deleted_at: float | None = None


class MetricHead(msgspec.Struct, frozen=True):
    """A metric without its rows; `last` is the last value of a vector that is not None."""

    name: str
    kind: MetricKind
    columns: tuple[str, ...]
    row_count: int
    last: Any = None


class FileRecord(msgspec.Struct, frozen=True):
    """A file of a run."""

    path: str
    size: int
    stored_at: float


class StatusChange(msgspec.Struct, frozen=True):
    """A run entered a state."""

    status: RunStatus
    at: float


class Cursor(msgspec.Struct, frozen=True):
    """How far a reader has read one run.

    Attributes
    ----------
    version
        The workspace's version number at the last read.
    rows
        By metric name, how many rows were read.
    """

    version: int = -1
    rows: dict[str, int] = {}


class RunDelta(msgspec.Struct, frozen=True, kw_only=True):
    """What changed about one run since a cursor; all parts empty where nothing did.

    Attributes
    ----------
    run
        None where the run's own row did not change.
    tags, properties, history
        All of them where any changed, else None; the states that the run has been in by time.
    """

    cursor: Cursor
    run: RunRecord | None = None
    tags: dict[str, str | None] | None = None
    properties: dict[str, str] | None = None
    history: tuple[StatusChange, ...] | None = None
    metrics: tuple[MetricDelta, ...] = ()
    children: tuple[ChildRecord, ...] = ()
    files: tuple[FileRecord, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return self.run is None and not (self.tags or self.properties or self.metrics or self.children or self.files)
