"""`Built`: an environment that was made now, as `Environment.build` gives it."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any, Self

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """An environment that is there.

    Attributes
    ----------
    interpreter
        The Python that scripts will run on.
    log
        What was said while it was made.
    status
        ``Succeeded``: what cannot be built raises.
    """

    interpreter: str
    log: str
    status: str = "Succeeded"

    def wait_for_completion(self, show_output: bool = True) -> Self:
        """Return at once, since it is there; print what was said, where ``show_output`` is set."""
        if show_output:
            sys.stdout.write(self.log)
        return self


def build(environment: Mapping[str, Any]) -> Built:
    """Make an environment now, unless it is there already.

    Parameters
    ----------
    environment
        As `Environment.as_dict` gives it.

    Raises
    ------
    RunConfigurationError, EnvironmentBuildError
        As `building.interpreter_for` does.
    """
    from runwidgets.submit.building import cache_folder, interpreter_for
    from runwidgets.submit.needs import settled

    log = io.BytesIO()
    interpreter = interpreter_for(settled(environment), cache_folder(), log)
    return Built(interpreter=str(interpreter), log=log.getvalue().decode(errors="replace"))
