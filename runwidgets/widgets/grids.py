"""Charts side by side: a heading for each, and below it a figure that is made when it comes into sight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from runwidgets.watch.wire import heading_state
from runwidgets.widgets.panels import ChartHeading

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    import bqplot as bq

    from runwidgets.watch.lines import Chart
    from runwidgets.widgets.charts import ChartFigure, SharedParts


class Parts:
    """What the charts of one display share; bqplot is imported with the first of them."""

    def __init__(self) -> None:
        self.heading_layout = ipywidgets.Layout()
        self.card_layout = ipywidgets.Layout()
        self._shared: SharedParts | None = None

    @staticmethod
    def load() -> None:
        """Import what draws them, which takes a second: before a lock is held that others wait for."""
        from runwidgets.widgets import charts as _  # noqa: F401

    def get(self) -> SharedParts:
        """Give the parts, made at the first call."""
        from runwidgets.widgets.charts import SharedParts

        if self._shared is None:
            self._shared = SharedParts()
        return self._shared

    def close(self) -> None:
        """Close what was made."""
        if self._shared is not None:
            self._shared.close()
        self.heading_layout.close()
        self.card_layout.close()


class ChartCard(ipywidgets.VBox):
    """One chart: a heading and a figure that are given new content in place.

    Parameters
    ----------
    parts
        What it shares with others.
    place
        Where it stands in its grid, from 0.
    reset
        Called when the whole of it is to be seen again.

    Attributes
    ----------
    chart
        What it is to show; None before the first.
    drawn_from, headed_from
        What its figure, and what its heading, were last made from, for who draws.
    """

    def __init__(self, parts: Parts, place: int, reset: Callable[[], None]) -> None:
        self._parts = parts
        self._made: ChartFigure | None = None
        self.chart: Chart | None = None
        self.drawn_from: tuple[Any, ...] | None = None
        self.headed_from: tuple[Any, ...] | None = None
        self.heading = ChartHeading(reset, layout=parts.heading_layout)
        super().__init__(
            (self.heading,), layout=parts.card_layout, _dom_classes=("rw-chart", f"rw-place-{place}")
        )  # fmt: skip

    @property
    def figure(self) -> bq.Figure | None:
        """The figure; None as long as it has not been drawn."""
        return None if self._made is None else self._made.figure

    @property
    def drawn_x(self) -> tuple[float, float]:
        """The range of x in the numbers of the figure."""
        return (0.0, 1.0) if self._made is None else self._made.drawn_x

    def head(self, chart: Chart, title: str) -> None:
        """Take a chart, and say in the heading what it is. A figure of another metric is taken away."""
        if self.chart is not None and self.chart.title != chart.title and len(self.children) > 1:
            self.children: tuple[Any, ...] = (self.heading,)
        self.drawn_from = None
        self.chart = chart
        self.heading.show_state(heading_state(chart, title))

    def draw(self, chart: Chart, title: str, zone: tzinfo | None) -> bool:
        """Show a chart, and tell whether anything changed in its figure."""
        is_new = self._made is None
        if self._made is None:
            from runwidgets.widgets.charts import ChartFigure

            shared = self._parts.get()
            self._made = ChartFigure(shared, shared.figure_layout)
        self.chart = chart
        self.heading.show_state(heading_state(chart, title))
        changed = self._made.show(chart, zone)
        if len(self.children) == 1:
            self.children = (self.heading, self._made.figure)
        return changed or is_new

    def close(self) -> None:
        """Close every model of this card."""
        if getattr(self, "_made", None) is not None:
            self._made.close()  # type: ignore[union-attr]
        if hasattr(self, "heading"):  # ipywidgets closes also what was never finished
            self.heading.close()
        super().close()


class ChartGrid(ipywidgets.GridBox):
    """A grid of charts.

    Parameters
    ----------
    parts
        What its charts share with others.
    reset
        Called with the place of a chart of which the whole is to be seen again.

    Attributes
    ----------
    cards
        All charts that were made, those that are not shown now among them.
    """

    def __init__(self, parts: Parts, reset: Callable[[int], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._parts = parts
        self._reset = reset
        self.cards: list[ChartCard] = []

    def card(self, place: int) -> ChartCard:
        """Give the chart at a place, from 0."""
        while len(self.cards) <= place:
            at = len(self.cards)
            self.cards.append(ChartCard(self._parts, at, lambda at=at: self._reset(at)))  # type: ignore[misc]
        return self.cards[place]

    def show_first(self, count: int) -> None:
        """Show so many charts."""
        shown = tuple(self.cards[:count])
        if self.children != shown:
            self.children: tuple[Any, ...] = shown

    def close(self) -> None:
        """Close the grid and its charts."""
        for card in getattr(self, "cards", ()):  # ipywidgets closes also what was never finished
            card.close()
        super().close()
