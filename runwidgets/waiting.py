"""Waiting for a run's end, and what is told of it then."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import StoreError
from runwidgets.records import RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runwidgets.records import RunError, RunRecord
    from runwidgets.run import Run
    from runwidgets.store.recorder import Recorder

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 0.25
_RECOVER_SECONDS: Final = 2.0
_POST_PROCESSING: Final = frozenset({RunStatus.CANCEL_REQUESTED, RunStatus.FINALIZING})


def wait_for_end(run: Run, *, wait_post_processing: bool) -> None:
    """Return when a run has ended, in whichever process it runs; a store that is away is waited for.

    Parameters
    ----------
    run
        The run.
    wait_post_processing
        Whether Finalizing and CancelRequested count as running.
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
                if status.is_final or (status in _POST_PROCESSING and not wait_post_processing):
                    return
            changed.wait(_LOOK_SECONDS)
    finally:
        forget()


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
    debug = {"type": error.code, "message": error.message, "stackTrace": error.traceback}
    return {"error": {"code": error.code, "message": error.message, "details": [], "debugInfo": debug}}
