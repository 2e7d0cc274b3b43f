"""The JSON documents of a run, read from their files when they are asked for, within limits."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from runwidgets.errors import NotFoundError, UserError
from runwidgets.watch.evaluation import figure_of

if TYPE_CHECKING:
    from pathlib import Path

    from runwidgets.records import MetricKind
    from runwidgets.store.files import FileRoot
    from runwidgets.watch.evaluation import Figure, FigureMessage
    from runwidgets.watch.view import RunView

MAX_BYTES: Final = 8 * 2**20
"""Largest document that is read: checking one of this size takes a few seconds."""
MAX_KEPT: Final = 64
"""How many figures are kept, to be shown again without their files."""


class Sheets:
    """Gives what the documents of one run are drawn as.

    Parameters
    ----------
    files
        The workspace's files.
    run_id
        The run.
    """

    def __init__(self, files: FileRoot, run_id: str) -> None:
        self._files = files
        self._run_id = run_id
        self._mutex = threading.Lock()
        self._logged: dict[str, tuple[MetricKind, str]] = {}
        self._figures: dict[str, Figure] = {}

    def know(self, view: RunView) -> None:
        """Take note of which documents were logged: no other file is read, whatever a browser asks for."""
        self._logged = {
            path: (metric.kind, metric.name) for metric in view.metrics.values() for _, path in metric.documents
        }

    def answer(self, request: Any) -> FigureMessage | None:
        """Give the figure that a browser asks for by a ``FigureRequest``; None to what is no such request."""
        if not isinstance(request, dict) or request.get("kind") != "figure":
            return None
        path = request.get("path")
        if not isinstance(path, str) or path not in self._logged:
            return None
        figure, is_final = self.figure(path)
        return {"kind": "figure", "path": path, "figure": figure, "is_final": is_final}

    def figure(self, path: str) -> tuple[Figure, bool]:
        """Give the figure of a document that was logged, and whether another look would give the same."""
        with self._mutex:
            if path in self._figures:
                return self._figures[path], True
            figure = self._read(path)
            if figure is None:
                return {"kind": "refused", "note": "the file is not there"}, False
            self._figures[path] = figure
            while len(self._figures) > MAX_KEPT:
                del self._figures[next(iter(self._figures))]
            return figure, True

    def _read(self, path: str) -> Figure | None:
        kind, name = self._logged[path]
        try:
            file = self._files.path(self._run_id, path)
            size = file.stat().st_size
            if size > MAX_BYTES:
                return {"kind": "refused", "note": f"larger than {MAX_BYTES // 2**20} MB: download the file to see it"}
            return _figure_in(file, kind, name)
        except (NotFoundError, OSError):
            return None
        except UserError as error:
            return {"kind": "refused", "note": str(error)}


def _figure_in(file: Path, kind: MetricKind, name: str) -> Figure:
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return {"kind": "refused", "note": "the file is no JSON: it is damaged or cut off"}
    try:
        with np.errstate(all="ignore"):
            figure = figure_of(kind, name, value)
        json.dumps(figure, allow_nan=False)  # counts that add up to infinity have no place on the wire
    except (ArithmeticError, ValueError, TypeError) as error:
        # A UserError is a ValueError, and says what is wrong with it; the rest are numbers that no float can hold.
        return {"kind": "refused", "note": str(error) if isinstance(error, UserError) else "its numbers are too large"}
    return figure
