"""The images of a run, read from its files once each, within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runwidgets.errors import NotFoundError, UserError
from runwidgets.images import HEAD_BYTES, image_type

if TYPE_CHECKING:
    from runwidgets.store.files import FileRoot
    from runwidgets.watch.view import RunView
    from runwidgets.watch.wire import ImageItem, ImagesState

MAX_BYTES: Final = 4 * 2**20
"""Largest image that is sent to a browser."""
MAX_IMAGES: Final = 60
"""How many of the latest images are shown."""


class Pictures:
    """Gives the gallery of one run.

    Parameters
    ----------
    files
        The workspace's files.
    run_id
        The run.
    """

    def __init__(self, files: FileRoot, run_id: str) -> None:
        self._files = files
        self._run_id = run_id
        self._read: dict[str, tuple[ImageItem, bytes | None]] = {}

    def gallery(self, view: RunView) -> tuple[ImagesState, dict[str, bytes]]:
        """Give the state of the gallery and the bytes of its images by path, newest last."""
        logged = sorted((at, metric.name, path) for metric in view.metrics.values() for at, path in metric.images)
        shown = logged[-MAX_IMAGES:]
        self._read = {path: self._read.get(path) or self._load(at, name, path) for at, name, path in shown}
        return (
            {"images": [item for item, _ in self._read.values()], "total": len(logged)},
            {path: data for path, (_, data) in self._read.items() if data is not None},
        )

    def _load(self, at: float, name: str, path: str) -> tuple[ImageItem, bytes | None]:
        item: ImageItem = {"name": name, "path": path, "size": 0, "logged_at": at, "mime": "", "note": None}
        try:
            file = self._files.path(self._run_id, path)
            item["size"] = file.stat().st_size
            if item["size"] > MAX_BYTES:
                item["note"] = f"larger than {MAX_BYTES // 2**20} MB: download the file to see it"
                return item, None
            data = file.read_bytes()
        except (NotFoundError, UserError, OSError):
            item["note"] = "the file is not there"
            return item, None
        media_type = image_type(data[:HEAD_BYTES])
        if media_type is None:
            item["note"] = "not a PNG, JPEG, GIF, WebP or BMP image"
            return item, None
        item["mime"] = media_type
        return item, data
