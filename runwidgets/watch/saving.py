"""Writing a run as a page: what is read for it, and the file, which appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from runwidgets.errors import ArgumentTypeError, NotFoundError, StoreError, UserError
from runwidgets.images import HEAD_BYTES, image_type, is_whole
from runwidgets.records import RunStatus
from runwidgets.watch.evaluation import evaluation_state
from runwidgets.watch.feed import Feed
from runwidgets.watch.logs import Logs
from runwidgets.watch.report import MAX_IMAGE_BYTES, MAX_IMAGES, MAX_LOG_TEXT, Contents, Image, report_html
from runwidgets.watch.screen import shown
from runwidgets.watch.scrubbing import Scrubber, secret_values
from runwidgets.watch.sheets import Sheets
from runwidgets.watch.wire import DEFAULT_CONTROLS

if TYPE_CHECKING:
    from datetime import tzinfo

    from runwidgets.run import Run
    from runwidgets.store.files import FileRoot
    from runwidgets.watch.evaluation import Figure
    from runwidgets.watch.view import RunView
    from runwidgets.watch.wire import MetricsControls


def save_html(
    run: Run,
    path: str | os.PathLike[str],
    known: RunView | None = None,
    controls: MetricsControls = DEFAULT_CONTROLS,
    zone: tzinfo | None = None,
) -> str:
    """Write a run as one page with no scripts, to be sent to somebody; give the path.

    Parameters
    ----------
    run
        The run, as it is now.
    path
        The file; one that is there is replaced.
    known
        What was seen of the run before. It is shown where the store does not answer, and where nothing can have changed
        since; else the run is read anew.
    controls
        What lies along the axes of charts.
    zone
        Of the clock by which times are written; by default this process's.

    Raises
    ------
    UserError
        If the file cannot be written.
    StoreError
        If the store does not answer, and nothing is known of the run.
    """
    target = _target(path)
    view = _seen(run, known)
    files = run.experiment.workspace._files
    logs = Logs(files, run.id)
    logs.find(view.files)
    images, total = _images(files, run.id, view)
    log = logs.last(MAX_LOG_TEXT)
    lines = shown(log[0].decode("utf-8", "replace")).lines if log else []
    contents = Contents(images, total, lines, controls, _figures(files, run.id, view), _scrubber(run), zone)
    _write(target, report_html(view, time.time(), contents).encode("utf-8", "replace"))
    return str(path)


def _seen(run: Run, known: RunView | None) -> RunView:
    if known is not None and known.status.is_final:
        return known
    feed = Feed(run._recorder, run.id)
    try:
        feed.step()
        if feed.view.status is RunStatus.NOT_RESPONDING:
            feed.step()  # its end may be recorded by now
    except StoreError:
        if feed.view.record is None and (known is None or known.record is None):
            raise
    return feed.view if feed.view.record is not None or known is None else known


def _images(files: FileRoot, run_id: str, view: RunView) -> tuple[list[Image], int]:
    """Read the newest images, and tell how many there are."""
    logged = sorted(
        (
            (at, metric.name, place if len(metric.images) > 1 else 0, path)
            for metric in view.metrics.values()
            for place, (at, path) in enumerate(metric.images, 1)
        ),
        reverse=True,
    )
    newest = logged[:MAX_IMAGES]
    images = [_image(files, run_id, path, Image(name, place or None, at)) for at, name, place, path in newest]
    return images, len(logged)


def _image(files: FileRoot, run_id: str, path: str, empty: Image) -> Image:
    try:
        file = files.path(run_id, path)
        if file.stat().st_size > MAX_IMAGE_BYTES:
            return empty._replace(note=f"larger than {MAX_IMAGE_BYTES // 2**20} MB")
        data = file.read_bytes()
    except (NotFoundError, UserError, OSError):
        return empty._replace(note="the file is not there")
    media_type = image_type(data[:HEAD_BYTES])
    if media_type is None or not is_whole(data, media_type):
        return empty._replace(note="not a whole PNG, JPEG, GIF, WebP or BMP image")
    return empty._replace(mime=media_type, data=data)


def _figures(files: FileRoot, run_id: str, view: RunView) -> list[tuple[str, Figure]]:
    """Give what the latest documents of each metric are drawn as."""
    sheets = Sheets(files, run_id)
    sheets.know(view)
    return [
        (document["name"], sheets.figure(document["logged"][-1]["path"])[0])
        for document in evaluation_state(view)["documents"]
    ]


def _scrubber(run: Run) -> Scrubber:
    folders = {str(Path.home()): "~", str(run.experiment.workspace._folder): "…"}
    with contextlib.suppress(OSError):  # it may be gone
        folders[str(Path.cwd())] = "."
    return Scrubber(folders, secret_values(os.environ))


def _target(path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise ArgumentTypeError(f"the file is {path!r}: give its path")
    target = Path(os.fsdecode(path)).expanduser()
    if not str(path) or target.is_dir():
        raise UserError(f"{str(path)!r} is a folder: name a file in it, such as {str(target / 'run.html')!r}")
    if not target.parent.is_dir():
        raise UserError(f"there is no folder {str(target.parent)!r} to write {target.name} into: make it first")
    return target


def _write(target: Path, content: bytes) -> None:
    scratch = None
    try:
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError("it may not be overwritten")
        handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=".incoming-")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        umask = os.umask(0)
        os.umask(umask)
        Path(scratch).chmod(0o666 & ~umask)  # as any new file
        Path(scratch).replace(target)
    except OSError as error:
        raise UserError(f"{str(target)!r} cannot be written: {error.strerror or error}") from error
    finally:
        if scratch is not None:
            Path(scratch).unlink(missing_ok=True)
