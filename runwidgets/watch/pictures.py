"""The images of a run, read from its files once each, within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runwidgets.errors import NotFoundError, UserError
from runwidgets.images import HEAD_BYTES, image_type, is_whole

if TYPE_CHECKING:
    from runwidgets.store.files import FileRoot
    from runwidgets.watch.view import RunView
    from runwidgets.watch.wire import ImageItem, ImagesState

MAX_BYTES: Final = 4 * 2**20
"""Largest image that is sent to a browser."""
MAX_IMAGES: Final = 60
"""How many of the latest images are shown."""
_MISSING: Final = "the file is not there"
_CUT_OFF: Final = "the file is damaged or cut off: its image does not come to an end"
_PASSING: Final = (_MISSING, _CUT_OFF)


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
        """Give the state of the gallery and the bytes of its images by path, newest first."""
        logged = sorted(
            (
                (at, metric.name, number if len(metric.images) > 1 else None, path)
                for metric in view.metrics.values()
                for number, (at, path) in enumerate(metric.images, 1)
            ),
            key=lambda image: (image[0], image[1], image[2] or 0),
            reverse=True,
        )
        shown = {path: self._read.get(path) or self._load(at, name, path) for at, name, _, path in logged[:MAX_IMAGES]}
        # What is not there, or not whole, may be so at the next look.
        self._read = {path: read for path, read in shown.items() if read[0]["note"] not in _PASSING}
        items: list[ImageItem] = [{**shown[path][0], "number": number} for _, _, number, path in logged[:MAX_IMAGES]]
        return (
            {"images": items, "total": len(logged)},
            {path: data for path, (_, data) in shown.items() if data is not None},
        )

    def _load(self, at: float, name: str, path: str) -> tuple[ImageItem, bytes | None]:
        item: ImageItem = {
            "name": name, "number": None, "path": path, "size": 0, "logged_at": at, "mime": "", "note": None,
        }  # fmt: skip
        try:
            file = self._files.path(self._run_id, path)
            item["size"] = file.stat().st_size
            if item["size"] > MAX_BYTES:
                item["note"] = f"larger than {MAX_BYTES // 2**20} MB: download the file to see it"
                return item, None
            data = file.read_bytes()
        except (NotFoundError, UserError, OSError):
            item["note"] = _MISSING
            return item, None
        media_type = image_type(data[:HEAD_BYTES])
        if media_type is None:
            item["note"] = "not a PNG, JPEG, GIF, WebP or BMP image"
            return item, None
        if not is_whole(data, media_type):
            item["note"] = _CUT_OFF
            return item, None
        item["mime"] = media_type
        return item, data
