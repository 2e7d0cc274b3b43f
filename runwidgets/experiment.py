"""`Experiment`: a named series of runs in a workspace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from runwidgets.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runwidgets.filters import Filter
    from runwidgets.run import Run
    from runwidgets.workspace import Workspace

_NAME: Final = re.compile(r"[A-Za-z0-9][\w\-]{0,254}")


class Experiment:
    """A named series of runs; it begins to exist with its first run.

    Parameters
    ----------
    workspace
        Where it lies.
    name
        Begins with an ASCII letter or digit and holds only letters, digits, ``_`` and ``-``; at most 255 characters.

    Raises
    ------
    UserError
        If the name breaks these rules.
    """

    def __init__(self, workspace: Workspace, name: str) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UserError(
                f"experiment name {name!r}: it must begin with a letter or digit and hold only letters, digits, '_' "
                "and '-', at most 255 characters"
            )
        self._workspace = workspace
        self._name = name

    @property
    def workspace(self) -> Workspace:
        """The workspace it lies in."""
        return self._workspace

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    def start_logging(
        self,
        *,
        name: str | None = None,
        run_id: str | None = None,
        display_name: str | None = None,
        tags: dict[str, str] | None = None,
        description: str | None = None,
    ) -> Run:
        """Start an interactive run, in this process.

        Parameters
        ----------
        name, display_name
            What to call it; by default ``run_<id>``.
        run_id
            Its id; by default a new UUID.
        tags
            Tags to begin with.
        description
            What to say of it.

        Returns
        -------
        Run
            Running until `Run.complete` or `Run.fail`. If the process ends first, it is recorded as Failed.
        """
        from runwidgets.starting import start_run

        return start_run(self, name=display_name or name, run_id=run_id, tags=tags, description=description)

    def get_runs(
        self,
        type: str | None = None,  # noqa: A002 (SDK v1's name)
        tags: Filter = None,
        properties: Filter = None,
        include_children: bool = False,
    ) -> Iterator[Run]:
        """Give runs of the experiment, newest first.

        Parameters
        ----------
        type
            Only runs of this type.
        tags, properties
            Only runs that have this ``"key"``, or all of ``{"key": "value"}``.
        include_children
            Whether runs below others count.

        Raises
        ------
        UserError
            If a filter is of another form.
        """
        from runwidgets.run import Run

        return Run.list(self, type, tags, properties, include_children=include_children)

    def __repr__(self) -> str:
        return f"Experiment(Name: {self._name},\nWorkspace: {self._workspace.name})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Experiment) and (self._workspace, self._name) == (other._workspace, other._name)

    def __hash__(self) -> int:
        return hash((self._workspace, self._name))
