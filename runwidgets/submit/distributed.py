"""How many processes run a script: the configurations of distributed training, on one machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runwidgets.errors import RunConfigurationError
from runwidgets.submit.closed import Closed

if TYPE_CHECKING:
    from runwidgets.submit.run_configuration import RunConfiguration

_MPI: Final = {"mpi", "openmpi", "intelmpi"}
_PYTORCH: Final = {"nccl", "gloo"}
_TENSORFLOW: Final = "parameterserver"


@dataclass(repr=False)
class PyTorchConfiguration(Closed):
    """A script for ``torch.distributed``: as many processes as given, that find each other by the environment.

    Parameters
    ----------
    communication_backend
        ``Nccl`` or ``Gloo``, which the script itself hands to ``init_process_group``.
    process_count
        How many processes; by default one.
    node_count
        How many machines: one.
    """

    communication_backend: str = "Nccl"
    process_count: int | None = None
    node_count: int = 1


@dataclass(repr=False)
class MpiConfiguration(Closed):
    """A script that runs as several processes.

    They are started without an MPI, with the environment variables that `PyTorchConfiguration` gives.

    Parameters
    ----------
    process_count_per_node
        How many processes.
    node_count
        How many machines: one.
    """

    process_count_per_node: int = 1
    node_count: int = 1


@dataclass(repr=False)
class TensorflowConfiguration(Closed):
    """A script with workers and parameter servers of TensorFlow.

    One worker without parameter servers is all that can be submitted: nothing here tells TensorFlow of others.

    Parameters
    ----------
    worker_count, parameter_server_count
        How many of each.
    """

    worker_count: int = 1
    parameter_server_count: int = 1


def distribute(run_config: RunConfiguration, job: object) -> None:
    """Write a configuration of distributed training into a configuration of a run.

    Raises
    ------
    RunConfigurationError
        If it is none.
    """
    if isinstance(job, PyTorchConfiguration):
        run_config.framework, run_config.communicator = "PyTorch", job.communication_backend
        run_config.pytorch, run_config.node_count = job, job.node_count
    elif isinstance(job, MpiConfiguration):
        run_config.framework, run_config.communicator = "Python", "Mpi"
        run_config.mpi, run_config.node_count = job, job.node_count
    elif isinstance(job, TensorflowConfiguration):
        run_config.framework, run_config.communicator = "TensorFlow", "ParameterServer"
        run_config.tensorflow = job
    else:
        raise RunConfigurationError(
            "distributed_job_config is a PyTorchConfiguration, MpiConfiguration or TensorflowConfiguration, not "
            f"{type(job).__name__}: {job!r}"
        )


def process_count(run_config: RunConfiguration) -> int:
    """Count the processes to start on this machine.

    Returns
    -------
    int
        1 or more. More than one have ``RANK``, ``WORLD_SIZE`` and their like in their environments.

    Raises
    ------
    RunConfigurationError
        If the configuration asks for other machines, or for what does not run on one.
    """
    communicator = str(run_config.communicator or "None").lower()
    if communicator in _PYTORCH:
        what, count, nodes = "PyTorchConfiguration.process_count", run_config.pytorch.process_count, "PyTorch"
        count = 1 if count is None else count
    elif communicator in _MPI:
        what, count, nodes = "MpiConfiguration.process_count_per_node", run_config.mpi.process_count_per_node, "Mpi"
    elif communicator == _TENSORFLOW:
        _check_tensorflow(run_config.tensorflow)
        what, count, nodes = "", 1, "Tensorflow"
    elif communicator == "none":
        what, count, nodes = "", 1, ""
    else:
        raise RunConfigurationError(
            f"communicator is {run_config.communicator!r}: it can be None, Nccl, Gloo, Mpi, OpenMpi, IntelMpi or "
            "ParameterServer"
        )
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise RunConfigurationError(f"{what} is {count!r}: it is a number of processes, 1 or more")
    if run_config.node_count != 1:
        instead = f": give {nodes}Configuration(node_count=1), and as many processes as this machine is to run"
        raise RunConfigurationError(
            f"node_count is {run_config.node_count!r}, and there is one machine here" + (instead if nodes else "")
        )
    return count


def _check_tensorflow(job: TensorflowConfiguration) -> None:
    if job.worker_count != 1 or job.parameter_server_count != 0:
        raise RunConfigurationError(
            f"{job.worker_count} workers and {job.parameter_server_count} parameter servers of TensorFlow cannot be "
            "started here: give TensorflowConfiguration(worker_count=1, parameter_server_count=0) and use "
            "tf.distribute.MirroredStrategy, or start processes with MpiConfiguration"
        )
