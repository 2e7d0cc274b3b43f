"""The overlay of one metric of many runs, as a panel."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import traitlets as t

from runwidgets.errors import StoreError
from runwidgets.watch.overlay import (
    DEFAULT_OVERLAY_CONTROLS,
    Overlay,
    checked_overlay_controls,
    nothing_overlaid,
    packed,
)
from runwidgets.widgets.panels import Panel
from runwidgets.widgets.scripts import part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runwidgets.watch.dossiers import Dossiers
    from runwidgets.watch.roster import Member


class OverlayPanel(Panel):
    """One metric of many runs in one plot.

    Points go to the browser as messages, each with a number, that hold only what is new. The trait ``lines`` has all of
    them for whoever opens the display later, and is not sent when it changes.

    Parameters
    ----------
    dossiers
        What is known of the runs.
    """

    _esm = part("overlay")

    names: Any = t.List().tag(sync=True)
    """The metrics to choose from; default ``[]``."""

    lines = t.Dict({"sequence": 0, "items": [], "data": b""}).tag(sync=True)
    """All points: ``sequence`` is the number of the last message, ``items`` says whose they are, ``data`` has them."""

    controls = t.Dict(dict(DEFAULT_OVERLAY_CONTROLS)).tag(sync=True)
    """Metric, grouping, axes and smoothing; default `DEFAULT_OVERLAY_CONTROLS`. Set by the browser."""

    def __init__(self, dossiers: Dossiers, **kwargs: Any) -> None:
        self._overlay = Overlay(dossiers)
        self._members: Sequence[Member] = ()
        self._sent: dict[str, Any] = {}
        self._sequence = 0
        self._mutex = threading.RLock()
        super().__init__(**kwargs)
        self.observe(self._on_controls, "controls")
        self.on_msg(self._on_message)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return nothing_overlaid()

    def _should_send_property(self, key: str, value: Any) -> bool:
        return key != "lines" and bool(super()._should_send_property(key, value))

    @property
    def points(self) -> dict[str, Any]:
        """The points that are shown, by line, as `watch.overlay` has them."""
        return self._sent

    def follow(self, members: Sequence[Member]) -> None:
        """Show these runs, with all that is new of them."""
        with self._mutex:
            self._members = members
            self._look()

    def _look(self) -> None:
        try:
            state, names, lines = self._overlay.look(self._members, checked_overlay_controls(self.controls))
        except StoreError as error:
            self.show_state({**self.state, "trouble": str(error)})
            return
        if names != self.names:
            self.names = names
        # Lines without points are drawn as nothing, points without a line not at all: first these, then the lines.
        self._show_lines(lines)
        self.show_state(state)

    def _show_lines(self, lines: dict[str, Any]) -> None:
        items, data = packed(lines, self._sent)
        is_old = list(lines) == list(self._sent) and not any(
            item["add"] or item["keep"] < self._sent[item["id"]].shape[1] for item in items
        )
        if is_old:
            return
        self._sent = lines
        self._sequence += 1
        whole, everything = packed(lines, {})
        self.lines = {"sequence": self._sequence, "items": whole, "data": everything}
        self.send({"kind": "lines", "sequence": self._sequence, "items": items}, [data])

    def _on_controls(self, change: Any) -> None:
        before, now = (checked_overlay_controls(change[which]) for which in ("old", "new"))
        if any(before[key] != now[key] for key in ("metric", "group_by", "x_axis")):  # the rest is the browser's alone
            with self._mutex:
                self._look()

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        if isinstance(content, dict) and content.get("kind") == "have":
            with self._mutex:
                if content.get("sequence") != self._sequence:  # it has missed a message
                    self.send_state("lines")
