"""Which registered models are asked for, as SDK v1 writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runwidgets.errors import UserError
from runwidgets.values import stored_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runwidgets.store.models import ModelRecord


class WantedModels:
    """Which models are asked for: all conditions that are given hold.

    Parameters
    ----------
    tags, properties
        Those that they have: a list of keys, and of pairs ``[key, value]``; a dict of values by key.
    run_id, framework, version
        As recorded.

    Raises
    ------
    UserError
        If a filter is of another form.
    """

    def __init__(
        self, tags: Any, properties: Any, run_id: str | None, framework: str | None, version: int | None
    ) -> None:
        self._tags = _pairs("tags", tags)
        self._properties = _pairs("properties", properties)
        self._run_id = run_id
        self._framework = framework
        self._version = version

    def among(self, records: Iterable[ModelRecord]) -> list[ModelRecord]:
        """Give those that are asked for, in their order."""
        return [record for record in records if self._fits(record)]

    def _fits(self, record: ModelRecord) -> bool:
        return (
            self._version in (None, record.version)
            and self._run_id in (None, record.run_id)
            and self._framework in (None, record.framework)
            and _has(record.tags, self._tags)
            and _has(record.properties, self._properties)
        )


def _has(texts: Mapping[str, str | None], wanted: Sequence[tuple[str, str | None]]) -> bool:
    return all(key in texts and value in (None, texts[key]) for key, value in wanted)


def _pairs(what: str, wanted: Any) -> list[tuple[str, str | None]]:
    if wanted is None:
        return []
    if isinstance(wanted, str):
        return [(stored_text(wanted), None)]
    found: list[tuple[str, str | None]] = []
    for one in wanted.items() if hasattr(wanted, "items") else wanted:
        pair = (one, None) if isinstance(one, str) else tuple(one) if isinstance(one, (list, tuple)) else ()
        if len(pair) != 2 or not isinstance(pair[0], str) or not isinstance(pair[1], (str, type(None))):  # noqa: PLR2004
            raise UserError(f'{what} is {wanted!r}: give a list of keys "key" and of pairs ["key", "value"], or a dict')
        found.append((stored_text(pair[0]), None if pair[1] is None else stored_text(pair[1])))
    return found


def split_id(model_id: str, name: str | None, version: int | str | None) -> tuple[str, int]:
    """Give name and version of ``name:version``; raise `UserError` for what is none, or says otherwise than those."""
    found, colon, number = str(model_id).rpartition(":")
    if not colon or not number.isdecimal() or name not in (None, found) or version not in (None, int(number), number):
        raise UserError(f"id is {model_id!r}: give it as 'name:version', and no other name or version beside it")
    return found, int(number)


def version_number(version: int | str | None) -> int | None:
    """Give a version as an integer; raise `UserError` for what is none."""
    if version is None:
        return None
    try:
        return int(version)
    except (TypeError, ValueError) as error:
        raise UserError(f"version is {version!r}: give an integer") from error
