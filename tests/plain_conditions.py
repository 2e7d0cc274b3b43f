"""Conditions on runs in plain Python: what a store must find, told in the simplest way."""

from __future__ import annotations

import math
import operator
import re
import time
from dataclasses import dataclass, field
from typing import Any

from runwidgets.conditions import (
    All,
    Comparison,
    Existence,
    FieldKind,
    Membership,
    Mention,
    Negation,
    Operator,
    Some,
)

COMPARE = {
    Operator.EQUAL: operator.eq, Operator.UNEQUAL: operator.ne, Operator.BELOW: operator.lt,
    Operator.AT_MOST: operator.le, Operator.ABOVE: operator.gt, Operator.AT_LEAST: operator.ge,
}  # fmt: skip
NUMBER = re.compile(r"[ \t\n\v\f\r]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[ \t\n\v\f\r]*", re.ASCII)


@dataclass
class PlainRun:
    run_id: str
    order: int
    """When it was created among others."""
    number: int
    status: str
    name: str | None = None
    type: str | None = None
    experiment: str = "exp"
    parent: str | None = None
    created: float | None = None
    started: float | None = None
    ended: float | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str | None] = field(default_factory=dict)
    properties: dict[str, str | None] = field(default_factory=dict)

    def value(self, one):
        kind = one.kind
        if kind.is_named:
            return getattr(self, kind).get(one.name)
        if kind is FieldKind.ID:
            return self.run_id
        if kind is FieldKind.DURATION:
            return None if self.started is None else (self.ended or time.time()) - self.started
        return getattr(self, kind)


def number_in(text):
    return float(text) if NUMBER.fullmatch(text) else None


def contains(text, part):
    if part.isascii():
        return re.search(re.escape(part), text, re.ASCII | re.IGNORECASE) is not None
    return part.casefold() in text.casefold()


def holds(condition, run):  # noqa: PLR0911 (one way out for each kind)
    match condition:
        case None:
            return True
        case All(parts):
            return all(holds(part, run) for part in parts)
        case Some(parts):
            return any(holds(part, run) for part in parts)
        case Negation(part):
            return not holds(part, run)
        case Existence(one):
            return one.name in getattr(run, one.kind) if one.kind.is_named else run.value(one) is not None
        case Membership(one, values):
            return any(holds(Comparison(one, Operator.EQUAL, value), run) for value in values)
        case Mention(text):
            texts = [run.name, run.experiment, *run.tags, *run.tags.values()]
            is_id = run.run_id.lower().startswith(text.lower()) if text.isascii() else False
            return is_id or any(contains(one, text) for one in texts if one is not None)
        case Comparison(one, compare, value):
            return compares(one.kind, run.value(one), compare, value)


def compares(kind, mine, compare, value):
    if mine is None:
        return False
    if compare is Operator.CONTAINS:
        return contains(mine, value)
    if isinstance(value, float) and kind.is_loose:
        number = number_in(mine)
        return compare is Operator.UNEQUAL if number is None else COMPARE[compare](number, value)
    if kind is FieldKind.METRICS and isinstance(value, str) is not isinstance(mine, str):
        return compare is Operator.UNEQUAL
    if kind is FieldKind.METRICS and isinstance(value, float) and math.isnan(value):
        is_nan = isinstance(mine, float) and math.isnan(mine)
        return is_nan is (compare is Operator.EQUAL)
    return COMPARE[compare](mine, value)


def key_of(run, one):
    """What a run is sorted by; None for one that comes last."""
    value = run.value(one)
    if one.kind is FieldKind.METRICS:
        return None if isinstance(value, str) or value is None or math.isnan(value) else value
    if one.kind.is_loose and value is not None:
        number = number_in(value)
        return (1, value) if number is None else (0, number)
    return value


def ordered(runs, one, *, descending):
    """Give the ids of runs in the order of a field: equal ones, and those without it at the end, newest first."""
    newest = sorted(runs, key=lambda run: -run.order)
    having = [run for run in newest if key_of(run, one) is not None]
    lacking = [run for run in newest if key_of(run, one) is None]
    having.sort(key=lambda run: key_of(run, one), reverse=descending)
    return [run.run_id for run in having + lacking]
