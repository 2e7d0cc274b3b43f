"""What goes wrong with files, in words for whoever typed a command."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from runwidgets.errors import UserError

_REASONS: Final = {
    errno.EISDIR: "is a folder, and a file is wanted",
    errno.ENOENT: "there is no such file or folder",
    errno.ENOTDIR: "a part of this path is a file, and a folder is wanted",
    errno.EEXIST: "is there already",
    errno.EACCES: "this user has no permission for that",
    errno.EPERM: "this user has no permission for that",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "this user may not use more of the disk",
    errno.EROFS: "the disk can only be read",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "links lead round in a circle",
}


def in_words(error: OSError) -> str:
    """Say what is wrong and with which file, without the words of Python."""
    if error.errno is None:
        return str(error)
    own = error.strerror if error.strerror and error.strerror != os.strerror(error.errno) else None
    reason = own or _REASONS.get(error.errno) or error.strerror or str(error)
    file = error.filename2 or error.filename
    return f"{os.fsdecode(file)}: {reason}" if isinstance(file, (str, bytes, os.PathLike)) else reason


def file_to_write(text: str, what: str) -> Path:
    """Give the path of a file to write, after a look whether it can be: before much is done for nothing.

    Parameters
    ----------
    text
        What was given.
    what
        What it was given as, such as ``--csv``.

    Raises
    ------
    UserError
        If it is a folder, its folder is not there, or this user may not write it.
    """
    file = Path(text)
    folder = file.parent
    if not text:
        reason = "the name of a file is wanted"
    elif file.is_dir():
        reason = f"is a folder: give a file, such as {file / 'FILE'}"
    elif not folder.exists():
        reason = f"there is no folder {folder}: make it first"
    elif not folder.is_dir():
        reason = f"{folder} is a file, and a folder is wanted"
    elif not os.access(file if file.exists() else folder, os.W_OK):
        reason = f"this user may not write {file if file.exists() else folder}"
    else:
        return file
    raise UserError(f"{what} {text!r}: {reason}")
