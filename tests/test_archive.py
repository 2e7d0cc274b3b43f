"""Archives of runs: what comes back from them, and what is refused."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import math
import random
import stat
import sys
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runwidgets import Environment, Experiment, NotFoundError, Run, RunStatus, UserError, Workspace
from runwidgets.archive import export_runs, import_runs
from runwidgets.deleting import delete_runs
from runwidgets.errors import ArchiveError, MissingDependencyError, SnapshotError
from runwidgets.store.recorder import close_all
from runwidgets.store.snapshots import SnapshotFile, read_manifest
from runwidgets.submit.definition import Place
from tests.commands import runwidgets
from tests.submissions import ended, project, start  # noqa: F401 (fixtures)
from tests.test_exports import TEXT, VALUES, exact

CONFUSION = {
    "schema_type": "confusion_matrix", "schema_version": "1.0.0",
    "data": {"class_labels": ["a", "b"], "matrix": [[1, 2], [3, 4]]},
}  # fmt: skip


@pytest.fixture
def here():
    yield Workspace(workspace_name="here")
    close_all()


@pytest.fixture
def there():
    return Workspace(workspace_name="there")


@pytest.fixture
def full(here, current_folder, tmp_path):
    """A run with something of each kind, and two below it."""
    (current_folder / "train.py").write_text("print(1)\n")
    image = tmp_path / "image.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 99)
    run = Experiment(here, "exp").start_logging(run_id="full", display_name="名", description="about", tags={"a": None})
    with run:
        for n, value in enumerate([1, 2.5, math.nan, math.inf, -0.0, True, None, "text", 2**70, 2**53 + 1]):
            run.log("mixed", value, step=n if n % 2 else n / 2)
        run.log_list("list", range(2000))
        run.log_list("empty", [])
        run.log_row("rows", x=1, y="a")
        run.log_row("rows", z=None, x=2.0)
        run.log_table("table", {"": [1, 2], "b": [None, math.nan]})
        run.log("both", 1)
        run.log_table("both", {"x": [2]})
        run.log_image("image", path=str(image))
        run.log_confusion_matrix("confusion", CONFUSION)
        run.upload_file("outputs/model.pkl", io.BytesIO(bytes(range(256)) * 9))
        run.add_properties({"p": "1"})
        run.progress(3, 10, "epoch")
        run.progress(4, 10, "epoch")
        sys.stdout.write("printed\n")
        child = run.child_run(run_id="child")
        child.log("loss", np.float64(0.5))
        child.child_run(run_id="grandchild").complete()
        child.fail("as asked", "Code")
    run.flush()
    return run


def readings(workspace, run_id):
    """Give all that can be read of a run, but for what is the workspace's own."""
    run, store = Run.get(workspace, run_id), workspace._store
    record = store.run(run_id)
    metrics = []
    for metric in store.metrics(run_id):
        blocks = metric.blocks
        columns = {
            name: exact(
                [v for b in blocks for v in (b.columns[name].to_list() if name in b.columns else [None] * len(b))]
            )
            for name in metric.columns
        }
        times = [time for block in blocks for time in block.times.to_list()]
        steps = exact([step for block in blocks for step in block.steps.to_list()])
        metrics.append((metric.name, metric.kind, metric.columns, metric.row_count, columns, times, steps))
    files = [
        (file.path, file.size, file.stored_at, workspace._files.path(run_id, file.path).read_bytes())
        for file in store.files(run_id)
    ]
    return {
        "record": [
            getattr(record, name)
            for name in ("run_id", "experiment", "parent_id", "name", "type", "status", "created_at", "started_at",
                         "ended_at", "error", "progress", "description")
        ],
        "tags": run.get_tags(), "properties": run.get_properties(), "metrics": metrics, "files": files,
        "children": sorted(child.id for child in run.get_children(recursive=True)),
    }  # fmt: skip


# ---- what comes back


@pytest.mark.usefixtures("full")
def test_all_of_a_run_and_of_those_below_it_comes_back_in_another_workspace(here, there, tmp_path):
    done = export_runs(here, ["full"], tmp_path / "runs.zip")
    assert (sorted(done.run_ids), done.notes) == (["child", "full", "grandchild"], [])
    imported = import_runs(there, tmp_path / "runs.zip")
    assert imported.run_ids == {run_id: run_id for run_id in done.run_ids}
    assert imported.notes == []
    for run_id in done.run_ids:
        assert readings(there, run_id) == readings(here, run_id)
    assert readings(there, "child")["record"][5] is RunStatus.FAILED
    assert there._store.owner("full") is None


def test_snapshots_go_along(here, there, full, tmp_path):
    export_runs(here, ["full", "child"], tmp_path / "runs.zip")
    import_runs(there, tmp_path / "runs.zip")
    archive = zipfile.ZipFile(Run.get(there, "full").restore_snapshot(path=tmp_path))
    with archive:
        assert archive.read("train.py") == b"print(1)\n"
    assert full.get_snapshot_id()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["m", "n"]),
            st.one_of(
                st.tuples(st.just("log"), VALUES, st.one_of(st.none(), st.integers(), st.floats())),
                st.tuples(st.just("list"), st.lists(VALUES, max_size=20)),
                st.tuples(st.just("row"), st.dictionaries(TEXT, VALUES, min_size=1, max_size=3)),
            ),
        ),
        max_size=12,
    ),
    st.dictionaries(TEXT, st.one_of(st.none(), TEXT), max_size=3),
)
def test_whatever_was_logged_comes_back_as_it_was(here, there, tmp_path_factory, logged, tags):
    run = Experiment(here, "exp").start_logging(snapshot_directory=None, outputs=False, tags=tags)
    for name, (how, *what) in logged:
        if how == "log":
            run.log(name, what[0], step=what[1])
        elif how == "list":
            run.log_list(name, what[0])
        else:
            run.log_table(name, what[0])
    run.complete()
    file = tmp_path_factory.mktemp("archive") / "runs.zip"
    export_runs(here, [run.id], file)
    import_runs(there, file)
    assert readings(there, run.id) == readings(here, run.id)


def test_a_run_that_goes_on_is_exported_as_it_stands_and_has_failed_elsewhere(here, there, tmp_path):
    run = Experiment(here, "exp").start_logging(run_id="on")
    run.log("loss", 1)
    export_runs(here, ["on"], tmp_path / "runs.zip")
    assert import_runs(there, tmp_path / "runs.zip").notes == [
        "run on was Running when it was exported: it is Failed here"
    ]
    found = Run.get(there, "on")
    assert (found.get_status(), found.get_metrics()) == ("Failed", {"loss": 1})
    assert there._store.run("on").error.code == "ExportedWhileRunning"
    assert run.get_status() == "Running"


def test_what_was_submitted_comes_back_under_the_new_id_and_secrets_are_named(here, there, start, tmp_path):  # noqa: F811
    environment = Environment("mine")
    environment.environment_variables = {"TOKEN": "secret"}
    run = start("print(1)", "--alpha", "0.5", workspace=here, environment=environment, run_id="sent")
    assert ended(run) == "Completed"
    done = export_runs(here, ["sent"], tmp_path / "runs.zip")
    assert done.notes == ["what was submitted goes along with the values of its environment variables: TOKEN"]
    before = run.get_details()
    for workspace, expected in ((there, "sent"), (there, None)):
        new_id = import_runs(workspace, tmp_path / "runs.zip", rename=True).run_ids["sent"]
        assert expected in (new_id, None)
        found = Run.get(workspace, new_id)
        after = found.get_details()
        for key in ("runDefinition", "target", "submittedBy"):
            assert after[key] == before[key]
        assert found.get_environment().as_dict() == run.get_environment().as_dict()
        definition = found._definition
        assert (definition.run_id, definition.workspace) == (new_id, "there")
        assert definition.snapshot_id == found.get_snapshot_id()
        assert (there._folder / "submissions" / new_id / "definition.json").stat().st_mode & 0o777 == 0o600
    assert delete_runs(there, [new_id]) == [new_id]
    assert not (there._folder / "submissions" / new_id).exists()


@pytest.mark.usefixtures("full")
def test_a_run_whose_parent_is_not_in_the_archive_stands_alone(here, there, tmp_path):
    export_runs(here, ["child"], tmp_path / "runs.zip", with_children=False)
    notes = import_runs(there, tmp_path / "runs.zip").notes
    assert notes == ["run child was below run full, which is not in the archive: it stands alone now"]
    assert Run.get(there, "child").parent is None


@pytest.mark.usefixtures("full")
def test_ids_that_are_taken_are_refused_or_renamed(here, tmp_path):
    export_runs(here, ["full"], tmp_path / "runs.zip")
    before = {run_id: readings(here, run_id) for run_id in ("full", "child")}
    with pytest.raises(UserError, match="has runs of these ids already: child, full, grandchild"):
        import_runs(here, tmp_path / "runs.zip")
    imported = import_runs(here, tmp_path / "runs.zip", rename=True)
    assert len(imported.notes) == 3
    new = Run.get(here, imported.run_ids["full"])
    assert {child.id for child in new.get_children(recursive=True)} == {
        imported.run_ids["child"], imported.run_ids["grandchild"],
    }  # fmt: skip
    assert new.get_properties()["runwidgets.imported_from"] == "full"
    assert before == {run_id: readings(here, run_id) for run_id in before}


@pytest.mark.usefixtures("full")
def test_deleted_runs_can_be_brought_back(here, tmp_path):
    export_runs(here, ["full"], tmp_path / "runs.zip")
    before = readings(here, "full")
    assert sorted(delete_runs(here, ["full"])) == ["child", "full", "grandchild"]
    import_runs(here, tmp_path / "runs.zip")
    assert readings(here, "full") == before


def test_numbers_are_given_anew_in_the_order_of_the_old_ones(here, there, tmp_path):
    for workspace, ids in ((here, "abc"), (there, "x")):
        for run_id in ids:
            Experiment(workspace, "exp").start_logging(run_id=run_id).complete()
    export_runs(here, ["c", "a"], tmp_path / "runs.zip")
    import_runs(there, tmp_path / "runs.zip")
    assert [Run.get(there, run_id).number for run_id in "xac"] == [1, 2, 3]


# ---- writing the archive


def test_a_file_that_is_there_is_not_replaced_unless_that_is_said(here, full, tmp_path):
    file = tmp_path / "runs.zip"
    file.write_bytes(b"mine")
    with pytest.raises(UserError, match="is there already"):
        export_runs(here, [full.id], file)
    assert file.read_bytes() == b"mine"
    export_runs(here, [full.id], file, overwrite=True)
    assert zipfile.is_zipfile(file)
    with pytest.raises(NotFoundError, match="has no run 'none'"):
        export_runs(here, ["none"], tmp_path / "none.zip")
    assert sorted(path.name for path in tmp_path.glob("*.zip")) == ["runs.zip"]


def test_a_file_that_is_gone_is_noted_and_the_rest_goes_along(here, there, full, tmp_path):
    here._files.path("full", "outputs/model.pkl").unlink()
    done = export_runs(here, [full.id], tmp_path / "runs.zip")
    assert done.notes == ["the file 'outputs/model.pkl' of run full is gone, and does not go along"]
    import_runs(there, tmp_path / "runs.zip")
    assert "outputs/model.pkl" not in Run.get(there, "full").get_file_names()


def test_without_pyarrow_it_is_said_what_to_install(here, full, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for call in (
        lambda: export_runs(here, [full.id], tmp_path / "a"),
        lambda: import_runs(here, tmp_path / "a"),
    ):
        with pytest.raises(MissingDependencyError, match=r"pip install 'runwidgets\[frames\]'"):
            call()


# ---- what is refused


@pytest.fixture
def members(here, full, tmp_path):
    """The members of an archive by name, to be changed."""
    export_runs(here, [full.id], tmp_path / "good.zip")
    with zipfile.ZipFile(tmp_path / "good.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_archive_that_is_refused_makes_no_workspace(members, there, tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        for name, content in signed(members, **{"runs/full/metrics.parquet": b"none"}).items():
            archive.writestr(name, content)
    with pytest.raises(ArchiveError):
        import_runs(there, tmp_path / "bad.zip")
    assert not there._folder.exists()


@pytest.fixture
def refused(there, tmp_path, runwidgets_home):
    """Import what it is given, and give the error; nothing may be written by that."""

    def refused(members, entries=(), **settings):
        file = tmp_path / "bad.zip"
        with zipfile.ZipFile(file, "w", **settings) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
            for entry, content in entries:
                archive.writestr(entry, content)
        return refused_file(file)

    def refused_file(file):
        assert there.experiments == {}
        before = sorted(runwidgets_home.rglob("*"))
        with pytest.raises(ArchiveError) as caught:
            import_runs(there, file)
        assert there.experiments == {}
        assert [path for path in sorted(runwidgets_home.rglob("*")) if path not in before] == []
        return str(caught.value)

    refused.file = refused_file
    return refused


def signed(members, **changed):
    """Change members, and have the manifest say that all is well with them."""
    members = {**members, **changed}
    manifest = json.loads(members.pop("manifest.json"))
    manifest["members"] = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in members.items()
    ]
    return {**members, "manifest.json": json.dumps(manifest).encode()}


def with_runs(members, change):
    """Change the records, as a forger would who makes the checksums fit."""
    runs = json.loads(members["runs.json"])
    change({run["run_id"]: run for run in runs})
    return signed(members, **{"runs.json": json.dumps(runs).encode()})


def test_the_forger_of_these_tests_makes_archives_that_are_taken(members, there, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name, content in with_runs(members, len).items():
            archive.writestr(name, content)
    assert len(import_runs(there, tmp_path / "x.zip").run_ids) == 3


def test_what_is_no_archive_of_runs_is_refused(refused, tmp_path):
    (tmp_path / "text").write_text("no zip")
    assert "is no zip archive" in refused.file(tmp_path / "text")
    assert "has no manifest.json: it was not made by `runwidgets export`" in refused({"a.txt": b"x"})
    assert "manifest.json is not as it should be" in refused({"manifest.json": b"{}", "runs.json": b"[]"})


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("/etc/passwd", "absolute name"),
        ("C:/x", "absolute name"),
        ("../../x", "leads elsewhere"),
        ("runs/full/files/../../x", "leads elsewhere"),
        ("runs//x", "leads elsewhere"),
        ("runs\\x", "backslash"),
        ("runs/a\nb", "control character"),
        ("runs/folder/", "a link, a folder"),
        ("stray.txt", "does not name 'stray.txt'"),
    ],
)
def test_members_of_hostile_names_are_refused(members, refused, name, what):
    assert what in refused(members, [(zipfile.ZipInfo(name), b"x")])


def test_links_are_refused(members, refused):
    link = zipfile.ZipInfo("runs/full/files/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "is a link" in refused(members, [(link, b"/etc/passwd")])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(members, refused):
    assert "two members 'runs.json'" in refused(members, [("runs.json", b"[]")])


def test_members_that_are_not_what_the_manifest_says_are_refused(members, refused):
    name = "runs/full/files/outputs/model.pkl"
    content = members[name]
    assert "checksum is another" in refused({**members, name: content[::-1]})
    assert "another size" in refused({**members, name: content + b"x"})
    assert f"has no member {name!r}" in refused({key: value for key, value in members.items() if key != name})
    more = signed({**members, "runs/full/files/more": b"x"})
    assert "another set of members than its runs: 'runs/full/files/more'" in refused(more)
    less = signed({key: value for key, value in members.items() if key != name})
    assert "another set of members" in refused(less)


def test_a_damaged_archive_is_refused(members, refused, tmp_path):
    data = bytearray((tmp_path / "good.zip").read_bytes())
    with zipfile.ZipFile(tmp_path / "good.zip") as archive:
        entry = archive.getinfo("runs/full/files/logs/user_log.txt")
    at = entry.header_offset + 60
    data[at : at + 20] = b"\xff" * 20
    (tmp_path / "damaged.zip").write_bytes(data)
    assert "is not imported" in refused.file(tmp_path / "damaged.zip")
    (tmp_path / "short.zip").write_bytes(data[: len(data) // 2])
    assert "is no zip archive" in refused.file(tmp_path / "short.zip")


def test_what_becomes_more_than_is_believable_is_refused(members, refused, monkeypatch):
    monkeypatch.setattr("runwidgets.archive.checking._ANY_BYTES", 2**20)
    bomb = bytes(2**25)
    assert "more than is believable" in refused({**members, "bomb": bomb}, compression=zipfile.ZIP_DEFLATED)


def test_members_that_share_their_bytes_are_refused(members, refused, tmp_path):
    file = tmp_path / "overlapping.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in {**members, "big": random.Random(1).randbytes(100_000)}.items():
            archive.writestr(name, content)
        for n in range(9):
            twin = copy.copy(archive.getinfo("big"))
            twin.filename = twin.orig_filename = f"twin {n}"
            archive.filelist.append(twin)
    assert "its members overlap" in refused.file(file)


def test_what_the_disk_has_no_room_for_is_refused(members, refused, monkeypatch):
    monkeypatch.setattr("runwidgets.archive.importing.room_for", lambda _: 1000)
    assert "the disk has 1,000" in refused(members)


def test_an_archive_of_a_newer_format_is_refused(members, refused):
    manifest = {**json.loads(members["manifest.json"]), "format": 2}
    assert "of format 2, and this runwidgets reads 1" in refused({**members, "manifest.json": json.dumps(manifest)})


def set_in(key, **changes):
    return lambda runs: runs[key].update(changes)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (set_in("full", run_id="../x"), "has other runs than its manifest says"),
        (set_in("full", experiment="../x"), "cannot be"),
        (set_in("full", status="Exploded"), "runs.json is not as it should be"),
        (set_in("full", created_at=1e300), "an impossible time"),
        (set_in("full", created_at="now"), "runs.json is not as it should be"),
        (set_in("full", tags={"a": 1}), "runs.json is not as it should be"),
        (set_in("full", parent_id="grandchild"), "its own ancestor"),
        (set_in("full", files=[{"path": "../../x", "stored_at": 1.0}]), "leads out of the run's folder"),
        (set_in("full", files=[{"path": "a", "stored_at": 1.0}] * 2), "two files of one name"),
        (set_in("child", metrics=[]), "another number of rows"),
        (lambda runs: runs["full"]["metrics"].reverse(), "is not where it should be"),
        (lambda runs: runs["full"]["metrics"][0].update(kind="image"), "names 1"),
        (
            lambda runs: next(m for m in runs["full"]["metrics"] if m["name"] == "image").update(kind="residuals"),
            "none",
        ),
    ],
)
def test_records_that_cannot_be_are_refused_though_the_checksums_fit(members, refused, change, what):
    assert what in refused(with_runs(members, change))


def definition(**changes):
    """Give what was submitted as an archive has it, with changes; an empty one takes a key away."""
    made = {
        "source_directory": "/project", "script": "train.py", "arguments": [], "command": None, "target": "local",
        "environment": Environment("mine").as_dict(), "interpreter": None, "environment_variables": {},
        "process_count": 1, "communicator": "", "max_run_duration_seconds": None, "priority": None,
        "collects_outputs": True, "takes_snapshot": True, "watched_directories": [], "submitted_by": "me", **changes,
    }  # fmt: skip
    return set_in("full", definition={key: value for key, value in made.items() if value is not ...})


def test_the_definitions_of_these_tests_are_taken_as_they_are(members, there, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name, content in with_runs(members, definition()).items():
            archive.writestr(name, content)
    import_runs(there, tmp_path / "x.zip")
    assert Place(there._folder, "full").definition().submitted_by == "me"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (definition(arguments=[1]), "runs.json is not as it should be"),
        (definition(script=...), "runs.json is not as it should be"),
        (definition(environment_variables={"A": None}), "runs.json is not as it should be"),
        (set_in("full", definition="x"), "runs.json is not as it should be"),
        (definition(target="../../x"), "a compute target '../../x', which cannot be one"),
        (definition(process_count=0), "has 0 processes"),
        (definition(process_count=10**12), "has 1,000,000,000,000 processes"),
        (definition(max_run_duration_seconds=-1), "an impossible duration"),
        (definition(command="rm"), "has neither a script nor a command, or both"),
        (definition(script=None), "has neither a script nor a command, or both"),
        (definition(arguments=["x" * 2**22]), "more than 4,194,304"),
        (definition(environment={"python": 1}), "has an environment that is none"),
        (definition(environment={"name": ["x"]}), "has an environment that is none"),
        (definition(environment={"python": {"condaDependencies": {"dependencies": 3}}}), "an environment that is none"),
        (definition(environment={"name": "x", "\x1b[2J": 1}), "an environment that is none: odd names"),
        (definition(environment={"python": {"x" * 300: 1}}), "an environment that is none: odd names"),
        (definition(environment={"python": {"condaDependenciesFile": "/etc/x"}}), "an environment that stands on a"),
    ],
)
def test_definitions_that_cannot_be_are_refused_though_the_checksums_fit(members, refused, change, what):
    assert what in refused(with_runs(members, change))


@pytest.mark.parametrize("matrix", [[[1]], [["<script>", 1], [1, 1]], "x"])
def test_a_document_that_is_not_what_its_metric_says_is_refused(members, refused, matrix):
    (name,) = [name for name in members if name.endswith("confusion")]
    forged = {**CONFUSION, "data": {**CONFUSION["data"], "matrix": matrix}}
    assert "has a metric whose file is none" in refused(signed(members, **{name: json.dumps(forged).encode()}))


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("value_text", pa.array([b"x"] * 2, pa.binary()), "another table"),
        ("more", pa.array([1, 2]), "another table"),
        ("row", pa.array([0, 2]), "is not where it should be"),
        ("metric", pa.array(["loss", "x"]).dictionary_encode(), "is not where it should be"),
        ("time", pa.array([0, 2**60], pa.timestamp("us", tz="UTC")), "an impossible one"),
        ("time", pa.array([0, None], pa.timestamp("us", tz="UTC")), "has no time"),
        ("step_type", pa.array(["int", "text"]).dictionary_encode(), "a value of the type 'text'"),
        ("step_type", pa.array(["float", None]).dictionary_encode(), "a value without a type"),
        ("value_type", pa.array(["int", "bool"]).dictionary_encode(), "cannot be read"),
        ("value_type", pa.array(["str", "str"]).dictionary_encode(), "a string without its text"),
        ("value", pa.array([math.nan, 1.0]), "cannot be read"),
        ("value", pa.array([None, 1.0]), "cannot be read"),
        ("value_text", pa.array(["0xzz", None]), "cannot be read"),
        ("value_text", pa.array(["0x" + "1" * 200_000, None]), "too many digits"),
    ],
)
def test_values_that_cannot_be_are_refused_though_the_checksums_fit(here, refused, tmp_path, *, column, value, what):
    run = Experiment(here, "exp").start_logging(run_id="one", snapshot_directory=None, outputs=False)
    run.log("loss", 3, step=1)
    run.log("loss", 4, step=2)
    run.complete()
    export_runs(here, ["one"], tmp_path / "good.zip")
    with zipfile.ZipFile(tmp_path / "good.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = "runs/one/metrics.parquet"
    table = pq.read_table(io.BytesIO(members[name]))
    forged = io.BytesIO()
    if column in table.column_names:
        table = table.set_column(table.column_names.index(column), column, value)
    else:
        table = table.append_column(column, value)
    pq.write_table(table, forged)
    assert what in refused(signed(members, **{name: forged.getvalue()}))


def test_metrics_that_claim_more_rows_than_their_bytes_can_hold_are_refused(members, refused, monkeypatch):
    monkeypatch.setattr("runwidgets.archive.values_table._ROWS_OF_ANY", 0)
    monkeypatch.setattr("runwidgets.archive.values_table._ROWS_A_BYTE", 0)
    assert "rows in" in refused(members)


def test_metrics_that_are_no_parquet_are_refused(members, refused):
    assert "cannot be read" in refused(signed(members, **{"runs/full/metrics.parquet": b"PAR1 but not really PAR1"}))


def test_a_run_of_an_impossible_id_is_refused(members, refused):
    text = {name.replace("grandchild", ".hidden"): content for name, content in members.items()}
    for name in ("manifest.json", "runs.json"):
        text[name] = text[name].replace(b"grandchild", b".hidden")
    assert "has a run of the id '.hidden', which cannot be one" in refused(signed(text))


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a//b"])
def test_a_snapshot_that_would_write_elsewhere_is_refused(members, refused, full, name):
    evil = json.dumps({"files": [[name, "0" * 64, 1, False]]}).encode()
    digest = hashlib.sha256(evil).hexdigest()
    with pytest.raises(SnapshotError, match="none of its own"):
        read_manifest(evil)
    old = full.get_snapshot_id()
    kept = {key: value for key, value in members.items() if not key.startswith("snapshots/")}
    for key in ("manifest.json", "runs.json"):
        kept[key] = kept[key].replace(old.encode(), digest.encode())
    assert "that is none" in refused(signed(kept, **{f"snapshots/{digest}": evil}))


def test_a_snapshot_whose_contents_lie_elsewhere_is_refused():
    evil = json.dumps({"files": [["a", "../../../etc/passwd", 1, False]]}).encode()
    with pytest.raises(SnapshotError, match="none of its own"):
        read_manifest(evil)
    assert read_manifest(json.dumps({"files": [["a/b", "0" * 64, 1, False]]}).encode()) == [
        SnapshotFile("a/b", "0" * 64, 1, is_executable=False)
    ]


def test_an_import_that_fails_at_the_end_leaves_nothing(members, there, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("the disk is full")

    store = type(there._store)
    monkeypatch.setattr(store, "adopt", fail)
    with zipfile.ZipFile(tmp_path / "good.zip", "w") as archive:
        for name, content in with_runs(members, definition()).items():
            archive.writestr(name, content)
    with pytest.raises(OSError, match="full"):
        import_runs(there, tmp_path / "good.zip")
    assert list((there._folder / "submissions").iterdir()) == []
    assert [path for path in (there._folder / "artifacts").rglob("*") if path.is_file()] == []
    monkeypatch.undo()


# ---- the commands


@pytest.mark.usefixtures("full")
def test_runs_are_carried_from_one_workspace_to_another_by_commands(tmp_path):
    close_all()
    file = tmp_path / "runs.zip"
    out, err = runwidgets("export", "fu", file, "--workspace", "here")
    assert (out.startswith(f"3 runs in {file}, "), err) == (True, "")
    assert "is there already" in runwidgets("export", "fu", file, "--workspace", "here", code=2)[1]
    assert runwidgets("export", "fu", file, "--workspace", "here", "--overwrite", "--without-children")[0].startswith(
        "1 run"
    )
    assert "no zip archive" in runwidgets("import", __file__, "--workspace", "new", code=2)[1]
    assert runwidgets("import", file, "--workspace", "new") == ("1 run imported into the workspace 'new'\n", "")
    assert runwidgets("import", file) == ("1 run imported into the workspace 'default'\n", "")
    assert "id     full" in runwidgets("show", "f")[0]
    assert "ids already: full" in runwidgets("import", file, code=2)[1]
    out, err = runwidgets("import", file, "--rename")
    assert "run full is imported as " in err
    assert "there is no such file" in runwidgets("import", tmp_path / "none.zip", code=2)[1]
