"""One metric of many runs in one plot, for the panel ``js/src/overlay.ts``.

Each run is a line, or each group of runs a mean and a band (`runwidgets.watch.groups`). Points cross the wire as packed
float64, and only those that came since: of a line that grew, its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypedDict

import numpy as np

from runwidgets.records import MetricKind
from runwidgets.store.summaries import BESIDE
from runwidgets.values import wire_value
from runwidgets.watch.groups import MAX_POINTS, band_of
from runwidgets.watch.ingredients import GROUPING, KINDS
from runwidgets.watch.numbers import number
from runwidgets.watch.trails import Trail
from runwidgets.watch.view import SYSTEM_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from runwidgets.records import MetricHead
    from runwidgets.store.thinning import Thinned
    from runwidgets.watch.dossiers import Dossiers
    from runwidgets.watch.ingredients import Key
    from runwidgets.watch.roster import Member
    from runwidgets.watch.view import ColumnView

MAX_LINES: Final = 20
"""So many runs, or groups of runs, are drawn at once."""
MAX_DRAWN: Final = 10_000
"""So many points all lines have together: more would hold the page up at each of them that comes."""
MAX_GROUPED: Final = 200
"""So many runs are read for groups."""
MAX_NAMES: Final = 2000
MAX_TEXT: Final = 200
_STEP, _TIME = (BESIDE.index(name) for name in ("step", "time"))
_AXES: Final = ("index", "step", "relative")
"""The first rows of a run's line; the last is y."""
XAxis = Literal["step", "index", "relative"]


class OverlayControls(TypedDict):
    """``OverlayControls``."""

    metric: str | None
    group_by: str | None
    x_axis: XAxis
    y_scale: Literal["linear", "log"]
    smoothing: float


class OverlayLine(TypedDict):
    """``OverlayLine``."""

    id: str
    label: str
    slot: int
    width: int
    runs: int


class Grouping(TypedDict):
    """``Grouping``."""

    id: str
    label: str


class OverlayState(TypedDict):
    """``OverlayState``."""

    kind: Literal["runs", "groups"]
    metric: str | None
    group_by: str | None
    x_axis: XAxis
    has_steps: bool
    lines: list[OverlayLine]
    groupings: list[Grouping]
    chosen: int
    notes: list[str]
    trouble: str | None


class LineItem(TypedDict):
    """``LineItem``."""

    id: str
    keep: int
    add: int


class LinesMessage(TypedDict):
    """``LinesMessage``."""

    kind: Literal["lines"]
    sequence: int
    items: list[LineItem]


DEFAULT_OVERLAY_CONTROLS: Final[OverlayControls] = {
    "metric": None, "group_by": None, "x_axis": "step", "y_scale": "linear", "smoothing": 0.0,
}  # fmt: skip


def nothing_overlaid() -> OverlayState:
    """Give the state of an overlay of no runs."""
    return {
        "kind": "runs", "metric": None, "group_by": None, "x_axis": "step", "has_steps": False, "lines": [],
        "groupings": [], "chosen": 0, "notes": [], "trouble": None,
    }  # fmt: skip


def checked_overlay_controls(sent: Mapping[str, Any]) -> OverlayControls:
    """Take controls as a browser sent them; what is not of the contract becomes the default."""
    controls: OverlayControls = {**DEFAULT_OVERLAY_CONTROLS}
    for key in ("metric", "group_by"):
        if isinstance(text := sent.get(key), str):
            controls[key] = text
    if (x_axis := sent.get("x_axis")) in _AXES:
        controls["x_axis"] = x_axis
    if (y_scale := sent.get("y_scale")) in ("linear", "log"):
        controls["y_scale"] = y_scale
    if isinstance(weight := sent.get("smoothing"), (int, float)) and 0 <= weight < 1:
        controls["smoothing"] = float(weight)
    return controls


# ---- which metrics there are


class Drawable(NamedTuple):
    """A column of a metric that can be drawn, and how it is called."""

    label: str
    metric: str
    column: str


def drawables(heads: Sequence[MetricHead]) -> list[Drawable]:
    """List what can be drawn of a run's metrics."""
    found = []
    for head in heads:
        if head.kind is MetricKind.TABLE:
            found += [Drawable(f"{head.name} · {column or head.name}", head.name, column) for column in head.columns]
        elif head.kind is MetricKind.VECTOR and not isinstance(head.last, (str, bool)):
            found.append(Drawable(head.name, head.name, ""))
    return found


def offered(heads: Iterable[Sequence[MetricHead]]) -> tuple[dict[str, Drawable], str | None]:
    """Give what can be drawn of any of the runs, by label in order, and what is drawn if nobody chose.

    That is what most of the runs have, of this rather what has more than one value, of this what was logged first.
    """
    all_of_them: dict[str, Drawable] = {}
    marks: dict[str, list[int]] = {}
    for one in heads:
        counts = {head.name: head.row_count for head in one}
        for drawable in drawables(one):
            all_of_them.setdefault(drawable.label, drawable)
            mark = marks.setdefault(drawable.label, [0, 0])
            mark[0] += counts[drawable.metric] > 1
            mark[1] += 1
    usual = max(
        (label for label in all_of_them if not label.startswith(SYSTEM_PREFIX)), key=marks.__getitem__, default=None
    )
    ordered = sorted(all_of_them, key=lambda label: (label.startswith(SYSTEM_PREFIX), label.casefold(), label))
    return {label: all_of_them[label] for label in ordered[:MAX_NAMES]}, usual


# ---- groups


def group_id(key: Key) -> str:
    """Give what names a parameter on the wire."""
    return f"{key.kind} {key.name}"


def groupings(parameters: Iterable[Mapping[Key, Any]]) -> list[Key]:
    """List the parameters by which runs can be grouped: those that some have, and in which they are not all alike."""
    many = list(parameters)
    keys = {key for one in many for key in one if key.kind in GROUPING}
    telling = [key for key in keys if len({group_label(one, key) for one in many}) > 1]
    return sorted(telling, key=lambda key: (KINDS.index(key.kind), key.name.casefold(), key.name))


def group_label(parameters: Mapping[Key, Any], key: Key) -> str:
    """Give the name of the group that a run belongs to."""
    if key not in parameters:
        return f"no {key.name}"
    value = parameters[key]
    text = number(wire_value(value)) if isinstance(value, (int, float)) else str(value)
    return f"{key.name} = {text}"[:MAX_TEXT]


# ---- lines as arrays


def thinned_to(series: Thinned, points: int = MAX_POINTS) -> Thinned:
    """Give a series with at most so many points, its buckets as wide as that asks for."""
    while len(series) > points:
        series = series.widened(series.width * 2)
    return series


def line_of(series: Thinned, started_at: float | None) -> NDArray[np.float64]:
    """Give a line as index, step, seconds since the start, and y, shape ``(4, n)``; a step is by default the index."""
    index = series.index.astype(np.float64)
    if not len(index):
        return np.empty((4, 0))
    steps, times = series.beside[_STEP], series.beside[_TIME]
    start = times[0] if started_at is None else started_at
    return np.stack([index, np.where(np.isfinite(steps), steps, index), times - start, series.y])


def packed(
    lines: Mapping[str, NDArray[np.float64]], before: Mapping[str, NDArray[np.float64]]
) -> tuple[list[LineItem], bytes]:
    """Give what turns the lines before into those now.

    Returns
    -------
    tuple
        For each line how many of its points stay and how many come; and those that come, one line after the other, each
        as its rows.
    """
    items, data = list[LineItem](), []
    for key, line in lines.items():
        keep = _alike(before.get(key), line)
        items.append({"id": key, "keep": keep, "add": line.shape[1] - keep})
        data.append(np.ascontiguousarray(line[:, keep:], dtype="<f8").tobytes())
    return items, b"".join(data)


def _alike(before: NDArray[np.float64] | None, now: NDArray[np.float64]) -> int:
    """Tell how many points two lines have in common, from their beginning."""
    if before is None or len(before) != len(now):
        return 0
    size = min(before.shape[1], now.shape[1])
    # As bits, so that NaN equals NaN.
    same = np.ascontiguousarray(before[:, :size]).view(np.int64) == np.ascontiguousarray(now[:, :size]).view(np.int64)
    unlike = np.flatnonzero(~same.all(axis=0))
    return int(unlike[0]) if len(unlike) else size


class Overlaid(NamedTuple):
    """What a panel shows: its state, the names to choose from, and the lines by id."""

    state: OverlayState
    names: list[str]
    lines: dict[str, NDArray[np.float64]]


class Overlay:
    """Reads one metric of many runs, and goes on where it was.

    Parameters
    ----------
    dossiers
        What is known of the runs.
    """

    def __init__(self, dossiers: Dossiers) -> None:
        self._dossiers = dossiers
        self._trails: dict[tuple[str, str], tuple[int, Trail]] = {}
        self._slots: dict[str, int] = {}
        self._usual: str | None = None

    def look(self, members: Sequence[Member], controls: OverlayControls) -> Overlaid:
        """Read what is new, and give what is to be shown.

        Parameters
        ----------
        members
            The runs that were chosen, in order. The first `MAX_LINES` are drawn; in groups the first `MAX_GROUPED`.
        controls
            The viewer's.

        Raises
        ------
        StoreError
            If a store does not answer.
        """
        some = members[:MAX_GROUPED]
        choice, usual = offered(map(self._dossiers.heads, some))
        usual = self._usual = self._usual if self._stays(some, choice) else usual
        parameters = {member.key: self._dossiers.parameters(member) for member in some}
        keys = groupings(parameters.values())
        key = next((key for key in keys if group_id(key) == controls["group_by"]), None)
        label = controls["metric"] if controls["metric"] in choice else usual
        state: OverlayState = {
            **nothing_overlaid(),
            "metric": label,
            "group_by": group_id(key) if key else None,
            "x_axis": controls["x_axis"],
            "groupings": [{"id": group_id(key), "label": f"{key.kind} {key.name}"[:MAX_TEXT]} for key in keys],
            "chosen": len(members),
        }
        if label is None:
            return Overlaid(state, [], {})
        if key is None:
            shown = self._runs(members, choice[label], state)
        else:
            named = {member.key: group_label(parameters[member.key], key) for member in some}
            shown = self._groups(members, named, choice[label], state)
        return Overlaid(state, [drawable.label for drawable in choice.values()], shown)

    def _runs(self, members: Sequence[Member], wanted: Drawable, state: OverlayState) -> dict[str, NDArray[np.float64]]:
        having = [member for member in members if self._has(member, wanted)]
        drawn = having[:MAX_LINES]
        self._place([member.key for member in drawn])
        columns = self._read(drawn, wanted)
        lines = {}
        points = min(MAX_POINTS, MAX_DRAWN // max(1, len(columns)))
        for member in drawn:
            column = columns.get(member.key)
            if column is None:
                continue
            series = thinned_to(column.series, points)
            lines[member.key] = line_of(series, member.run.started_at)
            state["lines"].append({
                "id": member.key, "label": member.name[:MAX_TEXT], "slot": self._slots[member.key],
                "width": series.width, "runs": 1,
            })  # fmt: skip
        state["has_steps"] = any(column.has_steps for column in columns.values())
        state["notes"] = _notes(columns.values(), len(drawn), len(having), len(members), "runs")
        return lines

    def _groups(
        self, members: Sequence[Member], named: Mapping[str, str], wanted: Drawable, state: OverlayState
    ) -> dict[str, NDArray[np.float64]]:
        state["kind"] = "groups"
        read = [member for member in members[:MAX_GROUPED] if self._has(member, wanted)]
        columns = self._read(read, wanted)
        lines: dict[str, list[NDArray[np.float64]]] = {}
        for member in read:
            if member.key in columns:
                series = thinned_to(columns[member.key].series)
                lines.setdefault(named[member.key], []).append(line_of(series, member.run.started_at))
        shown = sorted(lines, key=_natural)[:MAX_LINES]
        self._place(shown)
        axis = _AXES.index(state["x_axis"])
        bands = {}
        for name in shown:
            bands[name] = band_of([(line[axis], line[3]) for line in lines[name]]).matrix()
            state["lines"].append(
                {"id": name, "label": name, "slot": self._slots[name], "width": 1, "runs": len(lines[name])}
            )
        state["has_steps"] = any(column.has_steps for column in columns.values())
        having = len(read) if len(members) <= MAX_GROUPED else len(members)
        state["notes"] = _notes(columns.values(), len(read), having, len(members), "runs")
        if len(lines) > MAX_LINES:
            state["notes"].append(f"first {MAX_LINES} of {number(len(lines))} groups")
        return bands

    def _stays(self, members: Sequence[Member], choice: Mapping[str, Drawable]) -> bool:
        """Tell whether what is shown is still worth it: what a new run logs first makes no other plot of it."""
        wanted = choice.get(self._usual or "")
        if wanted is None:
            return False
        heads = (head for member in members for head in self._dossiers.heads(member))
        return any(head.name == wanted.metric and head.row_count > 1 for head in heads)

    def _has(self, member: Member, wanted: Drawable) -> bool:
        return any(drawable[1:] == wanted[1:] for drawable in drawables(self._dossiers.heads(member)))

    def _read(self, members: Sequence[Member], wanted: Drawable) -> dict[str, ColumnView]:
        """Bring the trails of these runs up to date, and give the column of each that has numbers."""
        kept, columns = {}, {}
        for member in members:
            place = (member.key, wanted.metric)
            version, trail = self._trails.get(place) or (
                -1, Trail(member.recorder.store, member.run.run_id, wanted.metric)
            )  # fmt: skip
            if version != member.run.version:
                trail.step()
            kept[place] = (member.run.version, trail)
            metric = trail.metric
            column = metric.columns.get(wanted.column) if metric is not None else None
            if column is not None and column.count and not column.is_text:
                columns[member.key] = column
        self._trails = kept
        return columns

    def _place(self, keys: Sequence[str]) -> None:
        """Give each line a colour that it keeps while it is there."""
        self._slots = {key: slot for key, slot in self._slots.items() if key in keys}
        free = (slot for slot in range(MAX_LINES) if slot not in set(self._slots.values()))
        for key in keys:
            if key not in self._slots:
                self._slots[key] = next(free)


def _natural(text: str) -> tuple[Any, ...]:
    """Sort what ends in numbers by these: ``alpha = 2`` comes before ``alpha = 10``."""
    head, equals, value = text.rpartition(" = ")
    if not equals:
        return (2, 0.0, text)
    try:
        return (0, float(value.replace("\N{MINUS SIGN}", "-").replace("\u202f", "")), head)
    except ValueError:
        return (1, 0.0, value.casefold())


def _notes(columns: Iterable[ColumnView], drawn: int, having: int, chosen: int, what: str) -> list[str]:
    notes = []
    if drawn < having:
        notes.append(f"first {drawn} of {number(having)} {what}")
    if having < chosen:
        notes.append(f"{number(chosen - having)} of {number(chosen)} {what} do not have this metric")
    many = list(columns)
    if nans := sum(column.nan_count for column in many):
        notes.append(f"◆ {number(nans)} NaN")
    if infinite := sum(column.inf_count for column in many):
        notes.append(f"◆ {number(infinite)} ±Inf")
    return notes
