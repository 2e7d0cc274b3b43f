"""What a run left, over plain HTTP: a file, a folder as a zip, the snapshot, metrics."""

from __future__ import annotations

import asyncio
import io
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from tornado import web

from runwidgets.portal.handling import PortalHandler, run_at
from runwidgets.portal.streams import FileHandler, attachment, stream
from runwidgets.store.files import checked_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from runwidgets.run import Run
_TYPES: Final = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


class RunFileHandler(FileHandler):
    """A file of a run."""

    def find(self, path: str) -> Path:  # noqa: ARG002 (it is decoded already)
        """Find it among the run's."""
        # As it was sent: a slash in a name is no boundary. Each part is decoded once.
        sent = self.request.path.removeprefix(f"{self.base}/w/").split("/", 4)
        workspace, _, run_id, _, name = map(unquote, sent)
        run = run_at(workspace, run_id)
        return run.experiment.workspace._files.path(run.id, name)


class FolderHandler(PortalHandler):
    """Files of a run as one zip archive."""

    @web.authenticated
    async def get(self, workspace: str, run_id: str) -> None:
        """Give the files below ``prefix``, or all."""
        loop = asyncio.get_running_loop()
        prefix = self.get_query_argument("prefix", "")
        run = await loop.run_in_executor(None, run_at, workspace, run_id)
        names = await loop.run_in_executor(None, _below, run, prefix)
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", attachment(f"{prefix.strip('/').replace('/', '_') or run.id}.zip"))
        await stream(self, lambda out: _zip(run, names, out))


def _below(run: Run, prefix: str) -> list[str]:
    folder = f"{checked_name(prefix)}/" if prefix.strip("/") else ""
    return [name for name in run.get_file_names() if name.startswith(folder)]


def _zip(run: Run, names: list[str], out: io.BufferedWriter) -> None:
    files = run.experiment.workspace._files
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in names:
            archive.write(files.path(run.id, name), name)


class SnapshotHandler(PortalHandler):
    """The files that a run was started from."""

    @web.authenticated
    async def get(self, workspace: str, run_id: str) -> None:
        """Give them as a zip archive."""
        loop = asyncio.get_running_loop()
        run = await loop.run_in_executor(None, run_at, workspace, run_id)
        with tempfile.TemporaryDirectory(prefix="runwidgets-") as folder:
            made = await loop.run_in_executor(None, run.restore_snapshot, None, folder)
            self.set_header("Content-Type", "application/zip")
            self.set_header("Content-Disposition", attachment(f"{run.id}-snapshot.zip"))
            await stream(self, lambda out: _copy(Path(made), out))


class MetricsFileHandler(PortalHandler):
    """The metrics of a run as a file."""

    @web.authenticated
    async def get(self, workspace: str, run_id: str, form: str) -> None:
        """Give all of them, or the one of ``name``."""
        loop = asyncio.get_running_loop()
        name = self.get_query_argument("name", None)
        run = await loop.run_in_executor(None, run_at, workspace, run_id)
        metrics = await loop.run_in_executor(None, run._whole, name)
        self.set_header("Content-Type", _TYPES[form])
        self.set_header("Content-Disposition", attachment(f"{run.id}.{form}"))
        if form == "csv":
            from runwidgets.exports import write_csv

            await stream(self, lambda out: _as_text(lambda text: write_csv(metrics, text), out))
            return
        from runwidgets.exports import write_parquet

        with tempfile.TemporaryDirectory(prefix="runwidgets-") as folder:
            made = Path(folder) / "metrics.parquet"
            await loop.run_in_executor(None, write_parquet, metrics, made)
            await stream(self, lambda out: _copy(made, out))


def _as_text(write: Callable[[io.TextIOWrapper], None], out: io.BufferedWriter) -> None:
    text = io.TextIOWrapper(out, "utf-8", newline="\n")
    write(text)
    text.flush()
    text.detach()


def _copy(file: Path, out: io.BufferedWriter) -> None:
    with file.open("rb") as source:
        shutil.copyfileobj(source, out, 2**18)
