"""Runs as one file that can be carried elsewhere: a zip archive, checksummed, of formats that others can read.

=====================================  ==========================================================================
``manifest.json``                      format version, ids of the runs, each member's size and SHA-256
``runs.json``                          the records of the runs: tags, properties, errors, times, names of metrics
``runs/<id>/metrics.parquet``          what a run logged, a row for each value (`runwidgets.archive.values_table`)
``runs/<id>/files/<name>``             its files
``snapshots/<sha256>``                 the snapshots of the runs: manifests and contents, as they lie in the workspace
=====================================  ==========================================================================

What is imported is checked before anything is written: an archive may come from anybody. Runs keep their ids, times and
values. They get new numbers, in the order of the old ones, since their experiment may have runs of those numbers; a run
that had not ended when it was exported is Failed; and they belong to no process.
"""

from runwidgets.archive.exporting import Exported, export_runs
from runwidgets.archive.importing import Imported, import_runs

__all__ = ["Exported", "Imported", "export_runs", "import_runs"]
