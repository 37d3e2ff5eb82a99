"""Killed at random moments, or on a full disk, no command leaves anything half-written; a command that does is caught."""

from pathlib import Path

import pytest

from benchmarks.attack_parts.careless_writer import CARELESS
from benchmarks.attack_parts.interruptions import Interruptions, fill_disks, kill_runs
from benchmarks.attack_parts.killable_commands import COMMANDS, KillableCommand
from benchmarks.kills import holds, row

KILLS = 5


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_killed_command_leaves_nothing_half_written(command: KillableCommand, tmp_path: Path) -> None:
    found = kill_runs(command, KILLS, tmp_path)
    assert holds(found), row(found, "kill")
    assert found.counts["whole"] + found.counts["as before"] == KILLS


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    found = fill_disks(next(command for command in COMMANDS if command.name == "library"), 2, tmp_path)
    assert holds(found), row(found, "full disk")
    assert found.counts["whole"] + found.counts["as before"] == 2
    assert found.counts["exit 0"] <= found.counts["whole"]


def test_a_command_that_writes_in_place_is_caught(tmp_path: Path) -> None:
    found = kill_runs(CARELESS, 2 * KILLS, tmp_path)
    assert found.faults
    assert not holds(found)
    assert "out.json" in row(found, "kill")


def test_what_is_left_behind_is_no_less_a_failure() -> None:
    assert holds(Interruptions("x"))
    assert not holds(Interruptions("x", left=1))
    assert not holds(Interruptions("x", faults=["half"]))
