"""The charts of a run's metrics: which can be seen, and drawing them one after the other."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from runwidgets.watch.gauges import draw_gauge, gauges
from runwidgets.watch.lines import draw
from runwidgets.watch.table import MetricTable
from runwidgets.watch.view import RunView
from runwidgets.watch.wire import DEFAULT_CONTROLS, PAGE_SIZE
from runwidgets.widgets.grids import ChartGrid, Parts

if TYPE_CHECKING:
    from datetime import tzinfo

    from runwidgets.watch.view import MetricView
    from runwidgets.watch.wire import MetricsControls

_BETWEEN_CHARTS_SECONDS: Final = 0.008


class Drawing:
    """Draws the charts that can be seen of one run.

    Parameters
    ----------
    mutex
        The display's lock.

    Attributes
    ----------
    grid
        The charts of what was logged, a page of them.
    system_grid
        The charts of what was sampled of a script's processes.
    is_on
        Whether anybody looks: charts are made only then.
    view, controls, zone
        What is to be drawn, how, and by whose clock.
    shows_system
        Whether the tab of what was sampled is open.
    """

    def __init__(self, mutex: threading.RLock) -> None:
        self._mutex = mutex
        self._parts = Parts()
        self._number = 0
        self.grid = ChartGrid(self._parts, _dom_classes=("rw-charts", "rw-columns-2"))
        self.system_grid = ChartGrid(self._parts, _dom_classes=("rw-charts", "rw-columns-2"))
        self.is_on = False
        self.view = RunView()
        self.controls: MetricsControls = {**DEFAULT_CONTROLS}
        self.zone: tzinfo | None = None
        self.shows_system = False

    def begin(self) -> None:
        """Make the charts, off the caller's thread: the table can be read before they are there."""
        self.is_on = True
        threading.Thread(target=self.draw, name="runwidgets-draw", daemon=True).start()

    def control(self, controls: MetricsControls) -> None:
        """Take other controls, and show as many columns as they say."""
        self.controls = controls
        wanted = ("rw-charts", f"rw-columns-{controls['columns']}")
        if self.grid._dom_classes != wanted:
            self.grid._dom_classes = wanted

    def draw(self) -> None:
        """Draw the page of charts, one after the other, so that the browser can paint between them."""
        with self._mutex:
            if not self.is_on:
                return
            self._number += 1
            number = self._number
            view, controls, zone = self.view, self.controls, self.zone
            to_draw = self._to_draw(view, controls)
        if to_draw:
            self._parts.load()
        started_at = view.record.started_at if view.record else None
        counts = dict.fromkeys((self.grid, *(grid for grid, _ in to_draw)), 0)
        for grid, metric in to_draw:
            if metric.is_system:
                chart, title = draw_gauge(metric, started_at)
            else:
                chart, title = draw(metric, controls, started_at), metric.name
            with self._mutex:
                if number != self._number:
                    return  # something newer is being drawn
                grid.card(counts[grid]).show(chart, title, zone)
            counts[grid] += 1
            time.sleep(_BETWEEN_CHARTS_SECONDS)
        with self._mutex:
            if number == self._number:
                for grid, count in counts.items():
                    grid.show_first(count)

    def _to_draw(self, view: RunView, controls: MetricsControls) -> list[tuple[ChartGrid, MetricView]]:
        """List the charts that can be seen: a page of the metrics, and what was sampled while its tab is open."""
        names = charted(view, controls["filter"])
        page = min(controls["page"], max(0, (len(names) - 1) // PAGE_SIZE))
        logged = [(self.grid, view.metrics[name]) for name in names[page * PAGE_SIZE :][:PAGE_SIZE]]
        if not self.shows_system:
            return logged
        return [*logged, *((self.system_grid, metric) for metric in gauges(view))]

    def stop(self) -> None:
        """Draw no more, under the lock."""
        self.is_on = False
        self._number += 1

    def close(self) -> None:
        """Close what the charts share; the grids go with their pages."""
        self._parts.close()
