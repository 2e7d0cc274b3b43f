"""What is known of each of many runs beside its rows: which metrics it has, and what it was made with."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import NotFoundError, UserError
from runwidgets.watch.ingredients import packages_of, parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from runwidgets.records import MetricHead
    from runwidgets.watch.ingredients import Key
    from runwidgets.watch.roster import Member

_PACKAGES: Final = "environment/packages.txt"
_MOST_BYTES: Final = 2**18
Definition = dict[str, Any]


class Dossiers:
    """Looks each run up once, and again when it has changed.

    Parameters
    ----------
    definition_of
        Gives what was submitted, as `Run.get_details` has it under ``runDefinition``; None for an interactive run.
    path_of
        Gives where a file of a run lies, as `FileRoot.path` does.
    """

    def __init__(
        self,
        definition_of: Callable[[Member], Definition | None] | None = None,
        path_of: Callable[[Member, str], Path] | None = None,
    ) -> None:
        self._definition_of = definition_of
        self._path_of = path_of
        self._heads: dict[str, tuple[int, list[MetricHead]]] = {}
        self._definitions: dict[str, Definition | None] = {}
        self._packages: dict[str, dict[Key, str]] = {}

    def heads(self, member: Member) -> list[MetricHead]:
        """Tell which metrics a run has.

        Raises
        ------
        StoreError
            If the store does not answer.
        """
        version, heads = self._heads.get(member.key, (-1, []))
        if version != member.run.version:
            heads = member.recorder.store.heads(member.run.run_id)
            self._heads[member.key] = (member.run.version, heads)
        return heads

    def parameters(self, member: Member, *, with_packages: bool = False) -> Mapping[Key, Any]:
        """Tell what a run was made with.

        Raises
        ------
        StoreError
            If the store does not answer.
        """
        if member.key not in self._definitions:
            self._definitions[member.key] = self._definition_of(member) if self._definition_of else None
        definition = self._definitions[member.key]
        found = parameters_of(member.tags, member.properties, self.heads(member), definition)
        return {**found, **self._packages_of(member)} if with_packages else found

    def _packages_of(self, member: Member) -> dict[Key, str]:
        if member.key not in self._packages:
            text = ""
            with suppress(NotFoundError, UserError, OSError), self.path(member, _PACKAGES).open("rb") as file:
                text = file.read(_MOST_BYTES).decode("utf-8", "replace")
            self._packages[member.key] = packages_of(text)
        return self._packages[member.key]

    def path(self, member: Member, name: str) -> Path:
        """Give where a file of a run lies.

        Raises
        ------
        NotFoundError
            If there is none.
        UserError
            If the name leads out of the run's folder.
        """
        if self._path_of is None:
            raise NotFoundError(f"the files of run {member.run.run_id} are not at hand")
        return self._path_of(member, name)

    def forget_but(self, keys: Iterable[str]) -> None:
        """Keep what is known of these runs, and no others."""
        kept = set(keys)
        for known in (self._heads, self._definitions, self._packages):
            for key in known.keys() - kept:
                del known[key]
