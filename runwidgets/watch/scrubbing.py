"""Texts that leave the machine: without its paths, and without what looks like a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from runwidgets.watch.secrecy import HIDDEN, is_secret, without_login

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ENDS: Final = "/\\"
_FOLDERS: Final = frozenset({"PWD", "OLDPWD"})
"""Variables of shells that are no passwords."""
_LEAST_SECRET: Final = 8
"""Characters; what is shorter is found in many a text by chance."""
# Repetitions have an end: what is searched may be made to take long.
_SENSITIVE: Final = (
    r"(?:[a-z0-9]{1,40}[_.-]){0,6}(?:api[_-]?key|access[_-]?key|account[_-]?key|secret|token|passw(?:or)?d|pwd|sig"
    r"|credentials?)(?:[_-]?(?:key|id))?"
)
_ASSIGNED: Final = re.compile(rf"""(\b{_SENSITIVE}["']?\s{{0,9}}[=:]\s{{0,9}}["']?)([^\s"',;&]{{4,}})""", re.IGNORECASE)
_BEARER: Final = re.compile(r"\b(bearer|basic)\s{1,9}[\w.~+/=-]{8,}", re.IGNORECASE)
_KNOWN_TOKENS: Final = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_\w{20,}|sk-[\w-]{20,}|AKIA[0-9A-Z]{16}"
    r"|xox[abprs]-[\w-]{10,}|eyJ[\w-]{8,2000}\.[\w-]{8,2000}\.[\w-]+)"
)
_QUOTED_FILE: Final = re.compile(r'(\bFile ")([^"\n]+)(")')
_NAME: Final = r"[^\s/\\\"'<>|:*?,;()\[\]{}=]"
_PATHS: Final = (
    re.compile(r"(?<!\w)(?:[A-Za-z]:[\\/]|\\\\\w)[^\s\"'<>|:*?,;()\[\]{}=]*"),
    # One that follows a letter, a dot or a slash is no path: 1/2, ./here, http://there/.
    re.compile(rf"(?<![\w./\\~…-])(?:file:///?)?/(?:{_NAME}+/)+(?:{_NAME}+)?"),
    re.compile(rf"/(?:home|Users)/{_NAME}+(?:/{_NAME}*)*"),  # whatever it follows: -I/home/ada
    re.compile(rf"(?<![\w.…-])~\w*/(?:{_NAME}+/)*{_NAME}*"),
)
_PACKAGES: Final = re.compile(r".*[/\\](?:site|dist)-packages[/\\]")
_SOMEONES_HOME: Final = re.compile(r"(?:file:/*)?(?:[A-Za-z]:)?[/\\](?:home|Users)[/\\][^/\\]+[/\\]?")
_SEPARATORS: Final = re.compile(r"[/\\]")


class Scrubber:
    """Takes from texts what tells of the machine that they come from, or gives access to another.

    Of a path stays its last name: ``…/train.py``; of one below a known folder, what is below it: ``./src/train.py``.
    Values of variables and parameters whose names say that they are secret, credentials in addresses, and tokens of
    well-known forms become ``•••``. What does not look like any of these stays: no text is safe to send because this
    has seen it.

    Parameters
    ----------
    folders
        Folders of the machine, and what is written in place of each. An empty name stands for none.
    secrets
        Texts that may not leave, wherever they stand.
    """

    def __init__(self, folders: Mapping[str, str] | None = None, secrets: Iterable[str] = ()) -> None:
        named = {folder.rstrip(_ENDS): name for folder, name in (folders or {}).items()}
        known = sorted((folder for folder in named if len(folder) > 1), key=len, reverse=True)
        self._names = named
        self._folders = (
            re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, known))})(?![\w.-])", re.IGNORECASE) if known else None
        )
        long = sorted({secret for secret in secrets if len(secret) >= _LEAST_SECRET}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, long))) if long else None

    def __call__(self, text: str) -> str:
        """Give the text without them."""
        if self._secrets is not None:
            text = self._secrets.sub(HIDDEN, text)
        text = without_login(text)
        text = _BEARER.sub(rf"\1 {HIDDEN}", text)
        text = _ASSIGNED.sub(rf"\1{HIDDEN}", text)
        text = _KNOWN_TOKENS.sub(HIDDEN, text)
        if "/" not in text and "\\" not in text and "~" not in text:
            return text
        text = _QUOTED_FILE.sub(lambda found: found[1] + self._short(found[2]) + found[3], text)
        if self._folders is not None:
            text = self._folders.sub(self._named, text)
        for pattern in _PATHS:
            text = pattern.sub(lambda found: _last(found[0]), text)
        return text

    def _named(self, found: re.Match[str]) -> str:
        return next(name for folder, name in self._names.items() if folder.lower() == found[0].lower())

    def _short(self, path: str) -> str:
        """Shorten a path that is known to be one, blanks in it or not."""
        known = self._folders.match(path) if self._folders is not None else None
        if (below := _PACKAGES.match(path)) is not None:
            return f"…/{path[below.end() :]}"
        if known is not None:
            return self._named(known) + path[known.end() :]
        return _last(path) if path.startswith(("/", "\\", "~")) or path[1:2] == ":" else path


def _last(path: str) -> str:
    """Give what may be told of a path: its last name."""
    if (below := _PACKAGES.match(path)) is not None:
        return f"…/{path[below.end() :]}"
    if _SOMEONES_HOME.fullmatch(path):  # its last name is that of a person
        return "~"
    return f"…/{_SEPARATORS.split(path.rstrip(_ENDS))[-1]}"


def secret_values(variables: Mapping[str, str]) -> list[str]:
    """Pick the values of environment variables whose names say that they are secret."""
    return [value for name, value in variables.items() if is_secret(name) and name not in _FOLDERS]
