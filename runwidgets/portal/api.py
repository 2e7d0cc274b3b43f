"""What other programs ask, as JSON: described by `runwidgets.portal.openapi`, which is served too."""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING, Any, Final

from tornado import web

from runwidgets.addressing import secret
from runwidgets.errors import NotFoundError, UserError
from runwidgets.home import workspace_names
from runwidgets.portal.handling import PortalHandler, run_at
from runwidgets.portal.openapi import document
from runwidgets.query import parse_condition, parse_order
from runwidgets.records import RunQuery, RunStatus
from runwidgets.store.liveness import observed_status
from runwidgets.values import wire_value
from runwidgets.workspace import Workspace

if TYPE_CHECKING:
    from runwidgets.records import Block, FoundRun

MOST_RUNS: Final = 1000
MOST_ROWS: Final = 10_000
_USUAL: Final = 100
_MICROSECONDS: Final = 1e6


class ApiHandler(PortalHandler):
    """A question that is answered with JSON, worked out on a thread."""

    @web.authenticated
    async def get(self, *names: str) -> None:
        """Answer."""
        loop = asyncio.get_running_loop()
        self.finish_json(await loop.run_in_executor(None, lambda: self.answer(*names)))

    def answer(self, *names: str) -> dict[str, Any]:
        """Work out the answer."""
        raise NotImplementedError

    def number(self, name: str, usual: int, most: int) -> int:
        """Give an argument of the query that is a whole number from 0.

        Raises
        ------
        UserError
            If it is not, or larger than it may be.
        """
        sent = self.get_query_argument(name, None)
        if sent is None:
            return usual
        if not sent.isascii() or not sent.isdigit() or len(sent) > len(str(most)) or int(sent) > most:
            raise UserError(f"{name} is {sent[:40]!r}: give a whole number from 0 to {most}")
        return int(sent)


class NothingHandler(ApiHandler):
    """Whatever else is asked."""

    def answer(self, *_: str) -> dict[str, Any]:
        """Say that there is no such question."""
        raise NotFoundError("there is no such question: /api/openapi.json lists those that there are")


class AboutHandler(ApiHandler):
    """What this is."""

    def answer(self, *_: str) -> dict[str, Any]:
        """Say which version it is."""
        from importlib.metadata import version

        return {"name": "runwidgets", "version": version("runwidgets")}


class OpenApiHandler(ApiHandler):
    """What can be asked."""

    def answer(self, *_: str) -> dict[str, Any]:
        """Give the OpenAPI document."""
        return document(self.base)


class TicketsHandler(PortalHandler):
    """Tickets, for processes of this user that know the home which is served."""

    @web.authenticated
    def post(self) -> None:
        """Give a ticket to who names this home."""
        asked = self.get_json_body()
        named = asked.get("home") if isinstance(asked, dict) else None
        if not isinstance(named, str) or not hmac.compare_digest(named.encode(), secret("id").encode()):
            raise web.HTTPError(409, "this portal serves another RUNWIDGETS_HOME")
        self.finish_json({"ticket": self.portal.tickets.issue()})


class WorkspacesHandler(ApiHandler):
    """Workspaces."""

    def answer(self, *_: str) -> dict[str, Any]:
        """Name them."""
        return {"workspaces": [{"name": name} for name in workspace_names()]}


class ExperimentsHandler(ApiHandler):
    """Experiments of a workspace."""

    def answer(self, *names: str) -> dict[str, Any]:
        """List them in the order in which they began to exist."""
        (workspace,) = names
        store = Workspace.get(workspace)._recorder.store
        return {
            "experiments": [
                {
                    "name": found.name, "created_at": found.created_at, "archived_at": found.archived_at,
                    "run_count": found.run_count, "tags": found.tags,
                }
                for found in store.experiments()
            ]
        }  # fmt: skip


class RunsHandler(ApiHandler):
    """Runs of a workspace."""

    def answer(self, *names: str) -> dict[str, Any]:
        """List a page of them, newest first unless another order is asked for."""
        (workspace,) = names
        status = self.get_query_argument("status", None)
        if status is not None and status not in set(RunStatus):
            raise UserError(f"status is {status[:40]!r}: it is one of {', '.join(RunStatus)}")
        limit = self.number("limit", _USUAL, MOST_RUNS)
        order = self.get_query_argument("order", None)
        order_by, descending = parse_order(order) if order else (None, False)
        recorder = Workspace.get(workspace)._recorder
        query = RunQuery(
            experiment=self.get_query_argument("experiment", None),
            below=self.get_query_argument("parent", None),
            deep=self.get_query_argument("children", "false") == "true",
            status=RunStatus(status) if status else None,
            where=parse_condition(self.get_query_argument("where", "")),
            order_by=order_by,
            descending=descending,
            before=self.get_query_argument("before", None),
            limit=limit,
        )
        ids = recorder.store.find(query)
        found = recorder.store.described(ids)
        more = ids[-1] if len(ids) == limit and limit else None
        return {"runs": [_run(each) for each in found], "next": more}


class RunHandler(ApiHandler):
    """One run."""

    def answer(self, *names: str) -> dict[str, Any]:
        """Give what is known of it."""
        run = run_at(*names)
        store = run._recorder.store
        (found,) = store.described([run.id])
        files = [{"path": file.path, "size": file.size} for file in store.files(run.id)]
        return {**_run(found), "files": files, "version": store.version()}


class MetricsHandler(ApiHandler):
    """Which metrics a run has."""

    def answer(self, *names: str) -> dict[str, Any]:
        """List them with their number of rows."""
        run = run_at(*names)
        store = run._recorder.store
        version = store.version()
        found = store.heads(run.id)
        return {
            "metrics": [
                {"name": head.name, "kind": head.kind.value, "columns": list(head.columns), "rows": head.row_count}
                for head in found
            ],
            "version": version,
        }


class RowsHandler(ApiHandler):
    """Rows of a metric."""

    def answer(self, *names: str) -> dict[str, Any]:
        """Give those from ``start`` on: what a reader asks with the ``next`` that it got before is what is new."""
        workspace, run_id = names
        name = self.get_query_argument("name")
        start = self.number("start", 0, 2**53)
        limit = self.number("limit", 1000, MOST_ROWS)
        run = run_at(workspace, run_id)
        metric = run._recorder.store.window(run.id, name, start, start + limit)
        if metric is None:
            raise NotFoundError(f"run {run.id} has no metric {name!r}")
        rows = [row for block in metric.blocks for row in _rows(block, metric.columns)]
        return {
            "name": name, "kind": metric.kind.value, "columns": [column or "value" for column in metric.columns],
            "rows": rows, "total": metric.row_count, "next": start + len(rows),
        }  # fmt: skip


def _rows(block: Block, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    values = [block.columns[c].to_list() if c in block.columns else [None] * len(block) for c in columns]
    return [
        {
            "row": block.first_index + place, "step": wire_value(step), "at": at / _MICROSECONDS,
            "values": [wire_value(value) for value in row],
        }
        for place, (step, at, *row) in enumerate(
            zip(block.steps.to_list(), block.times.to_list(), *values, strict=True)
        )
    ]  # fmt: skip


def _run(found: FoundRun) -> dict[str, Any]:
    run = found.run
    status = observed_status(run.status, run.owner)
    return {
        "id": run.run_id, "experiment": run.experiment, "number": run.number, "name": run.name, "type": run.type,
        "parent": run.parent_id, "status": status.value, "created_at": run.created_at, "started_at": run.started_at,
        "ended_at": run.ended_at, "description": run.description, "tags": found.tags, "properties": found.properties,
        "error": None if run.error is None else {"code": run.error.code, "message": run.error.message},
    }  # fmt: skip
