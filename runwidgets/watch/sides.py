"""The images of many runs side by side, by name and number, for the panel ``js/src/sides.ts``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from runwidgets.errors import NotFoundError, UserError
from runwidgets.images import HEAD_BYTES, image_type, is_whole
from runwidgets.records import VECTOR_COLUMN, MetricKind
from runwidgets.watch.numbers import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runwidgets.watch.dossiers import Dossiers
    from runwidgets.watch.roster import Member

MAX_BYTES: Final = 4 * 2**20
"""Largest image that is sent to a browser."""
MAX_SIDES: Final = 20
MAX_NAMES: Final = 500
_MICROSECONDS: Final = 1e6


class SidesControls(TypedDict):
    """``SidesControls``."""

    name: str | None
    number: int | None


class Side(TypedDict):
    """``Side``."""

    id: str
    label: str
    number: int
    count: int
    logged_at: float | None
    key: str | None
    mime: str
    size: int
    note: str | None


class SidesState(TypedDict):
    """``SidesState``."""

    names: list[str]
    name: str | None
    number: int
    most: int
    sides: list[Side]
    notes: list[str]
    trouble: str | None


class PictureMessage(TypedDict):
    """``PictureMessage``."""

    kind: Literal["picture"]
    key: str
    mime: str


DEFAULT_SIDES_CONTROLS: Final[SidesControls] = {"name": None, "number": None}


def no_sides() -> SidesState:
    """Give the state of no images."""
    return {"names": [], "name": None, "number": 0, "most": 0, "sides": [], "notes": [], "trouble": None}


def checked_sides_controls(sent: Mapping[str, Any]) -> SidesControls:
    """Take controls as a browser sent them; what is not of the contract becomes the default."""
    controls: SidesControls = {**DEFAULT_SIDES_CONTROLS}
    if isinstance(name := sent.get("name"), str):
        controls["name"] = name
    if type(count := sent.get("number")) is int and 0 < count < 2**53:
        controls["number"] = count
    return controls


class Sides:
    """Finds the images to show, one of each run, and reads those that a browser lacks.

    Parameters
    ----------
    dossiers
        What is known of the runs.
    """

    def __init__(self, dossiers: Dossiers) -> None:
        self._dossiers = dossiers
        self._shown: dict[str, tuple[Member, str]] = {}
        self._known: dict[str, Side] = {}

    def look(self, members: Sequence[Member], controls: SidesControls) -> SidesState:
        """Give what is to be shown.

        Parameters
        ----------
        members
            The runs that were chosen; of those that have the image the first `MAX_SIDES` are shown.
        controls
            Which name, by default the first; and the how manieth of it, by default the last. A run that has fewer shows
            its last.

        Raises
        ------
        StoreError
            If a store does not answer.
        """
        counts: dict[str, dict[str, int]] = {}
        for member in members:
            for head in self._dossiers.heads(member):
                if head.kind is MetricKind.IMAGE and head.row_count:
                    counts.setdefault(head.name, {})[member.key] = head.row_count
        names = sorted(counts, key=lambda name: (-len(counts[name]), name.casefold(), name))[:MAX_NAMES]
        state = no_sides()
        if not names:
            self._shown, self._known = {}, {}
            return state
        name = controls["name"] if controls["name"] in counts else names[0]
        having = [member for member in members if member.key in counts[name]]
        most = max(counts[name].values())
        wanted = min(controls["number"] or most, most)
        known, self._shown = self._known, {}
        sides = [
            self._side(member, name, min(wanted, counts[name][member.key]), counts[name][member.key], known)
            for member in having[:MAX_SIDES]
        ]
        self._known = {side["key"]: side for side in sides if side["key"] and side["note"] is None}
        notes = []
        if len(having) > MAX_SIDES:
            notes.append(f"first {MAX_SIDES} of {number(len(having))} runs")
        if len(having) < len(members):
            notes.append(f"{number(len(members) - len(having))} of {number(len(members))} runs do not have this image")
        return {
            **state, "names": sorted(names, key=lambda name: (name.casefold(), name)), "name": name, "number": wanted,
            "most": most, "sides": sides, "notes": notes,
        }  # fmt: skip

    def _side(self, member: Member, name: str, place: int, count: int, known: Mapping[str, Side]) -> Side:
        side: Side = {
            "id": member.key, "label": member.name, "number": place, "count": count, "logged_at": None, "key": None,
            "mime": "", "size": 0, "note": None,
        }  # fmt: skip
        found = member.recorder.store.window(member.run.run_id, name, place - 1, place)
        block = next(iter(found.blocks), None) if found is not None else None
        path = (
            block.columns[VECTOR_COLUMN].to_list()[0] if block is not None and VECTOR_COLUMN in block.columns else None
        )
        if block is None or not isinstance(path, str):
            side["note"] = "it is not an image"
            return side
        key = f"{member.key}/{path}"
        self._shown[key] = (member, path)
        if key in known:  # once it is whole it does not change
            return {**known[key], "label": member.name, "number": place, "count": count}
        data, mime, size, note = self._read(member, path)
        logged_at = float(block.times.to_floats()[0]) / _MICROSECONDS
        shown = None if data is None else key
        return {**side, "logged_at": logged_at, "key": shown, "mime": mime, "size": size, "note": note}

    def picture(self, request: Any) -> tuple[PictureMessage, bytes] | None:
        """Give the image that a browser asks for by a ``WantMessage``; None to what is no such request."""
        key = request.get("key") if isinstance(request, dict) and request.get("kind") == "want" else None
        if not isinstance(key, str) or key not in self._shown:
            return None
        data, mime, _, _ = self._read(*self._shown[key])
        return ({"kind": "picture", "key": key, "mime": mime}, data) if data is not None else None

    def _read(self, member: Member, path: str) -> tuple[bytes | None, str, int, str | None]:
        """Give an image with its type and size; or None, and why it is not shown."""
        try:
            file = self._dossiers.path(member, path)
            size = file.stat().st_size
            if size > MAX_BYTES:
                return None, "", size, f"larger than {MAX_BYTES // 2**20} MB: download the file to see it"
            data = file.read_bytes()
        except (NotFoundError, UserError, OSError):
            return None, "", 0, "the file is not there"
        mime = image_type(data[:HEAD_BYTES])
        if mime is None:
            return None, "", size, "not a PNG, JPEG, GIF, WebP or BMP image"
        if not is_whole(data, mime):
            return None, mime, size, "the file is damaged or cut off: its image does not come to an end"
        return data, mime, size, None
