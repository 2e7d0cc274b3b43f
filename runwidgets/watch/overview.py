"""All that there is at a glance: workspaces, their experiments, and which runs go on or were last."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final, TypedDict

from runwidgets.errors import StoreError
from runwidgets.query import parse_condition
from runwidgets.records import RunQuery, RunStatus
from runwidgets.store.liveness import observed_status
from runwidgets.watch.numbers import number
from runwidgets.watch.static import BOX_STYLE, DOT, aligned, html_table, one_line
from runwidgets.watch.viewer import link
from runwidgets.watch.wire import run_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runwidgets.records import ExperimentRecord, FoundRun
    from runwidgets.store.contract import Store
    from runwidgets.workspace import Workspace

MOST_EXPERIMENTS: Final = 500
MOST_RUNS: Final = 20
MOST_FOUND: Final = 50
_LONGEST_ID: Final = 100
_UNFINISHED: Final = tuple(status for status in RunStatus if not status.is_final)


class OverviewRun(TypedDict):
    """``OverviewRun``."""

    workspace: str
    experiment: str
    run_id: str
    number: int | None
    name: str
    status: str
    status_group: str
    started_at: float | None
    ended_at: float | None
    href: str | None


class OverviewExperiment(TypedDict):
    """``OverviewExperiment``."""

    workspace: str
    name: str
    run_count: int
    running: int
    last_at: float | None
    is_archived: bool
    href: str | None


class OverviewWorkspace(TypedDict):
    """``OverviewWorkspace``."""

    name: str
    href: str | None
    compute_href: str | None
    trouble: str | None


class OverviewState(TypedDict):
    """``OverviewState``."""

    workspaces: list[OverviewWorkspace]
    experiments: list[OverviewExperiment]
    experiments_total: int
    running: list[OverviewRun]
    running_total: int
    recent: list[OverviewRun]
    sent_at: float


class FoundMessage(TypedDict):
    """``FoundMessage``."""

    kind: str
    text: str
    runs: list[OverviewRun]
    is_all: bool


class _Part(TypedDict):
    workspace: OverviewWorkspace
    experiments: list[OverviewExperiment]
    running: list[FoundRun]
    recent: list[FoundRun]


class Overview:
    """Looks at workspaces; one that has not changed costs one number.

    Parameters
    ----------
    workspaces
        Which.
    """

    def __init__(self, workspaces: Sequence[Workspace]) -> None:
        self._workspaces = tuple(workspaces)
        self._seen: dict[str, tuple[int, _Part]] = {}
        self._latest: dict[tuple[str, str], tuple[int, float]] = {}

    def state(self, now: float) -> OverviewState:
        """Look, and give what is shown."""
        parts = [(workspace.name, self._part(workspace)) for workspace in self._workspaces]
        experiments = [experiment for _, part in parts for experiment in part["experiments"]]
        experiments.sort(key=lambda experiment: (experiment["is_archived"], -(experiment["last_at"] or 0.0)))
        running = [_run(name, found) for name, part in parts for found in part["running"]]
        recent = sorted(
            ((found.run.created_at or 0.0, name, found) for name, part in parts for found in part["recent"]),
            key=lambda entry: entry[0],
            reverse=True,
        )
        return {
            "workspaces": [part["workspace"] for _, part in parts],
            "experiments": experiments[:MOST_EXPERIMENTS],
            "experiments_total": len(experiments),
            "running": running[:MOST_RUNS],
            "running_total": len(running),
            "recent": [_run(name, found) for _, name, found in recent[:MOST_RUNS]],
            "sent_at": now,
        }

    def _part(self, workspace: Workspace) -> _Part:
        name = workspace.name
        about: OverviewWorkspace = {
            "name": name, "href": link("w", name), "compute_href": link("w", name, "compute"), "trouble": None,
        }  # fmt: skip
        try:
            store = workspace._recorder.store
            version = store.version()
            seen = self._seen.get(name)
            if seen is None or seen[0] != version:
                seen = self._seen[name] = (version, _look(store, about, self._latest))
        except StoreError as error:
            last = self._seen.get(name, (0, _Part(workspace=about, experiments=[], running=[], recent=[])))[1]
            return {**last, "workspace": {**about, "trouble": str(error)}}
        return seen[1]

    def found(self, text: str) -> FoundMessage:
        """Find the runs of which a condition holds, newest first; words alone are looked for (see `runwidgets.query`).

        Raises
        ------
        QueryError
            If it cannot be read.
        """
        wanted = parse_condition(text)
        hits: list[tuple[float, str, FoundRun]] = []
        for workspace in self._workspaces if wanted is not None else ():
            store = workspace._recorder.store
            ids = store.find(RunQuery(where=wanted, deep=True, limit=MOST_FOUND + 1))
            hits += [(each.run.created_at or 0.0, workspace.name, each) for each in store.described(ids)]
        hits.sort(key=lambda hit: hit[0], reverse=True)
        return {
            "kind": "found",
            "text": text,
            "runs": [_run(name, each) for _, name, each in hits[:MOST_FOUND]],
            "is_all": len(hits) <= MOST_FOUND,
        }


def _look(store: Store, about: OverviewWorkspace, latest: dict[tuple[str, str], tuple[int, float]]) -> _Part:
    open_ids = [
        run_id for status in _UNFINISHED for run_id in store.find(RunQuery(status=status, limit=MOST_RUNS, deep=True))
    ]
    running = [found for found in store.described(open_ids) if found.run.parent_id is None]
    recent = store.described(store.find(RunQuery(limit=MOST_RUNS)))
    counts: dict[str, int] = {}
    for found in running:
        counts[found.run.experiment] = counts.get(found.run.experiment, 0) + 1
    return {
        "workspace": about,
        "experiments": [_experiment(store, about["name"], each, counts, latest) for each in store.experiments()],
        "running": running,
        "recent": recent,
    }


def _experiment(
    store: Store,
    workspace: str,
    found: ExperimentRecord,
    running: dict[str, int],
    latest: dict[tuple[str, str], tuple[int, float]],
) -> OverviewExperiment:
    key = workspace, found.name
    if latest.get(key, (-1, 0.0))[0] != found.run_count:  # its newest run is another one only if it has more or fewer
        newest = store.find(RunQuery(experiment=found.name, limit=1))
        record = store.run(newest[0]) if newest else None
        latest[key] = found.run_count, (record.created_at if record else None) or found.created_at
    return {
        "workspace": workspace, "name": found.name, "run_count": found.run_count,
        "running": running.get(found.name, 0), "last_at": latest[key][1],
        "is_archived": found.archived_at is not None, "href": link("w", workspace, "experiments", found.name),
    }  # fmt: skip


def _run(workspace: str, found: FoundRun) -> OverviewRun:
    run = found.run
    status = observed_status(run.status, run.owner)
    return {
        "workspace": workspace, "experiment": run.experiment, "run_id": run.run_id, "number": run.number,
        "name": run_name(run), "status": status.value, "status_group": status.group, "started_at": run.started_at,
        "ended_at": run.ended_at, "href": link("w", workspace, "runs", run.run_id),
    }  # fmt: skip


# ---- without widgets

_RUN_HEADS: Final = ("status", "run", "experiment", "run id")
_EXPERIMENT_HEADS: Final = ("experiment", "workspace", "runs", "running")


def _run_cells(run: OverviewRun) -> tuple[str, ...]:
    return run["status"], one_line(run["name"]), one_line(run["experiment"]), one_line(run["run_id"], _LONGEST_ID)


def _experiment_cells(experiment: OverviewExperiment) -> tuple[str, ...]:
    names = one_line(experiment["name"]), one_line(experiment["workspace"])
    return *names, number(experiment["run_count"]), number(experiment["running"])


def overview_as_text(state: OverviewState) -> str:
    """Draw an overview as lines of text."""
    if not state["experiments"]:
        return "No run has been recorded yet."
    experiments = aligned([_EXPERIMENT_HEADS, *map(_experiment_cells, state["experiments"])], left=(0, 1))
    recent = aligned([_RUN_HEADS, *map(_run_cells, state["recent"])], left=(0, 1, 2, 3))
    return "\n".join(line.rstrip() for line in (*experiments, "", *recent))


def overview_as_html(state: OverviewState) -> str:
    """Draw an overview as HTML that needs neither scripts nor stylesheets."""
    if not state["experiments"]:
        return f'<div style="{BOX_STYLE}">No run has been recorded yet.</div>'
    experiments = [tuple(map(escape, _experiment_cells(each))) for each in state["experiments"]]
    recent = [
        (f'<span style="color: {DOT[each["status_group"]]}">●</span> {escape(each["status"])}',
         *map(escape, _run_cells(each)[1:]))
        for each in state["recent"]
    ]  # fmt: skip
    tables = html_table(_EXPERIMENT_HEADS, experiments, left=(0, 1)) + html_table(_RUN_HEADS, recent, left=(0, 1, 2, 3))
    return f'<div style="{BOX_STYLE}">{tables}</div>'
