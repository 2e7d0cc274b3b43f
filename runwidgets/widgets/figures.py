"""The figures of a run's metrics for dashboards of one's own."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from runwidgets.errors import UserError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from datetime import tzinfo

    import bqplot as bq

    from runwidgets.watch.lines import Chart
    from runwidgets.widgets.charts import ChartFigure
    from runwidgets.widgets.grids import Parts

_MAX_CLOSE: Final = 3


class Figures(Mapping[str, Any]):
    """The live figures of a run's metrics, by name: those that have a chart, also where that is not on the page shown.

    A figure is a `bqplot.Figure` with a title, made when it is first asked for. It can be put into boxes of one's own,
    and follows the run and the controls of the display, but for the page and the zoom, also while the display itself is
    shown nowhere. It is closed with the display.

    Parameters
    ----------
    mutex
        The display's lock.
    parts
        What its figures share with others.
    names
        Gives the metrics that have a chart, in order, once the run has been looked at.
    draw
        Gives the chart of one, and by whose clock its times are written.
    """

    def __init__(
        self,
        mutex: threading.RLock,
        parts: Parts,
        names: Callable[[], list[str]],
        draw: Callable[[str], tuple[Chart, tzinfo | None]],
    ) -> None:
        self._mutex = mutex
        self._parts = parts
        self._names = names
        self._draw = draw
        self._made: dict[str, ChartFigure] = {}
        self._layouts: list[ipywidgets.Layout] = []
        self._is_closed = False

    @property
    def are_used(self) -> bool:
        """Whether anybody has asked for one: then the run is followed."""
        return bool(self._made)

    def __getitem__(self, name: str) -> bq.Figure:
        if name not in self._made:
            names = self._names()
            if name not in names:
                raise KeyError(_unknown(name, names))
            self._parts.load()
            chart, zone = self._draw(name)
            with self._mutex:
                if self._is_closed:
                    raise UserError("the display is closed, and its figures with it: make a new RunDetails(run)")
                if name not in self._made:
                    self._made[name] = self._make()
                    self._made[name].show(chart, zone)
        return self._made[name].figure

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def __repr__(self) -> str:
        return f"<figures of {', '.join(map(repr, self._names())) or 'no metrics yet'}>"

    def _make(self) -> ChartFigure:
        from runwidgets.widgets.charts import ChartFigure

        self._layouts.append(ipywidgets.Layout(width="auto", height="240px", min_width="0"))
        return ChartFigure(self._parts.get(), self._layouts[-1], titled=True)

    def draw(self) -> None:
        """Bring those that were asked for up to date."""
        for name in tuple(self._made):
            chart, zone = self._draw(name)
            with self._mutex:
                if self._is_closed:
                    return
                self._made[name].show(chart, zone)

    def close(self) -> None:
        """Close those that were made."""
        self._is_closed = True
        for figure in self._made.values():
            figure.close()
        for layout in self._layouts:
            layout.close()
        self._made.clear()


def _unknown(name: object, names: list[str]) -> str:
    close = difflib.get_close_matches(str(name), names, _MAX_CLOSE)
    if close:
        return f"no chart of {name!r}; did you mean {' or '.join(map(repr, close))}?"
    return f"no chart of {name!r}: a metric has one from its second value on" + (
        f"; there are {', '.join(map(repr, names[:_MAX_CLOSE]))}{' …' * (len(names) > _MAX_CLOSE)}" if names else ""
    )
