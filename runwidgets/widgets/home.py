"""`HomeView`: workspaces, experiments and the latest runs, live."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

import ipywidgets
import traitlets as t

from runwidgets.errors import ArgumentTypeError, RunwidgetsError
from runwidgets.home import workspace_names
from runwidgets.watch.overview import Overview
from runwidgets.watch.poller import poller
from runwidgets.watch.wire import MAX_TEXT
from runwidgets.widgets.panels import Panel
from runwidgets.widgets.scripts import part, scripts
from runwidgets.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runwidgets.watch.poller import Errand

_LOOK_SECONDS: Final = 2.0


class HomePanel(Panel):
    """Workspaces, experiments, runs, and a search among them."""

    _esm = part("home")

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return Overview(()).state(0.0)


class HomeView(ipywidgets.VBox):
    """Shows live what there is: workspaces, experiments, the runs that go on and those that were last.

    Parameters
    ----------
    workspaces
        Which; by default all that there are.

    Raises
    ------
    ArgumentTypeError
        If it is given something other than workspaces.
    """

    _is_open = False

    def __init__(self, workspaces: Sequence[Workspace] | None = None) -> None:
        if workspaces is None:
            workspaces = [Workspace(workspace_name=name) for name in workspace_names()]
        for workspace in workspaces:
            if not isinstance(workspace, Workspace):
                raise ArgumentTypeError(f"HomeView shows workspaces, not a {type(workspace).__name__}")
        self._overview = Overview(workspaces)
        self._mutex = threading.RLock()
        self._errand: Errand | None = None
        self._scripts = scripts()
        self._panel = HomePanel(_view_count=0)
        super().__init__([*self._scripts, self._panel], _dom_classes=("runwidgets", "rw-home-root"))
        self._panel.on_msg(self._on_message)
        self._panel.observe(self._on_views, "_view_count")
        self._is_open = True
        self._look()

    def _look(self) -> None:
        state = self._overview.state(time.time())
        with self._mutex:
            if self._is_open and {**state, "sent_at": 0} != {**self._panel.state, "sent_at": 0}:
                self._panel.show_state(state)

    def _on_views(self, change: Any) -> None:
        """Look only while somebody sees it."""
        with self._mutex:
            if change["new"] and self._errand is None and self._is_open:
                self._errand = poller().every(_LOOK_SECONDS, self._look)
            elif not change["new"]:
                self._pause()

    def _pause(self) -> None:
        if self._errand is not None:
            self._errand.cancel()
            self._errand = None

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, dict) or content.get("kind") != "search":
            return
        text = content.get("text")
        if isinstance(text, str) and len(text) <= MAX_TEXT:
            try:
                self._panel.send(self._overview.found(text))
            except RunwidgetsError as error:
                self._panel.send({"kind": "found", "text": text, "runs": [], "is_all": True, "trouble": str(error)})

    def close(self) -> None:
        """Stop looking, and close the display."""
        if not self._is_open:
            return
        with self._mutex:
            self._is_open = False
            self._pause()
            self._panel.unobserve(self._on_views, "_view_count")
            self._panel._view_count = None
            for widget in (*self._scripts, self._panel):
                widget.close()
        super().close()
