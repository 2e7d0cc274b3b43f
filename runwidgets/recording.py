"""`Recording`: what a training script logs to."""

from __future__ import annotations

import io
import logging
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from runwidgets.errors import ArgumentTypeError, UserError
from runwidgets.images import HEAD_BYTES, image_type
from runwidgets.records import (
    VECTOR_COLUMN,
    FileStored,
    MetricKind,
    PointLogged,
    ProgressMade,
    PropertiesAdded,
    RowsLogged,
    TagsRemoved,
    TagsSet,
)
from runwidgets.values import is_sequence, plain_list, plain_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from runwidgets.capture import Block
    from runwidgets.experiment import Experiment
    from runwidgets.records import Event
    from runwidgets.store.recorder import Recorder

_log = logging.getLogger(__name__)
_now = time.time
_NOT_IN_FILE_NAMES: Final = re.compile(r"[^\w.\- /()+=,@]")


class Recording:
    """The half of a `Run` that scripts log to: values, progress, tags, properties and files.

    Each call returns when what was logged outlives the process. Any number of processes may log to one run.
    """

    _id: str
    _experiment: Experiment
    _recorder: Recorder
    _write: Callable[[Event], None]
    _tags: dict[str, str | None]
    _properties: dict[str, str]

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
        self._tags.update(texts)

    def remove_tags(self, tags: Iterable[str]) -> None:
        """Take tags away.

        Parameters
        ----------
        tags
            Their keys; one that is not there does no harm.

        Raises
        ------
        UserError
            If it is no list of strings.
        """
        keys = [] if isinstance(tags, str) else _values("remove_tags(): tags", tags)
        if isinstance(tags, str) or not all(isinstance(key, str) for key in keys):
            raise ArgumentTypeError(f"remove_tags(): tags is {tags!r}: give a list of keys, as in ['stale']")
        self._write(TagsRemoved(self._id, _now(), keys))
        for key in keys:
            self._tags.pop(key, None)

    @property
    def tags(self) -> dict[str, str | None]:
        """The tags as this object last saw or set them; `get_tags` asks anew."""
        return dict(self._tags)

    def get_tags(self) -> dict[str, str | None]:
        """Ask for all tags."""
        self._recorder.flush()
        self._tags = self._recorder.store.tags(self._id)
        return dict(self._tags)

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
        if texts:
            self._write(PropertiesAdded(self._id, _now(), texts))
            self._properties.update(texts)

    @property
    def properties(self) -> dict[str, str]:
        """The properties as this object last saw or added them; `get_properties` asks anew."""
        return dict(self._properties)

    def get_properties(self) -> dict[str, str]:
        """Ask for all properties."""
        self._recorder.flush()
        self._properties = self._recorder.store.properties(self._id)
        return dict(self._properties)

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

    def upload_files(self, names: Iterable[str], paths: Iterable[str | Path]) -> None:
        """Keep several files with the run.

        Parameters
        ----------
        names
            Their names there.
        paths
            Where each is now.

        Raises
        ------
        UserError
            If there are not as many names as paths (also a `TypeError`), or a name leads out of the run.
        FileNotFoundError
            If there is no file at one of the paths; those before it are kept.
        """
        names, sources = list(names), [Path(path) for path in paths]
        if len(names) != len(sources):
            raise ArgumentTypeError(
                f"upload_files(): {len(names)} names for {len(sources)} paths: give one name for each path"
            )
        for name, source in zip(names, sources, strict=True):
            self._store_file(name, source)

    def upload_folder(self, name: str, path: str | Path) -> None:
        """Keep all files in a folder, and in the folders below it, with the run.

        Parameters
        ----------
        name
            The folder's name there, such as ``outputs/model``.
        path
            The folder.

        Raises
        ------
        UserError
            If there is no folder at the path, or the name leads out of the run.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise UserError(f"upload_folder({name!r}): there is no folder at {folder}: use upload_file for one file")
        for source in sorted(folder.rglob("*")):
            if source.is_file():
                self._store_file(f"{name}/{source.relative_to(folder).as_posix()}", source)

    def _store_file(self, name: str, source: Path | BinaryIO) -> None:
        from runwidgets.store.files import checked_name

        name = checked_name(name)
        size = self._experiment.workspace._files.save(self._id, name, source)
        self._write(FileStored(self._id, _now(), name, size))

    def _open_block(self) -> Block:
        from runwidgets.capture import USER_LOG, Block

        files = self._experiment.workspace._files
        return Block(
            self._id,
            lambda: files.open_to_append(self._id, USER_LOG),
            lambda size: self._write(FileStored(self._id, _now(), USER_LOG, size)),
        )


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
