"""`Uploading`: the files that a script keeps with its run."""

from __future__ import annotations

import io
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from runwidgets.artifacts import StoredFile
from runwidgets.errors import ArgumentTypeError, FileNotKeptError, UserError
from runwidgets.events import FileStored
from runwidgets.handle import Handle
from runwidgets.system import DISK_IS_FULL, may_be_written

if TYPE_CHECKING:
    from collections.abc import Iterable

_log = logging.getLogger(__name__)
_now = time.time


class Uploading(Handle):
    """The part of a `Run` that keeps files."""

    def upload_file(
        self, name: str, path_or_stream: str | Path | BinaryIO | io.TextIOBase, datastore_name: str | None = None
    ) -> StoredFile:
        """Keep a file with the run.

        Parameters
        ----------
        name
            Its name there, such as ``outputs/model.pkl``; a file of that name is replaced.
        path_or_stream
            A path, or a stream; text is kept as UTF-8.
        datastore_name
            Accepted, as in SDK v1; all files of runs lie in the workspace's folder.

        Returns
        -------
        StoredFile
            Its name in the run, and its size.

        Raises
        ------
        UserError
            If the name leads out of the run, or the source is neither a path nor a stream.
        FileNotFoundError
            If there is no file at the path.
        FileNotKeptError
            If the workspace's folder does not take it (also an `OSError`): the disk is full, or may not be written.
        """
        _ignore(datastore_name)
        if isinstance(path_or_stream, (str, Path)):
            return self._upload(name, Path(path_or_stream))
        if isinstance(path_or_stream, io.TextIOBase):
            return self._upload(name, io.BytesIO(path_or_stream.read().encode()))
        if hasattr(path_or_stream, "read"):
            return self._upload(name, path_or_stream)
        raise ArgumentTypeError(
            f"upload_file({name!r}): path_or_stream is a {type(path_or_stream).__name__}, neither path nor stream"
        )

    def upload_files(
        self,
        names: Iterable[str],
        paths: Iterable[str | Path],
        return_artifacts: bool = False,  # noqa: ARG002 (SDK v1's signature)
        timeout_seconds: float | None = None,  # noqa: ARG002
        datastore_name: str | None = None,
    ) -> list[StoredFile]:
        """Keep several files with the run.

        Parameters
        ----------
        names
            Their names there.
        paths
            Where each is now.
        return_artifacts, timeout_seconds, datastore_name
            Accepted, as in SDK v1.

        Returns
        -------
        list of StoredFile
            In the order of ``names``.

        Raises
        ------
        UserError
            If there are not as many names as paths (also a `TypeError`), or a name leads out of the run.
        FileNotFoundError
            If there is no file at one of the paths; those before it are kept.
        FileNotKeptError
            As in `upload_file`.
        """
        _ignore(datastore_name)
        names, sources = list(names), [Path(path) for path in paths]
        if len(names) != len(sources):
            raise ArgumentTypeError(
                f"upload_files(): {len(names)} names for {len(sources)} paths: give one name for each path"
            )
        return [self._upload(name, source) for name, source in zip(names, sources, strict=True)]

    def upload_folder(self, name: str, path: str | Path, datastore_name: str | None = None) -> list[StoredFile]:
        """Keep all files in a folder, and in the folders below it, with the run.

        Parameters
        ----------
        name
            The folder's name there, such as ``outputs/model``.
        path
            The folder.
        datastore_name
            Accepted, as in SDK v1.

        Returns
        -------
        list of StoredFile
            In the order of their names.

        Raises
        ------
        UserError
            If there is no folder at the path, or the name leads out of the run.
        FileNotKeptError
            As in `upload_file`.
        """
        _ignore(datastore_name)
        folder = Path(path)
        if not folder.is_dir():
            raise UserError(f"upload_folder({name!r}): there is no folder at {folder}: use upload_file for one file")
        return [
            self._upload(f"{name}/{source.relative_to(folder).as_posix()}", source)
            for source in sorted(folder.rglob("*"))
            if source.is_file()
        ]

    def _upload(self, name: str, source: Path | BinaryIO) -> StoredFile:
        try:
            return self._store_file(name, source)
        except OSError as error:
            if isinstance(source, Path) and error.filename == str(source):
                raise  # it is the source that cannot be read
            folder = self._experiment.workspace._folder
            if error.errno in DISK_IS_FULL:
                advice = "free some space on that disk, and upload it again"
            elif may_be_written(folder):
                advice = "upload it again"
            else:
                advice = "set RUNWIDGETS_HOME to a folder that can be written, and start anew"
            raise FileNotKeptError(
                f"the file {name!r} of run {self._id} cannot be kept in {folder} ({error}): {advice}", error.errno
            ) from error

    def _store_file(self, name: str, source: Path | BinaryIO) -> StoredFile:
        from runwidgets.store.files import checked_name

        name = checked_name(name)
        size = self._experiment.workspace._files.save(self._id, name, source)
        self._write(FileStored(self._id, _now(), name, size))
        return StoredFile(self._id, name, size)


def _ignore(datastore_name: str | None) -> None:
    if datastore_name is not None:
        _log.warning(
            "datastore_name=%r is ignored: the files of a run lie in its workspace's folder on this machine",
            datastore_name,
        )
