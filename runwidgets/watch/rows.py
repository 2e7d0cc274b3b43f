"""Rows of a metric, read when somebody asks to see them: a display holds none of the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import StoreError
from runwidgets.watch.wire import rows_message

if TYPE_CHECKING:
    from runwidgets.store.recorder import Recorder
    from runwidgets.watch.wire import RowsMessage

ROWS_A_PAGE: Final = 10


class RowPages:
    """Gives the rows of one run's metrics, page by page.

    Parameters
    ----------
    recorder
        The workspace's.
    run_id
        The run.
    """

    def __init__(self, recorder: Recorder, run_id: str) -> None:
        self._recorder = recorder
        self._run_id = run_id

    def answer(self, request: Any) -> RowsMessage | None:
        """Give the rows that a browser asks for by a ``RowsRequest``; None to what is no such request."""
        if not isinstance(request, dict) or request.get("kind") != "rows":
            return None
        name, start = request.get("name"), request.get("start")
        if not isinstance(name, str) or type(start) is not int or not 0 <= start < 2**53:
            return None
        try:
            self._recorder.flush()
            found = self._recorder.store.window(self._run_id, name, start, start + ROWS_A_PAGE)
        except StoreError as error:
            return {**rows_message(name, start, None), "trouble": str(error)}
        return rows_message(name, start, found)
