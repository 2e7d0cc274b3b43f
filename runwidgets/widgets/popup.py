"""The display of one run over the table that it is a row of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ipywidgets
import traitlets as t

from runwidgets.widgets.panels import Panel
from runwidgets.widgets.scripts import inside_display, part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LONGEST_NAME: Final = 200


class PopupBar(Panel):
    """The bar above a run in a pop-up: its name, the runs before and after it in the table, and a cross.

    Parameters
    ----------
    on_close
        Called when somebody has closed the pop-up.
    """

    _esm = part("popup")

    def __init__(self, on_close: Callable[[], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._on_close = on_close
        self.on_msg(self._on_message)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return {"run_id": "", "run_name": "", "trouble": None}

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        if isinstance(content, dict) and content.get("kind") == "close":
            self._on_close()


class Popup:
    """A place over the children of a box for the display of one run at a time.

    Its methods are to be called under the lock of the display that the box is a part of.

    Parameters
    ----------
    home
        The box.
    make
        Makes the display of a run, given its id. What it raises is told in the pop-up.
    on_close
        Called when somebody has closed the pop-up in the browser; it has to call `close`.
    """

    def __init__(
        self, home: ipywidgets.Box, make: Callable[[str], ipywidgets.Widget], on_close: Callable[[], None]
    ) -> None:
        self._home = home
        self._make = make
        self._on_close = on_close
        self._bar: PopupBar | None = None
        self._box: ipywidgets.VBox | None = None
        self._display: ipywidgets.Widget | None = None
        self.run_id: str | None = None
        """The run that is shown; None while there is no pop-up."""

    def open(self, run_id: str, name: str) -> None:
        """Show a run, in place of the one that is shown.

        Parameters
        ----------
        run_id
            Its id.
        name
            What it is called in the bar.
        """
        if run_id == self.run_id:
            return
        before, self._display = self._display, None
        trouble = None
        try:
            with inside_display():
                self._display = self._make(run_id)
        except Exception as error:  # noqa: BLE001 (whatever it is, who asked for the run is told)
            trouble = str(error) or type(error).__name__
        self.run_id = run_id
        if self._bar is None or self._box is None:
            self._bar = PopupBar(self._on_close)
            self._box = ipywidgets.VBox(_dom_classes=("rw-popup",))
        self._bar.show_state({"run_id": run_id, "run_name": name[:_LONGEST_NAME], "trouble": trouble})
        self._box.children = (self._bar, *([self._display] if self._display else ()))
        if self._box not in self._home.children:
            self._home.children = (*self._home.children, self._box)
        if before is not None:
            _close_all(before)

    def close(self) -> None:
        """Close the pop-up, with the display in it; nothing of it is left."""
        box, bar, display = self._box, self._bar, self._display
        self._box = self._bar = self._display = self.run_id = None
        if box is not None and self._home.comm is not None:
            self._home.children = tuple(child for child in self._home.children if child is not box)
        for widget in (bar, display, box):
            if widget is not None:
                _close_all(widget)


def _close_all(widget: ipywidgets.Widget) -> None:
    """Close a widget and the layouts of all that is in it, which ipywidgets keeps for ever."""
    layouts = list(_layouts_in(widget))
    widget.close()
    for layout in layouts:
        layout.close()


def _layouts_in(widget: Any) -> Iterator[ipywidgets.Widget]:
    for child in getattr(widget, "children", ()):
        yield from _layouts_in(child)
    if (layout := getattr(widget, "layout", None)) is not None:
        yield layout
