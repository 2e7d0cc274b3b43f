"""Waiting for a run's end, and what is told of it then."""

from __future__ import annotations

import codecs
import logging
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import NotFoundError, StoreError
from runwidgets.records import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runwidgets.records import RunError, RunRecord
    from runwidgets.run import Run
    from runwidgets.store.recorder import Recorder

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 0.25
_RECOVER_SECONDS: Final = 2.0
_POST_PROCESSING: Final = frozenset({RunStatus.CANCEL_REQUESTED, RunStatus.FINALIZING})


def wait_for_end(run: Run, *, wait_post_processing: bool, at_each_look: Callable[[], None] = lambda: None) -> None:
    """Return when a run has ended, in whichever process it runs; a store that is away is waited for.

    Parameters
    ----------
    run
        The run.
    wait_post_processing
        Whether Finalizing and CancelRequested count as running.
    at_each_look
        What to do besides, a few times a second and once after the end.
    """
    changed = threading.Event()

    def listen(run_id: str) -> None:
        if run_id == run.id:
            changed.set()

    forget = run._recorder.on_status(listen)
    complained, recovered_at = False, float("-inf")
    try:
        while True:
            changed.clear()
            try:
                status = RunStatus(run.get_status())
                if status is RunStatus.NOT_RESPONDING and time.monotonic() - recovered_at >= _RECOVER_SECONDS:
                    recovered_at = time.monotonic()
                    run._recorder.recover()
                    status = RunStatus(run.get_status())
            except StoreError as error:
                if not complained:
                    complained = True
                    _log.warning("%s; waiting for run %s goes on", error, run.id)
            else:
                at_each_look()
                if status.is_final or (status in _POST_PROCESSING and not wait_post_processing):
                    return
            changed.wait(_LOOK_SECONDS)
    finally:
        forget()


class LogStream:
    """Prints a log of a run as it grows.

    Parameters
    ----------
    run
        The run.
    name
        The log's name among its files.
    """

    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self._name = name
        self._at = 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def print_more(self) -> None:
        """Print what is new, under a heading where it is the first."""
        try:
            path = self._run.experiment.workspace._files.path(self._run.id, self._name)
            with path.open("rb") as file:
                file.seek(self._at)
                data = file.read()
        except (NotFoundError, OSError):
            return  # nothing was printed yet
        if data and not self._at:
            heading = f"Streaming {self._name}"
            sys.stdout.write(f"\n{heading}\n{'=' * len(heading)}\n\n")
        self._at += len(data)
        sys.stdout.write(self._decode(data))
        sys.stdout.flush()


def flush_within(recorder: Recorder, seconds: float) -> None:
    """Flush a recorder, and raise `StoreError` where that takes longer than so many seconds."""
    errors: list[BaseException] = []

    def flush() -> None:
        try:
            recorder.flush()
        except Exception as error:  # noqa: BLE001 (it is raised where it was asked for)
            errors.append(error)

    thread = threading.Thread(target=flush, name="runwidgets-flush", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise StoreError(
            f"what was logged did not reach the store in {recorder.folder} within {seconds} s: it stays in the journal"
        )
    if errors:
        raise errors[0]


def run_details(
    run_id: str,
    status: str,
    record: RunRecord | None,
    properties: Mapping[str, str],
    logs: Mapping[str, str],
) -> dict[str, Any]:
    """Describe a run with the keys of SDK v1's ``get_details``."""
    details: dict[str, Any] = {
        "runId": run_id,
        "target": "local",
        "status": status,
        "startTimeUtc": _utc(record.started_at) if record else None,
    }
    if record is not None and record.ended_at is not None:
        details["endTimeUtc"] = _utc(record.ended_at)
    return {
        **details,
        "services": {},
        "error": _described(record.error) if record and record.error else None,
        "warnings": [],
        "properties": dict(properties),
        "inputDatasets": [],
        "outputDatasets": [],
        "runDefinition": {},
        "logFiles": dict(logs),
        "submittedBy": "",
    }


def _utc(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _described(error: RunError) -> dict[str, Any]:
    """Describe an error as SDK v1 does: of an exception, its class is in the message."""
    if error.traceback is None:
        return {"error": {"code": error.code, "message": error.message, "details": []}}
    raised = _class_in(error.traceback, error.message.partition("\n")[0]) or error.code
    described = {
        "code": "UserError" if error.code == raised else error.code,
        "message": f"User program failed with {raised}: {error.message}",
        "details": [],
        "debugInfo": {"type": raised, "message": error.message, "stackTrace": error.traceback},
    }
    return {"error": described}


def _class_in(traceback: str, first_line: str) -> str:
    """Find the class of the exception that a traceback ends with, whose message begins with this line."""
    for line in reversed(traceback.splitlines()):
        name, _, said = line.partition(": ")
        if said == first_line and name and not name.startswith(" "):
            return name.rpartition(".")[2]
    return ""
