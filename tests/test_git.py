"""What git says of a folder, and that it can neither hang, fail nor leak."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest

from runwidgets import git
from runwidgets.git import git_facts, without_credentials

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture(autouse=True)
def forget(monkeypatch):
    monkeypatch.setattr(git, "_known", {})


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Call git in a folder, with no settings but these."""
    for key in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(key, os.devnull)
    who = ("-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    folder = tmp_path / "repository"
    folder.mkdir()
    return lambda *arguments: subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(call, tmp_path):
    folder = tmp_path / "repository"
    call("init", "-b", "topic")
    (folder / "train.py").write_text("epochs = 1\n")
    call("add", ".")
    call("commit", "-m", "first")
    call("remote", "add", "other", "https://other/x.git")
    call("remote", "add", "origin", "https://user:token@host/x.git")
    return folder


def fresh(folder):
    git._known.clear()
    return git_facts(folder)


def test_a_clean_repository_is_known_by_remote_branch_and_commit_without_a_password(call, repository):
    (repository / "sub").mkdir()
    facts = git_facts(repository / "sub")
    assert facts == ("https://host/x.git", "topic", call("rev-parse", "HEAD"), False, "")
    call("remote", "remove", "origin")
    assert fresh(repository).repository_uri == "https://other/x.git"
    call("remote", "remove", "other")
    call("checkout", "--detach")
    assert fresh(repository)[:2] == ("", "")


def test_changes_staged_or_not_are_in_the_diff_and_new_files_are_not(call, repository):
    (repository / "new.py").write_text("x")
    assert not git_facts(repository).is_dirty
    (repository / "train.py").write_text("epochs = 2\n")
    facts = fresh(repository)
    assert facts.is_dirty
    assert "-epochs = 1\n+epochs = 2\n" in facts.diff
    call("add", "train.py")
    assert fresh(repository) == facts


def test_a_repository_without_a_commit_is_no_error(call, tmp_path):
    call("init", "-b", "topic")
    assert git_facts(tmp_path / "repository") == ("", "topic", "", False, "")


def test_a_long_diff_is_cut_and_says_so(repository, monkeypatch):
    monkeypatch.setattr(git, "DIFF_BYTES", 1000)
    (repository / "train.py").write_text("x\n" * 100_000)
    diff = git_facts(repository).diff
    assert diff.endswith("\n[cut: only the first 1,000 bytes are kept]\n")
    assert len(diff) < 1100


def test_what_git_said_is_asked_again_only_after_a_while(repository, monkeypatch):
    facts = git_facts(repository)
    monkeypatch.setattr(git, "_git", lambda *_, **__: pytest.fail("asked again"))
    assert git_facts(repository) is facts


def test_no_program_that_a_repository_names_is_started_and_its_index_stays(call, repository, tmp_path):
    witness = tmp_path / "witness"
    call("config", "core.fsmonitor", f"touch {witness};")
    call("config", "diff.external", f"touch {witness};")
    (repository / "train.py").write_text("epochs = 2\n")
    before = (repository / ".git" / "index").stat().st_mtime_ns
    assert git_facts(repository).diff
    assert not witness.exists()
    assert (repository / ".git" / "index").stat().st_mtime_ns == before


def test_an_environment_that_points_to_another_repository_does_not_mislead(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert git_facts(repository).branch == "topic"


def test_no_repository_and_no_git_are_no_facts(repository, tmp_path, monkeypatch):
    assert git_facts(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_facts(repository) is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_a_repository_of_another_owner_is_no_facts_and_no_noise(repository, capfd):
    for path in (repository, *repository.rglob("*")):
        os.chown(path, 12345, 12345)
    assert git_facts(repository) is None
    assert capfd.readouterr() == ("", "")


def test_a_git_that_hangs_is_given_up_with_all_it_started_and_not_asked_again(repository, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nsleep 1000 &\necho $! > {tmp_path}/pid\nwait\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(git, "_TIMEOUT_SECONDS", 0.5)
    begin = time.monotonic()
    assert git_facts(repository) is None
    assert time.monotonic() - begin < 30, "not the thousand seconds"
    (tmp_path / "pid").unlink()
    assert git_facts(repository) is None
    assert not (tmp_path / "pid").exists()


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://user:pass@host/x.git", "https://host/x.git"),
        ("https://token@host:8080/x", "https://host:8080/x"),
        ("https://host/x?access_token=t", "https://host/x"),
        ("https://user:pa/ss@host/x", "https://host/x"),
        ("https://user:pa?ss@host/x", "https://host/x"),
        ("https://user:pa#ss@host/x", "https://host/x"),
        ("https://a@b:c@host/x", "https://host/x"),
        ("https://u:p@[::1]:80/x", "https://[::1]:80/x"),
        ("https://host/@scope/x", "https://host/@scope/x"),
        ("ssh://git@host/x", "ssh://git@host/x"),
        ("ssh://git:pass@host:22/x", "ssh://host:22/x"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("user:pass@host:a/b.git", "host:a/b.git"),
        ("/home/a/b", "/home/a/b"),
        ("file:///home/a/b", "file:///home/a/b"),
        ("", ""),
    ],
)
def test_addresses_lose_their_passwords_alone(uri, expected):
    assert without_credentials(uri) == expected
