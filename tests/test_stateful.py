"""Whatever is done in whatever order, by several processes: readers find what a plain model of dicts and lists has.

Each process of the machine is a workspace with a recorder and a journal of its own. What it logs waits in the model's
queue of that process as it waits in the journal, and is applied when the process folds, or when others recover it.
"""

from __future__ import annotations

import copy
import io
import re
import shutil
import sqlite3
import tempfile
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runwidgets import Experiment, Run, Workspace
from runwidgets import recording as recording_module
from runwidgets.errors import NotFoundError, StoreError, UserError
from runwidgets.store import blocks, folding, journal, recorder, series, thinning
from runwidgets.store.recorder import Recorder, close_all
from runwidgets.watch.feed import Feed
from tests.model_readers import Readers
from tests.plain_model import FINAL, Model, ModelExperiment, add_rows, set_progress, set_status
from tests.series_contract import SMALL
from tests.test_run import PNG
from tests.test_values import TEXT, readable

SIZES = [
    {},
    {(blocks, "BLOCK_ROWS"): 3, (folding, "BLOCK_ROWS"): 3, (series, "SETTLE_ROWS"): 1},
    {(blocks, "BLOCK_BYTES"): 150, (series, "BLOCK_BYTES"): 150, (series, "SETTLE_BYTES"): 400},
    {(series, "SETTLE_ROWS"): 20, (thinning, "MAX_BUCKETS"): 2, (thinning, "_WHOLE"): 1},
]
"""What differs from `SMALL` in some examples, so that blocks are cut in many ways."""

# ---- what is logged: (what is given, what comes back)

FLOATS = st.floats(width=32).map(np.float32)
SCALARS = st.one_of(
    st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), TEXT).map(lambda v: (v, readable(v))),
    st.integers(-(10**400), 10**400).map(lambda v: (v, v)),
    FLOATS.map(lambda v: (v, float(v))),
    st.floats().map(lambda v: (np.array(v), v)),
    st.integers(-(2**63), 2**63 - 1).map(lambda v: (np.int64(v), v)),
    st.booleans().map(lambda v: (np.bool_(v), v)),
)
CELLS = st.one_of(st.integers(-3, 3), st.floats(), st.none(), st.sampled_from([10**400, True, "text", 2**70, "\ud800"]))
NUMBERS = st.lists(st.floats(), max_size=40) | st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40)
LISTS = st.one_of(
    NUMBERS.map(lambda v: (v, v)),
    NUMBERS.map(lambda v: (np.array(v), np.array(v).tolist())),
    st.lists(CELLS, max_size=30).map(lambda v: (v, [readable(x) for x in v])),
    st.integers(0, 60).map(lambda n: (range(n), list(range(n)))),
    st.integers(1, 60).map(lambda n: ([None] * n, [None] * n)),
)
NAMES = st.one_of(*[st.sampled_from(["loss", "a", "odd \0 <&> 损失"])] * 3, TEXT.filter(bool))
COLUMNS = st.one_of(st.sampled_from(["x", "y", "loss", "a"]), TEXT.filter(lambda t: t not in {"_step", "_time"}))
WORDS = st.sampled_from(["k", "v", "", "é", "\ud800", "a\0b"]) | TEXT
STEPS = st.none() | st.integers(0, 50) | st.floats(allow_nan=False) | st.integers(2**62, 2**70)
TEXT_FILES = st.sampled_from(["a.txt", "outputs/b.bin", "outputs/./损失.txt", "logs/x", "'; --", "x y/z"])


def distinct(columns):
    """Keep columns whose names are told apart once they are stored."""
    return {name: cells for name, cells in columns.items() if name == readable(name) or readable(name) not in columns}


# ---- the processes


class Elsewhere(Workspace):
    """The workspace as another process has it: with a recorder, and so a journal and connections, of its own."""

    def __init__(self):
        super().__init__()
        self.mine = Recorder(self._folder)

    @property
    def _recorder(self):
        return self.mine


class Process:
    def __init__(self, workspace):
        self.workspace = workspace
        self.queue = []
        self.handles = {}
        self.journal = object()

    @property
    def recorder(self):
        return self.workspace._recorder


class Runs(Readers, RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.home = Path(tempfile.mkdtemp(prefix="stateful-"))
        self.patch.setenv("RUNWIDGETS_HOME", str(self.home))
        # Folding is what rules do: done by threads besides, it would make an example differ from time to time.
        self.patch.setattr(recorder.Recorder, "_keep_folding", lambda _: None)
        self.model = Model()
        self.disk = {}
        self.ids = count(1)
        self.used = {}  # in order of starting: ids differ from time to time
        self.lost = None
        self.feeds = {}
        self.looks = 0

    @initialize(sizes=st.sampled_from(SIZES), file_bytes=st.sampled_from([300, 3000, 10**9]))
    def begin(self, sizes, file_bytes):
        for (module, name), value in {**SMALL, **sizes}.items():
            self.patch.setattr(module, name, value)
        self.patch.setattr(journal, "FILE_BYTES", file_bytes)
        self.patch.setattr(recording_module, "_ROWS_AN_EVENT", 7)
        self.processes = [Process(Workspace()), Process(Elsewhere())]
        self.watcher = Recorder(Workspace()._folder)
        self.start(0, "exp", None, None, own_id=True)
        self.feeds["run-1"] = Feed(self.watcher, "run-1")

    def teardown(self):
        try:
            if hasattr(self, "processes"):
                self.compare_all()
        finally:
            if hasattr(self, "processes"):
                for process in self.processes[1:]:
                    process.recorder.close()
                self.watcher.close()
            close_all()
            self.patch.undo()
            shutil.rmtree(self.home)

    # ---- what rules are made of

    def process(self, number):
        return self.processes[number % len(self.processes)]

    def folded(self, process):
        """Apply what a process has logged: it has just folded its journal."""
        queue, process.queue = process.queue, []
        for apply in queue:
            apply()

    def recovered(self):
        """Apply what a lost process has logged, and end its runs: somebody has just recovered."""
        if self.lost is None:
            return
        lost, self.lost = self.lost, None
        self.folded(lost)
        for run in self.model.runs.values():
            if run.owner is lost.journal:
                set_status("Failed")(run)

    def logs(self, process, run_id, change):
        process.queue.append(self.model.to(run_id, change))

    def any_run(self, process, number):
        """Give a run as a process has it: as it started it, as it was handed over, or opened by its id."""
        run_id = list(self.used)[number % len(self.used)]
        if run_id not in process.handles:
            there = next((p.handles[run_id] for p in self.processes if run_id in p.handles), None)
            if there is None or number % 3 == 0:
                self.flush_all()
                process.handles[run_id] = Run(Experiment(process.workspace, "any"), run_id)
            else:
                handle = copy.copy(there)
                handle._experiment = Experiment(process.workspace, there.experiment.name)
                handle._parent = None
                process.handles[run_id] = handle
        return process.handles[run_id]

    def gone(self):
        return [run_id for run_id in self.model.deleted if run_id not in self.used]

    def flush_all(self):
        for process in self.processes:
            process.recorder.flush()
            self.folded(process)
        self.processes[0].recorder.recover()
        self.recovered()

    def started(self, process, run, name=None, tags=None):
        self.used[run.id] = True
        process.handles[run.id] = run
        parent = run._parent_id
        process.queue.append(
            self.model.creation(run.id, run.experiment.name, name and readable(name), parent, process.journal)
        )
        if tags:
            texts = {readable(k): readable(v) for k, v in tags.items()}
            self.logs(process, run.id, lambda its: its.tags.update(texts))
        self.logs(process, run.id, set_status("Running"))

    # ---- runs begin

    @precondition(lambda self: len(self.used) < 5)
    @rule(
        p=st.integers(0, 3),
        experiment=st.sampled_from(["exp", "other", "e损失-1"]),
        name=st.none() | WORDS.filter(bool),
        tags=st.none() | st.dictionaries(WORDS, WORDS, max_size=2),
        own_id=st.booleans(),
    )
    def start(self, p, experiment, name, tags, own_id):
        process = self.process(p)
        run_id = None
        if own_id:
            again = self.gone()
            run_id = again[0] if again else f"run-{next(self.ids)}"
        run = Experiment(process.workspace, experiment).start_logging(name=name, tags=tags, run_id=run_id)
        if own_id:
            self.folded(process)
        self.started(process, run, name, tags)

    @precondition(lambda self: 0 < len(self.used) < 5)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), name=st.none() | WORDS.filter(bool))
    def start_child(self, p, n, name):
        process = self.process(p)
        self.started(process, self.any_run(process, n).child_run(name), name)

    @precondition(lambda self: 0 < len(self.used) < 5)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), values=st.lists(WORDS, max_size=2))
    def start_children(self, p, n, values):
        process = self.process(p)
        for value, run in zip(
            values, self.any_run(process, n).create_children(tag_key="t", tag_values=values), strict=True
        ):
            self.started(process, run, tags={"t": value})

    @precondition(lambda self: self.model.runs)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20))
    def refuse_an_id_that_is_taken(self, p, n):
        process = self.process(p)
        run_id = list(self.model.runs)[n % len(self.model.runs)]
        with pytest.raises(UserError, match="already"):
            Experiment(process.workspace, "exp").start_logging(run_id=run_id)
        self.folded(process)

    # ---- runs are logged to

    @precondition(lambda self: self.used)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), name=NAMES, value=SCALARS, step=STEPS)
    def log(self, p, n, name, value, step):
        process = self.process(p)
        run = self.any_run(process, n)
        run.log(name, value[0], step=step)
        self.logs(process, run.id, add_rows(name, "vector", {"": [value[1]]}, [step]))

    @precondition(lambda self: self.used)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), values=st.lists(CELLS, min_size=1, max_size=25), steps=STEPS)
    def log_one_by_one(self, p, n, values, steps):
        process = self.process(p)
        run = self.any_run(process, n)
        for place, value in enumerate(values):
            step = place if isinstance(steps, int) else steps
            run.log("loss", value, step=step)
            self.logs(process, run.id, add_rows("loss", "vector", {"": [value]}, [step]))

    @precondition(lambda self: self.used)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), name=NAMES, values=LISTS)
    def log_list(self, p, n, name, values):
        process = self.process(p)
        run = self.any_run(process, n)
        run.log_list(name, values[0])
        self.logs(process, run.id, add_rows(name, "vector", {"": values[1]}))

    @precondition(lambda self: self.used)
    @rule(
        p=st.integers(0, 3),
        n=st.integers(0, 20),
        name=NAMES,
        row=st.dictionaries(COLUMNS.filter(lambda c: c not in {"self", "name", "description"}), SCALARS, min_size=1,
                            max_size=3).map(distinct),
    )  # fmt: skip
    def log_row(self, p, n, name, row):
        process = self.process(p)
        run = self.any_run(process, n)
        run.log_row(name, **{column: given for column, (given, _) in row.items()})
        self.logs(process, run.id, add_rows(name, "table", {column: [cell] for column, (_, cell) in row.items()}))

    @precondition(lambda self: self.used)
    @rule(
        p=st.integers(0, 3),
        n=st.integers(0, 20),
        name=NAMES,
        names=st.lists(COLUMNS, max_size=3, unique_by=readable),
        rows=st.just([]) | st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=25),
        as_frame=st.booleans(),
    )
    def log_table(self, p, n, name, names, rows, as_frame):  # noqa: PLR0917 (hypothesis gives them by name)
        process = self.process(p)
        run = self.any_run(process, n)
        table = {column: [row[place] for row in rows] for place, column in enumerate(names)}
        # No index of pandas holds half of a surrogate pair.
        as_frame = as_frame and not any(re.search("[\ud800-\udfff]", column) for column in table)
        given = pd.DataFrame({c: pd.Series(cells, dtype=object) for c, cells in table.items()}) if as_frame else table
        run.log_table(name, given)
        self.logs(process, run.id, add_rows(name, "table", table))

    @precondition(lambda self: self.used)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), name=st.sampled_from(["picture", "pictures/a", "loss"]))
    def log_image(self, p, n, name):
        process = self.process(p)
        run = self.any_run(process, n)
        (self.home / "image.png").write_bytes(PNG)
        place = process.workspace._folder / "artifacts" / run.id
        before = {path for path in place.rglob("*") if path.is_file()}
        run.log_image(name, path=self.home / "image.png")
        (new,) = {path for path in place.rglob("*") if path.is_file()} - before
        path = new.relative_to(place).as_posix()
        self.disk[run.id, path] = PNG
        self.logs(process, run.id, lambda its: its.files.update({path: len(PNG)}))
        self.logs(process, run.id, add_rows(name, "image", {"": [path]}))

    @precondition(lambda self: self.used)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), name=TEXT_FILES, content=st.binary(max_size=20))
    def upload(self, p, n, name, content):
        process = self.process(p)
        run = self.any_run(process, n)
        stored = run.upload_file(name, io.BytesIO(content))
        assert stored.path == name.replace("/./", "/")
        self.disk[run.id, stored.path] = content
        self.logs(process, run.id, lambda its: its.files.update({stored.path: len(content)}))

    @precondition(lambda self: self.used)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), tags=st.dictionaries(WORDS, st.none() | WORDS, max_size=3))
    def set_tags(self, p, n, tags):
        process = self.process(p)
        run = self.any_run(process, n)
        run.set_tags(tags)
        texts = {readable(key): readable(value) for key, value in tags.items()}
        self.logs(process, run.id, lambda its: its.tags.update(texts))

    @precondition(lambda self: self.used)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), keys=st.lists(WORDS, max_size=3))
    def remove_tags(self, p, n, keys):
        process = self.process(p)
        run = self.any_run(process, n)
        run.remove_tags(keys)
        self.logs(process, run.id, lambda its: [its.tags.pop(readable(key), None) for key in keys])

    @precondition(lambda self: self.used)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), properties=st.dictionaries(WORDS, WORDS, min_size=1, max_size=2))
    def add_properties(self, p, n, properties):
        process = self.process(p)
        run = self.any_run(process, n)
        texts = {}
        for key, value in properties.items():
            texts.setdefault(readable(key), readable(value))
        process.recorder.flush()
        self.folded(process)
        there = self.model.runs[run.id].properties if run.id in self.model.runs else {}
        if any(there.get(readable(key), readable(value)) != readable(value) for key, value in properties.items()):
            with pytest.raises(UserError, match="not changed"):
                run.add_properties(properties)
        else:
            run.add_properties(properties)
            self.logs(process, run.id, lambda its: its.properties.update({**texts, **its.properties}))

    @precondition(lambda self: self.used)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), done=st.integers(0, 9), total=st.none() | st.integers(5, 6))
    def progress(self, p, n, done, total):
        process = self.process(p)
        run = self.any_run(process, n)
        run.progress(done, total, unit="epoch")
        self.logs(process, run.id, set_progress(done, total, "epoch"))

    @precondition(lambda self: self.used)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), name=WORDS)
    def rename(self, p, n, name):
        process = self.process(p)
        run = self.any_run(process, n)
        run.display_name = name

        def change(its):
            its.name = readable(name)

        self.logs(process, run.id, change)

    @precondition(lambda self: self.gone())
    @rule(p=st.integers(0, 3), n=st.integers(0, 20))
    def log_to_a_run_that_is_deleted(self, p, n):
        process = self.process(p)
        run_id = self.gone()[n % len(self.gone())]
        if run_id in process.handles:
            process.handles[run_id].log("loss", 1.0)
            self.logs(process, run_id, add_rows("loss", "vector", {"": [1.0]}))

    # ---- runs end, experiments change

    @precondition(lambda self: self.used)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20), how=st.sampled_from(["complete", "fail", "cancel"]))
    def end(self, p, n, how):
        process = self.process(p)
        run = self.any_run(process, n)
        getattr(run, how)()
        status = {"complete": "Completed", "fail": "Failed", "cancel": "Canceled"}[how]
        if how == "cancel":
            self.canceled_below(process, run.id)
        self.logs(process, run.id, set_status(status))
        self.recovered()
        self.folded(process)
        if run.id in self.model.runs:  # or else it is begun anew elsewhere, which is not folded yet
            assert run.status == self.model.runs[run.id].status

    def canceled_below(self, process, run_id):
        """Cancel in the model what is below a run, as far as the process can see it."""
        self.folded(process)
        for child in self.model.below(run_id, deep=False):
            if child.status not in FINAL:
                self.canceled_below(process, child.run_id)
                self.logs(process, child.run_id, set_status("Canceled"))
                self.recovered()
                self.folded(process)

    @precondition(lambda self: self.model.experiments)
    @rule(p=st.integers(0, 3), n=st.integers(0, 5), ended=st.booleans())
    def delete_experiment(self, p, n, ended):
        process = self.process(p)
        name = list(self.model.experiments)[n % len(self.model.experiments)]
        if ended:
            for run in self.model.of(name):
                if run.status not in FINAL and run.run_id in process.handles:
                    process.handles[run.run_id].complete()
                    self.logs(process, run.run_id, set_status("Completed"))
        process.recorder.flush()
        self.folded(process)
        process.recorder.recover()
        self.recovered()
        experiment = Experiment(process.workspace, name)
        runs = self.model.of(name)
        if all(run.status in FINAL for run in runs):
            Experiment.delete(process.workspace, experiment.id)
            at = next(self.model.clock)
            del self.model.experiments[name]
            for run in runs:
                del self.model.runs[run.run_id]
                self.model.deleted[run.run_id] = at
                self.used.pop(run.run_id, None)
                self.feeds.pop(run.run_id, None)
            self.disk = {key: content for key, content in self.disk.items() if key[0] in self.used}
            if runs:
                with pytest.raises(NotFoundError):
                    Run(experiment, runs[0].run_id)
                self.recovered()
        else:
            with pytest.raises(UserError, match="cannot be deleted while"):
                Experiment.delete(process.workspace, experiment.id)

    @rule(p=st.integers(0, 3), name=st.sampled_from(["exp", "other"]), how=st.sampled_from(["archive", "reactivate"]))
    def archive(self, p, name, how):
        process = self.process(p)
        getattr(Experiment(process.workspace, name), how)()
        experiment = self.model.experiments.setdefault(name, ModelExperiment())
        experiment.archived = next(self.model.clock) if how == "archive" else None
        self.folded(process)

    @rule(p=st.integers(0, 3), name=st.sampled_from(["exp", "other"]), key=WORDS, value=st.none() | WORDS)
    def tag_experiment(self, p, name, key, value):
        process = self.process(p)
        experiment = Experiment(process.workspace, name)
        experiment.tag(key, value)
        tags = self.model.experiments.setdefault(name, ModelExperiment()).tags
        tags[readable(key)] = readable(value)
        self.folded(process)
        assert experiment.tags == tags
        if key == value:
            experiment.remove_tags([key])
            del tags[readable(key)]

    # ---- processes fold, fail, close and are lost

    @rule(p=st.integers(0, 3))
    def flush(self, p):
        process = self.process(p)
        process.recorder.flush()
        self.folded(process)

    @rule(p=st.integers(0, 3), within=st.booleans())
    def fold_in_vain(self, p, within):
        process = self.process(p)
        if not process.queue:
            return

        def fail(*args):
            raise sqlite3.OperationalError("disk I/O error") if within else StoreError("away")

        with self.patch.context() as patch:
            target = (folding.Fold, "_store_rows") if within else (type(process.recorder.store), "fold")
            patch.setattr(*target, fail)
            try:
                process.recorder.flush()
            except StoreError:
                return
        self.folded(process)  # there was nothing to fail at

    @precondition(lambda self: self.used)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20))
    def fold_without_hearing_of_it(self, p, n):
        process = self.process(p)
        run = self.any_run(process, n)
        store = process.recorder.store
        fold = store.fold

        def deaf(*args):
            fold(*args)
            raise StoreError("the answer is lost")

        with self.patch.context() as patch:
            patch.setattr(store, "fold", deaf)
            try:
                process.recorder.flush()
            except StoreError:
                run.log("loss", 0.5)
                self.logs(process, run.id, add_rows("loss", "vector", {"": [0.5]}))
        process.recorder.flush()
        self.folded(process)

    @rule(p=st.integers(0, 3))
    def reopen_the_store(self, p):
        self.process(p).recorder._access.forget()

    @rule(p=st.integers(0, 3), all_of_them=st.booleans())
    def close_and_go_on(self, p, all_of_them):
        process = self.processes[0] if all_of_them else self.process(p)
        has_journal = process.recorder._journal is not None
        owned = process.recorder.owned
        if all_of_them:
            close_all()
            process.handles = {}
        else:
            process.recorder.close()
        for run_id in owned:
            self.logs(process, run_id, set_status("Failed"))
        if has_journal or owned:
            self.folded(process)
            self.recovered()
        if all_of_them:
            _ = process.recorder  # which looks for lost ones
            self.recovered()
        process.journal = object()

    @precondition(lambda self: len(self.processes) > 1 and self.lost is None)
    @rule(p=st.integers(1, 3), is_found=st.booleans())
    def lose_a_process(self, p, is_found):
        process = self.processes.pop(1 + p % (len(self.processes) - 1))
        its = process.recorder
        writer, its._journal = its._journal, None
        its._owned.clear()
        its._access.forget()
        if writer is not None:
            writer.close()
            self.lost = process
        if is_found:
            self.processes[0].recorder.recover()
            self.recovered()

    @precondition(lambda self: len(self.processes) < 3)
    @rule()
    def begin_a_process(self):
        self.processes.append(Process(Elsewhere()))
        self.processes[-1].recorder.store.version()
        self.recovered()

    # ---- readers look

    @precondition(lambda self: self.model.runs)
    @rule(p=st.integers(0, 3), n=st.integers(0, 20))
    def read(self, p, n):
        process = self.process(p)
        process.recorder.flush()
        self.folded(process)
        self.compare_run(process, list(self.model.runs.values())[n % len(self.model.runs)])

    @precondition(lambda self: self.model.runs)
    @rule(n=st.integers(0, 20))
    def watch(self, n):
        run_id = list(self.model.runs)[n % len(self.model.runs)]
        feed = self.feeds.setdefault(run_id, Feed(self.watcher, run_id))
        feed.step()

    @invariant()
    def follow(self):
        self.looks += 1
        if self.looks % 2 == 0:
            for feed in self.feeds.values():
                feed.step()

    @rule(p=st.integers(0, 3), key=st.none() | WORDS, value=st.none() | WORDS, status=st.sampled_from(sorted(FINAL)))
    def search(self, p, key, value, status):
        process = self.process(p)
        process.recorder.flush()
        self.folded(process)
        self.compare_searches(process, key, value, status)


Runs.TestCase.settings = settings(
    max_examples=40, stateful_step_count=40, suppress_health_check=list(HealthCheck), deadline=None
)
TestRuns = pytest.mark.slow(Runs.TestCase)
