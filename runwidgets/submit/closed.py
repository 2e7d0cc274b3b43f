"""`Closed`: a configuration object that has the attributes its class declares, and takes no others."""

from __future__ import annotations

import difflib
import json
import logging
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import msgspec

from runwidgets.errors import RunConfigurationError

_log = logging.getLogger(__name__)
_known: dict[type[Closed], dict[str, Any]] = {}


class Closed:
    """A configuration object whose attributes are those that its class annotates.

    A misspelt attribute would otherwise be set and do nothing. Where the annotation is another configuration object,
    only such a one can be set. Read, an attribute behaves as any does.

    Raises
    ------
    AttributeError
        If another attribute is set; the message has the nearest one that there is.
    RunConfigurationError
        If what is set is no configuration object of the kind that is annotated.
    """

    _ignored: ClassVar[frozenset[str]] = frozenset()
    """Keys that `from_dict` passes over without a word: what files of SDK v1 have and nothing here answers to."""

    def __setattr__(self, name: str, value: Any) -> None:
        hints = _hints(type(self))
        if name not in hints:
            nearest = difflib.get_close_matches(name, sorted(hints), n=1, cutoff=0)
            hint = f": the nearest that it has is {nearest[0]!r}" if nearest else ""
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{hint}")
        kind, may_be_none = _object_kind(hints.get(name))
        if kind is not None and not isinstance(value, kind) and not (value is None and may_be_none):
            raise RunConfigurationError(
                f"{type(self).__name__}.{name} takes an object of {kind.__name__}, not {type(value).__name__}: "
                f"{value!r}"
            )
        super().__setattr__(name, value)

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values that JSON and YAML can hold, by the names that files of SDK v1 have for them."""
        return {_camel(name): plain(getattr(self, name)) for name in _hints(type(self))}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Make one of what `as_dict` gave; what is not in it is as in a new one.

        Parameters
        ----------
        content
            Values by name, written ``likeThis`` or ``like_this``.

        Raises
        ------
        RunConfigurationError
            If a value is of a wrong type.
        """
        if not isinstance(content, Mapping):
            raise RunConfigurationError(f"{cls.__name__}: expected names and values, got {type(content).__name__}")
        made = cls._blank()
        known = {spelling: name for name in _hints(cls) for spelling in (name, _camel(name))}
        unknown = []
        for key, value in content.items():
            if key in known and value is None and type(None) not in _choices(_hints(cls)[known[key]]):
                continue  # files of SDK v1 have a null where nothing was set
            if key in known:
                setattr(made, known[key], _converted(cls, known[key], value))
            elif key not in cls._ignored:
                unknown.append(str(key))
        if unknown:
            _log.warning("%s has no %s: what was read of it is left out", cls.__name__, ", ".join(sorted(unknown)))
        return made

    @classmethod
    def _blank(cls) -> Self:
        return cls()

    def __repr__(self) -> str:
        return json.dumps(self.as_dict(), indent=4)


def plain(value: Any) -> Any:
    """Give a value as JSON can hold it; what it cannot hold, as its text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if callable(as_dict := getattr(value, "as_dict", None)):
        return as_dict()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    return str(value)


def _converted(cls: type[Closed], name: str, value: Any) -> Any:
    hint = _hints(cls)[name]
    kind, may_be_none = _object_kind(hint)
    if kind is not None and not (value is None and may_be_none):
        return value if isinstance(value, kind) else kind.from_dict(value)
    if Path in (choices := _choices(hint)):  # a file has texts
        hint = typing.Union[tuple(choice for choice in choices if choice is not Path)]  # noqa: UP007 (of a tuple)
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise RunConfigurationError(f"{cls.__name__}, {_camel(name)} is {value!r}: {error}") from error


def _hints(cls: type[Closed]) -> dict[str, Any]:
    if cls not in _known:
        _known[cls] = {
            name: hint
            for name, hint in typing.get_type_hints(cls).items()
            if typing.get_origin(hint) is not ClassVar and not name.startswith("_")
        }
    return _known[cls]


def _object_kind(hint: Any) -> tuple[Any, bool]:
    """Give the class of configuration objects in an annotation, if there is one, and whether None is one too."""
    choices = _choices(hint)
    kinds = [choice for choice in choices if isinstance(choice, type) and hasattr(choice, "from_dict")]
    return (kinds[0] if kinds else None), type(None) in choices


def _choices(hint: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if is_union else (hint, *((type(None),) if hint is Any else ()))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
