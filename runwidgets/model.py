"""`Model`: files that are kept under a name, in versions, beyond the runs that they come from."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from runwidgets.choosing import WantedModels, split_id, version_number
from runwidgets.errors import ModelNotFoundError, NotFoundError, UserError
from runwidgets.registering import copy_out, is_model_name, models_of, property_texts, register_path, text_of

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterable, Mapping

    from runwidgets.run import Run
    from runwidgets.store.models import ModelRecord
    from runwidgets.workspace import Workspace


class Framework(StrEnum):
    """Names of frameworks, as SDK v1 writes them."""

    CUSTOM = "Custom"
    MULTI = "Multi"
    ONNX = "Onnx"
    PYTORCH = "PyTorch"
    SCIKITLEARN = "ScikitLearn"
    TENSORFLOW = "TensorFlow"


class Model:
    """A version of a registered model: a file or a folder, with what is said of it.

    ``Model(workspace, name)`` opens the newest version of those that have all that is asked for.

    Parameters
    ----------
    workspace
        Where it is.
    name
        Its name.
    id
        Name and version at once: ``"name:version"``.
    tags, properties
        Only one with these: a list of keys, and of pairs ``[key, value]``; a dict of values by key.
    version
        Only this version.
    run_id
        Only one from this run.
    model_framework
        Only one of this framework.
    expand
        Accepted, as in SDK v1.

    Raises
    ------
    ModelNotFoundError
        If there is no such model; the message lists those that there are.
    UserError
        If nothing is said about which is wanted.
    """

    Framework = Framework

    def __init__(  # noqa: PLR0917 (SDK v1's signature)
        self,
        workspace: Workspace,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (SDK v1's name)
        tags: Any = None,
        properties: Any = None,
        version: int | str | None = None,
        run_id: str | None = None,
        model_framework: str | None = None,
        expand: bool = True,  # noqa: ARG002
    ) -> None:
        if not any((name, id, tags, properties, run_id)):
            raise UserError("Model(): say which is wanted: its name, id, tags, properties, or run_id")
        if id is not None:
            name, version = split_id(id, name, version)
        wanted = WantedModels(tags, properties, run_id, model_framework, version_number(version))
        found = wanted.among(_records(workspace, name))
        if not found:
            raise _not_found(workspace, name, version)
        self._workspace = workspace
        self._record = found[0] if name is not None else max(found, key=lambda record: record.created_at)

    @classmethod
    def _of(cls, workspace: Workspace, record: ModelRecord) -> Model:
        model = cls.__new__(cls)
        model._workspace, model._record = workspace, record
        return model

    # ---- registering and finding

    @staticmethod
    def register(  # noqa: PLR0917 (SDK v1's signature)
        workspace: Workspace,
        model_path: str | os.PathLike[str],
        model_name: str,
        tags: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
        description: str | None = None,
        datasets: object = None,  # noqa: ARG004
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        child_paths: Iterable[str] | None = None,
        sample_input_dataset: object = None,  # noqa: ARG004
        sample_output_dataset: object = None,  # noqa: ARG004
        resource_configuration: object = None,  # noqa: ARG004
        **kwargs: object,  # noqa: ARG004
    ) -> Model:
        """Keep a file or a folder of this machine as the next version of a model; it is copied.

        Parameters
        ----------
        workspace
            Where to.
        model_path
            The file or folder.
        model_name
            Begins with an ASCII letter or digit and holds only letters, digits, ``-``, ``.`` and ``_``; at most 255.
        tags, properties, description
            What to say of it; tags and the description can be changed later, properties only added to.
        model_framework, model_framework_version
            Such as ``Model.Framework.SCIKITLEARN``; kept and given back.
        child_paths
            Of a folder, only these files and folders, by their names in it.
        datasets, sample_input_dataset, sample_output_dataset, resource_configuration, **kwargs
            Accepted, as in SDK v1, and unused.

        Raises
        ------
        ModelPathNotFoundError
            If there is nothing at the path.
        UserError
            If the name cannot be a model's.
        OSError
            If it cannot be read, or the workspace cannot be written.
        """
        record = register_path(
            workspace, model_name, model_path, child_paths, tags=tags, properties=properties, description=description,
            model_framework=model_framework, model_framework_version=model_framework_version,
        )  # fmt: skip
        return Model._of(workspace, record)

    @staticmethod
    def list(  # noqa: PLR0917 (SDK v1's signature)
        workspace: Workspace,
        name: str | None = None,
        tags: Any = None,
        properties: Any = None,
        run_id: str | None = None,
        latest: bool = False,
        dataset_id: str | None = None,
        expand: bool = True,  # noqa: ARG004
        page_count: int = 255,  # noqa: ARG004
        model_framework: str | None = None,
    ) -> builtins.list[Model]:
        """List models, the newest first.

        Parameters
        ----------
        workspace
            Where they are.
        name
            Only versions of this model.
        tags, properties
            Only those with these, as for `Model`.
        run_id
            Only those from this run.
        latest
            Of each model only the newest of these versions.
        dataset_id
            Only those of this dataset: there are none here.
        model_framework
            Only those of this framework.
        expand, page_count
            Accepted, as in SDK v1.

        Raises
        ------
        UserError
            If a filter is of another form.
        StoreError
            If they cannot be read.
        """
        found = WantedModels(tags, properties, run_id, model_framework, None).among(_records(workspace, name))
        if dataset_id is not None:
            return []
        if latest:
            newest: dict[str, ModelRecord] = {}
            for record in found:  # of each name the newest comes first
                newest.setdefault(record.name, record)
            found = [*newest.values()]
        found.sort(key=lambda record: (record.created_at, record.version), reverse=True)
        return [Model._of(workspace, record) for record in found]

    @staticmethod
    def get_model_path(model_name: str, version: int | str | None = None, _workspace: Workspace | None = None) -> str:
        """Give where a model lies on this machine, for a scoring script to load it; it is not to be changed there.

        Parameters
        ----------
        model_name
            Its name.
        version
            By default the newest.
        _workspace
            Where it is; by default that of the script's run, or the one that `Workspace.from_config` finds.

        Raises
        ------
        ModelNotFoundError
            If there is no such model.
        """
        from runwidgets.context import WORKSPACE
        from runwidgets.workspace import Workspace

        submitted = os.environ.get(WORKSPACE)
        there = _workspace or (Workspace(workspace_name=submitted) if submitted else Workspace.from_config())
        return str(Model(there, model_name, version=version)._place)

    # ---- what it is

    @property
    def workspace(self) -> Workspace:
        """The workspace it is in."""
        return self._workspace

    @property
    def name(self) -> str:
        """Its name."""
        return self._record.name

    @property
    def version(self) -> int:
        """Its version, counting from 1."""
        return self._record.version

    @property
    def id(self) -> str:
        """``name:version``."""
        return f"{self.name}:{self.version}"

    @property
    def url(self) -> str:
        """The address of its file or folder on this machine."""
        return self._place.absolute().as_uri()

    @property
    def description(self) -> str | None:
        """What is said of it."""
        return self._record.description

    @property
    def tags(self) -> dict[str, str | None]:
        """Its tags as this object last saw or set them; `refresh` asks anew."""
        return dict(self._record.tags)

    @property
    def properties(self) -> dict[str, str]:
        """Its properties as this object last saw or added them."""
        return dict(self._record.properties)

    @property
    def created_time(self) -> datetime:
        """When it was registered, in UTC."""
        return datetime.fromtimestamp(self._record.created_at, UTC)

    @property
    def run_id(self) -> str | None:
        """The id of the run that it comes from, or None."""
        return self._record.run_id

    @property
    def experiment_name(self) -> str | None:
        """The name of the experiment that it comes from, or None."""
        return self._record.experiment_name

    @property
    def run(self) -> Run | None:
        """The run that it comes from; None where it comes from none, or that is deleted."""
        if self.run_id is None:
            return None
        from runwidgets.run import Run

        try:
            return Run.get(self._workspace, self.run_id)
        except NotFoundError:
            return None

    @property
    def model_framework(self) -> str | None:
        """Its framework, as given."""
        return self._record.framework

    @property
    def model_framework_version(self) -> str | None:
        """The version of its framework, as given."""
        return self._record.framework_version

    @property
    def _place(self) -> Path:
        return models_of(self._workspace).place(self._record)

    # ---- what can be done with it

    def download(
        self, target_dir: str | os.PathLike[str] = ".", exist_ok: bool = False, exists_ok: bool | None = None
    ) -> str:
        """Copy it out.

        Parameters
        ----------
        target_dir
            The folder to copy it to; it is made where it is missing.
        exist_ok
            Whether files of its names that are there are replaced.
        exists_ok
            The same, by SDK v1's older name.

        Returns
        -------
        str
            Where it is now: the path of its file or folder.

        Raises
        ------
        UserError
            If something of its name is there already.
        ModelNotFoundError
            If it was deleted.
        """
        self.refresh()
        target = Path(target_dir) / self._record.path
        if (target.exists() or target.is_symlink()) and not (exist_ok if exists_ok is None else exists_ok):
            raise UserError(f"download(): {target} is there already: give another target_dir, or exist_ok=True")
        copy_out(self._place, target)
        return str(target)

    def refresh(self) -> None:
        """Ask what is said of it now.

        Raises
        ------
        ModelNotFoundError
            If it was deleted.
        """
        record = models_of(self._workspace).read(self.name, self.version)
        if record is None:
            raise _not_found(self._workspace, self.name, self.version)
        self._record = record

    def delete(self) -> None:
        """Delete this version, and its files; its number is not given again. Doing it twice does no harm."""
        models_of(self._workspace).delete(self.name, self.version)

    def update(
        self,
        tags: Mapping[str, Any] | None = None,
        description: str | None = None,
        sample_input_dataset: object = None,  # noqa: ARG002
        sample_output_dataset: object = None,  # noqa: ARG002
        resource_configuration: object = None,  # noqa: ARG002
    ) -> None:
        """Say other things of it.

        Parameters
        ----------
        tags
            What its tags are from now on, all of them; None leaves them.
        description
            What is said of it from now on; None leaves that.
        sample_input_dataset, sample_output_dataset, resource_configuration
            Accepted, as in SDK v1, and unused.

        Raises
        ------
        ModelNotFoundError
            If it was deleted.
        """
        from runwidgets.recording import tag_texts

        changes: dict[str, Any] = {} if tags is None else {"tags": tag_texts(tags)}
        if description is not None:
            changes["description"] = text_of("description", description)
        self._change(lambda record: msgspec.structs.replace(record, **changes))

    def add_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags, in addition to those that are there; raises as `update` does."""
        from runwidgets.recording import tag_texts

        texts = tag_texts(tags)
        self._change(lambda record: msgspec.structs.replace(record, tags={**record.tags, **texts}))

    def remove_tags(self, tags: Iterable[str]) -> None:
        """Take tags away, by their keys; raises as `update` does."""
        from runwidgets.recording import tag_keys

        gone = set(tag_keys(tags))
        self._change(
            lambda record: msgspec.structs.replace(
                record, tags={key: value for key, value in record.tags.items() if key not in gone}
            )
        )

    def add_properties(self, properties: Mapping[str, Any]) -> None:
        """Add properties, which never change.

        Raises
        ------
        UserError
            If one of them has another value already.
        ModelNotFoundError
            If it was deleted.
        """
        texts = property_texts(properties)

        def added(record: ModelRecord) -> ModelRecord:
            for key, value in texts.items():
                if record.properties.get(key, value) != value:
                    raise UserError(
                        f"the property {key!r} of the model {self.id} is {record.properties[key]!r} already: "
                        "properties can be added, not changed"
                    )
            return msgspec.structs.replace(record, properties={**record.properties, **texts})

        self._change(added)

    def _change(self, change: Callable[[ModelRecord], ModelRecord]) -> None:
        self._record = models_of(self._workspace).change(self.name, self.version, change)

    def serialize(self) -> dict[str, Any]:
        """Tell all about it, as a dict for JSON."""
        return {
            "id": self.id, "name": self.name, "version": self.version, "description": self.description,
            "tags": self.tags, "properties": self.properties, "url": self.url, "runId": self.run_id,
            "experimentName": self.experiment_name, "framework": self.model_framework,
            "frameworkVersion": self.model_framework_version, "createdTime": self.created_time.isoformat(),
        }  # fmt: skip

    def __repr__(self) -> str:
        return (
            f"Model(workspace={self._workspace!r}, name={self.name}, id={self.id}, version={self.version}, "
            f"tags={self.tags}, properties={self.properties})"
        )

    def _repr_html_(self) -> str:
        from runwidgets.reprs import as_table

        return as_table({
            "Name": self.name, "Version": str(self.version), "Created": f"{self.created_time:%Y-%m-%d %H:%M}",
            "Run": self.run_id, "Description": self.description,
        })  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and (self._workspace, self.id) == (other._workspace, other.id)

    def __hash__(self) -> int:
        return hash((self._workspace, self.id))


def _records(workspace: Workspace, name: str | None) -> Iterable[ModelRecord]:
    return models_of(workspace).records(name) if name is None or is_model_name(name) else ()


def _not_found(workspace: Workspace, name: str | None, version: object) -> ModelNotFoundError:
    which = "no such model" if name is None else f"no model {name if version is None else f'{name}:{version}'!r}"
    there = ", ".join(f"{record.name}:{record.version}" for record in models_of(workspace).records()) or "none"
    return ModelNotFoundError(
        f"the workspace {workspace.name!r} has {which} with all that was asked for; it has: {there}"
    )
