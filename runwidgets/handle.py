"""`Handle`: which run is meant, and this process's way to it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runwidgets.capture import Block
    from runwidgets.events import Event
    from runwidgets.experiment import Experiment
    from runwidgets.limits import Limits
    from runwidgets.records import RunStatus
    from runwidgets.store.recorder import Recorder

_log = logging.getLogger(__name__)
_OF_THIS_PROCESS: Final = frozenset({"_blocks", "_recorder", "_series", "_write"})

_told: set[tuple[Path, str]] = set()
"""Of which runs this process has said that they get something after their end."""

_Kept = TypeVar("_Kept")


class _WhenUsed(Generic[_Kept]):
    """An attribute that is made when it is first used, and then is one like others.

    Not by ``__getattr__``: Python looks up every attribute of a class that has it the slow way, which makes `Run.log` a
    tenth slower.
    """

    def __init__(self, make: Callable[[Any], _Kept]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, handle: object, owner: type) -> _Kept:
        kept = self._make(handle)
        setattr(handle, self._name, kept)
        return kept

    if TYPE_CHECKING:

        def __set__(self, handle: object, value: _Kept) -> None: ...


class Handle:
    """What all parts of a `Run` share.

    It can be pickled and copied: what comes out, in whichever process of this machine, is the same run. Nothing is
    opened for that; the workspace is when the run is first used there.
    """

    _id: str
    _experiment: Experiment
    _known_status: RunStatus
    _series: dict[str, Callable[[Any, Any], None]]
    """What `Recording.log` writes with, by the metric's name; made with the object, for there it is found soonest."""

    @_WhenUsed
    def _recorder(self) -> Recorder:
        return self._experiment.workspace._recorder

    @_WhenUsed
    def _blocks(self) -> list[Block]:
        return []

    @_WhenUsed
    def _write(self) -> Callable[[Event], None]:
        write = self._recorder.write
        return self._limits.watched(write) if self._limits else write

    @property
    def _limits(self) -> Limits | None:
        return self._experiment.workspace._limits

    @property
    def _status(self) -> RunStatus:
        """What this object knows of the run's status."""
        return self._known_status

    @_status.setter
    def _status(self, status: RunStatus) -> None:
        self._known_status = status
        if status.is_final:
            self._series.clear()  # so that the next value is one of a new series, of which `log` takes notice

    def _note_use(self) -> None:
        """Say, once of each run, that it gets something though it has ended, as far as this object knows.

        SDK v1's service took it without a word. It is kept here too: no training stops because of that.
        """
        if not self._known_status.is_final or self._recorder.is_deleted:  # of what is lost there is word already
            return
        place = self._experiment.workspace._folder, self._id
        if place not in _told:
            _told.add(place)
            _log.warning(
                "run %s has ended (%s): what is logged to it and started below it from now on is kept all the same, "
                "and a display that has seen the end does not show it. Start another run for it, or end this one later",
                self._id,
                self._known_status,
            )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _OF_THIS_PROCESS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._series = {}
