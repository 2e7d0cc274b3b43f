"""`Snapshotting`: the files that a run was started from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runwidgets.errors import NotFoundError, SnapshotError
from runwidgets.recording import Recording

if TYPE_CHECKING:
    import os

    from runwidgets.store.snapshots import SnapshotStore


class Snapshotting(Recording):
    """The part of a `Run` that keeps a copy of its source files, and gives it back."""

    def get_snapshot_id(self) -> str | None:
        """Give the id of the snapshot that was taken with this run, or None."""
        from runwidgets.surroundings import SNAPSHOT_ID

        return self.get_properties().get(SNAPSHOT_ID)

    def take_snapshot(self, file_or_folder_path: str | os.PathLike[str]) -> str:
        """Keep a file or a folder as it is now, as the snapshot of this run.

        Parameters
        ----------
        file_or_folder_path
            The file, or the folder: then less what its ``.amlignore``, or else ``.gitignore``, names.

        Returns
        -------
        str
            The snapshot's id. Equal files have equal ids.

        Raises
        ------
        SnapshotError
            If the run has a snapshot already (`Experiment.start_logging` takes one unless it is told not to), or the
            folder has more than 2,000 files or 300 MB.
        NotFoundError
            If there is no such file or folder.
        """
        from runwidgets.home import home
        from runwidgets.store.sources import Limits
        from runwidgets.surroundings import SNAPSHOT_ID

        if present := self.get_snapshot_id():
            raise SnapshotError(
                f"run {self._id} has the snapshot {present} already, and a run has one: start it with "
                "snapshot_directory=None to take another"
            )
        snapshot = self._snapshots.take(Path(file_or_folder_path), without=[home()], limits=Limits())
        if snapshot.unreadable:
            raise SnapshotError(f"no snapshot is kept: these cannot be read: {', '.join(snapshot.unreadable[:5])}")
        self.add_properties({SNAPSHOT_ID: snapshot.id})
        return snapshot.id

    def restore_snapshot(self, snapshot_id: str | None = None, path: str | os.PathLike[str] | None = None) -> str:
        """Write a snapshot as a zip archive.

        Parameters
        ----------
        snapshot_id
            Which one; by default that of this run.
        path
            The folder to write it to; by default the current one.

        Returns
        -------
        str
            The path of ``<snapshot_id>.zip``.

        Raises
        ------
        NotFoundError
            If the run has no snapshot, or the workspace none of that id.
        """
        snapshot_id = snapshot_id or self.get_snapshot_id()
        if snapshot_id is None:
            raise NotFoundError(f"run {self._id} has no snapshot")
        return str(self._snapshots.write_zip(snapshot_id, Path(path or ".")))

    @property
    def _snapshots(self) -> SnapshotStore:
        from runwidgets.store.snapshots import snapshots_of

        return snapshots_of(self._experiment.workspace._folder)
