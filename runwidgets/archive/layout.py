"""What an archive of runs holds, and under which names."""

from __future__ import annotations

from typing import Final

import msgspec

from runwidgets.records import MetricKind, RunError, RunStatus  # noqa: TC001 (msgspec reads the types)
from runwidgets.submit.definition import Program

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
RUNS: Final = "runs.json"
LATEST: Final = 253_402_300_800.0
"""The year 10000, of which Python has no dates."""


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file in the archive."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What is in the archive.

    Attributes
    ----------
    format
        Number of the format.
    created_at
        When it was made, UTC epoch seconds.
    made_by
        By which version of runwidgets.
    runs
        Ids of the runs in it.
    members
        All files in it but this one.
    """

    format: int
    created_at: float
    made_by: str
    runs: list[str]
    members: list[Member]


class FormatOnly(msgspec.Struct, frozen=True):
    """The part of a manifest that tells whether the rest can be read."""

    format: int


class ArchivedMetric(msgspec.Struct, frozen=True):
    """What a metric is; its values are in the Parquet file."""

    name: str
    kind: MetricKind
    columns: list[str]
    row_count: int


class ArchivedFile(msgspec.Struct, frozen=True):
    """A file of a run."""

    path: str
    stored_at: float


class ArchivedProgress(msgspec.Struct, frozen=True):
    """How far a run said it was."""

    done: float
    total: float | None
    unit: str
    at: float
    first_done: float
    first_at: float


class ArchivedDefinition(Program, frozen=True, kw_only=True):
    """What was submitted, but for what the place where it lies says anew.

    Attributes
    ----------
    submitted_by
        Name of the user who submitted it; empty where the system knew none.
    """

    submitted_by: str = ""


class ArchivedRun(msgspec.Struct, frozen=True):
    """All of a run but its values and the contents of its files; times are UTC epoch seconds."""

    run_id: str
    experiment: str
    parent_id: str | None
    number: int | None
    name: str | None
    type: str | None
    description: str | None
    status: RunStatus
    created_at: float
    started_at: float | None
    ended_at: float | None
    error: RunError | None
    progress: ArchivedProgress | None
    tags: dict[str, str | None]
    properties: dict[str, str]
    metrics: list[ArchivedMetric]
    files: list[ArchivedFile]
    definition: ArchivedDefinition | None = None


def metrics_name(run_id: str) -> str:
    """Name the member that holds what a run logged."""
    return f"runs/{run_id}/metrics.parquet"


def file_name(run_id: str, path: str) -> str:
    """Name the member that is a file of a run."""
    return f"runs/{run_id}/files/{path}"


def content_name(sha256: str) -> str:
    """Name the member that is a content of a snapshot."""
    return f"snapshots/{sha256}"
