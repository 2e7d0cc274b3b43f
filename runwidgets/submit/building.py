"""Which interpreter runs a script; where it needs packages, an environment is made for it, once for all who ask."""

from __future__ import annotations

import collections
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from runwidgets.errors import EnvironmentBuildError, EnvironmentBuildStoppedError
from runwidgets.home import home
from runwidgets.submit.conda_tool import conda_tool, create_command, interpreter_in
from runwidgets.submit.failure import without_escapes
from runwidgets.submit.needs import needs_of
from runwidgets.submit.requirements import content_of_places, package_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from runwidgets.submit.needs import Needs

_MARK: Final = "built.json"
_LOOK_SECONDS: Final = 0.2
_OLDEST_PIP: Final = 23
_LAST_LINES: Final = 12
_LAST_WIDTH: Final = 400
_NOT_FOR_BUILDING: Final = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
_PIP_SETTINGS: Final = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_PROGRESS_BAR": "off",
    "PIP_USER": "0",
    "PYTHONUNBUFFERED": "1",
    "CONDA_ALWAYS_YES": "true",
    "MAMBA_ALWAYS_YES": "true",
}


def cache_folder() -> Path:
    """Give the folder of built environments under ``RUNWIDGETS_HOME``; its dot keeps it apart from workspaces."""
    return home() / ".environments"


def interpreter_for(
    environment: Mapping[str, Any],
    cache: Path,
    log: BinaryIO,
    is_canceled: Callable[[], bool] = bool,
) -> Path:
    """Give the interpreter that an environment stands for, and build the environment where it is not there yet.

    Parameters
    ----------
    environment
        As `Environment.as_dict` gives it.
    cache
        The folder of built environments, `cache_folder`. Each is built once, by whichever process comes first; the
        others wait for it.
    log
        Gets what is said while it is built, as it comes; flushed after each piece.
    is_canceled
        Asked a few times a second, in this thread, whether nobody wants the environment any more.

    Returns
    -------
    Path
        The interpreter. It can import runwidgets unless its user manages it.

    Raises
    ------
    EnvironmentBuildError
        If it cannot be built; the message has the last lines of what was said.
    EnvironmentBuildStoppedError
        If it was canceled; no process of the building is left.
    RunConfigurationError
        If it asks for what this machine has not, as `settled` says when it is submitted.
    """
    needs = needs_of(environment)
    if needs.interpreter is not None:
        return needs.interpreter
    voice = _Voice(log)
    if needs.left_out:
        voice.say(f"not installed, since runwidgets stands for it: {', '.join(needs.left_out)}")
    own_python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not needs.conda and needs.python and f"{needs.python}.".split(".")[:2] != own_python.split("."):
        voice.say(f"Python {needs.python} is asked for; packages of pip alone get that which submits, {own_python}")
    if not needs.conda and not any(not line.startswith("-") or line.startswith("-e") for line in needs.pip):
        return Path(sys.executable)
    return _Builder(needs, cache, voice, is_canceled).interpreter()


class _Builder:
    """One environment in the cache.

    A building that was killed may go on for a while without the process that held the lock. So each goes to a folder
    of its own, and a file that is written last says which folder it is.
    """

    def __init__(self, needs: Needs, cache: Path, voice: _Voice, is_canceled: Callable[[], bool]) -> None:
        self._needs = needs
        self._key = _key(needs)
        self._folder = cache / self._key
        self._voice = voice
        self._is_canceled = is_canceled

    def interpreter(self) -> Path:
        from filelock import FileLock, Timeout

        if (built := self._built()) is not None:
            return built
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._folder.with_name(f"{self._key}.lock"))
            is_waiting = False
            while not lock.is_locked:
                try:
                    lock.acquire(timeout=_LOOK_SECONDS)
                except Timeout:
                    self._check_wanted()
                    if not is_waiting:
                        self._voice.say(f"waiting for another run that builds {self._described()}")
                    is_waiting = True
            try:
                return self._built() or self._build()
            finally:
                lock.release()
        except OSError as error:
            raise EnvironmentBuildError(
                f"environment {self._needs.name!r} cannot be built in {self._folder}: {error}"
            ) from error

    def _described(self) -> str:
        return f"environment {self._needs.name!r} ({self._key})"

    def _check_wanted(self) -> None:
        if self._is_canceled():
            raise EnvironmentBuildStoppedError(f"{self._described()} was canceled before it was there")

    def _built(self) -> Path | None:
        from runwidgets.submit.links import lend

        try:
            mark = json.loads((self._folder / _MARK).read_bytes())
            prefix = self._folder / str(mark["folder"])
            interpreter, site_packages = prefix / str(mark["interpreter"]), prefix / str(mark["site_packages"])
            if not interpreter.exists():  # the Python that it was made of may have gone
                return None
            lend(site_packages, prefix / "lent", with_compiled=bool(mark["with_compiled"]))
        except (OSError, ValueError, LookupError, TypeError):
            return None
        self._voice.say(f"{self._described()}, built {mark['built_at']}, is used")
        return interpreter

    def _build(self) -> Path:
        from runwidgets.submit.links import lend

        for left in self._folder.iterdir():  # of buildings that came to no end
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
        prefix = self._folder / uuid.uuid4().hex[:8]
        self._voice.say(f"building {self._described()} in {prefix}")
        started = time.monotonic()
        try:
            interpreter = self._with_conda(prefix) if self._needs.conda else self._with_pip(prefix)
            site_packages, its_version = self._asked(interpreter)
            is_same = its_version == list(sys.version_info[:2])
            if not is_same:
                self._run("pip install", [str(interpreter), "-m", "pip", "install", *_lent_requirements()])
            lend(site_packages, prefix / "lent", with_compiled=is_same)
            self._mark(prefix, interpreter, site_packages, with_compiled=is_same)
        except BaseException:
            shutil.rmtree(prefix, ignore_errors=True)
            raise
        self._voice.say(f"built in {time.monotonic() - started:.1f} s")
        return interpreter

    def _with_pip(self, prefix: Path) -> Path:
        self._run("python -m venv", [sys.executable, "-m", "venv", str(prefix)])
        interpreter = prefix / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        pip_version = self._needs.pip_version or ""
        if pip_version and int(pip_version.partition(".")[0]) < _OLDEST_PIP:  # specifications of SDK v1 fix such ones
            self._voice.say(
                f"pip {pip_version} is asked for, and does not run on this Python: that which it brings does"
            )
        elif pip_version:
            options = [line for line in self._needs.pip if line.startswith("--")]
            self._install(interpreter, [*options, f"pip=={pip_version}"], prefix / "pip.txt")
        self._install(interpreter, self._needs.pip, prefix / "requirements.txt")
        return interpreter

    def _install(self, interpreter: Path, lines: Iterable[str], file: Path) -> None:
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self._run("pip install", [str(interpreter), "-m", "pip", "install", "-r", str(file)])

    def _with_conda(self, prefix: Path) -> Path:
        import yaml

        needs = self._needs
        python = () if needs.python else (f"python={sys.version_info[0]}.{sys.version_info[1]}",)
        content: dict[str, Any] = {"dependencies": [*python, *needs.conda, "pip"]}
        if needs.channels:
            content["channels"] = list(needs.channels)
        if needs.pip:
            content["dependencies"].append({"pip": list(needs.pip)})
        specification = self._folder / f"{prefix.name}.yml"
        specification.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        try:
            tool = conda_tool() or "conda"
            self._run(f"{Path(tool).stem} create", create_command(tool, prefix, specification))
        finally:
            specification.unlink(missing_ok=True)
        return interpreter_in(prefix)

    def _asked(self, interpreter: Path) -> tuple[Path, list[int]]:
        code = "import json, sys, sysconfig; print(json.dumps([sysconfig.get_path('purelib'), sys.version_info[:2]]))"
        try:
            done = subprocess.run(  # noqa: S603 (the interpreter that was just made)
                [str(interpreter), "-I", "-c", code], capture_output=True, check=True, stdin=subprocess.DEVNULL
            )
            place, its_version = json.loads(done.stdout)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise EnvironmentBuildError(
                f"{self._described()} was built, but its interpreter {interpreter} does not run: {error}"
            ) from error
        return Path(place), its_version

    def _mark(self, prefix: Path, interpreter: Path, site_packages: Path, *, with_compiled: bool) -> None:
        mark = {
            "folder": prefix.name,
            "interpreter": interpreter.relative_to(prefix).as_posix(),
            "site_packages": site_packages.relative_to(prefix).as_posix(),
            "with_compiled": with_compiled,
            "built_at": time.strftime("%Y-%m-%d %H:%M:%S"),
            "pip": self._needs.pip,
            "conda": self._needs.conda,
        }
        scratch = self._folder / f".{_MARK}"
        scratch.write_text(json.dumps(mark, indent=4) + "\n", encoding="utf-8")
        scratch.replace(self._folder / _MARK)

    def _run(self, what: str, command: list[str]) -> None:
        """Run a program to its end, its output into the log as it comes."""
        self._check_wanted()
        variables = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_BUILDING}
        guard = Path(__file__).with_name(
            "guard.py"
        )  # else what was started would outlive this process, if it is killed
        process = subprocess.Popen(  # noqa: S603 (Python, pip or conda)
            [sys.executable, "-S", "-I", str(guard), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=variables | _PIP_SETTINGS,
        )
        reader = threading.Thread(target=self._voice.repeat, args=(process.stdout,), daemon=True)
        reader.start()
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK_SECONDS)
                    break
                self._check_wanted()
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()
            reader.join(_LOOK_SECONDS * 10)  # what a program has left running may hold its output open
        if process.returncode != 0:
            raise EnvironmentBuildError(
                f"environment {self._needs.name!r} cannot be built: {what} ended with exit code {process.returncode}. "
                f"The last that it said:\n{self._voice.last_lines()}"
            )


class _Voice:
    """What is said while an environment is built."""

    def __init__(self, log: BinaryIO) -> None:
        self._log = log
        self._last: collections.deque[bytes] = collections.deque(maxlen=_LAST_LINES)

    def say(self, text: str) -> None:
        self._write(f"runwidgets: {text}\n".encode(errors="replace"))

    def repeat(self, stream: BinaryIO) -> None:
        for line in stream:
            self._last.append(line)
            self._write(line)
        stream.close()

    def last_lines(self) -> str:
        lines = [without_escapes(line.decode(errors="replace")).rstrip() for line in self._last]
        return "\n".join(line if len(line) <= _LAST_WIDTH else f"{line[:_LAST_WIDTH]}…" for line in lines)

    def _write(self, content: bytes) -> None:
        with contextlib.suppress(OSError, ValueError):  # a log that cannot be written is no reason not to build
            self._log.write(content)
            self._log.flush()


def _key(needs: Needs) -> str:
    """Name an environment by its content: equal ones are the same one."""
    content = [
        sorted(needs.pip),
        content_of_places(needs.pip),
        needs.pip_version,
        sorted(needs.conda),
        needs.channels,
        sys.version,
        sys.prefix,  # what is lent to it comes from there
        Path(__file__).parent.parent.as_posix(),
        _version(),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("runwidgets")
    except PackageNotFoundError:  # used from its source
        return ""


def _lent_requirements() -> list[str]:
    from importlib.metadata import PackageNotFoundError, requires

    from runwidgets.submit.links import LENT

    try:
        own = requires("runwidgets") or []
    except PackageNotFoundError:
        own = []
    known = {package_name(line): line for line in own if ";" not in line}
    return [known.get(name, name) for name in LENT]
