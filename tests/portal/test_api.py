"""What other programs get: runs, metrics, files; and what hostile questions get."""

import csv
import io
import json
import os
import re
import zipfile
from pathlib import Path

import psutil
import pytest

from runwidgets import Experiment, Workspace

pytestmark = pytest.mark.slow
W = "/runwidgets/w/default/runs"
API = "/runwidgets/api/w/default"

HOSTILE = (
    "..", "../x", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%252e%252e%252fetc%252fpasswd", "..\\..\\x",
    "..%5c..%5cx", "/etc/passwd", "%2fetc%2fpasswd", "a%00b", "C:%5cx", "~root", "a;/../../x", "./../x", "x/../../y",
    "....//....//etc/passwd", "..%c0%afetc", "%ff%fe",
)  # fmt: skip


@pytest.fixture
def files(run):
    run.upload_file("outputs/a & <b>.txt", io.BytesIO(b"0123456789"))
    run.upload_file("outputs/page.html", io.BytesIO(b"<script>alert(1)</script>"))
    run.upload_file("logs/x.txt", io.BytesIO(b"log"))
    return run


def test_a_file_comes_whole_or_in_ranges_under_its_own_name(client, files):
    path = f"{W}/{files.id}/files/outputs/a%20%26%20%3Cb%3E.txt"
    whole = client.ask(path)
    assert (whole.status, whole.body) == (200, b"0123456789")
    assert whole.headers["Content-Disposition"].startswith('attachment; filename="a _ _b_.txt"')
    assert client.ask(path, Range="bytes=2-4").body == b"234"
    part = client.ask(path, Range="bytes=-3")
    assert (part.status, part.body, part.headers["Content-Range"]) == (206, b"789", "bytes 7-9/10")
    assert client.ask(path, Range="bytes=20-").status == 416
    assert client.ask(path, If_None_Match=whole.headers["ETag"]).status == 304
    head = client.ask(path, "HEAD")
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "10", b"")


def test_no_file_of_a_run_is_a_page(client, files):
    answer = client.ask(f"{W}/{files.id}/files/outputs/page.html")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_no_name_leads_out_of_a_run(client, files, home):
    (home / "secret.txt").write_text("secret")
    sibling = home / "default" / "artifacts" / f"{files.id}-sibling"
    sibling.mkdir(parents=True)
    (sibling / "x.txt").write_text("secret")
    folder = home / "default" / "artifacts" / files.id
    (folder / "link").symlink_to(home / "secret.txt")
    (folder / "linked").symlink_to(home)
    names = (*HOSTILE, "link", "linked/secret.txt", f"..%2f{files.id}-sibling/x.txt")
    for name in names:
        answer = client.ask(f"{W}/{files.id}/files/{name}")
        assert answer.status in {302, 400, 403, 404}, (name, answer.status)
        assert b"secret" not in answer.body.replace(b"secret.txt", b""), name
        for path in (f"{W}/{name}/files/x", f"/runwidgets/w/{name}/runs/x/files/y", f"{API}/runs/{name}"):
            answer = client.ask(path)
            assert answer.status in {200, 302, 400, 403, 404}, path
            assert b"root:" not in answer.body
        answer = client.ask(f"{W}/{files.id}/files.zip?prefix={name}")
        assert answer.status in {200, 400, 404}
        assert b"secret" not in answer.body.replace(b"secret.txt", b"")
        assert client.ask(f"/runwidgets/static/{name}").status in {200, 302, 400, 404}
        assert b"root:" not in client.ask(f"/runwidgets/modules/{name}/index.js").body


def test_a_folder_comes_as_a_zip(client, files):
    answer = client.ask(f"{W}/{files.id}/files.zip?prefix=outputs")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["outputs/a & <b>.txt", "outputs/page.html"]
    with zipfile.ZipFile(io.BytesIO(client.ask(f"{W}/{files.id}/files.zip").body)) as archive:
        assert len(archive.namelist()) == 3


def test_the_snapshot_comes_as_a_zip(client, home, current_folder):
    (current_folder / "train.py").write_text("print(1)")
    run = Experiment(Workspace(), "exp").start_logging(snapshot_directory=str(current_folder))
    run.complete()
    with zipfile.ZipFile(io.BytesIO(client.ask(f"{W}/{run.id}/snapshot.zip").body)) as archive:
        assert archive.read("train.py") == b"print(1)"


def test_metrics_come_as_csv_and_parquet(client, run):
    run.log_list("x", [1.0, float("nan"), 3.0])
    run.flush()
    answer = client.ask(f"{W}/{run.id}/metrics.csv?name=x")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [row["value"] for row in rows] == ["1.0", "NaN", "3.0"]
    parquet = client.ask(f"{W}/{run.id}/metrics.parquet")
    assert parquet.body[:4] == parquet.body[-4:] == b"PAR1"


def test_a_large_file_is_never_held_whole(server, run, tmp_path):
    place = tmp_path / "large.bin"
    with place.open("wb") as file:
        file.truncate(300 * 2**20)
    run.upload_file("large.bin", str(place))
    process = psutil.Process(server.process.pid)
    server.client.ask(f"{W}/{run.id}/files/large.bin", Range="bytes=0-9")
    before = process.memory_info().rss
    body = server.client.ask(f"{W}/{run.id}/files/large.bin").body
    assert len(body) == 300 * 2**20
    assert process.memory_info().rss - before < 40 * 2**20


def test_what_is_asked_is_answered_as_the_document_says(client, run):
    run.tag("model", "ridge")
    run.flush()
    document = client.ask("/runwidgets/api/openapi.json").json
    assert set(document["paths"]) >= {"/api/workspaces", "/api/w/{workspace}/runs/{run}/rows"}
    assert client.ask("/runwidgets/api/workspaces").json == {"workspaces": [{"name": "default"}]}
    experiment, *_ = client.ask(f"{API}/experiments").json["experiments"]
    assert experiment["run_count"] >= 1
    listed = client.ask(f"{API}/runs?experiment=exp&limit=1").json["runs"][0]
    assert (listed["id"], listed["status"], listed["tags"]) == (run.id, "Running", {"model": "ridge"})
    (metric,) = client.ask(f"{API}/runs/{run.id}/metrics").json["metrics"]
    assert (metric["name"], metric["rows"]) == ("loss", 1)


def test_what_is_new_of_a_metric_follows_the_cursor(client, run):
    run.log("m", float("inf"))
    run.log("m", 2**60, step=7)
    run.flush()
    first = client.ask(f"{API}/runs/{run.id}/rows?name=m&limit=1").json
    assert [row["values"] for row in first["rows"]] == [[{"float": "Infinity"}]]
    rest = client.ask(f"{API}/runs/{run.id}/rows?name=m&start={first['next']}").json
    assert [(row["row"], row["step"], row["values"]) for row in rest["rows"]] == [(1, 7, [{"int": str(2**60)}])]
    assert client.ask(f"{API}/runs/{run.id}/rows?name=m&start={rest['next']}").json["rows"] == []


def test_pages_of_runs_follow_each_other(client, home):
    experiment = Experiment(Workspace(), "many")
    ids = []
    for _ in range(5):
        run = experiment.start_logging(snapshot_directory=None)
        run.complete()
        ids.append(run.id)
    seen, before = [], ""
    while True:
        page = client.ask(f"{API}/runs?experiment=many&limit=2{before}").json
        seen += [each["id"] for each in page["runs"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert seen == ids[::-1]


def test_runs_are_filtered_and_ordered(client, home):
    experiment = Experiment(Workspace(), "ordered")
    for loss in (3.0, 1.0, 2.0):
        with experiment.start_logging(name=f"loss {loss}", snapshot_directory=None) as run:
            run.log("loss", loss)
            run.tag("model", "ridge" if loss > 1 else "lasso")
    asked = "where=tags.model%20%3D%20ridge%20and%20metrics.loss%20%3E%200"
    for order, names in (("metrics.loss", ["loss 2.0", "loss 3.0"]), ("-metrics.loss", ["loss 3.0", "loss 2.0"])):
        found = client.ask(f"{API}/runs?experiment=ordered&{asked}&order={order}").json["runs"]
        assert [run["name"] for run in found] == names


@pytest.mark.parametrize(
    "question",
    [
        "runs?where=metrics.loss%20%3C", "runs?order=nothing", "runs?order=-",
        "runs?limit=-1", "runs?limit=1001", "runs?limit=1e9", "runs?limit=", "runs?limit=%D9%A3", "runs?status=x",
        "runs/%00", "runs/nothing", "runs/nothing/metrics", "runs/nothing/rows?name=x",
        "runs/{id}/rows", "runs/{id}/rows?name=nothing", "runs/{id}/rows?name=loss&start=-1",
        "runs/{id}/rows?name=loss&limit=99999999999999999999999999",
    ],
)  # fmt: skip
def test_a_wrong_question_is_told_what_is_wrong(client, run, question):
    run.flush()
    answer = client.ask(f"{API}/{question.format(id=run.id)}")
    assert answer.status in {400, 404}
    assert set(answer.json) == {"error"}
    assert not re.search(r"Traceback|File \"|/[a-z]+/[a-z]+\.py", answer.json["error"])


def test_nothing_that_is_told_of_a_failure_is_markup(client, run):
    answer = client.ask(f"{API}/runs/%3Cimg%20src=x%20onerror=alert(1)%3E")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert json.loads(answer.body)["error"]
    assert os.fspath(Path.home()) not in answer.json["error"]
