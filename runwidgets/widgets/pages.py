"""The pages of a display, one class a tab: a column of panels that shows its part of a run's view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from runwidgets.widgets.panels import MetricsPanel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runwidgets.watch.rows import RowPages
    from runwidgets.watch.view import RunView
    from runwidgets.watch.wire import TabId
    from runwidgets.widgets.drawing import Drawing


class Page(ipywidgets.VBox):
    """What one tab shows.

    Parameters
    ----------
    tab
        Its tab.
    panels
        From top to bottom; they are closed with the page.

    Attributes
    ----------
    is_open
        Whether its tab is the open one. A page that is not may leave undone what takes long.
    """

    def __init__(self, tab: TabId, panels: Iterable[ipywidgets.Widget]) -> None:
        self.tab = tab
        self.is_open = False
        super().__init__(tuple(panels), _dom_classes=("rw-page", f"rw-page-{tab}"))

    def show(self, view: RunView) -> None:
        """Show a run that has changed, under the lock of the display."""

    def turn(self, view: RunView, *, is_open: bool) -> None:
        """Take note that the tab was opened or left, under the lock of the display."""
        self.is_open = is_open
        self.show(view)

    def close(self) -> None:
        """Close the page and its panels."""
        panels: tuple[Any, ...] = self.children
        for panel in panels:
            panel.close()
        super().close()


class MetricsPage(Page):
    """The table of metrics and their charts.

    Parameters
    ----------
    rows
        Where the rows come from that the browser asks for.
    drawing
        What draws the charts.
    """

    def __init__(self, rows: RowPages, drawing: Drawing) -> None:
        self.panel = MetricsPanel(rows)
        self._drawing = drawing
        super().__init__("metrics", (self.panel, drawing.grid))

    def show(self, view: RunView) -> None:
        """Show the table, filtered; the charts are drawn without the lock."""
        self.panel.show_state(self._drawing.table.state(view, self._drawing.controls))
