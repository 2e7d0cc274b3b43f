"""Snapshots: what was in a folder comes back, and is kept once."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from runwidgets.errors import NotFoundError, SnapshotError
from runwidgets.store import snapshots
from runwidgets.store.snapshots import SnapshotStore
from runwidgets.store.sources import Limits


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "train.py").write_text("train()")
    (folder / "src" / "a.py").write_text("a")
    (folder / "src" / "b.py").write_text("a")
    (folder / "run.sh").write_text("#!/bin/sh")
    (folder / "run.sh").chmod(0o755)
    return folder


@pytest.fixture
def root(tmp_path):
    return tmp_path / "snapshots"


@pytest.fixture
def store(root):
    return SnapshotStore(root)


def kept(root):
    """List what lies in the store, by digest."""
    return sorted(path.relative_to(root).as_posix().replace("/", "") for path in root.rglob("*") if path.is_file())


def settle(folder):
    """Make files old, as files are that were not written just now."""
    for path in folder.rglob("*"):
        os.utime(path, (1e9, 1e9))


def reads(monkeypatch):
    """Note what is read."""
    seen = []
    real = snapshots._open
    monkeypatch.setattr(snapshots, "_open", lambda path: (seen.append(Path(path).name), real(path))[1])
    return seen


def test_contents_lie_once_each_by_their_sha256_and_cannot_be_changed(folder, store, root):
    snapshot = store.take(folder)
    digests = {hashlib.sha256(text).hexdigest() for text in (b"train()", b"a", b"#!/bin/sh")}
    assert kept(root) == sorted(digests | {snapshot.id})
    assert hashlib.sha256(store.path(snapshot.id).read_bytes()).hexdigest() == snapshot.id
    assert all(stat.S_IMODE(store.path(digest).stat().st_mode) == 0o400 for digest in kept(root))
    assert (snapshot.file_count, snapshot.unreadable) == (4, ())


def test_a_fresh_copy_has_the_same_files_may_be_changed_and_leaves_the_snapshot_as_it_was(folder, store, tmp_path):
    snapshot = store.take(folder)
    copy = tmp_path / "copy"
    for _ in range(2):
        store.restore(snapshot.id, copy)
        found = {path.relative_to(copy).as_posix(): path.read_text() for path in copy.rglob("*") if path.is_file()}
        assert found == {"run.sh": "#!/bin/sh", "src/a.py": "a", "src/b.py": "a", "train.py": "train()"}
        assert os.access(copy / "run.sh", os.X_OK)
        assert not os.access(copy / "train.py", os.X_OK)
        (copy / "src" / "a.py").write_text("changed")
    assert store.take(folder).id == snapshot.id


def test_an_archive_has_the_same_files_and_equal_snapshots_give_equal_archives(folder, store, tmp_path):
    snapshot = store.take(folder)
    path = store.write_zip(snapshot.id, tmp_path / "one")
    assert path == tmp_path / "one" / f"{snapshot.id}.zip"
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "run.sh": b"#!/bin/sh", "src/a.py": b"a", "src/b.py": b"a", "train.py": b"train()",
        }  # fmt: skip
    assert store.write_zip(snapshot.id, tmp_path / "two").read_bytes() == path.read_bytes()
    assert [entry.name for entry in (tmp_path / "one").iterdir()] == [path.name]


def test_a_change_of_any_kind_makes_another_snapshot_and_keeps_what_is_new_alone(folder, store, root):
    ids = [store.take(folder).id]
    before = len(kept(root))
    (folder / "src" / "a.py").write_text("b")  # of the same size, and perhaps within the same tick
    ids.append(store.take(folder).id)
    assert len(kept(root)) == before + 2
    (folder / "train.py").chmod(0o755)
    ids.append(store.take(folder).id)
    (folder / "src" / "a.py").rename(folder / "src" / "c.py")
    ids.append(store.take(folder).id)
    (folder / "src" / "c.py").unlink()
    ids.append(store.take(folder).id)
    assert len(set(ids)) == 5
    assert [file.name for file in store.files(ids[0])] == ["run.sh", "src/a.py", "src/b.py", "train.py"]


def test_a_second_look_at_an_unchanged_folder_reads_nothing_and_a_changed_file_alone(folder, store, monkeypatch):
    settle(folder)
    first = store.take(folder)
    seen = reads(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(store, "keep", lambda _: pytest.fail("the manifest was made anew"))
        assert store.take(folder) == first
    assert seen == []
    (folder / "train.py").write_text("changed")
    assert store.take(folder).id != first.id
    assert seen == ["train.py"]


def test_a_change_that_neither_size_nor_time_tell_is_seen_in_a_file_that_is_still_fresh(folder, store):
    first = store.take(folder)
    found = (folder / "train.py").stat()
    (folder / "train.py").write_text("TRAIN()")
    os.utime(folder / "train.py", ns=(found.st_atime_ns, found.st_mtime_ns))
    assert store.take(folder).id != first.id


def test_what_was_deleted_from_the_store_is_kept_anew(folder, store, root):
    settle(folder)
    first = store.take(folder)
    for digest in kept(root):
        store.path(digest).unlink()
    assert store.take(folder) == first
    assert len(kept(root)) == 4


def test_a_torn_content_is_replaced(folder, store):
    digest = store.files(store.take(folder).id)[0].sha256
    store.path(digest).chmod(0o600)
    store.path(digest).write_bytes(b"#!")
    SnapshotStore(store._root).take(folder)
    assert store.path(digest).read_bytes() == b"#!/bin/sh"


def test_a_file_that_is_gone_or_replaced_by_a_pipe_meanwhile_breaks_nothing(folder, store, monkeypatch):
    real = snapshots.source_of

    def look(*arguments, **options):
        found = real(*arguments, **options)
        (folder / "src" / "a.py").unlink()
        (folder / "train.py").unlink()
        os.mkfifo(folder / "train.py")
        return found

    monkeypatch.setattr(snapshots, "source_of", look)
    snapshot = store.take(folder)
    assert [file.name for file in store.files(snapshot.id)] == ["run.sh", "src/b.py"]
    assert snapshot.unreadable == ("train.py",)


def test_names_that_are_no_unicode_are_kept_as_escapes(folder, store, tmp_path):
    try:
        Path(os.fsdecode(bytes(folder) + b"/\xff.txt")).write_text("x")
    except OSError:
        pytest.skip("this file system has only Unicode names")
    store.restore(store.take(folder).id, tmp_path / "copy")
    assert (tmp_path / "copy" / "\\xff.txt").read_text() == "x"


def test_a_disk_that_is_full_is_a_clear_error_and_leaves_no_part_of_a_file(folder, store, root, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(snapshots.Path, "replace", full)
    with pytest.raises(SnapshotError, match="No space left on device"):
        store.take(folder)
    assert kept(root) == []


@pytest.mark.parametrize("snapshot_id", ["0" * 64, "", "../../etc/passwd", "x"])
def test_an_unknown_snapshot_is_a_lookup_error(folder, store, tmp_path, snapshot_id):
    store.take(folder)
    with pytest.raises(NotFoundError, match="no snapshot"):
        store.restore(snapshot_id, tmp_path / "copy")
    content = store.files(store.take(folder).id)[0].sha256
    with pytest.raises(NotFoundError, match="no snapshot"):
        store.write_zip(content, tmp_path)


def test_a_damaged_manifest_is_an_error(folder, store, tmp_path):
    snapshot = store.take(folder)
    store.path(snapshot.id).chmod(0o600)
    store.path(snapshot.id).write_text('{"files": [["../a", "00", 1, false]]}')
    with pytest.raises(SnapshotError, match="is damaged"):
        store.restore(snapshot.id, tmp_path / "copy")


def test_limits_are_those_of_the_old_service():
    assert Limits() == (2000, 300 * 2**20)


def test_processes_that_take_the_same_snapshot_at_once_all_get_it_whole(folder, root, tmp_path):
    for n in range(200):
        (folder / f"{n}.txt").write_text(str(n) * 1000)
    code = """
import sys
from pathlib import Path
from runwidgets.store.snapshots import SnapshotStore
store = SnapshotStore(Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
print(store.take(Path(sys.argv[1])).id)
"""
    command = [sys.executable, "-c", code, folder, root]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    ids = {process.communicate(timeout=120)[0].strip() for process in processes}
    assert len(ids) == 1
    assert len(kept(root)) == 200 + 3 + 1
    SnapshotStore(root).restore(ids.pop(), tmp_path / "copy")
    assert (tmp_path / "copy" / "199.txt").read_text() == "199" * 1000
