"""What lets a built environment import runwidgets and log: links to what the submitting environment has.

They come last on the path, so that packages which an environment has itself are the ones that are imported there.
"""

from __future__ import annotations

import os
import shutil
import uuid
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

LENT: Final = ("filelock", "msgspec", "numpy", "pathspec", "psutil")
"""The distributions that logging imports."""
_PATH_FILE: Final = "zz_runwidgets.pth"  # read after those of other packages, which are in alphabetical order


def lend(site_packages: Path, folder: Path, *, with_compiled: bool = True) -> None:
    """Make what logging needs importable in an environment; what is so already stays.

    Parameters
    ----------
    site_packages
        The environment's folder of packages.
    folder
        Where to put the links; made where it is not there.
    with_compiled
        Whether the distributions that logging imports are lent too, not runwidgets alone. They work only in the same
        version of Python.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for source in _sources(with_compiled=with_compiled):
        place = folder / source.name
        is_copy = place.exists() and not place.is_symlink()  # where no links can be made
        if not is_copy and not (place.is_symlink() and place.readlink() == source):
            _link(place, source)
    path_file = site_packages / _PATH_FILE
    line = f"{os.path.relpath(folder, site_packages)}\n"
    if not path_file.is_file() or path_file.read_text(encoding="utf-8") != line:
        path_file.write_text(line, encoding="utf-8")


def _sources(*, with_compiled: bool) -> Iterator[Path]:
    yield Path(__file__).resolve().parents[1]
    if (own := _installed("runwidgets")) is not None:
        yield from (path for path in _tops(own) if path.name.endswith(".dist-info"))  # it has the version
    for name in LENT if with_compiled else ():
        if (found := _installed(name)) is not None:
            tops = _tops(found) or [Path(str(found.locate_file(name)))]  # a system's packages may list no files
            yield from (path for path in tops if not path.name.endswith((".dist-info", ".egg-info")))


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _tops(installed: Distribution) -> list[Path]:
    """Give what an installed distribution has put into the folder of packages, first parts of paths only."""
    names = {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}
    found = (Path(str(installed.locate_file(name))) for name in sorted(names) if not name.endswith(".pth"))
    return [path for path in found if path.exists()]


def _link(place: Path, source: Path) -> None:
    scratch = place.with_name(f".{uuid.uuid4().hex}")
    try:
        scratch.symlink_to(source, target_is_directory=source.is_dir())
    except OSError:  # a system on which not everybody may make links
        if source.is_dir():
            shutil.copytree(source, place, dirs_exist_ok=True)
        else:
            shutil.copy2(source, place)
        return
    scratch.replace(place)
