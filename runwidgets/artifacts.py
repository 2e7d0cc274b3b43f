"""The files of runs, as uploads give them, and those behind metrics, as `Run.get_metrics` with ``populate=True``."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

ORIGIN: Final = "ExperimentRun"
"""What SDK v1 calls the place where files of runs lie."""


def identifier(run_id: str, path: str) -> str:
    """Give the identifier of a run's file, as SDK v1 writes it."""
    return f"aml://artifactId/{ORIGIN}/dcid.{run_id}/{path}"


class StoredFile(msgspec.Struct, frozen=True):
    """A file that is kept with a run.

    Attributes
    ----------
    run_id
        The run that has it.
    path
        Its name there.
    size
        How many bytes it has.
    """

    run_id: str
    path: str
    size: int

    @property
    def data_location(self) -> str:
        """Its identifier."""
        return identifier(self.run_id, self.path)


class Artifact(msgspec.Struct, frozen=True):
    """The file that a metric stands for.

    Attributes
    ----------
    run_id
        The run that has it.
    path
        Its name there.
    metric_type
        The kind of the metric.
    data
        Its content.
    data_location
        Its identifier.
    """

    run_id: str
    path: str
    metric_type: str
    data: bytes
    data_location: str

    @property
    def filename(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def origin(self) -> str:
        """Where files of runs lie."""
        return ORIGIN

    @property
    def container(self) -> str:
        """The run's place there."""
        return f"dcid.{self.run_id}"

    def convert_to_object(self) -> Any:
        """Give the content as Python has it."""
        return self.data


class ImageArtifact(Artifact, frozen=True):
    """An image; converted, it is its bytes."""


class JsonArtifact(Artifact, frozen=True):
    """A JSON text; converted, it is what the text means, or None where it is no JSON."""

    def convert_to_object(self) -> Any:
        """Give what the text means."""
        try:
            return json.loads(self.data)
        except ValueError:
            return None
