"""Pictures of every panel, to leaf through: with data, empty, failed and huge; light and dark; narrow to wide.

    .venv/bin/python -m tests.browser.pictures [--out pictures] [--only huge]

A panel that is new gets a line in `PANELS`, what a run should have for it a line in `RUNS`.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

from playwright.sync_api import Error as PlaywrightError

from tests.browser.lab import Browser, Notebook, Server

WIDTHS: Final = (360, 800, 1600)
THEMES: Final = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


class Panel(NamedTuple):
    """A picture of the display: the tab to open, and what to press in it, where that is there."""

    name: str
    tab: str
    press: tuple[str, ...] = ()


PANELS: Final = (
    Panel("metrics", "Metrics"),
    Panel("rows of a metric", "Metrics", (".rw-rows-button:visible",)),
    Panel("child runs", "Child runs"),
    Panel("evaluation", "Evaluation"),
    Panel("images", "Images"),
    Panel("details", "Details"),
    Panel("logs", "Logs"),
    Panel("system", "System"),
    Panel("traceback", "Metrics", (".rw-banner-error .rw-button:visible",)),
)

SETUP: Final = """
import io, math
import numpy as np
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
from runwidgets import Experiment, RunDetails, Workspace

rng = np.random.default_rng(0)
exp = Experiment(Workspace(workspace_name=WORKSPACE), "digits")
run = exp.start_logging(name="mlp baseline", snapshot_directory=None)

def log_everything(points, metrics, children, images, log_lines, name="{}"):
    for i in range(metrics):
        noise = 0.1 * rng.normal(size=points) * np.linspace(1, 0.2, points)
        run.log_list(name.format(("train/loss", "val/loss", "learning rate", "val/accuracy")[i % 4] + "x" * (i // 4)),
                     (2 * np.exp(-np.arange(points) / (points / (3 + i % 4))) + noise + i % 3).tolist())
    run.log_list("with gaps", [3.0, 2.5, math.nan, 2.0, math.inf, 1.5, 1.4, -math.inf, 1.2])
    run.log_table("curves", {c: [math.sin(j / 9 + i) for j in range(60)] for i, c in enumerate("abcdefgh")})
    run.log_list("phase", ["warm-up", "main", "cool-down"])
    run.log("converged", True)
    for unit in ("cpu_percent", "memory_mb", "gpu0_percent"):
        run.log_list(f"system/{unit}", (50 + 30 * np.sin(np.arange(90) / 9)).tolist())
    for i in range(children):
        with run.child_run(name=name.format(f"alpha {10 ** (-3 + 4 * i / max(1, children)):.3g}")) as child:
            child.log("alpha", 10 ** (-3 + 4 * i / max(1, children)))
            child.log("mse", 3000 + 400 * abs(math.sin(i)))
            if i % 7 == 5: child.fail("it did not converge")
    for i in range(images):
        figure, axes = plt.subplots(figsize=(3, 2.4))
        axes.imshow(rng.random((9, 9)))
        run.log_image(name.format("confusion" if i % 2 else "weights"), plot=figure)
        plt.close(figure)
    counts = (100 * np.eye(5) + 9 * rng.random((5, 5))).round().tolist()
    run.log_confusion_matrix(name.format("matrix"), {
        "schema_type": "confusion_matrix", "schema_version": "1.0.0",
        "data": {"class_labels": [name.format(label) for label in "abcde"], "matrix": counts}})
    counts, edges = np.histogram(rng.normal(size=2000), bins=40)
    run.log_residuals("errors", {
        "schema_type": "residuals", "schema_version": "1.0.0",
        "data": {"bin_edges": edges.tolist(), "bin_counts": counts.tolist()}})
    run.set_tags({"model": "mlp", "starred": None, name.format("data"): name.format("digits of 8 by 8")})
    run.add_properties({"layers": "48", "solver": "sgd"})
    run.upload_file("outputs/model.pkl", io.BytesIO(b"x" * 123_456))
    lines = "\\n".join(f"epoch {i}: loss {1 / (i + 1):.4f}" for i in range(log_lines))
    run.upload_file("logs/std_log.txt", io.BytesIO(lines.encode()))
"""
RUNS: Final = {
    "data": "log_everything(400, 6, 12, 4, 60); run.progress(14, 30, unit='epoch')",
    "empty": "",
    "failed": """
log_everything(60, 3, 3, 1, 9)
try:
    with run:
        raise ValueError("the loss is gone: Input X contains NaN.")
except ValueError:
    pass
""",
    "huge": "log_everything(20_000, 60, 300, 30, 5_000, name='a name that is long, <b>bold</b> 🔥 and goes on/{}')",
}
"""What the run has in each of the pictures."""
SHOW: Final = "details = RunDetails(run, refresh_seconds=2)\ndetails.show()"
SAVE: Final = "from pathlib import Path\ndetails.save_html(Path('run.html').resolve())"


def fit(notebook: Notebook, width: int) -> None:
    """Make the page so wide that the display is `width` wide."""
    for _ in range(5):  # what stands around it is narrower in a narrow page
        missing = width - notebook.widget.evaluate("(root) => root.clientWidth")
        if missing == 0:
            return
        size = notebook.page.viewport_size or {"width": 1280, "height": 2400}
        notebook.page.set_viewport_size({"width": size["width"] + missing, "height": size["height"]})
        settle(notebook)


def settle(notebook: Notebook) -> None:
    """Return when the page has been drawn, and has been of one size for some frames."""
    notebook.page.evaluate(
        """() => new Promise((done) => {
            let last = "", same = 0;
            const look = () => {
                const { width, height } = document.querySelector(".runwidgets").getBoundingClientRect();
                const size = `${width} ${height} ${document.querySelectorAll("path.line").length}`;
                same = size === last ? same + 1 : 0;
                last = size;
                same > 30 ? done() : requestAnimationFrame(look);
            };
            look();
        })"""
    )


def take(notebook: Notebook, panel: Panel, file: Path) -> bool:
    """Take one picture; tell whether there was something to take."""
    tab = notebook.tab(panel.tab)
    if not tab.is_visible():
        return False
    tab.click()
    pressed = []
    for selector in panel.press:
        found = notebook.find(selector)
        if not found.count():
            return False
        found.first.click()
        pressed.append(found.first)
    notebook.page.mouse.move(0, 0)
    settle(notebook)
    notebook.widget.screenshot(path=file)
    for _ in pressed:  # as it was, for the next
        notebook.page.keyboard.press("Escape")
    return True


def take_all(browser: Browser, out: Path, only: str) -> list[tuple[str, str, str, int, str]]:
    """Take the pictures; give panel, run, theme, width and file of each."""
    taken = []
    for run, code in RUNS.items():
        for theme, theme_name in THEMES.items():
            if only not in f"{run} {theme}":
                continue
            browser.server.set_theme(theme_name)
            setup = f"WORKSPACE = {f'{run}-{theme}'!r}\n{SETUP}\n{code}"
            notebook = browser.open([setup, SHOW, SAVE], width=1900)
            notebook.run()
            notebook.find(".rw-head .rw-status-word").wait_for()
            for width in WIDTHS:
                fit(notebook, width)
                for panel in PANELS:
                    file = f"{panel.name.replace(' ', '-')}-{run}-{theme}-{width}.png"
                    try:
                        if take(notebook, panel, out / file):
                            taken.append((panel.name, run, theme, width, file))
                    except PlaywrightError as error:  # the others are worth having
                        print(f"{file}: {error}")  # noqa: T201
            for problem in notebook.all_problems():
                print(f"{run}, {theme}: {problem}")  # noqa: T201
            notebook.close()
            taken += take_page(browser, out, run, theme)
            print(f"{run}, {theme}: {len(taken)} pictures so far", flush=True)  # noqa: T201
    return taken


def take_page(browser: Browser, out: Path, run: str, theme: str) -> list[tuple[str, str, str, int, str]]:
    """Take pictures of the page that `RunDetails.save_html` wrote last."""
    page_file = shutil.move(browser.server.notebooks / "run.html", out / f"saved-page-{run}.html")
    taken = []
    for width in WIDTHS:
        context = browser.context(color_scheme=theme, viewport={"width": width, "height": 900})
        page = context.new_page()
        page.goto(page_file.as_uri())
        file = f"saved-page-{run}-{theme}-{width}.png"
        height = min(4000, page.evaluate("() => document.documentElement.scrollHeight"))
        page.screenshot(path=out / file, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
        context.close()
        taken.append(("saved page", run, theme, width, file))
    return taken


def index(taken: list[tuple[str, str, str, int, str]]) -> str:
    """Give a page with all pictures: a section a panel, a row a run and theme, narrow to wide."""
    panels = dict.fromkeys(panel for panel, *_ in taken)
    links = "".join(f"<a href='#{escape(name)}'>{escape(name)}</a>" for name in panels)
    parts = [
        "<!DOCTYPE html><meta charset='utf-8'><title>Pictures of runwidgets</title><style>",
        "body{font:14px system-ui;margin:20px;background:#888;color:#111}a{color:inherit}",
        "nav{position:sticky;top:0;padding:8px;background:#ddd}nav a{margin-right:14px}",
        "section div{display:flex;gap:12px;align-items:flex-start;margin:8px 0 24px;overflow-x:auto}",
        "img{display:block;height:420px;max-width:none;object-fit:contain;object-position:top}h3{margin:4px 0}</style>",
        f"<nav>{links}</nav>",
    ]
    for panel in panels:
        parts.append(f"<section id='{escape(panel)}'><h2>{escape(panel)}</h2>")
        for run, theme in dict.fromkeys((run, theme) for name, run, theme, *_ in taken if name == panel):
            parts.append(f"<h3>{escape(run)}, {theme}</h3><div>")
            parts += [
                f"<a href='{escape(file)}' title='{width} px'><img loading='lazy' src='{escape(file)}' alt=''></a>"
                for name, of, by, width, file in taken
                if (name, of, by) == (panel, run, theme)
            ]
            parts.append("</div>")
        parts.append("</section>")
    return "".join(parts)


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("pictures"))
    parser.add_argument("--only", default="", help="of runs and themes, as 'huge' or 'data dark'")
    parser.add_argument("--chromium", type=Path, default=Path(shutil.which("chromium") or "chromium"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    out = arguments.out.resolve()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            server.wait()
            with Browser(server, arguments.chromium) as browser:
                taken = take_all(browser, out, arguments.only)
        finally:
            server.close()
    (out / "index.html").write_text(index(taken), encoding="utf-8")
    print(f"{len(taken)} pictures: {out / 'index.html'}")  # noqa: T201


if __name__ == "__main__":
    main()
