"""`RunList` and `CompareRuns`: live displays of many runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import ArgumentTypeError, UserError
from runwidgets.experiment import Experiment
from runwidgets.filters import run_query
from runwidgets.records import RunQuery
from runwidgets.run import Run
from runwidgets.watch.runtable import MAX_RUNS
from runwidgets.widgets.comparing import Comparison, Whence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runwidgets.filters import Filter

_NEWEST: Final = 5


class RunList(Comparison):
    """Shows the runs of an experiment, live: their table, and of those that are selected what `CompareRuns` shows.

    New runs appear by themselves. A click on a run opens its display; runs are selected by the boxes before them, and
    until somebody does that the newest five are. Of very many runs the newest 2,000 are listed. As the last expression
    of a cell it displays itself; `show` does so anywhere. In a terminal, `show` prints the table.

    Parameters
    ----------
    experiment_or_runs
        An `Experiment`, or a list of runs.
    type
        Of an experiment only runs of this type.
    tags, properties
        Of an experiment only runs that have this ``"key"``, or all of ``{"key": "value"}``.
    include_children
        Whether runs below others are listed too.
    refresh_seconds
        Time between looks, at least 0.5; by default 2. A look at runs of which none has changed costs the same however
        many they are.

    Raises
    ------
    ArgumentTypeError
        If it is given something other than an experiment or runs.
    UserError
        If the list is empty, a filter is of another form or is given with a list, or ``refresh_seconds`` is too short.
    """

    def __init__(
        self,
        experiment_or_runs: Experiment | Iterable[Run],
        *,
        type: str | None = None,  # noqa: A002 (the SDK's name for it)
        tags: Filter = None,
        properties: Filter = None,
        include_children: bool = False,
        refresh_seconds: float | None = None,
    ) -> None:
        if isinstance(experiment_or_runs, Experiment):
            experiment = experiment_or_runs
            query = run_query(
                experiment=experiment.name, deep=include_children, tags=tags, properties=properties, run_type=type
            )
            title, sources = experiment.name, [Whence(experiment.workspace, query)]
        else:
            if type is not None or tags is not None or properties is not None or include_children:
                raise UserError(
                    "RunList(): type, tags, properties and include_children choose among the runs of an Experiment; "
                    "a list of runs has been chosen already"
                )
            runs = _listed("RunList", experiment_or_runs, "the runs of an Experiment, or a list of Runs")
            title, sources = _title(runs), _sources("RunList", runs)
        super().__init__(title, sources, select_newest=_NEWEST, seconds=refresh_seconds)


class CompareRuns(Comparison):
    """Compares runs, live: any metric of them in one plot, what they were made with, and their images side by side.

    All of them are selected at first. They can be grouped by a tag or a parameter: then each group is a line, its mean,
    with a band from the least to the greatest of its runs. The runs may be of several experiments and workspaces. As
    the last expression of a cell it displays itself; `show` does so anywhere. In a terminal, `show` prints their table.

    Parameters
    ----------
    runs
        The runs. Of more than 20 the first 20 are drawn, which the display says; in groups of more than 200 the first
        200 count.
    refresh_seconds
        Time between looks, at least 0.5; by default 2.

    Raises
    ------
    ArgumentTypeError
        If it is given something other than runs.
    UserError
        If there are none, or more than 5,000, two of different workspaces have one id, or ``refresh_seconds`` is too
        short.
    """

    def __init__(self, runs: Iterable[Run], refresh_seconds: float | None = None) -> None:
        several = _listed("CompareRuns", runs, "a list of Runs")
        super().__init__(_title(several), _sources("CompareRuns", several), select_newest=None, seconds=refresh_seconds)


def _listed(who: str, given: Any, wanted: str) -> list[Run]:
    if isinstance(given, Run):
        raise ArgumentTypeError(f"{who} shows {wanted}, not a single Run: {who}([run]), or RunDetails(run)")
    if isinstance(given, (str, bytes)):
        raise ArgumentTypeError(f"{who} shows {wanted}, not a {type(given).__name__}")
    try:
        runs = list(given)
    except TypeError:
        raise ArgumentTypeError(f"{who} shows {wanted}, not a {type(given).__name__}") from None
    for place, run in enumerate(runs):
        if not isinstance(run, Run):
            raise ArgumentTypeError(
                f"{who}: item {place} of the list is a {type(run).__name__}, not a Run: "
                "Run.get(workspace, run_id) opens a run by its id"
            )
    if not runs:
        raise UserError(f"{who}([]) has no run to show: give the runs of experiment.get_runs(), or a list of some")
    if len(runs) > MAX_RUNS:
        raise UserError(f"{who}: {len(runs)} runs are more than the {MAX_RUNS} that it shows: give fewer")
    return runs


def _sources(who: str, runs: list[Run]) -> list[Whence]:
    """Put the runs by workspace, each once."""
    found: dict[str, Run] = {}
    for run in runs:
        other = found.setdefault(run.id, run)
        if other.experiment.workspace != run.experiment.workspace:
            raise UserError(
                f"{who}: the workspaces {other.experiment.workspace.name!r} and {run.experiment.workspace.name!r} both "
                f"have a run {run.id!r}, and only one of these can be shown"
            )
    ids: dict[Any, list[str]] = {}
    for run in found.values():
        ids.setdefault(run.experiment.workspace, []).append(run.id)
    return [Whence(workspace, RunQuery(ids=tuple(some))) for workspace, some in ids.items()]


def _title(runs: list[Run]) -> str:
    names = list(dict.fromkeys(run.experiment.name for run in runs))
    more = len(names) - 1
    return names[0] if not more else f"{names[0]} and {more} more experiment{'s' if more > 1 else ''}"
