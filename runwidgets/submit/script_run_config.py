"""`ScriptRunConfig`: a folder, the script in it, and how to run that; and what of it is true when it is submitted."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import RunConfigurationError
from runwidgets.submit.closed import Closed
from runwidgets.submit.definition import Program
from runwidgets.submit.distributed import distribute, process_count
from runwidgets.submit.needs import needs_of, settled
from runwidgets.submit.run_configuration import LOCAL, RunConfiguration
from runwidgets.submit.sections import DockerConfiguration
from runwidgets.submit.submitting import submit_program
from runwidgets.submit.words import texts_of, words_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from runwidgets.experiment import Experiment
    from runwidgets.submit.environment import Environment
    from runwidgets.submit.script_run import ScriptRun

_log = logging.getLogger(__name__)
DEFAULT_DURATION_SECONDS: Final = 2592000
"""How long a script may run by default: 30 days, in seconds."""


class ScriptRunConfig(Closed):
    """A folder with a script, and how to run it: what `Experiment.submit` takes.

    All of it can be changed until it is submitted: ``config.run_config.environment = environment``.

    Parameters
    ----------
    source_directory
        The project's folder, of which a snapshot is taken; None for the current folder.
    script
        The script's path in it.
    arguments
        What the script gets, a list of texts, numbers, bools and paths; each is given as its text.
    run_config
        A `RunConfiguration` that says the rest. Then ``compute_target``, ``environment``,
        ``distributed_job_config``, ``docker_runtime_config`` and ``max_run_duration_seconds`` are not used, which is a
        warning. What it says of script, arguments and command holds where they are not given here.
    _telemetry_values
        Accepted and unused: nothing is sent.
    compute_target
        A compute target or its name; by default this machine.
    environment
        By default the interpreter that submits.
    distributed_job_config
        A `PyTorchConfiguration` or `MpiConfiguration`, for several processes.
    resume_from
        Refused when it is submitted: pass the path of what to resume from in ``arguments``.
    max_run_duration_seconds
        How long it may run, by default 30 days; None for as long as it takes.
    command
        Instead of script and arguments, what to run: a list of words, or one text for a shell.
    docker_runtime_config
        A `DockerConfiguration`; nothing here runs images, and one that wants docker is a warning.

    Raises
    ------
    RunConfigurationError
        If ``run_config``, ``environment``, ``distributed_job_config`` or ``docker_runtime_config`` is of another kind,
        or ``arguments`` are no list, or one of them is nothing that has a text, such as None, a dict or a list.
    """

    source_directory: Any
    script: Any
    arguments: Any
    command: Any
    run_config: RunConfiguration
    resume_from: Any

    def __init__(  # noqa: PLR0917 (SDK v1's signature)
        self,
        source_directory: str | os.PathLike[str] | None = None,
        script: str | os.PathLike[str] | None = None,
        arguments: Iterable[Any] | None = None,
        run_config: RunConfiguration | None = None,
        _telemetry_values: object = None,
        compute_target: Any = None,
        environment: Environment | None = None,
        distributed_job_config: object = None,
        resume_from: object = None,
        max_run_duration_seconds: float | None = DEFAULT_DURATION_SECONDS,
        command: str | Iterable[Any] | None = None,
        docker_runtime_config: DockerConfiguration | None = None,
    ) -> None:
        if docker_runtime_config is not None and not isinstance(docker_runtime_config, DockerConfiguration):
            raise RunConfigurationError(
                f"docker_runtime_config is a DockerConfiguration, not {type(docker_runtime_config).__name__}: "
                f"{docker_runtime_config!r}"
            )
        self.source_directory = source_directory
        self.resume_from = resume_from
        if run_config is not None:
            self.run_config = run_config
            _warn_of_unused(
                compute_target=compute_target,
                environment=environment,
                distributed_job_config=distributed_job_config,
                docker_runtime_config=docker_runtime_config,
                max_run_duration_seconds=(
                    None if max_run_duration_seconds == DEFAULT_DURATION_SECONDS else max_run_duration_seconds
                ),
            )
        else:
            self.run_config = RunConfiguration()
            self.run_config.target = compute_target if compute_target is not None else LOCAL
            self.run_config.max_run_duration_seconds = max_run_duration_seconds
            if environment is not None:
                self.run_config.environment = environment
            if distributed_job_config is not None:
                distribute(self.run_config, distributed_job_config)
            if docker_runtime_config is not None:
                self.run_config.docker = docker_runtime_config
        says_what = script is not None or command is not None
        self.script = script if says_what else self.run_config.script
        self.command = _own(command if says_what else self.run_config.command)
        self.arguments = words_of("arguments", arguments if arguments is not None else self.run_config.arguments)

    def checked(self) -> Program:
        """Check everything, and give what is to run; nothing is written or started.

        Returns
        -------
        Program
            With all that running it needs.

        Raises
        ------
        RunConfigurationError
            If the folder or the script is not there, the script is not in the folder, neither or both of script and
            command are given, or the configuration asks for what does not run on one machine.
        EnvironmentBuildError
            If packages of conda are asked for and there is no conda.
        """
        folder = _folder(self.source_directory)
        config = self.run_config
        if self.resume_from is not None:
            raise RunConfigurationError("resume_from is not supported: pass the path to resume from in arguments")
        if str(config.framework).lower().startswith("pyspark"):
            raise RunConfigurationError(f"framework is {config.framework!r}, and there is no Spark here: use 'Python'")
        if config.docker.use_docker or config.environment.docker.enabled:
            _log.warning(
                "docker is asked for, and nothing here runs images: the script runs on this machine without one"
            )
        arguments = texts_of("arguments", self.arguments)
        script, command = self._program(folder, arguments)
        environment = settled(config.environment.as_dict())
        needs = needs_of(environment)
        running = f"{sys.version_info.major}.{sys.version_info.minor}"
        if needs.python and not needs.conda and ".".join(needs.python.split(".")[:2]) != running:
            _log.warning(
                "environment %r asks for Python %s, and this is %s, which is used: another needs a package of conda in "
                "the environment, or python.interpreter_path",
                needs.name,
                needs.python,
                running,
            )
        interpreter = None if needs.pip or needs.conda else str(needs.interpreter or sys.executable)
        return Program(
            source_directory=str(folder),
            script=script,
            arguments=arguments,
            command=command,
            target=config.target_name,
            environment=environment,
            interpreter=interpreter,
            environment_variables=_variables(config.environment.environment_variables, config.environment_variables),
            process_count=process_count(config),
            communicator="" if str(config.communicator or "None") == "None" else str(config.communicator),
            max_run_duration_seconds=_duration(config.max_run_duration_seconds),
            priority=config.priority,
            collects_outputs=bool(config.history.output_collection),
            takes_snapshot=bool(config.history.snapshot_project),
            watched_directories=[str(name) for name in config.history.directories_to_watch or ()],
        )

    def _submit(self, experiment: Experiment, tags: Mapping[str, Any] | None = None, **wanted: Any) -> ScriptRun:
        return submit_program(experiment, self.checked(), tags, **wanted)

    def _program(self, folder: Path, arguments: list[str]) -> tuple[str | None, str | list[str] | None]:
        if self.script is not None and self.command is not None:
            raise RunConfigurationError(
                f"script ({self.script!s}) and command ({self.command!r}) were both given: give one of them"
            )
        if self.script is not None:
            return _script(folder, self.script), None
        if self.command is None:
            raise RunConfigurationError(
                f"neither script nor command was given: ScriptRunConfig(source_directory={str(folder)!r}, "
                "script='train.py')"
            )
        if arguments:
            raise RunConfigurationError("arguments are for a script: put those of a command into the command")
        words = [self.command] if isinstance(self.command, str) else texts_of("command", self.command)
        if not any(word.strip() for word in words):
            raise RunConfigurationError(f"command is {self.command!r}: there is nothing to run")
        # SDK v1 hands its words to a shell, so that a single one may be a whole line.
        return None, words[0] if len(words) == 1 else words


def _warn_of_unused(**arguments: object) -> None:
    if unused := [name for name, value in arguments.items() if value is not None]:
        _log.warning(
            "ScriptRunConfig: run_config was given, so %s is not used; set it on run_config", ", ".join(unused)
        )


def _own(command: Any) -> Any:
    return command if command is None or isinstance(command, str) else words_of("command", command)


def _folder(source_directory: Any) -> Path:
    try:
        folder = Path(source_directory if source_directory is not None else ".").expanduser().resolve()
    except TypeError as error:
        raise RunConfigurationError(
            f"source_directory is a path, not {type(source_directory).__name__}: {source_directory!r}"
        ) from error
    if folder.is_file():
        raise RunConfigurationError(
            f"source_directory is {folder}, a file: give its folder, {folder.parent}, and script={folder.name!r}"
        )
    if not folder.is_dir():
        raise RunConfigurationError(f"source_directory is {folder}, and there is no such folder")
    return folder


def _script(folder: Path, script: Any) -> str:
    try:
        path: Path = folder / script
    except TypeError as error:
        raise RunConfigurationError(f"script is a path, not {type(script).__name__}: {script!r}") from error
    place = path.resolve()
    inside = "The script should be inside the project folder"
    if not place.is_relative_to(folder):
        raise RunConfigurationError(f"{path}: the script leads out of {folder}. {inside}")
    if not place.exists():
        raise RunConfigurationError(f"{path}: the script path doesn't exist. {inside}")
    if not place.is_file():
        raise RunConfigurationError(f"{path}: the script is a folder. {inside}, and be a file")
    return place.relative_to(folder).as_posix()


def _variables(*layers: Mapping[str, Any]) -> dict[str, str]:
    variables = {str(name): str(value) for layer in layers for name, value in (layer or {}).items()}
    if bad := [name for name, value in variables.items() if not name or "=" in name or "\0" in name + value]:
        raise RunConfigurationError(f"environment_variables cannot have {bad[0]!r}: no system takes it")
    return variables


def _duration(seconds: Any) -> float | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        raise RunConfigurationError(f"max_run_duration_seconds is {seconds!r}: it is a number of seconds above 0")
    return float(seconds)
