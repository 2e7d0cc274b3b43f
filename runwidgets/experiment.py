"""`Experiment`: a named series of runs in a workspace."""

from __future__ import annotations

import re
import time
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import ArgumentTypeError, NotFoundError, UserError
from runwidgets.values import stored_text

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from os import PathLike

    from runwidgets.filters import Filter
    from runwidgets.records import ExperimentRecord
    from runwidgets.run import Run
    from runwidgets.store.contract import Store
    from runwidgets.workspace import Workspace

_NAME: Final = re.compile(r"[A-Za-z0-9][\w\-]{0,254}")


class ViewType(StrEnum):
    """Which experiments `Experiment.list` gives."""

    ActiveOnly = "ActiveOnly"
    All = "All"
    ArchivedOnly = "ArchivedOnly"


class Experiment:
    """A named series of runs.

    To name one reads and writes nothing. It begins to exist, and is listed from then on, with its first run, or when
    it is tagged or archived.

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
        self._record: ExperimentRecord | None = None
        self._is_read = False

    @staticmethod
    def list(
        workspace: Workspace,
        experiment_name: str | None = None,
        view_type: ViewType | str = ViewType.ActiveOnly,
        tags: Filter = None,
    ) -> builtins.list[Experiment]:
        """List the experiments of a workspace, in the order in which they began to exist.

        Parameters
        ----------
        workspace
            The workspace.
        experiment_name
            Only the one of this name.
        view_type
            Active ones, archived ones, or all.
        tags
            Only those that have this ``"key"``, or all of ``{"key": "value"}``.

        Raises
        ------
        UserError
            If there is no such view type, or the filter is of another form.
        StoreError
            If the store does not answer.
        """
        from runwidgets.filters import run_query

        if view_type not in tuple(ViewType):
            raise UserError(f"view_type is {view_type!r}: it must be one of {', '.join(ViewType)}")
        wanted = run_query(tags=tags).tags
        workspace._recorder.flush()
        found = []
        for record in workspace._store.experiments(experiment_name and stored_text(experiment_name)):
            is_active = record.archived_at is None
            if view_type not in (ViewType.All, ViewType.ActiveOnly if is_active else ViewType.ArchivedOnly):
                continue
            if all(key in record.tags and value in (None, record.tags[key]) for key, value in wanted.items()):
                experiment = Experiment(workspace, record.name)
                experiment._record, experiment._is_read = record, True
                found.append(experiment)
        return found

    @staticmethod
    def delete(workspace: Workspace, experiment_id: str) -> None:
        """Delete an experiment with its runs, all that they logged, and their files.

        Parameters
        ----------
        workspace
            The workspace.
        experiment_id
            Its `id`.

        Raises
        ------
        NotFoundError
            If the workspace has no such experiment; the message lists those it has.
        UserError
            If a run of it has not ended and its process lives; nothing is deleted then.
        StoreError
            If the store does not answer.
        """
        from runwidgets.deleting import remove_files

        recorder = workspace._recorder
        recorder.flush()
        recorder.recover()  # what is left of processes that are gone would bring their runs back
        present = {experiment.id: experiment.name for experiment in Experiment.list(workspace, view_type=ViewType.All)}
        if experiment_id not in present:
            listed = ", ".join(f"{name} ({known})" for known, name in present.items()) or "none"
            raise NotFoundError(
                f"the workspace {workspace.name!r} has no experiment with the id {experiment_id!r}: it has {listed}"
            )
        remove_files(workspace, recorder.store.delete_experiment(present[experiment_id], time.time()))

    @property
    def workspace(self) -> Workspace:
        """The workspace it lies in."""
        return self._workspace

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def workspace_object(self) -> Workspace:
        """The workspace it lies in, by SDK v1's older name."""
        return self._workspace

    @property
    def id(self) -> str:
        """Its id: a UUID that follows from the names of workspace and experiment."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"runwidgets:{self._workspace.name}/{self._name}"))

    @property
    def tags(self) -> dict[str, str | None]:
        """Its tags as this object last saw or set them; `refresh` asks anew."""
        return dict(record.tags) if (record := self._seen()) else {}

    @property
    def archived_time(self) -> datetime | None:
        """Since when it is archived, as this object last saw it; None while it is active."""
        record = self._seen()
        if record is None or record.archived_at is None:
            return None
        return datetime.fromtimestamp(record.archived_at, UTC)

    def _seen(self) -> ExperimentRecord | None:
        if not self._is_read:
            self.refresh()
        return self._record

    def refresh(self) -> None:
        """Ask for tags and state now.

        Raises
        ------
        StoreError
            If the store does not answer.
        """
        self._workspace._recorder.flush()
        self._record = next(iter(self._store.experiments(self._name)), None)
        self._is_read = True

    @property
    def _store(self) -> Store:
        return self._workspace._store

    def tag(self, key: str, value: Any = None) -> None:
        """Set one tag; the value may be left out."""
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags, in addition to those that are there.

        Parameters
        ----------
        tags
            Values by key; what is no string is set as its text, None stays.

        Raises
        ------
        UserError
            If it is no dict, or a key is no string.
        StoreError
            If the store does not answer; nothing is set then.
        """
        from runwidgets.recording import tag_texts

        texts = tag_texts(tags)
        if self._workspace._limits:
            self._workspace._limits.check_experiment_tags(self.tags, texts)
        self._store.tag_experiment(self._name, texts, time.time())
        self.refresh()

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
        StoreError
            If the store does not answer.
        """
        from runwidgets.recording import tag_keys

        self._store.untag_experiment(self._name, tag_keys(tags))
        self.refresh()

    def archive(self) -> None:
        """Archive it: it is no longer listed, until `reactivate` or until another run of it begins.

        Raises
        ------
        StoreError
            If the store does not answer.
        """
        self._store.archive_experiment(self._name, time.time())
        self.refresh()

    def reactivate(self, new_name: str | None = None) -> None:
        """Make it active again.

        Parameters
        ----------
        new_name
            Not supported, as in SDK v1.

        Raises
        ------
        UserError
            If a new name is given.
        StoreError
            If the store does not answer.
        """
        if new_name is not None:
            raise UserError(
                f"reactivate(): an experiment keeps its name: {self._name!r} cannot become {new_name!r}; "
                "call reactivate() without a name"
            )
        self._store.reactivate_experiment(self._name, time.time())
        self.refresh()

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

    def submit(self, config: Any, tags: Mapping[str, Any] | None = None, **kwargs: Any) -> Run:
        """Submit what a configuration describes, such as a `ScriptRunConfig`; it goes on without this process.

        Parameters
        ----------
        config
            The configuration.
        tags
            Tags to begin with.
        **kwargs
            What the kind of configuration takes besides; a script: ``run_id``, ``display_name``, and ``priority`` (runs
            of a higher one leave the queue first; by default 0).

        Returns
        -------
        Run
            Of the class that the configuration asks for: a `ScriptRun` for a script.

        Raises
        ------
        UserError
            If it is no configuration, or something that it names is not there. Nothing is started then.
        SnapshotError
            If its folder has more than 2,000 files or 300 MB.
        StoreError
            If the workspace cannot be written.
        """
        start = getattr(config, "_submit", None)
        if not callable(start):
            raise ArgumentTypeError(
                f"submit(): config is a {type(config).__name__}: give a ScriptRunConfig, or another configuration that "
                "says what to run"
            )
        run: Run = start(self, tags, **kwargs)
        return run

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

    def get_portal_url(self) -> str:
        """Give the address of this experiment's page; as `Run.get_portal_url`."""
        from runwidgets.addressing import page_path, portal_url

        return portal_url(page_path("w", self.workspace.name, "experiments", self.name))

    def _repr_html_(self) -> str:
        from runwidgets.reprs import as_table

        return as_table({"Name": self._name, "Workspace": self._workspace.name})

    def __repr__(self) -> str:
        return f"Experiment(Name: {self._name},\nWorkspace: {self._workspace.name})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Experiment) and (self._workspace, self._name) == (other._workspace, other._name)

    def __hash__(self) -> int:
        return hash((self._workspace, self._name))
