"""What is sampled of a script, as charts."""

import math

import pytest

from runwidgets.watch.gauges import draw_gauge, gauge_title, gauges
from runwidgets.watch.lines import charted
from tests.test_wire import START, vector, view_of


@pytest.mark.parametrize(
    ("name", "title", "unit"),
    [
        ("system/cpu_percent", "CPU", "%"),
        ("system/memory_mb", "Memory", "MB"),
        ("system/disk_read_mb", "Disk read", "MB"),
        ("system/gpu0_percent", "GPU0", "%"),
        ("system/gpu0_memory_gb", "GPU0 memory", "GB"),
        ("system/gpu1_celsius", "GPU1", "°C"),
        ("system/gpu1_watts", "GPU1", "W"),
        ("system/open_files", "Open files", None),
        ("system/percent", "Percent", None),
        ("system/", "", None),
    ],
)
def test_a_series_is_named_for_what_it_shows_with_its_unit(name, title, unit):
    assert gauge_title(name) == (title, unit)


def test_series_that_are_sampled_are_among_the_gauges_and_not_among_the_charts():
    names = ["loss", "system/gpu10_percent", "system/gpu9_percent", "systemic", "system/cpu_percent"]
    view = view_of(*(vector(name, [1.0, 2.0]) for name in names), vector("system/word", ["a", "b"]))
    assert charted(view) == ["loss", "systemic"]
    assert [metric.name for metric in gauges(view)] == [
        "system/cpu_percent", "system/gpu9_percent", "system/gpu10_percent",
    ]  # fmt: skip


def test_a_gauge_begins_at_zero_and_a_share_has_the_height_of_all():
    view = view_of(
        vector("system/cpu_percent", [3.0, 4.0]),
        vector("system/gpu_percent", [150.0, 160.0]),
        vector("system/memory_mb", [500.0, 512.0]),
        vector("system/cpu_celsius", [-4.0, 3.0]),
        vector("system/nan_mb", [math.nan, math.nan]),
    )
    ranges = {name: draw_gauge(metric, START)[0].y_range for name, metric in view.metrics.items()}
    assert ranges["system/cpu_percent"] == (-2, 102)
    assert -4 < ranges["system/gpu_percent"][0] < 0
    assert ranges["system/gpu_percent"][1] >= 160
    assert -20 < ranges["system/memory_mb"][0] < 0
    assert 512 < ranges["system/memory_mb"][1] < 600
    assert ranges["system/cpu_celsius"][0] < -4
    assert ranges["system/nan_mb"] == (-0.02, 1.02)


def test_a_gauge_is_drawn_over_the_time_since_the_start():
    chart, title = draw_gauge(view_of(vector("system/cpu_percent", [3.0, 4.0])).metrics["system/cpu_percent"], START)
    assert (title, chart.subtitle, chart.x_label) == ("CPU", "%", "seconds since the start")
    assert chart.lines[0].x.tolist() == [2.0, 3.0]
