"""Texts that leave the machine: which paths and secrets go, and what stays as it is."""

import time

import pytest

from runwidgets.watch.scrubbing import Scrubber, secret_values
from runwidgets.watch.secrecy import HIDDEN

scrub = Scrubber({"/home/ada": "~", "/home/ada/project": "."}, ["a secret of this machine"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('  File "/home/ada/project/src/train.py", line 3', '  File "./src/train.py", line 3'),
        ('File "/opt/my env/lib/site-packages/torch/nn/x.py", line 3', 'File "…/torch/nn/x.py", line 3'),
        ('File "<stdin>", line 1', 'File "<stdin>", line 1'),
        ("no such file: /home/ada/data/x.csv", "no such file: …/x.csv"),
        ("/home/ada", "~"), ("/home/grace is full", "~ is full"), ("/Users/grace/", "~"), (r"C:\Users\grace", "~"),
        ("/home/adam/x", "…/x"), ("/home/ada/project2/x", "…/x"), ("-I/home/ada/include", "-I…/include"),
        (r"D:\work\runs\model.pt", "…/model.pt"), ("C:/work/model.pt", "…/model.pt"),
        (r"\\server\share\x.csv", "…/x.csv"),
        ("file:///srv/data/x.csv", "…/x.csv"), ("saved:/srv/data/x.csv", "saved:…/x.csv"), ("~grace/a/b", "…/b"),
    ],
)  # fmt: skip
def test_of_a_path_of_the_machine_its_last_name_stays(text, expected):
    assert scrub(text) == expected


@pytest.mark.parametrize(
    "text",
    ["train/loss", "1/2 and/or 3 / 4", "https://example.org/a/b/c?page=2", "s3://bucket/key/part", "./src/a.py",
     "a\\b", "2026/11/25", "loss: 0.25", "tokens: 50257 a second", "~ 3 minutes", "…/x.csv", "key 12"],
)  # fmt: skip
def test_what_is_neither_stays_as_it_is(text):
    assert scrub(text) == text


@pytest.mark.parametrize(
    "secret",
    ["api_key=abcdef123", "HF_TOKEN: abcdef123", '"password": "abcdef123"', "https://ada:abcdef123@host/x",
     "Authorization: Bearer abcdef123.x", "?sv=1&sig=abcdef123", "ghp_abcdef123abcdef123abcdef123",
     "AccountKey=abcdef123==", "x a secret of this machine x"],
)  # fmt: skip
def test_what_looks_like_a_secret_is_hidden(secret):
    assert HIDDEN in scrub(secret)
    assert "abcdef123" not in scrub(secret)
    assert "of this machine" not in scrub(secret)


def test_secrets_of_the_environment_are_told_by_their_names_and_short_ones_are_no_needles():
    values = secret_values(
        {
            "WANDB_API_KEY": "0123456789",
            "HOME": "/root",
            "PWD": "/root/project",
            "SHORT_TOKEN": "on",
            "db_password": "p" * 9,
        }
    )
    assert values == ["0123456789", "on", "p" * 9]
    assert Scrubber(secrets=values)("on p 0123456789") == f"on p {HIDDEN}"


@pytest.mark.parametrize(
    "text", ["a-", "eyJaaaaaaaaa-", "/a", "~/", "a.a", 'File "', "/home/a", "token ", "\\\\a", "a_"]
)
def test_no_text_takes_long(text):
    start = time.process_time()
    scrub(text * (120_000 // len(text)))
    assert time.process_time() - start < 10, "by squares it would be minutes"
