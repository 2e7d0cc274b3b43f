"""Tags that a browser changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runwidgets.errors import UserError
from runwidgets.watch.requests import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from runwidgets.run import Run
    from runwidgets.watch.requests import Request

MAX_KEY: Final = 256
"""Longest key that is taken from a browser, in characters."""
MAX_VALUE: Final = 10_000
"""Longest value."""


class Tagging:
    """Changes tags of a run, as ``TagRequest`` asks.

    Parameters
    ----------
    run
        The run.
    on_change
        Called after a change, with all tags.
    """

    def __init__(self, run: Run, on_change: Callable[[dict[str, str | None]], None]) -> None:
        self._run = run
        self._on_change = on_change

    def answer(self, request: Request) -> Answer:
        """Set a tag, in the place of another or none; or take one away.

        Raises
        ------
        UserError
            If the key is none or there already, or a part is too long.
        StoreError
            If the store does not answer.
        """
        before, key = request.optional_text("before", MAX_VALUE), request.optional_text("key", MAX_VALUE)
        value = request.optional_text("value", 2 * MAX_VALUE)
        if key is not None:
            self._set(before, key.strip(), value)
        if before is not None and before != (key and key.strip()):
            self._run.remove_tags([before])
        self._on_change(self._run.get_tags())
        return Answer({})

    def _set(self, before: str | None, key: str, value: str | None) -> None:
        if not key:
            raise UserError("a tag needs a name")
        if len(key) > MAX_KEY:
            raise UserError(f"the name of a tag has at most {MAX_KEY} characters here, and this has {len(key):,}")
        if value is not None and len(value) > MAX_VALUE:
            raise UserError(f"a tag has at most {MAX_VALUE:,} characters here, and this has {len(value):,}")
        if key != before and key in self._run.get_tags():
            raise UserError(f"there is a tag {key!r} already")
        self._run.set_tags({key: value})
