"""What a display shows of a run that is in no view, since no event tells of it: its logs, its place in a queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runwidgets.records import RunStatus
from runwidgets.watch.bars import current_bar
from runwidgets.watch.screen import shown

if TYPE_CHECKING:
    from runwidgets.records import RunRecord
    from runwidgets.run import Run
    from runwidgets.watch.bars import Bar
    from runwidgets.watch.logs import Logs
    from runwidgets.watch.view import RunView

_SCRIPT_TYPE: Final = "azureml.scriptrun"
_LAST_BYTES: Final = 2**14
"""How much of the end of a log is searched for a progress bar, and for what a static picture shows."""
_MAX_QUEUE_WORDS: Final = 200


@dataclass(frozen=True)
class Beside:
    """What a header shows of a run that is not in its view, for it is no event.

    Attributes
    ----------
    log_count
        How many logs the run has.
    is_canceling
        Whether it is being canceled from here, of which its status need not say so yet.
    cancel_trouble
        Why it could not be canceled when that was asked for last; None if nothing went wrong.
    bar
        The progress bar that its script draws, and when it was drawn, epoch seconds; None where it draws none.
    queue
        What the queue says of it while it is Queued; None where that is nothing.
    """

    log_count: int = 0
    is_canceling: bool = False
    cancel_trouble: str | None = None
    bar: tuple[Bar, float] | None = None
    queue: str | None = None


NOTHING_BESIDE: Final = Beside()


def is_script(record: RunRecord | None) -> bool:
    """Tell whether a run is that of a submitted script, which has a log from the beginning."""
    return record is not None and record.type == _SCRIPT_TYPE


class Onlooker:
    """Looks at what is beside the view of one run.

    Parameters
    ----------
    run
        The run.
    logs
        Its logs.
    """

    def __init__(self, run: Run, logs: Logs) -> None:
        self._run = run
        self._logs = logs

    def beside(self, view: RunView) -> Beside:
        """Look at all of it."""
        return Beside(log_count=len(self._logs.find(view.files)), bar=self.bar(view), queue=self.queue(view))

    def queue(self, view: RunView) -> str | None:
        """Ask what the queue says of the run, if it waits in it; None where that is nothing, or cannot be known."""
        if view.status is not RunStatus.QUEUED:
            return None
        try:
            said = self._run.get_detailed_status()["details"]
        except Exception:  # noqa: BLE001 (the status is told all the same, and the next look asks again)
            return None
        return str(said)[:_MAX_QUEUE_WORDS] if said else None

    def bar(self, view: RunView) -> tuple[Bar, float] | None:
        """Find the progress bar that a script draws which reports no progress itself, and when it was drawn."""
        if view.record is None or view.record.progress is not None or view.status.is_final:
            return None
        found = self._logs.last(_LAST_BYTES)
        bar = current_bar(shown(found[0].decode("utf-8", "replace"))) if found else None
        return (bar, found[1]) if found and bar else None

    def log_lines(self, view: RunView) -> list[str]:
        """Give the end of a script's log as text; of other runs the notebook shows what was printed already."""
        if not is_script(view.record):
            return []
        if not self._logs.names:  # where nobody has looked yet
            self._logs.find(view.files, view.properties)
        found = self._logs.last(_LAST_BYTES)
        return shown(found[0].decode("utf-8", "replace")).lines if found else []
