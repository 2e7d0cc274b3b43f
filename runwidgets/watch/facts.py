"""What is known of a run beside what it logged, for the panel ``js/src/details.ts``: facts, tags, properties, files."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from runwidgets.watch.wire import MAX_FILES

if TYPE_CHECKING:
    from runwidgets.watch.view import RunView


class Fact(TypedDict):
    """One line of ``DetailsState.facts``."""

    label: str
    value: str


class Tag(TypedDict):
    """One entry of ``DetailsState.tags`` or ``.properties``."""

    key: str
    value: str | None


class FileRow(TypedDict):
    """One entry of ``DetailsState.files``."""

    path: str
    size: int


class DetailsState(TypedDict):
    """``DetailsState``."""

    facts: list[Fact]
    started_at: float | None
    ended_at: float | None
    tags: list[Tag]
    properties: list[Tag]
    files: list[FileRow]
    files_total: int


def details_state(view: RunView) -> DetailsState:
    """Give the facts, tags, properties and files of a run."""
    record = view.record
    files = sorted(view.files.values(), key=lambda file: file.path)
    facts: list[Fact] = []
    if record:
        facts = [{"label": "Run id", "value": record.run_id}, {"label": "Experiment", "value": record.experiment}]
        if record.parent_id:
            facts.append({"label": "Parent run", "value": record.parent_id})
        if record.owner and record.owner.pid:
            facts.append({"label": "Process", "value": f"{record.owner.pid} on {record.owner.host}"})
    return {
        "facts": facts,
        "started_at": record.started_at if record else None,
        "ended_at": record.ended_at if record else None,
        "tags": [{"key": key, "value": value} for key, value in sorted(view.tags.items())],
        "properties": [{"key": key, "value": value} for key, value in sorted(view.properties.items())],
        "files": [{"path": file.path, "size": file.size} for file in files[:MAX_FILES]],
        "files_total": len(files),
    }
