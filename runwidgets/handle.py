"""`Handle`: which run is meant, and this process's way to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from runwidgets.events import Event
    from runwidgets.experiment import Experiment
    from runwidgets.limits import Limits
    from runwidgets.store.recorder import Recorder

_OF_THIS_PROCESS: Final = frozenset({"_blocks", "_recorder", "_write"})


class Handle:
    """What all parts of a `Run` share.

    It can be pickled and copied: what comes out, in whichever process of this machine, is the same run. Nothing is
    opened for that; the workspace is when the run is first used there.
    """

    _id: str
    _experiment: Experiment
    _recorder: Recorder
    _write: Callable[[Event], None]

    @property
    def _limits(self) -> Limits | None:
        return self._experiment.workspace._limits

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _OF_THIS_PROCESS}

    if not TYPE_CHECKING:  # or else any misspelt name would pass for an attribute

        def __getattr__(self, name: str) -> Any:
            if name == "_recorder":
                self._recorder = self._experiment.workspace._recorder
            elif name == "_blocks":
                self._blocks = []
            elif name == "_write":
                write = self._recorder.write
                self._write = self._limits.watched(write) if self._limits else write
            else:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            return vars(self)[name]
