"""Registered models: versions, what is said of them, where they come from, and many processes at once."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runwidgets import Experiment, Model, ModelNotFoundError, ModelPathNotFoundError, UserError, Workspace
from runwidgets.deleting import delete_runs
from runwidgets.errors import ArgumentTypeError, StoreError
from runwidgets.store.recorder import close_all

SECONDS = 120


@pytest.fixture
def workspace():
    yield Workspace()
    close_all()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"content")
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "bert"
    for name in ("config.json", "weights/a.bin", "weights/b.bin"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(name)
    return path


def files_in(place):
    return sorted(path.relative_to(place).as_posix() for path in Path(place).rglob("*") if path.is_file())


# ---- registering


def test_a_file_is_kept_as_it_was_when_it_was_registered(workspace, file, tmp_path):
    model = Model.register(workspace, file, "m", {"a": "1", "b": None}, {"p": 2}, "about",
                           model_framework=Model.Framework.SCIKITLEARN, model_framework_version="1.4")  # fmt: skip
    file.write_bytes(b"another")
    for found in (model, Model(workspace, "m"), Model(workspace, id="m:1"), workspace.models["m"]):
        assert found == model
        assert (found.name, found.version, found.id, found.description) == ("m", 1, "m:1", "about")
        assert (found.tags, found.properties) == ({"a": "1", "b": None}, {"p": "2"})
        assert (found.model_framework, found.model_framework_version) == ("ScikitLearn", "1.4")
        assert (found.run_id, found.run, found.experiment_name) == (None, None, None)
        assert abs(found.created_time - datetime.now(UTC)) < timedelta(minutes=10)
        assert Path(found.url.removeprefix("file://")).read_bytes() == b"content"
    assert Path(model.download(tmp_path / "x")) == tmp_path / "x" / "model.pkl"
    assert (tmp_path / "x" / "model.pkl").read_bytes() == b"content"


def test_a_folder_is_kept_with_all_that_is_in_it_or_with_what_is_named(workspace, folder, tmp_path):
    Model.register(workspace, str(folder), "m").download(tmp_path / "all")
    assert files_in(tmp_path / "all") == ["bert/config.json", "bert/weights/a.bin", "bert/weights/b.bin"]
    Model.register(workspace, folder, "m", child_paths=["weights/a.bin", "config.json"]).download(tmp_path / "some")
    assert files_in(tmp_path / "some") == ["bert/config.json", "bert/weights/a.bin"]
    for child, error in (("none", ModelPathNotFoundError), ("../x", UserError)):
        with pytest.raises(error):
            Model.register(workspace, folder, "m", child_paths=[child])
    assert Model(workspace, "m").version == 2


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "../a", "a\n", "ä", "a" * 256, None, 3])
def test_a_name_that_cannot_be_a_models_is_refused(workspace, file, runwidgets_home, name):
    with pytest.raises(UserError, match=r"model_name is .*: it must begin with a letter or digit"):
        Model.register(workspace, file, name)
    assert list(runwidgets_home.rglob("model.json")) == []


@pytest.mark.parametrize("name", ["a", "0", "A-b._c", "a" * 255])
def test_a_name_by_the_rules_is_taken(workspace, file, name):
    assert Model.register(workspace, file, name).id == f"{name}:1"


def test_what_is_not_there_cannot_be_registered(workspace, tmp_path):
    with pytest.raises(ModelPathNotFoundError, match=r"there is no file or folder .*none to register as the model 'm'"):
        Model.register(workspace, tmp_path / "none", "m")
    assert workspace.models == {}


def test_a_registration_that_fails_in_the_middle_leaves_no_version(workspace, file, folder, monkeypatch):
    Model.register(workspace, file, "m")
    monkeypatch.setattr("shutil.copyfile", lambda *_, **__: (_ for _ in ()).throw(OSError("the disk is full")))
    with pytest.raises(OSError, match="full"):
        Model.register(workspace, folder, "m")
    monkeypatch.undo()
    assert [model.version for model in Model.list(workspace)] == [1]
    assert Model.register(workspace, file, "m").version == 3


def test_nothing_of_a_model_is_loaded(workspace, tmp_path, runwidgets_home):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    (tmp_path / "trap.pkl").write_bytes(pickle.dumps(Trap()))
    model = Model.register(workspace, tmp_path / "trap.pkl", "trap")
    model.download(tmp_path / "out")
    assert repr(Model.list(workspace))
    assert not (tmp_path / "sprung").exists()


REGISTERING = """
import sys
from runwidgets import Model, Workspace
sys.stdin.readline()
for _ in range(10):
    print(Model.register(Workspace(), sys.argv[1], "m", {"by": sys.argv[2]}).version)
"""


def test_processes_that_register_at_once_get_versions_of_their_own(workspace, file):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", REGISTERING, file, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for n in range(4)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=SECONDS)[0] for process in processes]
    assert sorted(int(version) for output in outputs for version in output.split()) == list(range(1, 41))
    found = Model.list(workspace)
    assert sorted(model.version for model in found) == list(range(1, 41))
    for n, output in enumerate(outputs):
        assert {m.version for m in found if m.tags == {"by": str(n)}} == set(map(int, output.split()))


# ---- from a run


@pytest.fixture
def run(workspace):
    run = Experiment(workspace, "exp").start_logging(outputs=False, snapshot_directory=None)
    for name in ("outputs/model.pkl", "outputs/deep/a.bin", "outputs/deep/b/c.bin", "outputs/deeper.txt"):
        run.upload_file(name, io.BytesIO(name.encode()))
    return run


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("outputs/model.pkl", ["model.pkl"]),
        ("./outputs//model.pkl", ["model.pkl"]),
        ("outputs/deep", ["deep/a.bin", "deep/b/c.bin"]),
        ("outputs/deep/", ["deep/a.bin", "deep/b/c.bin"]),
    ],
)
def test_a_file_or_folder_of_a_run_is_registered(workspace, run, tmp_path, path, expected):
    model = run.register_model("m", path, tags={"a": "b"}, description="about")
    assert (model.run_id, model.run, model.experiment_name) == (run.id, run, "exp")
    assert (model.tags, model.description) == ({"a": "b"}, "about")
    model.download(tmp_path / "out")
    assert files_in(tmp_path / "out") == expected
    assert Model.list(workspace, run_id=run.id) == [model]
    run.complete()


def test_by_default_the_path_is_the_models_name(run):
    run.upload_file("best.onnx", io.BytesIO(b"x"))
    assert run.register_model("best.onnx").id == "best.onnx:1"
    run.complete()


@pytest.mark.parametrize("path", ["outputs/none.pkl", "outputs/mod", "../../etc", "", "."])
def test_a_path_that_the_run_does_not_have_is_told_with_those_that_it_has(run, path):
    with pytest.raises(ModelPathNotFoundError, match=r"it has: .*outputs/model\.pkl"):
        run.register_model("m", path)
    run.complete()


def test_a_model_outlives_its_run_and_its_experiment(workspace, run, tmp_path):
    model = run.register_model("m", "outputs/model.pkl")
    run.complete()
    delete_runs(workspace, [run.id])
    assert model.run is None
    Experiment.delete(workspace, run.experiment.id)
    assert Path(Model(workspace, "m").download(tmp_path)).read_text() == "outputs/model.pkl"


# ---- finding


@pytest.fixture
def models(workspace, file):
    """Two versions of a and one of b."""
    return [
        Model.register(workspace, file, "a", {"stage": "old", "x": "1"}, {"p": "1"}, model_framework="Onnx"),
        Model.register(workspace, file, "b", {"stage": "new"}),
        Model.register(workspace, file, "a", {"stage": "new"}),
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["a:2", "b:1", "a:1"]),
        ({"name": "a"}, ["a:2", "a:1"]),
        ({"name": "none"}, []),
        ({"name": "../a"}, []),
        ({"latest": True}, ["a:2", "b:1"]),
        ({"tags": ["x"]}, ["a:1"]),
        ({"tags": "stage"}, ["a:2", "b:1", "a:1"]),
        ({"tags": [["stage", "new"]]}, ["a:2", "b:1"]),
        ({"tags": ["x", ["stage", "new"]]}, []),
        ({"tags": {"stage": "old"}, "latest": True}, ["a:1"]),
        ({"properties": [("p", "1")]}, ["a:1"]),
        ({"model_framework": "Onnx"}, ["a:1"]),
        ({"run_id": "none"}, []),
        ({"dataset_id": "any"}, []),
    ],
)
@pytest.mark.usefixtures("models")
def test_models_are_listed_newest_first_as_far_as_they_are_asked_for(workspace, filters, expected):
    assert [model.id for model in Model.list(workspace, **filters)] == expected


@pytest.mark.usefixtures("models")
def test_the_newest_that_fits_is_opened(workspace):
    assert Model(workspace, "a").version == 2
    assert Model(workspace, "a", version="1").version == 1
    assert Model(workspace, "a", tags=["x"]).version == 1
    assert Model(workspace, tags=[["stage", "new"]]).id == "a:2"
    assert {name: model.version for name, model in workspace.models.items()} == {"a": 2, "b": 1}


@pytest.mark.usefixtures("models")
def test_a_model_that_is_not_there_is_told_with_those_that_are(workspace):
    for arguments in ({"name": "c"}, {"name": "a", "version": 3}, {"id": "b:2"}, {"name": "b", "tags": ["x"]}):
        with pytest.raises(ModelNotFoundError, match="it has: a:2, a:1, b:1"):
            Model(workspace, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"id": "a"}, {"id": "a:x"}, {"id": "a:1", "name": "b"}, {"name": "a", "version": "x"}, {"tags": [3]},
     {"tags": [["a", "b", "c"]]}, {"properties": {"a": 1}}],
)  # fmt: skip
@pytest.mark.usefixtures("models")
def test_a_question_of_another_form_is_refused(workspace, arguments):
    with pytest.raises(UserError):
        Model(workspace, **arguments)


@pytest.mark.usefixtures("models")
def test_a_scoring_script_finds_where_a_model_lies(workspace, monkeypatch):
    assert Path(Model.get_model_path("a")).read_bytes() == b"content"
    assert Model.get_model_path("a", 1, workspace) != Model.get_model_path("a")
    with pytest.raises(ModelNotFoundError):
        Model.get_model_path("none")
    monkeypatch.setenv("RUNWIDGETS_WORKSPACE", "other")
    with pytest.raises(ModelNotFoundError, match="'other'"):
        Model.get_model_path("a")


def test_to_look_for_models_makes_no_workspace(workspace, runwidgets_home):
    assert Model.list(workspace) == []
    assert workspace.models == {}
    assert list(runwidgets_home.iterdir()) == []


def test_a_workspace_begins_to_exist_with_its_first_model(file):
    Model.register(Workspace(workspace_name="new"), file, "m")
    assert list(Workspace.list()) == ["new"]


# ---- downloading, changing, deleting


def test_what_is_there_is_replaced_only_where_that_is_said(workspace, folder, file, tmp_path):
    model = Model.register(workspace, folder, "m")
    target = Path(model.download(tmp_path / "out"))
    (target / "config.json").write_text("mine")
    with pytest.raises(UserError, match="is there already: give another target_dir, or exist_ok=True"):
        model.download(tmp_path / "out")
    assert (target / "config.json").read_text() == "mine"
    for settings in ({"exist_ok": True}, {"exists_ok": True}):
        (target / "config.json").write_text("mine")
        assert model.download(tmp_path / "out", **settings) == str(target)
        assert (target / "config.json").read_text() == "config.json"
    with pytest.raises(UserError):
        model.download(tmp_path / "out", exist_ok=True, exists_ok=False)


def test_what_is_downloaded_can_be_changed_without_changing_the_model(workspace, file, tmp_path):
    model = Model.register(workspace, file, "m")
    Path(model.download(tmp_path / "out")).write_bytes(b"changed")
    assert Path(Model.get_model_path("m")).read_bytes() == b"content"


def test_tags_and_description_change_and_properties_are_added_to(workspace, file):
    model, other = Model.register(workspace, file, "m", {"a": "1"}, {"p": "1"}, "about"), Model(workspace, "m")
    model.add_tags({"b": "2"})
    other.add_tags({"c": None})
    assert other.tags == {"a": "1", "b": "2", "c": None}
    other.remove_tags(["a", "none"])
    model.refresh()
    assert model.tags == {"b": "2", "c": None}
    model.update(tags={"only": "1"})
    assert (model.tags, model.description) == ({"only": "1"}, "about")
    model.update(description="other")
    assert (Model(workspace, "m").tags, Model(workspace, "m").description) == ({"only": "1"}, "other")
    model.add_properties({"q": 3})
    with pytest.raises(UserError, match="the property 'p' of the model m:1 is '1' already"):
        model.add_properties({"p": "2", "r": "1"})
    assert Model(workspace, "m").properties == {"p": "1", "q": "3"}
    for call in (
        lambda: model.update(description=3), lambda: model.add_properties(["a"]), lambda: model.add_tags("a"),
        lambda: model.remove_tags("a"),
    ):  # fmt: skip
        with pytest.raises(ArgumentTypeError):
            call()


TAGGING = """
import sys
from runwidgets import Model, Workspace
model = Model(Workspace(), "m")
sys.stdin.readline()
for n in range(20):
    model.add_tags({f"{sys.argv[1]}-{n}": "x"})
"""


def test_processes_that_tag_at_once_lose_nothing_of_each_other(workspace, file):
    Model.register(workspace, file, "m")
    processes = [
        subprocess.Popen([sys.executable, "-c", TAGGING, str(n)], stdin=subprocess.PIPE, text=True) for n in range(3)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=SECONDS)
    assert set(Model(workspace, "m").tags) == {f"{process}-{n}" for process in range(3) for n in range(20)}


def test_a_deleted_version_is_gone_and_its_number_is_not_given_again(workspace, file, runwidgets_home, tmp_path):
    for _ in range(3):
        Model.register(workspace, file, "m")
    last, held = Model(workspace, "m"), Model(workspace, "m")
    last.delete()
    last.delete()
    assert Model(workspace, "m").version == 2
    assert not list((runwidgets_home / "default" / "models" / "m" / "3").rglob("model.pkl"))
    assert Model.register(workspace, file, "m").version == 4
    for call in (held.refresh, lambda: held.add_tags({"a": "b"}), lambda: held.download(tmp_path / "x")):
        with pytest.raises(ModelNotFoundError):
            call()
    for model in Model.list(workspace):
        model.delete()
    assert workspace.models == {}


def test_what_is_said_of_a_model_that_cannot_be_read_is_told(workspace, file, runwidgets_home):
    Model.register(workspace, file, "m")
    (runwidgets_home / "default" / "models" / "m" / "1" / "model.json").write_text("{")
    with pytest.raises(StoreError, match="the model m:1 cannot be read"):
        Model.list(workspace)


# ---- how it looks


def test_a_model_is_shown_with_what_tells_it_apart_and_as_no_markup(workspace, file):
    model = Model.register(workspace, file, "m", {"a": "<b>"}, description="<script>")
    assert repr(model) == (
        f"Model(workspace={workspace!r}, name=m, id=m:1, version=1, tags={{'a': '<b>'}}, properties={{}})"
    )
    assert "<script>" not in model._repr_html_()
    assert "&lt;script&gt;" in model._repr_html_()
    assert json.loads(json.dumps(model.serialize()))["id"] == "m:1"
    assert len({model, Model(workspace, "m")}) == 1
