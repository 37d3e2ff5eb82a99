"""Ends a command in the middle, by a kill or a full disk, and looks at what is left."""

import contextlib
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.attack_parts.killable_commands import KillableCommand
from tests.serving import ROOT

LOOK_EVERY = 0.002
LATE_SHARE = 0.6
LONGEST = 600.0
PAGE = 4096


@dataclass
class Interruptions:
    """What became of the runs of one command. left: hidden files after a whole run that followed."""

    command: str
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    left: int = 0

    def note(self, ended: str, command: KillableCommand, folder: Path) -> None:
        """Looks at what an ended run left."""
        self.counts[ended] += 1
        if fault := command.fault(folder):
            self.faults.append(fault)
        else:
            self.counts["whole" if command.finished(folder) else "as before"] += 1


@dataclass(frozen=True)
class Timing:
    """Of a whole run, in seconds: to the first unfinished file, and to the end. size: bytes that it wrote, as its files stand then."""

    first: float
    end: float
    size: int


def whole_run(command: KillableCommand, folder: Path) -> Timing:
    """Runs the command to its end. RuntimeError where it fails, or its result is not there."""
    before = _changes(folder)
    process, start = _started(command, folder), time.monotonic()
    first = 0.0
    while process.poll() is None:
        if not first and _unfinished(folder):
            first = time.monotonic() - start
        time.sleep(LOOK_EVERY)
    end = time.monotonic() - start
    said = process.stderr.read() if process.stderr else ""
    _close(process)
    if process.returncode or not command.finished(folder) or command.fault(folder):
        raise RuntimeError(f"{command.name} ended with {process.returncode}: {command.fault(folder)} {said[-500:]}")
    return Timing(first or end * 0.9, end, _written(folder, before))


def kill_runs(command: KillableCommand, count: int, folder: Path, seed: int = 0) -> Interruptions:
    """Kills so many runs of the command: three of five near their end, the others anywhere; then runs it once to its end."""
    chance, found = random.Random(seed), Interruptions(command.name)
    with prepared(command, folder) as place:
        timing = whole_run(command, place)
    with prepared(command, folder) as place:
        for number in range(count):
            if command.finished(place):
                _empty(place)
                command.prepare(place)
            found.note(_killed(command, place, timing, number % 5 < 5 * LATE_SHARE, chance), command, place)
        if command.finished(place):
            _empty(place)
            command.prepare(place)
        whole_run(command, place)
        found.left = len(_unfinished(place))
    return found


def _killed(command: KillableCommand, place: Path, timing: Timing, late: bool, chance: random.Random) -> str:
    """Starts a run and kills it. Late: at a random moment from the first unfinished file of this run on."""
    known = _unfinished(place)
    process = _started(command, place)
    wait = chance.uniform(0, timing.end)
    if late:
        while process.poll() is None and not _unfinished(place) - known:
            time.sleep(LOOK_EVERY)
        wait = chance.uniform(0, 1.1 * (timing.end - timing.first))
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(wait)
    ended = "ended before" if process.poll() is not None else "killed late" if late else "killed anywhere"
    process.kill()
    process.wait()
    _close(process)
    return ended


def fill_disks(command: KillableCommand, count: int, folder: Path, seed: int = 0) -> Interruptions:
    """Runs the command so many times where there is room for only a part of what it writes, then once with room."""
    chance, found = random.Random(seed), Interruptions(command.name)
    with prepared(command, folder) as place:
        size = whole_run(command, place).size
    with prepared(command, folder) as place:
        for _ in range(count):
            room = max(1, int(size * chance.uniform(0.02, 0.9)))
            with small_disk(place, room) as (disk, limit):
                process = _started(command, disk, limit)
                said = process.communicate(timeout=LONGEST)[1].strip()
                _close(process)
                found.note(f"exit {process.returncode}", command, disk)
                if process.returncode == 0 and not command.finished(disk):
                    found.faults.append("success was reported, and nothing is there")
                if "Traceback" in said:
                    found.faults.append(said.rsplit("\n", 1)[-1][:200])
        whole_run(command, place)
        found.left = len(_unfinished(place))
    return found


@contextmanager
def small_disk(place: Path, room: int) -> Iterator[tuple[Path, int]]:
    """A copy of the folder on a file system with little room, or, where none can be mounted, the folder and the longest file that may be
    written there."""
    disk = Path(tempfile.mkdtemp(dir=place.parent))
    size = sum(-(-path.stat().st_size // PAGE) * PAGE for path in place.rglob("*") if path.is_file()) + -(-room // PAGE) * PAGE
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], capture_output=True)
    if done.returncode:
        shutil.rmtree(disk)
        yield place, room
        return
    try:
        shutil.copytree(place, disk, dirs_exist_ok=True)
        yield disk, 0
    finally:
        subprocess.run(["umount", str(disk)], check=True)
        disk.rmdir()


@contextmanager
def prepared(command: KillableCommand, folder: Path) -> Iterator[Path]:
    """A folder with what the command needs, deleted afterwards."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name) / "work"
        place.mkdir()
        command.prepare(place)
        yield place


def _changes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def _written(folder: Path, before: dict[Path, int]) -> int:
    """Bytes of the files that are new or have changed."""
    return sum(path.stat().st_size for path, changed in _changes(folder).items() if before.get(path) != changed)


def _started(command: KillableCommand, place: Path, longest_file: int = 0) -> "subprocess.Popen[str]":
    def limit() -> None:
        if longest_file:
            resource.setrlimit(resource.RLIMIT_FSIZE, (longest_file, longest_file))

    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    words = [sys.executable, "-m", *command.words(place)]
    # Errors only: what a run prints besides would fill the pipe.
    return subprocess.Popen(
        words, cwd=ROOT, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=limit if longest_file else None
    )


def _close(process: "subprocess.Popen[str]") -> None:
    if process.stderr:
        process.stderr.close()


def _unfinished(place: Path) -> set[Path]:
    with contextlib.suppress(OSError):  # of a folder that is renamed just now
        return set(place.rglob(".*"))
    return set()


def _empty(place: Path) -> None:
    for path in place.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
