"""What git knows of a folder: where it comes from, which commit it is at, and what was changed since."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

DIFF_BYTES: Final = 5 * 2**20
"""How much of a diff is kept."""
_TIMEOUT_SECONDS: Final = 2.0
_FRESH_SECONDS: Final = 5.0
_ANSWER_BYTES: Final = 2**20
_SAFE: Final = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "--no-optional-locks")
"""Asks without a change to the repository, and starts no program that its settings name."""
_NOT_OURS: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_EXTERNAL_DIFF", "GIT_TRACE")


class GitFacts(NamedTuple):
    """What git says of a folder.

    Attributes
    ----------
    repository_uri
        Of the remote ``origin``, else of the first; without user and password. Empty where there is none.
    branch
        Empty where no branch is checked out.
    commit
        Its SHA-1 in full; empty before the first commit.
    is_dirty
        Whether files that git keeps differ from the commit. New files that it was not told of do not count.
    diff
        How they differ, at most `DIFF_BYTES`; it says so where it is cut.
    """

    repository_uri: str
    branch: str
    commit: str
    is_dirty: bool
    diff: str


_known: dict[Path, tuple[float, GitFacts | None]] = {}
"""By folder: until when it is taken as it is, and what it is."""


def git_facts(folder: Path) -> GitFacts | None:
    """Ask git about a folder; what it said is taken as true for five seconds.

    Returns
    -------
    GitFacts or None
        None where there is no git, no repository, or one that git does not trust; also where git does not answer
        within two seconds, and then it is not asked about this folder again.
    """
    until, facts = _known.get(folder, (0.0, None))
    if time.monotonic() < until:
        return facts
    try:
        facts, until = _ask(folder), time.monotonic() + _FRESH_SECONDS
    except TimeoutError:
        facts, until = None, float("inf")
    _known[folder] = (until, facts)
    return facts


def _ask(folder: Path) -> GitFacts | None:
    status = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=dirty")
    if status is None:
        return None
    heads, is_dirty = {}, False
    for line in status.splitlines():
        if line.startswith("# "):
            key, _, value = line[2:].partition(" ")
            heads[key] = value
        else:
            is_dirty = True
    commit = heads.get("branch.oid", "").replace("(initial)", "")
    branch = heads.get("branch.head", "").replace("(detached)", "")
    diff = ""
    if is_dirty and commit:
        command = ("diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty")
        diff = _git(folder, *command, limit=DIFF_BYTES) or ""
    return GitFacts(_remote(folder), branch, commit, is_dirty, diff)


def _remote(folder: Path) -> str:
    found = _git(folder, "config", "--get-regexp", r"^remote\..*\.url$") or ""
    remotes = dict(line.split(" ", 1) for line in reversed(found.splitlines()) if " " in line)
    uri = remotes.get("remote.origin.url") or next(iter(reversed(remotes.values())), "")
    return without_credentials(uri)


def _git(folder: Path, *arguments: str, limit: int = _ANSWER_BYTES) -> str | None:
    """Give what git prints, at most ``limit`` bytes of it; None where it fails.

    Raises
    ------
    TimeoutError
        If it takes longer than two seconds. It and all that it started are killed.
    """
    environment = {key: value for key, value in os.environ.items() if key not in _NOT_OURS}
    environment |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    try:
        process = subprocess.Popen(  # noqa: S603 (git, as the user has it)
            ["git", "-C", str(folder), *_SAFE, *arguments],  # noqa: S607
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return None
    is_late = threading.Event()

    def give_up() -> None:
        is_late.set()
        _kill(process)

    timer = threading.Timer(_TIMEOUT_SECONDS, give_up)
    timer.daemon = True
    try:
        with process:
            try:
                timer.start()
            except RuntimeError:  # the interpreter is about to end: rather no answer than to wait for ever
                _kill(process)
            assert process.stdout is not None  # noqa: S101 (for mypy)
            answer = process.stdout.read(limit + 1)
            is_cut = len(answer) > limit
            if is_cut:
                _kill(process)
    finally:
        timer.cancel()
    if is_late.is_set():
        raise TimeoutError
    if is_cut:
        return answer[:limit].decode("utf-8", "replace") + f"\n[cut: only the first {limit:,} bytes are kept]\n"
    return answer.decode("utf-8", "replace") if process.returncode == 0 else None


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)  # git may be a script, and may have started others
        else:
            process.kill()


# ---- addresses

_ADDRESS: Final = re.compile(r"(?P<scheme>[A-Za-z][\w+.\-]*)://(?P<rest>.*)", re.DOTALL)
_HOST: Final = re.compile(r"(\[[^\]]*\]|[^:?#]*)(:\d*)?")
_SCP: Final = re.compile(r"[^/@:]+:[^/@]*@(?P<rest>[^/:]+:.*)", re.DOTALL)


def without_credentials(uri: str) -> str:
    """Give an address without user, password, and what follows ``?`` or ``#``, where tokens are kept too.

    A user without a password stays in ``ssh://git@host`` and ``git@host:path``: it is part of the address.
    """
    found = _ADDRESS.fullmatch(uri)
    if found is None:
        scp = _SCP.fullmatch(uri)
        return scp["rest"] if scp else uri
    scheme, rest = found["scheme"], re.split(r"[?#](?!.*@)", found["rest"], maxsplit=1)[0]
    authority = rest.partition("/")[0]
    user, _, host = authority.rpartition("@")
    if not _HOST.fullmatch(host):
        rest = rest.rpartition("@")[2]  # a password with a slash in it
    elif not (scheme.endswith("ssh") and ":" not in user):
        rest = host + rest[len(authority) :]
    return f"{scheme}://{rest}"
