"""Mean and band of several lines, by cases that can be done by hand."""

import warnings

import numpy as np
import pytest

from runwidgets.watch.groups import band_of


def line(*points):
    x, y = zip(*points, strict=True)
    return np.array(x, dtype=float), np.array(y, dtype=float)


def rows(band):
    return [tuple(None if np.isnan(v) else round(v, 9) for v in row) for row in band.matrix().T.tolist()]


def test_lines_of_the_same_steps_give_mean_least_and_greatest_at_each():
    band = band_of([line((0, 1.0), (1, 2.0)), line((0, 3.0), (1, 6.0)), line((0, 5.0), (1, 1.0))])
    assert rows(band) == [(0, 3, 1, 5), (1, 3, 1, 6)]


def test_between_its_own_points_a_line_is_straight():
    band = band_of([line((0, 0.0), (10, 10.0)), line((0, 2.0), (4, 2.0), (10, 2.0))])
    assert rows(band) == [(0, 1, 0, 2), (4, 3, 2, 4), (10, 6, 2, 10)]


def test_a_line_that_ends_or_begins_late_does_not_count_beyond_its_points():
    band = band_of([line((0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)), line((1, 5.0), (2, 5.0))])
    assert rows(band) == [(0, 1, 1, 1), (1, 3, 1, 5), (2, 3, 1, 5), (3, 1, 1, 1)]


def test_beside_a_value_that_is_not_finite_a_line_has_none_but_at_its_points():
    band = band_of([line((0, 1.0), (2, np.nan), (4, 3.0)), line((0, 5.0), (1, 5.0), (2, 5.0), (3, 5.0), (4, 5.0))])
    assert rows(band) == [(0, 3, 1, 5), (1, 5, 5, 5), (2, 5, 5, 5), (3, 5, 5, 5), (4, 4, 3, 5)]
    alone = band_of([line((0, 1.0), (1, np.inf), (2, 2.0))])
    assert rows(alone) == [(0, 1, 1, 1), (1, None, None, None), (2, 2, 2, 2)]


def test_of_a_step_that_comes_again_the_last_value_counts_and_steps_need_no_order():
    assert rows(band_of([line((2, 9.0), (0, 1.0), (1, 2.0), (2, 3.0))])) == [(0, 1, 1, 1), (1, 2, 2, 2), (2, 3, 3, 3)]


def test_many_points_are_drawn_together_and_the_band_hides_nothing():
    x = np.arange(10_000.0)
    y = np.zeros(10_000)
    y[4_321], y[8_765] = 99.0, -99.0
    band = band_of([(x, y), (x, np.ones(10_000))])
    assert len(band.x) <= 1000
    assert (band.high.max(), band.low.min(), band.x[-1]) == (99.0, -99.0, 9_999.0)
    assert (np.diff(band.x) > 0).all()


def test_nothing_gives_nothing_and_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rows(band_of([])) == []
        assert rows(band_of([(np.empty(0), np.empty(0))])) == []
        assert rows(band_of([line((np.nan, 1.0))])) == []
        assert rows(band_of([line((0, np.nan))])) == [(0, None, None, None)]


def test_the_mean_of_huge_values_is_a_number():
    band = band_of([line((0, 1.5e308), (1, 1.6e308)), line((0, 1.7e308), (1, -1.6e308))])
    assert band.mean.tolist() == pytest.approx([1.6e308, 0.0])
