"""The images of a run by name, for the panel ``js/src/images.ts``. One is read when a browser asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict

from runwidgets.errors import NotFoundError
from runwidgets.watch.downloads import Offer
from runwidgets.watch.pictures import CUT_OFF, read_picture
from runwidgets.watch.requests import Answer

if TYPE_CHECKING:
    from pathlib import Path

    from runwidgets.store.files import FileRoot
    from runwidgets.watch.requests import Request
    from runwidgets.watch.view import MetricView, RunView

MAX_NAMES: Final = 500
"""How many names of images are listed."""
MISSING: Final = "the file is not there"


class ImageName(TypedDict):
    """One entry of ``GalleryState.names``."""

    name: str
    count: int
    logged_at: float


class GalleryState(TypedDict):
    """``GalleryState``."""

    names: list[ImageName]
    total_names: int
    total: int
    is_open: bool


class PictureReply(TypedDict):
    """``PictureReply``, without what all replies have."""

    path: str
    size: int
    logged_at: float
    mime: str
    width: int
    height: int
    note: str | None
    may_pass: bool


class Gallery:
    """The images of one run, for one display.

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
        self._images: dict[str, tuple[tuple[float, str], ...]] = {}

    def state(self, view: RunView, *, is_open: bool) -> GalleryState:
        """Give the names of a view's images by alphabet; requests are answered from this view from now on."""
        metrics: list[MetricView] = [metric for metric in view.metrics.values() if metric.images]
        self._images = {metric.name: metric.images for metric in metrics}
        metrics.sort(key=lambda metric: (metric.name.casefold(), metric.name))
        return {
            "names": [
                {"name": metric.name, "count": len(metric.images), "logged_at": metric.images[-1][0]}
                for metric in metrics[:MAX_NAMES]
            ],
            "total_names": len(metrics),
            "total": sum(len(metric.images) for metric in metrics),
            "is_open": is_open,
        }

    def answer(self, request: Request) -> Answer:
        """Give the image that a ``PictureRequest`` asks for, with its bytes, or why it is not shown."""
        at, path = self._find(request.text("name"), request.number("index"))
        reply: dict[str, Any] = {"path": path, "logged_at": at, "may_pass": False}
        try:
            picture = read_picture(self._files.path(self._run_id, path))
        except (NotFoundError, FileNotFoundError):
            empty = {"size": 0, "mime": "", "width": 0, "height": 0, "note": MISSING, "may_pass": True}
            return Answer({**reply, **empty})
        facts = picture._asdict()
        data = facts.pop("data")
        return Answer({**reply, **facts, "may_pass": picture.note == CUT_OFF}, data)

    def offer(self, path: str, _scratch: Path) -> Offer:
        """Find an image to download, by its path."""
        return Offer(self._files.path(self._run_id, path), f"run.download_file({path!r}) copies it")

    def _find(self, name: str, index: int) -> tuple[float, str]:
        images = self._images.get(name, ())
        if index >= len(images):
            raise NotFoundError(f"there is no image {index} of the name {name!r}")
        return images[index]
