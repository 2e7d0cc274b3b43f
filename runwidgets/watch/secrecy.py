"""What may be a secret, by its name or its form; whatever shows values of others asks here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN: Final = "•••"
"""What is shown in place of a secret."""
_SECRET: Final = re.compile(
    r"secret|passw(or)?d|(?<![a-z])(token|pwd|sas|credentials?|cookie|connection[_-]?string"
    r"|((api|access|account|auth|private|signing|encryption|shared)[_.-]?)?key)(?![a-z])",
    re.IGNORECASE,
)
_LOGIN: Final = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,20}://)[^\s/@]{1,500}@", re.IGNORECASE)
_OPTION: Final = re.compile(r"--?(?P<name>[\w.-]+)(?P<assigned>=)?")


class Secret(str):
    """A value that can be compared and is not shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN


def is_secret(name: str) -> bool:
    """Tell whether what bears this name may be a secret."""
    return _SECRET.search(_in_words(name)) is not None


def _in_words(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)  # apiKey


def without_secrets(arguments: Iterable[str]) -> list[str]:
    """Give arguments of a command without the values of those options whose names say that they are secret."""
    shown = []
    is_next = False
    for argument in arguments:
        text = str(argument)
        option = _OPTION.match(text)
        if option is not None and is_secret(option["name"]):
            shown.append(text[: option.end()] + HIDDEN if option["assigned"] else text)
            is_next = not option["assigned"]
            continue
        shown.append(HIDDEN if is_next else without_login(text))
        is_next = False
    return shown


def without_login(text: str) -> str:
    """Give a text without the names and passwords in its addresses."""
    return _LOGIN.sub(rf"\g<scheme>{HIDDEN}@", text)
