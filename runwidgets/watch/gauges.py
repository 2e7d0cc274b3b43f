"""The series that are sampled of a script's processes (``system/cpu_percent`` and the like) as charts with units."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runwidgets.watch.lines import draw
from runwidgets.watch.view import SYSTEM_PREFIX
from runwidgets.watch.wire import DEFAULT_CONTROLS

if TYPE_CHECKING:
    from runwidgets.watch.lines import Chart
    from runwidgets.watch.view import MetricView, RunView

_UNITS: Final = {"percent": "%", "mb": "MB", "gb": "GB", "celsius": "°C", "watts": "W"}
_WHOLE: Final = {"%": 100.0}
"""How high a chart of a unit is at least: of so much a share is one."""
_ROOM: Final = 0.02


def gauges(view: RunView) -> list[MetricView]:
    """Give the sampled series of a run that can be drawn, by name, with numbers in their order."""
    found = [
        metric for metric in view.metrics.values() if metric.is_system and any(c.count > 1 for c in metric.numeric)
    ]
    return sorted(found, key=lambda metric: [piece.zfill(9) for piece in re.findall(r"\d+|\D+", metric.name)])


def gauge_title(name: str) -> tuple[str, str | None]:
    """Give what a series shows and in which unit: ``GPU0`` and ``%`` for ``system/gpu0_percent``."""
    rest = name.removeprefix(SYSTEM_PREFIX)
    words, _, suffix = rest.rpartition("_")
    unit = _UNITS.get(suffix) if words else None
    title = (words if unit else rest).replace("_", " ")
    title = re.sub(r"\b(cpu|gpu|ram)(\d*)\b", lambda found: found[0].upper(), title)
    return title[:1].upper() + title[1:], unit


def draw_gauge(
    metric: MetricView, started_at: float | None, within: tuple[float, float] | None = None
) -> tuple[Chart, str]:
    """Draw a sampled series over the time since the run began, from zero on.

    Parameters
    ----------
    metric
        One of `gauges`.
    started_at
        When the run began, epoch seconds.
    within
        The range of seconds since then to draw; None for all.

    Returns
    -------
    chart, title
        Its subtitle is the unit.
    """
    title, unit = gauge_title(metric.name)
    chart = draw(metric, {**DEFAULT_CONTROLS, "x_axis": "relative"}, started_at, within)
    if within is not None:
        return replace(chart, subtitle=unit), title
    low, high = chart.y_range
    least = min((column.minimum or 0.0 for column in metric.numeric), default=0.0)
    top = max(high, _WHOLE.get(unit or "", high))
    bottom = low if least < 0 else -_ROOM * top  # a line along the edge would be half a line
    return replace(chart, subtitle=unit, y_range=(bottom, (1 + _ROOM) * top)), title
