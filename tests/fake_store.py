"""A store in memory, and a clock that stands still: for tests that look at a run as a display does.

`FakeStore` answers what `runwidgets.watch.feed.Feed` asks of a store, by the same rules: a version number for the
whole, and what changed since a cursor. `FakeRecorder` is what the feed knows a workspace by.
"""

from __future__ import annotations

from msgspec import structs

from runwidgets.columns import Column, pack_column
from runwidgets.errors import StoreError
from runwidgets.records import (
    VECTOR_COLUMN,
    Block,
    ChildRecord,
    Cursor,
    FileRecord,
    MetricDelta,
    MetricKind,
    Owner,
    RunDelta,
    RunRecord,
    RunStatus,
)


class FakeClock:
    """In place of the module `time`: it goes on only when told to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def time(self):
        return self.now

    def monotonic(self):
        return self.now

    def pass_(self, seconds):
        self.now += seconds


class FakeStore:
    """Runs of one process on another machine, as of a version."""

    def __init__(self, clock):
        self._clock = clock
        self._version = 0
        self._runs = {}
        self._last = {}
        self._metrics = {}
        self._changed = {}
        self.tags, self.properties, self.files = {}, {}, {}
        self.trouble = None
        self.reads = 0

    # ---- what happens

    def _touch(self, run_id, part):
        self._version += 1
        self._changed[run_id, part] = self._version

    def begin(self, run_id, *, parent_id=None, number=1, name=None, status=RunStatus.QUEUED):
        owner = Owner("journal", "another machine", "boot", 1, 1.0, self._clock.time())
        self._runs[run_id] = RunRecord(
            run_id=run_id, experiment="exp", parent_id=parent_id, number=number, name=name, type=None, status=status,
            created_at=self._clock.time(), started_at=None, ended_at=None, error=None, progress=None, owner=owner,
            version=0,
        )  # fmt: skip
        self._last[run_id], self._metrics[run_id] = {}, {}
        self._touch(run_id, "run")

    def change(self, run_id, **changes):
        self._runs[run_id] = structs.replace(self._runs[run_id], **changes)
        self._touch(run_id, "run")

    def set_status(self, run_id, status, **changes):
        now = self._clock.time()
        if status is RunStatus.RUNNING and self._runs[run_id].started_at is None:
            changes["started_at"] = now
        if status.is_final:
            changes["ended_at"] = now
        self.change(run_id, status=status, **changes)

    def beat(self):
        for run_id, run in self._runs.items():
            self._runs[run_id] = structs.replace(run, owner=structs.replace(run.owner, beat_at=self._clock.time()))

    def log(self, run_id, name, *values, kind=MetricKind.VECTOR):
        rows = self._metrics[run_id].setdefault(name, (kind, []))[1]
        rows += [(self._clock.time(), value) for value in values]
        self._last[run_id][name] = values[-1]
        self._touch(run_id, f"metric {name}")

    def set_tags(self, **tags):
        self.tags.update(tags)
        self._touch("run", "tags")

    def store_file(self, path, size):
        self.files[path] = FileRecord(path, size, self._clock.time())
        self._touch("run", f"file {path}")

    # ---- what is asked

    def run(self, run_id):
        return self._runs.get(run_id)

    def owner(self, run_id):
        return self._runs[run_id].owner

    def changes(self, run_id, cursor):
        self.reads += 1
        if self.trouble:
            raise StoreError(self.trouble)

        def is_new(part, of=run_id):
            return self._changed.get((of, part), -1) > cursor.version

        metrics, rows_read = [], dict(cursor.rows)
        for name, (kind, rows) in self._metrics.get(run_id, {}).items():
            first = rows_read.get(name, 0)
            if new := rows[first:]:
                block = Block(
                    first,
                    Column(pack_column([None] * len(new))),
                    Column(pack_column([round(at * 1_000_000) for at, _ in new])),
                    {VECTOR_COLUMN: Column(pack_column([value for _, value in new]))},
                )
                metrics.append(MetricDelta(name, kind, (VECTOR_COLUMN,), len(rows), (block,)))
                rows_read[name] = len(rows)
        changed = {of for (of, _), at in self._changed.items() if at > cursor.version}
        children = tuple(
            ChildRecord(run, {name: last for name, last in self._last[one].items() if is_new(f"metric {name}", one)})
            for one, run in self._runs.items()
            if run.parent_id == run_id and one in changed
        )
        return RunDelta(
            cursor=Cursor(self._version, rows_read),
            run=self._runs.get(run_id) if is_new("run") else None,
            tags=dict(self.tags) if is_new("tags") else None,
            metrics=tuple(metrics),
            children=children,
            files=tuple(file for path, file in self.files.items() if is_new(f"file {path}")),
        )


class FakeRecorder:
    """A workspace's, of a process that logs nothing itself."""

    def __init__(self, store):
        self.store = store
        self.recoveries = 0

    def flush(self):
        """Bring nothing into the store."""

    def recover(self):
        self.recoveries += 1
