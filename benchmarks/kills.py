"""Kills the commands that write results at random moments, and lets disks run full under them: `python -m benchmarks.kills`.

Most kills fall between a run's first unfinished file and its end. Whatever is there afterwards must be whole or as it was before. Exits
with 1 where something is half-written or left behind, or where
a command that writes in place is not caught.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.attack_parts.careless_writer import CARELESS
from benchmarks.attack_parts.interruptions import Interruptions, fill_disks, kill_runs
from benchmarks.attack_parts.killable_commands import COMMANDS
from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from models.output.markdown import markdown_table_head, markdown_table_row

CONTROL_KILLS = 10


def main() -> int:
    """Prints a row per command; 1 where something is half-written or left behind."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="kills of all commands together (200)")
    parser.add_argument("--disks", type=int, default=20, help="full disks of all commands together (20)")
    parser.add_argument("--seed", type=int, default=0, help="decides the moments (0)")
    options = parser.parse_args()
    print(machine_line(), "\n")
    print(
        markdown_table_head(
            ("command", "ended by", "runs", "how they ended", "whole", "as before", "half-written", "left after a whole run")
        )
    )
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for interrupt, cause, total in ((kill_runs, "kill", options.count), (fill_disks, "full disk", options.disks)):
            for number, command in enumerate(COMMANDS):
                count = total // len(COMMANDS) + (number < total % len(COMMANDS))
                if count:
                    found = interrupt(command, count, Path(folder), options.seed)
                    print(row(found, cause), flush=True)
                    failed = failed or not holds(found)
        control = kill_runs(CARELESS, CONTROL_KILLS, Path(folder), options.seed)
        print(row(control, "kill"))
    caught = bool(control.faults)
    print(
        f"\nNothing half-written, nothing left behind: {'missed' if failed else 'holds'}. The control is {'' if caught else 'not '}caught."
    )
    return int(failed or not caught)


def holds(found: Interruptions) -> bool:
    """Whether nothing is half-written or left behind."""
    return not found.faults and not found.left


def row(found: Interruptions, cause: str) -> str:
    """A row of the table."""
    results = ("whole", "as before")
    ends = {name: number for name, number in found.counts.items() if name not in results}
    told = ", ".join(f"{number} {name}" for name, number in sorted(ends.items()))
    half = f"{len(found.faults)}: {found.faults[0]}" if found.faults else "0"
    cells = (found.command, cause, sum(ends.values()), told, *(found.counts[name] for name in results), half, found.left)
    return markdown_table_row(tuple(str(cell).replace("|", "/").replace("\n", " ") for cell in cells))


if __name__ == "__main__":
    sys.exit(run_benchmark("kills", main))
