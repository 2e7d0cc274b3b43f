"""In what runs differ, for the panel ``js/src/differences.ts``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict

from runwidgets.watch.ingredients import KINDS
from runwidgets.watch.secrecy import Secret
from runwidgets.watch.wire import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runwidgets.watch.ingredients import Key

MAX_COLUMNS: Final = 20
MAX_ROWS: Final = 500
_MISSING: Final = object()


class DifferenceRow(TypedDict):
    """``DifferenceRow``."""

    kind: str
    name: str
    values: list[Any]
    differs: bool


class RunName(TypedDict):
    """``RunName``."""

    id: str
    name: str


class DifferencesState(TypedDict):
    """``DifferencesState``."""

    runs: list[RunName]
    rows: list[DifferenceRow]
    differing: int
    total: int
    run_total: int
    trouble: str | None


def differences_state(
    runs: Sequence[tuple[str, str, Mapping[Key, Any]]], total: int | None = None, max_rows: int = MAX_ROWS
) -> DifferencesState:
    """Give the parameters of runs side by side: by kind and name, each with whether the runs differ in it.

    Parameters
    ----------
    runs
        Id, name and parameters of each. The first `MAX_COLUMNS` are compared.
    total
        How many runs there are, where not all are given.
    max_rows
        How many rows are given; where there are more, those in which the runs differ go first.
    """
    shown = runs[:MAX_COLUMNS]
    keys = {key for _, _, parameters in shown for key in parameters}
    ordered = sorted(keys, key=lambda key: (KINDS.index(key.kind), key.name.casefold(), key.name))
    rows = [_row(key, [parameters.get(key, _MISSING) for _, _, parameters in shown]) for key in ordered]
    differing = sum(row["differs"] for row in rows)
    if len(rows) > max_rows:
        kept = sorted(range(len(rows)), key=lambda place: not rows[place]["differs"])[:max_rows]
        rows = [rows[place] for place in sorted(kept)]
    return {
        "runs": [{"id": run_id, "name": name} for run_id, name, _ in shown],
        "rows": rows,
        "differing": differing,
        "total": len(ordered),
        "run_total": len(runs) if total is None else total,
        "trouble": None,
    }


def _row(key: Key, values: Sequence[Any]) -> DifferenceRow:
    return {
        "kind": key.kind,
        "name": key.name,
        "values": _veiled(values) if any(isinstance(value, Secret) for value in values) else list(map(_shown, values)),
        "differs": any(not _same(values[0], value) for value in values[1:]),
    }


def _shown(value: Any) -> Any:
    return None if value is _MISSING else shortened(value)


def _veiled(values: Sequence[Any]) -> list[str | None]:
    """Give for values that are not to be shown which of them are alike."""
    known = list(dict.fromkeys(value for value in values if value is not _MISSING))
    return [None if value is _MISSING else f"hidden, value {known.index(value) + 1}" for value in values]


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are one: numbers by their size, NaN as itself, all else by kind and text."""
    if one is _MISSING or other is _MISSING:
        return one is other
    numbers = (int, float)
    if isinstance(one, numbers) and isinstance(other, numbers) and isinstance(one, bool) is isinstance(other, bool):
        return one == other or (one != one and other != other)  # noqa: PLR0124 (NaN)
    return str(one) == str(other)
