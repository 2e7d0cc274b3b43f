"""What a submitted run was to do, as a display tells it."""

import pytest

from runwidgets.watch.secrecy import HIDDEN, is_secret, without_secrets
from runwidgets.watch.submission import NO_SUBMISSION, packages_of, submission_of
from tests.test_wire import definition


def test_what_was_submitted_is_told_without_its_secrets():
    told = submission_of(definition())
    facts = {fact["label"]: fact["value"] for fact in told["facts"]}
    assert facts == {
        "Target": "gpu, 2 processes",
        "Script": "train.py",
        "Arguments": f"--alpha 0.1 --api-key '{HIDDEN}'",
        "Source folder": "/home/ada/digits",
        "Time limit": "01:00:00",
        "Submitted by": "ada",
        "Environment": "sklearn 2",
        "Interpreter": "/envs/sklearn/bin/python",
    }
    assert told["variables"] == [{"key": "HF_TOKEN", "value": None}, {"key": "MODE", "value": "fast"}]
    assert told["packages"] == ["python=3.11", "numpy==2.3"]
    assert submission_of(None) == NO_SUBMISSION


@pytest.mark.parametrize(
    "name",
    [
        "HF_TOKEN", "WANDB_API_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "password", "DB_PASSWD",
        "PGPASSWORD", "api-key", "apiKey", "AZURE_CLIENT_SECRET", "accountKey", "AZURE_STORAGE_CONNECTION_STRING",
        "SAS", "authToken", "MY_PWD", "credentials",
    ],
)  # fmt: skip
def test_a_name_that_says_so_may_be_a_secret(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    ["PATH", "KEYBOARD", "monkey", "TOKENIZERS_PARALLELISM", "max-tokens", "alpha", "PASSES", "AUTHOR", "keys_seen"],
)
def test_a_name_that_only_looks_like_one_is_none(name):
    assert not is_secret(name)


def test_secrets_are_taken_from_arguments_and_addresses_and_nothing_else_is():
    arguments = [
        "--lr",
        "0.1",
        "--token=abc",
        "--password",
        "hunter2",
        "-x",
        "https://ada:pw@host/a",
        "--key-size",
        "8",
    ]
    assert without_secrets(arguments) == [
        "--lr", "0.1", f"--token={HIDDEN}", "--password", HIDDEN, "-x", f"https://{HIDDEN}@host/a",
        "--key-size", HIDDEN,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("python a.py --lr 0.1 && echo 'done'", "python a.py --lr 0.1 && echo 'done'"),
        ("python a.py --token abc", f"python a.py --token {HIDDEN}"),
        (["python", "a b.py", "--token", "abc"], f"python 'a b.py' --token '{HIDDEN}'"),
        ("echo 'no end", "echo 'no end"),
    ],
)
def test_a_command_is_told_as_it_was_written_where_it_has_no_secrets(command, told):
    import msgspec

    changed = msgspec.structs.replace(definition(), command=command, script=None, arguments=[])
    facts = {fact["label"]: fact["value"] for fact in submission_of(changed)["facts"]}
    assert facts["Command"] == told
    assert "Script" not in facts


@pytest.mark.parametrize("strange", [None, "numpy", {"dependencies": "numpy"}, {"dependencies": [5, {"pip": "x"}]}])
def test_what_is_no_list_of_packages_has_none(strange):
    assert packages_of(strange) == []
