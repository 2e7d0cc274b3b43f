"""What the pages of one server share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runwidgets.portal.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Callable

    from runwidgets.portal.sockets import SocketHandler

KEY: Final = "runwidgets_portal"
"""Its place in the settings of the web application."""


class Portal:
    """Who is let in, and who is there.

    Parameters
    ----------
    clock
        Gives the time, in seconds, that only grows.

    Attributes
    ----------
    tickets
        Those that are not used yet.
    pages
        The pages that are open.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._visited_at = clock()
        self.tickets = Tickets(clock)
        self.pages: set[SocketHandler] = set()

    def visit(self) -> None:
        """Take note of a visitor."""
        self._visited_at = self._clock()

    def seconds_unvisited(self) -> float:
        """Give for how long nobody has been here."""
        if self.pages:
            self.visit()
        return self._clock() - self._visited_at
