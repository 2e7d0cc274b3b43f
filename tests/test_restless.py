"""Outputs that change again and again are kept while the script goes on, where they are whole."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from runwidgets.outputs import Outputs
from runwidgets.restless import ChangedError, Whole, files_open_to_write
from runwidgets.store.files import FileRoot
from runwidgets.store.sources import stamp_of
from tests.submissions import (
    ended,
    project,  # noqa: F401 (a fixture)
    start,  # noqa: F401 (a fixture)
    wait_until,
)

pytestmark = pytest.mark.skipif(files_open_to_write() is None, reason="nobody knows here which files are open")
HOUR = 3600.0


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "outputs").mkdir()
    return tmp_path / "outputs"


@pytest.fixture
def collect(folder, tmp_path):
    """Look at the outputs, of which none has rested for long enough."""
    files = FileRoot(tmp_path / "files")
    outputs = Outputs({"outputs": folder}, restless_seconds=0)

    def collect(settled_seconds=HOUR):
        return {
            name: files.path("run", name).read_bytes()
            for name, _ in outputs.collect(files, "run", settled_seconds=settled_seconds)
        }

    return collect


def test_a_file_that_nobody_writes_is_kept_though_it_has_just_changed_and_again_when_it_changes(folder, collect):
    (folder / "table.csv").write_bytes(b"one")
    assert collect() == {"outputs/table.csv": b"one"}
    (folder / "table.csv").write_bytes(b"two")
    assert collect() == {"outputs/table.csv": b"two"}
    before = (folder / "table.csv").stat()
    (folder / "table.csv").write_bytes(b"six")
    os.utime(folder / "table.csv", ns=(before.st_atime_ns, before.st_mtime_ns))  # as of a coarse clock
    assert collect(0) == {"outputs/table.csv": b"six"}


def test_a_file_that_is_still_being_written_is_not_taken_whoever_writes_it(folder, collect):
    with (folder / "mine").open("wb") as mine:
        mine.write(b"half")
        mine.flush()
        code = "import sys; f = open(sys.argv[1], 'ab', 0); f.write(b'half'); print(flush=True); input(); f.close()"
        with subprocess.Popen(
            [sys.executable, "-c", code, folder / "theirs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            process.stdout.readline()
            (folder / "whole").write_bytes(b"whole")
            assert collect() == {"outputs/whole": b"whole"}
            process.communicate(b"\n")
        assert collect().keys() == {"outputs/theirs", "outputs/whole"}
        with (folder / "theirs").open("rb"):  # to read is not to write
            assert "outputs/theirs" in collect()
    assert "outputs/mine" in collect()


def test_a_copy_of_a_file_that_changes_meanwhile_is_none_and_what_was_kept_stays(folder, tmp_path):
    files, path = FileRoot(tmp_path / "files"), folder / "model"
    path.write_bytes(b"x" * 2**21)
    files.save("run", "model", path)
    source = Whole(path, stamp_of(path.stat()))
    assert source.read(10) == b"x" * 10
    path.write_bytes(b"y" * 2**21)
    with source, pytest.raises(ChangedError):
        files.save("run", "model", source)
    assert files.path("run", "model").read_bytes() == b"x" * 2**21
    replaced = Whole(path, stamp_of(path.stat()))
    (folder / "new").write_bytes(b"z" * 2**21)
    (folder / "new").replace(path)
    with replaced, pytest.raises(ChangedError):
        files.save("run", "model", replaced)


def test_it_waits_before_it_is_kept_and_after(folder, tmp_path):
    files = FileRoot(tmp_path / "files")
    outputs = Outputs({"outputs": folder}, restless_seconds=HOUR)
    (folder / "table.csv").write_bytes(b"one")
    assert list(outputs.collect(files, "run", settled_seconds=HOUR)) == []
    assert list(outputs.collect(files, "run")) == [("outputs/table.csv", 3)]


def test_a_script_s_checkpoint_that_never_rests_is_kept_while_it_runs_and_a_file_held_open_is_not(
    start,  # noqa: F811
    tmp_path,
):
    run = start(
        """
        import os, sys, time
        held = open("outputs/held.txt", "w")
        n = 0
        while not os.path.exists(sys.argv[1]):
            n += 1
            with open("outputs/checkpoint", "wb") as file:
                for part in range(10):
                    file.write(b"%08d" % n * 1000)
            held.write(f"{n}\\n")
            held.flush()
            time.sleep(0.7)
        """,
        str(tmp_path / "go"),
    )
    wait_until(lambda: "outputs/checkpoint" in run.get_file_names(), "the checkpoint")
    kept = run.experiment.workspace._files.path(run.id, "outputs/checkpoint").read_bytes()
    assert len(kept) == 80_000
    assert kept == kept[:8] * 10_000
    assert "outputs/held.txt" not in run.get_file_names()
    (tmp_path / "go").touch()
    assert ended(run) == "Completed"
    last = run.experiment.workspace._files.path(run.id, "outputs/held.txt").read_text().split()[-1]
    assert int(run.experiment.workspace._files.path(run.id, "outputs/checkpoint").read_bytes()[:8]) == int(last)
