"""Following a run in a terminal: redrawn in place, or as plain lines where nothing can be redrawn."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from runwidgets.errors import ArgumentTypeError, StoreError
from runwidgets.run import Run
from runwidgets.terminal.picture import Picture, share_done
from runwidgets.watch.beside import Onlooker
from runwidgets.watch.feed import Feed
from runwidgets.watch.logs import Logs
from runwidgets.watch.numbers import number
from runwidgets.watch.poller import check_seconds, poller
from runwidgets.watch.static import as_text, elapsed_words, one_line, progress_words, row_name, run_title
from runwidgets.watch.view import RunView
from runwidgets.watch.wire import DEFAULT_CONTROLS, header_state, metrics_state

if TYPE_CHECKING:
    from runwidgets.watch.beside import Beside
    from runwidgets.watch.poller import Look, Subscription

_DRAWS_PER_SECOND: Final = 4
_LINE_SECONDS: Final = 60.0
_LINE_COLUMNS: Final = 160
"""How long a line with metrics gets: those that do not fit into it are counted."""


def watch(run: Run, refresh_seconds: float = 0.5, console: Console | None = None) -> None:
    """Show a run live in the terminal, and return when it has ended.

    Parameters
    ----------
    run
        The run to show; whichever process it runs in.
    refresh_seconds
        Time between looks, at least 0.5.
    console
        Where to draw; by default the standard output. What is no terminal gets plain lines: a few on the way, and the
        whole picture at the end.

    Raises
    ------
    ArgumentTypeError
        If it is given something other than a run.
    UserError
        If ``refresh_seconds`` is too short.
    """
    with LiveView(run, refresh_seconds, console) as view:
        view.wait()


class Sight(NamedTuple):
    """What is seen of a run at one look."""

    view: RunView
    trouble: str | None
    beside: Beside
    log: list[str]

    def picture(self, *, is_last: bool = False) -> Picture:
        """Draw it."""
        return Picture(self.view, self.trouble, is_last=is_last, beside=self.beside, log=self.log)


def onlooker_of(run: Run) -> Onlooker:
    """Give what looks at that which no event of a run tells of."""
    return Onlooker(run, Logs(run.experiment.workspace._files, run.id))


class LiveView:
    """Shows a run live in the terminal while the code in its ``with`` block works; the last picture stays there.

    Let the run end inside of the block, as in ``with LiveView(run), run:``, and the last picture shows how it ended.
    What the code prints appears above the picture.

    Parameters
    ----------
    run, refresh_seconds, console
        As for `watch`.
    """

    def __init__(self, run: Run, refresh_seconds: float = 0.5, console: Console | None = None) -> None:
        if not isinstance(run, Run):
            raise ArgumentTypeError(f"LiveView shows a Run, not a {type(run).__name__}")
        check_seconds(refresh_seconds)
        self._run = run
        self._seconds = refresh_seconds
        self._console = console or Console()
        self._onlooker = onlooker_of(run)
        self._mutex = threading.Lock()
        self._over = threading.Event()
        self._view = RunView()
        self._output: _Screen | _Lines | None = None
        self._subscription: Subscription | None = None

    def __enter__(self) -> Self:
        self._output = _Screen(self._console) if _can_redraw(self._console) else _Lines(self._console)
        self._subscription = poller().subscribe(self._run._recorder, self._run.id, self._seconds, self._on_look)
        return self

    def _on_look(self, look: Look) -> None:
        beside, log = self._onlooker.beside(look.view), self._onlooker.log_lines(look.view)
        with self._mutex:
            if self._output is not None:
                self._view = look.view
                self._output.show(Sight(look.view, look.trouble, beside, log))
        if look.trouble is None and look.view.status.is_final:
            self._over.set()

    def wait(self) -> None:
        """Return when the run has ended."""
        while not self._over.wait(1):  # without a limit, Windows would not let Ctrl-C through
            pass

    def __exit__(self, *_: object) -> None:
        if self._subscription is not None:
            self._subscription.cancel()
        with self._mutex:
            output, self._output = self._output, None
        if output is not None:
            view, trouble = self._last_view()
            output.end(Sight(view, trouble, self._onlooker.beside(view), self._onlooker.log_lines(view)))

    def _last_view(self) -> tuple[RunView, str | None]:
        """Look once more: much may have been logged since the poller did."""
        if self._view.status.is_final:
            return self._view, None
        feed = Feed(self._run._recorder, self._run.id)
        try:
            feed.step()
        except StoreError as trouble:
            return feed.view if feed.view.record else self._view, str(trouble)
        return feed.view, None


def _can_redraw(console: Console) -> bool:
    """Tell whether lines can be drawn over, and the characters of a picture written."""
    return console.is_terminal and not console.is_dumb_terminal and not console.options.ascii_only


class _Screen:
    """Draws a run in a terminal, each time in the same place."""

    def __init__(self, console: Console) -> None:
        self._picture = Picture(RunView())
        self._live = Live(
            console=console, get_renderable=lambda: self._picture, refresh_per_second=_DRAWS_PER_SECOND
        )  # fmt: skip
        self._live.start()

    def show(self, sight: Sight) -> None:
        self._picture = sight.picture()
        self._live.refresh()

    def end(self, sight: Sight) -> None:
        self._picture = sight.picture(is_last=True)
        self._live.stop()


class _Lines:
    """Tells of a run in lines that stay: for files, pipes and terminals that cannot do more."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = ""
        self._queue: str | None = None
        self._trouble: str | None = None
        self._tenths = 0
        self._said_at = time.monotonic()

    def show(self, sight: Sight) -> None:
        view, trouble = sight.view, sight.trouble
        header = header_state(view, time.time(), None, trouble, sight.beside)
        if trouble not in (self._trouble, None):
            self._say(f"⚠ {trouble}")
        self._trouble = trouble
        if view.record is None or view.status.is_final:
            return
        if header["status"] != self._status:
            self._status = header["status"]
            self._say(f"● {header['status']}   {run_title(header)}")
        if header["queue"] not in (self._queue, None):
            self._say(f"  {header['queue']}")
        self._queue = header["queue"]
        progress = header["progress"]
        tenths = int(10 * (share_done(progress) or 0)) if progress else 0
        if tenths > self._tenths or time.monotonic() - self._said_at >= _LINE_SECONDS:
            self._tenths = tenths
            words = progress_words(progress) if progress else [elapsed_words(header)]
            rows = [row for row in metrics_state(view, DEFAULT_CONTROLS)["rows"] if row["kind"] == "numeric"]
            line = "  " + "   ".join(words)
            for i, row in enumerate(rows):
                said = f"   {one_line(row_name(row), 24)} {number(row['last'])}"
                if len(line + said) > _LINE_COLUMNS:
                    line += f"   … {number(len(rows) - i)} more"
                    break
                line += said
            self._say(line)

    def end(self, sight: Sight) -> None:
        if sight.trouble is not None:
            self._say(f"⚠ {sight.trouble}")
        for line in as_text(sight.view, time.time(), sight.log, sight.beside).splitlines():
            self._say(line)

    def _say(self, line: str) -> None:
        encoding = self._console.encoding
        line = one_line(line, limit=1000).encode(encoding, "replace").decode(encoding)
        self._console.print(Text(line), soft_wrap=True)
        self._said_at = time.monotonic()
