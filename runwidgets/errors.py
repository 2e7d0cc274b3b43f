"""Every exception that runwidgets raises on purpose, under one base.

Each says what happened, to what, and what to do. Those that specialise a builtin also derive from it, so that
``except ValueError`` keeps working in code that never heard of runwidgets.
"""


class RunwidgetsError(Exception):
    """Base of all exceptions raised by runwidgets."""


class UserError(RunwidgetsError, ValueError):
    """An argument is of the wrong kind or value; the message names it and says what is accepted."""


class QueryError(UserError):
    """A filter of runs cannot be read; the message shows where, what is there, and what is expected.

    Parameters
    ----------
    text
        The filter.
    position
        The index of the character in it where it stops making sense.
    found
        What is there, for a person.
    expected
        What should be.
    """

    def __init__(self, text: str, position: int, found: str, expected: str) -> None:
        start = max(0, position - 50)
        shown = "".join(ch if ch.isprintable() else " " for ch in text[start : position + 30])
        before, after = "…" if start else "", "…" if position + 30 < len(text) else ""
        caret = " " * (len(before) + position - start) + "^"
        super().__init__(
            f"the filter cannot be read at character {position + 1}: found {found}, expected {expected}\n"
            f"  {before}{shown}{after}\n  {caret}"
        )
        self.text = text
        self.position = position
        self.found = found
        self.expected = expected


class NotFoundError(RunwidgetsError, LookupError):
    """A run, file or workspace that was named does not exist; the message says what does."""


class StoreError(RunwidgetsError):
    """The store of a workspace cannot be opened, read or written."""


class FileNotKeptError(StoreError, OSError):
    """A file could not be kept with a run; ``errno`` says why, where the system did.

    Parameters
    ----------
    message
        Which file, of which run, and why.
    errno
        The system's number of the reason.
    """

    def __init__(self, message: str, errno: int | None = None) -> None:
        super().__init__(message)
        self.errno = errno


class SnapshotError(RunwidgetsError):
    """A folder cannot be kept as a snapshot; the message says why, and what is biggest in it."""


class ArchiveError(RunwidgetsError):
    """An archive of runs cannot be read, or is not what its manifest says; nothing of it is imported."""


class SchemaError(StoreError):
    """The store was written by a newer runwidgets than this one, or by an older one where it may not be written."""


class RunFailedError(RunwidgetsError):
    """A run that was waited for has failed; ``error_details`` says why, as JSON.

    Parameters
    ----------
    message
        Which run, and why.
    error_details
        The error as JSON text, in the shape of ``Run.get_details()["error"]``.
    """

    def __init__(self, message: str, error_details: str = "") -> None:
        super().__init__(message)
        self.error_details = error_details


class MissingDependencyError(RunwidgetsError, ImportError):
    """An optional dependency is needed; the message names the extra that brings it."""


class WorkspaceNotFoundError(NotFoundError, UserError):
    """A workspace, or the configuration that names one, is not where it was looked for."""


class ModelNotFoundError(NotFoundError):
    """A registered model that was named does not exist; the message says which do."""


class ModelPathNotFoundError(NotFoundError):
    """What was to be registered as a model is not there; of a run, the message lists its files."""


class ArgumentTypeError(UserError, TypeError):
    """An argument is of a type that is not accepted."""


class RunEnvironmentError(RunwidgetsError):
    """The process is not part of a submitted run, or what its environment says of the run is not true."""


class WaitInterruptedError(RunwidgetsError):
    """The waiting for a run was interrupted; the run itself goes on."""


class ComputeTargetError(RunwidgetsError):
    """A compute target cannot be made or used, or there is none of that name; the message says which there are."""


class RunConfigurationError(UserError):
    """A configuration of what to submit cannot be carried out; the message says which part of it, and what can be."""


class EnvironmentBuildError(RunwidgetsError):
    """The environment that a script was to run in cannot be made; the message has the last lines that tell why."""


class EnvironmentBuildStoppedError(EnvironmentBuildError):
    """An environment was not built to its end, since nobody wants it any more."""
