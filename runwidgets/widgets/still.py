"""The picture of a run that stands in for its display where a notebook is read without its kernel."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from runwidgets.watch.static import as_html, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runwidgets.watch.view import RunView

_SECONDS: Final = 10.0
"""Least time between two pictures of a run that goes on: each makes the notebook one that is not saved."""

# While a display is there, or is on its way, its picture is not; and where it cannot come any more, JupyterLab's
# sentence about that is not. JupyterLab marks that sentence, and nothing else at this place, with `jupyter-widgets`.
_STYLE: Final = """
<style>
body:has(.rw-live-{key}) .jp-OutputArea-child:has(.rw-still-{key}),
body:has(.rw-live-{key}) .rw-still-{key},
.jp-OutputArea-child:has(> .lm-Panel.jp-OutputArea-output:not(.jupyter-widgets, .lm-mod-hidden))
  + .jp-OutputArea-child:has(.rw-still-{key}),
.jp-OutputArea-child:has(> .lm-Panel.jupyter-widgets):has(+ .jp-OutputArea-child .rw-still-{key}) {{ display: none }}
</style>
"""


class Still:
    """The static picture of one run, as an output of its own below the live display.

    Notebooks save what their outputs said last. To give a live display anew would be to draw it anew, so what is to be
    read without a kernel is another output, which the page hides as long as the display is there.

    Parameters
    ----------
    log
        Gives the lines at the end of the log of a run.

    Attributes
    ----------
    live_class
        What the root of the display has to have among its DOM classes.
    """

    def __init__(self, log: Callable[[RunView], Sequence[str]]) -> None:
        self._log = log
        self._key = secrets.token_hex(6)
        self._is_shown = False
        self._drawn: RunView | None = None
        self._drawn_at = 0.0
        self.live_class = f"rw-live-{self._key}"

    def show(self, view: RunView) -> None:
        """Put the picture below what is displayed just now."""
        from IPython.display import publish_display_data

        publish_display_data(self._bundle(view), transient={"display_id": self._key})
        self._is_shown = True

    def update(self, view: RunView, *, at_once: bool = False) -> None:
        """Draw the picture anew if it is out of date: now and then, or at once if asked or if the run has ended."""
        if not self._is_shown or view is self._drawn:
            return
        if not (at_once or view.status.is_final) and time.monotonic() - self._drawn_at < _SECONDS:
            return
        from IPython.display import publish_display_data

        publish_display_data(self._bundle(view), transient={"display_id": self._key}, update=True)

    def _bundle(self, view: RunView) -> dict[str, Any]:
        self._drawn, self._drawn_at = view, time.monotonic()
        now, log = time.time(), self._log(view)
        style = _STYLE.format(key=self._key).strip()
        html = f'<div class="rw-still-{self._key}">{style}{as_html(view, now, log)}</div>'
        return {"text/html": html, "text/plain": as_text(view, now, log)}
