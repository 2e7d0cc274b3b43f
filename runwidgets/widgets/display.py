"""What live displays have in common that look for themselves: showing, following while somebody sees it, closing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import ipywidgets

from runwidgets.watch.poller import poller
from runwidgets.widgets.frontend import has_front_end
from runwidgets.widgets.scripts import scripts
from runwidgets.widgets.still import Still

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runwidgets.watch.poller import Errand
    from runwidgets.widgets.panels import Panel
    from runwidgets.widgets.still import Picture


class Display(ipywidgets.VBox):
    """A column of panels over something that changes, with a static picture below it.

    Who derives from it makes what it looks at, then calls this, and at its end `_begin`.

    Parameters
    ----------
    panels
        From top to bottom; they are closed with the display.
    counted
        The one of them whose views are counted: it looks as long as one of them is there.
    seconds
        Time between looks.
    classes
        Names for the stylesheet.
    """

    _is_open = False

    def __init__(
        self, panels: Iterable[ipywidgets.Widget], counted: Panel, *, seconds: float, classes: tuple[str, ...] = ()
    ) -> None:
        self._mutex = threading.RLock()
        self._errand: Errand | None = None
        self._seconds = seconds
        self._counted = counted
        self._panels: tuple[Any, ...] = (*scripts(), *panels)
        self._still: Still[Any] = Still(self._draw_still)
        super().__init__(self._panels, _dom_classes=("runwidgets", *classes, self._still.live_class))
        counted.observe(self._on_views, "_view_count")

    # ---- what each of them is

    def _look(self) -> None:
        """Look, on any thread, and show what has changed."""
        raise NotImplementedError

    def _seen(self) -> Any:
        """Give what was seen last: another object if it has changed."""
        raise NotImplementedError

    def _draw_still(self, seen: Any) -> Picture:
        """Draw that without widgets."""
        raise NotImplementedError

    def _end(self) -> None:
        """Close what is no panel, under the lock."""

    # ---- showing

    def _begin(self) -> None:
        self._is_open = True

    def show(self) -> None:
        """Display it here; without a notebook, print it as text."""
        self._ipython_display_()
        if not has_front_end():
            self.close()

    def _ipython_display_(self) -> None:
        """Display the widget, and below it the picture that stands in for it where the notebook has no kernel."""
        from IPython.display import publish_display_data

        if not has_front_end():
            self._look()
            print(self._draw_still(self._seen()).text)  # noqa: T201 (a terminal is where it is shown)
            return
        if not self._is_open:
            publish_display_data(self._repr_mimebundle_())
            return
        # Empty, not left out: a reader that knows no widgets has to find something that it can show.
        publish_display_data({**self._repr_mimebundle_(), "text/html": "", "text/plain": ""})
        self._still.show(self._seen())

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if self._errand is None and self._is_open:
            self._look()
        picture = self._draw_still(self._seen())
        still = {"text/plain": picture.text, "text/html": picture.html}
        if not self._is_open:  # there is no model any more that a page could show
            return still
        self._follow()
        bundle = super()._repr_mimebundle_(**kwargs)
        (bundle[0] if isinstance(bundle, tuple) else bundle).update(still)
        return bundle

    def close(self) -> None:
        """Stop following; in place of the display stays a static picture of what it showed last."""
        if not self._is_open:  # ipywidgets closes what is collected: again, or what was refused half-built
            return
        with self._mutex:
            self._is_open = False
            self._pause()
            self._still.update(self._seen(), at_once=True)
            # Views that go away are counted, and the count of a model that is gone has no channel to be sent by.
            self._counted.unobserve(self._on_views, "_view_count")
            self._counted._view_count = None
            self._end()
            for panel in self._panels:
                panel.close()
        super().close()
        self.__dict__.pop("_repr_mimebundle_", None)  # ipywidgets puts None there, and IPython calls it

    # ---- following

    def _follow(self) -> None:
        with self._mutex:
            if self._errand is None and self._is_open:
                self._errand = poller().every(self._seconds, self._look)

    def _pause(self) -> None:
        if self._errand is not None:
            self._errand.cancel()
            self._errand = None

    def _on_views(self, change: Any) -> None:
        """Pause when the last view goes, go on when one comes back."""
        with self._mutex:
            if change["new"]:
                self._follow()
            else:
                self._pause()
