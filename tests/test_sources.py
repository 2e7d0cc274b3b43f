"""Which files of a folder a snapshot takes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from runwidgets.errors import NotFoundError, SnapshotError
from runwidgets.store import sources
from runwidgets.store.sources import Limits, source_of


@pytest.fixture
def make(tmp_path):
    """Make files with the given contents in a folder; give the folder."""
    folder = tmp_path / "project"
    folder.mkdir()

    def make(files):
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return folder

    return make


def names(folder, **options):
    return [file.name for file in source_of(folder, **options).files]


def test_all_files_at_every_depth_are_taken_in_order_of_their_names(make):
    folder = make({"train.py": "", "src/model.py": "", "src/deep/er.py": "", ".hidden": ""})
    assert names(folder) == [".hidden", "src/deep/er.py", "src/model.py", "train.py"]


def test_an_amlignore_counts_and_no_gitignore_below_it(make):
    folder = make(
        {
            ".amlignore": "*.csv\n",
            ".gitignore": "*.py\n",
            "a.py": "",
            "a.csv": "",
            "sub/.gitignore": "*\n",
            "sub/b.py": "",
        }
    )
    assert names(folder) == [".amlignore", ".gitignore", "a.py", "sub/.gitignore", "sub/b.py"]


def test_without_an_amlignore_the_gitignore_of_each_folder_counts_and_the_deeper_one_decides(make):
    folder = make(
        {
            ".gitignore": "*.log\n/data/\n# comment\nbuild\n",
            "a.log": "", "data/x": "", "sub/data/x": "", "sub/build/y": "",
            "sub/.gitignore": "!keep.log\n", "sub/keep.log": "", "sub/other.log": "",
        }
    )  # fmt: skip
    assert names(folder) == [".gitignore", "sub/.gitignore", "sub/data/x", "sub/keep.log"]


def test_an_amlignore_in_a_folder_below_takes_the_place_of_the_gitignore_above(make):
    folder = make({".gitignore": "*.csv\n", "a.csv": "", "sub/.amlignore": "*.py\n", "sub/b.csv": "", "sub/b.py": ""})
    assert names(folder) == [".gitignore", "sub/.amlignore", "sub/b.csv"]


def test_a_line_that_is_no_pattern_is_passed_over_and_a_changed_ignore_file_counts_at_once(make):
    folder = make({".gitignore": "\\\n!\n*.csv\n", "a.csv": "", "b.py": ""})
    assert names(folder) == [".gitignore", "b.py"]
    make({".gitignore": "*.py\n"})
    assert names(folder) == [".gitignore", "a.csv"]


def test_git_caches_checkpoints_environments_and_what_is_named_are_never_taken(make, tmp_path):
    folder = make(
        {
            ".git/config": "", "__pycache__/a.pyc": "", "sub/__pycache__/b.pyc": "", ".ipynb_checkpoints/n.ipynb": "",
            ".venv/x": "", "env/pyvenv.cfg": "", "env/lib/site.py": "", "conda/conda-meta/x": "",
            "outputs/model.pkl": "", "sub/outputs/code.py": "", "home/runs.sqlite": "", "a.py": "",
        }
    )  # fmt: skip
    assert names(folder, without=[folder / "outputs", folder / "home"]) == ["a.py", "sub/outputs/code.py"]
    assert names(folder / "home", without=[folder / "home"]) == []


def test_a_folder_that_is_itself_an_environment_is_taken_all_the_same(make):
    assert names(make({"pyvenv.cfg": "", "train.py": ""})) == ["pyvenv.cfg", "train.py"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such files")
def test_links_that_lead_out_and_what_is_no_file_are_left_out(make, tmp_path):
    (tmp_path / "secret").write_text("s")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("s")
    folder = make({"a.py": "code", "sub/b.py": "", ".git/config": "token"})
    (folder / "out").symlink_to(tmp_path / "secret")
    (folder / "folder-out").symlink_to(tmp_path / "elsewhere")
    (folder / "round").symlink_to(folder)
    (folder / "nowhere").symlink_to(tmp_path / "missing")
    (folder / "token").symlink_to(folder / ".git" / "config")
    (folder / "sub" / "in").symlink_to("../a.py")
    os.mkfifo(folder / "pipe")
    found = source_of(folder).files
    assert [file.name for file in found] == ["a.py", "sub/b.py", "sub/in"]
    assert Path(found[2].path) == folder / "a.py"


def test_one_file_is_a_source_and_nothing_is_not(make):
    folder = make({"a.py": "x"})
    assert names(folder / "a.py") == ["a.py"]
    with pytest.raises(SnapshotError, match="it has 1 bytes, more than the 0 bytes"):
        source_of(folder / "a.py", limits=Limits(bytes=0))
    with pytest.raises(NotFoundError, match="no file or folder"):
        source_of(folder / "missing")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_named(make):
    folder = make({"a.py": "", "closed/b.py": ""})
    (folder / "closed").chmod(0)
    try:
        found = source_of(folder)
    finally:
        (folder / "closed").chmod(0o700)
    assert ([file.name for file in found.files], found.unreadable) == (["a.py"], ["closed/"])


# ---- too much


def test_too_many_files_are_refused_and_the_biggest_are_named_with_what_to_do(make):
    folder = make({f"data/{n}": "x" for n in range(30)} | {f"more/{n}": "x" for n in range(10)} | {"a.py": ""})
    assert len(names(folder, limits=Limits(41, 1000))) == 41
    with pytest.raises(SnapshotError) as caught:
        source_of(folder, limits=Limits(40, 1000))
    message = str(caught.value)
    assert "it has 41 files, 40 bytes, more than the 40 files or 1000 bytes" in message
    assert "Biggest: data/ (30 files, 30 bytes), more/ (10 files, 10 bytes), a.py (1 file, 0 bytes)" in message
    assert ".amlignore" in message
    make({".amlignore": "/data/\n"})
    assert len(names(folder, limits=Limits(40, 1000))) == 12


def test_too_many_bytes_are_refused_by_their_sizes_alone(make):
    folder = make({"a.py": "x", "sub/b.py": "x"})
    with (folder / "model.pt").open("wb") as file:
        file.truncate(400 * 2**20)
    with pytest.raises(SnapshotError, match=r"Biggest: model.pt \(1 file, 400 MB\), "):
        source_of(folder, limits=Limits())


def test_a_look_at_a_folder_without_end_is_short(make, monkeypatch):
    # A home folder has millions of entries; here a few thousand take the part, and the bounds are made as small.
    folder = make({f"{n}/{m}": "" for n in range(40) for m in range(50)})
    monkeypatch.setattr(sources, "_LOOK_ENTRIES", 100)
    monkeypatch.setattr(sources, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(sources, "_REST_SECONDS", 0.0)
    seen = []
    real = sources._Look._take
    monkeypatch.setattr(sources._Look, "_take", lambda look, *entry: (seen.append(entry), real(look, *entry)))
    with pytest.raises(SnapshotError, match="cannot be looked through within a second"):
        source_of(folder, limits=Limits())
    assert len(seen) <= 102
    seen.clear()
    with pytest.raises(SnapshotError, match="it has at least 50 files"):
        source_of(folder, limits=Limits(files=10))
    assert len(seen) <= 102
    assert len(names(folder)) == 2000, "without limits all is looked at"


def test_a_slow_disk_alone_does_not_make_a_folder_too_big(make, monkeypatch):
    monkeypatch.setattr(sources, "_LOOK_SECONDS", -1.0)
    begin = time.monotonic()
    assert names(make({"a.py": ""}), limits=Limits()) == ["a.py"]
    assert begin
