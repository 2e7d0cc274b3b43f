"""What a store promises, whichever database is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runwidgets.events import Event
    from runwidgets.records import (
        Cursor,
        ExperimentRecord,
        FileRecord,
        FoundRun,
        MetricDelta,
        MetricHead,
        Owner,
        RunDelta,
        RunQuery,
        RunRecord,
        RunsNews,
    )


class Store(Protocol):
    """Runs, their events and their files' names: append by folding journals, read from a cursor.

    Threads: all methods may be called from any thread. Processes: any number may open the same store; folding is
    serialised by the database, and readers neither block nor break it. A store knows nothing of what is shown.
    Errors of the driver come out as `StoreError`.
    """

    def fold(self, journal_id: str, start: int, end: int, events: Sequence[Event]) -> bool:
        """Apply events of a journal, and note that it is folded up to ``end``, in one transaction.

        Returns
        -------
        bool
            False, with nothing done, where the journal is not folded just up to ``start``: somebody else was
            faster.
        """
        ...

    def folded_bytes(self, journal_id: str) -> int:
        """Tell up to which offset a journal is folded; 0 for an unknown one."""
        ...

    def beat(self, journal_id: str, at: float) -> None:
        """Note that the process that writes a journal is alive."""
        ...

    def end_journal(self, journal_id: str, at: float) -> list[str]:
        """Note that the process behind a journal is gone.

        Returns
        -------
        list of str
            The runs that it left unfinished; they are Failed from now on.
        """
        ...

    def version(self) -> int:
        """Give the number of the last change: it rises with every fold that changed something."""
        ...

    def owner(self, run_id: str) -> Owner | None:
        """Give the process that started a run, with its last beat."""
        ...

    def journal_owner(self, journal_id: str) -> Owner | None:
        """Give the process that writes a journal, with its last beat; None for an unknown journal."""
        ...

    def run(self, run_id: str) -> RunRecord | None:
        """Give one run, or None."""
        ...

    def runs(self, *, experiment: str | None = None, parent_id: str | None = None) -> list[RunRecord]:
        """List the runs of an experiment that have no parent, or the children of a run; newest first."""
        ...

    def find(self, query: RunQuery) -> list[str]:
        """List the ids of the runs that are wanted, in the order that is; runs that are equal in it newest first."""
        ...

    def count(self, query: RunQuery) -> int:
        """Tell how many runs are wanted, of all pages together."""
        ...

    def described(self, run_ids: Sequence[str]) -> list[FoundRun]:
        """Give runs with their tags and properties, in the order asked for; unknown ones are left out."""
        ...

    def news(self, query: RunQuery, since: int) -> RunsNews:
        """Read which runs of a query changed since a version, in its order; since -1 all of them, up to its limit.

        What has not changed costs nothing: one number is read where nothing has.
        """
        ...

    def heads(self, run_id: str) -> list[MetricHead]:
        """Tell which metrics a run has, in the order in which they were first logged, without their rows."""
        ...

    def tags(self, run_id: str) -> dict[str, str | None]:
        """Give the tags of a run."""
        ...

    def properties(self, run_id: str) -> dict[str, str]:
        """Give the properties of a run."""
        ...

    def files(self, run_id: str) -> list[FileRecord]:
        """List the files of a run, by path."""
        ...

    def metrics(self, run_id: str, name: str | None = None) -> list[MetricDelta]:
        """Read all metrics of a run, or one, whole, in the order in which they were first logged."""
        ...

    def window(self, run_id: str, name: str, start: int, stop: int, width: int = 1) -> MetricDelta | None:
        """Read the rows ``[start, stop)`` of a metric, as summaries in buckets of up to ``width`` rows where it can.

        Returns
        -------
        MetricDelta or None
            None where the run has no such metric; ``row_count`` is the metric's.
        """
        ...

    def changes(self, run_id: str, cursor: Cursor) -> RunDelta:
        """Read what changed about a run, its children included, since a cursor; a fresh cursor reads all of it.

        Of a long metric many rows at once come as summaries, fine enough for `runwidgets.store.thinning`.
        """
        ...

    def experiments(self, name: str | None = None) -> list[ExperimentRecord]:
        """List all experiments, or the one of this name, in the order in which they began to exist."""
        ...

    def tag_experiment(self, name: str, tags: Mapping[str, str | None], at: float) -> None:
        """Set tags of an experiment, in addition to those it has; one that does not exist begins to."""
        ...

    def untag_experiment(self, name: str, keys: Sequence[str]) -> None:
        """Take tags of an experiment away, where they are there."""
        ...

    def archive_experiment(self, name: str, at: float) -> None:
        """Archive an experiment, until `reactivate_experiment` or until a run of it begins that was created later."""
        ...

    def reactivate_experiment(self, name: str, at: float) -> None:
        """Make an experiment active; one that does not exist begins to."""
        ...

    def delete_experiment(self, name: str, at: float) -> list[str]:
        """Delete an experiment with its runs and all that they logged, in one transaction; their files stay.

        Returns
        -------
        list of str
            The ids of the runs that are gone.

        Raises
        ------
        UserError
            If a run of it has not ended and its process lives; nothing is deleted then.
        """
        ...

    def delete_runs(self, run_ids: Sequence[str], at: float) -> list[str]:
        """Delete runs with all below them and all that they logged, in one transaction; their files stay.

        Returns
        -------
        list of str
            The ids of the runs that are gone; unknown ones are none of them.

        Raises
        ------
        UserError
            If one of them has not ended and its process lives; nothing is deleted then.
        """
        ...

    def adopt(self, events: Sequence[Event]) -> None:
        """Apply the events of runs that come from elsewhere, in one transaction; they belong to no process.

        An id that was deleted before is as good as a new one.

        Raises
        ------
        UserError
            If a run of theirs is there already; nothing is done then.
        """
        ...

    def suspend(self) -> None:
        """Close what must not cross a fork, and hold back all other threads."""
        ...

    def resume(self, *, in_child: bool) -> None:
        """Go on after `suspend`, in the process that forked or in its child."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...
