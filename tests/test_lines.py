"""What a chart draws under the viewer's controls."""

import math

import numpy as np
import pytest

from runwidgets.records import MetricKind
from runwidgets.watch.lines import MAX_LINES, draw
from runwidgets.watch.ticks import browser_key, date_ticks, log_tick_texts, log_ticks, tick_texts, ticks
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
    assert f"⚠ first {MAX_LINES} of {MAX_LINES + 3} columns" in chart.notes


def test_nan_is_a_gap_a_mark_and_a_note():
    chart = chart_of(vector("v", [1.0, math.nan, 3.0, math.inf]))
    assert np.isnan(chart.lines[0].y).tolist() == [False, True, False, True]
    assert [x.tolist() for x in chart.marks] == [[1], [3], []]
    assert chart.notes == ("◆ 1 NaN", "▲ 1 +Inf")


def test_the_infinities_are_told_apart_also_where_a_long_series_is_thinned():
    chart = chart_of(vector("v", [-math.inf, 1.0, math.inf, math.inf, 2.0]))
    assert [x.tolist() for x in chart.marks] == [[], [2, 3], [0]]
    assert chart.notes == ("▲ 2 +Inf", "▼ 1 \N{MINUS SIGN}Inf")
    several = chart_of(vector("v", [1.0, math.inf, math.inf, -math.inf] * 2000))
    assert several.notes == ("▲▼ 6000 ±Inf",)
    one_kind = chart_of(vector("v", [1.0, math.inf] * 4000))
    assert one_kind.notes == ("▲ 4000 +Inf",)


def test_marks_that_would_overlap_are_one_and_those_at_the_end_are_there():
    chart = chart_of(vector("v", [math.nan] * 5000 + [1.0]))
    assert len(chart.marks.nan) < 200
    assert chart.marks.nan.max() > 4900


def test_a_log_axis_leaves_out_what_is_not_positive_and_says_so():
    chart = chart_of(vector("v", [0.0, 1.0, 100.0]), y_scale="log")
    assert chart.is_log
    assert np.isnan(chart.lines[0].y[0])
    assert "⚠ values ≤ 0 are not shown" in chart.notes


def test_a_log_axis_with_nothing_positive_stays_linear_and_says_so():
    chart = chart_of(vector("v", [0.0, -1.0]), y_scale="log")
    assert not chart.is_log
    assert "⚠ no values > 0: linear axis" in chart.notes


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
    assert len(line.x) < 4000
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


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.0, 0.5, 1.0], ["0", "0.5", "1"]),
        ([-40.0, -20.0, 0.0], ["\N{MINUS SIGN}40", "\N{MINUS SIGN}20", "0"]),
        ([0.99951, 0.999512], ["0.99951", "0.999512"]),
        ([0.0, 100_000.0, 200_000.0], ["0", "100k", "200k"]),
        ([9900.0, 10_000.0, 10_100.0], ["9.9k", "10k", "10.1k"]),
        ([123_456.0, 123_457.0], ["123\u202f456", "123\u202f457"]),
        ([0.0, 1e-9, 2e-9], ["0", "1e\N{MINUS SIGN}9", "2e\N{MINUS SIGN}9"]),
        ([0.0, 5e272, 1e273], ["0", "5e272", "1e273"]),
        ([3.0], ["3"]),
        ([0.0], ["0"]),
        ([], []),
    ],
)
def test_ticks_have_just_the_digits_that_tell_them_apart(values, texts):
    assert tick_texts(values) == texts


def test_ticks_close_together_far_from_zero_are_written_as_what_they_are_more_than_the_first():
    assert tick_texts([1e9, 1e9 + 0.02, 1e9 + 0.04]) == ["1G", "+0.02", "+0.04"]
    assert tick_texts([1.5e9, 1.5e9 + 20, 1.5e9 + 40]) == ["1.5G", "+20", "+40"]
    assert tick_texts([1_500_000_020.0, 1_500_000_040.0]) == ["1\u202f500\u202f000\u202f020", "+20"]
    assert tick_texts([-1e9 - 0.02, -1e9]) == ["\N{MINUS SIGN}1\u202f000\u202f000\u202f000.02", "+0.02"]
    assert tick_texts([1e15 + 1, 1e15 + 2]) == ["1.000000000000001e15", "+1"]


def test_ticks_of_a_log_axis_are_each_written_for_themselves():
    assert log_tick_texts([1e-5, 1e-3, 0.1, 10.0, 1e3, 1e5]) == [
        "1e\N{MINUS SIGN}5",
        "0.001",
        "0.1",
        "10",
        "1000",
        "100k",
    ]
    assert log_tick_texts([3.1, 3.2, 3.3]) == ["3.1", "3.2", "3.3"]


def test_whole_numbers_have_no_ticks_between_them():
    assert ticks(-0.01, 2.01, 5, whole=True) == [0, 1, 2]
    assert ticks(2.7, 3.3, 5, whole=True) == [3]
    assert ticks(0, 39, 5, whole=True) == [0, 10, 20, 30]


def test_numbers_are_found_again_as_javascript_writes_them():
    numbers = [0.0, -0.0, 1.0, 0.1, 1e-6, 1.5e-7, 1e20, 1.2345678901234568e20, 1e21, -1.5e300, 0.1 + 0.2, 5e-324]
    assert [browser_key(x) for x in numbers] == [
        "0", "0", "1", "0.1", "0.000001", "1.5e-7", "100000000000000000000", "123456789012345680000", "1e+21",
        "-1.5e+300", "0.30000000000000004", "5e-324",
    ]  # fmt: skip


def test_a_chart_says_what_its_x_is():
    stepped, unstepped = vector("v", [3.0, 2.0], steps=[5, 6]), vector("v", [3.0, 2.0])
    assert (chart_of(stepped).x_label, chart_of(stepped).x_is_whole) == ("step", True)
    assert chart_of(unstepped).x_label == "index"
    assert not chart_of(vector("v", [3.0, 2.0], steps=[0.5, 1.5])).x_is_whole
    assert chart_of(unstepped, x_axis="time").x_label == "time"
    assert chart_of(unstepped, x_axis="relative").x_label == "seconds since the start"
    table = {"time": [1.0, 2.0], "loss": [3.0, 4.0]}
    curve = chart_of(metric("t", table, kind=MetricKind.TABLE), x_axis="relative")
    assert (curve.x_label, curve.x_is_date, curve.x_is_whole) == ("time", False, False)


def test_relative_time_that_is_long_counts_in_minutes_hours_or_days():
    long = chart_of(vector("v", [1.0] * 1000), x_axis="relative")
    assert long.x_label == "minutes since the start"
    assert long.lines[0].x[-1] == pytest.approx(1001 / 60)


def test_a_table_with_one_numeric_column_says_which_it_draws():
    chart = chart_of(metric("df", {"day": ["mon", "tue"], "v": [1.0, 2.0]}, kind=MetricKind.TABLE))
    assert (chart.subtitle, chart.x_label) == ("v", "index")


def test_rows_that_lack_one_of_two_values_are_told():
    ragged = {"a": [1.0, None, 3.0], "b": [None, 2.0, 4.0]}
    assert chart_of(metric("t", ragged, kind=MetricKind.TABLE)).notes == ("⚠ 2 rows without both values",)
    whole = {"a": [1.0, 3.0], "b": [2.0, 4.0]}
    assert chart_of(metric("t", whole, kind=MetricKind.TABLE)).notes == ()


def test_the_last_value_has_the_digits_that_the_axis_tells_apart():
    assert chart_of(vector("v", [1.0000001, 1.0000002, 1.0000003])).last_digits >= 8
    assert chart_of(vector("v", [0.1, 123.0])).last_digits <= 5
    for last in (10**400, math.nan, 0.0, None):
        assert chart_of(vector("v", [1.0, 2.0, last])).last_digits <= 5


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
