"""What only the operating system knows: which process this is, whether another lives, what a path lies on.

The one module in which systems may differ.
"""

from __future__ import annotations

import errno
import functools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

OPEN_FILES_CAN_GO: Final = os.name != "nt"
"""Whether a file can be deleted or replaced while it is open."""
_PROC: Final = Path("/proc")


class Process(NamedTuple):
    """A process, told apart from later ones with the same number by its start time.

    Attributes
    ----------
    host
        Name of the machine.
    boot_id
        Which machine of that name, which of its starts, and which namespace of process numbers (containers have their
        own): ``machine:boot:namespace``, empty where the system does not tell.
    pid
        Its number in that namespace.
    started_at
        When it started: on Linux seconds since the machine did, so that setting the clock changes nothing; elsewhere
        epoch seconds.
    """

    host: str
    boot_id: str
    pid: int
    started_at: float


class FileSystem(NamedTuple):
    """What a path lies on."""

    type: str
    is_network: bool


@functools.cache
def _machine() -> tuple[str, str]:
    boot = _line_of(_PROC / "sys/kernel/random/boot_id")
    if not boot:
        import psutil

        boot = str(round(psutil.boot_time()))
    return _host(), ":".join((_line_of(Path("/etc/machine-id")), boot, _namespace()))


def _host() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename
    import socket

    return socket.gethostname()


def _line_of(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _namespace() -> str:
    try:
        return str((_PROC / "self/ns/pid").stat().st_ino)
    except OSError:
        return ""


def _started_at(pid: int) -> float | None:
    """Tell when a process started; None if it is gone, or has ended and merely waits for its parent to take notice."""
    try:
        handle = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except FileNotFoundError:
        return None if (_PROC / "self/stat").exists() else _started_at_by_psutil(pid)
    try:
        state, *fields = os.read(handle, _MUCH).rpartition(b")")[2].split()
    except ProcessLookupError:
        return None
    finally:
        os.close(handle)
    return None if state in b"ZX" else int(fields[18]) / os.sysconf("SC_CLK_TCK")


def _started_at_by_psutil(pid: int) -> float | None:
    import psutil

    try:
        found = psutil.Process(pid)
        return None if found.status() == psutil.STATUS_ZOMBIE else found.create_time()
    except psutil.NoSuchProcess:
        return None
    except psutil.Error as error:
        raise OSError(f"process {pid}: {error}") from error


def this_process() -> Process:
    """Describe the calling process."""
    return process_of(os.getpid())


def process_of(pid: int) -> Process:
    """Describe a process of this machine that lives."""
    return Process(*_machine(), pid, _started_at(pid) or 0.0)


def lives(process: Process) -> bool | None:
    """Tell whether a process still runs; None where it cannot be known from here (another machine or container)."""
    host, here = _machine()
    machine, boot, namespace = here.split(":")
    their_machine, their_boot, their_namespace = (*process.boot_id.split(":"), "", "")[:3]
    if (process.host, their_machine) != (host, machine):
        return None
    if their_boot != boot:
        return False  # this machine has started anew since
    if their_namespace != namespace:
        return None
    try:
        started_at = _started_at(process.pid)
    except OSError:
        return True
    return started_at is not None and abs(started_at - process.started_at) < 1


# ---- file systems

# Words, and not a regular expression: compiling one takes as long as all else that is done to open a store.
_NETWORK: Final = (
    " 9p acfs afpfs afs beegfs ceph cifs coda davfs fhgfs gfs gfs2 glusterfs gpfs lustre mmfs ncpfs nfs nfs3 nfs4 ocfs2"
    " orangefs panfs prl_fs pvfs2 smb smb2 smb3 smbfs sshfs vboxsf virtiofs webdav wekafs "
)
_NETWORK_BY_FUSE: Final = (
    " beegfs blobfuse blobfuse2 ceph ceph-fuse cvmfs2 davfs davfs2 gcsfuse glusterfs goofys gvfsd-fuse juicefs lustre"
    " mount.glusterfs moosefs mfs mount-s3 rclone s3fs sshfs vmhgfs-fuse xtreemfs "
)


def file_system_of(path: Path) -> FileSystem:
    """Tell what file system a path lies on, or would lie on if it existed."""
    if str(path).startswith("\\\\"):
        return FileSystem("smb", is_network=True)  # a Windows path that begins with a server's name
    return _file_system(os.path.realpath(path), _mounts())


def _mounts() -> list[tuple[str, str, str]]:
    """List what is mounted: where, its type, its options."""
    try:
        lines = (_PROC / "self/mounts").read_text("utf-8", "surrogateescape").splitlines()
        return [
            (_unescaped(place), kind, options) for _, place, kind, options, *_ in (line.split(" ") for line in lines)
        ]
    except (OSError, ValueError):
        pass
    import psutil

    try:
        return [(part.mountpoint, part.fstype, part.opts) for part in psutil.disk_partitions(all=True)]
    except (OSError, psutil.Error):
        return []


def _unescaped(place: str) -> str:
    return place if "\\" not in place else re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), place)


def _file_system(path: str, mounts: Iterable[tuple[str, str, str]]) -> FileSystem:
    """Find the mount that holds a path: the longest that it begins with, and of several in one place the last."""
    found, longest = ("", ""), -1
    for place, kind, options in mounts:
        root = os.path.normcase(place).rstrip(os.sep) + os.sep
        if len(root) >= longest and os.path.normcase(path + os.sep).startswith(root):
            found, longest = (kind.lower(), options), len(root)
    kind, options = found
    family, _, by_fuse = kind.partition(".")
    is_known = f" {kind} " in _NETWORK or (family == "fuse" and f" {by_fuse} " in _NETWORK_BY_FUSE)
    return FileSystem(kind, is_known or "remote" in options.split(","))


DISK_IS_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Numbers of errors that go away when there is space, or more is allowed."""


def may_be_written(folder: Path) -> bool:
    """Tell whether this user may write a folder, or make it where it is missing; a full disk may be written."""
    place = folder
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    return os.path.isdir(place) and os.access(place, os.W_OK)  # noqa: PTH112 (which never raises)


# ---- locks that a child inherits


HAS_INHERITED_LOCKS: Final = fcntl is not None
"""Whether a lock can pass to a child."""


def hold(path: Path, mode: int = 0o600) -> int | None:
    """Make a file where it is missing, and lock it for as long as its handle is open, here or in a child.

    Parameters
    ----------
    path
        The file.
    mode
        Who may read and write it, where it is made.

    Returns
    -------
    int or None
        The handle, which a child may inherit; None where another process holds the lock.

    Raises
    ------
    OSError
        If it cannot be made, or the system has no such locks.
    """
    if fcntl is None:
        raise OSError(errno.ENOLCK, "this system has no locks that a child inherits")
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, mode)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError:
            os.close(handle)
            raise
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)  # whoever held it has deleted it meanwhile


def let_go(handle: int) -> None:
    """Give up a lock, of whose handle a child or a parent may have another, and close the handle."""
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)


def open_to_wait(path: Path) -> int | None:
    """Open a file whose lock is to be waited for; None where it is gone."""
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None


def wait_until_free(handle: int) -> None:
    """Return when nobody holds the lock of a file, or it is gone. Its handle is open, and stays so."""
    if fcntl is None:
        return
    fcntl.flock(handle, fcntl.LOCK_SH)
    fcntl.flock(handle, fcntl.LOCK_UN)  # closing would not do it: a child may have the handle too


# ---- processes that come from this one


def adopt_orphans() -> bool:
    """Become the parent of all descendants that lose theirs; tell whether the system can do that (Linux can)."""
    if not _PROC.is_dir():
        return False
    import ctypes

    try:
        return bool(ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


_SET_CHILD_SUBREAPER: Final = 36


def has_children() -> bool:
    """Tell whether anything descends from this process; true where the system does not tell, as macOS does not.

    All that does is this process's child or that of one, and one that has ended is a child until notice is taken.
    """
    if not hasattr(os, "waitid"):
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def descendants(pid: int, but: Callable[[int], bool] = lambda _: False) -> list[int]:
    """List the processes that descend from one, those that have ended and wait for their parents left out.

    Parameters
    ----------
    pid
        The one.
    but
        Tells of a process whether it, and what descends from it, is left out too.
    """
    try:
        parents = {int(name): _parent_of(name) for name in os.listdir(_PROC) if name.isdecimal()}  # noqa: PTH208 (slow)
    except OSError:
        parents = _parents_by_psutil()
    found: list[int] = []
    generation = {pid}
    while generation:
        generation = {
            child for child, (parent, _) in parents.items() if parent in generation and child != pid and not but(child)
        }
        found += sorted(child for child in generation if parents[child][1])
    return found


def _parents_by_psutil() -> dict[int, tuple[int | None, bool]]:
    import psutil

    return {process.pid: (process.info["ppid"], True) for process in psutil.process_iter(["ppid"])}


def variables_of(pid: int) -> dict[str, str]:
    """Give the environment variables that a process was started with; none where that cannot be known."""
    try:
        content = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return {} if _PROC.is_dir() else _variables_by_psutil(pid)
    pairs = (pair.partition("=") for pair in content.decode("utf-8", "surrogateescape").split("\0"))
    return {name: value for name, _, value in pairs}


def _variables_by_psutil(pid: int) -> dict[str, str]:
    import psutil

    try:
        return dict(psutil.Process(pid).environ())
    except (OSError, psutil.Error):
        return {}


def _parent_of(pid: str) -> tuple[int | None, bool]:
    """Give a parent, and whether the process lives: one whose first thread has ended keeps children for a moment."""
    try:
        handle = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None, False
    try:
        state, parent, *_ = os.read(handle, _MUCH).rpartition(b")")[2].split(None, 2)
    except OSError:  # it has ended meanwhile
        return None, False
    finally:
        os.close(handle)
    return int(parent), state not in b"ZX"


_MUCH: Final = 4096


def processors() -> int:
    """Tell how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def out_of_memory_kills() -> int:
    """Tell how many processes the system has killed for want of memory: in this control group, or else at all."""
    found = _oom_kills_of_group()
    return found if found is not None else _counter(_PROC / "vmstat", "oom_kill") or 0


def _oom_kills_of_group() -> int | None:
    try:
        groups = (_PROC / "self/cgroup").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return None
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if controllers in {"", "memory"}:
            root = Path("/sys/fs/cgroup", controllers)
            for name in ("memory.events", "memory.oom_control"):
                counted = _counter(root / path.lstrip("/") / name, "oom_kill")
                if counted is not None:
                    return counted
    return None


def _counter(file: Path, word: str) -> int | None:
    try:
        for line in file.read_text(encoding="ascii").splitlines():
            key, _, number = line.partition(" ")
            if key == word:
                return int(number)
    except (OSError, ValueError):
        pass
    return None
