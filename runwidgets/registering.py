"""What is registered as a model: files of this machine, or of a run, and what is said of them."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.errors import ArgumentTypeError, ModelPathNotFoundError, UserError
from runwidgets.values import stored_text

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from runwidgets.run import Run
    from runwidgets.store.models import ModelRecord, ModelStore
    from runwidgets.workspace import Workspace

_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-._]{0,254}", re.ASCII)


def models_of(workspace: Workspace) -> ModelStore:
    """Give where the models of a workspace lie."""
    from runwidgets.store.models import ModelStore

    return ModelStore(workspace._folder / "models")


def is_model_name(name: object) -> bool:
    """Tell whether something can be the name of a model."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def register_path(
    workspace: Workspace, name: str, path: str | os.PathLike[str], child_paths: Iterable[str] | None, **about: Any
) -> ModelRecord:
    """Keep a file or folder of this machine as the next version of a model; raises as `Model.register` does."""
    source = Path(path)
    if not source.exists():
        raise ModelPathNotFoundError(f"there is no file or folder {source} to register as the model {name!r}")
    children = [""] if child_paths is None else [_child(source, child) for child in child_paths]
    record = _new_record(workspace, name, source.resolve().name, **about)

    def fill(folder: Path) -> None:
        for child in children:
            copy_out(source / child, folder / record.path / child)

    return models_of(workspace).add(record, fill)


def register_from_run(
    run: Run, model_name: str, model_path: str | None, files: Sequence[str], **about: Any
) -> ModelRecord:
    """Keep files of a run as the next version of a model.

    Parameters
    ----------
    run
        The run.
    model_name
        The model's name.
    model_path
        A file of the run, or a folder in it; by default what is called as the model is.
    files
        The names of all files of the run.
    **about
        Tags, properties, description, framework and its version, as `Model.register` has them.

    Raises
    ------
    ModelPathNotFoundError
        If the run has no such file; the message lists those that it has.
    UserError
        If the name cannot be a model's.
    """
    workspace = run.experiment.workspace
    wanted = "/".join(part for part in str(model_path or model_name).split("/") if part not in ("", "."))
    found = [name for name in files if name == wanted or name.startswith(f"{wanted}/")] if wanted else []
    if not found:
        raise ModelPathNotFoundError(
            f"run {run.id} has no file or folder {wanted!r} to register as the model {model_name!r}; it has: "
            f"{', '.join(files) or 'none'}. What is in ./outputs is the run's when it has ended, and at once what "
            "upload_file() is given"
        )
    last = wanted.rpartition("/")[2]
    record = _new_record(workspace, model_name, last, **about)
    record = msgspec.structs.replace(record, run_id=run.id, experiment_name=run.experiment.name)

    def fill(folder: Path) -> None:
        for name in found:
            copy_out(workspace._files.path(run.id, name), folder / f"{last}{name[len(wanted) :]}")

    return models_of(workspace).add(record, fill)


def _new_record(  # noqa: PLR0917 (private)
    workspace: Workspace,
    name: object,
    path: str,
    tags: Mapping[str, Any] | None,
    properties: Mapping[str, Any] | None,
    description: str | None,
    model_framework: str | None,
    model_framework_version: str | None,
) -> ModelRecord:
    from runwidgets.recording import tag_texts
    from runwidgets.store.models import ModelRecord

    if not isinstance(name, str) or not is_model_name(name):
        raise UserError(
            f"model_name is {name!r}: it must begin with a letter or digit and hold only letters, digits, '-', '.' and "
            "'_', at most 255"
        )
    if not workspace._is_kept:
        workspace._keep()  # a workspace begins to exist with its first model too
    return ModelRecord(
        name=name, version=0, path=stored_text(path), created_at=time.time(),
        description=None if description is None else text_of("description", description), tags=tag_texts(tags or {}),
        properties=property_texts(properties or {}),
        framework=None if model_framework is None else str(model_framework),
        framework_version=None if model_framework_version is None else str(model_framework_version),
    )  # fmt: skip


def text_of(what: str, value: object) -> str:
    """Give a text as it is stored; raise `ArgumentTypeError` for what is none."""
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{what} is a {type(value).__name__}: give a str")
    return stored_text(value)


def property_texts(properties: Mapping[str, Any]) -> dict[str, str]:
    """Give properties as texts by key; raise `ArgumentTypeError` for what is no dict."""
    if not hasattr(properties, "items"):
        raise ArgumentTypeError(f"properties are a dict, not {type(properties).__name__}")
    return {stored_text(str(key)): stored_text(str(value)) for key, value in properties.items()}


def _child(source: Path, name: str) -> str:
    from runwidgets.store.files import checked_name

    child = checked_name(str(name))
    if not (source / child).exists():
        raise ModelPathNotFoundError(f"there is no file or folder {child!r} in {source}, which child_paths names")
    return child


def copy_out(source: Path, target: Path) -> None:
    """Copy a file, or a folder with all that is in it; files of the same names are replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)
