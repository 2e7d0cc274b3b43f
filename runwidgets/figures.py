"""`Figures`: metrics that are files, images and the JSON documents behind standard charts."""

from __future__ import annotations

import io
import json
import logging
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runwidgets.documents import checked_document
from runwidgets.errors import ArgumentTypeError, UserError
from runwidgets.events import RowsLogged
from runwidgets.images import HEAD_BYTES, image_type
from runwidgets.records import VECTOR_COLUMN, MetricKind
from runwidgets.system import may_be_written
from runwidgets.uploading import Uploading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_log = logging.getLogger(__name__)
_now = time.time
_NOT_IN_FILE_NAMES: Final = re.compile(r"[^\w.\- /()+=,@]")
_LONGEST_STEM: Final = 50


class Figures(Uploading):
    """The part of a `Run` that logs metrics which are files."""

    def log_image(self, name: str, path: str | Path | None = None, plot: Any = None, description: str = "") -> None:  # noqa: ARG002
        """Log an image: a file, or a matplotlib figure as it is now.

        Parameters
        ----------
        name
            Name of the metric; logged again, it becomes a series of images.
        path
            A PNG, JPEG, GIF, WebP or BMP file.
        plot
            A matplotlib figure, or ``matplotlib.pyplot`` for the current one.
        description
            Accepted, as in SDK v1.

        Raises
        ------
        UserError
            If not just one of ``path`` and ``plot`` is given, or it is no image.
        FileNotFoundError
            If there is no file at ``path``.
        """
        check_name(name)
        if path is not None and plot is not None:
            raise UserError(f"log_image({name!r}): path and plot were both provided, only one at a time is supported")
        if plot is not None:
            if not callable(getattr(plot, "savefig", None)):
                raise ArgumentTypeError(
                    f"log_image({name!r}): Argument [plot] is of invalid type {type(plot).__name__}. "
                    "Expected type: [matplotlib.pyplot] or a matplotlib figure"
                )
            stream = io.BytesIO()
            plot.savefig(stream, format="png")
            self._log_as_file(MetricKind.IMAGE, name, stream.getvalue(), _own_paths(name, "png"))
        elif path is not None:
            data = Path(path).read_bytes()
            media_type = image_type(data[:HEAD_BYTES])
            if media_type is None:
                raise UserError(
                    f"log_image({name!r}): Argument [{path}] is malformed: no PNG, JPEG, GIF, WebP or BMP file"
                )
            self._log_as_file(MetricKind.IMAGE, name, data, _own_paths(name, media_type.removeprefix("image/")))
        else:
            raise UserError(f"log_image({name!r}): one of path and plot is required as input")

    def log_accuracy_table(self, name: str, value: Mapping[str, Any] | str, description: str = "") -> None:  # noqa: ARG002
        """Log the table behind ROC, precision-recall, lift, gain and calibration curves of a classifier.

        Parameters
        ----------
        name
            Name of the metric.
        value
            A dict, or its JSON text: ``schema_type`` is ``"accuracy_table"``, ``schema_version`` ``"1.0.1"``, and
            ``data`` has ``class_labels`` (C strings), ``probability_thresholds`` and ``percentile_thresholds`` (M
            numbers each), ``probability_tables`` and ``percentile_tables``: counts TP, FP, TN, FN for each class and
            threshold, shape ``(C, M, 4)``. The four add up to the same everywhere, TP + FN does for each class. Arrays
            of numpy are accepted.
        description
            Accepted, as in SDK v1.

        Raises
        ------
        UserError
            If it is no such table, or no JSON.
        """
        self._log_document(MetricKind.ACCURACY_TABLE, name, value)

    def log_confusion_matrix(self, name: str, value: Mapping[str, Any] | str, description: str = "") -> None:  # noqa: ARG002
        """Log a confusion matrix.

        Parameters
        ----------
        name
            Name of the metric.
        value
            A dict, or its JSON text: ``schema_type`` is ``"confusion_matrix"``, ``schema_version`` ``"1.0.0"``, and
            ``data`` has ``class_labels`` (C strings) and ``matrix``: numbers, shape ``(C, C)``, a row for each true
            class. Arrays of numpy are accepted.
        description
            Accepted, as in SDK v1.

        Raises
        ------
        UserError
            If it is no such matrix, or no JSON.
        """
        self._log_document(MetricKind.CONFUSION_MATRIX, name, value)

    def log_residuals(self, name: str, value: Mapping[str, Any] | str, description: str = "") -> None:  # noqa: ARG002
        """Log a histogram of residuals, predicted less actual, of a regression.

        Parameters
        ----------
        name
            Name of the metric.
        value
            A dict, or its JSON text: ``schema_type`` is ``"residuals"``, ``schema_version`` ``"1.0.0"``, and ``data``
            has ``bin_edges`` (n + 1 ascending numbers) and ``bin_counts`` (n). Arrays of numpy are accepted.
        description
            Accepted, as in SDK v1.

        Raises
        ------
        UserError
            If it is no such histogram, or no JSON.
        """
        self._log_document(MetricKind.RESIDUALS, name, value)

    def log_predictions(self, name: str, value: Mapping[str, Any] | str, description: str = "") -> None:  # noqa: ARG002
        """Log predicted over true values of a regression, averaged in bins of the true values.

        Parameters
        ----------
        name
            Name of the metric.
        value
            A dict, or its JSON text: ``schema_type`` is ``"predictions"``, ``schema_version`` ``"1.0.0"``, and ``data``
            has ``bin_edges`` (n + 1 ascending numbers), and for each bin ``bin_averages``, ``bin_errors`` (standard
            deviations) and ``bin_counts``. Arrays of numpy are accepted.
        description
            Accepted, as in SDK v1.

        Raises
        ------
        UserError
            If it is nothing such, or no JSON.
        """
        self._log_document(MetricKind.PREDICTIONS, name, value)

    def _log_document(self, kind: MetricKind, name: str, value: Any) -> None:
        check_name(name)
        data = json.dumps(checked_document(kind, name, value)).encode()
        self._log_as_file(kind, name, data, self._document_paths(name))

    def _document_paths(self, name: str) -> Iterator[str]:
        """Give the metric's own name, as in SDK v1, where it is free and can be a file's; else one made of it."""
        from runwidgets.store.files import checked_name

        with suppress(UserError):
            path = checked_name(name)
            if self._experiment.workspace._files.claim(self._id, path):
                yield path
        yield from _own_paths(name, "json")

    def _log_as_file(self, kind: MetricKind, name: str, data: bytes, paths: Iterator[str]) -> None:
        """Keep the file of a metric under the first path that the disk accepts, and log that path."""
        self._note_use()
        trouble = None
        for path in paths:
            try:
                self._store_file(path, io.BytesIO(data))
            except OSError as error:
                trouble = error
            else:
                self._write(RowsLogged(self._id, _now(), name, kind, {VECTOR_COLUMN: [path]}))
                return
        if may_be_written(self._experiment.workspace._folder):  # else the journal tells, of this too
            _log.warning("the %s %r is not kept: %s; training goes on", kind.value.replace("_", " "), name, trouble)


def check_name(name: object) -> None:
    """Refuse what cannot be a metric's name.

    Raises
    ------
    UserError
        If it is empty, or no string (then also a `TypeError`).
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"a metric's name is a str, not {type(name).__name__}")
    if not name:
        raise UserError("a metric's name is empty")


def _own_paths(name: str, suffix: str) -> Iterator[str]:
    """Make paths of any metric's name that no other file of the run has: one in folders, one where they cannot be."""
    stem = _NOT_IN_FILE_NAMES.sub("_", name).strip("/. ")[:_LONGEST_STEM].replace("..", "_") or "file"
    path = f"{stem}_{time.time_ns() // 1000}.{suffix}"
    yield path
    yield path.replace("/", "_")
