"""What readers ask of runs: found by filters, waited for, described, their files copied out."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from runwidgets import Experiment, Run, Workspace, opening
from runwidgets.errors import ArgumentTypeError, NotFoundError, RunFailedError, RunwidgetsError, StoreError, UserError
from runwidgets.events import RunCreated
from runwidgets.store.recorder import close_all
from tests.test_processes import eventually, start  # noqa: F401 (a fixture)
from tests.test_run import PNG


@pytest.fixture
def experiment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    yield Experiment(Workspace(), "exp")
    close_all()


@pytest.fixture
def run(experiment):
    return experiment.start_logging()


def ids(runs):
    return [run.id for run in runs]


# ---- tags, properties, names: cached


def test_tags_can_be_removed(run):
    run.set_tags({"a": "1", "b": "2", "c": None})
    run.remove_tags(["a", "c", "never there"])
    assert run.tags == run.get_tags() == {"b": "2"}
    run.tag("a", "again")
    assert run.get_tags() == {"a": "again", "b": "2"}


@pytest.mark.parametrize("keys", ["abc", 3, [1], None])
def test_tags_to_remove_are_a_list_of_keys(run, keys):
    run.tag("a")
    with pytest.raises(ArgumentTypeError, match="remove_tags"):
        run.remove_tags(keys)
    assert run.get_tags() == {"a": None}


def test_tags_and_properties_are_as_this_object_last_saw_them(run, experiment, monkeypatch):
    run.tag("a", "1")
    run.add_properties({"p": "1"})
    other = Run(experiment, run.id)
    run.tag("a", "2")
    run.add_properties({"q": "2"})
    with monkeypatch.context() as patch:
        patch.setattr(type(run._recorder), "flush", lambda _: pytest.fail("a property asked the store"))
        assert (run.tags, run.properties) == ({"a": "2"}, {"p": "1", "q": "2"})
        assert (other.tags, other.properties) == ({"a": "1"}, {"p": "1"})
        other.tags["mine"] = "not the run's"
        assert "mine" not in other.tags
    assert (other.get_tags(), other.get_properties()) == (run.tags, run.properties)
    assert (other.tags, other.properties) == (run.tags, run.properties)


def test_a_run_can_be_called_and_described_anew(run, experiment):
    run.display_name = "better"
    assert run.description == ""
    run.description = "<b>"
    again = Run(experiment, run.id)
    assert (again.display_name, again.name, again.description) == ("better", "better", "<b>")
    assert (run.display_name, run.description) == ("better", "<b>")
    with pytest.raises(TypeError, match="display_name is a int"):
        run.display_name = 3
    assert Run(experiment, experiment.start_logging(description="from the start").id).description == "from the start"


# ---- found


def test_runs_are_found_by_filters_newest_first(experiment):
    first = experiment.start_logging(tags={"a": "1", "b": "2"})
    second = experiment.start_logging(tags={"a": "2"})
    child = second.child_run()
    child.add_properties({"p": "x"})
    first.complete()
    Experiment(experiment.workspace, "other").start_logging(tags={"a": "1"})
    assert ids(experiment.get_runs()) == ids(Run.list(experiment)) == [second.id, first.id]
    assert ids(experiment.get_runs(include_children=True)) == [child.id, second.id, first.id]
    assert ids(experiment.get_runs(tags="a")) == [second.id, first.id]
    assert (
        ids(experiment.get_runs(tags={"a": "1"})) == ids(experiment.get_runs(None, {"a": "1", "b": "2"})) == [first.id]
    )
    assert ids(experiment.get_runs(tags={"a": "2", "b": "2"})) == []
    assert ids(experiment.get_runs(properties="p")) == []
    assert ids(experiment.get_runs(properties={"p": "x"}, include_children=True)) == [child.id]
    assert ids(experiment.get_runs("hyperdrive")) == []
    assert ids(Run.list(experiment, status="Completed")) == [first.id]
    assert ids(Run.list(experiment, status="Running", include_children=True)) == [child.id, second.id]


@pytest.mark.parametrize("wanted", [3, ["a"], {"a": 1}, {"a": None}, {1: "a"}])
@pytest.mark.parametrize("what", ["tags", "properties"])
def test_a_filter_of_another_form_is_a_value_error(run, what, wanted):
    with pytest.raises(UserError, match=f"{what} is "):
        run.experiment.get_runs(**{what: wanted})
    with pytest.raises(ValueError, match=f"{what} is "):
        run.get_children(**{what: wanted})


def test_a_status_that_there_is_not_is_refused(run):
    with pytest.raises(UserError, match="status is 'done': it must be one of NotStarted"):
        run.get_children(status="done")


def test_many_runs_come_whole_and_in_order_while_more_are_started(experiment):
    started = ids(reversed([experiment.start_logging() for _ in range(250)]))
    runs = experiment.get_runs()
    found = [next(runs).id]
    experiment.start_logging()
    assert found + ids(runs) == started


def test_children_are_found_at_every_depth(run):
    a = run.child_run()
    b = run.child_run()
    deep = a.child_run()
    deep.tag("deep")
    assert ids(run.get_children()) == [b.id, a.id]
    assert ids(run.get_children(True)) == [deep.id, b.id, a.id]
    assert ids(run.get_children(recursive=True, tags="deep")) == [deep.id]
    assert ids(run.get_children(tags="deep")) == []
    a.complete()
    assert ids(run.get_children(status="Completed")) == [a.id]
    assert deep.parent.parent == run


def test_children_are_created_by_count_or_by_tag(run):
    by_count = run.create_children(3)
    assert [child.tags for child in by_count] == [{"azureml.batch_child_number": n} for n in "012"]
    by_tag = run.create_children(tag_key="alpha", tag_values=[0.1, "b"])
    assert [child.get_tags() for child in by_tag] == [{"alpha": "0.1"}, {"alpha": "b"}]
    assert all(child.get_status() == "Running" and child.parent == run for child in by_count + by_tag)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give count, or"),
        ({"tag_key": "a"}, "given together"),
        ({"tag_values": ["a"]}, "given together"),
        ({"count": 1, "tag_key": "a", "tag_values": ["a"]}, "not both"),
        ({"count": 0}, "count is 0"),
        ({"count": "3"}, "count is '3'"),
    ],
)
def test_children_are_created_in_one_of_two_ways(run, arguments, message):
    with pytest.raises(UserError, match=message):
        run.create_children(**arguments)
    assert list(run.get_children()) == []


def test_a_run_is_got_by_its_id_alone(run, experiment):
    found = Run.get(experiment.workspace, run.id)
    assert (found, found.experiment) == (run, experiment)
    with pytest.raises(NotFoundError):
        Run.get(experiment.workspace, "nothing")


# ---- metrics


def test_metrics_of_runs_below_can_be_of_one_type_and_are_asked_for_by_position(run):
    run.log("m", 1)
    run.child_run().log("m", 2)
    assert run.get_metrics("m", True, "hyperdrive") == {run.id: {"m": 1}}
    assert len(run.get_metrics("m", True)) == 2


def test_populated_an_image_is_its_file(run, tmp_path):
    (tmp_path / "in").write_bytes(PNG)
    run.log("m", 1)
    run.log_image("picture", path=tmp_path / "in")
    found = run.get_metrics(populate=True)
    image = found["picture"]
    assert found["m"] == 1
    assert [image.path] == [image.filename] == run.get_file_names()
    assert image.data == image.convert_to_object() == PNG
    assert image.data_location == run.get_metrics()["picture"]
    assert (image.origin, image.container, image.metric_type) == ("ExperimentRun", f"dcid.{run.id}", "image")


# ---- files


def test_files_and_folders_go_in_together(run, tmp_path):
    for name in ("in/a", "in/deep/b", "in/deep/deeper/c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    run.upload_folder("outputs/model", "in")
    run.upload_files(["x", "y/z"], [tmp_path / "in" / "a", "in/deep/b"])
    assert run.get_file_names() == [
        "outputs/model/a",
        "outputs/model/deep/b",
        "outputs/model/deep/deeper/c",
        "x",
        "y/z",
    ]
    with pytest.raises(TypeError, match="1 names for 2 paths"):
        run.upload_files(["a"], ["in/a", "in/deep/b"])
    with pytest.raises(UserError, match="no folder at in/a"):
        run.upload_folder("outputs", "in/a")


def test_an_upload_tells_what_is_kept(run, tmp_path, caplog):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("12345")
    kept = run.upload_file("./outputs//a", "in/a", None)
    assert (kept.run_id, kept.path, kept.size) == (run.id, "outputs/a", 5)
    assert kept.data_location == f"aml://artifactId/ExperimentRun/dcid.{run.id}/outputs/a"
    assert [k.path for k in run.upload_files(["x", "y"], ["in/a", "in/a"], True, 60)] == ["x", "y"]
    assert [k.path for k in run.upload_folder("f", "in")] == ["f/a"]
    assert caplog.records == []
    run.upload_file("z", "in/a", datastore_name="blob")
    assert "datastore_name='blob' is ignored" in caplog.text


def test_a_file_that_is_kept_again_replaces_itself(run, tmp_path):
    (tmp_path / "outputs").mkdir(exist_ok=True)
    (tmp_path / "outputs" / "model.pkl").write_text("one")
    run.upload_file("outputs/model.pkl", "outputs/model.pkl")
    run.flush()
    (tmp_path / "outputs" / "model.pkl").write_text("two!")
    run.upload_file("outputs/model.pkl", "outputs/model.pkl")
    run.upload_folder("outputs", "outputs")
    assert run.get_file_names() == ["outputs/model.pkl"]
    run.download_file("outputs/model.pkl", "copy", _validate_checksum=True)
    assert Path("copy").read_text() == "two!"
    assert [file.size for file in run._recorder.store.files(run.id)] == [4]


def test_a_stream_of_text_is_kept_as_utf_8(run, tmp_path):
    run.upload_file("stream", io.StringIO("损失\n"))
    (tmp_path / "x").write_text("é", encoding="latin-1")
    with (tmp_path / "x").open(encoding="latin-1") as stream:
        run.upload_file("file", stream)
    files = run.experiment.workspace._files
    assert files.path(run.id, "stream").read_bytes() == "损失\n".encode()
    assert files.path(run.id, "file").read_bytes() == "é".encode()


@pytest.fixture
def filled(run):
    for name in ("outputs/a", "outputs/deep/b", "outputs2/c", "d"):
        Path("source").write_text(name)
        run.upload_file(name, "source")
    Path("source").unlink()
    return run


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["d", "outputs/a", "outputs/deep/b", "outputs2/c"]),
        ({"prefix": "outputs"}, ["outputs/a", "outputs/deep/b"]),
        ({"prefix": "./outputs/"}, ["outputs/a", "outputs/deep/b"]),
        ({"prefix": "outputs", "append_prefix": False}, ["outputs/a", "outputs/deep/b"]),
        ({"prefix": "outputs", "output_directory": "o"}, ["o/outputs/a", "o/outputs/deep/b"]),
        ({"prefix": "outputs", "output_directory": "o", "append_prefix": False}, ["o/a", "o/deep/b"]),
        ({"prefix": "outputs", "output_directory": "o", "output_paths": ["x", "y/z"]}, ["o/x", "o/y/z"]),
        ({"prefix": "outputs", "output_paths": ["x", "y/z"]}, ["x", "y/z"]),
    ],
)
def test_files_come_out_by_folder(filled, arguments, expected):
    filled.download_files(**arguments)
    assert files_in(".") == expected
    assert {Path(name).read_text() for name in expected} <= set(filled.get_file_names())


@pytest.mark.parametrize("paths", [["x"], "xy"])
def test_output_paths_that_do_not_fit_are_ignored_with_a_warning(filled, caplog, paths):
    filled.download_files("outputs", output_paths=paths)
    assert files_in(".") == ["outputs/a", "outputs/deep/b"]
    assert "one path for each of the 2 files" in caplog.text


def test_a_folder_without_files_copies_nothing_and_says_so(filled, caplog):
    filled.download_files("nothing")
    assert files_in(".") == []
    assert "no files in 'nothing'" in caplog.text


# ---- details, and the end


def test_details_have_the_keys_of_the_sdk(run):
    Path("x.txt").write_text("line")
    run.upload_file("logs/x.txt", "x.txt")
    run.add_properties({"p": "1"})
    details = run.get_details()
    assert (details["runId"], details["status"], details["properties"]) == (run.id, "Running", {"p": "1"})
    assert details["startTimeUtc"].endswith("Z")
    assert list(details["logFiles"]) == ["logs/x.txt"]
    assert details["logFiles"]["logs/x.txt"].startswith("file://")
    assert "endTimeUtc" not in details
    assert run.get_detailed_status() == {"status": "Running", "details": None}
    run.fail(KeyError("k"))
    details = run.get_details()
    assert set(details) == {
        "runId", "target", "status", "startTimeUtc", "endTimeUtc", "services", "error", "warnings", "properties",
        "inputDatasets", "outputDatasets", "runDefinition", "logFiles", "submittedBy",
    }  # fmt: skip
    assert (details["status"], details["error"]["error"]["code"]) == ("Failed", "UserError")


@pytest.mark.parametrize(
    ("error", "given", "code", "kind"),
    [
        (KeyError("k"), None, "UserError", "KeyError"),
        (ValueError("two\nlines: b"), None, "UserError", "ValueError"),
        (ValueError(), None, "UserError", "ValueError"),
        (RunFailedError("in a module"), "E42", "E42", "RunFailedError"),
    ],
)
def test_an_exception_is_described_as_sdk_v1_does(run, error, given, code, kind):
    run.fail(error, error_code=given)
    described = run.get_details()["error"]["error"]
    assert (described["code"], described["message"]) == (code, f"User program failed with {kind}: {error}")
    assert (described["debugInfo"]["type"], described["debugInfo"]["message"]) == (kind, str(error))


def test_a_reason_that_is_a_text_is_described_by_itself(run):
    run.fail("no space", error_code="E42")
    assert run.get_details()["error"] == {"error": {"code": "E42", "message": "no space", "details": []}}


def test_waiting_with_output_prints_what_the_run_prints_as_it_comes(start, experiment, capsys):  # noqa: F811
    script = """
with experiment.start_logging(run_id="run") as run:
    print("started", flush=True)
    sys.stdin.readline()
    print("løve and löss")
"""
    process = start(script)
    process.stdout.readline()
    run = Run(experiment, "run")
    waiting = threading.Thread(target=run.wait_for_completion, kwargs={"show_output": True})
    waiting.start()
    said = ""

    def is_printed():
        nonlocal said
        said += capsys.readouterr().out
        return "started" in said

    eventually(is_printed)
    process.stdin.write(b"go on\n")
    process.stdin.flush()
    waiting.join(60)
    said += capsys.readouterr().out
    assert said == (
        "RunId: run\n\nStreaming logs/user_log.txt\n===========================\n\nstarted\nløve and löss\n"
        "\nExecution Summary\n=================\nRunId: run\n"
    )


LOGS = {"logs/x.txt": b"line\n", "azureml-logs/70_driver_log.txt": "损".encode(), "user_logs/deep/std_log.txt": b"\xff"}


@pytest.fixture
def with_logs(run):
    for name, content in {**LOGS, "outputs/y.txt": b"no log"}.items():
        run.upload_file(name, io.BytesIO(content))
    return run


def test_details_can_have_the_contents_of_the_logs(with_logs):
    assert with_logs.get_details_with_logs() == {
        **with_logs.get_details(),
        "logFiles": {name: content.decode("utf-8", "replace") for name, content in LOGS.items()},
    }


@pytest.mark.parametrize("destination", [None, "there"])
def test_all_logs_are_copied_out(with_logs, destination):
    paths = with_logs.get_all_logs(destination)
    assert paths == [str(Path(destination or with_logs.id) / name) for name in sorted(LOGS)]
    assert [Path(path).read_bytes() for path in paths] == [LOGS[name] for name in sorted(LOGS)]


class Typed(Run):
    pass


def test_runs_of_a_type_are_made_by_its_function_wherever_they_are_found(experiment, monkeypatch):
    monkeypatch.setattr(opening, "_factories", {})
    Run.add_type_provider("typed", lambda experiment, record: Typed(experiment, record.run_id))
    with pytest.raises(ValueError, match=r"'typed'\): this type has a function already"):
        Run.add_type_provider("typed", Run)
    recorder = experiment.workspace._recorder
    recorder.write(RunCreated("parent", 1.0, "exp", None, "one", "typed"))
    recorder.write(RunCreated("child", 2.0, "exp", "parent", "two", "typed"))
    recorder.write(RunCreated("grandchild", 3.0, "exp", "child", "three", "another"))
    elsewhere = Experiment(experiment.workspace, "another")
    parent = Run.get(experiment.workspace, "parent")
    found = [parent, *experiment.get_runs(), *parent.get_children(), Run(elsewhere, "grandchild").parent]
    assert [type(run) for run in found] == [Typed] * 4
    assert {run.experiment for run in found} == {experiment}
    assert type(Run.get(experiment.workspace, "grandchild")) is Run


def test_a_canceled_run_stays_canceled_and_its_block_ends_as_usual(experiment):
    with experiment.start_logging() as run:
        run.cancel()
        run.start()
        assert run.get_status() == "Canceled"
    assert run.get_status() == Run(experiment, run.id).status == "Canceled"
    assert run.wait_for_completion()["status"] == "Canceled"


def test_waiting_for_a_failed_run_raises_unless_told_otherwise(run, capsys):
    run.fail("the reason")
    assert run.wait_for_completion(raise_on_error=False)["status"] == "Failed"
    with pytest.raises(RunFailedError, match="the reason") as caught:
        run.wait_for_completion()
    assert isinstance(caught.value, RunwidgetsError)
    assert '"code": "UserError"' in caught.value.error_details
    assert capsys.readouterr().out == ""
    run.wait_for_completion(show_output=True, raise_on_error=False)
    out = capsys.readouterr().out
    assert out.startswith(f"RunId: {run.id}\n\nExecution Summary\n")
    assert "the reason" in out


def test_waiting_wakes_when_this_process_ends_the_run(run):
    found = []
    thread = threading.Thread(target=lambda: found.append(run.wait_for_completion()["status"]))
    thread.start()
    run.complete()
    thread.join(30)
    assert found == ["Completed"]
    assert run._recorder._status_listeners == []


OTHER = """
run = experiment.start_logging(run_id="other")
print("[1]", flush=True)
sys.stdin.readline()
run.complete()
"""


def test_waiting_ends_with_a_run_of_another_process(start, experiment):  # noqa: F811
    process = start(OTHER)
    process.stdout.readline()
    run = eventually(lambda: next(experiment.get_runs(), None))
    found = []
    thread = threading.Thread(target=lambda: found.append(run.wait_for_completion()["status"]))
    thread.start()
    process.stdin.write(b"go\n")
    process.stdin.flush()
    thread.join(60)
    assert found == ["Completed"]


def test_waiting_ends_with_the_process_that_is_killed(start, experiment):  # noqa: F811
    process = start(OTHER)
    process.stdout.readline()
    run = eventually(lambda: next(experiment.get_runs(), None))
    process.kill()
    process.wait()
    with pytest.raises(RunFailedError, match="it was killed"):
        run.wait_for_completion()


def test_a_flush_that_takes_too_long_raises_and_loses_nothing(run, monkeypatch):
    run.log("m", 1)
    gate = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(type(run._recorder), "flush", lambda _: gate.wait(60))
        with pytest.raises(StoreError, match=r"within 0\.01 s"):
            run.flush(timeout_seconds=0.01)
        gate.set()
    run.flush()
    assert run.get_metrics() == {"m": 1}
