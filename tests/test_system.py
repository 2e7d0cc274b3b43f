"""What the system tells: what a path lies on. Who lives is tested beside the feed, which asks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwidgets.system import _file_system, file_system_of, this_process

MOUNTS = [
    ("/", "ext4", "rw"),
    ("/home", "nfs4", "rw,vers=4.2"),
    ("/home/me/local", "xfs", "rw"),
    ("/mnt/a", "cifs", "rw"),
    ("/mnt/a b", "fuse.sshfs", "rw"),
    ("/mnt/over", "nfs", "rw"),
    ("/mnt/over", "tmpfs", "rw"),
    ("/mnt/ntfs", "fuseblk", "rw"),
    ("/mnt/gl", "fuse.glusterfs", "rw"),
    ("/mnt/drive", "NTFS", "rw,remote"),
]


@pytest.mark.parametrize(
    ("path", "kind", "is_network"),
    [
        ("/var/lib", "ext4", False),
        ("/", "ext4", False),
        ("/home", "nfs4", True),
        ("/home/me/.runwidgets", "nfs4", True),
        ("/homestead", "ext4", False),
        ("/home/me/local/x", "xfs", False),
        ("/mnt/a/x", "cifs", True),
        ("/mnt/a b/x", "fuse.sshfs", True),
        ("/mnt/over/x", "tmpfs", False),
        ("/mnt/ntfs/x", "fuseblk", False),
        ("/mnt/gl", "fuse.glusterfs", True),
        ("/mnt/drive/x", "ntfs", True),
    ],
)
def test_a_path_lies_on_the_last_mount_that_is_nearest_to_it(path, kind, is_network):
    assert _file_system(path, MOUNTS) == (kind, is_network)


def test_a_path_that_is_not_there_yet_and_one_behind_a_link_are_told(tmp_path):
    (tmp_path / "link").symlink_to("/proc")
    assert file_system_of(tmp_path / "not" / "there") == file_system_of(tmp_path)
    assert file_system_of(tmp_path).is_network is False
    assert file_system_of(Path("//server/share".replace("/", chr(92)))) == ("smb", True)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_when_a_process_started_does_not_depend_on_the_clock(tmp_path):
    with Path("/proc/uptime").open() as file:
        uptime = float(file.read().split()[0])
    assert 0 < this_process().started_at <= uptime
    assert file_system_of(Path("/proc/self")).type == "proc"
