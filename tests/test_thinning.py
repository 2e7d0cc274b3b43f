"""Thinning: few points, none that matter lost, and the same however the series came in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwidgets.store import thinning
from runwidgets.store.thinning import Thinned

NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 1e308, 5e-324, np.nan, np.inf, -np.inf])


@st.composite
def series(draw):
    """Give row numbers with gaps, and values with ties, NaN and infinities; longer than fits without thinning."""
    rows = draw(st.lists(st.tuples(st.integers(1, 3), NUMBERS), min_size=1, max_size=60))
    gaps, y = zip(*rows, strict=True)
    return np.cumsum(gaps) - gaps[0] + draw(st.integers(0, 9)), np.array(y)


@pytest.fixture(autouse=True, scope="module")
def _few_buckets():
    """Thin short series too: examples stay small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thinning, "MAX_BUCKETS", 4)
        patch.setattr(thinning, "_WHOLE", 1)
        yield


def thinned(index, y, cuts=()):
    beside = np.stack([index * 2.0, y])
    result = Thinned()
    for part in np.split(np.arange(len(index)), sorted(cuts)):
        result = result.extended(index[part], y[part], beside[:, part])
    return result


def same(a, b):
    return (
        a.width == b.width
        and np.array_equal(a.index, b.index)
        and a.y.tobytes() == b.y.tobytes()
        and a.beside.tobytes() == b.beside.tobytes()
    )


@given(series(), st.data())
def test_folding_in_any_pieces_is_exactly_folding_at_once(rows, data):
    index, y = rows
    cuts = data.draw(st.lists(st.integers(0, len(index)), max_size=10))
    assert same(thinned(index, y, cuts), thinned(index, y))


@given(series())
def test_folding_row_by_row_is_exactly_folding_at_once(rows):
    index, y = rows
    assert same(thinned(index, y, range(len(index))), thinned(index, y))


@given(series())
def test_what_is_kept_are_rows_of_the_series_with_what_is_beside_them(rows):
    index, y = rows
    result = thinned(index, y)
    places = np.searchsorted(index, result.index)
    assert np.array_equal(index[places], result.index)
    assert (np.diff(result.index) > 0).all()
    assert y[places].tobytes() == result.y.tobytes()
    assert np.array_equal(result.beside, np.stack([index * 2.0, y])[:, places], equal_nan=True)
    assert len(result) == len(result.index)


@given(series())
def test_of_every_bucket_first_last_extremes_and_the_first_of_each_oddity_stay(rows):
    index, y = rows
    result = thinned(index, y)
    kept = set(result.index.tolist())
    for bucket in np.unique(index // result.width):
        inside = index // result.width == bucket
        rows_, values = index[inside], y[inside]
        wanted = {rows_[0], rows_[-1]}
        finite = np.isfinite(values)
        if finite.any():
            wanted |= {rows_[finite][np.argmin(values[finite])], rows_[finite][np.argmax(values[finite])]}
        for odd in (np.isnan(values), values == np.inf, values == -np.inf):
            if odd.any():
                wanted.add(rows_[np.argmax(odd)])
        assert {int(r) for r in wanted} == {r for r in kept if r // result.width == bucket}


@given(series())
def test_the_size_is_bounded_and_the_width_is_the_least_power_of_two(rows):
    index, y = rows
    result = thinned(index, y)
    assert len(result) <= 7 * thinning.MAX_BUCKETS
    assert index[-1] // result.width < thinning.MAX_BUCKETS
    assert result.width == 1 or index[-1] // (result.width // 2) >= thinning.MAX_BUCKETS
    assert result.width & (result.width - 1) == 0
    if result.width == 1:
        assert np.array_equal(result.index, index)


@given(series(), st.data())
def test_what_is_drawn_of_full_buckets_does_not_move_unless_they_merge(rows, data):
    index, y = rows
    cut = data.draw(st.integers(1, len(index)))
    before, after = thinned(index[:cut], y[:cut]), thinned(index, y)
    if after.width == before.width:
        full = before.index // before.width < before.index[-1] // before.width
        assert np.array_equal(after.index[: full.sum()], before.index[full])
    else:
        settled = before.index // after.width < index[cut - 1] // after.width
        assert {r for r in after.index.tolist() if r // after.width < index[cut - 1] // after.width} <= set(
            before.index[settled].tolist()
        ), "merging draws nothing that was not drawn"


@given(series())
def test_a_series_is_never_changed_in_place(rows):
    index, y = rows
    half = len(index) // 2
    before = thinned(index[:half], y[:half])
    copy = (before.index.copy(), before.y.copy(), before.beside.copy())
    before.extended(index[half:], y[half:], np.stack([index * 2.0, y])[:, half:])
    assert all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(copy, (before.index, before.y, before.beside), strict=True)
    )


def test_a_short_series_is_whole_and_a_longer_one_no_more_points_than_that(monkeypatch):
    monkeypatch.setattr(thinning, "MAX_BUCKETS", 128)
    monkeypatch.setattr(thinning, "_WHOLE", 3)
    y = np.random.default_rng(0).normal(size=200_000)
    for count in (1, 300, 384):
        assert len(Thinned().extended(np.arange(count), y[:count])) == count
    for count in (385, 1000, 20_000, 200_000):
        assert 200 <= len(Thinned().extended(np.arange(count), y[:count])) <= 512


def test_no_rows_change_nothing():
    result = Thinned().extended(np.arange(3), np.ones(3))
    assert result.extended(np.empty(0, dtype=np.int64), np.empty(0)) is result


def test_ten_million_rows_are_drawn_with_few_and_none_that_matter_is_lost(monkeypatch):
    monkeypatch.setattr(thinning, "MAX_BUCKETS", 256)
    count = 10_000_000
    y = np.zeros(count)
    y[1_234_567], y[7_654_321], y[5_000_001] = 9.0, -9.0, np.nan
    result = Thinned()
    for start in range(0, count, 1_000_000):
        part = slice(start, start + 1_000_000)
        result = result.extended(np.arange(count)[part], y[part])
    assert {0, 1_234_567, 5_000_001, 7_654_321, count - 1} <= set(result.index.tolist())
    assert len(result) <= 7 * 256
