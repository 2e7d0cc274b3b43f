"""`Run`: what a training script logs to, and what a reader asks."""

from __future__ import annotations

import io
import logging
import re
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

from runwidgets.errors import ArgumentTypeError, NotFoundError, StoreError, UserError
from runwidgets.images import HEAD_BYTES, image_type
from runwidgets.records import (
    VECTOR_COLUMN,
    FileStored,
    MetricKind,
    PointLogged,
    ProgressMade,
    PropertiesAdded,
    RowsLogged,
    RunCreated,
    RunError,
    RunStatus,
    StatusSet,
    TagsSet,
)
from runwidgets.values import is_sequence, plain_list, plain_value

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from runwidgets.experiment import Experiment
    from runwidgets.records import RunRecord

_log = logging.getLogger(__name__)
_now = time.time
_RUN_ID: Final = re.compile(r"[A-Za-z0-9][\w.\-]{0,254}", re.ASCII)
_NOT_IN_FILE_NAMES: Final = re.compile(r"[^\w.\- /()+=,@]")


class Run:
    """One run of an experiment: metrics, tags, files, children and a status.

    ``Run(experiment, run_id)`` opens a run that exists; `Experiment.start_logging` and `Run.child_run` start new ones.
    Any number of processes may log to one run; each call returns when what was logged outlives the process.

    Parameters
    ----------
    experiment
        The experiment it belongs to.
    run_id
        Its id.

    Raises
    ------
    NotFoundError
        If the workspace has no such run.
    """

    def __init__(self, experiment: Experiment, run_id: str) -> None:
        recorder = experiment.workspace._recorder
        recorder.flush()
        record = recorder.store.run(run_id)
        if record is None:
            recorder.recover()
            record = recorder.store.run(run_id)
        if record is None:
            raise NotFoundError(f"the workspace {experiment.workspace.name!r} has no run {run_id!r}")
        self._attach(experiment, record)

    def _attach(self, experiment: Experiment, record: RunRecord) -> None:
        if record.experiment not in ("", experiment.name):
            from runwidgets.experiment import Experiment

            experiment = Experiment(experiment.workspace, record.experiment)
        self._begin(experiment, record.run_id, record.name, record.parent_id, record.type, record.number)
        self._status = record.status

    def _begin(  # noqa: PLR0917 (private, and all of them are needed)
        self,
        experiment: Experiment,
        run_id: str,
        name: str | None,
        parent_id: str | None,
        run_type: str | None = None,
        number: int | None = None,
    ) -> None:
        self._experiment = experiment
        self._id = run_id
        self._name = name
        self._parent_id = parent_id
        self._type = run_type
        self._number = number
        self._status = RunStatus.NOT_STARTED
        self._recorder = experiment.workspace._recorder
        self._write = self._recorder.write

    @classmethod
    def _of(cls, experiment: Experiment, record: RunRecord) -> Run:
        run = cls.__new__(cls)
        run._attach(experiment, record)
        return run

    # ---- what it is

    @property
    def id(self) -> str:
        """Its id."""
        return self._id

    @property
    def name(self) -> str:
        """Its name; ``run_<id>`` where none was given."""
        return self._name or f"run_{self._id}"

    @property
    def display_name(self) -> str:
        """The name that displays show."""
        return self.name

    @property
    def type(self) -> str | None:
        """What kind of run it is; None for an interactive one."""
        return self._type

    @property
    def experiment(self) -> Experiment:
        """The experiment it belongs to."""
        return self._experiment

    @property
    def number(self) -> int | None:
        """Its number in the experiment, counting from 1."""
        if self._number is None:
            record = self._record()
            self._number = record.number if record else None
        return self._number

    @property
    def parent(self) -> Run | None:
        """The run that it is a child of, or None."""
        return Run(self._experiment, self._parent_id) if self._parent_id else None

    @property
    def status(self) -> str:
        """The status as this object last saw it; `get_status` asks anew."""
        return self._status.value

    def get_status(self) -> str:
        """Ask for the status now.

        Returns
        -------
        str
            One of the words of `RunStatus`. ``NotResponding`` where the process that ran it is gone and nobody has
            recorded an end yet.
        """
        if not self._status.is_final:
            from runwidgets.store.liveness import observed_status

            record = self._record()
            if record is not None:
                self._status = observed_status(record.status, record.owner)
        return self._status.value

    def _record(self) -> RunRecord | None:
        self._recorder.flush()
        return self._recorder.store.run(self._id)

    # ---- logging

    def log(self, name: str, value: Any, description: str = "", step: float | None = None) -> None:  # noqa: ARG002
        """Log one value; a metric logged again and again becomes a vector, and a chart.

        Parameters
        ----------
        name
            Name of the metric.
        value
            A number, string, boolean or None, of Python, numpy or a like library. NaN and the infinities are kept.
            What is none of these is kept as its text.
        description
            Accepted, as in SDK v1.
        step
            Where on the x axis the value belongs; by default charts count values.

        Raises
        ------
        UserError
            If the value is a list, an array or the like: use `log_list`.
        """
        if type(value) is not float and type(value) is not int:
            value = _scalar(name, value)
        if type(name) is not str or not name:
            _check_name(name)
        if step is not None and type(step) is not int:
            step = _step(step)
        self._write(PointLogged(self._id, _now(), name, value, step))

    def log_list(self, name: str, value: Iterable[Any], description: str = "") -> None:  # noqa: ARG002
        """Log several values of a vector, in order.

        Parameters
        ----------
        name
            Name of the metric.
        value
            Any iterable of scalars: a list, an array, a Series, a generator. An empty one is fine.
        description
            Accepted, as in SDK v1.

        Raises
        ------
        UserError
            If it is not iterable, or an element is itself several values.
        """
        _check_name(name)
        values = _values(f"log_list({name!r}): value", value)
        self._write(RowsLogged(self._id, _now(), name, MetricKind.VECTOR, {VECTOR_COLUMN: values}))

    def log_row(self, name: str, description: str | None = None, **kwargs: Any) -> None:  # noqa: ARG002
        """Log one row of a table.

        Parameters
        ----------
        name
            Name of the metric.
        description
            Accepted, as in SDK v1.
        **kwargs
            A scalar by column. A row may have other columns than the one before; what is missing is None.

        Raises
        ------
        UserError
            If a cell is several values, or there is no column.
        """
        _check_name(name)
        if not kwargs:
            raise UserError(f"log_row({name!r}) got no columns: give them as keywords, as in log_row('xy', x=1, y=2)")
        columns = {}
        for column, cell in kwargs.items():
            if is_sequence(cell):
                raise UserError(
                    f"log_row({name!r}): column {column} contains a {type(cell).__name__}; rows cannot contain several "
                    "values in a cell. Use log_table for whole columns"
                )
            columns[column] = [plain_value(cell)]
        self._write(RowsLogged(self._id, _now(), name, MetricKind.TABLE, columns))

    def log_table(self, name: str, value: Mapping[str, Any], description: str = "") -> None:  # noqa: ARG002
        """Log a table, or more rows of one.

        Parameters
        ----------
        name
            Name of the metric.
        value
            Columns by name: a dict of lists, arrays or Series of one length, or a DataFrame. A scalar counts as a
            column of one.
        description
            Accepted, as in SDK v1.

        Raises
        ------
        UserError
            If it is no table, or its columns differ in length.
        """
        _check_name(name)
        if not hasattr(value, "items"):
            raise ArgumentTypeError(
                f"log_table({name!r}): value is a {type(value).__name__}, not a dict of columns or a DataFrame"
            )
        columns: dict[str, list[Any]] = {}
        for column, cells in value.items():
            several = is_sequence(cells) or isinstance(cells, (list, tuple))
            columns[str(column)] = _values(f"log_table({name!r}): column {column}", cells if several else [cells])
        lengths = {column: len(cells) for column, cells in columns.items()}
        if len(set(lengths.values())) > 1:
            raise UserError(f"log_table({name!r}): Columns must have the same length, but they have {lengths}")
        self._write(RowsLogged(self._id, _now(), name, MetricKind.TABLE, columns))

    def log_image(self, name: str, path: str | None = None, plot: Any = None, description: str = "") -> None:  # noqa: ARG002
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
        _check_name(name)
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
            stream.seek(0)
            self._store_image(name, stream, "png")
        elif path is not None:
            with Path(path).open("rb") as file:
                media_type = image_type(file.read(HEAD_BYTES))
                if media_type is None:
                    raise UserError(
                        f"log_image({name!r}): Argument [{path}] is malformed: no PNG, JPEG, GIF, WebP or BMP file"
                    )
                file.seek(0)
                self._store_image(name, file, media_type.removeprefix("image/"))
        else:
            raise UserError(f"log_image({name!r}): one of path and plot is required as input")

    def _store_image(self, name: str, stream: BinaryIO, suffix: str) -> None:
        stem = _NOT_IN_FILE_NAMES.sub("_", name).strip("/. ")[:50].replace("..", "_") or "image"
        file_name = f"{stem}_{time.time_ns() // 1000}.{suffix}"
        self._store_file(file_name, stream)
        self._write(RowsLogged(self._id, _now(), name, MetricKind.IMAGE, {VECTOR_COLUMN: [file_name]}))

    def progress(self, done: float, total: float | None = None, unit: str = "") -> None:
        """Say how far the run is; displays show a bar and the time left.

        Parameters
        ----------
        done
            How much is done.
        total
            Of how much; None if nobody knows.
        unit
            What is counted, such as ``"epoch"``.
        """
        done_value, total_value = plain_value(done), plain_value(total)
        if isinstance(done_value, (str, type(None))) or isinstance(total_value, str):
            raise ArgumentTypeError(f"progress(done={done!r}, total={total!r}): both are numbers")
        total_float = None if total_value is None else float(total_value)
        self._write(ProgressMade(self._id, _now(), float(done_value), total_float, str(unit)))

    # ---- tags and properties

    def tag(self, key: str, value: Any = None) -> None:
        """Set one tag; the value may be left out."""
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags, in addition to those that are there.

        Parameters
        ----------
        tags
            Values by key; what is no string is set as its text, None stays.
        """
        if not hasattr(tags, "items"):
            raise ArgumentTypeError(f"tags are a dict, not {type(tags).__name__}")
        texts = {}
        for key, value in tags.items():
            if not isinstance(key, str):
                raise ArgumentTypeError(f"the tag {key!r} is no str")
            if value is not None and not isinstance(value, str):
                _log.warning("the tag %r is set to the text of %r: tags are strings", key, value)
            texts[key] = value if value is None else str(value)
        self._write(TagsSet(self._id, _now(), texts))

    def get_tags(self) -> dict[str, str | None]:
        """Ask for all tags."""
        self._recorder.flush()
        return self._recorder.store.tags(self._id)

    def add_properties(self, properties: Mapping[str, Any]) -> None:
        """Add properties: facts that never change.

        Raises
        ------
        UserError
            If one of them has another value already.
        """
        texts = {str(key): str(value) for key, value in properties.items()}
        present = self.get_properties()
        for key, value in texts.items():
            if present.get(key, value) != value:
                raise UserError(
                    f"the property {key!r} is {present[key]!r} already: properties can be added, not changed"
                )
        self._write(PropertiesAdded(self._id, _now(), texts))

    def get_properties(self) -> dict[str, str]:
        """Ask for all properties."""
        self._recorder.flush()
        return self._recorder.store.properties(self._id)

    # ---- files

    def upload_file(self, name: str, path_or_stream: str | Path | BinaryIO) -> None:
        """Keep a file with the run.

        Parameters
        ----------
        name
            Its name there, such as ``outputs/model.pkl``; a file of that name is replaced.
        path_or_stream
            A path, or a binary stream.

        Raises
        ------
        UserError
            If the name leads out of the run, or the source is neither a path nor a stream.
        FileNotFoundError
            If there is no file at the path.
        """
        if isinstance(path_or_stream, (str, Path)):
            self._store_file(name, Path(path_or_stream))
        elif hasattr(path_or_stream, "read"):
            self._store_file(name, path_or_stream)
        else:
            raise ArgumentTypeError(
                f"upload_file({name!r}): path_or_stream is a {type(path_or_stream).__name__}, neither path nor stream"
            )

    def _store_file(self, name: str, source: Path | BinaryIO) -> None:
        from runwidgets.store.files import checked_name

        name = checked_name(name)
        size = self._experiment.workspace._files.save(self._id, name, source)
        self._write(FileStored(self._id, _now(), name, size))

    def get_file_names(self) -> list[str]:
        """List the names of all files of the run, images included."""
        self._recorder.flush()
        return [file.path for file in self._recorder.store.files(self._id)]

    def download_file(self, name: str, output_file_path: str | Path | None = None) -> None:
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

    # ---- children and metrics

    def child_run(self, name: str | None = None, run_id: str | None = None) -> Run:
        """Start a run below this one, in this process; it can be used with ``with``."""
        return start_run(self._experiment, name=name, run_id=run_id, parent_id=self._id)

    def get_children(self) -> Iterator[Run]:
        """Give the runs directly below this one, newest first."""
        self._recorder.flush()
        for record in self._recorder.store.runs(parent_id=self._id):
            yield Run._of(self._experiment, record)

    def get_metrics(self, name: str | None = None, *, recursive: bool = False) -> dict[str, Any]:
        """Read what was logged, by metric name.

        Parameters
        ----------
        name
            Only this metric.
        recursive
            Give ``{run_id: {metric: value}}`` for this run and all below it; runs without metrics are left out.

        Returns
        -------
        dict
            A value logged once as itself, a vector as a list, a row as a dict of values, a table as a dict of lists,
            an image as an identifier of its file. Empty where nothing was logged.
        """
        from runwidgets.metrics import sdk_metrics

        self._recorder.flush()
        own = sdk_metrics(self._recorder.store.metrics(self._id, name), self._id)
        if not recursive:
            return own
        found = {self._id: own} if own else {}
        for child in self.get_children():
            found.update(child.get_metrics(name, recursive=True))
        return found

    # ---- life

    def flush(self, timeout_seconds: float = 300) -> None:  # noqa: ARG002 (SDK v1's signature; nothing here waits so long)
        """Return when others can read all that this process logged."""
        self._recorder.flush()

    def complete(self) -> None:
        """End the run: Completed."""
        self._end(RunStatus.COMPLETED, None)

    def fail(self, error_details: str | BaseException | None = None, error_code: str | None = None) -> None:
        """End the run: Failed.

        Parameters
        ----------
        error_details
            Why: a text, or the exception (then its traceback is kept).
        error_code
            A word for the kind of error; by default ``UserError``, or the name of the exception's class.
        """
        if isinstance(error_details, BaseException):
            from runwidgets.store.recorder import error_of

            error = error_of(error_details)
            error = RunError(error_code or error.code, error.message, error.traceback)
        elif error_details is None or isinstance(error_details, str):
            error = RunError(error_code or "UserError", error_details or "The run was marked as failed.")
        else:
            raise ArgumentTypeError(
                f"fail(): error_details is a {type(error_details).__name__}: give a str or an exception"
            )
        self._end(RunStatus.FAILED, error)

    def _end(self, status: RunStatus, error: RunError | None) -> None:
        self._status = status
        self._recorder.set_status(StatusSet(self._id, _now(), status, error))
        try:
            self._recorder.recover()  # what workers logged that were forked and are gone
            record = self._record()
        except StoreError as problem:
            _log.warning("%s; the end of run %s waits in the journal", problem, self._id)
        else:
            if record is not None:
                self._status = record.status  # a run that had ended before keeps that end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: builtins.type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
            self.complete()
        else:
            self.fail(error)

    def __repr__(self) -> str:
        with suppress(StoreError):
            self.get_status()
        return f"Run(Experiment: {self._experiment.name},\nId: {self._id},\nType: {self._type},\nStatus: {self.status})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and (self._id, self._experiment) == (other._id, other._experiment)

    def __hash__(self) -> int:
        return hash(self._id)


def start_run(
    experiment: Experiment,
    *,
    name: str | None = None,
    run_id: str | None = None,
    parent_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
) -> Run:
    """Start a run in this process, which from now on owes it an end."""
    if run_id is None:
        run_id = str(uuid.uuid4())
    elif not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id):
        raise UserError(
            f"run_id {run_id!r}: it must begin with a letter or digit and hold only letters, digits, '_', '-' and '.', "
            "at most 255"
        )
    else:
        experiment.workspace._recorder.flush()
        if experiment.workspace._store.run(run_id) is not None:
            raise UserError(f"the workspace {experiment.workspace.name!r} has a run {run_id!r} already")
    run = Run.__new__(Run)
    run._begin(experiment, run_id, name, parent_id)
    recorder = run._recorder
    recorder.write(RunCreated(run_id, _now(), experiment.name, parent_id, name))
    if tags:
        run.set_tags(tags)
    recorder.own(run_id)
    run._status = RunStatus.RUNNING
    recorder.set_status(StatusSet(run_id, _now(), RunStatus.RUNNING))
    return run


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise ArgumentTypeError(f"a metric's name is a str, not {type(name).__name__}")
    if not name:
        raise UserError("a metric's name is empty")


def _scalar(name: str, value: object) -> Any:
    if is_sequence(value):
        raise UserError(
            f"run.log does not support {type(value).__name__} type (metric {name!r}). Use run.log_list instead"
        )
    return plain_value(value)


def _step(step: object) -> float:
    value = plain_value(step)
    if isinstance(value, (int, float)):
        return value
    raise ArgumentTypeError(f"step is {step!r}: it must be a number")


def _values(what: str, value: Any) -> list[Any]:
    try:
        return plain_list(value)
    except TypeError as error:
        raise ArgumentTypeError(
            f"{what} is a {type(value).__name__}: give a list, an array or another iterable"
        ) from error
    except UserError as error:
        raise UserError(f"{what}: {error}") from error
