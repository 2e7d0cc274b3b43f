"""The folders whose files belong to a run: ``./outputs``, or those that it was started with."""

from __future__ import annotations

import logging
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from runwidgets.errors import ArgumentTypeError, UserError
from runwidgets.restless import ChangedError, Restless, Whole
from runwidgets.store.files import checked_name
from runwidgets.store.sources import stamp_of
from runwidgets.system import may_be_written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runwidgets.store.files import FileRoot
    from runwidgets.store.sources import Stamp

_log = logging.getLogger(__name__)
_CHUNK: Final = 2**20
_NAMED: Final = 3
_ROUNDS: Final = 4
"""How often in one look it is tried to copy a file that changes again and again."""


class Outputs:
    """Watches over the folders of one run, and copies what is new there.

    A file belongs to the run if it came or changed since the run was started: a notebook starts run after run over the
    same ``./outputs``, and the model that lies there from the one before is not this one's.

    Parameters
    ----------
    folders
        The folders by what the names of their files in the run begin with; they are made where they are missing.
    restless_seconds
        After how long a file that changes again and again is kept all the same, where nobody has it open to write.
    """

    def __init__(self, folders: dict[str, Path], *, restless_seconds: float = float("inf")) -> None:
        self._folders = folders
        self._restless = Restless(restless_seconds)
        for folder in folders.values():
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                _log.warning("the folder %s for outputs cannot be made, and none are kept: %s", folder, error)
        self._seen = dict(self._stamps())

    @property
    def folders(self) -> list[Path]:
        """The folders."""
        return list(self._folders.values())

    def collect(self, files: FileRoot, run_id: str, *, settled_seconds: float = 0.0) -> Iterator[tuple[str, int]]:
        """Copy what is new into the files of the run; give each name and size in bytes.

        A file that changed within the last ``settled_seconds`` may still be written, and is left for next time. One
        that has been left for long is kept where it is whole, and looked at again as if it were not.

        What cannot be copied is named in one warning, and tried again next time. The same content under the same name,
        uploaded before, is not copied again.
        """
        troubles: list[str] = []
        latest = (time.time() - settled_seconds) * 1e9 if settled_seconds else float("inf")
        waiting: dict[Path, str] = {}
        for (name, path), stamp in self._stamps():
            if self._seen.get((name, path)) == stamp:
                continue
            if stamp.mtime_ns > latest:
                if self._restless.has_waited(path):
                    waiting[path] = name
                continue
            try:
                name_in_run = checked_name(name)
                size = stamp.size
                if not _is_copy(files, run_id, name_in_run, path, size):
                    size = files.save(run_id, name_in_run, path)
            except (OSError, UserError) as error:
                troubles.append(f"{path}: {error}")
            else:
                self._restless.note_kept(path)
                self._seen[name, path] = stamp
                yield name_in_run, size
        yield from self._collect_waiting(waiting, files, run_id, troubles)
        if troubles and may_be_written(files.root):  # else the journal tells, of these too
            more = f"; and {len(troubles) - _NAMED:,} more" if len(troubles) > _NAMED else ""
            _log.warning(
                "%d outputs of run %s are not kept: %s%s", len(troubles), run_id, "; ".join(troubles[:_NAMED]), more
            )

    def _collect_waiting(
        self, waiting: dict[Path, str], files: FileRoot, run_id: str, troubles: list[str]
    ) -> Iterator[tuple[str, int]]:
        """Copy files that change again and again; all are looked at again, for their times may not tell of the next."""
        for _ in range(_ROUNDS):
            for path, stamp in self._restless.whole(waiting).items():
                name = waiting[path]
                try:
                    name_in_run = checked_name(name)
                    with Whole(path, stamp) as source:
                        size = files.save(run_id, name_in_run, cast("BinaryIO", source))
                except ChangedError:
                    continue  # another round may be luckier
                except (OSError, UserError) as error:
                    troubles.append(f"{path}: {error}")
                else:
                    self._restless.note_kept(path)
                    yield name_in_run, size
                del waiting[path]

    def _stamps(self) -> Iterator[tuple[tuple[str, Path], Stamp]]:
        for prefix, folder in self._folders.items():
            for place, names, file_names in os.walk(folder):
                names.sort()
                for file_name in sorted(file_names):
                    path = Path(place, file_name)
                    with suppress(OSError):  # gone meanwhile, or a link to nowhere
                        found = path.stat()
                        if stat.S_ISREG(found.st_mode):
                            name = "/".join((*prefix.split("/"), *path.relative_to(folder).parts))
                            yield (name, path), stamp_of(found)


def outputs_of(outputs: Any, folder: Path) -> dict[str, Path]:
    """Give the folders that the argument ``outputs`` of `Experiment.start_logging` means.

    Parameters
    ----------
    outputs
        None or True for ``./outputs``, False for none, else a path or several.
    folder
        The current folder.

    Raises
    ------
    UserError
        If it is none of these.
    """
    if outputs is None or outputs is True:
        outputs = ["outputs"]
    elif outputs is False:
        outputs = []
    elif isinstance(outputs, (str, os.PathLike)):
        outputs = [outputs]
    if not isinstance(outputs, (list, tuple, set)) or not all(isinstance(one, (str, os.PathLike)) for one in outputs):
        raise ArgumentTypeError(f"outputs is {outputs!r}: give a folder, a list of folders, or False for none")
    found: dict[str, Path] = {}
    for one in outputs:
        path = Path(os.path.normpath(folder / one))
        if path == folder or folder.is_relative_to(path):
            raise UserError(f"outputs is {os.fspath(one)!r}: give a folder below the current one, such as 'outputs'")
        name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
        found[name] = path
    return found


def _is_copy(files: FileRoot, run_id: str, name: str, source: Path, size: int) -> bool:
    """Tell whether the run has this very content under this name."""
    try:
        place = files.path(run_id, name)
        if place.stat().st_size != size:
            return False
        with place.open("rb") as one, source.open("rb") as other:
            while chunk := one.read(_CHUNK):
                if chunk != other.read(_CHUNK):
                    return False
            return not other.read(1)
    except LookupError:
        return False
