"""What is new about one run, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runwidgets.errors import StoreError
from runwidgets.records import Cursor, RunStatus
from runwidgets.store.liveness import observed_status
from runwidgets.watch.view import RunView, fold

if TYPE_CHECKING:
    from runwidgets.records import Owner, RunRecord
    from runwidgets.store.recorder import Recorder


class Feed:
    """Follows one run: each `step` reads what changed since the one before, and no more.

    Parameters
    ----------
    recorder
        The workspace's.
    run_id
        The run to follow.

    Attributes
    ----------
    view
        What a person sees as of the last step.
    """

    def __init__(self, recorder: Recorder, run_id: str) -> None:
        self._recorder = recorder
        self._run_id = run_id
        self._cursor = Cursor()
        self.view = RunView()

    def step(self) -> bool:
        """Read on.

        Returns
        -------
        bool
            Whether anything changed.

        Raises
        ------
        StoreError
            If the store does not answer; the view stays the last good one, and the next step goes on from there. Also
            if what this process logged cannot be brought into the store; then the view has all that is in it.
        """
        try:
            self._recorder.flush()
        except StoreError:
            # Other processes may log to this run, and their part can be read.
            self._read_on()
            raise
        return self._read_on()

    def has_news(self) -> bool:
        """Tell whether the run is in another state than at the last step: one row is read.

        Raises
        ------
        StoreError
            If the store does not answer.
        """
        record = self._recorder.store.run(self._run_id)
        return record is not None and (self.view.record is None or record.status is not self.view.record.status)

    def _read_on(self) -> bool:
        delta = self._recorder.store.changes(self._run_id, self._cursor)
        silent = self._silent(delta.run or self.view.record, {c.run.run_id: c.run for c in delta.children})
        if silent:
            self._recorder.recover()  # what it left is folded, and its end recorded, for the next step to find
        if delta.is_empty and silent == self.view.silent:
            self._cursor = delta.cursor
            return False
        self.view = fold(self.view, delta, silent)
        self._cursor = delta.cursor
        return True

    def _silent(self, run: RunRecord | None, changed: dict[str, RunRecord]) -> frozenset[str]:
        """Give the ids of the unfinished runs whose process is gone. Each process is asked for once."""
        records = {**{key: child.run for key, child in self.view.children.items()}, **changed}
        unfinished = [record for record in (run, *records.values()) if record and not record.status.is_final]
        silent: dict[str, bool] = {}
        for record in unfinished:
            if record.owner is not None and record.owner.journal_id not in silent:
                owner = self._last_heard_of(record.run_id, record.owner)
                silent[record.owner.journal_id] = observed_status(record.status, owner) is RunStatus.NOT_RESPONDING
        return frozenset(r.run_id for r in unfinished if r.owner is not None and silent[r.owner.journal_id])

    def _last_heard_of(self, run_id: str, owner: Owner) -> Owner:
        """Give the owner with its latest beat: beats do not count as changes of the run."""
        return self._recorder.store.owner(run_id) or owner
