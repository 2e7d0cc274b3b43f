"""What runs that are selected in a table have in common, below it: one metric of them, the differences, the images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from runwidgets.submit.definition import Place
from runwidgets.watch.beside import is_script
from runwidgets.watch.dossiers import Dossiers
from runwidgets.widgets.overlay import OverlayPanel
from runwidgets.widgets.sides import DifferencesPanel, SidesPanel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from runwidgets.watch.roster import Member
    from runwidgets.workspace import Workspace


class Chosen(ipywidgets.VBox):
    """The panels of some runs.

    Parameters
    ----------
    workspaces
        Where the runs are from, in the order of the roster's sources.
    """

    def __init__(self, workspaces: Sequence[Workspace]) -> None:
        self._workspaces = workspaces
        self._dossiers = Dossiers(self._definition_of, self._path_of)
        self.overlay = OverlayPanel(self._dossiers)
        self.differences = DifferencesPanel(self._dossiers)
        self.sides = SidesPanel(self._dossiers)
        super().__init__((self.overlay, self.differences, self.sides), _dom_classes=("rw-chosen",))

    def follow(self, members: Sequence[Member]) -> None:
        """Show these runs, with all that is new of them."""
        self._dossiers.forget_but(member.key for member in members)
        for panel in (self.overlay, self.differences, self.sides):
            panel.follow(members)

    def close(self) -> None:
        """Close the panels."""
        for panel in (self.overlay, self.differences, self.sides):
            panel.close()
        super().close()

    def _path_of(self, member: Member, name: str) -> Path:
        return self._workspaces[member.source]._files.path(member.key, name)

    def _definition_of(self, member: Member) -> dict[str, Any] | None:
        if not is_script(member.run):
            return None
        found = Place(self._workspaces[member.source]._folder, member.key).definition()
        if found is None:
            return None
        return {
            "script": found.script, "command": found.command, "arguments": found.arguments, "target": found.target,
            "environment": found.environment, "environmentVariables": found.environment_variables,
            "processCount": found.process_count,
        }  # fmt: skip
