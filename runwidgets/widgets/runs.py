"""The panel that shows a table of runs: ``js/src/runs.ts``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import traitlets as t

from runwidgets.watch.runtable import DEFAULT_RUNS_CONTROLS, RunTable, checked_runs_controls
from runwidgets.widgets.panels import Panel
from runwidgets.widgets.scripts import part

if TYPE_CHECKING:
    from collections.abc import Callable

    from runwidgets.watch.runtable import RunsControls, RunsPatch, RunsState


class Table(Protocol):
    """What is shown: a `RunTable`, or what has one."""

    @property
    def state(self) -> RunsState:
        """All of the table."""

    def __contains__(self, run_id: object) -> bool: ...


class RunsPanel(Panel):
    """A table of runs, with their charts.

    Parameters
    ----------
    table
        The runs. Nothing is shown of them before `show_all`.
    on_open
        Called with the id of a run that somebody wants to see, and its name.
    """

    _esm = part("runs")

    controls = t.Dict({**DEFAULT_RUNS_CONTROLS}).tag(sync=True)
    """Filter, order, columns, metric and selection; default `DEFAULT_RUNS_CONTROLS`. Set by the browser."""

    def __init__(self, table: Table, on_open: Callable[[str, str], None], **kwargs: Any) -> None:
        self._table = table
        self._on_open = on_open
        self.is_shown = False
        super().__init__(**kwargs)
        self.on_msg(self._on_message)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return RunTable(self._table.state["what"]).state

    @property
    def chosen(self) -> RunsControls:
        """The controls, checked."""
        return checked_runs_controls(self.controls)

    @property
    def selected(self) -> list[str]:
        """The ids of the runs that are selected, in the order in which they were."""
        return [run_id for run_id in self.chosen["selected"] if run_id in self._table]

    def show_all(self) -> None:
        """Send the whole table."""
        if self.state is self._table.state:  # it has changed in place
            self.send_state("state")
        else:
            self.show_state(self._table.state)
        self.is_shown = True

    def show_patch(self, patch: RunsPatch) -> None:
        """Send what has changed since the patch before."""
        self.send(patch)

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, dict):
            return
        kind, run_id = content.get("kind"), content.get("run_id")
        if kind == "have" and self.is_shown and content.get("seq") != self._table.state["seq"]:
            self.show_all()
        elif kind == "open" and isinstance(run_id, str) and run_id in self._table:
            name = content.get("name")
            self._on_open(run_id, name if isinstance(name, str) else run_id)
