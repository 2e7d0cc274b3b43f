"""`Family`: the runs below a run, and the one above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runwidgets.errors import ArgumentTypeError, UserError
from runwidgets.filters import found_runs, matches, run_query
from runwidgets.handle import Handle
from runwidgets.records import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from runwidgets.compute import ComputeTarget
    from runwidgets.experiment import Experiment
    from runwidgets.filters import Filter
    from runwidgets.records import RunQuery
    from runwidgets.run import Run
    from runwidgets.workspace import Workspace


class Family(Handle):
    """The part of a `Run` that starts runs below it and finds them."""

    _parent_id: str | None
    _parent: Run | None

    @property
    def parent(self) -> Run | None:
        """The run that it is a child of, or None."""
        if self._parent is None and self._parent_id:
            from runwidgets.run import Run

            self._parent = Run.get(self._experiment.workspace, self._parent_id)
        return self._parent

    def child_run(self, name: str | None = None, run_id: str | None = None) -> Run:
        """Start a run below this one, in this process; it can be used with ``with``."""
        from runwidgets.starting import start_run

        self._note_use()
        return start_run(self._experiment, name=name, run_id=run_id, parent_id=self._id)

    @staticmethod
    def list_by_compute(
        compute: ComputeTarget,
        type: str | None = None,  # noqa: A002 (SDK v1's name)
        tags: Filter = None,
        properties: Filter = None,
        status: str | None = None,
    ) -> Iterator[Run]:
        """Give the runs that go on at a compute target, and then those that wait there, in the order of their turns.

        Parameters
        ----------
        compute
            The target.
        type
            Only runs of this type.
        tags, properties
            Only runs that have this ``"key"``, or all of ``{"key": "value"}``.
        status
            Only runs that are in this state now: ``Running`` or ``Queued``.

        Raises
        ------
        UserError
            If it is no target, a filter is of another form, or there is no such status.
        """
        from runwidgets.compute import ComputeTarget

        if not isinstance(compute, ComputeTarget):
            raise ArgumentTypeError(
                f"list_by_compute(): compute is a {compute.__class__.__name__}: give a ComputeTarget"
            )
        state = compute.get_status()
        wanted = dict.fromkeys((*state.running, *state.queued))
        query = run_query(tags=tags, properties=properties, run_type=type, status=status, deep=True)
        return _those_of(compute.workspace, wanted, query, status)

    def submit_child(self, config: Any, tags: Mapping[str, Any] | None = None, **kwargs: Any) -> Run:
        """Submit what a configuration describes as a run below this one; see `Experiment.submit`."""
        self._note_use()
        return self._experiment.submit(config, tags, **kwargs, _parent_run_id=self._id)

    def create_children(
        self, count: int | None = None, tag_key: str | None = None, tag_values: Iterable[Any] | None = None
    ) -> list[Run]:
        """Start several runs below this one, in this process.

        Parameters
        ----------
        count
            How many; each is tagged with its number, as ``azureml.batch_child_number``.
        tag_key, tag_values
            Instead of ``count``: a run for each value, tagged with it.

        Raises
        ------
        UserError
            If neither ``count`` nor both of the others are given, or all of them are.
        """
        from runwidgets.starting import start_run

        if count is not None and (tag_key is not None or tag_values is not None):
            raise UserError("create_children(): give either count, or tag_key and tag_values, not both")
        if count is not None:
            if not isinstance(count, int) or isinstance(count, bool) or count < 1:
                raise UserError(f"create_children(): count is {count!r}: give an integer from 1 on")
            tag_key, tag_values = "azureml.batch_child_number", [str(number) for number in range(count)]
        elif tag_key is None and tag_values is None:
            raise UserError("create_children(): give count, or tag_key and tag_values")
        elif tag_key is None or tag_values is None:
            raise UserError("create_children(): tag_key and tag_values are given together, or not at all")
        self._note_use()
        tag_values = list(tag_values)
        if self._limits:
            self._limits.check_children(len(tag_values))
        return [start_run(self._experiment, parent_id=self._id, tags={tag_key: value}) for value in tag_values]

    def _cancel_children(self) -> None:
        """Cancel the runs just below this one that have not ended; each cancels those below it."""
        for child in self.get_children():
            if not RunStatus(child.get_status()).is_final:
                child.cancel()

    def get_children(
        self,
        recursive: bool = False,
        tags: Filter = None,
        properties: Filter = None,
        type: str | None = None,  # noqa: A002 (SDK v1's name)
        status: str | None = None,
    ) -> Iterator[Run]:
        """Give the runs below this one, newest first.

        Parameters
        ----------
        recursive
            Whether to give those below them too.
        tags, properties
            Only runs that have this ``"key"``, or all of ``{"key": "value"}``.
        type
            Only runs of this type.
        status
            Only runs that are in this state now.

        Raises
        ------
        UserError
            If a filter is of another form.
        """
        query = run_query(
            below=self._id, deep=recursive, tags=tags, properties=properties, run_type=type, status=status
        )
        return found_runs_of(self._experiment, query, status)


def _those_of(workspace: Workspace, wanted: Iterable[str], query: RunQuery, status: str | None) -> Iterator[Run]:
    from runwidgets.experiment import Experiment
    from runwidgets.run import Run

    workspace._recorder.flush()
    for found in workspace._store.described([*wanted]):
        if matches(found, query):
            run = Run._of(Experiment(workspace, found.run.experiment), found)
            now = RunStatus(run.get_status())
            if not now.is_final and status in {None, now}:  # one that has just ended may have its slot for a moment
                yield run


def found_runs_of(experiment: Experiment, query: RunQuery, status: str | None) -> Iterator[Run]:
    """Give the runs of a query, newest first, that now have this status, as the classes that their types say."""
    from runwidgets.run import Run

    experiment.workspace._recorder.flush()
    for found in found_runs(experiment.workspace._store, query, status):
        yield Run._of(experiment, found)
