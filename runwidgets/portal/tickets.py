"""Tickets: each lets one browser in, once, within a few minutes."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

TICKET_SECONDS: Final = 600.0
_MOST: Final = 1000
_BYTES: Final = 24


class Tickets:
    """The tickets of one server. They are kept as digests, in memory.

    Parameters
    ----------
    clock
        Gives the time, in seconds, that only grows.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[bytes, float] = {}

    def issue(self) -> str:
        """Make a ticket; where too many wait to be used, the oldest ones are void."""
        now = self._clock()
        self._until = {digest: until for digest, until in self._until.items() if until > now}
        for digest in list(self._until)[: max(0, len(self._until) - _MOST + 1)]:
            del self._until[digest]
        ticket = secrets.token_urlsafe(_BYTES)
        self._until[_digest(ticket)] = now + TICKET_SECONDS
        return ticket

    def redeem(self, ticket: str) -> bool:
        """Take a ticket; tell whether it was good. It is not good again."""
        return self._until.pop(_digest(ticket), 0.0) > self._clock()


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()
