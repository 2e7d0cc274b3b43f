"""The page of what is known of a run beside what it logged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import traitlets as t

from runwidgets.errors import NotFoundError
from runwidgets.watch.downloads import Downloads, Offer
from runwidgets.watch.facts import details_state
from runwidgets.watch.previews import Previews
from runwidgets.watch.requests import Desk
from runwidgets.watch.submission import NO_SUBMISSION, submission_of
from runwidgets.watch.tagging import Tagging
from runwidgets.watch.view import RunView
from runwidgets.widgets.pages import Page
from runwidgets.widgets.panels import AskingPanel
from runwidgets.widgets.scripts import part

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from pathlib import Path

    from runwidgets.run import Run


class DetailsPanel(AskingPanel):
    """Facts, tags, states, git, environment, properties; tags can be changed, and the snapshot downloaded.

    Parameters
    ----------
    run
        The run.
    tagging
        What changes its tags.
    """

    _esm = part("details")

    def __init__(self, run: Run, tagging: Tagging, **kwargs: Any) -> None:
        previews = Previews(run.experiment.workspace._files, run.id)
        self._run = run
        self._downloads = Downloads({"file": previews.offer, "snapshot": self._snapshot})
        desk = Desk(
            {"preview": previews.answer, "download": self._downloads.answer, "tag": tagging.answer},
            slow=frozenset({"preview", "download", "tag"}),
        )
        super().__init__(desk, **kwargs)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return details_state(RunView())

    def _snapshot(self, snapshot_id: str, scratch: Path) -> Offer:
        if snapshot_id != self._run.get_snapshot_id():
            raise NotFoundError("the run has no such snapshot")
        path = self._run._snapshots.write_zip(snapshot_id, scratch)
        return Offer(path, "run.restore_snapshot() writes it as a zip file")

    def close(self) -> None:
        """Close the channel; downloads that are under way are given up."""
        self._downloads.close()
        super().close()


class DetailsPage(Page):
    """What is known of a run beside what it logged.

    Parameters
    ----------
    run
        The run.
    mutex
        The lock of the display.
    """

    def __init__(self, run: Run, mutex: threading.RLock) -> None:
        self._run = run
        self._mutex = mutex
        self._view = RunView()
        self._tags = self._view.tags
        self._submission = NO_SUBMISSION
        self._is_known = False
        self._edited: tuple[Mapping[str, str | None], dict[str, str | None]] | None = None
        self.panel = DetailsPanel(run, Tagging(run, self._on_tags))
        super().__init__("details", (self.panel,))

    def show(self, view: RunView) -> None:
        """Show what is known; what a script was to do, once somebody wants to see it."""
        if self._edited is not None and self._edited[0] is view.tags:  # nobody has looked since
            view = replace(view, tags=self._edited[1])
        else:
            self._edited = None
            self._tags = view.tags
        self._view = view
        if self.is_open and not self._is_known:
            self._is_known = True  # it never changes
            self._submission = submission_of(getattr(self._run, "_definition", None))
        self.panel.show_state(details_state(view, self._submission))

    def _on_tags(self, tags: dict[str, str | None]) -> None:
        """Show tags that were changed here, without a look: after the end of a run there is none any more."""
        with self._mutex:
            self._edited = self._tags, tags
            self._view = replace(self._view, tags=tags)
            self.panel.show_state(details_state(self._view, self._submission))
