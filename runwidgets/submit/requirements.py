"""The requirements of pip, a line each: what they name, and which files they come from."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runwidgets.errors import RunConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_COMMENT: Final = re.compile(r"(?:^|\s+)#.*$")
_FILE_OPTION: Final = re.compile(
    r"(?P<option>-e|-f|-c|-r|--editable|--find-links|--constraint|--requirement)[\s=]*(?P<place>\S.*)"
)
_NESTED: Final = ("-r", "--requirement")
_STANDS_FOR: Final = ("azureml", "runwidgets")
_BUILT: Final = {"__pycache__", ".git", "build", "dist"}


def package_name(requirement: str) -> str:
    """Give the name of the package that a requirement asks for, in lower case with ``-``; empty where it names none.

    Parameters
    ----------
    requirement
        A line as pip takes it, such as ``"scikit-learn>=1.4"``; options and places of files name no package.
    """
    found = _NAME.match(requirement.strip())
    local = requirement.partition("@")[0].strip()
    if found is None or "/" in local or local.endswith((".whl", ".tar.gz")):
        return ""
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def is_own(requirement: str) -> bool:
    """Tell whether a requirement asks for what runwidgets stands for: itself, or a package of SDK v1."""
    return package_name(requirement).partition("-")[0] in _STANDS_FOR


def read_requirements(file: Path, _above: tuple[Path, ...] = ()) -> list[str]:
    """Read a file of requirements, and those that it names with ``-r``, without comments and broken lines.

    Returns
    -------
    list of str
        Requirements and options, a line each. Places of files are absolute, so that they hold in any folder.

    Raises
    ------
    RunConfigurationError
        If a file cannot be read, or names itself.
    """
    if (place := file.resolve()) in _above:
        raise RunConfigurationError(f"the requirements {file} name themselves with -r")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RunConfigurationError(f"the requirements {file} cannot be read: {error}") from error
    found = []
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        requirement = _COMMENT.sub("", line).strip()
        option = _FILE_OPTION.fullmatch(requirement)
        if option and option["option"] in _NESTED:
            found += read_requirements(file.parent / option["place"].strip(), (*_above, place))
        elif requirement:
            found.append(with_absolute_place(requirement, file.absolute().parent))
    return found


def with_absolute_place(requirement: str, folder: Path) -> str:
    """Give a requirement with the absolute path of the file it names, where there is such a file.

    Parameters
    ----------
    requirement
        The line.
    folder
        Where relative paths begin.
    """
    option = _FILE_OPTION.fullmatch(requirement.strip())
    place = option["place"].strip() if option else requirement.strip()
    if not option and not re.search(r"[/\\]|\.whl$|^\.", place):
        return requirement
    path, bracket, extras = place.partition("[")
    for start in (folder, Path.cwd()):
        if "://" not in path and (start / path.strip()).exists():
            absolute = f"{(start / path.strip()).resolve()}{bracket}{extras}"
            return f"{option['option']} {absolute}" if option else absolute
    return requirement


def content_of_places(requirements: Iterable[str]) -> str:
    """Give a text that changes when a file or folder changes that is to be installed.

    What is installed to be edited in place is always as it is there, and so is no part of it; neither is a folder of
    packages to look in, which is asked as an index is.
    """
    digest = hashlib.sha256()
    for requirement in sorted(requirements):
        option = _FILE_OPTION.fullmatch(requirement)
        if option and option["option"] not in {"-c", "--constraint"}:
            continue
        place = Path((option["place"] if option else requirement).partition("[")[0].strip())
        if not place.is_absolute():
            continue
        if place.is_file():
            digest.update(place.read_bytes())
        for file in sorted(place.rglob("*")) if place.is_dir() else ():
            inside = file.relative_to(place)
            if file.is_file() and not any(p in _BUILT or p.endswith(".egg-info") for p in inside.parts):
                about = file.stat()
                digest.update(f"{inside}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
    return digest.hexdigest()
