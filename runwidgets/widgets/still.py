"""The picture that stands in for a live display where a notebook is read without its kernel."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS: Final = 60.0
"""Least time between two pictures of what goes on: each makes the notebook one that is not saved, and is some 25 kB."""

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


_View = TypeVar("_View")


class Picture(NamedTuple):
    """One thing in both forms."""

    html: str
    text: str


class Still(Generic[_View]):
    """The static picture of what a display shows, as an output of its own below it.

    Notebooks save what their outputs said last. To give a live display anew would be to draw it anew, so what is to be
    read without a kernel is another output, which the page hides as long as the display is there.

    Parameters
    ----------
    draw
        Draws a view; one that was drawn is not drawn again.

    Attributes
    ----------
    live_class
        What the root of the display has to have among its DOM classes.
    """

    def __init__(self, draw: Callable[[_View], Picture]) -> None:
        self._draw = draw
        self._key = secrets.token_hex(6)
        self._is_shown = False
        self._drawn: _View | None = None
        self._drawn_at = 0.0
        self.live_class = f"rw-live-{self._key}"

    def show(self, view: _View) -> None:
        """Put the picture below what is displayed just now."""
        from IPython.display import publish_display_data

        publish_display_data(self._bundle(view), transient={"display_id": self._key})
        self._is_shown = True

    def update(self, view: _View, *, at_once: bool = False) -> None:
        """Draw the picture anew if it is out of date: now and then, or at once if asked."""
        if not self._is_shown or view is self._drawn:
            return
        if not at_once and time.monotonic() - self._drawn_at < _SECONDS:
            return
        from IPython.display import publish_display_data

        publish_display_data(self._bundle(view), transient={"display_id": self._key}, update=True)

    def _bundle(self, view: _View) -> dict[str, Any]:
        self._drawn, self._drawn_at = view, time.monotonic()
        picture = self._draw(view)
        style = _STYLE.format(key=self._key).strip()
        html = f'<div class="rw-still-{self._key}">{style}{picture.html}</div>'
        return {"text/html": html, "text/plain": picture.text}
