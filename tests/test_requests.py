"""What browsers ask for, checked as if it came from strangers."""

import threading

import pytest

from runwidgets.errors import NotFoundError, StoreError, UserError
from runwidgets.watch.requests import Answer, Desk, words_of


def echo(request):
    return Answer({"name": request.text("name", 5), "at": request.optional_number("at")}, b"data")


def ask(**content):
    return {"kind": "echo", "id": "view-1", "name": "loss", **content}


def test_an_answer_bears_the_kind_and_the_number_of_its_request():
    message, data = Desk({"echo": echo}).answer(ask(at=3))
    assert message == {"kind": "echo", "id": "view-1", "trouble": None, "name": "loss", "at": 3}
    assert data == b"data"


@pytest.mark.parametrize(
    "content",
    [
        None,
        "echo",
        {},
        ask(kind="other"),
        ask(kind=["echo"]),
        ask(id=None),
        ask(id="x" * 65),
        ask(name=None),
        ask(name=5),
        ask(name="longer"),
        ask(at=-1),
        ask(at=1.5),
        ask(at=True),
        ask(at=2**60),
    ],
)
def test_what_is_no_request_has_no_answer(content):
    assert Desk({"echo": echo}).answer(content) is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StoreError("the store is away"), "the store is away"),
        (UserError("no such name"), "no such name"),
        (NotFoundError("File with path x was not found,\navailable files include: a,b."), "it is not there any more"),
        (PermissionError(13, "Permission denied"), "[Errno 13] Permission denied"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (UserError(""), "UserError: "),
    ],
)
def test_whatever_goes_wrong_is_told_to_who_asked_and_never_raised(error, words):
    def fail(_request):
        raise error

    message, data = Desk({"echo": fail}).answer(ask())
    assert message == {"kind": "echo", "id": "view-1", "trouble": words}
    assert data == b""
    assert words_of(error) == words


def test_slow_requests_are_answered_one_after_the_other():
    inside, most, done = [], [], threading.Barrier(4)

    def slow(_request):
        inside.append(1)
        most.append(len(inside))
        inside.pop()
        return Answer({})

    desk = Desk({"echo": slow}, slow=frozenset({"echo"}))

    def call():
        done.wait()
        desk.answer(ask())

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]
    assert desk.is_slow(ask())
    assert not desk.is_slow(ask(kind="other"))
    assert not desk.is_slow(None)
