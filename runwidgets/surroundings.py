"""What surrounds an interactive run: its outputs, a snapshot of its folder, and what git and Python say."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from runwidgets.errors import ArgumentTypeError, NotFoundError, SnapshotError, UserError
from runwidgets.events import FileStored, PropertiesAdded
from runwidgets.git import git_facts, without_credentials
from runwidgets.home import home
from runwidgets.outputs import Outputs, outputs_of
from runwidgets.packages import packages_text, python_facts
from runwidgets.store.snapshots import snapshots_of
from runwidgets.store.sources import Limits
from runwidgets.system import may_be_written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runwidgets.run import Run
    from runwidgets.workspace import Workspace

_log = logging.getLogger(__name__)
_now = time.time

SNAPSHOT_ID: Final = "ContentSnapshotId"
_PACKAGES: Final = "environment/packages.txt"
_DIFF: Final = "environment/uncommitted.diff"
_GIT: Final = ("repository_uri", "branch", "commit", "dirty", "build_id", "build_uri")
_MLFLOW: Final = {"repository_uri": "repoURL", "branch": "branch", "commit": "commit"}


class Surroundings:
    """What is around a run that is about to start in this process.

    Parameters
    ----------
    workspace
        Where the run will be.
    outputs
        As for `Experiment.start_logging`.
    snapshot_directory
        The folder to take a snapshot of; None for no snapshot, and no diff.

    Raises
    ------
    UserError
        If an argument is of another kind, or there is no such folder. Whatever else fails is a warning.
    """

    def __init__(
        self, workspace: Workspace, outputs: Any = None, snapshot_directory: str | os.PathLike[str] | None = "."
    ) -> None:
        try:
            here = Path.cwd()
        except OSError as error:
            _log.warning("the current folder is gone: the run keeps no outputs and no snapshot (%s)", error)
            here, outputs, snapshot_directory = Path(os.sep), False, None
        folders = outputs_of(outputs, here)
        folder = None if snapshot_directory is None else _folder(snapshot_directory, here)
        self._outputs = Outputs(folders)
        self.properties, self._texts = facts_of(folder or here, with_diff=folder is not None)
        if folder is not None:
            snapshot_id = _snapshot(workspace, folder, [here / "outputs", here / "logs", *folders.values()])
            if snapshot_id is not None:
                self.properties[SNAPSHOT_ID] = snapshot_id

    def record(self, run: Run) -> Callable[[], None]:
        """Record all this with the run; give what collects its outputs."""
        write, workspace = run._recorder.write, run._experiment.workspace
        if self.properties:
            write(PropertiesAdded(run.id, _now(), self.properties))
            run._properties.update(self.properties)
        files = workspace._files
        for stored in keep_texts(workspace, run.id, self._texts):
            write(stored)

        def collect() -> None:
            try:
                for name, size in self._outputs.collect(files, run.id):
                    write(FileStored(run.id, _now(), name, size))
            except Exception:  # noqa: BLE001 (a run must end, whatever lies in its folders)
                _log.exception("the outputs of run %s cannot all be kept", run.id)

        return collect


def facts_of(folder: Path, *, with_diff: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Ask git about a folder, and Python about itself.

    Returns
    -------
    tuple of dict
        Properties for a run, and texts to keep with it, by file name: the packages, and what was changed since the
        commit.
    """
    properties = python_facts() | _git_properties(folder)
    texts = {_PACKAGES: packages} if (packages := packages_text()) else {}
    if with_diff:
        facts = git_facts(folder)
        if facts is not None and facts.diff:
            texts[_DIFF] = facts.diff
    return properties, texts


def keep_texts(workspace: Workspace, run_id: str, texts: dict[str, str]) -> Iterator[FileStored]:
    """Keep texts as files of a run, equal ones once for all runs; what cannot be kept is a warning."""
    files, contents = workspace._files, snapshots_of(workspace._folder)
    for name, text in texts.items():
        try:
            source = contents.path(contents.keep(text.encode()))
            yield FileStored(run_id, _now(), name, files.link(run_id, name, source))
        except OSError as error:
            if may_be_written(workspace._folder):  # else the journal tells, of this too
                _log.warning("the file %s of run %s is not kept: %s", name, run_id, error)


def _folder(given: object, here: Path) -> Path:
    if not isinstance(given, (str, os.PathLike)):
        raise ArgumentTypeError(
            f"snapshot_directory is a {type(given).__name__}: give a folder, or None for no snapshot"
        )
    folder = Path(os.path.normpath(here / os.fspath(given)))
    if not folder.is_dir():
        raise UserError(f"snapshot_directory is {os.fspath(given)!r}: there is no such folder; None takes no snapshot")
    return folder


def _git_properties(folder: Path) -> dict[str, str]:
    facts = git_facts(folder)
    found = {}
    if facts is not None:
        found = {"repository_uri": facts.repository_uri, "branch": facts.branch, "commit": facts.commit}
        found["dirty"] = str(facts.is_dirty)
    for key in _GIT:
        if given := os.environ.get(f"AZUREML_GIT_{key.upper()}"):
            found[key] = without_credentials(given) if key.endswith("uri") else given
    properties = {f"azureml.git.{key}": value for key, value in found.items() if value}
    return properties | {f"mlflow.source.git.{_MLFLOW[key]}": found[key] for key in _MLFLOW if found.get(key)}


# ---- snapshots


class _Refusal(NamedTuple):
    """A folder is too big: that need not be found out again at each start, nor be said again."""

    until: float
    marks: tuple[int, ...]


_refused: dict[Path, _Refusal] = {}
_REFUSED_SECONDS: Final = 60.0


def _snapshot(workspace: Workspace, folder: Path, without: list[Path]) -> str | None:
    refusal = _refused.get(folder)
    if refusal is not None and time.monotonic() < refusal.until and refusal.marks == _marks(folder):
        return None
    try:
        limits = Limits()
        snapshot = snapshots_of(workspace._folder).take(folder, without=[home(), *without], limits=limits)
    except (SnapshotError, NotFoundError, OSError) as error:
        _refused[folder] = _Refusal(time.monotonic() + _REFUSED_SECONDS, _marks(folder))
        is_of_disk = isinstance(error, OSError) or isinstance(error.__cause__, OSError)
        if not is_of_disk or may_be_written(workspace._folder):  # else the journal tells, of this too
            _log.warning("%s; with snapshot_directory=None none is taken, and another folder may be named", error)
        return None
    _refused.pop(folder, None)
    if snapshot.unreadable:
        _log.warning("the snapshot of %s lacks what cannot be read: %s", folder, ", ".join(snapshot.unreadable[:5]))
    return snapshot.id if snapshot.file_count else None


def _marks(folder: Path) -> tuple[int, ...]:
    """Give what changes when somebody tidies up a folder, or tells it what to ignore."""
    found = []
    for path in (folder, folder / ".amlignore", folder / ".gitignore"):
        try:
            found.append(path.stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)
