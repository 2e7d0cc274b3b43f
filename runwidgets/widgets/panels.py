"""The panels of a display: anywidgets whose browser side is in ``js/src``, one module for each class here."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, cast

import anywidget
import traitlets as t

from runwidgets.watch.board import board_state
from runwidgets.watch.downloads import Downloads
from runwidgets.watch.evaluation import evaluation_state
from runwidgets.watch.foresight import is_foreseen
from runwidgets.watch.requests import Desk
from runwidgets.watch.table import patch_between
from runwidgets.watch.view import RunView
from runwidgets.watch.wire import (
    DEFAULT_CONTROLS,
    DEFAULT_LOGS_CONTROLS,
    header_state,
    logs_state,
    metrics_state,
)
from runwidgets.widgets.scripts import part

if TYPE_CHECKING:
    from collections.abc import Callable

    from runwidgets.watch.logs import Logs
    from runwidgets.watch.rows import RowPages
    from runwidgets.watch.sheets import Sheets
    from runwidgets.watch.wire import HeaderState, MetricsState


_FROM_BROWSER: Final = ("controls", "selected_index", "time_zone")


class Panel(anywidget.AnyWidget):
    """A panel that shows one ``state``, which only Python sets."""

    state = t.Dict().tag(sync=True)
    """What is shown: the wire state of the panel's name; by default that of a run of which nothing is known yet."""

    browser_traits = t.List(t.Unicode()).tag(sync=True)
    """Names of the traits that the browser sets; default: all of these that it has. The rest is Python's."""

    @t.default("browser_traits")
    def _its_own(self) -> list[str]:
        return [name for name in _FROM_BROWSER if self.has_trait(name)]

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


class AskingPanel(Panel):
    """A panel whose requests are answered: at once, or on a thread of their own where that may take long.

    Parameters
    ----------
    desk
        What answers.
    """

    def __init__(self, desk: Desk, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._desk = desk
        self.on_msg(self._on_request)

    def _on_request(self, _widget: object, content: object, _buffers: object) -> None:
        if self._desk.is_slow(content):
            threading.Thread(target=self._answer, args=(content,), name="runwidgets-answer", daemon=True).start()
        else:
            self._answer(content)

    def _answer(self, content: object) -> None:
        answer = self._desk.answer(content)
        if answer is not None:  # one that is closed meanwhile has no channel, and sends nothing
            self.send(answer.message, [answer.data])


class HeaderPanel(Panel):
    """Status, names, elapsed time, progress, errors, and the strip of tabs."""

    _esm = part("header")

    selected_index = t.Int(0).tag(sync=True)
    """Which tab is open, by its place; default 0. Set by the browser."""

    time_zone = t.Unicode("").tag(sync=True)
    """The IANA name of the zone of who looks at it, as ``Asia/Tokyo``; default empty. Set by the browser."""

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return header_state(RunView(), 0.0, None, None)

    def show_state(self, state: Any, *, at_once: bool = False) -> None:
        """Send a state, unless the browser can tell it from the one that is shown, and nobody waits for an answer."""
        if at_once or not is_foreseen(cast("HeaderState", self.state), state):
            super().show_state(state)


class MetricsPanel(AskingPanel):
    """The controls of the charts, the table of metrics, and the rows of one of them.

    Parameters
    ----------
    rows
        Where the rows come from that the browser asks for.
    """

    _esm = part("metrics")

    controls = t.Dict(dict(DEFAULT_CONTROLS)).tag(sync=True)
    """Filter, smoothing, axes, columns and page; default `DEFAULT_CONTROLS`. Set by the browser."""

    def __init__(self, rows: RowPages, **kwargs: Any) -> None:
        self._is_patching = False
        self._downloads = Downloads({"metric": rows.offer})
        slow = frozenset({"download"})
        super().__init__(Desk({"rows": rows.answer, "download": self._downloads.answer}, slow), **kwargs)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return metrics_state(RunView(), DEFAULT_CONTROLS)

    def show_state(self, state: Any) -> None:
        """Send what is new in a state: the rows that changed, or all where there are others than before."""
        state = {**state, "version": self.state["version"]}
        if state == self.state:
            return
        state["version"] += 1
        patch = patch_between(cast("MetricsState", self.state), state)
        self._is_patching = patch is not None
        self.state = state
        self._is_patching = False
        if patch is not None:
            self.send(patch)

    def _should_send_property(self, key: str, value: Any) -> bool:
        return not (key == "state" and self._is_patching) and bool(super()._should_send_property(key, value))

    def _on_request(self, widget: object, content: object, buffers: object) -> None:
        if isinstance(content, dict) and content.get("kind") == "whole":  # a patch did not fit what was there
            self.send_state("state")
        else:
            super()._on_request(widget, content, buffers)

    def close(self) -> None:
        """Close the channel; downloads that are under way are given up."""
        self._downloads.close()
        super().close()


class ChartHeading(Panel):
    """The line of text above one chart.

    Parameters
    ----------
    reset
        Called when the whole of the chart is to be seen again.
    """

    _esm = part("heading")

    def __init__(self, reset: Callable[[], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._reset = reset
        self.on_msg(self._on_message)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return {
            "title": "", "subtitle": None, "last": None, "last_digits": 0, "legend": [], "notes": [], "is_zoomed": False
        }  # fmt: skip

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        if isinstance(content, dict) and content.get("kind") == "reset":
            self._reset()


class LensPanel(Panel):
    """What the pointer does on charts: it reads values, and chooses a part to look at more closely.

    Parameters
    ----------
    take
        Called with what the browser sends.
    """

    _esm = part("lens")

    def __init__(self, take: Callable[[object], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._take = take
        self.on_msg(self._on_message)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return {"metrics": [], "system": []}

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        self._take(content)


class LogsPanel(Panel):
    """One of the run's logs, as a terminal would show it; it follows the log as long as its tab is open.

    Parameters
    ----------
    logs
        Where the parts come from that the browser asks for.
    """

    _esm = part("logs")

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

    _esm = part("evaluation")

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

    _esm = part("board")

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return board_state([], 0.0)
