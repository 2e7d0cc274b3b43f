"""The files of runs: every name is checked, and a file is there whole or not at all."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwidgets.errors import NotFoundError, UserError
from runwidgets.images import image_type
from runwidgets.store.files import FileRoot, checked_name


@pytest.fixture
def root(tmp_path):
    return FileRoot(tmp_path / "artifacts")


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("model.pkl", "model.pkl"),
        ("outputs/model.pkl", "outputs/model.pkl"),
        ("./outputs//model.pkl", "outputs/model.pkl"),
        ("outputs/./a/", "outputs/a"),
        ("a..b/...", "a..b/..."),
        ("损失 🎉.png", "损失 🎉.png"),
        ("x" * 255, "x" * 255),
        ("<img onerror=alert(1)>", "<img onerror=alert(1)>"),
        (" spaced ", " spaced "),
    ],
)
def test_a_name_has_one_canonical_form(name, canonical):
    assert checked_name(name) == canonical


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        (".", "empty"),
        ("./", "empty"),
        ("/", "empty"),
        ("/etc/passwd", "absolute"),
        ("C:/windows", "absolute"),
        ("c:file", "absolute"),
        ("..", "leads out"),
        ("../x", "leads out"),
        ("a/../../x", "leads out"),
        ("a/..", "leads out"),
        ("a\\..\\..\\x", "backslash"),
        ("..\\x", "backslash"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
        ("a\x7fb", "control character"),
        ("a\ud800b", "surrogate"),
        ("x" * 256, "longer than 255 bytes"),
        ("损" * 86, "longer than 255 bytes"),
    ],
)
def test_a_name_that_leads_out_or_that_file_systems_refuse_is_refused(name, reason):
    with pytest.raises(UserError, match=reason):
        checked_name(name)


@pytest.mark.parametrize("name", [None, 3, b"x"])
def test_a_name_is_a_str(name):
    with pytest.raises(UserError, match="is a str, not"):
        checked_name(name)


@given(st.text(st.one_of(st.sampled_from("./\\ab:~"), st.characters(exclude_categories=()))))
def test_no_name_whatever_leads_out_of_the_folder_of_its_run(tmp_path_factory, name):
    root = FileRoot(tmp_path_factory.getbasetemp() / "artifacts")
    try:
        place = root._place("run", name)
    except UserError:
        return
    folder = (tmp_path_factory.getbasetemp() / "artifacts" / "run").resolve()
    assert folder in place.resolve().parents


@pytest.mark.parametrize("as_stream", [False, True])
def test_a_file_is_kept_as_it_is(root, tmp_path, as_stream):
    source = tmp_path / "source"
    source.write_bytes(b"\0content\xff" * 1000)
    size = root.save("run", "a/b", io.BytesIO(source.read_bytes()) if as_stream else source)
    assert size == 9000
    assert root.path("run", "a/b").read_bytes() == source.read_bytes()


def test_a_file_of_the_same_name_is_replaced(root):
    root.save("run", "a", io.BytesIO(b"first"))
    root.save("run", "a", io.BytesIO(b"second"))
    assert root.path("run", "a").read_bytes() == b"second"


def test_a_stream_that_breaks_leaves_the_former_file_and_nothing_else(root, tmp_path):
    class Breaking(io.BytesIO):
        def read(self, _size=-1):
            if self.tell():
                raise ConnectionError("gone")
            return super().read(3)

    root.save("run", "a", io.BytesIO(b"former"))
    with pytest.raises(ConnectionError):
        root.save("run", "a", Breaking(b"partial"))
    assert root.path("run", "a").read_bytes() == b"former"
    assert [p.name for p in (tmp_path / "artifacts").rglob("*") if p.is_file()] == ["a"]


def test_a_file_that_is_not_there_raises_and_leaves_nothing(root, tmp_path):
    with pytest.raises(FileNotFoundError):
        root.save("run", "a", tmp_path / "missing")
    assert [p for p in (tmp_path / "artifacts").rglob("*") if p.is_file()] == []


def test_a_link_that_leads_out_is_not_followed(root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    folder = tmp_path / "artifacts" / "run"
    folder.mkdir(parents=True)
    (folder / "folder").symlink_to(outside)
    (folder / "file").symlink_to(outside / "secret")
    for name in ("folder/secret", "folder/new/deep", "file"):
        with pytest.raises(UserError, match="leads out"):
            root.path("run", name)
        with pytest.raises(UserError, match="leads out"):
            root.save("run", name, io.BytesIO(b"x"))
    assert (outside / "secret").read_text() == "secret"
    assert [p.name for p in outside.iterdir()] == ["secret"]


def test_runs_do_not_see_each_others_files(root):
    root.save("one", "a", io.BytesIO(b"1"))
    with pytest.raises(NotFoundError):
        root.path("two", "a")


def test_a_missing_file_is_answered_with_what_there_is(root):
    with pytest.raises(NotFoundError, match=r"b was not found,\navailable files include: a,c\."):
        root.path("run", "b", ["a", "c"])
    with pytest.raises(NotFoundError, match="include: none"):
        root.path("run", "b")


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"BM\0\0", "image/bmp"),
        (b"<svg onload=alert(1)>", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(head, media_type):
    assert image_type(head) == media_type
