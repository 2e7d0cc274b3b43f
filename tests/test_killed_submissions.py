"""Whatever of a submitted run is killed, and when: it ends, nothing goes on, and nothing that was logged is lost."""

from __future__ import annotations

import pytest

from tests.killing import VICTIMS, kill_one


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("victim", VICTIMS)
def test_a_kill_leaves_no_process_no_running_run_and_no_gap(victim, number, tmp_path):
    found = kill_one(victim, tmp_path / "project", number)
    assert found.status in {"Failed", "Canceled", ""}
    assert not found.is_left
    assert found.points >= found.returned
    assert found.lines >= found.returned
