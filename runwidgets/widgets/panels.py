"""The panels of a display: anywidgets whose browser side is in ``js/src``, one module for each class here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anywidget
import traitlets as t

from runwidgets.errors import StoreError
from runwidgets.watch.board import board_state
from runwidgets.watch.evaluation import evaluation_state
from runwidgets.watch.facts import details_state
from runwidgets.watch.view import RunView
from runwidgets.watch.wire import (
    DEFAULT_CONTROLS,
    DEFAULT_LOGS_CONTROLS,
    header_state,
    logs_state,
    metrics_state,
)

if TYPE_CHECKING:
    from runwidgets.watch.logs import Logs
    from runwidgets.watch.rows import RowPages
    from runwidgets.watch.sheets import Sheets

_STATIC: Final = Path(__file__).parent.parent / "static"


def _built(name: str) -> str:
    """Read a built file.

    Raises
    ------
    StoreError
        If the browser's side was not built: a checkout that was never installed.
    """
    try:
        return (_STATIC / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StoreError(
            f"{_STATIC / name} is missing: the JavaScript of this checkout is not built. "
            "Run `pip install -e .` in it (that needs Node.js)"
        ) from None


class Panel(anywidget.AnyWidget):
    """A panel that shows one ``state``, which only Python sets."""

    _css = _built("runwidgets.css")

    state = t.Dict().tag(sync=True)
    """What is shown: the wire state of the panel's name; by default that of a run of which nothing is known yet."""

    def open(self) -> None:
        """Open the channel to the browser, such that its messages are heard while a cell runs."""
        super().open()
        if self.comm is not None and hasattr(self.comm, "_reply_subshell_for"):
            # JupyterLab sends comm messages to a subshell, so that they need not wait for a cell. From 7.4 on ipykernel
            # sends them on to the shell that last published on the comm, which is the cell's. Now they go where sent.
            self.comm._reply_subshell_for = None

    def show_state(self, state: Any) -> None:
        """Send a state, unless it is the one that is shown."""
        if state != self.state:
            self.state = state


class HeaderPanel(Panel):
    """Status, names, elapsed time, progress, errors, and the strip of tabs."""

    _esm = _built("header.js")

    selected_index = t.Int(0).tag(sync=True)
    """Which tab is open, by its place; default 0. Set by the browser."""

    time_zone = t.Unicode("").tag(sync=True)
    """The IANA name of the zone of who looks at it, as ``Asia/Tokyo``; default empty. Set by the browser."""

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return header_state(RunView(), 0.0, None, None)


class MetricsPanel(Panel):
    """The controls of the charts, the table of metrics, and the rows of one of them.

    Parameters
    ----------
    rows
        Where the rows come from that the browser asks for.
    """

    _esm = _built("metrics.js")

    controls = t.Dict(dict(DEFAULT_CONTROLS)).tag(sync=True)
    """Filter, smoothing, axes, columns and page; default `DEFAULT_CONTROLS`. Set by the browser."""

    def __init__(self, rows: RowPages, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._rows = rows
        self.on_msg(self._on_message)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return metrics_state(RunView(), DEFAULT_CONTROLS)

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        answer = self._rows.answer(content)
        if answer is not None:
            self.send(answer)


class ChartHeading(anywidget.AnyWidget):
    """The line of text above one chart."""

    _esm = _built("heading.js")

    state: Any = t.Dict({"title": "", "subtitle": None, "last": None, "last_digits": 0, "legend": [], "notes": []}).tag(
        sync=True
    )
    """Title, subtitle, last value, legend and notes; by default empty."""


class ImagesPanel(Panel):
    """The gallery of images."""

    _esm = _built("images.js")

    data = t.Dict().tag(sync=True)
    """The bytes of the images by path; default ``{}``."""

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return {"images": [], "total": 0}


class DetailsPanel(Panel):
    """Facts, tags, properties and files."""

    _esm = _built("details.js")

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return details_state(RunView())


class LogsPanel(Panel):
    """One of the run's logs, as a terminal would show it; it follows the log as long as its tab is open.

    Parameters
    ----------
    logs
        Where the parts come from that the browser asks for.
    """

    _esm = _built("logs.js")

    controls = t.Dict(dict(DEFAULT_LOGS_CONTROLS)).tag(sync=True)
    """Which log, and whether its lines are wrapped; default `DEFAULT_LOGS_CONTROLS`. Set by the browser."""

    def __init__(self, logs: Logs, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._logs = logs
        self.on_msg(self._on_message)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return logs_state([], is_open=False)

    def send_more(self) -> None:
        """Send what is new in the log that is shown."""
        names: list[str] = self.state["logs"]
        chosen = self.controls.get("name")
        name = chosen if isinstance(chosen, str) and chosen in names else next(iter(names), None)
        if name is not None and (found := self._logs.more(name)) is not None:
            self.send(found[0], [found[1]])

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        answer = self._logs.answer(content)
        if answer is not None:
            self.send(answer[0], [answer[1]])


class EvaluationPanel(Panel):
    """Confusion matrices, curves of classifiers, residuals and predictions; each is asked for when it comes into sight.

    Parameters
    ----------
    sheets
        Where the figures come from that the browser asks for.
    """

    _esm = _built("evaluation.js")

    def __init__(self, sheets: Sheets, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._sheets = sheets
        self.on_msg(self._on_message)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return evaluation_state(RunView())

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        answer = self._sheets.answer(content)
        if answer is not None:
            self.send(answer)


class BoardPanel(Panel):
    """Compute targets: which runs have their slots, and which wait."""

    _esm = _built("board.js")

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return board_state([], 0.0)
