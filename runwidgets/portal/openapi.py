"""What other programs can ask, as an OpenAPI 3.1 document."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

from runwidgets.records import RunStatus

_TEXT: Final = {"type": "string"}
_MAYBE_TEXT: Final = {"type": ["string", "null"]}
_NUMBER: Final = {"type": "number"}
_MAYBE_NUMBER: Final = {"type": ["number", "null"]}
_WHOLE: Final = {"type": "integer", "minimum": 0}
_TEXTS: Final = {"type": "object", "additionalProperties": _MAYBE_TEXT}
_VALUE: Final = {
    "description": 'A logged value. What JSON lacks is wrapped: {"float": "NaN"}, {"int": "9007199254740993"}.',
    "type": ["number", "string", "boolean", "null", "object"],
}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


_RUN: Final = _object(
    id=_TEXT, experiment=_TEXT, number={"type": ["integer", "null"]}, name=_MAYBE_TEXT, type=_MAYBE_TEXT,
    parent=_MAYBE_TEXT, status={"type": "string", "enum": list(RunStatus)}, created_at=_MAYBE_NUMBER,
    started_at=_MAYBE_NUMBER, ended_at=_MAYBE_NUMBER, description=_MAYBE_TEXT, tags=_TEXTS, properties=_TEXTS,
    error={"type": ["object", "null"]},
)  # fmt: skip


def _query(name: str, schema: dict[str, Any], description: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description, "required": required}


def _get(summary: str, answer: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    told = {"application/json": {"schema": _object(error=_TEXT)}}
    return {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {"schema": answer}}},
            "400": {"description": "The question is wrong; `error` says what about it.", "content": told},
            "403": {"description": "Who asks has not signed in."},
            "404": {"description": "There is no such thing.", "content": told},
        },
    }


def document(base: str) -> dict[str, Any]:
    """Give the document of a portal at a path."""
    status = {"type": "string", "enum": list(RunStatus)}
    paths: dict[str, dict[str, Any]] = {
        "/api/about": _get("What this is", _object(name=_TEXT, version=_TEXT)),
        "/api/workspaces": _get("Workspaces", _object(workspaces=_list(_object(name=_TEXT)))),
        "/api/w/{workspace}/experiments": _get(
            "Experiments of a workspace",
            _object(
                experiments=_list(
                    _object(
                        name=_TEXT, created_at=_NUMBER, archived_at=_MAYBE_NUMBER, run_count=_WHOLE, tags=_TEXTS
                    )
                )
            ),
        ),
        "/api/w/{workspace}/runs": _get(
            "Runs of a workspace, newest first",
            _object(runs=_list(_RUN), next=_MAYBE_TEXT),
            _query("experiment", _TEXT, "Only those of this experiment."),
            _query("parent", _TEXT, "Only the children of this run."),
            _query("children", {"type": "boolean"}, "Whether child runs are listed among the others."),
            _query("status", status, "Only those that are recorded with this status."),
            _query("where", _TEXT, "Only those of which this holds: `metrics.mse < 3000 and tags.model = ridge`."),
            _query("order", _TEXT, "By what, such as `metrics.mse`, or `-started` for the greatest first."),
            _query("limit", {**_WHOLE, "maximum": 1000}, "At most so many; 100 if it is not given."),
            _query("before", _TEXT, "The `next` of the page before."),
        ),
        "/api/w/{workspace}/runs/{run}": _get(
            "One run",
            {
                "allOf": [_RUN, _object(files=_list(_object(path=_TEXT, size=_WHOLE)), version=_WHOLE)],
            },
        ),
        "/api/w/{workspace}/runs/{run}/metrics": _get(
            "Which metrics a run has",
            _object(
                metrics=_list(_object(name=_TEXT, kind=_TEXT, columns=_list(_TEXT), rows=_WHOLE)), version=_WHOLE
            ),
        ),
        "/api/w/{workspace}/runs/{run}/rows": _get(
            "Rows of a metric; those after `next` are what is new",
            _object(
                name=_TEXT, kind=_TEXT, columns=_list(_TEXT), total=_WHOLE, next=_WHOLE,
                rows=_list(_object(row=_WHOLE, step=_VALUE, at=_NUMBER, values=_list(_VALUE))),
            ),
            _query("name", _TEXT, "The metric.", required=True),
            _query("start", _WHOLE, "The first row, from 0: the `next` of the answer before."),
            _query("limit", {**_WHOLE, "maximum": 10_000}, "At most so many; 1000 if it is not given."),
        ),
    }  # fmt: skip
    for path, described in paths.items():
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        described["parameters"] += [
            {"name": name, "in": "path", "required": True, "schema": {**_TEXT, "minLength": 1}} for name in names
        ]
    return {
        "openapi": "3.1.0",
        "info": {"title": "runwidgets", "version": version("runwidgets")},
        "servers": [{"url": base}],
        "paths": {path: {"get": described} for path, described in paths.items()},
        "security": [{"token": []}, {"cookie": []}],
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "apiKey", "in": "header", "name": "Authorization",
                    "description": "`token` and that of the Jupyter server, or of the file `token` of the portal.",
                },
                "cookie": {"type": "apiKey", "in": "cookie", "name": "username", "description": "Who has signed in."},
            }
        },
    }  # fmt: skip
