"""JupyterLab or Notebook in Chromium: a server on loopback, and notebooks that are opened, run and looked at in it.

`Server` is one of either with a folder, settings and runs of its own. `Browser` opens notebooks of it; a `Notebook` is
one page with one kernel, and gathers what goes wrong on either side.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import nbformat
import psutil
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Locator, Page, Response

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS: Final = 90
CELL_SECONDS: Final = 90
LOOK_SECONDS: Final = 20
"""How long something may take to be seen: the machines of CI are slow at times."""
_KERNEL: Final = {"name": "python3", "display_name": "Python 3", "language": "python"}
# JupyterLab asks for these whether or not they exist, and the browser reports each that does not.
_OPTIONAL: Final = ("/api/workspaces/", "/lsp/status", "/favicon")
# Notebook raises it over its own settings, in a notebook with no widget too.
_ERROR_OF_NOTEBOOK: Final = "Cannot read properties of undefined (reading 'schema')"

_LINES: Final = """
    () => [...document.querySelectorAll(".rw-chart")].map((chart) => [
        chart.querySelector(".rw-chart-title")?.textContent,
        [...chart.querySelectorAll(".bqplot path.line")].filter((path) => /[LM]/.test(path.getAttribute("d"))).length,
    ])
"""


# Tornado's, of a message that was on its way.
_PAGE_HAS_GONE: Final = re.compile(
    r"^([ \t]*)Traceback .*:\n(?:\1[ \t]+.*\n)+\1tornado\.(?:websocket\.WebSocket|iostream\.Stream)ClosedError.*",
    re.MULTILINE,
)

_APPLICATIONS: Final = {
    "jupyterlab": ("doc/tree", ("--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None")),
    "notebook": ("notebooks", ("--JupyterNotebookApp.expose_app_in_browser=True",)),
}
"""Where each has its notebooks, and what it is started with so that its page can be asked."""


class Server:
    """JupyterLab or Notebook on a free port of this machine.

    Parameters
    ----------
    folder
        An empty folder, for notebooks, settings, runs and the log.
    application
        ``jupyterlab`` or ``notebook``.
    """

    def __init__(self, folder: Path, application: str = "jupyterlab") -> None:
        self.place, options = _APPLICATIONS[application]
        self._application = application
        self.notebooks = folder / "notebooks"
        self._settings = folder / "settings" / "@jupyterlab"
        self._log = folder / "server.log"
        self.token = secrets.token_hex(16)
        self.notebooks.mkdir(parents=True)
        self._set("apputils-extension/notification", fetchNews="false", checkForUpdates=False)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        own = {
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "IPYTHONDIR": "ipython",
            "RUNWIDGETS_HOME": "runs",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", application, "--no-browser", "--allow-root", "--ip=127.0.0.1",
                    f"--port={self.url.rpartition(':')[2]}", "--ServerApp.port_retries=0",
                    f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.notebooks}",
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **{name: str(folder / sub) for name, sub in own.items()}},
            )  # fmt: skip

    def wait(self) -> None:
        """Return when it answers."""
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self.ask("GET", "/api/status")
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{self._application} did not start:\n{self.log()[-4000:]}") from None
                time.sleep(0.1)
            else:
                return

    def ask(self, method: str, path: str) -> Any:
        """Send a request to its API."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(self.url + path, method=method, headers=headers)  # noqa: S310 (loopback)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read() or "null")

    def log(self) -> str:
        """Give what the server and its kernels have written."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def set_theme(self, name: str) -> None:
        """Choose the theme of pages that are opened from now on."""
        self._set("apputils-extension/themes", theme=name)

    def _set(self, plugin: str, **settings: Any) -> None:
        file = self._settings / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")

    def close(self) -> None:
        """End the server and its kernels."""
        kernels = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for kernel in kernels:
            with suppress(psutil.NoSuchProcess):
                kernel.kill()


class Gate:
    """Code that keeps a kernel busy until the test lets it go on.

    Parameters
    ----------
    file
        Tells the kernel to go on, when it is there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        there = f"__import__('pathlib').Path({str(file)!r}).exists()"
        self.sleeping = f"import time\nwhile not {there}: time.sleep(0.05)"
        """For a cell that waits."""
        self.computing = f"while not {there}: sum(range(100_000))"
        """For a cell that computes."""

    def open(self) -> None:
        """Let the kernel go on."""
        self._file.touch()


class Notebook:
    """One notebook in one page, with its kernel.

    Attributes
    ----------
    page
        The page, of Playwright.
    problems
        What went wrong so far in the page: uncaught errors, errors on the console, files that were not there.
    """

    def __init__(self, server: Server, page: Page, name: str) -> None:
        self.page = page
        self.problems: list[str] = []
        self._server = server
        self._name = name
        self._log_start = len(server.log())
        page.on("pageerror", self._on_error)
        page.on("console", self._on_console)
        page.on("response", self._on_response)

    def _on_error(self, error: Error) -> None:
        if _ERROR_OF_NOTEBOOK not in str(error):
            self.problems.append(f"page error: {error}")

    def _on_console(self, message: ConsoleMessage) -> None:
        # The browser's line about a missing file does not say which: `_on_response` does.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console: {message.text}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and not any(part in response.url for part in _OPTIONAL):
            self.problems.append(f"{response.status} {response.url}")

    def load(self) -> None:
        """Open it, and return when its kernel is up."""
        self.page.goto(
            f"{self._server.url}/{self._server.place}/{self._name}?token={self._server.token}&reset",
            wait_until="commit",
        )
        self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp?.shell.currentWidget;
                window.panel = panel;
                return panel?.content?.widgets?.length && panel.sessionContext?.session?.kernel?.status === "idle";
            }""",
            timeout=START_SECONDS * 1000,
        )

    # ---- running

    def run_all(self) -> None:
        """Start all cells; do not wait."""
        self._command("notebook:run-all-cells")

    def start(self, cell: int) -> None:
        """Start one cell; do not wait."""
        self.page.evaluate("(cell) => { window.panel.content.activeCellIndex = cell; }", cell)
        self._command("notebook:run-cell")

    def run(self, *cells: int) -> None:
        """Run cells, all if none is named, and return when the last is done."""
        if not cells:
            self.run_all()
            self.wait(self.page.evaluate("() => window.panel.content.widgets.length") - 1)
        for cell in cells:
            self.start(cell)
            self.wait(cell)

    def wait(self, cell: int) -> None:
        """Return when a cell has been run."""
        self.page.wait_for_function(
            "(cell) => window.panel.content.widgets[cell].model.executionState === 'idle' "
            "&& window.panel.content.widgets[cell].model.executionCount > 0",
            arg=cell,
            timeout=CELL_SECONDS * 1000,
        )

    def is_busy(self, cell: int) -> bool:
        """Tell whether a cell is running or waits for its turn: the prompt is ``[*]:``."""
        return self.page.evaluate("(cell) => window.panel.content.widgets[cell].prompt", cell) == "*"

    def output(self, cell: int) -> list[dict[str, Any]]:
        """Give the outputs of a cell, as the notebook file would hold them."""
        return self.page.evaluate("(cell) => window.panel.content.widgets[cell].model.outputs.toJSON()", cell)

    def text(self, cell: int) -> str:
        """Give what a cell has printed."""
        return "".join(output.get("text", "") for output in self.output(cell))

    def save(self) -> Path:
        """Save the notebook, and give its file."""
        self.page.evaluate("async () => { await window.panel.context.save(); }")
        return self._server.notebooks / self._name

    def _command(self, name: str) -> None:
        self.page.evaluate("(name) => { window.jupyterapp.commands.execute(name); }", name)

    # ---- looking

    @property
    def widget(self) -> Locator:
        """The root of the only display in the notebook."""
        return self.page.locator(".runwidgets")

    def find(self, selector: str) -> Locator:
        """Find something in the display."""
        return self.widget.locator(selector)

    def tab(self, title: str) -> Locator:
        """Find a tab of the display."""
        return self.widget.get_by_role("tab").filter(has_text=title)

    def wait_painted(self, charts: int) -> dict[str, int]:
        """Return when the display shows so many charts, and each has been drawn.

        Returns
        -------
        dict
            How many lines each chart has, by its title. A chart of NaN alone has none, and is waited for in vain.
        """
        self.page.wait_for_function(
            f"(count) => {{ const all = ({_LINES})(); return all.length === count "
            "&& all.every(([, lines]) => lines > 0); }",
            arg=charts,
        )
        return self.lines()

    def lines(self) -> dict[str, int]:
        """Give how many lines each chart shows now, by its title."""
        return dict(self.page.evaluate(_LINES))

    def all_problems(self) -> list[str]:
        """Give what went wrong in the page, in the cells, in the kernel and in the server."""
        found = list(self.problems)
        for i, cell in enumerate(self.page.evaluate("() => window.panel?.content.model.toJSON().cells ?? []")):
            for output in cell.get("outputs", ()):
                if output["output_type"] == "error":
                    found.append(f"cell {i} raised {output['ename']}: {output['evalue']}")
                elif output.get("name") == "stderr":
                    found.append(f"cell {i} wrote to stderr: {''.join(output['text'])}")
        log = _PAGE_HAS_GONE.sub("", self._server.log()[self._log_start :])
        if "Traceback" in log:
            found.append(f"the server's log: {log[log.index('Traceback') :][:2000]}")
        return found

    def close(self) -> None:
        """Close the page, and end the kernel."""
        # A kernel that waits for its last answer would hold the server up: nothing is kept of it.
        self.page.close()
        for session in self._server.ask("GET", "/api/sessions"):
            if session["path"] == self._name:
                self._server.ask("DELETE", f"/api/sessions/{session['id']}")


class Browser:
    """Chromium, with the notebooks of servers.

    Parameters
    ----------
    server
        The server whose notebooks are opened unless another is named.
    chromium
        The program.
    """

    def __init__(self, server: Server, chromium: Path) -> None:
        self.server = server
        self._playwright = sync_playwright().start()
        self._chromium = self._playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        self._context = self._chromium.new_context()
        self._context.set_default_timeout(1000 * LOOK_SECONDS)

    def open(
        self, cells: list[str] | Path, *, width: int = 1280, height: int = 2400, server: Server | None = None
    ) -> Notebook:
        """Open a notebook that is made of code cells, or a copy of one that exists.

        Parameters
        ----------
        cells
            The code of each cell, or the file of a notebook.
        width, height
            Size of the page. It is tall so that nothing of a short notebook is out of sight.
        server
            Where it is opened.
        """
        server = server or self.server
        name = f"{secrets.token_hex(4)}.ipynb"
        if isinstance(cells, Path):
            content = nbformat.read(cells, as_version=4)
        else:
            content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        content.metadata["kernelspec"] = _KERNEL
        nbformat.write(content, server.notebooks / name)
        page = self._context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        notebook = Notebook(server, page, name)
        notebook.load()
        return notebook

    def context(self, **options: Any) -> BrowserContext:
        """Give a context of its own, for pages that are no notebooks; see `playwright.sync_api.Browser.new_context`."""
        return self._chromium.new_context(**options)

    def close(self) -> None:
        """End the browser."""
        self._context.close()
        self._chromium.close()
        self._playwright.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
