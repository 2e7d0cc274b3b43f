"""`Reading`: the metrics and files of a run, as its readers get them."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from runwidgets.errors import NotFoundError
from runwidgets.filters import run_query
from runwidgets.handle import Handle
from runwidgets.metrics import sdk_metrics  # not when first asked: a fork meanwhile would leave the import locked
from runwidgets.records import SYSTEM_METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from runwidgets.model import Model
    from runwidgets.records import MetricDelta
    from runwidgets.run import Run

_log = logging.getLogger(__name__)
LOG_FOLDERS: Final = ("logs/", "azureml-logs/", "user_logs/")
"""How the names of a run's logs begin."""


class Reading(Handle):
    """The half of a `Run` that readers ask for metrics and files."""

    get_details: Callable[[], dict[str, Any]]

    def get_file_names(self) -> list[str]:
        """List the names of all files of the run, images included."""
        self._recorder.flush()
        return [file.path for file in self._recorder.store.files(self._id)]

    def download_file(
        self,
        name: str,
        output_file_path: str | Path | None = None,
        _validate_checksum: bool = False,
    ) -> None:
        """Copy a file of the run out.

        Parameters
        ----------
        name
            Its name in the run.
        output_file_path
            Where to; in a folder it gets its own name; by default the current folder.

        Raises
        ------
        NotFoundError
            If the run has no such file; the message lists what it has.
        """
        from shutil import copyfile

        source = self._experiment.workspace._files.path(self._id, name, self.get_file_names())
        target = Path(output_file_path) if output_file_path is not None else Path(source.name)
        if target.is_dir():
            target /= source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        copyfile(source, target)

    def download_files(  # noqa: PLR0917 (SDK v1's signature)
        self,
        prefix: str | None = None,
        output_directory: str | Path | None = None,
        output_paths: Sequence[str | Path] | None = None,
        batch_size: int = 100,  # noqa: ARG002 (SDK v1's signature; nothing is sent)
        append_prefix: bool = True,
        timeout_seconds: float | None = None,  # noqa: ARG002
    ) -> None:
        """Copy files of the run out.

        Parameters
        ----------
        prefix
            Only the files in this folder of the run; by default all.
        output_directory
            Where to; by default the current folder.
        output_paths
            Where to for each file, in the order of `get_file_names`, within ``output_directory``. Anything but one
            path for each file is ignored, with a warning.
        batch_size, timeout_seconds
            Accepted, as in SDK v1.
        append_prefix
            Whether the names in ``output_directory`` begin with the prefix.
        """
        folder = "/".join(part for part in (prefix or "").split("/") if part not in ("", ".")) + "/"
        names = [name for name in self.get_file_names() if folder == "/" or name.startswith(folder)]
        if not names:
            _log.warning("run %s has no files in %r: nothing is copied", self._id, prefix or "/")
        cut = len(folder) if folder != "/" and not append_prefix and output_directory is not None else 0
        targets: Sequence[str | Path] = [name[cut:] for name in names]
        if output_paths is not None:
            if isinstance(output_paths, (str, Path)) or len(output_paths) != len(names):
                _log.warning("output_paths is ignored: it must hold one path for each of the %d files", len(names))
            else:
                targets = output_paths
        for name, target in zip(names, targets, strict=True):
            self.download_file(name, Path(output_directory or ".") / target)

    def register_model(  # noqa: PLR0917 (SDK v1's signature)
        self,
        model_name: str,
        model_path: str | None = None,
        tags: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        description: str | None = None,
        datasets: object = None,  # noqa: ARG002
        sample_input_dataset: object = None,  # noqa: ARG002
        sample_output_dataset: object = None,  # noqa: ARG002
        resource_configuration: object = None,  # noqa: ARG002
        **kwargs: object,  # noqa: ARG002
    ) -> Model:
        """Keep a file or a folder of the run as the next version of a model; it outlives the run.

        Parameters
        ----------
        model_name
            The model's name, as for `Model.register`.
        model_path
            A file of the run, or a folder in it, such as ``outputs/model.pkl``; by default what is called as the model
            is.
        tags, properties, model_framework, model_framework_version, description
            As for `Model.register`.
        datasets, sample_input_dataset, sample_output_dataset, resource_configuration, **kwargs
            Accepted, as in SDK v1, and unused.

        Raises
        ------
        ModelPathNotFoundError
            If the run has no such file; the message lists what it has.
        UserError
            If the name cannot be a model's.
        """
        from runwidgets.model import Model
        from runwidgets.registering import register_from_run

        record = register_from_run(
            cast("Run", self), model_name, model_path, self.get_file_names(), tags=tags, properties=properties,
            description=description, model_framework=model_framework, model_framework_version=model_framework_version,
        )  # fmt: skip
        return Model._of(self._experiment.workspace, record)

    def _log_files(self) -> dict[str, Path]:
        """Find the run's logs: where each lies, by its name in the run."""
        files = self._experiment.workspace._files
        names = self.get_file_names()
        found = {}
        for name in names:
            if name.startswith(LOG_FOLDERS):
                with suppress(NotFoundError):  # somebody has deleted it
                    found[name] = files.path(self._id, name).absolute()
        return found

    def get_details_with_logs(self) -> dict[str, Any]:
        """Tell what `Run.get_details` tells, with the content of each log in place of its address."""
        logs = {name: path.read_text("utf-8", "replace") for name, path in self._log_files().items()}
        return {**self.get_details(), "logFiles": logs}

    def get_all_logs(self, destination: str | Path | None = None) -> list[str]:
        """Copy the run's logs out.

        Parameters
        ----------
        destination
            The folder to copy them to, with the folders that they have in the run; by default one in the current
            folder that is called by the run's id.

        Returns
        -------
        list of str
            The paths of the copies.
        """
        folder = Path(destination if destination is not None else self._id)
        names = list(self._log_files())
        for name in names:
            self.download_file(name, folder / name)
        return [str(folder / name) for name in names]

    def get_metrics(
        self, name: str | None = None, recursive: bool = False, run_type: str | None = None, populate: bool = False
    ) -> dict[str, Any]:
        """Read what was logged, by metric name.

        Parameters
        ----------
        name
            Only this metric. Without it, what a submitted run uses of the machine (``system/…``) is left out.
        recursive
            Give ``{run_id: {metric: value}}`` for this run and all below it; runs without metrics are left out.
        run_type
            Of the runs below, only those of this type.
        populate
            Give the files that metrics stand for as `Artifact` objects, with their content.

        Returns
        -------
        dict
            A value logged once as itself, a vector as a list, a row as a dict of values, a table as a dict of lists,
            an image, confusion matrix or the like as the identifier of its first file. Empty where nothing was logged.
        """
        self._recorder.flush()
        store = self._recorder.store
        files = self._experiment.workspace._files if populate else None

        def of(run_id: str) -> dict[str, Any]:
            found = store.metrics(run_id, name)
            if name is None:
                found = [metric for metric in found if not metric.name.startswith(SYSTEM_METRICS)]
            return sdk_metrics(found, run_id, files)

        if not recursive:
            return of(self._id)
        below = store.find(run_query(below=self._id, deep=True, run_type=run_type))
        metrics = {run_id: of(run_id) for run_id in (self._id, *below)}
        return {run_id: found for run_id, found in metrics.items() if found}

    def get_metrics_frame(self, name: str) -> pd.DataFrame:
        """Read one metric as a DataFrame.

        Parameters
        ----------
        name
            Name of the metric.

        Returns
        -------
        pandas.DataFrame
            A row for each that was logged, with the columns ``_step`` (where any was given), ``_time`` (UTC), and those
            of the metric: ``value`` for a vector. Types are kept, and NaN is not None: see `runwidgets.frames`.

        Raises
        ------
        NotFoundError
            If nothing was logged under that name; the message lists what was.
        MissingDependencyError
            If pandas is not installed.
        """
        from runwidgets.frames import metric_frame

        return metric_frame(self._whole(name)[0])

    def to_parquet(self, path: str | Path, name: str | None = None) -> None:
        """Write metrics as a Parquet file, a row for each value.

        Parameters
        ----------
        path
            The file.
        name
            Only this metric; by default all.

        Raises
        ------
        NotFoundError
            If nothing was logged under that name; the message lists what was.
        MissingDependencyError
            If pyarrow is not installed.
        """
        from runwidgets.exports import write_parquet

        write_parquet(self._whole(name), Path(path))

    def to_csv(self, path: str | Path, name: str | None = None) -> None:
        """Write metrics as a CSV file, a line for each value; as `to_parquet`, see `runwidgets.exports.write_csv`."""
        from runwidgets.exports import write_csv

        metrics = self._whole(name)
        with Path(path).open("w", encoding="utf-8", newline="\n") as file:
            write_csv(metrics, file)

    def to_json(self, path: str | Path, name: str | None = None) -> None:
        """Write metrics as a JSON file, by name; as `to_parquet`, see `runwidgets.exports.write_json`."""
        from runwidgets.exports import write_json

        metrics = self._whole(name)
        with Path(path).open("w", encoding="utf-8", newline="\n") as file:
            write_json(metrics, file)

    def _whole(self, name: str | None) -> list[MetricDelta]:
        self._recorder.flush()
        store = self._recorder.store
        metrics = store.metrics(self._id, name)
        if name is not None and not metrics:
            there = ", ".join(repr(metric.name) for metric in store.metrics(self._id)) or "none"
            raise NotFoundError(f"run {self._id} has no metric {name!r}; it has: {there}")
        return metrics
