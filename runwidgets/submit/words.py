"""The words that a script or a command gets: what can be one, and its text."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Iterable, Mapping
from numbers import Number
from typing import Any, Final

from runwidgets.errors import RunConfigurationError
from runwidgets.values import is_sequence

_PLAIN: Final = (str, Number, os.PathLike, dt.date, dt.time, dt.timedelta, uuid.UUID)
_SHOWN: Final = 80


def words_of(argument: str, words: Any) -> list[Any]:
    """Give the words of a list, as they are.

    Parameters
    ----------
    argument
        What the list was given as, for messages.
    words
        The list, or anything to iterate over but a text.

    Raises
    ------
    RunConfigurationError
        If it is none, or holds what cannot be a word: the message has its index, and what to write instead.
    """
    if isinstance(words, (str, bytes, Mapping)) or not isinstance(words, Iterable):
        raise RunConfigurationError(
            f"{argument} is a list, such as ['--alpha', 0.1], not {type(words).__name__}: {_shown(words)}"
        )
    found = list(words)
    for index, word in enumerate(found):
        _text(argument, index, word)
    return found


def texts_of(argument: str, words: Any) -> list[str]:
    """Give the words of a list as their texts.

    Raises
    ------
    RunConfigurationError
        As `words_of` does.
    """
    return [_text(argument, index, word) for index, word in enumerate(words_of(argument, words))]


def _text(argument: str, index: int, word: Any) -> str:
    item = getattr(word, "item", None)
    if not isinstance(word, _PLAIN) and getattr(word, "ndim", None) == 0 and callable(item):
        word = item()  # a scalar of numpy or torch
    place = f"{argument}[{index}]"
    if not isinstance(word, _PLAIN):
        raise RunConfigurationError(f"{place} is {_described(word)}")
    if isinstance(word, os.PathLike):
        word = os.fspath(word)
        if not isinstance(word, str):
            raise RunConfigurationError(f"{place} is {_described(word)}")
    try:
        text = str(word)
    except ValueError as error:  # Python writes no integer of more than some thousand digits
        raise RunConfigurationError(f"{place} cannot be written as text: {error}") from error
    if "\0" in text:
        raise RunConfigurationError(f"{place} has a null character, which no program can be given: {_shown(text)}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RunConfigurationError(
            f"{place} is no text that UTF-8 can hold: {_shown(text)}. A file of such a name needs another"
        ) from error
    return text


def _described(word: Any) -> str:
    what = f"of type {type(word).__name__}: {_shown(word)}"
    if word is None:
        return "None, which a script would get as the text 'None': leave it out, or write 'None'"
    if isinstance(word, (bytes, bytearray)):
        return f"{what}. Give text: .decode() makes it"
    if isinstance(word, Mapping):
        return f"{what}. A script gets texts: give json.dumps(…), which it can read with json.loads"
    if is_sequence(word):
        return f"{what}. Give its items one by one: ['--layers', *layers]"
    return f"{what}. A script gets texts: give a str, a number, a bool or a path"


def _shown(word: Any) -> str:
    try:
        text = repr(word)
    except Exception:  # noqa: BLE001 (it is anybody's)
        return "(it has no repr)"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
