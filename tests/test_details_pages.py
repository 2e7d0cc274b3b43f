"""The pages of images, files and details, without a browser: what they send, and when."""

import io
import zipfile

import pytest

from runwidgets import Experiment, RunDetails, Workspace
from runwidgets.events import FileStored
from runwidgets.watch.listing import FEW
from runwidgets.watch.wire import TABS
from tests.test_details import until
from tests.test_pictures import PNG

PLACES = {tab: place for place, (tab, _) in enumerate(TABS)}


@pytest.fixture
def run():
    run = Experiment(Workspace(), "exp").start_logging(name="one", snapshot_directory=None)
    yield run
    if run.status == "Running":
        run.complete()


@pytest.fixture
def details(run):
    details = RunDetails(run, refresh_seconds=0.5)
    details._looked.wait(20)
    yield details
    details.close()


class Spy:
    """What a panel sends, and what is asked of it."""

    def __init__(self, panel, monkeypatch):
        self.panel = panel
        self.sent = []
        self.traits = []
        monkeypatch.setattr(panel, "send", lambda content, buffers=None: self.sent.append((content, buffers)))
        real = panel.send_state
        monkeypatch.setattr(panel, "send_state", lambda key=None: (self.traits.append(key), real(key))[1])

    def ask(self, kind, **content):
        self.sent.clear()
        self.panel._handle_custom_msg({"kind": kind, "id": "1", **content}, [])
        until(lambda: self.sent)
        message, buffers = self.sent[-1]
        return message, bytes(buffers[0])


@pytest.fixture
def spy(details, monkeypatch):
    return lambda tab: Spy(details._pages[tab].panel, monkeypatch)


def open_tab(details, tab):
    details._header.selected_index = PLACES[tab]


def store(run, name, data=b"x"):
    size = run.experiment.workspace._files.save(run.id, name, io.BytesIO(data))
    run._write(FileStored(run.id, 1.0, name, size))


def test_no_image_is_sent_before_it_is_asked_for(run, details, spy, tmp_path):
    images = spy("images")
    file = tmp_path / "a.png"
    file.write_bytes(PNG)
    for _ in range(3):
        run.log_image("curve", path=file)
    until(lambda: images.panel.state["total"] == 3)
    assert (images.sent, images.panel.state["is_open"]) == ([], False)
    open_tab(details, "images")
    assert (images.sent, images.panel.state["is_open"]) == ([], True)
    message, data = images.ask("picture", name="curve", index=1)
    assert (message["note"], data) == (None, PNG)
    message, data = images.ask("download", download="d", what="image", name=message["path"], start=0)
    assert (message["trouble"], data) == (None, PNG)


def test_files_are_listed_whole_once_and_then_only_what_is_new(run, details, spy):
    files = spy("files")
    store(run, "a.txt")
    until(lambda: files.panel.state["total"] == 1)
    assert files.panel.listing == {"seq": 1, "files": [("a.txt", 1)]}
    assert files.traits.count("listing") == 1
    store(run, "b.txt", b"12")
    until(lambda: files.panel.state["total"] == 2)
    assert files.sent[-1][0] == {"kind": "files", "seq": 2, "files": [("b.txt", 2)]}
    assert files.traits.count("listing") == 1
    # A page that is reloaded asks for all traits; a view that has missed something, for this one.
    assert files.panel.get_state("listing")["listing"]["seq"] == 2
    files.panel._handle_custom_msg({"kind": "list"}, [])
    assert files.traits.count("listing") == 2


def test_many_files_are_listed_when_their_tab_is_opened(run, details, spy, monkeypatch):
    monkeypatch.setattr("runwidgets.widgets.filing.FEW", 2)
    assert FEW > 2
    files = spy("files")
    for name in "abc":
        store(run, name)
    until(lambda: files.panel.state["total"] == 3)
    if files.panel.listing["seq"] == 0:  # all at one look
        open_tab(details, "files")
    assert len(files.panel.listing["files"]) >= 2
    open_tab(details, "files")
    assert len(files.panel.listing["files"]) == 3


def test_a_file_is_previewed_and_downloaded_and_no_other_folder_is(run, spy):
    files = spy("files")
    store(run, "outputs/notes.txt", b"words")
    message, data = files.ask("preview", path="outputs/notes.txt")
    assert (message["shown"], data) == ("text", b"words")
    message, data = files.ask("download", download="d", what="file", name="outputs/notes.txt", start=0)
    assert (message["size"], data) == (5, b"words")
    for kind, content in (
        ("preview", {"path": "../runs.sqlite"}),
        ("download", {"download": "d", "what": "file", "name": "../../runs.sqlite", "start": 0}),
    ):
        message, data = files.ask(kind, **content)
        assert "cannot name a file of a run" in message["trouble"]
        assert data == b""


def test_a_tag_that_is_changed_here_is_shown_at_once_and_stays_after_the_end(run, details, spy):
    panel = spy("details")
    assert panel.ask("tag", before=None, key="stage", value="dev")[0]["trouble"] is None
    until(lambda: panel.panel.state["tags"] == [{"key": "stage", "value": "dev"}])
    run.complete()
    until(lambda: details._header.state["status"] == "Completed")
    assert panel.ask("tag", before="stage", key="stage", value="prod")[0]["trouble"] is None
    shown = [{"key": "stage", "value": "prod"}]
    until(lambda: panel.panel.state["tags"] == shown)
    open_tab(details, "details")
    open_tab(details, "metrics")
    assert panel.panel.state["tags"] == shown
    assert panel.ask("tag", before=None, key="stage")[0]["trouble"] == "there is a tag 'stage' already"


def test_another_display_sees_a_changed_tag_at_its_next_look(run, details, spy):
    other = RunDetails(run, refresh_seconds=0.5)
    spy("details").ask("tag", before=None, key="stage", value="dev")
    until(lambda: other._pages["details"].panel.state["tags"] == [{"key": "stage", "value": "dev"}])
    other.close()


def test_the_states_of_a_run_are_a_timeline(run, details):
    run.fail("no data")
    panel = details._pages["details"].panel
    until(lambda: [one["status"] for one in panel.state["timeline"]] == ["Running", "Failed"])
    assert panel.state["error"]["message"] == "no data"


def test_the_snapshot_is_downloaded_as_a_zip_file_that_is_gone_afterwards(run, details, spy, tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text("print(1)")
    snapshot_id = run.take_snapshot(folder)
    panel = spy("details")
    message, data = panel.ask("download", download="d", what="snapshot", name=snapshot_id, start=0)
    assert message["end"] == message["size"] == len(data)
    assert zipfile.ZipFile(io.BytesIO(data)).read("train.py") == b"print(1)"
    assert details._pages["details"].panel._downloads._open == {}
    message, _ = panel.ask("download", download="d", what="snapshot", name="ab" * 32, start=0)
    assert message["trouble"] == "it is not there any more"


def test_a_metric_of_any_kind_is_downloaded_as_csv(run, spy):
    run.log_list("loss", [3.0, float("nan")])
    metrics = spy("metrics")
    message, data = metrics.ask("rows", name="loss", start=None)
    assert message["rows"] == [[3.0], [{"float": "NaN"}]]
    message, data = metrics.ask("download", download="d", what="metric", name="loss", start=0)
    assert [line.split(",")[-1] for line in data.decode().splitlines()] == ["value", "3.0", "NaN"]


def test_a_look_that_finds_nothing_new_sends_none_of_these_pages(run, details, spy):
    pages = [spy(tab) for tab in ("images", "files", "details", "metrics")]
    store(run, "a.txt")
    until(lambda: pages[1].panel.state["total"] == 1)
    before = [(len(page.sent), len(page.traits)) for page in pages]
    looks = {id(details._last_look): details._last_look}
    until(lambda: looks.setdefault(id(details._last_look), details._last_look) and len(looks) > 2)
    assert [(len(page.sent), len(page.traits)) for page in pages] == before
