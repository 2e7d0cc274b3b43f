"""Many runs, followed: those of an experiment, as they come, or some that were chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from runwidgets.errors import StoreError
from runwidgets.records import ChildRecord, RunStatus
from runwidgets.store.liveness import observed_status
from runwidgets.watch.wire import run_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runwidgets.records import RunQuery, RunRecord
    from runwidgets.store.recorder import Recorder

MAX_RUNS: Final = 2000
"""So many runs of an experiment are listed: the newest."""


class Source(NamedTuple):
    """Where runs come from: a workspace, and which of it are wanted."""

    recorder: Recorder
    query: RunQuery


@dataclass(frozen=True)
class Member:
    """One run of many.

    Attributes
    ----------
    source
        The place of its source among those of the roster.
    is_silent
        Whether it is recorded as unfinished, but its process is gone.
    """

    source: int
    recorder: Recorder
    record: ChildRecord
    is_silent: bool = False

    @property
    def key(self) -> str:
        """Its id."""
        return self.record.run.run_id

    @property
    def run(self) -> RunRecord:
        """Its record."""
        return self.record.run

    @property
    def tags(self) -> Mapping[str, str | None]:
        """Its tags."""
        return self.record.tags

    @property
    def properties(self) -> Mapping[str, str]:
        """Its properties."""
        return self.record.properties

    @property
    def last(self) -> Mapping[str, Any]:
        """The last value of each of its vectors."""
        return self.record.last

    @property
    def status(self) -> RunStatus:
        """Its status as it is shown."""
        return RunStatus.NOT_RESPONDING if self.is_silent else self.run.status

    @property
    def name(self) -> str:
        """The name that it is shown by."""
        return run_name(self.run)


@dataclass
class _Followed:
    """One source as of the last step: how far it was read, and its runs in the order of the table."""

    source: Source
    version: int = -1
    deleted_at: float | None = None
    total: int = 0
    records: dict[str, ChildRecord] | None = None
    unfinished: tuple[RunRecord, ...] = ()
    silent: frozenset[str] = frozenset()


class Roster:
    """Follows many runs: each `step` reads those that changed, and one number where none did.

    Parameters
    ----------
    sources
        Where they come from. A query with `RunQuery.ids` has its runs in that order; of another the newest come last.
        No run may come from two of them.
    limit
        How many runs of each source are listed at most: the newest.

    Attributes
    ----------
    records
        The runs as of the last step, by id. It is another object when something has changed; what has not is the same.
    silent
        The ids of those whose process is gone.
    trouble
        Why the last step failed; None if it did not.
    """

    def __init__(self, sources: Iterable[Source], limit: int = MAX_RUNS) -> None:
        self._limit = limit
        self._followed = [_Followed(source) for source in sources]
        self.records: Mapping[str, ChildRecord] = {}
        self.silent: frozenset[str] = frozenset()
        self.trouble: str | None = None
        self._places: dict[str, int] = {}

    @property
    def total(self) -> int:
        """How many runs there are, those that are not listed included."""
        return sum(max(one.total, len(one.records or ())) for one in self._followed)

    def members(self, run_ids: Iterable[str] | None = None) -> list[Member]:
        """Give the runs of these ids, as far as they are listed; or all of them."""
        return [
            Member(
                self._places[run_id],
                self._followed[self._places[run_id]].source.recorder,
                self.records[run_id],
                run_id in self.silent,
            )
            for run_id in (self.records if run_ids is None else run_ids)
            if run_id in self._places
        ]

    def step(self) -> bool:
        """Read on; tell whether anything changed, be it that the store does not answer any more."""
        trouble, changed = None, False
        for one in self._followed:
            try:
                changed |= self._step(one)
            except StoreError as error:
                trouble = str(error)
        if changed:
            self.records = {run_id: record for one in self._followed for run_id, record in (one.records or {}).items()}
            self.silent = frozenset().union(*(one.silent for one in self._followed))
            self._places = {run_id: place for place, one in enumerate(self._followed) for run_id in one.records or ()}
        changed |= trouble != self.trouble
        self.trouble = trouble
        return changed

    def _step(self, one: _Followed) -> bool:
        one.source.recorder.flush()
        store = one.source.recorder.store
        query = msgspec.structs.replace(one.source.query, limit=self._limit)
        news = store.news(query, one.version)
        changed = bool(news.runs)
        if news.version != one.version and news.deleted_at != one.deleted_at and one.records is not None:
            news, one.records, changed = store.news(query, -1), None, True
        if news.version != one.version:
            one.version, one.deleted_at = news.version, news.deleted_at
        if news.total is not None:
            one.total = news.total
        if one.records is None or news.runs:
            self._take(one, news.runs)
        return self._look_for_silent(one) or changed

    def _take(self, one: _Followed, news: Sequence[ChildRecord]) -> None:
        """Bring the runs up to date; who is older than all that are listed, where not all are, stays out."""
        before = one.records
        listed = dict(before or {})
        is_cut = before is not None and one.total > len(before)
        oldest = min((_number(record) for record in listed.values()), default=-1) if is_cut else -1
        for change in reversed(news):
            run_id = change.run.run_id
            if run_id in listed:
                listed[run_id] = _folded(listed[run_id], change)
            elif not is_cut or _number(change) > oldest:
                listed[run_id] = change
        if before is not None:
            one.total += len(listed) - len(before)
        if one.source.query.ids is not None:
            listed = {run_id: listed[run_id] for run_id in one.source.query.ids if run_id in listed}
        one.records = dict(list(listed.items())[-self._limit :])
        one.unfinished = tuple(record.run for record in one.records.values() if not record.run.status.is_final)

    @staticmethod
    def _look_for_silent(one: _Followed) -> bool:
        """Note which unfinished runs have lost their process; each process is asked for once, the ended not."""
        recorder = one.source.recorder
        gone: dict[str, bool] = {}
        silent = set()
        for run in one.unfinished:
            owner = run.owner
            if owner is None:
                continue
            if owner.journal_id not in gone:
                heard = recorder.store.owner(run.run_id) or owner  # beats are no changes of the run
                gone[owner.journal_id] = observed_status(run.status, heard) is RunStatus.NOT_RESPONDING
            if gone[owner.journal_id]:
                silent.add(run.run_id)
        if silent:
            recorder.recover()  # what they left is folded, and their ends recorded, for the next step to find
        changed = silent != one.silent
        one.silent = frozenset(silent)
        return changed


def _number(record: ChildRecord) -> int:
    return -1 if record.run.number is None else record.run.number


def _folded(before: ChildRecord, change: ChildRecord) -> ChildRecord:
    return ChildRecord(
        change.run, {**before.last, **change.last}, before.repeated | change.repeated, change.tags, change.properties
    )
