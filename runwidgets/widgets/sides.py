"""What runs were made with, and their images, side by side: two panels."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import traitlets as t

from runwidgets.errors import StoreError
from runwidgets.watch.differences import MAX_COLUMNS, differences_state
from runwidgets.watch.sides import DEFAULT_SIDES_CONTROLS, Sides, checked_sides_controls, no_sides
from runwidgets.widgets.panels import Panel
from runwidgets.widgets.scripts import part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runwidgets.watch.dossiers import Dossiers
    from runwidgets.watch.roster import Member


class DifferencesPanel(Panel):
    """In what runs differ.

    Parameters
    ----------
    dossiers
        What is known of the runs.
    """

    _esm = part("differences")

    def __init__(self, dossiers: Dossiers, **kwargs: Any) -> None:
        self._dossiers = dossiers
        super().__init__(**kwargs)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return differences_state([])

    def follow(self, members: Sequence[Member]) -> None:
        """Compare these runs."""
        try:
            known = [
                (member.key, member.name, self._dossiers.parameters(member, with_packages=True))
                for member in members[:MAX_COLUMNS]
            ]
        except StoreError as error:
            self.show_state({**self.state, "trouble": str(error)})
        else:
            self.show_state(differences_state(known, len(members)))


class SidesPanel(Panel):
    """An image of each of some runs; the browser asks for those that it has not seen.

    Parameters
    ----------
    dossiers
        What is known of the runs.
    """

    _esm = part("sides")

    controls = t.Dict(dict(DEFAULT_SIDES_CONTROLS)).tag(sync=True)
    """Name and number of the image; default `DEFAULT_SIDES_CONTROLS`. Set by the browser."""

    def __init__(self, dossiers: Dossiers, **kwargs: Any) -> None:
        self._sides = Sides(dossiers)
        self._members: Sequence[Member] = ()
        self._mutex = threading.RLock()
        super().__init__(**kwargs)
        self.observe(self._on_controls, "controls")
        self.on_msg(self._on_message)

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return no_sides()

    def follow(self, members: Sequence[Member]) -> None:
        """Show images of these runs."""
        with self._mutex:
            self._members = members
            self._look()

    def _look(self) -> None:
        try:
            self.show_state(self._sides.look(self._members, checked_sides_controls(self.controls)))
        except StoreError as error:
            self.show_state({**self.state, "trouble": str(error)})

    def _on_controls(self, _: Any) -> None:
        with self._mutex:
            self._look()

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        with self._mutex:
            answer = self._sides.picture(content)
        if answer is not None:
            self.send(answer[0], [answer[1]])
