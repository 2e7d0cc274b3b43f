"""Compute targets: where submitted scripts run, and how many at once."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import ArgumentTypeError, ComputeTargetError, StoreError
from runwidgets.store.queue import LOCAL, SETTINGS, Queue

if TYPE_CHECKING:
    import builtins

    from runwidgets.workspace import Workspace

_NAME: Final = re.compile(r"[A-Za-z0-9][\w.\-]{0,62}", re.ASCII)
_MOST_SLOTS: Final = 1000


def is_target_name(name: object) -> bool:
    """Tell whether a compute target can have a name: then it also names a folder, and none elsewhere."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


class LocalCompute:
    """A target on this machine: how many runs go at once there.

    Parameters
    ----------
    slots
        How many; by default as many as there are processors.

    Raises
    ------
    ComputeTargetError
        If it is no number from 1 to 1,000.
    """

    def __init__(self, slots: int | None = None) -> None:
        if slots is not None and (
            not isinstance(slots, int) or isinstance(slots, bool) or not 1 <= slots <= _MOST_SLOTS
        ):
            raise ComputeTargetError(f"LocalCompute(slots={slots!r}): give a number from 1 to {_MOST_SLOTS:,}")
        self.slots = slots

    def __repr__(self) -> str:
        return f"LocalCompute(slots={self.slots})"


class ComputeTarget:
    """A place where submitted scripts run; those that find no free slot wait in its queue.

    Each workspace has ``local``; more are made with `create`, each with slots of its own.

    Parameters
    ----------
    workspace
        The workspace.
    name
        The target's name.

    Raises
    ------
    ComputeTargetError
        If there is none of that name; the message lists those there are.
    """

    def __init__(self, workspace: Workspace, name: str) -> None:
        if name != LOCAL and name not in _names(workspace):
            present = ", ".join(compute_targets(workspace))
            raise ComputeTargetError(
                f"the workspace {workspace.name!r} has no compute target {name!r}; it has: {present}. "
                f"ComputeTarget.create(workspace, {name!r}, LocalCompute(slots=2)) makes it"
            )
        self._workspace = workspace
        self._name = name
        self._queue = Queue(workspace._folder, name)

    @staticmethod
    def create(workspace: Workspace, name: str, provisioning_configuration: LocalCompute) -> ComputeTarget:
        """Make a target, or change how many slots it has; what runs there goes on.

        Parameters
        ----------
        workspace
            The workspace.
        name
            Begins with an ASCII letter or digit and holds only letters, digits, ``_``, ``-`` and ``.``; at most 63.
        provisioning_configuration
            What it is.

        Raises
        ------
        ComputeTargetError
            If the name breaks these rules, or it is no configuration.
        StoreError
            If the workspace cannot be written.
        """
        if not is_target_name(name):
            raise ComputeTargetError(
                f"compute target name {name!r}: it must begin with a letter or digit and hold only letters, digits, "
                "'_', '-' and '.', at most 63"
            )
        if not isinstance(provisioning_configuration, LocalCompute):
            raise ArgumentTypeError(
                f"ComputeTarget.create(): the configuration is a {type(provisioning_configuration).__name__}: "
                "give LocalCompute(slots=…)"
            )
        folder = Queue(workspace._folder, name).folder
        settings: dict[str, Any] = {"type": "local"}
        if provisioning_configuration.slots is not None:
            settings["slots"] = provisioning_configuration.slots
        if not workspace._is_kept:
            workspace._keep()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".incoming-", delete=False) as file:
                json.dump(settings, file)
            Path(file.name).replace(folder / SETTINGS)
        except OSError as error:
            raise StoreError(f"the compute target {name!r} cannot be kept: {error}") from error
        return ComputeTarget(workspace, name)

    @staticmethod
    def list(workspace: Workspace) -> builtins.list[ComputeTarget]:
        """List the targets of a workspace, ``local`` first."""
        return [*compute_targets(workspace).values()]

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def type(self) -> str:
        """What kind of target it is: ``local``."""
        return LOCAL

    @property
    def workspace(self) -> Workspace:
        """The workspace it belongs to."""
        return self._workspace

    @property
    def slots(self) -> int:
        """How many runs go at once."""
        return self._queue.slots

    @property
    def provisioning_state(self) -> str:
        """``Succeeded``: there is nothing to wait for."""
        return "Succeeded"

    def get_status(self) -> ComputeStatus:
        """Tell what goes on there now."""
        waiting = self._queue.waiting()
        return ComputeStatus(self._queue.slots, self._queue.running(), waiting)

    def get_portal_url(self) -> str:
        """Give the address of this target's page; as `Run.get_portal_url`."""
        from runwidgets.addressing import page_path, portal_url

        return portal_url(page_path("w", self._workspace.name, "compute", self.name))

    def wait_for_completion(self, show_output: bool = False, **kwargs: Any) -> None:  # noqa: ARG002 (SDK v1's signature)
        """Return at once: a target of this machine is there when it is made."""
        if show_output:
            print("Succeeded")  # noqa: T201 (it is asked for)

    def delete(self) -> None:
        """Forget the target.

        Raises
        ------
        ComputeTargetError
            If it is ``local``, which is always there, or runs wait or go on there.
        """
        if self._name == LOCAL:
            raise ComputeTargetError("the target 'local' is always there")
        status = self.get_status()
        if status.running or status.queued:
            raise ComputeTargetError(
                f"the target {self._name!r} is in use (runs that go on there: {len(status.running)}, that wait: "
                f"{len(status.queued)}): cancel them, or wait for their ends"
            )
        (self._queue.folder / SETTINGS).unlink(missing_ok=True)

    def serialize(self) -> dict[str, Any]:
        """Tell what it is, as a dict."""
        return {"name": self._name, "type": self.type, "slots": self.slots, "provisioningState": "Succeeded"}

    def __repr__(self) -> str:
        return f"ComputeTarget(workspace={self._workspace.name!r}, name={self._name!r}, slots={self.slots})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComputeTarget) and (self._workspace, self._name) == (other._workspace, other._name)

    def __hash__(self) -> int:
        return hash((self._workspace, self._name))


class ComputeStatus:
    """What goes on at a target: the ids of the runs, those that wait in the order of their turns."""

    def __init__(self, slots: int, running: list[str], queued: list[str]) -> None:
        self.slots = slots
        self.running = running
        self.queued = queued

    @property
    def free_slots(self) -> int:
        """How many more runs could go now."""
        return max(0, self.slots - len(self.running))

    def serialize(self) -> dict[str, Any]:
        """Tell it as a dict."""
        return {"slots": self.slots, "running": self.running, "queued": self.queued}

    def __repr__(self) -> str:
        return f"ComputeStatus(slots={self.slots}, running={len(self.running)}, queued={len(self.queued)})"


def compute_targets(workspace: Workspace) -> dict[str, ComputeTarget]:
    """Give the targets of a workspace by name, ``local`` first."""
    return {name: ComputeTarget(workspace, name) for name in (LOCAL, *_names(workspace))}


def _names(workspace: Workspace) -> list[str]:
    folder = workspace._folder / "compute"
    try:
        found = sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
    return [name for name in found if name != LOCAL and (folder / name / SETTINGS).is_file()]
