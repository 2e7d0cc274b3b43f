"""Charts as SVG: every value has its place, gaps stay gaps, and no chart is large."""

import math
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from runwidgets.records import MetricKind
from runwidgets.watch.lines import draw
from runwidgets.watch.svg import HEIGHT, MAX_POINTS, WIDTH, _date, _path, chart_svg
from runwidgets.watch.wire import DEFAULT_CONTROLS
from tests.test_wire import START, metric, vector, view_of


def drawn(change, **controls):
    view = view_of(change)
    [name] = view.metrics
    return chart_svg(draw(view.metrics[name], {**DEFAULT_CONTROLS, **controls}, START), name)


def tree(svg):
    return ET.fromstring(svg)  # noqa: S314 (our own)


def parts(svg, attribute, value):
    """Give the data of the paths that have this attribute."""
    return [path.get("d") for path in tree(svg).iter("path") if (path.get(attribute) or "").startswith(value)]


def lines(svg):
    return [path for path in parts(svg, "stroke", "var(--rw-series") if "l" in path]


def test_a_line_begins_and_ends_at_the_places_of_its_first_and_last_value():
    [path] = lines(drawn(vector("loss", [1.0, 3.0, 2.0])))
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", path)]
    x, y = numbers[0] + numbers[2] + numbers[4], numbers[1] + numbers[3] + numbers[5]
    assert numbers[0] < 60
    assert WIDTH - 30 < x < WIDTH
    assert 0 < y < numbers[1] < HEIGHT, "2 is above 1"
    assert numbers[1] + numbers[3] < y, "3 is above 2"


def test_a_value_that_is_missing_is_a_gap_with_a_mark_and_a_lone_point_is_a_dot():
    svg = drawn(vector("loss", [1.0, 2.0, math.nan, 3.0, math.inf, -math.inf]))
    [path] = lines(svg)
    assert path.count("M") == 1
    assert path.count("l") == 1
    [dots] = [path for path in parts(svg, "stroke", "var(--rw-series") if "l" not in path]
    assert dots.count("h0") == 3
    assert len(parts(svg, "fill", "var(--rw-warn")) == 3


@pytest.mark.parametrize(
    "values",
    [[math.nan] * 3, [0.5] * 3, [5.0], [0.0, 0.0], [1e300, -1e300, 5e-324], [1e-320, 2e-320], [-1.0, -2.0], [math.inf]],
)
@pytest.mark.parametrize("y_scale", ["linear", "log"])
@pytest.mark.parametrize("x_axis", ["step", "time", "relative"])
def test_any_values_give_a_picture_with_finite_numbers_alone(values, y_scale, x_axis):
    svg = drawn(vector("m", values, steps=list(range(len(values)))), y_scale=y_scale, x_axis=x_axis)
    tree(svg)
    assert "nan" not in svg.replace("NaN", "")
    assert "inf" not in svg


def test_many_points_keep_their_ends_and_extremes_and_the_picture_stays_small():
    rng = np.random.default_rng(0)
    table = {f"c{c}": rng.normal(size=3000).tolist() for c in range(12)}
    table["c0"][1777] = 99.0
    svg = drawn(metric("m", table, kind=MetricKind.TABLE))
    assert len(svg) < 60_000
    assert sum(path.count("l") for path in lines(svg)) <= MAX_POINTS
    view = view_of(vector("m", table["c0"]))
    small = chart_svg(draw(view.metrics["m"], DEFAULT_CONTROLS, START), "m", max_points=200)
    [path] = lines(small)
    heights = np.cumsum([float(n) for n in re.findall(r"[Ml]-?[\d.]+ ?(-?[\d.]+)", path)])
    assert abs(heights.min() - 16.6) < 1.5, "the outlier reaches the top"
    assert path.count("l") <= 200


def test_rounding_does_not_add_up_along_a_line():
    x = np.linspace(0, 100.04, 2000)
    path, _ = _path(x, x)
    numbers = [float(n) for n in re.findall(r"-?\d*\.?\d+", path)]
    assert sum(numbers[::2]) == pytest.approx(100.0, abs=0.06)


def test_a_name_cannot_leave_its_attribute():
    svg = drawn(vector('"><script>alert(1)</script>', [1.0, 2.0]))
    assert {element.tag for element in tree(svg).iter()} == {"svg", "g", "path", "text"}


@pytest.mark.parametrize(
    ("form", "words"),
    [("%H:%M:%S.%L", "01:02:03.450"), ("%-d %b %H:%M", "2 Jan 01:02"), ("%-d %b", "2 Jan"), ("%b %Y", "Jan 1970")],
)
def test_times_are_written_as_the_browser_would(form, words):
    assert _date(86400 + 3723.45, form) == words


def test_texts_of_an_axis_do_not_run_into_each_other():
    svg = drawn(vector("m", [1.0, 2.0], steps=[10_000_000_000, 10_000_000_001]))
    texts = [t for t in tree(svg).iter("text") if t.get("y") == str(HEIGHT - 19)]
    places = [(float(t.get("x")), len(t.text) * 3.1) for t in texts]
    assert all(a + wide <= b - other for (a, wide), (b, other) in pairwise(places))
