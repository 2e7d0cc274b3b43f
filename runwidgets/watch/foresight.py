"""What a browser can tell by itself of a header, from the one that it has: time goes on, and looks come regularly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from runwidgets.watch.wire import HeaderState

_TOLERANCE_SECONDS: Final = 0.75
"""So far what the browser counts may be off: it shows whole seconds."""
_OF_TIME: Final = frozenset({"sent_at", "next_refresh_at", "refresh_seconds", "progress"})


def is_foreseen(shown: HeaderState, state: HeaderState) -> bool:
    """Tell whether a header is what a browser makes of the one that it was sent: then it need not be sent.

    Parameters
    ----------
    shown
        What it was sent last.
    state
        What there is to show now.
    """
    a: dict[str, Any] = dict(shown)
    b: dict[str, Any] = dict(state)
    if any(a[key] != b[key] for key in b.keys() - _OF_TIME):
        return False
    return _is_expected(shown, state) and _goes_on(shown, state)


def _is_expected(shown: HeaderState, state: HeaderState) -> bool:
    """Tell whether the next look is due when the browser expects one."""
    before, after, every = shown["next_refresh_at"], state["next_refresh_at"], shown["refresh_seconds"]
    if before is None or after is None or not every or state["refresh_seconds"] is None:
        return before == after
    if abs(every - state["refresh_seconds"]) > _TOLERANCE_SECONDS:
        return False
    off = (after - before) % every
    return min(off, every - off) <= _TOLERANCE_SECONDS


def _goes_on(shown: HeaderState, state: HeaderState) -> bool:
    """Tell whether progress is the same, and what is left of the time has become less by the time that has passed."""
    before, after = shown["progress"], state["progress"]
    if before is None or after is None:
        return before is after
    if {**before, "seconds_left": None} != {**after, "seconds_left": None}:
        return False
    passed = state["sent_at"] - shown["sent_at"]
    left = [max(0.0, (before["seconds_left"] or 0.0) - passed), after["seconds_left"] or 0.0]
    return abs(left[0] - left[1]) <= _TOLERANCE_SECONDS + 1
