"""Virtual environments for scripts: built once, by real pip, of wheels made here, so that no network is needed."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import psutil
import pytest

from runwidgets import CondaDependencies, Environment, Experiment, Workspace
from runwidgets.errors import EnvironmentBuildError, EnvironmentBuildStoppedError, RunConfigurationError
from runwidgets.store.recorder import close_all
from runwidgets.submit.building import cache_folder, interpreter_for
from runwidgets.submit.links import LENT
from runwidgets.submit.needs import settled

SCRIPT = """
import sys
import tiny
from runwidgets import Run
run = Run.get_context()
for i in range(3):
    run.log("loss", i)
run.log_list("many", range(20_000))
run.log_row("row", a=1, b="x")
run.log("packages", " ".join(sorted(sys.modules[m].__file__ or "" for m in ("tiny", "msgspec"))))
run.child_run("child").complete()
run.flush()
assert len(run.get_metrics("many")["many"]) == 20_000
print(sys.prefix)
"""


def is_alive(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def eventually(check, seconds=60):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


@pytest.fixture
def wheels(tmp_path):
    """Give a folder of wheels: a `tiny` one, and one that is called like what runwidgets lends."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    make_wheel(folder, "tiny", "1.0", "WHAT = 'the first'\n")
    return folder


def make_wheel(folder: Path, name: str, version: str, code: str, path_file: str = "") -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", code)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        if path_file:
            archive.writestr(f"{name}.pth", path_file)
        archive.writestr(f"{info}/RECORD", "".join(f"{entry},,\n" for entry in archive.namelist()))
    return path


def environment_of(wheels, *packages, **more):
    made = Environment("tiny-environment")
    made.python.conda_dependencies = CondaDependencies.create(pip_packages=packages, **more)
    made.python.conda_dependencies.set_pip_option("--no-index")
    made.python.conda_dependencies.set_pip_option(f"--find-links {wheels}")
    return made.as_dict()


def build(environment, **more):
    log = io.BytesIO()
    return interpreter_for(environment, cache_folder(), log, **more), log.getvalue().decode()


def output_of(interpreter, code, **variables):
    """Run code as a supervisor would, with nothing of this process's path."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(interpreter), "-c", code], check=False, capture_output=True, text=True, env=kept | variables
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# ---- which interpreter


def test_an_environment_in_which_nothing_is_set_is_the_interpreter_that_submits():
    interpreter, log = build(Environment("x").as_dict())
    assert (interpreter, log) == (Path(sys.executable), "")
    assert not cache_folder().exists()


def test_packages_that_runwidgets_stands_for_are_left_out_and_named():
    environment = Environment("x")
    environment.python.conda_dependencies = CondaDependencies.create(
        conda_packages=["python=3.6.2", "pip=20"], pip_packages=["azureml-defaults", "azureml_core==1.2", "runwidgets"]
    )
    interpreter, log = build(environment.as_dict())
    assert interpreter == Path(sys.executable)
    assert "stands for it: azureml-defaults, azureml_core==1.2, runwidgets\n" in log
    assert "Python 3.6.2 is asked for" in log


def test_an_interpreter_that_the_user_manages_is_taken_as_it_is(tmp_path):
    mine = tmp_path / "mine"
    mine.symlink_to(sys.executable)
    environment = Environment("x")
    environment.python.user_managed_dependencies = True
    assert build(environment.as_dict())[0] == Path(sys.executable)
    environment.python.interpreter_path = mine
    assert build(environment.as_dict()) == (mine, "")


def test_an_interpreter_may_be_named_relative_to_the_folder_where_it_is_submitted(tmp_path, monkeypatch):
    (tmp_path / "mine").symlink_to(sys.executable)
    environment = Environment("x")
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = "./mine"
    monkeypatch.chdir(tmp_path)
    kept = settled(environment.as_dict())
    monkeypatch.chdir("/")
    assert build(kept)[0] == tmp_path / "mine"


@pytest.mark.parametrize(
    ("what", "why"), [("absent", "it is not there"), ("folder", "it is a folder"), ("plain", "it is not executable")]
)
def test_an_interpreter_that_cannot_run_is_named_before_anything_starts(tmp_path, what, why):
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").touch()
    environment = Environment("x")
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = str(tmp_path / what)
    with pytest.raises(RunConfigurationError, match=f"{re.escape(str(tmp_path / what))}.*{why}"):
        settled(environment.as_dict())


@pytest.mark.parametrize(
    ("part", "value"),
    [("base_image", "python:3.12"), ("base_dockerfile", "FROM x\n"), ("build_context", "folder")],
)
def test_what_stands_on_an_image_is_refused(part, value):
    environment = Environment("x")
    setattr(environment.docker, part, value)
    with pytest.raises(RunConfigurationError, match="nothing here runs images"):
        settled(environment.as_dict())


# ---- building


@pytest.mark.slow
def test_a_script_in_a_built_environment_has_its_packages_and_logs(wheels, runwidgets_home):
    run = Experiment(Workspace(), "e").start_logging(snapshot_directory=None)
    interpreter, log = build(environment_of(wheels, "tiny"))
    assert "Successfully installed tiny-1.0" in log
    context = {"RUNWIDGETS_RUN_ID": run.id, "RUNWIDGETS_WORKSPACE": "default", "RUNWIDGETS_EXPERIMENT": "e"}
    prefix = output_of(interpreter, SCRIPT, **context)
    assert Path(prefix).is_relative_to(cache_folder())
    run.complete()
    metrics = run.get_metrics()
    assert metrics["loss"] == [0, 1, 2]
    tiny, *lent = sorted(metrics["packages"].split(), key=lambda file: "/tiny/" not in file)
    assert "/site-packages/tiny/" in tiny
    assert all("/lent/" in file for file in lent)
    assert len(list(run.get_children())) == 1
    close_all()

    before = set(cache_folder().rglob("*"))
    again, log = build(environment_of(wheels, "tiny"))
    assert again == interpreter
    assert "is used" in log
    assert set(cache_folder().rglob("*")) == before


@pytest.mark.slow
def test_packages_of_the_environment_come_before_those_that_are_lent_to_it(wheels):
    edited = wheels.parent / "edited"  # as what is installed to be edited in place
    edited.mkdir()
    (edited / "psutil.py").write_text("WHOSE = 'edited'\n")
    make_wheel(wheels, "pathspec", "99.0", "WHOSE = 'its own'\n")
    make_wheel(wheels, "tiny", "1.0", "", path_file=f"{edited}\n")
    interpreter, log = build(environment_of(wheels, "tiny", "pathspec", conda_packages=["pip=20.2.4"]))
    assert "pip 20.2.4 is asked for" in log
    code = "import pathspec, psutil; print(pathspec.WHOSE, psutil.WHOSE, sep=', ')"
    assert output_of(interpreter, code) == "its own, edited"
    lent = interpreter.parent.parent / "lent"
    assert (lent / "pathspec").exists()
    path = output_of(interpreter, "import sys; print(sys.path[-1])")
    assert Path(path).resolve() == lent.resolve()


def test_what_is_lent_is_all_that_logging_imports():
    code = """
import sys
before = set(sys.modules)
from runwidgets import Experiment, Workspace
with Experiment(Workspace(), "e").start_logging() as run:
    run.log_list("many", range(20_000))
    run.child_run("c").complete()
run.get_metrics(); run.get_details(); run.get_file_names()
new = {name: getattr(sys.modules[name], "__file__", None) for name in set(sys.modules) - before}
print(*{name.partition(".")[0] for name, file in new.items() if "site-packages" in (file or "")})
"""
    Path(".amlignore").write_text("*.csv\n")
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    others = {"runwidgets", "typing_extensions"}  # which msgspec asks for, and does without
    found = {name for name in done.stdout.split() if "__mypyc" not in name} - others
    assert found | {"psutil", "filelock"} == set(LENT), "those are for systems without /proc and flock"


@pytest.mark.slow
def test_many_who_want_the_same_environment_at_once_build_it_once(wheels):
    environment = environment_of(wheels, "tiny")
    found: list[tuple[Path, str]] = []
    threads = [threading.Thread(target=lambda: found.append(build(environment))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({interpreter for interpreter, _ in found}) == 1
    assert sum("Successfully installed" in log for _, log in found) == 1


@pytest.mark.slow
def test_an_installation_that_fails_says_why_in_plain_words_and_leaves_nothing(wheels, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as the kernels of notebooks have it
    with pytest.raises(
        EnvironmentBuildError, match=r"(?s)pip install ended with exit code 1.*No matching.*nowhere"
    ) as told:
        build(environment_of(wheels, "nowhere"))
    assert "\x1b" not in str(told.value)
    (folder,) = (place for place in cache_folder().iterdir() if place.is_dir())
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_a_version_of_pip_is_looked_for_where_packages_are(wheels):
    with pytest.raises(EnvironmentBuildError, match=r"No matching distribution found for pip==999\.0"):
        build(environment_of(wheels, "tiny", conda_packages=["pip=999.0"]))


@pytest.mark.slow
def test_a_building_that_was_killed_leaves_no_process_and_is_begun_anew(wheels):
    slow = wheels.parent / "slow"
    slow.mkdir()
    (slow / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n')
    (slow / "b.py").write_text(
        "import os, time\n"
        "def build_wheel(where, config_settings=None, metadata_directory=None):\n"
        f"    open({str(wheels.parent / 'began')!r}, 'w').close()\n"
        f"    while not os.path.exists({str(wheels.parent / 'go')!r}): time.sleep(0.05)\n"
        "    import shutil\n"
        f"    return os.path.basename(shutil.copy({str(wheels / 'tiny-1.0-py3-none-any.whl')!r}, where))\n"
    )
    environment = environment_of(wheels, str(slow))
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from runwidgets.submit.building import *\n"
        f"interpreter_for({environment!r}, cache_folder(), sys.stdout.buffer)"
    )
    builder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, start_new_session=True)
    eventually((wheels.parent / "began").exists)
    started = psutil.Process(builder.pid).children(recursive=True)
    assert len(started) > 1
    builder.kill()
    builder.wait()
    eventually(lambda: not any(is_alive(process) for process in started))
    (wheels.parent / "go").touch()
    interpreter, log = build(environment)
    assert "Successfully installed tiny-1.0" in log
    assert output_of(interpreter, "import tiny; print(tiny.WHAT)") == "the first"


@pytest.mark.slow
def test_canceling_ends_the_building_and_all_its_processes(wheels):
    slow = wheels.parent / "slow"
    slow.mkdir()
    (slow / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n')
    (slow / "b.py").write_text(
        "import time\n"
        "def build_wheel(where, config_settings=None, metadata_directory=None):\n"
        f"    open({str(wheels.parent / 'began')!r}, 'w').close()\n"
        "    time.sleep(3600)\n"
    )
    before = psutil.Process().children(recursive=True)
    with pytest.raises(EnvironmentBuildStoppedError, match="was canceled"):
        build(environment_of(wheels, str(slow)), is_canceled=(wheels.parent / "began").exists)
    assert set(psutil.Process().children(recursive=True)) <= set(before)


@pytest.mark.slow
def test_a_project_on_this_disk_is_installed_anew_when_it_has_changed(wheels):
    file = wheels / "tiny-1.0-py3-none-any.whl"
    first, _ = build(environment_of(wheels, str(file)))
    make_wheel(wheels, "tiny", "1.0", "WHAT = 'the second'\n")
    second, _ = build(environment_of(wheels, str(file)))
    assert output_of(first, "import tiny; print(tiny.WHAT)") == "the first"
    assert output_of(second, "import tiny; print(tiny.WHAT)") == "the second"


@pytest.mark.slow
def test_an_environment_whose_interpreter_has_gone_is_built_again(wheels):
    interpreter, _ = build(environment_of(wheels, "tiny"))
    interpreter.unlink()
    again, log = build(environment_of(wheels, "tiny"))
    assert "Successfully installed" in log
    assert output_of(again, "import tiny; print(tiny.WHAT)") == "the first"
    assert not interpreter.exists()


@pytest.mark.slow
def test_an_environment_can_be_made_before_a_run_wants_it(wheels, capsys):
    environment = Environment.from_dict(environment_of(wheels, "tiny"))
    built = environment.build(Workspace())
    assert built.status == "Succeeded"
    assert capsys.readouterr().out == ""
    assert built.wait_for_completion(show_output=True) is built
    assert "Successfully installed tiny-1.0" in capsys.readouterr().out
    again = environment.build_local(Workspace(), useDocker=False)
    assert again.interpreter == built.interpreter == str(build(environment.as_dict())[0])
    assert "is used" in capsys.readouterr().out


# ---- conda


def test_packages_of_conda_without_conda_are_refused_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    environment = Environment("x")
    environment.python.conda_dependencies = CondaDependencies.create(conda_packages=["scikit-learn", "pip"])
    with pytest.raises(EnvironmentBuildError, match=r"\(scikit-learn\).*name them as packages of pip, install conda"):
        settled(environment.as_dict())


@pytest.fixture
def conda(tmp_path, monkeypatch):
    """Put a program on the PATH that answers as conda does, and makes a virtual environment."""
    place = tmp_path / "bin" / "conda"
    place.parent.mkdir()
    place.write_text(
        f"#!{sys.executable}\n"
        "import json, shutil, subprocess, sys\n"
        "if sys.argv[1:] == ['env', 'list', '--json']:\n"
        f"    print(json.dumps({{'envs': [{str(tmp_path)!r}, {str(tmp_path / 'envs' / 'ml')!r}]}}))\n"
        "else:\n"
        "    env, create, _, prefix, _, file = sys.argv[1:]\n"
        "    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', prefix], check=True)\n"
        "    shutil.copy(file, prefix + '/spec.yml')\n"
        "    print('conda has made it')\n"
    )
    place.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place.parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_conda_makes_an_environment_of_its_packages_and_it_logs(conda):
    environment = Environment("x")
    environment.python.conda_dependencies = CondaDependencies.create(
        conda_packages=["numpy=2"], pip_packages=["azureml-defaults", "rich"]
    )
    environment.python.conda_dependencies.add_channel("conda-forge")
    interpreter, log = build(settled(environment.as_dict()))
    assert "conda has made it" in log
    specification = CondaDependencies(interpreter.parent.parent / "spec.yml")
    python = f"python={sys.version_info[0]}.{sys.version_info[1]}"
    assert specification.conda_packages == [python, "numpy=2", "pip"]
    assert (specification.pip_packages, specification.conda_channels) == (["rich"], ["conda-forge"])
    assert output_of(interpreter, "import runwidgets, msgspec; print('fine')") == "fine"
    assert build(environment.as_dict())[0] == interpreter


def test_a_python_of_conda_that_is_too_old_to_log_is_refused(conda):
    environment = Environment("x")
    environment.python.conda_dependencies = CondaDependencies.create(conda_packages=["numpy"], python_version="3.6.2")
    with pytest.raises(EnvironmentBuildError, match=r"fixes Python to 3\.6\.2.*set_python_version"):
        settled(environment.as_dict())


def test_an_existing_environment_of_conda_is_run_as_it_is(conda):
    found = Environment.from_existing_conda_environment("x", "ml")
    assert found.python.user_managed_dependencies
    assert found.python.interpreter_path == str(conda / "envs" / "ml" / "bin" / "python")
    with pytest.raises(LookupError, match="has base, ml"):
        Environment.from_existing_conda_environment("x", "absent")
