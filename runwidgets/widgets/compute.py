"""`ComputeView`: the live display of compute targets."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from runwidgets.compute import ComputeTarget
from runwidgets.errors import ArgumentTypeError, UserError
from runwidgets.run import Run
from runwidgets.watch.board import board_state
from runwidgets.watch.occupancy import TargetFeed, find_run
from runwidgets.watch.placard import board_as_html, board_as_text
from runwidgets.widgets.details import RunDetails
from runwidgets.widgets.display import Display
from runwidgets.widgets.panels import BoardPanel
from runwidgets.widgets.scripts import inside_display
from runwidgets.widgets.still import Picture

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runwidgets.watch.board import OpenRun
    from runwidgets.watch.occupancy import Occupancy
    from runwidgets.workspace import Workspace

_LOOK_SECONDS: Final = 0.8
"""Less than a second, so that what changes is shown within one."""


class ComputeView(Display):
    """Shows live which submitted runs go on at a compute target and which wait for it.

    It follows the target by itself, also while a cell runs, for as long as it can be seen. As the last expression of a
    cell it displays itself; `show` does so anywhere. In a terminal, `show` prints it as text.

    Parameters
    ----------
    target
        A compute target, a target's name, or a list of either.
    workspace
        Where names are looked up; targets know theirs.

    Raises
    ------
    ArgumentTypeError
        If it is given something other than targets and names.
    UserError
        If it is given no target, or a name without a workspace.
    ComputeTargetError
        If the workspace has no target of a name.
    """

    def __init__(
        self, target: ComputeTarget | str | Iterable[ComputeTarget | str], workspace: Workspace | None = None
    ) -> None:
        self._feeds = [TargetFeed(one) for one in _targets(target, workspace)]
        self._looking = threading.Lock()
        self._hidden: set[str] = set()
        self._cancels: dict[str, str | None] = {}
        self._details: RunDetails | None = None
        self._open_run: OpenRun | None = None
        self._panel = BoardPanel(_view_count=0)
        super().__init__([self._panel], self._panel, seconds=_LOOK_SECONDS, classes=("rw-compute",))
        self._panel.on_msg(self._on_message)
        self._begin()
        self._step()
        self._show_state()

    def _seen(self) -> tuple[Occupancy, ...]:
        return tuple(feed.occupancy for feed in self._feeds)

    def _draw_still(self, seen: tuple[Occupancy, ...]) -> Picture:
        state = board_state(seen, time.time())
        return Picture(board_as_html(state), board_as_text(state))

    def __repr__(self) -> str:
        return f"ComputeView({', '.join(repr(feed.target.name) for feed in self._feeds)})"

    def _end(self) -> None:
        self._close_details()

    # ---- following

    def _step(self) -> bool:
        with self._looking:
            return any([feed.step() for feed in self._feeds])  # noqa: C419 (each of them looks)

    def _look(self) -> None:
        changed = self._step()
        with self._mutex:
            if changed and self._is_open:
                self._show_state()
                self._still.update(self._seen())

    def _show_state(self) -> None:
        self._panel.show_state(board_state(self._seen(), time.time(), self._cancels, self._open_run))

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, dict):
            return
        kind, run_id = content.get("kind"), content.get("run_id")
        with self._mutex:
            if kind == "sight":
                self._see(content.get("view"), is_hidden=content.get("hidden") is True)
            elif kind == "close":
                self._close_details()
                self._show_state()
            elif isinstance(run_id, str) and (index := find_run(self._seen(), run_id)) is not None:
                workspace = self._feeds[index].target.workspace
                if kind == "cancel" and self._cancels.get(run_id, "") is not None:
                    self._cancels[run_id] = None
                    self._show_state()
                    threading.Thread(
                        target=self._cancel, args=(workspace, run_id), name="runwidgets-cancel", daemon=True
                    ).start()
                elif kind == "details":
                    self._open_details(workspace, run_id)

    def _see(self, view: object, *, is_hidden: bool) -> None:
        """Look only while a page shows it: one that is put aside says so."""
        if is_hidden and isinstance(view, str):
            self._hidden.add(view)
            if len(self._hidden) >= (self._panel._view_count or 0):
                self._pause()
        else:  # those that went away without a word are forgotten with the rest
            self._hidden.clear()
            self._follow()

    # ---- single runs

    def _cancel(self, workspace: Workspace, run_id: str) -> None:
        """Cancel a run, on a thread of its own: the browser's messages do not wait for it."""
        trouble = None
        try:
            Run.get(workspace, run_id).cancel()
        except Exception as error:  # noqa: BLE001 (whatever it is, who asked for it is told)
            trouble = str(error) or type(error).__name__
        self._step()
        with self._mutex:
            if trouble is None:
                del self._cancels[run_id]
            else:
                self._cancels[run_id] = trouble
            if self._is_open:
                self._show_state()

    def _open_details(self, workspace: Workspace, run_id: str) -> None:
        self._close_details()
        with inside_display():
            self._details = RunDetails(Run.get(workspace, run_id), refresh_seconds=1)
        self._open_run = {"run_id": run_id, "run_name": self._name_of(run_id)}
        self.children: tuple[Any, ...] = (*self._panels, self._details)
        self._show_state()

    def _name_of(self, run_id: str) -> str:
        state = board_state(self._seen(), 0.0)
        rows = (row for target in state["targets"] for row in (*target["active"], *target["queued"]))
        return next((row["run_name"] for row in rows if row["run_id"] == run_id), run_id)

    def _close_details(self) -> None:
        if self._details is not None:
            if self._is_open:
                self.children = self._panels
            self._details.close()
        self._details, self._open_run = None, None


def _targets(
    given: ComputeTarget | str | Iterable[ComputeTarget | str], workspace: Workspace | None
) -> list[ComputeTarget]:
    several = [given] if isinstance(given, (ComputeTarget, str)) else _listed(given)
    if not several:
        raise UserError("ComputeView() has no target to show: give a ComputeTarget, or a list of them")
    return [_target(one, workspace) for one in several]


def _listed(given: object) -> list[Any]:
    try:
        return list(given)  # type: ignore[call-overload, no-any-return]
    except TypeError:
        raise ArgumentTypeError(_NO_TARGET.format(type(given).__name__)) from None


_NO_TARGET: Final = "ComputeView shows ComputeTargets, or targets by name, not a {}"


def _target(one: object, workspace: Workspace | None) -> ComputeTarget:
    if isinstance(one, ComputeTarget):
        return one
    if not isinstance(one, str):
        raise ArgumentTypeError(_NO_TARGET.format(type(one).__name__))
    if workspace is None:
        raise UserError(
            f"ComputeView({one!r}): in which workspace? Give workspace=…, or the target itself: "
            f"ws.compute_targets[{one!r}]"
        )
    return ComputeTarget(workspace, one)
