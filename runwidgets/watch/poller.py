"""One daemon thread for all that is watched in this process.

It looks at each run every 10 to 15 seconds (at random, so that many viewers of one store do not march in step, and
always the same for one run, so that a browser can tell when the next look is due without being told) or as
often as the most impatient of its viewers asks, and at once when this process sets the run's status. When another does,
as the supervisor of a script, a glance at the one row that says so finds it within a second. While there is nothing to
show yet, it looks sooner a few times. It ends when nothing is watched. A look that fails is told to the
viewers and tried again at the next turn: only the end of the run or of its viewers ends the watching. Between looks it
runs errands (see `Poller.every`) for what nobody is told of, as a log that grows.
"""

from __future__ import annotations

import logging
import math
import os
import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from runwidgets.errors import StoreError, UserError
from runwidgets.watch.feed import Feed
from runwidgets.watch.viewer import for_this_viewer

if TYPE_CHECKING:
    from collections.abc import Callable

    from runwidgets.store.recorder import Recorder
    from runwidgets.watch.view import RunView

_log = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = (10.0, 15.0)
SHORTEST_SECONDS: Final = 0.5
_GLANCE_SECONDS: Final = 1.0
"""How often it is looked whether the run's state has changed."""
_EARLY_SECONDS: Final = (1.0, 2.0, 4.0)
"""How long after each of the first looks the next is due, as long as they find neither a metric nor a child run."""


@dataclass(frozen=True)
class Look:
    """What one look at a run gave.

    Attributes
    ----------
    view
        The run as of the last look that succeeded.
    changed
        Whether the view is another than this viewer got before.
    trouble
        Why this look failed; None if it did not.
    next_at
        When the next look is due, epoch seconds; None if there will be none.
    """

    view: RunView
    changed: bool
    trouble: str | None
    next_at: float | None


class Subscription:
    """One viewer of one run. It gets each look from the poller's thread, until `cancel` or the end of the run."""

    def __init__(
        self, poller: Poller, watched: _Watched, seconds: float | None, on_look: Callable[[Look], None]
    ) -> None:
        self._poller = poller
        self._watched = watched
        self.seconds = seconds
        self.on_look = for_this_viewer(on_look)
        self.seen: RunView | None = None

    def refresh(self) -> None:
        """Look now."""
        self._poller.wake(self._watched)

    def cancel(self) -> None:
        """Stop watching."""
        self._poller.forget(self._watched, self)


class Errand:
    """Something that is done every so many seconds on the poller's thread, until `cancel`."""

    def __init__(self, poller: Poller, seconds: float, action: Callable[[], None]) -> None:
        self._poller = poller
        self.seconds = seconds
        self.action = for_this_viewer(action)
        self.due = 0.0

    def cancel(self) -> None:
        """Do it no more."""
        self._poller.drop(self)


class _Watched:
    """One run that is watched, by one feed for all its viewers."""

    def __init__(self, recorder: Recorder, run_id: str) -> None:
        self.feed = Feed(recorder, run_id)
        self.run_id = run_id
        self.recorder = recorder
        self.viewers: list[Subscription] = []
        self.due = 0.0
        self.empty_looks = 0
        self.unlisten: Callable[[], None] = lambda: None
        self.glancing: Errand | None = None
        self.usual = random.uniform(*INTERVAL_SECONDS)

    def interval(self) -> float:
        asked = [viewer.seconds for viewer in self.viewers if viewer.seconds is not None]
        usual = min(asked) if asked else self.usual
        if self.empty_looks and self.empty_looks <= len(_EARLY_SECONDS):
            return min(usual, _EARLY_SECONDS[self.empty_looks - 1])
        return usual


class Poller:
    """The thread and what it watches. Use `poller()`: one for the process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: dict[tuple[Recorder, str], _Watched] = {}
        self._errands: list[Errand] = []
        self._thread: threading.Thread | None = None

    def every(self, seconds: float, action: Callable[[], None]) -> Errand:
        """Do something again and again, from now on, until it is canceled.

        Parameters
        ----------
        seconds
            Time between.
        action
            Called on the poller's thread; it should be quick.
        """
        with self._changed:
            errand = Errand(self, seconds, action)
            self._errands.append(errand)
            self._begin()
            return errand

    def drop(self, errand: Errand) -> None:
        """Do an errand no more."""
        with self._changed:
            if errand in self._errands:
                self._errands.remove(errand)
            self._changed.notify()

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="runwidgets-poller", daemon=True)
            self._thread.start()
        self._changed.notify()

    def subscribe(
        self, recorder: Recorder, run_id: str, seconds: float | None, on_look: Callable[[Look], None]
    ) -> Subscription:
        """Begin to watch a run; the first look is at once.

        Parameters
        ----------
        recorder
            The workspace's.
        run_id
            The run.
        seconds
            Time between looks, at least 0.5; None for 10 to 15.
        on_look
            Called with each `Look`, from the poller's thread.

        Raises
        ------
        UserError
            If ``seconds`` is too short, or no number.
        """
        check_seconds(seconds)
        with self._changed:
            watched = self._watched.get((recorder, run_id))
            if watched is None:
                watched = self._watched[recorder, run_id] = _Watched(recorder, run_id)
                watched.unlisten = recorder.on_status(lambda changed: self._on_status(changed, watched))
                watched.glancing = Errand(self, _GLANCE_SECONDS, partial(self._glance, watched))
                watched.glancing.due = time.monotonic() + _GLANCE_SECONDS
                self._errands.append(watched.glancing)
            subscription = Subscription(self, watched, seconds, on_look)
            watched.viewers.append(subscription)
            watched.due = 0.0
            self._begin()
            return subscription

    def _on_status(self, run_id: str, watched: _Watched) -> None:
        if run_id == watched.run_id:
            self.wake(watched)

    def _glance(self, watched: _Watched) -> None:
        with suppress(StoreError):  # the next look tells of it
            if watched.feed.has_news():
                self.wake(watched)

    def wake(self, watched: _Watched) -> None:
        """Look at a run now."""
        with self._changed:
            watched.due = 0.0
            self._changed.notify()

    def forget(self, watched: _Watched, viewer: Subscription) -> None:
        """End one viewer's watching; without viewers the run is not watched any more."""
        with self._changed:
            if viewer in watched.viewers:
                watched.viewers.remove(viewer)
            if not watched.viewers:
                watched.unlisten()
                self._watched.pop((watched.recorder, watched.run_id), None)
                if watched.glancing in self._errands:
                    self._errands.remove(watched.glancing)
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._watched and not self._errands:
                    self._thread = None
                    return
                waiting: tuple[_Watched | Errand, ...] = (*self._watched.values(), *self._errands)
                first = min(waiting, key=lambda w: w.due)
                wait = first.due - time.monotonic()
                if wait > 0:
                    self._changed.wait(wait)
                    continue
                if isinstance(first, Errand):
                    first.due = time.monotonic() + first.seconds
                else:
                    first.due = math.inf  # a wake-up during the look sets it anew, and is not lost
            if isinstance(first, Errand):
                self._go(first)
            else:
                self._look(first)

    @staticmethod
    def _go(errand: Errand) -> None:
        try:
            errand.action()
        except Exception:  # noqa: BLE001 (one errand's mistake must not end the watching; the next may succeed)
            if threading.main_thread().is_alive():
                _log.exception("an errand failed")

    def _look(self, watched: _Watched) -> None:
        trouble = None
        try:
            watched.feed.step()
        except Exception as error:  # noqa: BLE001 (whatever it is, the viewers are told, and the next look may succeed)
            trouble = str(error) or type(error).__name__
            _log.debug("a look at run %s failed", watched.run_id, exc_info=True)
        view = watched.feed.view
        over = trouble is None and view.status.is_final
        with self._changed:
            watched.empty_looks = 0 if view.metrics or view.children else watched.empty_looks + 1
            interval = watched.interval()
            watched.due = min(watched.due, time.monotonic() + interval)
            viewers = tuple(watched.viewers)
        next_at = None if over else time.time() + interval
        looks = {changed: Look(view, changed, trouble, next_at) for changed in (False, True)}
        for viewer in viewers:
            try:
                viewer.on_look(looks[viewer.seen is not view])  # it may have come after the others
                viewer.seen = view
            except Exception:  # noqa: BLE001 (one viewer's mistake must not end the others' watching)
                if threading.main_thread().is_alive():  # else the process is ending, and nobody looks any more
                    _log.exception("a viewer of run %s failed", watched.run_id)
            if over:
                viewer.cancel()


def check_seconds(seconds: float | None) -> None:
    """Refuse a refresh interval that is no number or shorter than `SHORTEST_SECONDS`."""
    if seconds is None:
        return
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds >= SHORTEST_SECONDS:
        raise UserError(
            f"refresh_seconds is {seconds!r}: give a number of seconds from {SHORTEST_SECONDS}, "
            "or None for every 10 to 15 seconds"
        )


_poller = Poller()


def poller() -> Poller:
    """Give this process's poller."""
    return _poller


def _renew_in_child() -> None:
    """After a fork the thread is the parent's, and so are its viewers."""
    global _poller  # noqa: PLW0603 (one for the process, and this is another process)
    _poller = Poller()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_in_child)
