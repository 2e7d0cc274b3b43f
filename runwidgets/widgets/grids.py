"""Charts side by side, each made when there is something to draw in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

if TYPE_CHECKING:
    from runwidgets.widgets.charts import ChartCard, SharedParts


class Parts:
    """What the charts of one display share; bqplot is imported with the first of them."""

    def __init__(self) -> None:
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


class ChartGrid(ipywidgets.GridBox):
    """A grid of charts.

    Parameters
    ----------
    parts
        What its charts share with others.

    Attributes
    ----------
    cards
        All charts that were made, those that are not shown now among them.
    """

    def __init__(self, parts: Parts, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._parts = parts
        self.cards: list[ChartCard] = []

    def card(self, place: int) -> ChartCard:
        """Give the chart at a place, from 0."""
        from runwidgets.widgets.charts import ChartCard

        while len(self.cards) <= place:
            self.cards.append(ChartCard(self._parts.get()))
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
