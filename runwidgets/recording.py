"""`Recording`: what a training script logs to."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from runwidgets.columns import pack_column
from runwidgets.errors import ArgumentTypeError, StoreError, UserError
from runwidgets.events import FileStored, PointLogged, ProgressMade, PropertiesAdded, RowsLogged, TagsRemoved, TagsSet
from runwidgets.figures import Figures, check_name
from runwidgets.records import VECTOR_COLUMN, MetricKind
from runwidgets.store.points import point_writer
from runwidgets.system import may_be_written
from runwidgets.values import is_sequence, plain_list, plain_value, stored_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from runwidgets.capture import Block
    from runwidgets.events import Event

_log = logging.getLogger(__name__)
_now = time.time
_ROWS_AN_EVENT: Final = 65_536
"""Longer lists and tables are several events, so that no event of numbers is large."""


_MOST_SERIES: Final = 4096
_LONGEST_NAME: Final = 256
"""For how many names, and how long ones, what `Recording.log` writes with is kept."""


class Recording(Figures):
    """The half of a `Run` that scripts log to: values, figures, progress, tags, properties and files.

    Each call returns when what was logged outlives the process. Any number of processes may log to one run.
    """

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
        try:
            write = self._series[name]
        except (KeyError, TypeError):  # a new one, or no name
            write = self._begin_series(name)
        write(value, step)

    def _begin_series(self, name: Any) -> Callable[[Any, Any], None]:
        check_name(name)
        self._note_use()
        write_any = partial(_log_any, self._write, self._id, name)
        if self._limits or type(name) is not str or len(name) > _LONGEST_NAME:
            return write_any
        if len(self._series) >= _MOST_SERIES:
            self._series.clear()
        write = self._series[name] = point_writer(self._recorder.appender, self._id, name, write_any)
        return write

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
        check_name(name)
        values = _values(f"log_list({name!r}): value", value)
        self._write_rows(name, MetricKind.VECTOR, {VECTOR_COLUMN: values})

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
        check_name(name)
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
        self._write_rows(name, MetricKind.TABLE, columns)

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
        check_name(name)
        if not hasattr(value, "items"):
            raise ArgumentTypeError(
                f"log_table({name!r}): value is a {type(value).__name__}, not a dict of columns or a DataFrame"
            )
        columns: dict[str, list[Any]] = {}
        for column, cells in value.items():
            if str(column) in columns:
                raise UserError(f"log_table({name!r}): there are two columns {str(column)!r}: give each its own name")
            several = is_sequence(cells) or isinstance(cells, (list, tuple))
            columns[str(column)] = _values(f"log_table({name!r}): column {column}", cells if several else [cells])
        lengths = {column: len(cells) for column, cells in columns.items()}
        if len(set(lengths.values())) > 1:
            raise UserError(f"log_table({name!r}): Columns must have the same length, but they have {lengths}")
        self._write_rows(name, MetricKind.TABLE, columns)

    def _write_rows(self, name: str, kind: MetricKind, columns: Mapping[str, list[Any]]) -> None:
        self._note_use()
        now = _now()
        count = max(map(len, columns.values()), default=0)
        for start in range(0, max(count, 1), _ROWS_AN_EVENT):
            packed = {column: pack_column(cells[start : start + _ROWS_AN_EVENT]) for column, cells in columns.items()}
            self._write(RowsLogged(self._id, now, name, kind, packed))

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
        self._note_use()
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
        texts = tag_texts(tags)
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
        keys = tag_keys(tags)
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
        if not hasattr(properties, "items"):
            raise ArgumentTypeError(f"properties are a dict, not {type(properties).__name__}")
        texts = {stored_text(str(key)): stored_text(str(value)) for key, value in properties.items()}
        if not texts:
            return
        try:
            present = self.get_properties()
        except StoreError:  # of which the recorder tells; where one is there with another value, the store keeps it
            present = self._properties
        for key, value in texts.items():
            if present.get(key, value) != value:
                raise UserError(
                    f"the property {key!r} is {present[key]!r} already: properties can be added, not changed"
                )
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

    def _open_block(self) -> Block:
        from runwidgets.capture import Block
        from runwidgets.store.files import USER_LOG

        files = self._experiment.workspace._files
        return Block(
            self._id,
            lambda: files.open_to_append(self._id, USER_LOG) if may_be_written(files.root) else None,
            lambda size: self._write(FileStored(self._id, _now(), USER_LOG, size)),
        )


def tag_texts(tags: Mapping[str, Any]) -> dict[str, str | None]:
    """Give tags as texts by key, as `Recording.set_tags` takes them; raise `UserError` for what can be none."""
    if not hasattr(tags, "items"):
        raise ArgumentTypeError(f"tags are a dict, not {type(tags).__name__}")
    texts = {}
    for key, value in tags.items():
        if not isinstance(key, str):
            raise ArgumentTypeError(f"the tag {key!r} is no str")
        if value is not None and not isinstance(value, str):
            _log.warning("the tag %r is set to the text of %r: tags are strings", key, value)
        texts[stored_text(key)] = value if value is None else stored_text(str(value))
    return texts


def tag_keys(tags: Iterable[str]) -> list[str]:
    """Give the keys of tags that are to go, as `Recording.remove_tags` takes them."""
    keys = [] if isinstance(tags, str) else _values("remove_tags(): tags", tags)
    if isinstance(tags, str) or not all(isinstance(key, str) for key in keys):
        raise ArgumentTypeError(f"remove_tags(): tags is {tags!r}: give a list of keys, as in ['stale']")
    return [stored_text(key) for key in keys]


def _log_any(write: Callable[[Event], None], run_id: str, name: str, value: Any, step: Any) -> None:
    if type(value) is not float and type(value) is not int:
        value = _scalar(name, value)
    if step is not None and type(step) is not int:
        step = _step(step)
    write(PointLogged(run_id, name, _now(), value, step))


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
    if getattr(value, "ndim", 1) > 1 and not hasattr(value, "tolist"):  # a DataFrame would give its columns' names
        raise UserError(f"{what} is a {type(value).__name__}, which has several columns: use log_table")
    try:
        return plain_list(value)
    except TypeError as error:
        raise ArgumentTypeError(
            f"{what} is a {type(value).__name__}: give a list, an array or another iterable"
        ) from error
    except UserError as error:
        raise UserError(f"{what}: {error}") from error
