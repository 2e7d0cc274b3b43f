"""`RunDetails`: the live display of one run."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import ipywidgets

from runwidgets.errors import ArgumentTypeError, StoreError
from runwidgets.records import RunStatus
from runwidgets.run import Run
from runwidgets.watch.beside import NOTHING_BESIDE, Onlooker, is_script
from runwidgets.watch.feed import Feed
from runwidgets.watch.gauges import draw_gauge, gauges
from runwidgets.watch.lines import charted, draw
from runwidgets.watch.logs import Logs
from runwidgets.watch.pictures import Pictures
from runwidgets.watch.poller import Look, check_seconds, poller
from runwidgets.watch.rows import RowPages
from runwidgets.watch.static import as_html, as_text
from runwidgets.watch.view import RunView
from runwidgets.watch.wire import (
    DEFAULT_CONTROLS,
    PAGE_SIZE,
    TABS,
    checked_controls,
    children_state,
    details_state,
    header_state,
    logs_state,
    metrics_state,
)
from runwidgets.widgets.frontend import has_front_end
from runwidgets.widgets.grids import ChartGrid, Parts
from runwidgets.widgets.panels import ChildrenPanel, DetailsPanel, HeaderPanel, ImagesPanel, LogsPanel, MetricsPanel
from runwidgets.widgets.still import Picture, Still

if TYPE_CHECKING:
    from datetime import tzinfo

    from IPython.core.events import EventManager

    from runwidgets.watch.poller import Errand, Subscription
    from runwidgets.watch.view import MetricView
    from runwidgets.watch.wire import MetricsControls

_FIRST_LOOK_SECONDS: Final = 5.0
_BETWEEN_CHARTS_SECONDS: Final = 0.008
_LOG_SECONDS: Final = 0.5
_LOOKS_AFTER_CANCEL: Final = 2
"""How many looks may miss that a run was canceled: one that was on its way, and the one after it."""
_LOGS_INDEX: Final = [name for name, _ in TABS].index("logs")
_METRICS_INDEX: Final = [name for name, _ in TABS].index("metrics")
_CHILDREN_INDEX: Final = [name for name, _ in TABS].index("children")
_SYSTEM_INDEX: Final = [name for name, _ in TABS].index("system")


class RunDetails(ipywidgets.VBox):
    """Shows a run live: status, progress, metrics, charts, child runs, images, logs.

    It follows the run by itself, also while a cell runs, until the run ends or the display is closed. As the last
    expression of a cell it displays itself; `show` does so anywhere. In a terminal, `show` prints the run as text.

    Parameters
    ----------
    run_instance
        The run to show.
    refresh_seconds
        Time between looks, at least 0.5; by default 10 to 15, at random. A change of status that this process makes is
        shown at once.

    Raises
    ------
    ArgumentTypeError
        If it is given something other than a run.
    UserError
        If ``refresh_seconds`` is too short.
    """

    _is_open = False

    def __init__(self, run_instance: Run, refresh_seconds: float | None = None) -> None:
        if not isinstance(run_instance, Run):
            raise ArgumentTypeError(f"RunDetails shows a Run, not a {type(run_instance).__name__}")
        check_seconds(refresh_seconds)
        self._run = run_instance
        self._seconds = refresh_seconds
        self._mutex = threading.RLock()
        self._looked = threading.Event()
        self._view = RunView()
        self._last_look: Look | None = None
        self._beside = NOTHING_BESIDE
        self._looks_to_go = 0
        self._controls: MetricsControls = {**DEFAULT_CONTROLS}
        self._subscription: Subscription | None = None
        self._is_displayed = False
        self._end_of_cell: EventManager | None = None
        self._zone: tzinfo | None = None
        self._drawing = 0
        self._log_files = Logs(run_instance.experiment.workspace._files, run_instance.id)
        self._onlooker = Onlooker(run_instance, self._log_files)
        self._still = Still(self._picture)
        self._pictures = Pictures(run_instance.experiment.workspace._files, run_instance.id)
        self._header = HeaderPanel(_view_count=0)
        self._metrics = MetricsPanel(RowPages(run_instance._recorder, run_instance.id))
        self._parts = Parts()
        self._grid = ChartGrid(self._parts, _dom_classes=("rw-charts", "rw-columns-2"))
        self._system_grid = ChartGrid(self._parts, _dom_classes=("rw-charts", "rw-columns-2"))
        self._children = ChildrenPanel()
        self._images = ImagesPanel()
        self._details = DetailsPanel()
        self._logs = LogsPanel(self._log_files)
        self._log_errand: Errand | None = None
        tabs = (
            ("metrics", (self._metrics, self._grid)),
            ("children", (self._children,)),
            ("images", (self._images,)),
            ("details", (self._details,)),
            ("logs", (self._logs,)),
            ("system", (self._system_grid,)),
        )
        self._tabs = [ipywidgets.VBox(panels, _dom_classes=("rw-page", f"rw-page-{name}")) for name, panels in tabs]
        super().__init__([self._header, *self._tabs], _dom_classes=("runwidgets", self._still.live_class))
        self._header.on_msg(self._on_message)
        self._header.observe(self._on_views, "_view_count")
        self._header.observe(self._on_time_zone, "time_zone")
        self._header.observe(self._on_tab, "selected_index")
        self._metrics.observe(self._on_controls, "controls")
        self._is_open = True
        self._waits_for_words = False
        self._follow()

    # ---- showing

    def show(self) -> None:
        """Display the run here; without a notebook, print it as text."""
        self._ipython_display_()
        if not has_front_end():
            self.close()

    def _ipython_display_(self) -> None:
        """Display the widget, and below it the picture that stands in for it where the notebook has no kernel."""
        from IPython.core.getipython import get_ipython
        from IPython.display import publish_display_data

        shell = get_ipython()
        if shell is None or not has_front_end():
            self._have_looked()
            print(self._picture(self._view).text)  # noqa: T201 (a terminal is where it is shown)
            return
        if not self._is_open:
            publish_display_data(self._repr_mimebundle_())
            return
        # Empty, not left out: a reader that knows no widgets has to find something that it can show.
        publish_display_data({**self._repr_mimebundle_(), "text/html": "", "text/plain": ""})
        self._still.show(self._view)
        if self._end_of_cell is None:
            shell.events.register("post_run_cell", self._after_cell)
            self._end_of_cell = shell.events

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        self._have_looked()
        picture = self._picture(self._view)
        still = {"text/plain": picture.text, "text/html": picture.html}
        if not self._is_open:  # there is no model any more that a page could show
            return still
        bundle = super()._repr_mimebundle_(**kwargs)
        (bundle[0] if isinstance(bundle, tuple) else bundle).update(still)
        self._begin_drawing()
        return bundle

    def _picture(self, view: RunView) -> Picture:
        now, log = time.time(), self._onlooker.log_lines(view)
        return Picture(as_html(view, now, log), as_text(view, now, log))

    def _have_looked(self) -> None:
        """Wait for the first look at the run; once nobody is to look any more, look here if nobody has."""
        if self._is_open:
            self._looked.wait(_FIRST_LOOK_SECONDS)
        elif self._view.record is None:
            feed = Feed(self._run._recorder, self._run.id)
            with contextlib.suppress(StoreError):  # of a store that does not answer is shown what is known: nothing
                feed.step()
            self._view = feed.view

    def _begin_drawing(self) -> None:
        """Make the charts, off the caller's thread: the table can be read before they are there."""
        self._is_displayed = True
        threading.Thread(target=self._draw, name="runwidgets-draw", daemon=True).start()

    def __repr__(self) -> str:
        status = self._view.status.value if self._view.record else self._run.status
        return f"RunDetails({self._run.id!r}, {status})"

    def close(self) -> None:
        """Stop following the run; in place of the display stays a static picture of what it showed last."""
        if not self._is_open:  # ipywidgets closes what is collected: again, or what was refused half-built
            return
        self._is_open = False
        self._hear_no_more()
        with self._mutex:
            self._still.update(self._view, at_once=True)
            if self._subscription is not None:
                self._subscription.cancel()
                self._subscription = None
            self._is_displayed = False
            self._drawing += 1
            # Views that go away are counted, and the count of a model that is gone has no channel to be sent by.
            self._header.unobserve(self._on_views, "_view_count")
            self._header._view_count = None
            self._follow_log()
            panels = [
                self._header, self._metrics, self._grid, self._children, self._images, self._details, self._logs,
                self._system_grid,
            ]  # fmt: skip
            for widget in (*panels, *self._tabs):
                widget.close()
            self._parts.close()
        super().close()
        self.__dict__.pop("_repr_mimebundle_", None)  # ipywidgets puts None there, and IPython calls it

    # ---- following

    def _follow(self) -> None:
        self._subscription = poller().subscribe(self._run._recorder, self._run.id, self._seconds, self._on_look)
        self._follow_log()

    def _on_look(self, look: Look) -> None:
        queue = self._onlooker.queue(look.view)
        with self._mutex:
            if not self._is_open:
                return
            self._beside = replace(self._beside, queue=queue)
            is_first, self._view, self._last_look = self._view.record is None, look.view, look
            self._look_beside()
            self._show_header()
            if is_first and is_script(look.view.record) and all(m.is_system for m in look.view.metrics.values()):
                self._header.selected_index = _LOGS_INDEX  # what there is to see of a script that has just begun
                self._waits_for_words = True
            elif self._waits_for_words:
                self._leave_silent_log(look.view)
            if look.changed:
                self._show_panels()
            self._show_logs()
            self._follow_log()
            self._still.update(look.view, at_once=look.view.status.is_final)
        self._looked.set()
        if look.changed:
            self._draw()

    def _leave_silent_log(self, view: RunView) -> None:
        """Open what there is to see of a script that logs or has children, and prints nothing."""
        has_metrics = any(not metric.is_system for metric in view.metrics.values())
        if any(view.files[name].size for name in self._log_files.names if name in view.files):
            self._waits_for_words = False
        elif has_metrics or view.children:
            self._waits_for_words = False
            if self._header.selected_index == _LOGS_INDEX:
                self._header.selected_index = _METRICS_INDEX if has_metrics else _CHILDREN_INDEX

    def _after_cell(self, _result: object) -> None:
        """See the end of a run to which the cell put one: what executes notebooks hears nothing after the last cell."""
        for _ in range(2):  # a look that was on its way may have missed it, the next does not
            with self._mutex:  # until the look that saw it has been shown
                if self._view.status.is_final:
                    self._hear_no_more()
                    return
            if not RunStatus(self._run.status).is_final:
                return
            self._looked.clear()
            if (subscription := self._subscription) is None:
                self._follow()
            else:
                subscription.refresh()
            self._looked.wait(_FIRST_LOOK_SECONDS)

    def _hear_no_more(self) -> None:
        if self._end_of_cell is not None:
            self._end_of_cell.unregister("post_run_cell", self._after_cell)
            self._end_of_cell = None

    def _show_panels(self) -> None:
        view = self._view
        self._metrics.show_state(metrics_state(view, self._controls))
        if view.children:
            self._children.show_state(children_state(view, time.time()))
        gallery, data = self._pictures.gallery(view)
        if data.keys() != self._images.data.keys():
            self._images.data = data
        self._images.show_state(gallery)
        self._details.show_state(details_state(view))

    def _look_beside(self) -> None:
        """Look at what is no part of the view."""
        logs = self._log_files.find(self._view.files)
        beside = replace(self._beside, log_count=len(logs), bar=self._onlooker.bar(self._view))
        if self._looks_to_go and beside.is_canceling:
            self._looks_to_go -= 1
            beside = replace(beside, is_canceling=self._looks_to_go > 0)
        self._beside = beside

    def _show_header(self) -> None:
        if (look := self._last_look) is not None:
            self._header.show_state(header_state(look.view, time.time(), look.next_at, look.trouble, self._beside))

    def _cancel(self) -> None:
        """Cancel the run, on a thread of its own: the browser's messages do not wait for it."""
        trouble = None
        try:
            self._run.cancel()
        except Exception as error:  # noqa: BLE001 (whatever it is, who asked for it is told)
            trouble = str(error) or type(error).__name__
        with self._mutex:
            self._beside = replace(self._beside, is_canceling=trouble is None, cancel_trouble=trouble)
            self._looks_to_go = _LOOKS_AFTER_CANCEL
            if self._is_open:
                self._show_header()
            if self._subscription is not None:
                self._subscription.refresh()

    def _show_logs(self) -> None:
        is_open = self._header.selected_index == _LOGS_INDEX
        self._logs.show_state(logs_state(self._log_files.names, is_open=is_open))

    def _on_tab(self, change: Any) -> None:
        with self._mutex:
            self._show_logs()
            self._follow_log()
        if change["new"] == _SYSTEM_INDEX:
            self._draw()

    def _follow_log(self) -> None:
        """Look at the log more often than at the run while its tab is open: a look at a file costs next to nothing."""
        with self._mutex:
            goes_on = self._subscription is not None and not self._view.status.is_final
            if goes_on and self._logs.state["is_open"]:
                if self._log_errand is None:
                    self._log_errand = poller().every(_LOG_SECONDS, self._on_log)
            elif self._log_errand is not None:
                self._log_errand.cancel()
                self._log_errand = None
                self._logs.send_more()  # what came since, the last words of a run among it

    def _on_log(self) -> None:
        with self._mutex:
            if self._log_errand is None:
                return
            if not self._log_files.names and self._log_files.find(self._view.files):  # the first line has been printed
                self._beside = replace(self._beside, log_count=len(self._log_files.names))
                self._show_header()
                self._show_logs()
            self._logs.send_more()

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        kind = content.get("kind") if isinstance(content, dict) else None
        with self._mutex:
            if kind == "refresh" and self._subscription is not None:
                self._subscription.refresh()
            elif kind == "cancel" and not self._beside.is_canceling and not self._view.status.is_final:
                self._beside = replace(self._beside, is_canceling=True, cancel_trouble=None)
                self._looks_to_go = 0
                self._show_header()
                threading.Thread(target=self._cancel, name="runwidgets-cancel", daemon=True).start()

    def _on_views(self, change: Any) -> None:
        """Pause when the last view goes, go on when one comes back."""
        with self._mutex:
            if change["new"] == 0 and self._subscription is not None:
                self._subscription.cancel()
                self._subscription = None
                self._follow_log()
            elif change["new"] and self._subscription is None and not self._view.status.is_final:
                self._follow()
            if change["new"] and not self._is_displayed:  # as a part of another widget
                self._begin_drawing()

    def _on_controls(self, change: Any) -> None:
        with self._mutex:
            self._controls = checked_controls(change["new"])
            self._metrics.show_state(metrics_state(self._view, self._controls))
            wanted = ("rw-charts", f"rw-columns-{self._controls['columns']}")
            if self._grid._dom_classes != wanted:
                self._grid._dom_classes = wanted
        self._draw()

    def _on_time_zone(self, change: Any) -> None:
        """Draw times as the clock beside the browser shows them; the kernel may be elsewhere."""
        with self._mutex:
            try:
                self._zone = ZoneInfo(change["new"])
            except (OSError, ValueError, LookupError):  # unknown here, or no name at all
                self._zone = None
            if self._controls["x_axis"] != "time":
                return
        self._draw()

    # ---- charts

    def _draw(self) -> None:
        """Draw the page of charts, one after the other, so that the browser can paint between them."""
        with self._mutex:
            if not self._is_displayed:
                return
            self._drawing += 1
            drawing = self._drawing
            view, controls, zone = self._view, self._controls, self._zone
            to_draw = self._to_draw(view, controls)
        if to_draw:
            self._parts.load()
        started_at = view.record.started_at if view.record else None
        counts = dict.fromkeys((self._grid, *(grid for grid, _ in to_draw)), 0)
        for grid, metric in to_draw:
            if metric.is_system:
                chart, title = draw_gauge(metric, started_at)
            else:
                chart, title = draw(metric, controls, started_at), metric.name
            with self._mutex:
                if drawing != self._drawing:
                    return  # something newer is being drawn
                grid.card(counts[grid]).show(chart, title, zone)
            counts[grid] += 1
            time.sleep(_BETWEEN_CHARTS_SECONDS)
        with self._mutex:
            if drawing == self._drawing:
                for grid, count in counts.items():
                    grid.show_first(count)

    def _to_draw(self, view: RunView, controls: MetricsControls) -> list[tuple[ChartGrid, MetricView]]:
        """List the charts that can be seen: a page of the metrics, and what was sampled while its tab is open."""
        names = charted(view, controls["filter"])
        page = min(controls["page"], max(0, (len(names) - 1) // PAGE_SIZE))
        logged = [(self._grid, view.metrics[name]) for name in names[page * PAGE_SIZE :][:PAGE_SIZE]]
        if self._header.selected_index != _SYSTEM_INDEX:
            return logged
        return [*logged, *((self._system_grid, metric) for metric in gauges(view))]
