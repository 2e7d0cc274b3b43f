"""What a chart draws under the viewer's controls."""

import math

import numpy as np
import pytest

from runwidgets.records import MetricKind
from runwidgets.watch.lines import MAX_LINES, draw
from runwidgets.watch.ticks import date_ticks, log_ticks, tick_format, ticks
from runwidgets.watch.wire import DEFAULT_CONTROLS, heading_state
from tests.test_wire import START, metric, vector, view_of


def chart_of(change, **controls):
    (drawn,) = view_of(change).metrics.values()
    return draw(drawn, {**DEFAULT_CONTROLS, **controls}, START)


def test_a_vector_is_drawn_over_its_steps_and_over_its_index_where_it_has_none():
    values = [3.0, 2.0, 1.0]
    assert chart_of(vector("v", values, steps=[10, 20, 40])).lines[0].x.tolist() == [10, 20, 40]
    assert chart_of(vector("v", values)).lines[0].x.tolist() == [0, 1, 2]
    assert chart_of(vector("v", values, steps=[10, 20, 40]), x_axis="index").lines[0].x.tolist() == [0, 1, 2]


def test_time_counts_from_the_epoch_and_relative_time_from_the_start_of_the_run():
    values = [3.0, 2.0]
    wall = chart_of(vector("v", values), x_axis="time")
    assert wall.x_is_date
    assert wall.lines[0].x.tolist() == [START + 2, START + 3]
    assert chart_of(vector("v", values), x_axis="relative").lines[0].x.tolist() == [2, 3]


def test_steps_that_come_out_of_order_are_drawn_in_order():
    chart = chart_of(vector("v", [1.0, 3.0, 2.0, 4.0], steps=[1, 3, 2, 4]))
    assert chart.lines[0].x.tolist() == [1, 2, 3, 4]
    assert chart.lines[0].y.tolist() == [1, 2, 3, 4]


def test_two_numeric_columns_are_one_line_of_the_second_over_the_first_in_order_of_logging():
    chart = chart_of(metric("circle", {"x": [1.0, 0.0, -1.0], "y": [0.0, 1.0, 0.0]}, kind=MetricKind.TABLE))
    assert chart.subtitle == "y over x"
    assert [line.x.tolist() for line in chart.lines] == [[1, 0, -1]]


def test_more_columns_are_a_line_each_and_text_columns_none():
    columns = {"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5.0, 6.0], "word": ["x", "y"]}
    chart = chart_of(metric("t", columns, kind=MetricKind.TABLE))
    assert [line.label for line in chart.lines] == ["a", "b", "c"]
    assert [entry["label"] for entry in heading_state(chart, "t")["legend"]] == ["a", "b", "c"]


def test_a_table_of_very_many_columns_says_that_not_all_are_drawn():
    columns = {f"c{i}": [0.0, 1.0] for i in range(MAX_LINES + 3)}
    chart = chart_of(metric("t", columns, kind=MetricKind.TABLE))
    assert len(chart.lines) == MAX_LINES
    assert f"first {MAX_LINES} of {MAX_LINES + 3} columns" in chart.notes


def test_nan_is_a_gap_a_mark_and_a_note():
    chart = chart_of(vector("v", [1.0, math.nan, 3.0, math.inf]))
    assert np.isnan(chart.lines[0].y).tolist() == [False, True, False, True]
    assert chart.marks.tolist() == [1, 3]
    assert chart.notes == ("1 NaN", "1 Inf")


def test_a_log_axis_leaves_out_what_is_not_positive_and_says_so():
    chart = chart_of(vector("v", [0.0, 1.0, 100.0]), y_scale="log")
    assert chart.is_log
    assert np.isnan(chart.lines[0].y[0])
    assert "values ≤ 0 are not shown" in chart.notes


def test_a_log_axis_with_nothing_positive_stays_linear_and_says_so():
    chart = chart_of(vector("v", [0.0, -1.0]), y_scale="log")
    assert not chart.is_log
    assert "no values > 0: linear axis" in chart.notes


@pytest.mark.parametrize("y_scale", ["linear", "log"])
@pytest.mark.parametrize(
    "values", [[3.0, 3.0], [0.0, 0.0], [math.nan, math.nan], [5.0], [1e308, -1e308], [5e-324, 1e-320], [math.inf, 1.0]]
)
def test_axes_always_have_a_finite_range_that_is_not_empty(values, y_scale):
    chart = chart_of(vector("v", values, steps=list(range(len(values)))), y_scale=y_scale)
    for low, high in (chart.x_range, chart.y_range):
        assert math.isfinite(low)
        assert math.isfinite(high)
        assert low < high


def test_smoothing_of_a_constant_is_that_constant_from_the_first_value_on():
    chart = chart_of(vector("v", [2.0] * 50), smoothing=0.9)
    assert np.allclose(chart.lines[0].smooth, 2.0)


def test_smoothing_is_the_debiased_moving_average_and_steps_over_nan():
    chart = chart_of(vector("v", [1.0, math.nan, 3.0]), smoothing=0.5)
    first, second = 0.5 * 1, 0.5 * 0.5 * 1 + 0.5 * 3
    assert chart.lines[0].smooth[0] == pytest.approx(first / 0.5)
    assert np.isnan(chart.lines[0].smooth[1])
    assert chart.lines[0].smooth[2] == pytest.approx(second / 0.75)


def test_a_long_series_is_drawn_with_few_points_its_ends_and_its_extremes_among_them():
    values = np.sin(np.arange(100_000) / 9000)
    values[54_321] = 7.0
    line = chart_of(vector("v", values.tolist())).lines[0]
    assert len(line.x) < 2000
    assert (line.x[0], line.x[-1], line.y.max()) == (0, 99_999, 7.0)


def test_ticks_are_round_lie_within_the_range_and_are_about_as_many_as_asked():
    assert ticks(-0.06, 1.03, 4) == [0.0, 0.5, 1.0]
    assert ticks(0, 39, 5) == [0, 10, 20, 30]
    assert ticks(3288, 3435, 3) == [3300, 3350, 3400]
    assert ticks(0.99951, 0.999514, 3) == [0.99951, 0.999512, 0.999514]


def test_log_ticks_are_powers_of_ten_and_finer_where_there_is_no_room_for_those():
    assert log_ticks(0.5, 2e4, 3) == [1, 10, 100, 1000, 10_000]
    assert log_ticks(0.5, 2e6, 3) == [10, 1000, 100_000]
    assert log_ticks(2.0, 60.0, 3) == [2, 5, 10, 20, 50]
    assert log_ticks(3.1, 3.4, 3) == [3.1, 3.2, 3.3, 3.4]


def test_ticks_have_just_the_digits_that_tell_them_apart():
    assert tick_format([0.0, 0.5, 1.0]) == ".1~f"
    assert tick_format([0.99951, 0.999512]) == ".6~f"
    assert tick_format([0.0, 100_000.0, 200_000.0]) == ".1~s"
    assert tick_format([0.0, 1e-9, 2e-9]) == ".1~e"
    assert tick_format([3.0]) == ".4~g"


def test_a_range_in_which_only_one_round_number_lies_gets_finer_ticks():
    assert ticks(-8, 8, 3) == [-5, 0, 5]
    assert ticks(1e9, 1e9 + 1e-3, 3)[:2] == [1e9, 1e9 + 5e-4]


@pytest.mark.parametrize(
    ("low", "high", "expected", "form"),
    [
        (0, 0.004, [0, 0.001, 0.002, 0.003, 0.004], "%H:%M:%S.%L"),
        (3600, 3630, [3600, 3610, 3620, 3630], "%H:%M:%S"),
        (0, 7200, [0, 1800, 3600, 5400, 7200], "%H:%M"),
        (0, 3 * 86400, [0, 86400, 2 * 86400, 3 * 86400], "%-d %b"),
    ],
)
def test_times_of_day_are_round_and_are_written_as_finely_as_they_differ(low, high, expected, form):
    found, found_form = date_ticks(low, high, 4)
    assert found == pytest.approx(expected)
    assert found_form == form
