"""The page of a run's logs, which follows the one that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runwidgets.watch.poller import poller
from runwidgets.watch.wire import logs_state
from runwidgets.widgets.pages import Page
from runwidgets.widgets.panels import LogsPanel

if TYPE_CHECKING:
    from collections.abc import Callable

    from runwidgets.watch.logs import Logs
    from runwidgets.watch.poller import Errand
    from runwidgets.watch.view import RunView

_LOG_SECONDS: Final = 0.5


class LogsPage(Page):
    """A run's logs.

    Parameters
    ----------
    logs
        Where their parts come from.
    on_errand
        What is to be called every half second while the log is followed.
    """

    def __init__(self, logs: Logs, on_errand: Callable[[], None]) -> None:
        self.panel = LogsPanel(logs)
        self._logs = logs
        self._on_errand = on_errand
        self._errand: Errand | None = None
        super().__init__("logs", (self.panel,))

    @property
    def is_following(self) -> bool:
        """Whether it looks at the log."""
        return self._errand is not None

    def show(self, view: RunView) -> None:  # noqa: ARG002 (which logs there are is no part of it)
        """Show which logs there are."""
        self.panel.show_state(logs_state(self._logs.names, is_open=self.is_open))

    def follow(self, *, goes_on: bool) -> None:
        """Look at the log more often than at the run while its tab is open: a look at a file costs next to nothing.

        Parameters
        ----------
        goes_on
            Whether more may come.
        """
        if goes_on and self.is_open:
            if self._errand is None:
                self._errand = poller().every(_LOG_SECONDS, self._on_errand)
        elif self._errand is not None:
            self._errand.cancel()
            self._errand = None
            self.panel.send_more()  # what came since, the last words of a run among it
