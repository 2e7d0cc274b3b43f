"""One metric of a run, followed: each step reads the rows that came since, thinned where they are many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runwidgets.records import Cursor, RunDelta
from runwidgets.store.series import SUMMARY_WIDTH
from runwidgets.store.thinning import natural_width
from runwidgets.watch.view import RunView, fold

if TYPE_CHECKING:
    from runwidgets.store.contract import Store
    from runwidgets.watch.view import MetricView

_BUCKETS: Final = 512
"""Finer than a view: runs that lie over each other are told apart by what is small."""
_END: Final = 2**53
"""After any row."""


class Trail:
    """Follows one metric of one run, and none of its others: many runs are followed at the price of what is shown.

    Parameters
    ----------
    store
        Of the run's workspace.
    run_id, name
        The run and the metric.
    """

    def __init__(self, store: Store, run_id: str, name: str) -> None:
        self._store = store
        self._run_id = run_id
        self._name = name
        self._view = RunView()

    @property
    def metric(self) -> MetricView | None:
        """The metric as of the last step; None where the run has none of this name."""
        return self._view.metrics.get(self._name)

    def step(self) -> bool:
        """Read on; tell whether there was anything new.

        Raises
        ------
        StoreError
            If the store does not answer; the next step goes on from here.
        """
        seen = self.metric.row_count if self.metric else 0
        head = self._store.window(self._run_id, self._name, 0, 0)
        if head is None or head.row_count < seen:  # deleted, and perhaps come again
            had, self._view = self.metric is not None, RunView()
            if head is None:
                return had
            seen = 0
        if head.row_count == seen:
            return False
        more = self._store.window(self._run_id, self._name, seen, _END, _width(head.row_count))
        if more is None:  # pragma: no cover (deleted just now: the next step tells)
            return False
        self._view = fold(self._view, RunDelta(cursor=Cursor(), metrics=(more,)), buckets=_BUCKETS)
        return True


def _width(row_count: int) -> int:
    """Give how fine a series is read: where a quarter of the usual does, the store has it ready, and reads no rows."""
    width = natural_width(row_count, _BUCKETS)
    return max(width, SUMMARY_WIDTH) if width * 4 >= SUMMARY_WIDTH else width
