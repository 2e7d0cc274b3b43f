"""`SubmittedRun`: a run as the script that was submitted has it."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import UserError
from runwidgets.run import Run

if TYPE_CHECKING:
    from runwidgets.submit.environment import Environment

_log = logging.getLogger(__name__)
FAILURE_MESSAGE: Final = "runwidgets.failure.message"
FAILURE_CODE: Final = "runwidgets.failure.code"
"""Properties that say why a script means to fail."""
FAILED_LOG: Final = "runwidgets.failed_log"
"""The property that names the log of the process which failed, where a run has several."""


class SubmittedRun(Run):
    """The run of a submitted script, whose supervisor alone decides how it ended.

    `Run.get_context` gives it; it logs and reads as any run does.
    """

    def complete(self, _set_status: bool = True) -> None:
        """Make what was logged readable by all; the status follows from how the script ends."""
        super().complete(_set_status=False)

    def fail(
        self,
        error_details: str | BaseException | None = None,
        error_code: str | None = None,
        _set_status: bool = True,
    ) -> None:
        """Note why the script fails, and make what was logged readable by all; the script still has to end so.

        Parameters
        ----------
        error_details, error_code
            As for `Run.fail`: what the run's error will be, if the script ends with an exit code other than 0.
        """
        super().fail(error_details, error_code, _set_status=False)
        message = str(error_details) if error_details is not None else "The run was marked as failed."
        code = type(error_details).__name__ if isinstance(error_details, BaseException) else "UserError"
        with suppress(UserError):  # the first reason stays
            self.add_properties({FAILURE_MESSAGE: message, FAILURE_CODE: error_code or code})
        _log.warning("run %s: fail() notes the reason; to fail, the script has to end with sys.exit(1)", self._id)

    def cancel(self) -> None:
        """Do nothing but warn: a script ends its run by ending."""
        _log.warning("run %s is not canceled from within: end the script, or cancel it from outside", self._id)

    def get_details(self) -> dict[str, Any]:
        """Tell all about the run, with what was submitted, as whoever submitted it is told."""
        return self._from_outside().get_details()

    def get_environment(self) -> Environment:
        """Give the environment that the script runs in."""
        return self._from_outside().get_environment()

    def _from_outside(self) -> Run:
        return Run.get(self._experiment.workspace, self._id)
