"""The beginning of a file, for a browser to show: text by what it is, pictures within limits, nothing of the rest."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final, Literal, TypedDict

from runwidgets.errors import NotFoundError
from runwidgets.images import HEAD_BYTES, image_type
from runwidgets.watch.downloads import Offer
from runwidgets.watch.pictures import read_picture
from runwidgets.watch.requests import Answer

if TYPE_CHECKING:
    from pathlib import Path

    from runwidgets.store.files import FileRoot
    from runwidgets.watch.requests import Request

Shown = Literal["text", "json", "table", "diff", "image", "binary", "empty"]
TEXT_BYTES: Final = 2**18
"""How much of a text is shown."""
_LOOKED_AT: Final = 2**13
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
)
_KINDS: Final[dict[str, Shown]] = {
    "json": "json", "ipynb": "json", "geojson": "json", "csv": "table", "tsv": "table", "diff": "diff", "patch": "diff",
}  # fmt: skip
_CONTROLS: Final = frozenset({*range(7), *range(14, 27), *range(28, 32), 127})
"""Bytes that no text has, but for a stray one; terminals' escapes begin with 27."""
_MOST_CONTROLS: Final = 0.02
_ASCII: Final = bytes(range(128))
_MOST_OTHERS: Final = 0.3


class PreviewReply(TypedDict):
    """``PreviewReply``, without what all replies have."""

    path: str
    size: int
    shown: Shown
    is_cut: bool
    encoding: str
    mime: str
    width: int
    height: int
    note: str | None


class Previews:
    """Gives the beginnings of the files of one run.

    Parameters
    ----------
    files
        The workspace's files, which check each name.
    run_id
        The run.
    """

    def __init__(self, files: FileRoot, run_id: str) -> None:
        self._files = files
        self._run_id = run_id

    def answer(self, request: Request) -> Answer:
        """Give what a ``PreviewRequest`` asks for: the reply, and the bytes that are to be shown.

        Raises
        ------
        UserError
            If the name is that of no file of a run.
        NotFoundError
            If there is no such file.
        OSError
            If it cannot be read.
        """
        name = request.text("path")
        path = self._files.path(self._run_id, name)
        with path.open("rb") as file:
            data = file.read(TEXT_BYTES)
        size = path.stat().st_size
        reply: PreviewReply = {
            "path": name, "size": size, "shown": "empty", "is_cut": False, "encoding": "", "mime": "", "width": 0,
            "height": 0, "note": None,
        }  # fmt: skip
        if not data:
            return Answer(reply)
        if image_type(data[:HEAD_BYTES]) is not None:
            picture = read_picture(path)
            reply |= {"shown": "image", "mime": picture.mime, "width": picture.width, "height": picture.height}
            return Answer({**reply, "note": picture.note}, picture.data)
        is_cut = size > len(data)
        encoding = encoding_of(data, is_cut=is_cut)
        if encoding is None:
            return Answer({**reply, "shown": "binary"})
        kind = _KINDS.get(name.rpartition("/")[2].rpartition(".")[2].lower(), "text")
        return Answer({**reply, "shown": kind, "is_cut": is_cut, "encoding": encoding}, data)

    def offer(self, name: str, _scratch: Path) -> Offer:
        """Find a file to download."""
        try:
            path = self._files.path(self._run_id, name)
        except NotFoundError:
            raise NotFoundError(f"the file {name!r} is not there any more") from None
        return Offer(path, f"run.download_file({name!r}) copies it")


def encoding_of(data: bytes, *, is_cut: bool) -> str | None:
    """Tell in which encoding the beginning of a file is text, by the names that browsers know; None if it is none.

    Parameters
    ----------
    data
        The bytes.
    is_cut
        Whether they may end within a character.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return encoding
    looked_at = data[:_LOOKED_AT]
    if b"\0" in looked_at:
        return None
    if sum(map(looked_at.count, map(_byte, _CONTROLS))) > _MOST_CONTROLS * len(looked_at):
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=not is_cut)
    except UnicodeDecodeError:
        others = len(looked_at.translate(None, _ASCII))
        return "windows-1252" if others < _MOST_OTHERS * len(looked_at) else None
    return "utf-8"


def _byte(value: int) -> bytes:
    return bytes((value,))
