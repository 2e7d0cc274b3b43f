"""Two examples to watch: ``python -m runwidgets.demo``.

A neural network learns to read handwritten digits, then a sweep looks for the best ridge regression of the diabetes
data. Both are real trainings on data that scikit-learn brings, recorded in the workspace ``demo`` and shown live in the
terminal. At a desk, JupyterLab then opens with the quickstart notebook.

The functions `train_digits` and `sweep_ridge` show how training code logs to a run.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import shlex
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import RunwidgetsError
from runwidgets.experiment import Experiment
from runwidgets.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from runwidgets.run import Run

NOTEBOOK: Final = Path(__file__).parent.parent / "notebooks" / "quickstart.ipynb"
_NEEDED: Final = ("rich", "sklearn", "matplotlib", "jupyterlab")
_INTERRUPTED: Final = 130


def train_digits(run: Run, epochs: int = 30, pause_seconds: float = 0.3) -> None:
    """Train a small neural network to read handwritten digits, and log how it learns."""
    import joblib
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.metrics import accuracy_score, log_loss
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    images, digits = load_digits(return_X_y=True)
    x_train, x_val, y_train, y_val = train_test_split(images, digits, test_size=0.25, stratify=digits, random_state=0)
    scaler = StandardScaler().fit(x_train)
    x_train, x_val = scaler.transform(x_train), scaler.transform(x_val)

    # With warm_start each fit goes on from the weights of the one before, and max_iter=1 makes it one epoch.
    model = MLPClassifier(
        (48,), solver="sgd", batch_size=64, max_iter=1, warm_start=True, shuffle=False, random_state=0
    )
    shuffler = np.random.default_rng(0)

    for epoch in range(1, epochs + 1):
        rate = 0.01 * (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2
        order = shuffler.permutation(len(x_train))
        model.set_params(learning_rate_init=rate).fit(x_train[order], y_train[order])

        run.log("learning rate", rate, step=epoch)
        for part, x, y in (("train", x_train, y_train), ("val", x_val, y_val)):
            run.log(f"{part}/loss", log_loss(y, model.predict_proba(x)), step=epoch)
            run.log(f"{part}/accuracy", accuracy_score(y, model.predict(x)), step=epoch)
        if epoch % 10 == 0 or epoch == epochs:
            run.log_image("confusion", plot=draw_confusion(y_val, model.predict(x_val), f"epoch {epoch}"))
        run.progress(epoch, epochs, unit="epoch")
        time.sleep(pause_seconds)  # an epoch takes some hundredths of a second: leave time to watch

    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    run.upload_file("outputs/model.joblib", file)


def draw_confusion(truth: Any, predicted: Any, title: str) -> Figure:
    """Draw which digit was taken for which, as a matplotlib figure."""
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    figure = Figure(figsize=(5, 5), layout="tight")
    axes = figure.subplots()
    ConfusionMatrixDisplay.from_predictions(truth, predicted, ax=axes, colorbar=False, cmap="Blues")
    axes.set_title(title)
    return figure


def sweep_ridge(run: Run, count: int = 20, pause_seconds: float = 0.2) -> None:
    """Fit a ridge regression for each of several strengths of regularisation, each as a child run."""
    import numpy as np
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import Ridge
    from sklearn.metrics import mean_squared_error, r2_score
    from sklearn.model_selection import train_test_split

    features, target = load_diabetes(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(features, target, test_size=0.2, random_state=0)

    for done, alpha in enumerate(np.logspace(-3, 0.5, count), start=1):
        with run.child_run(name=f"alpha {alpha:.3g}") as child:
            predicted = Ridge(alpha=alpha).fit(x_train, y_train).predict(x_test)
            mse = mean_squared_error(y_test, predicted)
            child.log("alpha", alpha)
            child.log("mse", mse)
            child.log("r2", r2_score(y_test, predicted))
        run.log_row("error over alpha", alpha=alpha, mse=mse)
        run.progress(done, count, unit="alpha")
        time.sleep(pause_seconds)  # a ridge regression is done in a millisecond: leave time to watch


# ---- the program


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo.

    Parameters
    ----------
    argv
        Arguments; by default those of the command line.

    Returns
    -------
    int
        The exit code: 0, JupyterLab's own, 2 if something is missing, 130 after Ctrl-C.
    """
    options = _parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a pipe of Windows may know no "●"
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        print(f'the demo needs {", ".join(missing)}: pip install "runwidgets[demo]"', file=sys.stderr)
        return 2
    try:
        workspace = Workspace(workspace_name=options.workspace)
        _train(workspace, is_fast=options.fast)
    except RunwidgetsError as error:
        print(f"the demo cannot go on: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted: the run that was going on is recorded as Failed", file=sys.stderr)
        return _INTERRUPTED
    can_open = sys.stdout.isatty() and _has_display() and NOTEBOOK.is_file()
    _say_what_next(options.workspace, opens_lab=can_open and not options.no_lab)
    return _open_lab() if can_open and not options.no_lab else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m runwidgets.demo", description="Train two small models and watch them, live, in this terminal."
    )
    parser.add_argument("--no-lab", action="store_true", help="do not open JupyterLab afterwards")
    parser.add_argument("--fast", action="store_true", help="train less, and leave no time to watch")
    parser.add_argument("--workspace", default="demo", metavar="NAME", help="where to record the runs (default: demo)")
    return parser


def _train(workspace: Workspace, *, is_fast: bool) -> None:
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    from runwidgets.terminal import LiveView

    digits = Experiment(workspace, "digits")
    # The folder that somebody happens to be in is none of the demo's business.
    run = digits.start_logging(
        name="small network",
        outputs=False,
        snapshot_directory=None,
        tags={"model": "MLPClassifier", "data": "digits"},
    )
    with LiveView(run), run, warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch at a time never converges
        train_digits(run, *((3, 0.0) if is_fast else ()))
    print()
    diabetes = Experiment(workspace, "diabetes")
    run = diabetes.start_logging(
        name="alpha sweep", outputs=False, snapshot_directory=None, tags={"model": "Ridge", "data": "diabetes"}
    )
    with LiveView(run), run:
        sweep_ridge(run, *((4, 0.0) if is_fast else ()))
    print()


def _has_display() -> bool:
    """Tell whether a browser can be shown here."""
    return sys.platform in {"win32", "darwin"} or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))


def _lab_command() -> list[str]:
    return [_short(sys.executable), "-m", "jupyterlab", _short(NOTEBOOK)]


def _short(path: str | Path) -> str:
    """Give a path as it is written in the current folder, if it leads into it."""
    here = Path.cwd()
    return str(Path(path).relative_to(here) if Path(path).is_relative_to(here) else path)


def _say_what_next(workspace: str, *, opens_lab: bool) -> None:
    print("The runs are kept. To see one again, from Python or in a notebook:\n")
    print("    from runwidgets import Experiment, RunDetails, Workspace")
    print(f'    experiment = Experiment(Workspace(workspace_name="{workspace}"), "digits")')
    print("    RunDetails(next(experiment.get_runs())).show()\n")
    if opens_lab:
        print("JupyterLab opens with the quickstart notebook. Ctrl-C here ends it.\n", flush=True)
    elif NOTEBOOK.is_file():
        print("To watch a run live in a notebook, open the quickstart:\n")
        print(f"    {_command_line(_lab_command())}\n")
    else:
        print("The quickstart notebook is in the source archive, in the folder notebooks; this fetches it:\n")
        print("    pip download --no-deps --no-binary runwidgets runwidgets\n")


def _command_line(command: list[str]) -> str:
    return subprocess.list2cmdline(command) if sys.platform == "win32" else shlex.join(command)


def _open_lab() -> int:
    """Start JupyterLab, wait until it ends, and give its exit code."""
    was_interrupted = False
    with subprocess.Popen(_lab_command()) as lab:  # noqa: S603 (our own command)
        while True:
            try:
                code = lab.wait()
            except KeyboardInterrupt:  # JupyterLab got it too, and may ask whether to end
                was_interrupted = True
            else:
                return 0 if was_interrupted else code


if __name__ == "__main__":
    sys.exit(main())
