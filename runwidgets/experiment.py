"""`Experiment`: a named series of runs in a workspace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from runwidgets.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

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

    def start_logging(  # noqa: PLR0917 (SDK v1's signature)
        self,
        name: str | None = None,
        run_id: str | None = None,
        outputs: bool | str | PathLike[str] | Sequence[str | PathLike[str]] | None = None,
        snapshot_directory: str | PathLike[str] | None = ".",
        display_name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> Run:
        """Start an interactive run, in this process.

        Recorded with it are, all on this machine and sent nowhere: a snapshot of the current folder; which commit of
        which git repository it is at, and the diff of what was changed since; the versions of Python and of the
        installed packages, and the platform.

        Parameters
        ----------
        name, display_name
            What to call it; by default ``run_<id>``.
        run_id
            Its id; by default a new UUID.
        outputs
            Folders whose files are kept with the run when it ends; by default ``./outputs``, which is made at once.
            False for none. Files belong to the run that came or changed since it was started: several runs, one after
            another, may use the same folder, and none gets what the one before has left there.
        snapshot_directory
            The folder to keep a snapshot of: all its files, less what a file ``.amlignore``, or else ``.gitignore``,
            names, and less outputs, logs, git's own folder, caches and virtual environments. None for no snapshot and
            no diff. What has more than 2,000 files or 300 MB is not kept, which is a warning.
        description
            What to say of it.
        tags
            Tags to begin with.

        Returns
        -------
        Run
            Running until `Run.complete` or `Run.fail`. If the process ends first, it is recorded as Failed.

        Raises
        ------
        UserError
            If an argument is of another kind, there is no folder ``snapshot_directory``, or the workspace has a run of
            that id.
        """
        from runwidgets.starting import start_run
        from runwidgets.surroundings import Surroundings

        surroundings = Surroundings(self._workspace, outputs, snapshot_directory)
        return start_run(
            self,
            name=display_name or name,
            run_id=run_id,
            tags=tags,
            description=description,
            surroundings=surroundings,
        )

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
