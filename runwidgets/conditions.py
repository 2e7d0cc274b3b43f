"""What runs are filtered and ordered by, as a tree that is checked: what the text of a filter is read into.

`runwidgets.query` makes trees of text and tells what each part of one means; a store finds the runs that they hold for.
A condition is true or false, never unknown: of something that a run does not have, every comparison is false, ``!=``
included, and so a negation of one is true.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator


class FieldKind(StrEnum):
    """What of a run is looked at, by the word that stands for it in a filter."""

    STATUS = "status"
    """As a person sees it: NotResponding where the run's process is gone."""
    NAME = "name"
    ID = "id"
    NUMBER = "number"
    TYPE = "type"
    EXPERIMENT = "experiment"
    STARTED = "started"
    ENDED = "ended"
    CREATED = "created"
    DURATION = "duration"
    """Seconds from start to end, of a run that goes on until now; of one whose process is gone nothing."""
    PARENT = "parent"
    """The parent's id."""
    METRICS = "metrics"
    """The last value of a vector that is not None."""
    TAGS = "tags"
    PROPERTIES = "properties"

    @property
    def is_named(self) -> bool:
        """Whether a run has many of the kind, each with a name."""
        return self in _NAMED

    @property
    def is_time(self) -> bool:
        """Whether it is a point in time, as UTC epoch seconds."""
        return self in _TIMES

    @property
    def is_loose(self) -> bool:
        """Whether it is a text that counts as a number where it reads as one and is compared with one."""
        return self in _LOOSE


_NAMED: Final = frozenset({FieldKind.METRICS, FieldKind.TAGS, FieldKind.PROPERTIES})
_TIMES: Final = frozenset({FieldKind.STARTED, FieldKind.ENDED, FieldKind.CREATED})
_LOOSE: Final = frozenset({FieldKind.NAME, FieldKind.TAGS, FieldKind.PROPERTIES})


class Operator(StrEnum):
    """How a value is compared."""

    EQUAL = "="
    UNEQUAL = "!="
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="
    CONTAINS = "~"


ORDERING: Final = frozenset({Operator.BELOW, Operator.AT_MOST, Operator.ABOVE, Operator.AT_LEAST})


class Field(msgspec.Struct, frozen=True, tag=True):
    """Something of a run; `name` says which of a kind that is named."""

    kind: FieldKind
    name: str = ""


class Comparison(msgspec.Struct, frozen=True, tag=True):
    """A field compared with a number (of times and durations: seconds) or with a text."""

    field: Field
    operator: Operator
    value: float | str


class Membership(msgspec.Struct, frozen=True, tag=True):
    """A field that is equal to one of some values."""

    field: Field
    values: tuple[float | str, ...]


class Existence(msgspec.Struct, frozen=True, tag=True):
    """A field that the run has: also a metric of any kind, and a tag without a value."""

    field: Field


class Mention(msgspec.Struct, frozen=True, tag=True):
    """A text that the id begins with, or that is in the name, the experiment's name, or the key or value of a tag."""

    text: str


class All(msgspec.Struct, frozen=True, tag=True):
    """Conditions that all hold."""

    parts: tuple[Condition, ...]


class Some(msgspec.Struct, frozen=True, tag=True):
    """Conditions of which one holds at least."""

    parts: tuple[Condition, ...]


class Negation(msgspec.Struct, frozen=True, tag=True):
    """A condition that does not hold."""

    part: Condition


Condition = Comparison | Membership | Existence | Mention | All | Some | Negation


def fields_of(condition: Condition | None) -> Iterator[Field]:
    """Give the fields that a condition looks at, as often as it does."""
    if isinstance(condition, All | Some):
        for part in condition.parts:
            yield from fields_of(part)
    elif isinstance(condition, Negation):
        yield from fields_of(condition.part)
    elif isinstance(condition, Comparison | Membership | Existence):
        yield condition.field


def needed(condition: Condition | None) -> tuple[Condition, ...]:
    """Give conditions that each must hold for this one to hold."""
    if isinstance(condition, All):
        return tuple(one for part in condition.parts for one in needed(part))
    return () if condition is None else (condition,)
