"""The charts of a run's metrics: which can be seen, and drawing them one after the other."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import StoreError
from runwidgets.watch.gauges import draw_gauge, gauges
from runwidgets.watch.lens import GRIDS, Sight, lens_chart, zoom_request
from runwidgets.watch.lines import draw, x_axis_of
from runwidgets.watch.table import MetricTable
from runwidgets.watch.view import RunView
from runwidgets.watch.viewer import for_this_viewer
from runwidgets.watch.wire import DEFAULT_CONTROLS, PAGE_SIZE
from runwidgets.watch.zoom import Closer, Zooms
from runwidgets.widgets.figures import Figures
from runwidgets.widgets.grids import ChartGrid, Parts
from runwidgets.widgets.panels import LensPanel

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from runwidgets.store.recorder import Recorder
    from runwidgets.watch.lens import GridId
    from runwidgets.watch.lines import Chart
    from runwidgets.watch.view import MetricView
    from runwidgets.watch.wire import MetricsControls
    from runwidgets.watch.zoom import Range
    from runwidgets.widgets.grids import ChartCard

_BETWEEN_CHARTS_SECONDS: Final = 0.02
_PATIENCE_SECONDS: Final = 3.0
"""How long nobody may say which charts are seen until all are drawn."""
_FIRST_LOOK_SECONDS: Final = 5.0


class Drawing:
    """Draws the charts that can be seen of one run.

    Parameters
    ----------
    mutex
        The display's lock.
    recorder, run_id
        Where the rows are read that a closer look needs.
    catch_up
        Called when the display is seen again.

    Attributes
    ----------
    grid
        The charts of what was logged, a page of them.
    system_grid
        The charts of what was sampled of a script's processes.
    lens
        What the browser points at charts with.
    table
        Which metrics there are.
    figures
        Those for dashboards of one's own.
    is_on
        Whether anybody looks: charts are made only then.
    view, controls, zone
        What is to be drawn, how, and by whose clock.
    shows_system
        Whether the tab of what was sampled is open.
    """

    def __init__(
        self, mutex: threading.RLock, recorder: Recorder, run_id: str, catch_up: Callable[[], None] = lambda: None
    ) -> None:
        self._mutex = mutex
        self._catch_up = catch_up
        self._parts = Parts()
        self._number = 0
        self._sight = Sight()
        self._zooms = Zooms()
        self._closer = Closer(recorder, run_id)
        self._patience: threading.Timer | None = None
        classes = ("rw-charts", "rw-columns-2")
        self.grid = ChartGrid(self._parts, lambda place: self._reset("metrics", place), _dom_classes=classes)
        self.system_grid = ChartGrid(self._parts, lambda place: self._reset("system", place), _dom_classes=classes)
        self._grids: dict[GridId, ChartGrid] = {"metrics": self.grid, "system": self.system_grid}
        self.lens = LensPanel(self._on_lens)
        self.table = MetricTable()
        self.figures = Figures(mutex, self._parts, self._names, self._whole)
        self.is_on = False
        self.looked: threading.Event | None = None
        self.view = RunView()
        self.controls: MetricsControls = {**DEFAULT_CONTROLS}
        self.zone: tzinfo | None = None
        self.shows_system = False

    @property
    def is_hidden(self) -> bool:
        """Whether the display is nowhere to be seen, as in a tab of the browser behind another."""
        return self._sight.is_hidden

    def begin(self) -> None:
        """Make the charts, off the caller's thread: the table can be read before they are there."""
        self.is_on = True
        threading.Thread(target=for_this_viewer(self.draw), name="runwidgets-draw", daemon=True).start()

    def forget_views(self) -> None:
        """Forget what was seen of it: the last view is gone."""
        self._sight.forget()

    def control(self, controls: MetricsControls) -> None:
        """Take other controls, and show as many columns as they say."""
        if controls["linked"] and not self.controls["linked"]:
            self._zooms.link()
        elif self.controls["linked"] and not controls["linked"]:
            self._zooms.unlink()
        self.controls = controls
        wanted = ("rw-charts", f"rw-columns-{controls['columns']}")
        if self.grid._dom_classes != wanted:
            self.grid._dom_classes = wanted

    # ---- what the browser says

    def _on_lens(self, sent: object) -> None:
        with self._mutex:
            was_hidden = self._sight.is_hidden
            if self._sight.take(sent):
                if threading.current_thread() is threading.main_thread():
                    # Here messages wait for cells that run: who scrolls in the meantime is not to wait with them.
                    self._sight.give_up()
                if self._sight.is_hidden:
                    return
            elif (asked := zoom_request(sent)) is not None:
                self._zoom(asked.grid, asked.name, asked.chosen)
            else:
                return
        if was_hidden:
            self._catch_up()
        else:
            self.draw()

    def _reset(self, grid: GridId, place: int) -> None:
        with self._mutex:
            chart = self._grids[grid].card(place).chart
            if chart is not None:
                self._zoom(grid, chart.title, None)
        self.draw()

    def _zoom(self, grid: GridId, name: str, chosen: Range | None) -> None:
        metric = self.view.metrics.get(name)
        if metric is None:
            return
        if grid == "system":
            self._zooms.choose(name, "relative", chosen, linked=False)
            return
        x_axis = x_axis_of(metric, self.controls["x_axis"])
        self._zooms.choose(name, x_axis, chosen, linked=self.controls["linked"])

    # ---- drawing

    def draw(self) -> None:
        """Draw the charts that are seen, one after the other, so that the browser can paint between them."""
        with self._mutex:
            self._number += 1
            number = self._number
            to_draw = self._to_draw() if self.is_on and not self._sight.is_hidden else None
        if self.figures.are_used:
            self.figures.draw()
        if to_draw is None:
            return
        later = [found for found in to_draw if not self._draw_one(number, *found, may_make=False)]
        with self._mutex:
            if number != self._number:
                return  # something newer is being drawn
            for grid_id in GRIDS:
                if grid_id == "metrics" or self.shows_system:
                    self._grids[grid_id].show_first(sum(found[0] == grid_id for found in to_draw))
            self._wait_for_word()
        if any(self._sight.sees(grid_id, place) for grid_id, place, _ in later):
            self._parts.load()
        for found in later:
            self._draw_one(number, *found, may_make=True)
        with self._mutex:
            if number == self._number:
                self._show_lens()

    def _draw_one(self, number: int, grid_id: GridId, place: int, metric: MetricView, *, may_make: bool) -> bool:
        """Draw one chart if it is seen, and tell whether nothing is left to do for it.

        Parameters
        ----------
        number
            Of the drawing that it is a part of.
        grid_id, place, metric
            Which chart.
        may_make
            Whether a figure may be made; else only the heading is brought up to date where there is none.
        """
        with self._mutex:
            if number != self._number:
                return True
            card = self._grids[grid_id].card(place)
            from_, within, started_at = self._source(grid_id, metric)
            is_seen = self._sight.sees(grid_id, place)
            if _is_same(card.drawn_from, from_):
                return True
            if not is_seen and _is_same(card.headed_from, from_):
                return False
            controls, zone = self.controls, self.zone
        chart, title = self._chart(grid_id, metric, controls, started_at, within)
        with self._mutex:
            if number != self._number:
                return True
            if not is_seen or (card.figure is None and not may_make):
                card.head(chart, title)
                card.headed_from = from_
                return False
            changed = card.draw(chart, title, zone)
            card.drawn_from = from_
        if changed:
            time.sleep(_BETWEEN_CHARTS_SECONDS)
        return True

    def _source(self, grid_id: GridId, metric: MetricView) -> tuple[tuple[Any, ...], Range | None, float | None]:
        """Give all that a chart follows from, and of it the range of x and the start of the run."""
        controls, record = self.controls, self.view.record
        started_at = record.started_at if record else None
        if grid_id == "system":
            within = self._zooms.of(metric.name, "relative", linked=False)
            return (metric, within, started_at, self.zone), within, started_at
        x_axis = x_axis_of(metric, controls["x_axis"])
        within = self._zooms.of(metric.name, x_axis, linked=controls["linked"])
        how = (controls["smoothing"], controls["x_axis"], controls["y_scale"], controls["columns"] == 1)
        return (metric, within, started_at, self.zone, how), within, started_at

    def _chart(
        self,
        grid_id: GridId,
        metric: MetricView,
        controls: MetricsControls,
        started_at: float | None,
        within: Range | None,
    ) -> tuple[Chart, str]:
        x_axis = "relative" if grid_id == "system" else x_axis_of(metric, controls["x_axis"])
        with contextlib.suppress(StoreError):  # what is known is better than nothing
            metric = self._closer.metric(
                metric, x_axis, started_at, within,
                smooth=controls["smoothing"] > 0, is_wide=controls["columns"] == 1,
            )  # fmt: skip
        if grid_id == "system":
            return draw_gauge(metric, started_at, within)
        return draw(metric, controls, started_at, within), metric.name

    def _to_draw(self) -> list[tuple[GridId, int, MetricView]]:
        """List the charts that there are: a page of the metrics, and what was sampled while its tab is open."""
        names = self.table.charted(self.view, self.controls["filter"])
        page = min(self.controls["page"], max(0, (len(names) - 1) // PAGE_SIZE))
        metrics = [self.view.metrics[name] for name in names[page * PAGE_SIZE :][:PAGE_SIZE]]
        found: list[tuple[GridId, int, MetricView]] = [
            ("metrics", place, metric) for place, metric in enumerate(metrics)
        ]
        if self.shows_system:
            found += [("system", place, metric) for place, metric in enumerate(gauges(self.view))]
        return found

    def _show_lens(self) -> None:
        self.lens.show_state(
            {
                grid_id: [
                    lens_chart(card.chart, card.figure.model_id if card.figure is not None else None, card.drawn_x)
                    for card in _shown(self._grids[grid_id])
                    if card.chart is not None
                ]
                for grid_id in GRIDS
            }
        )

    def _wait_for_word(self) -> None:
        """Draw all charts after a while, if nobody has said until then which are seen."""
        if self._patience is None and not self._sight.is_known:
            self._patience = threading.Timer(_PATIENCE_SECONDS, self._lose_patience)
            self._patience.daemon = True
            self._patience.start()

    def _lose_patience(self) -> None:
        with self._mutex:
            self._patience = None
            if not self.is_on or self._sight.is_known:
                return
            self._sight.lose_patience()
        self.draw()

    # ---- figures for others

    def _names(self) -> list[str]:
        if self.looked is not None:
            self.looked.wait(_FIRST_LOOK_SECONDS)
        with self._mutex:
            return [*self.table.charted(self.view), *(metric.name for metric in gauges(self.view))]

    def _whole(self, name: str) -> tuple[Chart, tzinfo | None]:
        with self._mutex:
            metric, controls, zone = self.view.metrics[name], self.controls, self.zone
            started_at = self.view.record.started_at if self.view.record else None
        return self._chart("system" if metric.is_system else "metrics", metric, controls, started_at, None)[0], zone

    def stop(self) -> None:
        """Draw no more, under the lock."""
        self.is_on = False
        self._number += 1
        if self._patience is not None:
            self._patience.cancel()

    def close(self) -> None:
        """Close what the charts share; the grids go with their pages."""
        self.figures.close()
        self.lens.close()
        self._parts.close()


def _shown(grid: ChartGrid) -> list[ChartCard]:
    return grid.cards[: len(grid.children)]


def _is_same(drawn: tuple[Any, ...] | None, wanted: tuple[Any, ...]) -> bool:
    """Tell whether a chart would be the same. Views are values: what is the same metric has not changed."""
    return drawn is not None and drawn[0] is wanted[0] and drawn[1:] == wanted[1:]
