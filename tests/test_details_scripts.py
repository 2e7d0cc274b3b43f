"""What `RunDetails` shows of the run of a script, without a browser."""

import threading
import time

import pytest

from runwidgets import Experiment, Run, RunDetails, Workspace
from runwidgets.events import RunCreated, StatusSet
from runwidgets.records import RunStatus
from runwidgets.watch.poller import poller
from tests.test_details import until

LOG = "user_logs/std_log.txt"
TABS = ["metrics", "children", "images", "files", "details"]
LOGS, SYSTEM = 5, 6


def script(status=RunStatus.RUNNING):
    """A run as the submitting of a script makes it."""
    experiment = Experiment(Workspace(), "exp")
    run = Run.__new__(Run)
    run._begin(experiment, f"script-{time.time_ns()}", "train", None, "azureml.scriptrun")
    run._write(RunCreated(run.id, time.time(), "exp", None, "train", "azureml.scriptrun"))
    run._recorder.set_status(StatusSet(run.id, time.time(), status))
    return run


def set_status(run, status):
    run._recorder.set_status(StatusSet(run.id, time.time(), status))


@pytest.fixture
def run():
    run = script()
    yield run
    if not RunStatus(run.get_status()).is_final:
        set_status(run, RunStatus.COMPLETED)


@pytest.fixture
def log(run):
    """The file of its log; there is none yet."""
    path = run.experiment.workspace._files.root / run.id / LOG
    path.parent.mkdir(parents=True)
    return path


def append(path, text):
    with path.open("ab") as file:
        file.write(text.encode())


@pytest.fixture
def show():
    """Show runs as a notebook would."""
    opened = []

    def show_(run, seconds=0.5):
        opened.append(RunDetails(run, refresh_seconds=seconds))
        opened[-1]._repr_mimebundle_()
        return opened[-1]

    yield show_
    for details in opened:
        details.close()


def tabs(details):
    return [tab["id"] for tab in details._header.state["tabs"] if tab["is_shown"]]


def listen(details):
    """Keep what is sent to the browser of logs: messages and bytes."""
    sent = []
    details._logs.panel.send = lambda content, buffers: sent.append((content, *buffers))
    return sent


def is_log_followed(details):
    return any(errand.action == details._on_log for errand in poller()._errands)


def ask(details, name=LOG, **more):
    details._logs.panel._handle_custom_msg({"kind": "log", "name": name, "before": None, **more}, [])


def test_a_script_without_metrics_is_shown_with_its_log_open(run, show):
    details = show(run)
    until(lambda: details._header.selected_index == LOGS)
    assert tabs(details) == [*TABS, "logs"]
    assert details._logs.panel.state == {"logs": [], "is_open": True}


def test_a_script_of_which_nothing_but_its_processes_was_measured_is_shown_with_its_log_open_too(run, show):
    run.log("system/cpu_percent", 12.0)
    run.flush()
    details = show(run)
    until(details._looked.is_set)
    assert details._header.selected_index == LOGS


def test_a_script_with_metrics_is_shown_with_these(run, show):
    run.log("loss", 1.0)
    details = show(run)
    until(lambda: details._pages["metrics"].panel.state["rows"])
    assert details._header.selected_index == 0
    assert tabs(details) == [*TABS, "logs"]


def test_the_tab_that_a_person_has_chosen_stays(run, show):
    details = show(run)
    until(lambda: details._header.selected_index == LOGS)
    details._header.selected_index = 0
    run.tag("key")
    until(lambda: details._pages["details"].panel.state["tags"])
    assert details._header.selected_index == 0


def test_other_runs_have_the_tab_once_they_have_a_log(show):
    run = Experiment(Workspace(), "exp").start_logging()
    details = show(run)
    details._looked.wait(20)
    assert tabs(details) == TABS
    with run:
        print("hello")  # noqa: T201 (it is what makes the log)
        until(lambda: tabs(details) == [*TABS, "logs"])
    assert details._logs.panel.state["logs"] == ["logs/user_log.txt"]
    assert details._header.selected_index == 0


def test_a_new_log_appears_while_the_display_is_open(run, log, show):
    details = show(run)
    append(log, "one\n")
    until(lambda: details._logs.panel.state["logs"] == [LOG])
    log.with_name("other.txt").touch()
    until(lambda: details._logs.panel.state["logs"] == [LOG, "user_logs/other.txt"])


def test_what_is_printed_is_sent_soon_however_long_the_looks_are_apart(run, log, show):
    append(log, "one\n")
    details = show(run, seconds=600)
    sent = listen(details)
    until(lambda: details._logs.panel.state["logs"])
    ask(details)
    append(log, "two\n")
    until(lambda: len(sent) == 2)
    assert [data for _, data in sent] == [b"one\n", b"two\n"]
    assert [(message["start"], message["end"]) for message, _ in sent] == [(0, 4), (4, 8)]


def test_the_first_line_of_a_script_is_not_waited_for_until_the_next_look(run, log, show):
    details = show(run, seconds=600)
    until(lambda: details._logs.is_following)
    details._subscription._watched.due = time.monotonic() + 600  # the first looks come soon after each other
    append(log, "one\n")
    until(lambda: details._logs.panel.state["logs"] == [LOG], seconds=9)
    assert details._header.state["tabs"][LOGS]["count"] == 1


def test_a_log_that_nobody_looks_at_is_not_followed(run, log, show):
    append(log, "one\n")
    details = show(run)
    until(lambda: details._logs.is_following)
    details._header.selected_index = 0
    assert not details._logs.is_following
    assert not is_log_followed(details)
    details._header.selected_index = LOGS
    assert details._logs.is_following


def test_it_follows_no_longer_than_there_are_views_or_a_run(run, log, show):
    append(log, "one\n")
    details = show(run)
    until(lambda: details._logs.is_following)
    details._header._view_count = 1
    assert is_log_followed(details)
    details._header._view_count = 0
    until(lambda: poller()._errands == [])
    details._header._view_count = 1
    until(lambda: is_log_followed(details))
    set_status(run, RunStatus.COMPLETED)
    until(lambda: poller()._errands == [])


def test_the_last_words_of_a_run_are_sent_with_its_end(run, log, show):
    append(log, "one\n")
    details = show(run, seconds=600)
    sent = listen(details)
    until(lambda: details._logs.panel.state["logs"])
    ask(details)
    append(log, "last words\n")
    set_status(run, RunStatus.FAILED)
    until(lambda: details._header.state["status"] == "Failed")
    until(lambda: b"".join(data for _, data in sent) == b"one\nlast words\n")


def test_another_log_is_followed_when_it_is_chosen(run, log, show):
    append(log, "one\n")
    other = log.with_name("other.txt")
    append(other, "1\n")
    details = show(run)
    sent = listen(details)
    until(lambda: len(details._logs.panel.state["logs"]) == 2)
    details._logs.panel.controls = {"name": "user_logs/other.txt", "wrap": False}
    ask(details, "user_logs/other.txt")
    append(other, "2\n")
    until(lambda: [data for _, data in sent] == [b"1\n", b"2\n"])


def test_while_it_is_queued_the_queue_is_asked_at_each_look_and_not_afterwards(show, monkeypatch):
    run = script(RunStatus.QUEUED)
    asked = []

    def detailed():
        asked.append(threading.current_thread().name)
        if len(asked) == 2:
            raise OSError("the queue cannot be read")
        return {"status": "Queued", "details": f"{max(1, 4 - len(asked))}. of 5 in the queue of local"}

    monkeypatch.setattr(run, "get_detailed_status", detailed)
    details = show(run)
    until(lambda: details._header.state["queue"] == "3. of 5 in the queue of local")
    until(lambda: details._header.state["queue"] is None)
    until(lambda: details._header.state["queue"] == "1. of 5 in the queue of local")
    set_status(run, RunStatus.RUNNING)
    until(lambda: details._header.state["status"] == "Running")
    assert details._header.state["queue"] is None
    before = len(asked)
    run.tag("key")
    until(lambda: details._pages["details"].panel.state["tags"])
    assert len(asked) == before
    set_status(run, RunStatus.COMPLETED)


def test_what_is_sampled_of_a_script_has_a_tab_of_its_own(run, show):
    details = show(run)
    details._looked.wait(20)
    assert "system" not in tabs(details)
    run.log("loss", 1.0)
    run.log("loss", 0.5)
    for name, value in (("system/cpu_percent", 12.0), ("system/memory_mb", 512.0), ("system/gpu10_percent", 3.0)):
        run.log(name, value)
        run.log(name, value + 1)
    until(lambda: "system" in tabs(details))
    until(lambda: len(details._charts.grid.children) == 1)
    assert [row["name"] for row in details._pages["metrics"].panel.state["rows"]] == ["loss"]
    assert details._header.state["tabs"][0]["count"] == 1
    assert details._charts.system_grid.children == ()
    details._header.selected_index = SYSTEM
    until(lambda: len(details._charts.system_grid.children) == 3)
    headings = [card.heading.state for card in details._charts.system_grid.children]
    assert [(heading["title"], heading["subtitle"], heading["last"]) for heading in headings] == [
        ("CPU", "%", 13.0), ("GPU10", "%", 4.0), ("Memory", "MB", 513.0),
    ]  # fmt: skip
    details._header.selected_index = 0
    run.log("loss", 0.4)
    until(lambda: details._pages["metrics"].panel.state["rows"][0]["count"] == 3)
    assert len(details._charts.system_grid.children) == 3


BAR = "\rEpoch 3:  45%|####5     | 45/100 [00:10<01:40,  4.4it/s]"


def test_progress_is_read_in_the_log_of_a_run_that_reports_none_and_ends_with_it(run, log, show):
    append(log, "start\n" + BAR)
    details = show(run)
    until(lambda: details._header.state["progress"])
    progress = details._header.state["progress"]
    assert (progress["done"], progress["total"], progress["unit"], progress["is_from_output"]) == (
        45, 100, "Epoch 3:", True,
    )  # fmt: skip
    assert 0 < progress["seconds_left"] <= 100
    append(log, BAR.replace("45/", "46/"))
    until(lambda: details._header.state["progress"]["done"] == 46)
    set_status(run, RunStatus.COMPLETED)
    until(lambda: details._header.state["status"] == "Completed")
    assert details._header.state["progress"] is None


def test_progress_that_the_run_reports_wins_over_what_it_prints(run, log, show):
    append(log, BAR)
    details = show(run)
    until(lambda: details._header.state["progress"])
    run.progress(1, 3, "epoch")
    until(lambda: details._header.state["progress"]["unit"] == "epoch")
    assert not details._header.state["progress"]["is_from_output"]


def test_where_there_are_no_widgets_a_script_is_shown_with_the_end_of_its_log(run, log, show, capsys):
    append(log, "".join(f"line {i} <b>&\n" for i in range(30)) + " 10%|#  |\r 20%|## |\n\x1b[31mred\x1b[0m\n\n")
    bundle = show(run)._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    text, html = bundle["text/plain"], bundle["text/html"]
    assert text.endswith("│ line 29 <b>&\n  │  20%|## |\n  │ red")
    assert "line 12 " in text
    assert "line 11 " not in text
    assert "line 29 &lt;b&gt;&amp;\n 20%|## |\nred</pre>" in html
    assert "\x1b" not in text + html
    RunDetails(run).show()
    assert "│ line 29 <b>&" in capsys.readouterr().out


def test_what_was_printed_in_a_notebook_is_not_shown_twice(show):
    run = Experiment(Workspace(), "exp").start_logging()
    with run:
        print("hello")  # noqa: T201
    details = show(run)
    details._looked.wait(20)
    assert details._logs.panel.state["logs"]
    assert "hello" not in str(details._repr_mimebundle_())


def cancel(details):
    details._header._handle_custom_msg({"kind": "cancel"}, [])


def test_a_run_is_canceled_off_the_thread_that_hears_the_browser_and_says_so_at_once(run, show, monkeypatch):
    details = show(run, seconds=600)
    details._looked.wait(20)
    assert details._header.state["can_cancel"]
    may_go_on, canceled_by = threading.Event(), []

    def slow():
        canceled_by.append(threading.current_thread().name)
        may_go_on.wait(20)
        set_status(run, RunStatus.CANCELED)

    monkeypatch.setattr(run, "cancel", slow)
    cancel(details)
    cancel(details)
    assert details._header.state["status"] == "CancelRequested"
    assert not details._header.state["can_cancel"]
    may_go_on.set()
    until(lambda: details._header.state["status"] == "Canceled")
    assert not details._header.state["can_cancel"]
    assert canceled_by == ["runwidgets-cancel"]


def test_an_interactive_run_is_canceled_too(show):
    run = Experiment(Workspace(), "exp").start_logging()
    details = show(run, seconds=600)
    details._looked.wait(20)
    cancel(details)
    until(lambda: details._header.state["status"] == "Canceled")


def test_why_a_run_is_not_canceled_is_told_until_the_next_try(run, show, monkeypatch):
    details = show(run, seconds=600)
    details._looked.wait(20)

    def fail():
        raise OSError("the supervisor does not answer")

    monkeypatch.setattr(run, "cancel", fail)
    cancel(details)
    until(lambda: details._header.state["cancel_trouble"] == "the supervisor does not answer")
    assert details._header.state["status"] == "Running"
    monkeypatch.setattr(run, "cancel", lambda: set_status(run, RunStatus.CANCELED))
    cancel(details)
    assert details._header.state["cancel_trouble"] is None
    until(lambda: details._header.state["status"] == "Canceled")


def test_where_canceling_does_nothing_the_status_is_the_old_one_again(run, show, monkeypatch):
    details = show(run)
    details._looked.wait(20)
    monkeypatch.setattr(run, "cancel", lambda: None)
    cancel(details)
    until(lambda: details._header.state["status"] == "Running" and details._header.state["can_cancel"])


def test_the_question_knows_how_many_children_go_with_their_parent(show):
    parent = Experiment(Workspace(), "exp").start_logging()
    first, second = parent.child_run(), parent.child_run()
    first.complete()
    details = show(parent)
    until(lambda: details._header.state["open_children"] == 1)
    second.complete()
    until(lambda: details._header.state["open_children"] == 0)
    parent.complete()


def test_a_run_that_has_ended_cannot_be_canceled(run, show, monkeypatch):
    set_status(run, RunStatus.COMPLETED)
    details = show(run)
    until(lambda: details._header.state["status"] == "Completed")
    monkeypatch.setattr(run, "cancel", lambda: pytest.fail("it was canceled"))
    cancel(details)
    assert (details._header.state["status"], details._header.state["can_cancel"]) == ("Completed", False)


def test_an_errand_that_fails_is_done_again(caplog):
    times = []

    def errand():
        times.append(threading.current_thread().name)
        raise ValueError("no luck")

    running = poller().every(0.01, errand)
    until(lambda: len(times) > 2)
    running.cancel()
    assert set(times) == {"runwidgets-poller"}
    assert "no luck" in caplog.text
    until(lambda: poller()._thread is None)
