"""Ticks of axes, by the table that the browser's side is held to as well."""

import json
import os
from pathlib import Path

import pytest

from runwidgets.watch.ticks import date_ticks, log_tick_texts, log_ticks, tick_texts, ticks

GOLDEN = Path(__file__).parent / "golden" / "ticks.json"
DAY = 1_790_035_200.0  # a midnight
RANGES = [
    ("linear", low, high, about, whole)
    for low, high, about, whole in [
        (0, 1, 5, False), (-0.06, 1.03, 4, False), (0, 39, 5, False), (0, 39, 5, True), (-0.01, 2.01, 5, True),
        (2.7, 3.3, 5, True), (-8, 8, 3, False), (3288, 3435, 3, False), (0.99951, 0.999514, 3, False),
        (-1.4, -0.2, 6, False), (0, 12_345_678, 5, False), (1e9, 1e9 + 0.04, 4, False), (-5e6, 7e6, 4, False),
        (0, 1e-7, 5, False), (-3e-9, 4e-9, 4, False), (0, 6.02e23, 4, False), (1e15, 3e15, 4, False), (5, 5, 4, False),
        (1.7e308, 1.75e308, 3, False), (-1e308, 1e308, 4, False), (0, 2e-300, 4, False), (9999, 10_001, 4, False),
        (99_000, 101_000, 6, False), (0.1, 0.7, 6.8, False), (0, 3, 2, False), (-0.001, 0.0012, 5, False),
    ]
] + [
    ("log", low, high, about, False)
    for low, high, about in [
        (0.5, 2e4, 3), (0.5, 2e6, 3), (2.0, 60.0, 3), (3.1, 3.4, 3), (1e-8, 1e-1, 5), (1e-300, 1e300, 4), (1, 10, 5),
        (0.9, 1.1, 4), (1e3, 1e5, 4), (1e-4, 2e-4, 3), (950, 1050, 5), (1e5, 1e17, 6),
    ]
] + [
    ("time", DAY + low, DAY + high, about, False)
    for low, high, about in [
        (0, 0.004, 5), (0.25, 1.3, 5), (3, 14.5, 6), (0, 161, 5), (30, 4000, 6), (0, 86_400, 6), (3600, 200_000, 5),
        (0, 9 * 86_400, 6), (0, 120 * 86_400, 5), (-5 * 86_400, 900 * 86_400, 5), (0, 0, 4),
    ]
]  # fmt: skip


def case(scale, low, high, about, whole):
    if scale == "time":
        found, form = date_ticks(low, high, about)
    else:
        found, form = log_ticks(low, high, about) if scale == "log" else ticks(low, high, about, whole=whole), None
    texts = {"linear": tick_texts, "log": log_tick_texts, "time": lambda _: []}[scale](found)
    return {
        "scale": scale, "low": low, "high": high, "about": about, "whole": whole, "ticks": found, "texts": texts,
        "form": form,
    }  # fmt: skip


@pytest.mark.parametrize("index", range(len(RANGES)), ids=lambda i: " ".join(map(str, RANGES[i])))
def test_an_axis_has_the_ticks_and_texts_of_the_table(index):
    made = [case(*one) for one in RANGES]
    if os.environ.get("RUNWIDGETS_WRITE_GOLDEN"):
        GOLDEN.write_text("[\n" + ",\n".join(f"  {json.dumps(one)}" for one in made) + "\n]\n", encoding="utf-8")
    table = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert len(table) == len(made)
    assert table[index] == json.loads(json.dumps(made[index]))
