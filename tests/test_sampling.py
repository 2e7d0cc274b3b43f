"""What the processes of a run use of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from runwidgets.submit.sampling import Sampler
from runwidgets.system import descendants, variables_of
from tests.submissions import wait_until

BUSY = """
import time
data = bytearray(100 * 2**20)
print("ready", flush=True)
while True:
    pass
"""


@pytest.fixture
def busy():
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process.pid
        process.kill()


def test_a_busy_process_shows_in_processor_and_memory(busy):
    sampler = Sampler(time.monotonic())
    sampler.sample([busy])
    found = {}

    def is_busy() -> bool:
        found.update(sampler.sample([busy]))
        return found["system/cpu_percent"] > 20

    wait_until(is_busy, "processor time")
    assert 100 < found["system/memory_mb"] < 400


def test_what_was_used_until_the_first_sample_was_used_since_the_beginning():
    began = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        wait_until(lambda: sum(psutil.Process(process.pid).cpu_times()[:2]) > 0.5, "half a second of a processor")
        first = Sampler(began).sample([process.pid])
        process.kill()
    assert 0 < first["system/cpu_percent"] < 110  # one thread has one processor; clocks tick in hundredths


def test_processes_that_are_gone_are_left_out(busy):
    sampler = Sampler(time.monotonic())
    assert sampler.sample([busy, 2**22 - 1])["system/memory_mb"] > 100
    assert sampler.sample([])["system/memory_mb"] == 0


def test_gpus_that_the_library_finds_are_sampled(monkeypatch):
    library = SimpleNamespace(  # a stand-in: there is no GPU to ask
        NVMLError=RuntimeError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=50 + handle),
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(used=2**30),
        nvmlDeviceGetTemperature=lambda *_: 60,
        nvmlDeviceGetPowerUsage=lambda _: 75_500,
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    found = Sampler(time.monotonic()).sample([])
    assert {name: value for name, value in found.items() if "gpu1" in name} == {
        "system/gpu1_percent": 51.0,
        "system/gpu1_memory_mb": 1024.0,
        "system/gpu1_celsius": 60.0,
        "system/gpu1_watts": 75.5,
    }


def test_what_descends_from_a_process_is_found_but_for_what_is_left_out():
    sleep = "import time; time.sleep(60)"
    nested = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {sleep!r}])\n{sleep}"
    with subprocess.Popen([sys.executable, "-c", nested], env=os.environ | {"MARK": "here"}) as process:
        try:
            wait_until(lambda: len(descendants(process.pid)) == 1, "the child")
            (grandchild,) = descendants(process.pid)
            assert {process.pid, grandchild} <= set(descendants(os.getpid()))
            assert variables_of(grandchild)["MARK"] == "here"
            left = descendants(os.getpid(), but=lambda pid: pid == process.pid)
            assert not {process.pid, grandchild} & set(left)
        finally:
            os.kill(grandchild, 9)
            process.kill()


CHILDREN = """
import os, sys
from runwidgets import system
from runwidgets.submit.descent import end_descendants, processes_of_run
system.adopt_orphans()
found = [system.has_children()]
ended = os.fork()
if ended == 0:
    os._exit(0)
os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT)
found.append(system.has_children())
os.waitpid(ended, 0)
found.append(system.has_children())
read, write = os.pipe()
link = os.fork()
if link == 0:
    orphan = os.fork()
    if orphan == 0:
        os.setsid()
        os.read(read, 1)
        os._exit(0)
    os._exit(0)
os.waitpid(link, 0)
found += [system.has_children(), len(processes_of_run())]
end_descendants()
found += [system.has_children(), len(processes_of_run())]
print(found)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux alone")
def test_nothing_descends_from_a_process_without_children_and_an_orphan_that_it_adopted_is_a_child():
    said = subprocess.run([sys.executable, "-c", CHILDREN], capture_output=True, check=True, text=True).stdout
    assert said.strip() == "[False, True, False, True, 1, False, 0]"
