"""The page of a run's files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets as t

from runwidgets.watch.downloads import Downloads
from runwidgets.watch.listing import FEW, Listing
from runwidgets.watch.previews import Previews
from runwidgets.watch.requests import Desk
from runwidgets.watch.view import RunView
from runwidgets.widgets.pages import Page
from runwidgets.widgets.panels import AskingPanel
from runwidgets.widgets.scripts import part

if TYPE_CHECKING:
    from runwidgets.store.files import FileRoot


class FilesPanel(AskingPanel):
    """The tree of files. The list of them is a trait for who opens it; after that, only what is new is sent.

    Parameters
    ----------
    files
        The workspace's files.
    run_id
        The run.
    """

    _esm = part("files")

    listing: Any = t.Dict({"seq": 0, "files": []}).tag(sync=True)
    """All files that were listed so far; default none. What changes is sent as a message, and not in it again."""

    def __init__(self, files: FileRoot, run_id: str, **kwargs: Any) -> None:
        self._previews = Previews(files, run_id)
        self._downloads = Downloads({"file": self._previews.offer})
        self._is_quiet = False
        desk = Desk(
            {"preview": self._previews.answer, "download": self._downloads.answer},
            slow=frozenset({"preview", "download"}),
        )
        super().__init__(desk, **kwargs)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return Listing().state(RunView(), is_open=False)

    def _should_send_property(self, key: str, value: Any) -> bool:
        return not (key == "listing" and self._is_quiet) and bool(super()._should_send_property(key, value))

    def list_more(self, listing: Listing, new: list[tuple[str, int]]) -> None:
        """Tell of files that are new, or of another size; the browser has the others."""
        is_first = self.listing["seq"] == 0
        self._is_quiet = not is_first
        try:
            self.listing = listing.all()
        finally:
            self._is_quiet = False
        if not is_first:
            self.send({"kind": "files", "seq": listing.seq, "files": new})

    def _on_request(self, widget: object, content: object, buffers: object) -> None:
        if isinstance(content, dict) and content.get("kind") == "list":  # a view that has missed something
            self.send_state("listing")
        else:
            super()._on_request(widget, content, buffers)

    def close(self) -> None:
        """Close the channel; downloads that are under way are given up."""
        self._downloads.close()
        super().close()


class FilesPage(Page):
    """The tree of files.

    Parameters
    ----------
    files
        The workspace's files.
    run_id
        The run.
    """

    def __init__(self, files: FileRoot, run_id: str) -> None:
        self._listing = Listing()
        self.panel = FilesPanel(files, run_id)
        super().__init__("files", (self.panel,))

    def show(self, view: RunView) -> None:
        """Show which files there are: where they are many, once somebody wants to see them."""
        if (self.is_open or self._listing.seq or len(view.files) <= FEW) and (new := self._listing.news(view)):
            self.panel.list_more(self._listing, new)
        self.panel.show_state(self._listing.state(view, is_open=self.is_open))
