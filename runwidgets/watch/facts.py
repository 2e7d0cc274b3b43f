"""What is known of a run beside what it logged, for the panel ``js/src/details.ts``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from runwidgets.watch.submission import NO_SUBMISSION, Fact, Submission
from runwidgets.watch.wire import ErrorState, error_state

if TYPE_CHECKING:
    from runwidgets.records import StatusChange
    from runwidgets.watch.view import RunView

PACKAGES: Final = "environment/packages.txt"
DIFF: Final = "environment/uncommitted.diff"
MAX_PAIRS: Final = 1000
"""How many tags, and how many properties, are listed."""
MAX_CHANGES: Final = 200
"""How many changes of status are listed: the first, and the last ones."""
_SNAPSHOT: Final = "ContentSnapshotId"
_GIT: Final = {"repository_uri": "Repository", "branch": "Branch", "commit": "Commit"}
_PYTHON: Final = {"runwidgets.python": "Python", "runwidgets.platform": "Platform"}
_AT_ONCE_SECONDS: Final = 0.5


class Tag(TypedDict):
    """One entry of ``DetailsState.tags`` or ``.properties``."""

    key: str
    value: str | None


class Change(TypedDict):
    """``Change``: a run entered a state."""

    status: str
    status_group: str
    at: float


class KeptText(TypedDict):
    """``KeptText``: a text that lies among the run's files."""

    path: str
    size: int


class DetailsState(TypedDict):
    """``DetailsState``."""

    facts: list[Fact]
    started_at: float | None
    ended_at: float | None
    description: str
    tags: list[Tag]
    tags_total: int
    properties: list[Tag]
    properties_total: int
    timeline: list[Change]
    error: ErrorState | None
    git: list[Fact]
    is_dirty: bool | None
    diff: KeptText | None
    python: list[Fact]
    packages: KeptText | None
    submission: Submission
    snapshot: str | None


def details_state(view: RunView, submission: Submission = NO_SUBMISSION) -> DetailsState:
    """Give what is known of a run.

    Parameters
    ----------
    view
        The run.
    submission
        What it was to do, if it was submitted.
    """
    record = view.record
    facts: list[Fact] = []
    if record:
        facts = [{"label": "Run id", "value": record.run_id}, {"label": "Experiment", "value": record.experiment}]
        if record.parent_id:
            facts.append({"label": "Parent run", "value": record.parent_id})
        if record.type:
            facts.append({"label": "Type", "value": record.type})
        if record.owner and record.owner.pid:
            facts.append({"label": "Process", "value": f"{record.owner.pid} on {record.owner.host}"})
    dirty = view.properties.get("azureml.git.dirty")
    return {
        "facts": facts,
        "started_at": record.started_at if record else None,
        "ended_at": record.ended_at if record else None,
        "description": (record.description or "") if record else "",
        "tags": [{"key": key, "value": value} for key, value in sorted(view.tags.items())[:MAX_PAIRS]],
        "tags_total": len(view.tags),
        "properties": [{"key": key, "value": value} for key, value in sorted(view.properties.items())[:MAX_PAIRS]],
        "properties_total": len(view.properties),
        "timeline": timeline(record.created_at if record else None, view.history),
        "error": error_state(record.error) if record and record.error else None,
        "git": _named(view, {f"azureml.git.{key}": label for key, label in _GIT.items()}),
        "is_dirty": None if dirty is None else dirty == "True",
        "diff": _kept(view, DIFF),
        "python": _named(view, _PYTHON),
        "packages": _kept(view, PACKAGES),
        "submission": submission,
        "snapshot": view.properties.get(_SNAPSHOT),
    }


def timeline(created_at: float | None, history: tuple[StatusChange, ...]) -> list[Change]:
    """Give the states that a run has been in, by time; its creation too, where it did not begin at once."""
    changes: list[Change] = []
    if created_at is not None and not (history and history[0].at - created_at < _AT_ONCE_SECONDS):
        changes.append({"status": "Created", "status_group": "waiting", "at": created_at})
    for change in history:
        if not changes or changes[-1]["status"] != change.status.value:
            changes.append({"status": change.status.value, "status_group": change.status.group, "at": change.at})
    return changes if len(changes) <= MAX_CHANGES else [changes[0], *changes[1 - MAX_CHANGES :]]


def _named(view: RunView, labels: dict[str, str]) -> list[Fact]:
    return [
        {"label": label, "value": view.properties[key]} for key, label in labels.items() if view.properties.get(key)
    ]


def _kept(view: RunView, path: str) -> KeptText | None:
    file = view.files.get(path)
    return {"path": file.path, "size": file.size} if file else None
