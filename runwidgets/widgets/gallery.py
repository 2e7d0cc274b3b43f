"""The page of a run's images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets as t

from runwidgets.watch.downloads import Downloads
from runwidgets.watch.gallery import Gallery
from runwidgets.watch.requests import Desk
from runwidgets.watch.view import RunView
from runwidgets.widgets.pages import Page
from runwidgets.widgets.panels import AskingPanel
from runwidgets.widgets.scripts import part

if TYPE_CHECKING:
    from runwidgets.store.files import FileRoot


class ImagesPanel(AskingPanel):
    """The gallery: an image is sent when a browser asks for it.

    Parameters
    ----------
    gallery
        The run's images.
    """

    _esm = part("images")

    def __init__(self, gallery: Gallery, **kwargs: Any) -> None:
        self._gallery = gallery
        self._downloads = Downloads({"image": gallery.offer})
        desk = Desk(
            {"picture": gallery.answer, "download": self._downloads.answer}, slow=frozenset({"picture", "download"})
        )
        super().__init__(desk, **kwargs)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return self._gallery.state(RunView(), is_open=False)

    def close(self) -> None:
        """Close the channel; downloads that are under way are given up."""
        self._downloads.close()
        super().close()


class ImagesPage(Page):
    """The gallery of images.

    Parameters
    ----------
    files
        The workspace's files.
    run_id
        The run.
    """

    def __init__(self, files: FileRoot, run_id: str) -> None:
        self._gallery = Gallery(files, run_id)
        self.panel = ImagesPanel(self._gallery)
        super().__init__("images", (self.panel,))

    def show(self, view: RunView) -> None:
        """Show which images there are."""
        self.panel.show_state(self._gallery.state(view, is_open=self.is_open))
