"""Attacks a real server with hostile models, pictures and visitors, and states what each cost: `python -m benchmarks.attack`.

Every hostile file is written here by a small program. Memory is of the server and of its largest child, in MB; time is in starts of
TensorFlow on this machine, so that a slow or busy one has the same figures. Exits with 1 where a bound does not hold.
"""

import argparse
import http.client
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks.attack_parts import hostile_models
from benchmarks.attack_parts.attack_table import (
    CHILD_MB,
    SERVER_MB,
    SLOWER,
    STALLED_MB,
    AttackRow,
    Bounds,
    Outcome,
    fault_of,
    refused,
    table_head,
)
from benchmarks.attack_parts.bystander import Bystander
from benchmarks.attack_parts.client import Guest, answered, error_of, new_picture
from benchmarks.attack_parts.hostile_models import BESIDE, UPLOADS, beside_good
from benchmarks.attack_parts.hostile_pictures import PICTURES
from benchmarks.attack_parts.hostile_visitors import VISITORS, Attack
from benchmarks.attack_parts.processes import memory_of, memory_watch, tensorflow_seconds
from benchmarks.attack_parts.sandbox_probe import sandbox_outcome
from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from tests.serving import Server, serving

USUAL = Bounds()
FLAGS = ("--allow-model-upload", "--budget", "60")
CONTROL = "control: an honest model"
BESIDE_CONTROL = "control: nothing beside a model"
PROBE = "code in the confined process"
CONTAINED = {hostile_models.LARGEST_INPUT}
"""Uploads that may open, if they stay within the bounds."""
PICTURES_IN_A_ROW = 5
"""Of one attacker: one alone is over before anybody has noticed it."""
LISTENS_WITHIN = 60.0
FIRST_MODEL = "model-1"
"""The name under which the page offers a model that it was given by path."""
BROKEN = (OSError, http.client.HTTPException, AssertionError, ValueError, KeyError)


def main() -> int:
    """Prints a row per attack; 1 where some bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="TITLE", help="only attacks whose title contains one of these")
    options = parser.parse_args()
    print(machine_line(), "\n")
    unit = tensorflow_seconds()
    print(f"Starting TensorFlow takes {unit:.1f} s here.\n\n{table_head()}", flush=True)
    rows: list[AttackRow] = []

    def add(row: AttackRow) -> None:
        idle = next((each.child for each in rows if each.title == CONTROL), 0.0)
        row = replace(row, idle_child=idle)
        rows.append(row)
        print(row.line(), flush=True)

    with tempfile.TemporaryDirectory() as name:
        attack_one_server(Path(name), unit, lambda title: _chosen(title, options.only), add)
        attack_beside_models(Path(name), unit, lambda title: _chosen(title, options.only), add)
    if _chosen(PROBE, options.only):
        start = time.monotonic()
        add(AttackRow(PROBE, "every call refused", sandbox_outcome(), 0, 0, 0, 0, (time.monotonic() - start) / unit, None))
    failed = [row for row in rows if row.failures]
    print(
        f"\n{len(rows) - len(failed)} of {len(rows)} hold. Bounds: the expected end; at most {SERVER_MB:.0f} MB above idle for the server "
        f"({STALLED_MB:.0f} MB with stalled uploads), {CHILD_MB:.0f} MB for a child beyond an honest model's, {SLOWER} times as long for "
        "another visitor's maps on average."
    )
    return int(bool(failed))


def _chosen(title: str, only: list[str] | None) -> bool:
    return only is None or any(part in title for part in only)


def attack_one_server(folder: Path, unit: float, chosen: Callable[[str], bool], add: Callable[[AttackRow], None]) -> None:
    """Uploads, pictures and visitors, one after the other, at one server that a bystander uses meanwhile."""
    attacks: list[tuple[str, str, Attack, Bounds]] = [(CONTROL, "maps", honest_upload, Bounds())]
    attacks += [
        (title, "maps or a sentence" if title in CONTAINED else "one sentence", upload_attack(title), Bounds()) for title in UPLOADS
    ]
    attacks += [(title, expected, picture_attack(title), Bounds()) for title, (expected, _) in PICTURES.items()]
    attacks += [(title, expected, attack, bounds) for title, (expected, attack, bounds) in VISITORS.items()]
    if not any(chosen(each[0]) for each in attacks):
        return
    attacks = [each for each in attacks if each[0] == CONTROL or chosen(each[0])]
    with ExitStack() as stack:
        server: Server | None = None
        for title, expected, attack, bounds in attacks:
            if server is None or server.process.poll() is not None:
                server = stack.enter_context(serving(*FLAGS))
                bystander = Bystander(server)
            add(attacked(server, bystander, title, expected, attack, folder, unit, bounds))


def attacked(
    server: Server,
    bystander: Bystander | None,
    title: str,
    expected: str,
    attack: Attack,
    folder: Path,
    unit: float,
    bounds: Bounds = USUAL,
) -> AttackRow:
    """Runs one attack and reads what it cost the server, its children and the bystander."""
    with ExitStack() as stack:
        peaks = stack.enter_context(memory_watch(server.process.pid))
        ratios = stack.enter_context(bystander.watching()) if bystander else []
        start = time.monotonic()
        try:
            outcome = attack(server, folder)
        except BROKEN as error:
            outcome = Outcome(f"{type(error).__name__}: {error}"[:200], "the attack met no answer")
        seconds = time.monotonic() - start
    if server.process.poll() is not None:
        outcome = Outcome(outcome.words, f"the server ended with status {server.process.returncode}")
    slower = (statistics.mean(ratios), max(ratios)) if ratios else None
    return AttackRow(title, expected, outcome, peaks.before, peaks.server, peaks.after, peaks.children, seconds / unit, slower, bounds)


def honest_upload(server: Server, folder: Path) -> Outcome:
    """A visitor brings an ordinary model and gets maps."""
    guest = Guest(server)
    guest.stay()
    token, painted = guest.bring(hostile_models.honest(folder / "honest.keras").read_bytes(), "honest.keras")
    if token and not error_of(painted):
        painted = guest.explain(new_picture(), classifier=token)
    guest.leave()
    return Outcome("maps" if answered(painted) else error_of(painted), "" if answered(painted) else "an honest model is not served")


def upload_attack(title: str) -> Attack:
    """A visitor brings that model."""
    write, name = UPLOADS[title]

    def attack(server: Server, folder: Path) -> Outcome:
        data = write(folder / name).read_bytes()
        guest = Guest(server)
        guest.stay()
        try:
            token, painted = guest.bring(data, name)
            if token and not error_of(painted):
                painted = guest.explain(new_picture(), classifier=token)
        finally:
            guest.leave()
        if title in CONTAINED and answered(painted):
            return Outcome("maps")
        return refused(error_of(painted))

    return attack


def picture_attack(title: str) -> Attack:
    """A visitor brings that picture."""
    expected, make = PICTURES[title]

    def attack(server: Server, folder: Path) -> Outcome:
        attacker, data = Guest(server), make()
        for _ in range(PICTURES_IN_A_ROW):
            painted = attacker.explain(data + os.urandom(8))  # what follows a picture's end is not read, and no answer is used again
        if expected.startswith("maps") and answered(painted):
            return Outcome("maps")
        return refused(error_of(painted))

    return attack


def attack_beside_models(folder: Path, unit: float, chosen: Callable[[str], bool], add: Callable[[AttackRow], None]) -> None:
    """Servers that were started with a model beside which something hostile lies. Before: what one holds beside which nothing does."""
    titles = [title for title in BESIDE if chosen(title)]
    if not titles:
        return
    before = 0.0
    for title in (BESIDE_CONTROL, *titles):
        place = beside_good(folder / f"beside {title}".replace(",", ""), BESIDE.get(title, lambda model: None))
        start = time.monotonic()
        child = peak = after = 0.0
        try:
            with serving("--model", str(place), starting=LISTENS_WITHIN) as server:
                with memory_watch(server.process.pid) as peaks:
                    painted = Guest(server, FIRST_MODEL).explain(new_picture())
                outcome = Outcome("maps") if answered(painted) else Outcome(error_of(painted), fault_of(error_of(painted)))
                peak, after, child = memory_of(server.process.pid, "VmHWM"), peaks.after, peaks.children
        except BROKEN as error:
            said = str(error).strip().rsplit("\n", 1)[-1][:200]
            outcome = Outcome(said, fault_of(said) or f"the server or its visitor got nothing within {LISTENS_WITHIN:.0f} s")
        before = before or peak
        add(
            AttackRow(
                title, "maps or a sentence", outcome, before, max(peak, before), after, child, (time.monotonic() - start) / unit, None
            )
        )


if __name__ == "__main__":
    sys.exit(run_benchmark("attack", main))
