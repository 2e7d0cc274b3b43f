"""What a run was started with, and which of its metrics is the one that counts: what tells runs of a sweep apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

import msgspec

from runwidgets.watch.secrecy import HIDDEN, Secret, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runwidgets.values import Value

Goal = Literal["minimize", "maximize"]
INTERNAL: Final = ("azureml.", "_azureml", "_aml_system", "mlflow.", "runwidgets.")
"""How keys of tags and properties begin that tools write for themselves."""
_CONFIG: Final = "primary_metric_config"
_AUTOML: Final = "AMLSettingsJsonString"
_NUMBER: Final = re.compile(r"[+-]?(?:0|[1-9]\d*|(?=\.\d))(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_LESS_IS_BETTER: Final = re.compile(
    r"loss|err|mse|mae|mape|perplexity|deviation|distance|entropy|regret|(?<![a-z])(?:fid|wer|cer|nll|bpc)(?![a-z])"
)
_MORE_IS_BETTER: Final = re.compile(
    r"acc|auc|f1|f_1|fbeta|r2|r_2|precision|recall|score|reward|return|iou|dice|bleu|rouge|ndcg|kappa|mcc"
    r"|(?<![a-z])(?:map|hits?|elbo|correlation)(?![a-z])"
)
_MOST_DIGITS: Final = 300


class Primary(TypedDict):
    """``Primary``: the metric that runs are compared by, and which end of it is the good one."""

    name: str
    goal: Goal


def is_internal(key: str) -> bool:
    """Tell whether a tag or property is one that a tool wrote for itself."""
    return key.startswith(INTERNAL)


def parsed(text: str) -> int | float | str:
    """Give a text as the number that it writes out; a text like ``007`` or ``nan`` stays what it is."""
    found = _NUMBER.fullmatch(text) if len(text) < _MOST_DIGITS else None
    if found is None:
        return text
    return float(text) if found[1] or found[2] else int(text)


def read_command_line(arguments: Sequence[Any]) -> Iterator[tuple[str | None, Value]]:
    """Give the arguments of a script: by name, and with None as the name what stands by itself.

    ``--alpha 0.5``, ``--alpha=0.5`` and ``-a 0.5`` are options with a value; one without a value is True. What writes
    out a number is a number; what the name says may be a secret is a `Secret`.
    """
    words = [str(word) for word in arguments]
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if not _is_option(word):
            yield None, parsed(word)
            continue
        name, has_value, value = word.lstrip("-").partition("=")
        if not has_value:
            if place == len(words) or _is_option(words[place]):
                yield name, True
                continue
            value = words[place]
            place += 1
        yield name, Secret(value) if is_secret(name) else parsed(value)


def _is_option(word: str) -> bool:
    return word.startswith("-") and word.strip("-") != "" and not _NUMBER.fullmatch(word)


def read_arguments(arguments: Sequence[Any]) -> Iterator[tuple[str, Value]]:
    """Give the named arguments of a script as they may be shown."""
    for name, value in read_command_line(arguments):
        if name is not None:
            yield name, HIDDEN if isinstance(value, Secret) else value


def arguments_from_parent(tags: Mapping[str, str | None], run_id: str) -> dict[str, Value]:
    """Give the parameters that a sweep's run keeps for a child, as SDK v1 does: JSON in a tag of the child's id."""
    for key in (run_id, f"_aml_system_{run_id}"):
        if text := tags.get(key):
            try:
                found = msgspec.json.decode(text, type=dict[str, Any])
            except msgspec.DecodeError:
                continue
            return {name: value for name, value in found.items() if isinstance(value, (int, float, str, bool))}
    return {}


# ---- the metric that counts


def is_like_a_metric(name: str) -> bool:
    """Tell whether a name is one of the usual names of what is measured."""
    word = name.casefold()
    return bool(_LESS_IS_BETTER.search(word) or _MORE_IS_BETTER.search(word))


def guessed_goal(name: str) -> Goal:
    """Guess from a metric's name which end of it is the good one."""
    word = name.casefold()
    return "maximize" if _MORE_IS_BETTER.search(word) and not _LESS_IS_BETTER.search(word) else "minimize"


def configured_primary(tags: Mapping[str, str | None], properties: Mapping[str, str]) -> Primary | None:
    """Give the metric that the parent of a sweep, or of an AutoML run, names; None where it names none.

    Both formats are SDK v1's: ``primary_metric_config`` as a tag or property, and ``AMLSettingsJsonString``.
    """
    for text, name_key, goal_key in (
        (tags.get(_CONFIG), "name", "goal"),
        (properties.get(_CONFIG), "name", "goal"),
        (properties.get(_AUTOML), "primary_metric", "metric_operation"),
    ):
        if not text:
            continue
        try:
            found = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            continue
        name, goal = found.get(name_key), found.get(goal_key)
        if isinstance(name, str) and name:
            known = isinstance(goal, str) and goal.casefold().startswith(("min", "max"))
            return {"name": name, "goal": _goal(str(goal)) if known else guessed_goal(name)}
    return None


def _goal(word: str) -> Goal:
    return "maximize" if word.casefold().startswith("max") else "minimize"


def usual_primary(counts: Mapping[str, int], repeated: Mapping[str, int]) -> Primary | None:
    """Give the metric that most runs have, one whose name is usual for a metric first.

    Parameters
    ----------
    counts
        How many runs have each metric, in order of appearance.
    repeated
        How many of them logged it more than once.
    """
    if not counts:
        return None
    most = max(counts.values())
    common = [name for name, count in counts.items() if count * 2 > most]
    name = max(common, key=lambda name: (is_like_a_metric(name), counts[name], bool(repeated.get(name))))
    return {"name": name, "goal": guessed_goal(name)}
