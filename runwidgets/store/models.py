"""Registered models: a folder for each version, with its files and, written last, ``model.json``.

``models/<name>/<version>/files/…``. A version is taken by making its folder, which of many processes one does. A folder
without ``model.json`` is no model: one that is being registered, or was not to its end, or was deleted. It stays, so
that its number is not given again. Nothing of a model is ever loaded.
"""

from __future__ import annotations

import shutil
import uuid
from typing import TYPE_CHECKING, Final

import msgspec

from runwidgets.errors import ModelNotFoundError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RECORD: Final = "model.json"
_FILES: Final = "files"


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a model.

    Attributes
    ----------
    path
        Name of the file or folder that it is.
    created_at
        When it was registered, UTC epoch seconds.
    run_id, experiment_name
        The run that it comes from, if it does from one.
    """

    name: str
    version: int
    path: str
    created_at: float
    description: str | None = None
    tags: dict[str, str | None] = {}
    properties: dict[str, str] = {}
    run_id: str | None = None
    experiment_name: str | None = None
    framework: str | None = None
    framework_version: str | None = None
    format: int = 1


class ModelStore:
    """The models of a workspace.

    Parameters
    ----------
    root
        The folder; made when the first one comes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> list[str]:
        """Name the models that there are, or were."""
        return sorted(place.name for place in _folders(self._root))

    def versions(self, name: str) -> list[int]:
        """List all versions of a model that were ever begun, in order."""
        return sorted(int(place.name) for place in _folders(self._root / name) if place.name.isdecimal())

    def read(self, name: str, version: int) -> ModelRecord | None:
        """Read about a version; None where there is none.

        Raises
        ------
        StoreError
            If what is there cannot be read.
        """
        file = self._folder(name, version) / RECORD
        try:
            return msgspec.json.decode(file.read_bytes(), type=ModelRecord)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StoreError(f"the model {name}:{version} cannot be read: {file}: {error}") from error

    def records(self, name: str | None = None) -> Iterator[ModelRecord]:
        """Give all versions of all models, or of one; of each the newest first."""
        for one in self.names() if name is None else [name]:
            for version in reversed(self.versions(one)):
                if (record := self.read(one, version)) is not None:
                    yield record

    def add(self, record: ModelRecord, fill: Callable[[Path], None]) -> ModelRecord:
        """Keep a new version of a model.

        Parameters
        ----------
        record
            About it; its version is set here.
        fill
            Is given an empty folder, to put the files into. If it fails, there is no such version.
        """
        version = self._claim(record.name)
        record = msgspec.structs.replace(record, version=version)
        files = self._folder(record.name, version) / _FILES
        try:
            files.mkdir()
            fill(files)
            self._write(record)
        except BaseException:
            shutil.rmtree(files, ignore_errors=True)
            raise
        return record

    def _claim(self, name: str) -> int:
        version = max(self.versions(name), default=0) + 1
        while True:
            try:
                self._folder(name, version).mkdir(parents=True)
            except FileExistsError:
                version += 1
            else:
                return version

    def change(self, name: str, version: int, change: Callable[[ModelRecord], ModelRecord]) -> ModelRecord:
        """Change what is said of a version; of many who do at once, each sees what the one before has changed.

        Raises
        ------
        ModelNotFoundError
            If there is no such version.
        """
        from filelock import FileLock

        folder = self._folder(name, version)
        if not folder.is_dir():
            raise ModelNotFoundError(f"there is no model {name}:{version} any more")
        with FileLock(folder / f".{RECORD}.lock"):
            record = self.read(name, version)
            if record is None:
                raise ModelNotFoundError(f"there is no model {name}:{version} any more")
            changed = change(record)
            self._write(changed)
        return changed

    def _write(self, record: ModelRecord) -> None:
        folder = self._folder(record.name, record.version)
        scratch = folder / f".{RECORD}-{uuid.uuid4().hex}"
        try:
            scratch.write_bytes(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
            scratch.replace(folder / RECORD)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise

    def delete(self, name: str, version: int) -> None:
        """Delete a version's files; its number stays taken. One that is gone already does no harm."""
        from filelock import FileLock

        folder = self._folder(name, version)
        if not folder.is_dir():
            return
        with FileLock(folder / f".{RECORD}.lock"):
            (folder / RECORD).unlink(missing_ok=True)  # first, so that nobody finds one of which a part is gone
            if (folder / _FILES).is_dir():
                shutil.rmtree(folder / _FILES)

    def place(self, record: ModelRecord) -> Path:
        """Give where a version's file or folder lies."""
        return self._folder(record.name, record.version) / _FILES / record.path

    def _folder(self, name: str, version: int) -> Path:
        return self._root / name / str(version)


def _folders(place: Path) -> list[Path]:
    try:
        return [one for one in place.iterdir() if one.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
