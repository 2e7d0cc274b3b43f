"""What browsers ask for: each request is checked as one of a stranger, and has one answer, which says its trouble."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict

from runwidgets.errors import NotFoundError, RunwidgetsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_NAME: Final = 4096
"""Longest name that a request may bear, in characters."""
_MAX_ID: Final = 64
_MAX_NUMBER: Final = 2**53
_GONE: Final = "it is not there any more"


class Reply(TypedDict):
    """``Reply``: what all answers have."""

    kind: str
    id: str
    trouble: str | None


class Answer(NamedTuple):
    """What goes back to the browser: a message, and the bytes that go with it."""

    message: Any
    data: bytes = b""


class _UnfitError(Exception):
    """A request is none of the contract: nobody is told, for no panel of ours sends it."""


class Request:
    """A request of the contract, whose parts are checked as they are read.

    Parameters
    ----------
    kind
        What is asked for.
    id
        What the answer is found by.
    content
        The rest.
    """

    def __init__(self, kind: str, id: str, content: Mapping[str, Any]) -> None:  # noqa: A002 (the name on the wire)
        self.kind = kind
        self.id = id
        self._content = content

    def text(self, name: str, most: int = MAX_NAME) -> str:
        """Give a part that is a text of so many characters at most."""
        value = self._content.get(name)
        if not isinstance(value, str) or len(value) > most:
            raise _UnfitError
        return value

    def optional_text(self, name: str, most: int = MAX_NAME) -> str | None:
        """Give a part that is such a text, or None."""
        return None if self._content.get(name) is None else self.text(name, most)

    def number(self, name: str) -> int:
        """Give a part that is an index or an offset."""
        value = self._content.get(name)
        if type(value) is not int or not 0 <= value < _MAX_NUMBER:
            raise _UnfitError
        return value

    def optional_number(self, name: str) -> int | None:
        """Give a part that is an index, or None."""
        return None if self._content.get(name) is None else self.number(name)


class Desk:
    """Answers the requests of one panel. Any thread may call.

    Parameters
    ----------
    answers
        By kind of request, what gives the answer's message, without what all have, and its bytes.
    slow
        Kinds that may take long: these are answered one after the other.
    """

    def __init__(self, answers: Mapping[str, Callable[[Request], Answer]], slow: frozenset[str] = frozenset()) -> None:
        self._answers = answers
        self._slow = slow
        self._one_by_one = threading.Lock()

    def is_slow(self, content: object) -> bool:
        """Tell whether a request may take long to answer."""
        return isinstance(content, dict) and content.get("kind") in self._slow

    def answer(self, content: object) -> Answer | None:
        """Answer a request, or say why not; None to what is no request of the contract."""
        if not isinstance(content, dict):
            return None
        kind, number = content.get("kind"), content.get("id")
        if not isinstance(kind, str) or kind not in self._answers or not isinstance(number, str):
            return None
        if len(number) > _MAX_ID:
            return None
        if kind not in self._slow:
            return self._checked(Request(kind, number, content))
        with self._one_by_one:
            return self._checked(Request(kind, number, content))

    def _checked(self, request: Request) -> Answer | None:
        head: Reply = {"kind": request.kind, "id": request.id, "trouble": None}
        try:
            message, data = self._answers[request.kind](request)
        except _UnfitError:
            return None
        except Exception as error:  # noqa: BLE001 (whatever it is, who asked is told, and the kernel's loop goes on)
            return Answer({**head, "trouble": words_of(error)})
        return Answer({**head, **message}, data)


def words_of(error: Exception) -> str:
    """Say an error in words for a person who looks at a display."""
    if isinstance(error, (NotFoundError, FileNotFoundError)):
        return _GONE
    is_ours = isinstance(error, (RunwidgetsError, OSError)) and str(error)
    return str(error) if is_ours else f"{type(error).__name__}: {error}"
