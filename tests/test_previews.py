"""The beginning of a file: told by what is in it, within limits, and of no file but the run's."""

import codecs
import os
import pickle

import pytest

from runwidgets.store.files import FileRoot
from runwidgets.watch.previews import TEXT_BYTES, Previews, encoding_of
from runwidgets.watch.requests import Desk
from tests.test_pictures import PNG, png


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "artifacts" / "run"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def ask(folder):
    desk = Desk({"preview": Previews(FileRoot(folder.parent), "run").answer})
    return lambda path: desk.answer({"kind": "preview", "id": "1", "path": path})


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [
        ("notes.txt", b"words", "text"),
        ("report.md", b"# Title", "text"),
        ("page.html", b"<script>alert(1)</script>", "text"),
        ("drawing.svg", b"<svg onload='alert(1)'/>", "text"),
        ("no_extension", "Grüße".encode(), "text"),
        ("a.json", b"{}", "json"),
        ("A.JSON", b"{}", "json"),
        ("t.csv", b"a,b", "table"),
        ("t.tsv", b"a\tb", "table"),
        ("x.diff", b"--- a", "diff"),
        ("curve.png", PNG, "image"),
        ("named.txt", PNG, "image"),
        ("no_picture.png", b"words", "text"),
        ("model.pkl", pickle.dumps(list(range(500))), "binary"),
        ("nothing.txt", b"", "empty"),
        ("colours.log", b"\x1b[31mred\x1b[0m " * 90, "text"),
    ],
)
def test_a_file_is_shown_as_what_it_is(folder, ask, name, content, shown):
    (folder / name).write_bytes(content)
    message, data = ask(name)
    assert (message["trouble"], message["shown"], message["size"]) == (None, shown, len(content))
    assert data == (b"" if shown in {"binary", "empty"} else content)


def test_of_a_long_text_the_beginning_is_sent_and_of_a_gigabyte_no_more(folder, ask):
    text = "é".encode() * TEXT_BYTES
    (folder / "a.txt").write_bytes(b"x" + text)  # so that the cut is within a character
    message, data = ask("a.txt")
    assert (message["shown"], message["is_cut"], message["encoding"], len(data)) == ("text", True, "utf-8", TEXT_BYTES)
    (folder / "huge.log").write_bytes(b"line\n" * TEXT_BYTES)
    os.truncate(folder / "huge.log", 2**30)
    message, data = ask("huge.log")
    assert (message["size"], len(data)) == (2**30, TEXT_BYTES)


def test_an_image_that_is_refused_says_why(folder, ask):
    (folder / "bomb.png").write_bytes(png(30_000, 30_000))
    message, data = ask("bomb.png")
    assert (message["shown"], data) == ("image", b"")
    assert "more than a browser should decode" in message["note"]


@pytest.mark.parametrize(
    "name", ["../other/secret.txt", "/etc/passwd", "a/../../x", "", "a\\b", "C:x", "line\nbreak", "link.txt", "a" * 300]
)
def test_no_name_leads_out_of_the_run(folder, ask, name):
    secret = folder.parent / "other" / "secret.txt"
    secret.parent.mkdir()
    secret.write_text("secret")
    (folder / "link.txt").symlink_to(secret)
    message, data = ask(name)
    assert "cannot name a file of a run" in message["trouble"]
    assert data == b""


def test_a_file_that_is_gone_is_told(ask):
    assert ask("gone.txt")[0]["trouble"] == "it is not there any more"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"plain", "utf-8"),
        ("Grüße".encode(), "utf-8"),
        ("Mit schönen Grüßen".encode("latin-1"), "windows-1252"),
        (codecs.BOM_UTF16_LE + "Grüße".encode("utf-16-le"), "utf-16le"),
        (codecs.BOM_UTF8 + b"plain", "utf-8"),
        (b"a\0b", None),
        (bytes(range(1, 32)) * 10, None),
        (bytes(range(128, 256)) * 10, None),
    ],
)
def test_the_encoding_of_a_text_is_told_by_its_bytes(data, encoding):
    assert encoding_of(data, is_cut=False) == encoding


def test_a_character_that_is_cut_is_no_error_only_where_the_file_goes_on():
    cut = "é".encode()[:1]
    assert encoding_of(b"plain" + cut, is_cut=True) == "utf-8"
    assert encoding_of(b"plain" + cut, is_cut=False) == "windows-1252"
