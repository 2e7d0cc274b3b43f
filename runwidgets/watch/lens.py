"""What the browser needs to know of the charts for pointing at them, and what it says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict, get_args

import numpy as np

from runwidgets.watch.wire import PAGE_SIZE
from runwidgets.watch.zoom import checked_range

if TYPE_CHECKING:
    from runwidgets.watch.lines import Chart
    from runwidgets.watch.zoom import Range

GridId = Literal["metrics", "system"]
GRIDS: Final[tuple[GridId, ...]] = get_args(GridId)
MAX_PLACES: Final = 1000
_MAX_VIEWS: Final = 16
_MAX_ID: Final = 64


class LensChart(TypedDict):
    """``LensChart``."""

    name: str
    labels: list[str]
    figure: str | None
    x: tuple[float, float]
    drawn_x: tuple[float, float] | None
    y: tuple[float, float]
    is_log: bool
    x_label: str
    x_is_date: bool
    is_curve: bool
    is_zoomed: bool


class LensState(TypedDict):
    """``LensState``."""

    metrics: list[LensChart]
    system: list[LensChart]


def lens_chart(chart: Chart, figure: str | None, drawn_x: Range) -> LensChart:
    """Give what the browser needs to know of one chart.

    Parameters
    ----------
    chart
        The chart.
    figure
        The id of the model that draws it; None as long as it is not drawn.
    drawn_x
        Its range of x in the numbers that the figure has.
    """
    low, high = chart.x_range
    labels = [line.label for line in chart.lines if np.isfinite(line.y).any()]
    return {
        "name": chart.title,
        "labels": labels if len(labels) > 1 else [],
        "figure": figure,
        "x": (low * chart.x_unit, high * chart.x_unit),
        "drawn_x": drawn_x if chart.x_is_date or chart.x_unit != 1 else None,
        "y": chart.y_range,
        "is_log": chart.is_log,
        "x_label": chart.x_label,
        "x_is_date": chart.x_is_date,
        "is_curve": chart.x_axis == "over",
        "is_zoomed": chart.is_zoomed,
    }


@dataclass(frozen=True)
class ZoomRequest:
    """A range of x that was chosen on a chart; None for the whole."""

    grid: GridId
    place: int
    name: str
    chosen: Range | None


def zoom_request(sent: Any) -> ZoomRequest | None:
    """Take what a browser sent; None if it asks for no zoom."""
    if not isinstance(sent, dict) or sent.get("kind") != "zoom" or sent.get("grid") not in GRIDS:
        return None
    name, place = sent.get("name"), sent.get("place")
    if not isinstance(name, str) or type(place) is not int or not 0 <= place < MAX_PLACES:
        return None
    if sent.get("low") is None and sent.get("high") is None:
        return ZoomRequest(sent["grid"], place, name, None)
    chosen = checked_range(sent.get("low"), sent.get("high"))
    return None if chosen is None else ZoomRequest(sent["grid"], place, name, chosen)


@dataclass
class _View:
    is_hidden: bool = False
    places: dict[GridId, frozenset[int]] = field(default_factory=dict)


class Sight:
    """What can be seen of the charts, as the views in the browser tell.

    Until one has said so, what is seen is guessed: the first charts, and after a while (see `lose_patience`) all.
    """

    def __init__(self) -> None:
        self._views: dict[str, _View] = {}
        self._sees_all = False
        self._is_late = False

    @property
    def is_known(self) -> bool:
        """Whether nothing has to be guessed any more."""
        return bool(self._views) or self._sees_all

    @property
    def is_hidden(self) -> bool:
        """Whether each view is in a tab of the browser, or in a window, that nobody sees."""
        return bool(self._views) and all(view.is_hidden for view in self._views.values())

    def give_up(self) -> None:
        """Take all charts to be seen, from now on: who tells is not heard in time."""
        self._sees_all = True

    def lose_patience(self) -> None:
        """Take all charts to be seen until a view tells."""
        self._is_late = True

    def forget(self) -> None:
        """Forget the views: there is none any more."""
        self._views.clear()

    def sees(self, grid: GridId, place: int) -> bool:
        """Tell whether a chart is seen."""
        if self._sees_all:
            return True
        if not self._views:
            return self._is_late or place < PAGE_SIZE // 3
        return any(place in view.places.get(grid, ()) for view in self._views.values())

    def take(self, sent: Any) -> bool:
        """Take what a view has sent, and tell whether it was of this."""
        if not isinstance(sent, dict) or sent.get("kind") not in {"sight", "gone"}:
            return False
        key = sent.get("view")
        if not isinstance(key, str) or len(key) > _MAX_ID:
            return False
        if sent["kind"] == "gone":
            self._views.pop(key, None)
            return True
        view = self._views.pop(key, None) or _View()
        view.is_hidden = sent.get("is_hidden") is True
        for grid in GRIDS:
            places = sent.get(grid)
            if isinstance(places, list):
                found = (place for place in places[:MAX_PLACES] if type(place) is int)
                view.places[grid] = frozenset(place for place in found if 0 <= place < MAX_PLACES)
        self._views[key] = view
        while len(self._views) > _MAX_VIEWS:  # of pages that were reloaded nobody says that they are gone
            self._views.pop(next(iter(self._views)))
        return True
