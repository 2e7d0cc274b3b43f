"""`Workspace`: a folder on this machine that holds experiments and their runs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.configuration import (
    Description,
    find_config,
    given,
    keep_description,
    read_config,
    read_description,
    workspace_details,
    write_config,
)
from runwidgets.errors import ArgumentTypeError, StoreError, UserError, WorkspaceNotFoundError
from runwidgets.home import folder_of, is_workspace, not_found, workspace_names
from runwidgets.system import may_be_written

if TYPE_CHECKING:
    import builtins
    import os
    from collections.abc import Mapping

    from runwidgets.compute import ComputeTarget
    from runwidgets.experiment import Experiment
    from runwidgets.limits import Limits
    from runwidgets.model import Model
    from runwidgets.run import Run
    from runwidgets.store.contract import Store
    from runwidgets.store.files import FileRoot
    from runwidgets.store.recorder import Recorder
    from runwidgets.submit.environment import Environment

_log = logging.getLogger(__name__)
_FOR_AZURE_ALONE: Final = frozenset({
    "storage_account", "key_vault", "app_insights", "container_registry", "adb_workspace",
    "primary_user_assigned_identity", "cmk_keyvault", "resource_cmk_uri", "hbi_workspace",
    "default_cpu_compute_target", "default_gpu_compute_target", "private_endpoint_config",
    "private_endpoint_auto_approval", "user_assigned_identity_for_cmk_encryption", "system_datastores_auth_mode",
    "v1_legacy_mode",
})  # fmt: skip


class Workspace:
    """A place for experiments and runs: one folder, one embedded store.

    To open one writes nothing. It begins to exist with `create`, or when it is first used; what is given then is kept
    in its folder. Whoever opens it later sees what they give, and for the rest what is kept.

    Parameters
    ----------
    subscription_id, resource_group, tags
        Kept and given back; nothing is looked up anywhere.
    workspace_name
        Which workspace: a folder of that name under ``RUNWIDGETS_HOME``, by default ``~/.runwidgets``.
    auth, sku
        Accepted and unused, as the arguments with an underscore are: nobody signs in, nothing is sent.
    strict
        Whether to warn, once for each kind, where a call goes past what the service of SDK v1 would have taken. Nothing
        is refused for it. It holds for this object, and is not kept.

    Raises
    ------
    UserError
        If the name cannot be a workspace's.
    """

    def __init__(  # noqa: PLR0917 (SDK v1's signature)
        self,
        subscription_id: str | None = "",
        resource_group: str | None = "",
        workspace_name: str = "default",
        auth: object = None,  # noqa: ARG002 (SDK v1's signature)
        _location: str | None = None,
        _disable_service_check: bool = False,
        _workspace_id: str | None = None,
        sku: str = "basic",  # noqa: ARG002 (SDK v1 ignores it too)
        tags: Mapping[str, Any] | None = None,
        _cloud: str = "AzureCloud",
        *,
        strict: bool = False,
    ) -> None:
        self._folder = folder_of(workspace_name, "workspace_name")
        self._name = workspace_name
        self._given = given(
            subscription_id=subscription_id, resource_group=resource_group, location=_location, tags=tags
        )
        kept = read_description(self._folder)
        self._is_kept = kept is not None
        self._about = msgspec.structs.replace(kept or Description(), **self._given)
        self._limits: Limits | None = None
        if strict:
            from runwidgets.limits import Limits

            self._limits = Limits()

    @classmethod
    def create(  # noqa: PLR0917 (SDK v1's signature)
        cls,
        name: str,
        auth: object = None,  # noqa: ARG003
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        create_resource_group: bool = True,  # noqa: ARG003
        sku: str = "basic",
        tags: Mapping[str, Any] | None = None,
        friendly_name: str | None = None,
        *,
        exist_ok: bool = False,
        show_output: bool = True,  # noqa: ARG003 (there is nothing to wait for)
        strict: bool = False,
        **azure: object,
    ) -> Workspace:
        """Make a workspace.

        Parameters
        ----------
        name
            Its name: begins with an ASCII letter or digit and holds only letters, digits, ``_``, ``-`` and ``.``; at
            most 255.
        subscription_id, resource_group, location, sku, tags, friendly_name
            Kept in its folder and given back by whoever opens it.
        exist_ok
            Whether one that exists already is opened, as it is.
        strict
            As for `Workspace`.
        auth, create_resource_group, show_output, **azure
            What else SDK v1's ``create`` takes is accepted, and unused.

        Raises
        ------
        UserError
            If it exists already and ``exist_ok`` is not set, or the name cannot be a workspace's.
        StoreError
            If its folder cannot be made.
        """
        if unknown := sorted(azure.keys() - _FOR_AZURE_ALONE):
            raise ArgumentTypeError(f"Workspace.create() has no argument {', '.join(unknown)}")
        folder = folder_of(name)
        about = Description(**given(
            subscription_id=subscription_id, resource_group=resource_group, location=location, sku=sku, tags=tags,
            friendly_name=friendly_name,
        ))  # fmt: skip
        is_new = not is_workspace(folder)
        try:
            is_new = (is_new or exist_ok) and keep_description(folder, about)  # of many at once, one makes it
        except OSError as error:
            raise StoreError(
                f"the workspace's folder {folder} cannot be made ({error}): "
                "set RUNWIDGETS_HOME to a folder that this user can write"
            ) from error
        if not is_new and not exist_ok:
            raise UserError(
                f"the workspace {name!r} exists already, in {folder}: open it with Workspace.get({name!r}), "
                "or give exist_ok=True"
            )
        return cls(workspace_name=name, strict=strict)

    @classmethod
    def get(  # noqa: PLR0917 (SDK v1's signature)
        cls,
        name: str,
        auth: object = None,  # noqa: ARG003
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        cloud: str = "AzureCloud",  # noqa: ARG003
        id: str | None = None,  # noqa: A002, ARG003 (SDK v1's name)
        *,
        strict: bool = False,
    ) -> Workspace:
        """Open a workspace that exists.

        Parameters
        ----------
        name
            Its name.
        subscription_id, resource_group, location
            What it shows of these; by default what is kept. They choose no workspace.
        strict
            As for `Workspace`.
        auth, cloud, id
            Accepted and unused.

        Raises
        ------
        NotFoundError
            If there is none; the message lists those that there are. It is a `UserError` too.
        """
        if not is_workspace(folder_of(name)):
            raise not_found(name)
        return cls(subscription_id, resource_group, name, _location=location, strict=strict)

    @staticmethod
    def list(
        subscription_id: str | None = None,  # noqa: ARG004 (SDK v1's signature)
        auth: object = None,  # noqa: ARG004
        resource_group: str | None = None,  # noqa: ARG004
    ) -> dict[str, builtins.list[Workspace]]:
        """List all workspaces under ``RUNWIDGETS_HOME``.

        Parameters
        ----------
        subscription_id, auth, resource_group
            Accepted and unused: what lies on this machine is listed, whatever it was called with.

        Returns
        -------
        dict
            A list of one `Workspace` by name.
        """
        return {name: [Workspace(workspace_name=name)] for name in workspace_names()}

    @classmethod
    def from_config(
        cls,
        path: str | os.PathLike[str] | None = None,
        auth: object = None,
        _logger: object = None,
        _file_name: str | None = None,
        *,
        strict: bool = False,
    ) -> Workspace:
        """Open the workspace that a configuration file names.

        Parameters
        ----------
        path
            A configuration file, or a folder: then ``.azureml/config.json``, ``aml_config/config.json`` or
            ``config.json`` in it or the nearest folder above. By default the current folder.
        auth
            Accepted and unused.
        strict
            As for `Workspace`.

        Returns
        -------
        Workspace
            The one that the file names; the workspace ``default`` where no ``path`` was given and there is no file.

        Raises
        ------
        NotFoundError
            If ``path`` was given and leads to no configuration. It is a `UserError` too.
        UserError
            If the file is no configuration of a workspace.
        """
        start = Path(path) if path is not None else Path.cwd()
        file = start if start.is_file() else find_config(start, _file_name) if start.is_dir() else None
        if file is None:
            if path is not None:
                raise WorkspaceNotFoundError(
                    f"no workspace configuration (config.json) at {start} or in a folder above it: "
                    "give the path of one, or no path for the workspace 'default'"
                )
            return cls(auth=auth, strict=strict)
        return cls(*read_config(file), auth=auth, strict=strict)

    def write_config(self, path: str | os.PathLike[str] | None = None, file_name: str | None = None) -> None:
        """Write a configuration that `from_config` opens this workspace by.

        Parameters
        ----------
        path
            The project's folder, by default the current one; the file is put into the folder ``.azureml`` in it.
        file_name
            By default ``config.json``.

        Raises
        ------
        UserError
            If it cannot be written.
        """
        folder = Path(path) if path is not None else Path.cwd()
        write_config(folder, file_name, self.subscription_id, self.resource_group, self._name)

    # ---- what it is

    @property
    def name(self) -> str:
        """Name of the workspace."""
        return self._name

    @property
    def subscription_id(self) -> str:
        """As given; empty where nothing was."""
        return self._about.subscription_id

    @property
    def resource_group(self) -> str:
        """As given; empty where nothing was."""
        return self._about.resource_group

    @property
    def location(self) -> str:
        """As given; ``local`` where nothing was."""
        return self._about.location

    @property
    def sku(self) -> str:
        """As given to `create`; else ``basic``."""
        return self._about.sku

    @property
    def friendly_name(self) -> str:
        """As given to `create`; else the name."""
        return self._about.friendly_name or self._name

    @property
    def tags(self) -> dict[str, str]:
        """Its tags, as given."""
        return dict(self._about.tags)

    @property
    def discovery_url(self) -> str:
        """Where all of it lies: the address of its folder."""
        return self._folder.as_uri()

    @property
    def strict(self) -> bool:
        """Whether it warns where a call goes past the limits of SDK v1's service."""
        return self._limits is not None

    def get_details(self) -> dict[str, Any]:
        """Tell all about the workspace.

        Returns
        -------
        dict
            With the keys of SDK v1: ``id``, ``name``, ``identityPrincipalId``, ``identityTenantId``, ``identityType``,
            ``location``, ``type``, ``tags``, ``sku``, ``workspaceid``, ``description``, ``friendlyName``,
            ``creationTime`` (ISO 8601), ``containerRegistry``, ``keyVault``, ``applicationInsights``,
            ``storageAccount`` and ``discoveryUrl``. Texts, but for the tags; empty where there is no such thing here.
        """
        if not self._is_kept:
            self._keep()
        return workspace_details(self._name, self._about, self.discovery_url)

    # ---- what is in it

    @property
    def compute_targets(self) -> dict[str, ComputeTarget]:
        """Its compute targets by name, ``local`` first."""
        from runwidgets.compute import compute_targets

        return compute_targets(self)

    def get_default_compute_target(self, type: str = "CPU") -> ComputeTarget:  # noqa: A002, ARG002 (SDK v1's signature)
        """Give the target ``local``."""
        return self.compute_targets["local"]

    @property
    def experiments(self) -> dict[str, Experiment]:
        """The active experiments by name, as they are now.

        Raises
        ------
        StoreError
            If the store does not answer.
        """
        from runwidgets.experiment import Experiment

        return {experiment.name: experiment for experiment in Experiment.list(self)}

    @property
    def environments(self) -> dict[str, Environment]:
        """The newest of each name that is registered, by name.

        Raises
        ------
        StoreError
            If one cannot be read.
        """
        from runwidgets.submit.environment import Environment

        return Environment.list(self)

    @property
    def models(self) -> dict[str, Model]:
        """The newest version of each registered model, by name, as they are now.

        Raises
        ------
        StoreError
            If they cannot be read.
        """
        from runwidgets.model import Model

        return {model.name: model for model in sorted(Model.list(self, latest=True), key=lambda model: model.name)}

    def get_portal_url(self) -> str:
        """Give the address of this workspace's page; as `Run.get_portal_url`."""
        from runwidgets.addressing import page_path, portal_url

        return portal_url(page_path("w", self._name))

    def get_run(self, run_id: str) -> Run:
        """Open a run of whichever experiment by its id.

        Raises
        ------
        NotFoundError
            If the workspace has no such run.
        """
        from runwidgets.run import Run

        return Run.get(self, run_id)

    def delete(
        self,
        delete_dependent_resources: bool = False,  # noqa: ARG002 (SDK v1's signature)
        no_wait: bool = False,  # noqa: ARG002
    ) -> None:
        """Delete the workspace: its folder, with all experiments, runs and files.

        Parameters
        ----------
        delete_dependent_resources, no_wait
            Accepted and unused: there is nothing but the folder, and it is gone on return.

        Raises
        ------
        NotFoundError
            If there is no such workspace.
        UserError
            If another process is logging there, or a run of this process has not ended; nothing is deleted then.
        StoreError
            If the folder cannot be deleted.
        """
        from runwidgets.store.removal import remove_workspace

        if not is_workspace(self._folder):
            raise not_found(self._name)
        remove_workspace(self._folder)
        self._is_kept, self._about = False, Description(**self._given)  # used again, it begins anew

    def _keep(self) -> None:
        """Keep in the folder what was given; of what somebody else has kept meanwhile, take the rest."""
        self._is_kept = True
        try:
            if not keep_description(self._folder, self._about):
                kept = read_description(self._folder)
                self._about = msgspec.structs.replace(kept or self._about, **self._given)
        except OSError as error:
            if may_be_written(self._folder):  # else the journal tells who logs there, and the store who reads
                _log.warning("what describes workspace %r cannot be kept in %s: %s", self._name, self._folder, error)

    @property
    def _recorder(self) -> Recorder:
        from runwidgets.store.recorder import recorder_of

        recorder = recorder_of(self._folder)
        if not self._is_kept:
            self._keep()
        return recorder

    @property
    def _store(self) -> Store:
        return self._recorder.store

    @property
    def _files(self) -> FileRoot:
        from runwidgets.store.files import FileRoot

        return FileRoot(self._folder / "artifacts")

    def _repr_html_(self) -> str:
        from runwidgets.reprs import as_table

        return as_table(
            {
                "Name": self._name,
                "Location": self.location,
                "Resource Group": self.resource_group,
                "Subscription": self.subscription_id,
                "Folder": str(self._folder),
            }
        )

    def __repr__(self) -> str:
        return (
            f"Workspace.create(name={self._name!r}, subscription_id={self.subscription_id!r}, "
            f"resource_group={self.resource_group!r})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Workspace) and other._folder == self._folder

    def __hash__(self) -> int:
        return hash(self._folder)
