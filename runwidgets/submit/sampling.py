"""What the processes of a run use of the machine, as series of the run: ``system/…``."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

_MEGABYTE: Final = 2**20


class Sampler:
    """Measures processes: CPU, memory and disk of them all together, GPUs of the whole machine.

    CPU and disk count from one sample to the next. GPUs are those that NVIDIA's library finds, where it is installed.

    Parameters
    ----------
    since
        When the processes were started, by the monotonic clock: from then on the first sample counts.
    """

    def __init__(self, since: float) -> None:
        self._known: dict[int, psutil.Process] = {}
        self._cpu: dict[int, float] = {}
        self._disk: dict[int, tuple[float, float]] = {}
        self._read = self._written = 0.0
        self._at = since
        self._gpus = _gpus()

    def sample(self, pids: Iterable[int]) -> dict[str, float]:
        """Measure now.

        Parameters
        ----------
        pids
            The processes.

        Returns
        -------
        dict
            ``system/cpu_percent`` (of one processor: 200 is two), ``system/memory_mb`` (resident), and since the
            beginning ``system/disk_read_mb`` and ``system/disk_written_mb``; for each GPU its use in percent, its
            memory, its temperature in degrees Celsius and its power in watts. Megabytes are of 2²⁰ bytes.
        """
        now = time.monotonic()
        span, self._at = now - self._at, now
        used = memory = 0.0
        known = {}
        for pid in pids:
            with suppress(psutil.Error, OSError):
                process = known[pid] = self._known.get(pid) or psutil.Process(pid)
                with process.oneshot():
                    times = process.cpu_times()
                    memory += process.memory_info().rss
                    spent = times.user + times.system
                    used += spent - self._cpu.get(pid, 0.0)
                    self._cpu[pid] = spent
                    self._count_disk(pid, process)
        self._known = known
        found = {
            "system/cpu_percent": round(100 * used / span, 1) if span > 0 else 0.0,
            "system/memory_mb": round(memory / _MEGABYTE, 2),
            "system/disk_read_mb": round(self._read / _MEGABYTE, 3),
            "system/disk_written_mb": round(self._written / _MEGABYTE, 3),
        }
        return found | self._of_gpus()

    def _count_disk(self, pid: int, process: psutil.Process) -> None:
        counters: Any = getattr(process, "io_counters", None)
        if counters is None:  # macOS
            return
        with suppress(psutil.Error, OSError, ValueError):
            now = counters()
            read, written = self._disk.get(pid, (0.0, 0.0))
            self._read += now.read_bytes - read
            self._written += now.write_bytes - written
            self._disk[pid] = (now.read_bytes, now.write_bytes)

    def _of_gpus(self) -> dict[str, float]:
        if self._gpus is None:
            return {}
        library, handles = self._gpus
        found = {}
        for number, handle in enumerate(handles):
            name = f"system/gpu{number}"
            with suppress(library.NVMLError):
                found[f"{name}_percent"] = float(library.nvmlDeviceGetUtilizationRates(handle).gpu)
                found[f"{name}_memory_mb"] = round(library.nvmlDeviceGetMemoryInfo(handle).used / _MEGABYTE, 1)
                found[f"{name}_celsius"] = float(library.nvmlDeviceGetTemperature(handle, 0))
                found[f"{name}_watts"] = library.nvmlDeviceGetPowerUsage(handle) / 1000
        return found


def _gpus() -> tuple[Any, list[Any]] | None:
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return None
    return (pynvml, handles) if handles else None
