"""The language that runs are filtered by: ``metrics.mse < 3000 and tags.model = "ridge" and status = Completed``.

A filter is conditions, joined by ``and``, ``or``, ``not`` and brackets; ``and`` binds closer than ``or``. An empty one
is every run. It is read into a tree of `runwidgets.conditions`, never evaluated.

Fields
    ``status``, ``name``, ``id``, ``number``, ``type``, ``experiment``, ``started``, ``ended``, ``created``,
    ``duration``, ``parent`` (an id), ``metrics.NAME``, ``tags.NAME``, ``properties.NAME``. A name with spaces,
    brackets, quotes or operators in it is quoted: ``metrics."train loss"``; others need not be:
    ``metrics.train/loss``. What counts of a metric is the last value of a vector that is not None.
Conditions
    ``field = value`` and ``!=``, ``<``, ``<=``, ``>``, ``>=``; ``field ~ text``: contains it, whether letters are
    small or capital; ``field in (value, value)``, ``field not in (…)``; ``field exists``: the run has it. Words
    without a field, quoted or not, are looked for in names, ids (their beginning), experiments and tags; of several
    side by side all must be there.
    What a run does not have is neither equal to a value nor unequal, smaller or greater: ``tags.model != ridge``
    are the runs with another model, ``not tags.model = ridge`` and ``tags.model not in (ridge)`` also those with none.
Values
    Texts, in single or double quotes (a backslash before a quote or backslash makes it part of the text), or without
    where they are one word. Numbers: ``3000``, ``1e-3``, ``inf``, ``-inf``; ``nan`` can be asked for by ``=`` and
    ``!=``, and no number is equal to, smaller or greater than it. A metric's ``true`` and ``false`` are 1 and 0; one
    whose last value is a text can be asked for by ``=`` and ``!=``.
    A name, a tag or a property counts as a number where it is one and is compared with a number without quotes:
    ``tags.alpha < 0.5``; two texts are compared character by character.
    Times: ``2026-11-25``, ``2026-11-25 10:00``, with seconds, with a time zone (``Z``, ``+01:00``; else the local
    one); ``today``, ``yesterday``, ``now``; ``-2h``: two hours ago. A date is a whole day, and a time without seconds
    a minute: ``started = 2026-11-25`` is any time in that day, ``started > 2026-11-25`` after it.
    Durations: ``90s``, ``5m``, ``2h``, ``1h30m``, ``1d``, ``1w``; a number alone means seconds.
    A status is one of `RunStatus`, whether its letters are small or capital.
Order
    A field, with a minus before it where the greatest comes first: ``-metrics.mse``, ``started``.
"""

from __future__ import annotations

import difflib
import re
import time
from typing import Final, NamedTuple, NoReturn

from runwidgets.conditions import (
    ORDERING,
    All,
    Comparison,
    Condition,
    Existence,
    Field,
    FieldKind,
    Membership,
    Mention,
    Negation,
    Operator,
    Some,
)
from runwidgets.errors import QueryError
from runwidgets.moments import Moment, is_clock, is_date, read_moment, read_seconds
from runwidgets.records import RunStatus
from runwidgets.values import stored_text

LONGEST: Final = 4000
"""So many characters a filter has at most."""
DEEPEST: Final = 40
"""So deep brackets and negations lie in each other at most."""
MOST: Final = 100
"""So many conditions a filter has at most, each value in the brackets of ``in`` counted."""
_TOKEN: Final = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<operator>==|!=|<=|>=|[=<>~])|(?P<mark>[(),])"""
    r"""|(?P<word>[^\s()=!<>~,"']+)""",
    re.DOTALL,
)
_SPACE: Final = re.compile(r"\s*")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_NO_NUMBERS: Final = {
    "inf": float("inf"), "+inf": float("inf"), "-inf": float("-inf"), "infinity": float("inf"),
    "-infinity": float("-inf"), "nan": float("nan"), "true": 1.0, "false": 0.0,
}  # fmt: skip
"""What counts as a number of a metric, besides numbers."""
_KEYWORDS: Final = frozenset({"and", "or", "not", "in", "exists"})
_FIELDS: Final = ", ".join(f"{kind}.NAME" if kind.is_named else kind for kind in FieldKind)


class _Token(NamedTuple):
    kind: str
    """text, operator, mark, word, or end."""
    text: str
    """What stands there; of a quoted text what it means."""
    start: int
    end: int

    @property
    def keyword(self) -> str:
        word = self.text.lower()
        return word if self.kind == "word" and word in _KEYWORDS else ""

    @property
    def shown(self) -> str:
        if self.kind == "end":
            return "the end"
        return f"the quoted text {_short(self.text)}" if self.kind == "text" else _short(self.text)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")  # noqa: PLR2004


def parse_condition(text: str, now: float | None = None) -> Condition | None:
    """Read a filter.

    Parameters
    ----------
    text
        As the module tells.
    now
        What times are relative to, as UTC epoch seconds; by default now.

    Returns
    -------
    Condition or None
        None for an empty filter.

    Raises
    ------
    QueryError
        If it cannot be read, or is longer, deeper or more than `LONGEST`, `DEEPEST` and `MOST`.
    """
    return _Parser(text, time.time() if now is None else now).whole()


def parse_order(text: str) -> tuple[Field, bool]:
    """Read what runs are ordered by: a field, and whether the greatest comes first.

    Raises
    ------
    QueryError
        If it is no field.
    """
    parser = _Parser(text, 0.0)
    return parser.order()


class _Parser:
    """Reads one text, from left to right, by a token that is looked at and those behind it."""

    def __init__(self, text: str, now: float) -> None:
        if len(text) > LONGEST:
            raise QueryError(text, LONGEST, f"{len(text):,} characters", f"at most {LONGEST:,}")
        self._text = text
        self._now = now
        self._tokens = _tokens(text)
        self._place = 0
        self._depth = 0
        self._count = 0

    def whole(self) -> Condition | None:
        """Read a filter to its end."""
        if self._token.kind == "end":
            return None
        condition = self._some()
        if self._token.kind != "end":
            self._fail("and, or, or the end (a text of several words is quoted)")
        return condition

    def order(self) -> tuple[Field, bool]:
        """Read a field to its end."""
        is_descending = self._token.kind == "word" and self._token.text.startswith("-")
        if is_descending:
            token = self._token
            rest = token.text[1:]
            if rest:
                self._tokens[self._place] = token._replace(text=rest, start=token.start + 1)
            else:
                self._place += 1
        field = self._field()
        if self._token.kind != "end":
            self._fail("the end")
        return field, is_descending

    # ---- tokens

    @property
    def _token(self) -> _Token:
        return self._tokens[self._place]

    @property
    def _next(self) -> _Token:
        return self._tokens[min(self._place + 1, len(self._tokens) - 1)]

    def _take(self) -> _Token:
        token = self._token
        self._place += token.kind != "end"
        return token

    def _take_if(self, *texts: str) -> bool:
        """Go past a keyword or mark, if it is what stands here."""
        if (self._token.keyword or (self._token.kind == "mark" and self._token.text)) in texts:
            self._take()
            return True
        return False

    def _fail(self, expected: str, token: _Token | None = None) -> NoReturn:
        token = token or self._token
        raise QueryError(self._text, token.start, token.shown, expected)

    def _note(self, token: _Token) -> None:
        self._count += 1
        if self._count > MOST:
            raise QueryError(self._text, token.start, "one condition more", f"at most {MOST}")

    # ---- conditions

    def _some(self) -> Condition:
        parts = [self._all()]
        while self._take_if("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._take_if("and") or (isinstance(parts[-1], Mention) and self._is_mention()):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Condition:
        token = self._token
        if token.keyword == "not" or (token.kind, token.text) == ("mark", "("):
            self._depth += 1
            if self._depth > DEEPEST:
                raise QueryError(self._text, token.start, "one bracket or not more", f"at most {DEEPEST} in each other")
            self._take()
            condition: Condition
            if token.keyword:
                condition = Negation(self._one())
            else:
                condition = self._some()
                if not self._take_if(")"):
                    self._fail("and, or, or the bracket that closes")
            self._depth -= 1
            return condition
        self._note(token)
        if self._is_mention():
            return Mention(stored_text(self._take().text))
        return self._test()

    def _is_mention(self) -> bool:
        """Tell whether what stands here is a text to look for: no keyword, no field, and nothing is asked of it."""
        token, after = self._token, self._next
        if token.kind not in {"word", "text"} or token.keyword or after.kind == "operator":
            return False
        if after.keyword in {"in", "exists"}:
            return False
        if after.keyword == "not" and token.kind == "word":
            return self._tokens[min(self._place + 2, len(self._tokens) - 1)].keyword != "in" and not _is_field(token)
        return token.kind == "text" or not _is_field(token)

    def _test(self) -> Condition:
        field = self._field()
        token = self._token
        if self._take_if("exists"):
            return Existence(field)
        if token.keyword == "not" and self._next.keyword == "in":
            self._take()
            self._take()
            return Negation(self._membership(field))
        if self._take_if("in"):
            return self._membership(field)
        if token.kind != "operator":
            self._fail("=, !=, <, <=, >, >=, ~, in or exists")
        self._take()
        operator = Operator(token.text if token.text != "==" else "=")
        if operator is Operator.CONTAINS:
            return self._containing(field, token)
        if operator in ORDERING and field.kind is FieldKind.STATUS:
            self._fail("=, !=, ~, in or exists: states have no order", token)
        value = self._value(field, operator)
        if isinstance(value, Moment):
            return _compared_time(field, operator, value)
        return Comparison(field, operator, value)

    def _containing(self, field: Field, operator: _Token) -> Condition:
        kind = field.kind
        if kind.is_time or kind in {FieldKind.NUMBER, FieldKind.DURATION, FieldKind.METRICS}:
            self._fail("another operator: only texts contain others", operator)
        token = self._token
        if token.kind not in {"word", "text"} or token.keyword:
            self._fail("a text")
        return Comparison(field, Operator.CONTAINS, stored_text(self._take().text))

    def _membership(self, field: Field) -> Condition:
        if not self._take_if("("):
            self._fail("a bracket with values in it")
        values = [self._value(field, Operator.EQUAL)]
        while self._take_if(","):
            self._note(self._token)
            values.append(self._value(field, Operator.EQUAL))
        if not self._take_if(")"):
            self._fail("a comma, or the bracket that closes")
        moments = [_compared_time(field, Operator.EQUAL, value) for value in values if isinstance(value, Moment)]
        if moments:
            return Some(tuple(moments)) if len(moments) > 1 else moments[0]
        return Membership(field, tuple(value for value in values if not isinstance(value, Moment)))

    # ---- fields and values

    def _field(self) -> Field:
        token = self._token
        if token.kind != "word" or token.keyword:
            self._fail(f"a field ({_FIELDS}), or a text to look for")
        word, dot, name = token.text.partition(".")
        kind = _KINDS.get(word.lower())
        if kind is None or bool(dot) != kind.is_named:
            self._fail(f"a field: {_meant(token.text)}")
        self._take()
        if kind.is_named and not name:
            quoted = self._token
            if quoted.kind != "text" or quoted.start != token.end:
                raise QueryError(self._text, token.end, quoted.shown, f'a name, as in {word}.name or {word}."a name"')
            name = self._take().text
        return Field(kind, stored_text(name))

    def _value(self, field: Field, operator: Operator) -> float | str | Moment:
        token = self._token
        if token.kind not in {"word", "text"} or token.keyword:
            self._fail("a value: a number, a word, a text in quotes")
        self._take()
        if field.kind is FieldKind.STATUS:
            return self._status(token)
        if field.kind.is_time:
            return self._moment(token)
        number = _number_of(token, field.kind)
        if field.kind in {FieldKind.NUMBER, FieldKind.DURATION}:
            if number is None:
                units = "" if field.kind is FieldKind.NUMBER else ", or a duration such as 90s, 5m or 1h30m"
                self._fail(f"a number{units}", token)
            return number
        if field.kind is FieldKind.METRICS and operator in ORDERING and (number is None or number != number):  # noqa: PLR0124
            self._fail("a number: texts and nan can be asked for by = and !=", token)
        return stored_text(token.text) if number is None else number

    def _status(self, token: _Token) -> str:
        found = next((status for status in RunStatus if status.lower() == token.text.lower()), None)
        if found is None:
            self._fail(f"a status: {', '.join(RunStatus)}", token)
        return found.value

    def _moment(self, token: _Token) -> Moment:
        text = token.text
        if token.kind == "word" and is_date(text) and self._token.kind == "word" and is_clock(self._token.text):
            text = f"{text} {self._take().text}"
        moment = read_moment(text, self._now)
        if moment is None:
            self._fail('a time: 2026-11-25, "2026-11-25 10:00", -2h, today, yesterday, now', token)
        return moment


_KINDS: Final = {kind.value: kind for kind in FieldKind}


def _tokens(text: str) -> list[_Token]:
    """Cut a text into tokens; the last is its end."""
    tokens, place = list[_Token](), _past_space(text, 0)
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            quoted = text[place] in "\"'"
            expected = f"a {text[place]} that closes it" if quoted else "!= (a text with ! in it is quoted)"
            raise QueryError(text, place, "a quote that is not closed" if quoted else repr(text[place]), expected)
        kind, meant = found.lastgroup or "", found.group()
        if kind == "text":
            meant = re.sub(r"""\\([\\"'])""", r"\1", meant[1:-1])
        tokens.append(_Token(kind, meant, place, found.end()))
        place = _past_space(text, found.end())
    return [*tokens, _Token("end", "", len(text), len(text))]


def _past_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _is_field(token: _Token) -> bool:
    word, dot, _ = token.text.partition(".")
    kind = _KINDS.get(word.lower())
    return kind is not None and bool(dot) == kind.is_named


def _meant(text: str) -> str:
    """Say which field a word may have been meant as."""
    word, _, rest = text.partition(".")
    close = difflib.get_close_matches(word.lower()[:40], _KINDS, 1)
    if word.lower() in _KINDS:
        return f"{word}.NAME" if _KINDS[word.lower()].is_named else word
    if close:
        kind = _KINDS[close[0]]
        return (f"{kind}.{rest[:40] or 'NAME'}" if kind.is_named else kind) + "?"
    return f"{_FIELDS} (metrics.{text[:40]}?)"


def _number_of(token: _Token, kind: FieldKind) -> float | None:
    """Give the number that a value is for a field; None for a text."""
    if token.kind != "word":
        return None
    plain = _NUMBER.fullmatch(token.text)
    if kind is FieldKind.METRICS and not plain:
        return _NO_NUMBERS.get(token.text.lower())
    if kind is FieldKind.DURATION and not plain:
        return read_seconds(token.text)
    return (
        float(token.text)
        if plain and (kind in {FieldKind.METRICS, FieldKind.NUMBER, FieldKind.DURATION} or kind.is_loose)
        else None
    )


def _compared_time(field: Field, operator: Operator, moment: Moment) -> Condition:
    """Compare a time with one that lasts: a day, a minute."""
    begin, end = moment
    if begin == end:
        return Comparison(field, operator, begin)
    if operator is Operator.EQUAL:
        return All((Comparison(field, Operator.AT_LEAST, begin), Comparison(field, Operator.BELOW, end)))
    if operator is Operator.UNEQUAL:
        return Some((Comparison(field, Operator.BELOW, begin), Comparison(field, Operator.AT_LEAST, end)))
    if operator is Operator.AT_MOST:
        return Comparison(field, Operator.BELOW, end)
    if operator is Operator.ABOVE:
        return Comparison(field, Operator.AT_LEAST, end)
    return Comparison(field, operator, begin)
