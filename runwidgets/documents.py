"""The JSON documents that metrics can be: accuracy tables, confusion matrices, residuals and predictions.

Each is ``{"schema_type": …, "schema_version": …, "data": {…}}``, as in SDK v1, and is checked before it is kept, so
that whoever shows it can rely on its shape. All functions here are pure.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import ArgumentTypeError, UserError
from runwidgets.records import MetricKind
from runwidgets.values import is_sequence, plain_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

VERSIONS: Final = {
    MetricKind.ACCURACY_TABLE: ("1.0.1", "1.0.0", "v1"),
    MetricKind.CONFUSION_MATRIX: ("1.0.0", "v1"),
    MetricKind.RESIDUALS: ("1.0.0", "v1"),
    MetricKind.PREDICTIONS: ("1.0.0", "v1"),
}
"""The versions of each schema that are understood, the current one first; ``v1`` is what Microsoft's guides write."""
_CELL: Final = 4
_SHOWN: Final = 80
_PER_LABEL: Final = "one for each of class_labels"
_COUNT: Final = "a count: an integer from 0 on"


def checked_document(kind: MetricKind, name: str, value: Any) -> dict[str, Any]:
    """Give a document as plain JSON values, if it keeps the rules of its schema.

    Parameters
    ----------
    kind
        Which schema.
    name
        Name of the metric, for messages.
    value
        The document as a dict, whose arrays may be those of numpy, or as JSON text.

    Returns
    -------
    dict
        The same of dicts, lists, strings and numbers. Class labels that were numbers are text, and a version that was
        not given is the current one.

    Raises
    ------
    UserError
        If a rule is broken: the message names the metric, the key, what was found and what is expected.
    """
    document = _Document(f"log_{kind.value}({name!r})", kind)
    found = document.read(value)
    _RULES[kind](document, found["data"])
    return found


class _Document:
    """Finds what is wrong with one document, and says where."""

    def __init__(self, call: str, kind: MetricKind) -> None:
        self._call = call
        self._kind = kind

    def read(self, value: Any) -> dict[str, Any]:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError as error:
                raise UserError(f"{self._call}: Invalid JSON provided: {error}") from error
        if not isinstance(value, Mapping):
            raise ArgumentTypeError(
                f"{self._call}: value is a {type(value).__name__}: it must be a dict, or JSON text of an object"
            )
        found: dict[str, Any] = _plain(value)
        keys, versions = _KEYS[self._kind], VERSIONS[self._kind]
        found.setdefault("schema_version", versions[0])  # many scripts leave it out, and SDK v1 never looked
        for key, accepted in {"schema_type": (self._kind.value,), "schema_version": versions}.items():
            if key not in found or found[key] not in accepted:
                state = f"is {_shown(found[key])}" if key in found else "is missing"
                raise UserError(f"{self._call}: {key} {state}: it must be {' or '.join(map(repr, accepted))}")
        if not isinstance(found.get("data"), dict):
            state = f"is {_shown(found['data'])}" if "data" in found else "is missing"
            raise UserError(f"{self._call}: data {state}: it must be a dict with the keys {_listed(keys)}")
        missing = [key for key in keys if key not in found["data"]]
        if missing:
            raise UserError(
                f"{self._call}: data[{missing[0]!r}] is missing: data has the keys {_listed(found['data']) or 'none'} "
                f"and must have {_listed(keys)}"
            )
        return found

    def wrong(self, place: str, found: Any, expected: str) -> UserError:
        return UserError(f"{self._call}: data{place} is {_shown(found)}: it must be {expected}")

    def items(self, place: str, found: Any, count: int | None = None, each: str = "") -> list[Any]:
        """Give a list of a length, where that is given: one for each of what ``each`` names."""
        if not isinstance(found, list):
            raise self.wrong(place, found, "a list")
        if count is not None and len(found) != count:
            raise UserError(f"{self._call}: data{place} has {len(found)} entries: it must have {count}, {each}")
        return found

    def all(
        self, key: str, values: list[Any], is_good: Callable[[Any], bool], expected: str, place: str | None = None
    ) -> None:
        for index, value in enumerate(values):
            if not is_good(value):
                raise self.wrong(f"{place or f'[{key!r}]'}[{index}]", value, expected)

    def labels(self, data: dict[str, Any]) -> int:
        """Check the class labels, and make text of numbers, which many have as labels; give how many there are."""
        found = self.items("['class_labels']", data["class_labels"])
        self.all("class_labels", found, lambda label: isinstance(label, (str, int, float)), "a string")
        data["class_labels"] = [str(label) for label in found]
        return len(found)

    def edges(self, data: dict[str, Any]) -> int:
        """Check the edges of bins and their counts; give how many bins there are."""
        edges = self.items("['bin_edges']", data["bin_edges"])
        self.all("bin_edges", edges, _is_finite, "a finite number")
        for index, (left, right) in enumerate(pairwise(edges), 1):
            if right < left:
                raise self.wrong(f"['bin_edges'][{index}]", right, f"at least the edge before it, {left!r}")
        if not edges:
            raise self.wrong("['bin_edges']", edges, "a list of one more than there are bins")
        self.per_bin(data, "bin_counts", len(edges) - 1, _is_count, _COUNT)
        return len(edges) - 1

    def per_bin(
        self, data: dict[str, Any], key: str, count: int, is_good: Callable[[Any], bool], expected: str
    ) -> None:
        self.all(key, self.items(f"[{key!r}]", data[key], count, "one less than bin_edges"), is_good, expected)

    def tables(self, data: dict[str, Any], which: str, class_count: int) -> None:
        """Check thresholds and, for each class and threshold, the counts of true and false positives and negatives."""
        thresholds = self.items(f"['{which}_thresholds']", data[f"{which}_thresholds"])
        self.all(f"{which}_thresholds", thresholds, _is_number, "a number")
        key = f"{which}_tables"
        each = f"one for each of {which}_thresholds"
        total = None
        for c, table in enumerate(self.items(f"[{key!r}]", data[key], class_count, _PER_LABEL)):
            positives = None
            for m, cell in enumerate(self.items(f"[{key!r}][{c}]", table, len(thresholds), each)):
                place = f"[{key!r}][{c}][{m}]"
                self.items(place, cell, _CELL, "TP, FP, TN and FN")
                self.all(key, cell, _is_count, _COUNT, place)
                tp, fp, tn, fn = cell
                total = tp + fp + tn + fn if total is None else total
                positives = tp + fn if positives is None else positives
                if tp + fp + tn + fn != total:
                    raise self.wrong(place, cell, f"TP, FP, TN and FN that add up to {total}, as those before do")
                if tp + fn != positives:
                    raise self.wrong(place, cell, f"counts with TP + FN = {positives}, as at the thresholds before")


def _check_accuracy_table(document: _Document, data: dict[str, Any]) -> None:
    class_count = document.labels(data)
    for which in ("probability", "percentile"):
        document.tables(data, which, class_count)


def _check_confusion_matrix(document: _Document, data: dict[str, Any]) -> None:
    count = document.labels(data)
    for index, row in enumerate(document.items("['matrix']", data["matrix"], count, _PER_LABEL)):
        place = f"['matrix'][{index}]"
        cells = document.items(place, row, count, _PER_LABEL)
        document.all("matrix", cells, _is_number, "a number", place)


def _check_residuals(document: _Document, data: dict[str, Any]) -> None:
    document.edges(data)


def _check_predictions(document: _Document, data: dict[str, Any]) -> None:
    count = document.edges(data)
    for key in ("bin_averages", "bin_errors"):  # a bin that is empty has neither
        document.per_bin(data, key, count, lambda value: value is None or _is_number(value), "a number or None")


_KEYS: Final = {
    MetricKind.ACCURACY_TABLE: (
        "probability_tables", "percentile_tables", "probability_thresholds", "percentile_thresholds", "class_labels",
    ),
    MetricKind.CONFUSION_MATRIX: ("class_labels", "matrix"),
    MetricKind.RESIDUALS: ("bin_edges", "bin_counts"),
    MetricKind.PREDICTIONS: ("bin_averages", "bin_errors", "bin_counts", "bin_edges"),
}  # fmt: skip
_RULES: Final = {
    MetricKind.ACCURACY_TABLE: _check_accuracy_table,
    MetricKind.CONFUSION_MATRIX: _check_confusion_matrix,
    MetricKind.RESIDUALS: _check_residuals,
    MetricKind.PREDICTIONS: _check_predictions,
}


def _plain(value: Any) -> Any:
    """Turn what holds arrays and scalars of numpy and the like into dicts, lists and plain values."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if is_sequence(value):
        to_list = getattr(value, "tolist", None)
        return [_plain(item) for item in (to_list() if callable(to_list) else value)]
    return plain_value(value)


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(map(repr, keys))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… (a {type(value).__name__})"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or math.isfinite(value))


def _is_count(value: Any) -> bool:
    return _is_finite(value) and value >= 0 and value == int(value)
