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
from runwidgets.watch.children import Children, is_about_children
from runwidgets.watch.feed import Feed
from runwidgets.watch.logs import Logs
from runwidgets.watch.poller import Look, check_seconds, poller
from runwidgets.watch.rows import RowPages
from runwidgets.watch.saving import save_html
from runwidgets.watch.sheets import Sheets
from runwidgets.watch.static import as_html, as_text
from runwidgets.watch.view import RunView
from runwidgets.watch.wire import TABS, checked_controls, header_state
from runwidgets.widgets.children import ChildrenPage
from runwidgets.widgets.drawing import Drawing
from runwidgets.widgets.evaluation import EvaluationPage
from runwidgets.widgets.filing import FilesPage
from runwidgets.widgets.following import LogsPage
from runwidgets.widgets.frontend import has_front_end
from runwidgets.widgets.gallery import ImagesPage
from runwidgets.widgets.pages import MetricsPage, Page
from runwidgets.widgets.panels import HeaderPanel
from runwidgets.widgets.particulars import DetailsPage
from runwidgets.widgets.scripts import scripts
from runwidgets.widgets.still import Picture, Still

if TYPE_CHECKING:
    import os

    from IPython.core.events import EventManager

    from runwidgets.watch.poller import Subscription
    from runwidgets.watch.wire import TabId
    from runwidgets.widgets.figures import Figures

_FIRST_LOOK_SECONDS: Final = 5.0
_LOOKS_AFTER_CANCEL: Final = 2
"""How many looks may miss that a run was canceled: one that was on its way, and the one after it."""
_PLACES: Final = {tab: place for place, (tab, _) in enumerate(TABS)}


class RunDetails(ipywidgets.VBox):
    """Shows a run live: status, progress, metrics, charts, child runs, images, logs.

    It follows the run by itself, also while a cell runs, until the run ends or the display is closed. As the last
    expression of a cell it displays itself; `show` does so anywhere. In a terminal, `show` prints the run as text.

    Below the display the notebook keeps a static picture of it, for whoever reads the notebook without its kernel. A
    display that is a part of another widget, such as a `Tab` of several, leaves none: it cannot know which output it
    stands in. Use `save_html` there.

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
        self._is_asked = False  # whether somebody in the browser waits for a look
        self._subscription: Subscription | None = None
        self._end_of_cell: EventManager | None = None
        self._log_files = Logs(run_instance.experiment.workspace._files, run_instance.id)
        self._onlooker = Onlooker(run_instance, self._log_files)
        self._still = Still(self._picture)
        self._scripts = scripts()
        self._header = HeaderPanel(_view_count=0)
        self._charts = Drawing(self._mutex, run_instance._recorder, run_instance.id, self._catch_up)
        self._charts.looked = self._looked
        self._logs = LogsPage(self._log_files, self._on_log)
        metrics = MetricsPage(RowPages(run_instance._recorder, run_instance.id), self._charts)
        pages = (
            metrics,
            ChildrenPage(
                Children(run_instance.experiment.workspace._folder),
                self._details_of,
                self._mutex,
                run_instance.experiment.workspace,
            ),
            ImagesPage(run_instance.experiment.workspace._files, run_instance.id),
            FilesPage(run_instance.experiment.workspace._files, run_instance.id),
            DetailsPage(run_instance, self._mutex),
            self._logs,
            Page("system", (self._charts.system_grid,)),
            EvaluationPage(Sheets(run_instance.experiment.workspace._files, run_instance.id)),
        )
        self._pages: dict[TabId, Page] = {page.tab: page for page in pages}
        panels = (*self._scripts, self._header, self._charts.lens, *pages)
        super().__init__(panels, _dom_classes=("runwidgets", self._still.live_class))
        self._header.on_msg(self._on_message)
        self._header.observe(self._on_views, "_view_count")
        self._header.observe(self._on_time_zone, "time_zone")
        self._header.observe(self._on_tab, "selected_index")
        metrics.panel.observe(self._on_controls, "controls")
        metrics.is_open = True
        self._is_open = True
        self._waits_for_words = self._was_turned = False
        self._follow()

    @property
    def figures(self) -> Figures:
        """The figures of the run's metrics, by name, for dashboards of one's own.

        Each is a `bqplot.Figure` that stays live, also for metrics that are not on the page of charts, and while the
        display itself is shown nowhere. It follows the display's controls, and is closed with it.

        Examples
        --------
        >>> details = RunDetails(run)  # doctest: +SKIP
        >>> ipywidgets.HBox([details.figures["loss"], details.figures["accuracy"]])  # doctest: +SKIP
        """
        return self._charts.figures

    # ---- showing

    def show(self) -> None:
        """Display the run here; without a notebook, print it as text."""
        self._ipython_display_()
        if not has_front_end():
            self.close()

    def save_html(self, path: str | os.PathLike[str]) -> str:
        """Write the run, as it is now, as one page to send to somebody; give its path.

        The page has the status, the metrics, all charts, child runs, images, tags, the end of the log and the names of
        the files. It needs no network and runs no script. Environment variables are never in it, paths of this machine
        are shortened to their ends, and what looks like a secret is hidden; other words are as they were logged, so
        read it before you send it. It has at most some 20 MB, and says what was left out.

        Parameters
        ----------
        path
            The file; one that is there is replaced.

        Raises
        ------
        UserError
            If the file cannot be written.
        StoreError
            If the store does not answer, and nothing is known of the run yet.
        """
        return save_html(self._run, path, self._view, self._charts.controls, self._charts.zone)

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
        publish_display_data({**self._live_bundle(), "text/html": "", "text/plain": ""})
        self._still.show(self._view)
        if self._end_of_cell is None:
            shell.events.register("post_run_cell", self._after_cell)
            self._end_of_cell = shell.events

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = self._live_bundle(**kwargs) if self._is_open else {}  # else no model that a page could show
        self._have_looked()
        picture = self._picture(self._view)
        return {**bundle, "text/plain": picture.text, "text/html": picture.html}

    def _live_bundle(self, **kwargs: Any) -> dict[str, Any]:
        """Give what shows the live display, and nothing in place of it: a picture takes time to draw."""
        self._have_looked()
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        self._charts.begin()
        return dict(bundle[0] if isinstance(bundle, tuple) else bundle)

    def _picture(self, view: RunView) -> Picture:
        now, log = time.time(), self._onlooker.log_lines(view)
        return Picture(as_html(view, now, log, self._beside), as_text(view, now, log, self._beside))

    def _have_looked(self) -> None:
        """Wait for the first look at the run; once nobody is to look any more, look here if nobody has."""
        if self._is_open:
            self._looked.wait(_FIRST_LOOK_SECONDS)
        elif self._view.record is None:
            feed = Feed(self._run._recorder, self._run.id)
            with contextlib.suppress(StoreError):  # of a store that does not answer is shown what is known: nothing
                feed.step()
            self._view = feed.view

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
            self._charts.stop()
            # Views that go away are counted, and the count of a model that is gone has no channel to be sent by.
            self._header.unobserve(self._on_views, "_view_count")
            self._header._view_count = None
            self._follow_log()
            for widget in (*self._scripts, self._header):
                widget.close()
            for page in self._pages.values():
                page.close()
            self._charts.close()
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
            is_first = self._view.record is None
            self._view = self._charts.view = look.view
            self._last_look = look
            self._look_beside()
            self._show_header()
            if self._is_to_open_children(look.view, is_first=is_first):
                self._open("children")
            elif is_first and is_script(look.view.record) and all(m.is_system for m in look.view.metrics.values()):
                self._open("logs")  # what there is to see of a script that has just begun
                self._waits_for_words = True
            elif self._waits_for_words:
                self._leave_silent_log(look.view)
            if look.changed:
                self._show_pages()
            self._logs.show(look.view)
            self._follow_log()
            self._still.update(look.view, at_once=look.view.status.is_final)
        self._looked.set()
        if look.changed:
            self._charts.draw()

    def _leave_silent_log(self, view: RunView) -> None:
        """Open what there is to see of a script that logs or has children, and prints nothing."""
        has_metrics = any(not metric.is_system for metric in view.metrics.values())
        if any(view.files[name].size for name in self._log_files.names if name in view.files):
            self._waits_for_words = False
        elif has_metrics or view.children:
            self._waits_for_words = False
            if self._logs.is_open:
                self._open("metrics" if has_metrics else "children")

    def _is_to_open_children(self, view: RunView, *, is_first: bool) -> bool:
        """Tell whether what there is to see is the child runs: at the first look, or as long as nothing else was."""
        return (is_first or (self._pages["metrics"].is_open and not self._was_turned)) and is_about_children(view)

    def _open(self, tab: TabId) -> None:
        """Open a tab, as a click on it does."""
        was_turned = self._was_turned
        self._header.selected_index = _PLACES[tab]
        self._was_turned = was_turned

    def _details_of(self, run_id: str) -> RunDetails:
        """Make the display of a child run."""
        return RunDetails(Run.get(self._run.experiment.workspace, run_id), self._seconds)

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

    def _catch_up(self) -> None:
        """Show what happened while nobody could see it."""
        with self._mutex:
            if self._is_open:
                self._show_pages()
        self._charts.draw()

    def _show_pages(self) -> None:
        if self._charts.is_hidden:
            return
        for page in self._pages.values():
            page.show(self._view)

    def _look_beside(self) -> None:
        """Look at what is no part of the view."""
        logs = self._log_files.find(self._view.files, self._view.properties)
        beside = replace(self._beside, log_count=len(logs), bar=self._onlooker.bar(self._view))
        if self._looks_to_go and beside.is_canceling:
            self._looks_to_go -= 1
            beside = replace(beside, is_canceling=self._looks_to_go > 0)
        self._beside = beside

    def _show_header(self) -> None:
        if (look := self._last_look) is not None:
            state = header_state(look.view, time.time(), look.next_at, look.trouble, self._beside)
            self._header.show_state(state, at_once=self._is_asked)
            self._is_asked = False

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

    def _on_tab(self, change: Any) -> None:
        with self._mutex:
            self._was_turned = True
            for page in self._pages.values():
                is_open = _PLACES[page.tab] == change["new"]
                if is_open is not page.is_open:
                    page.turn(self._view, is_open=is_open)
            self._charts.shows_system = self._pages["system"].is_open
            self._follow_log()
        if self._charts.shows_system:
            self._charts.draw()

    def _follow_log(self) -> None:
        self._logs.follow(goes_on=self._subscription is not None and not self._view.status.is_final)

    def _on_log(self) -> None:
        with self._mutex:
            if not self._logs.is_following:
                return
            if not self._log_files.names and self._log_files.find(self._view.files):  # the first line has been printed
                self._beside = replace(self._beside, log_count=len(self._log_files.names))
                self._show_header()
                self._logs.show(self._view)
            self._logs.panel.send_more()

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        kind = content.get("kind") if isinstance(content, dict) else None
        with self._mutex:
            if kind == "refresh" and self._subscription is not None:
                self._is_asked = True
                self._subscription.refresh()
            elif kind == "cancel" and not self._beside.is_canceling and not self._view.status.is_final:
                self._beside = replace(self._beside, is_canceling=True, cancel_trouble=None)
                self._looks_to_go = 0
                self._show_header()
                threading.Thread(target=self._cancel, name="runwidgets-cancel", daemon=True).start()

    def _on_views(self, change: Any) -> None:
        """Pause when the last view goes, go on when one comes back."""
        with self._mutex:
            if change["new"] == 0:
                self._charts.forget_views()
            if change["new"] == 0 and self._subscription is not None and not self._charts.figures.are_used:
                self._subscription.cancel()
                self._subscription = None
                self._follow_log()
            elif change["new"] and self._subscription is None and not self._view.status.is_final:
                self._follow()
            if change["new"] and not self._charts.is_on:  # as a part of another widget
                self._charts.begin()

    def _on_controls(self, change: Any) -> None:
        with self._mutex:
            self._charts.control(checked_controls(change["new"]))
            self._pages["metrics"].show(self._view)
        self._charts.draw()

    def _on_time_zone(self, change: Any) -> None:
        """Draw times as the clock beside the browser shows them; the kernel may be elsewhere."""
        with self._mutex:
            try:
                self._charts.zone = ZoneInfo(change["new"])
            except (OSError, ValueError, LookupError):  # unknown here, or no name at all
                self._charts.zone = None
            if self._charts.controls["x_axis"] != "time":
                return
        self._charts.draw()
