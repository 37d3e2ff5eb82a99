"""What a process and its children hold, read from /proc."""

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

LOOK_EVERY = 0.02


@dataclass(frozen=True)
class Usage:
    """memory: resident, in MB. threads, descriptors: of the process itself. children: its descendants. files: temporary ones it left."""

    memory: float
    threads: int
    descriptors: int
    children: int
    files: int


def usage_of(pid: int, folder: Path | None = None) -> Usage:
    """What the process holds now. folder: where it puts temporary files."""
    process = Path(f"/proc/{pid}")
    threads, descriptors = (sum(1 for _ in (process / name).iterdir()) for name in ("task", "fd"))
    files = sum(1 for _ in folder.rglob("*")) if folder else 0
    return Usage(memory_of(pid), threads, descriptors, len(descendants(pid)), files)


def memory_of(pid: int, name: str = "VmRSS") -> float:
    """Resident memory in MB, or another line of its status; 0 where the process has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
    return 0.0


def descendants(pid: int) -> list[int]:
    """Its children and theirs."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                parents.setdefault(int((entry / "stat").read_text().rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        born = parents.get(waiting.pop(), [])
        found += born
        waiting += born
    return found


def command_of(pid: int) -> str:
    """Its command line; nothing where it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    return ""


@dataclass
class MemoryPeaks:
    """Most memory, in MB, while it was watched. children: the largest single one."""

    before: float
    server: float = 0.0
    children: float = 0.0
    after: float = 0.0


@contextmanager
def memory_watch(pid: int) -> Iterator[MemoryPeaks]:
    """Watches a process and its children until the block ends.

    The kernel keeps the process's own peak, which is set back first where that is allowed; children that live shorter than a look are
    missed.
    """
    peaks, over, own = MemoryPeaks(memory_of(pid)), Event(), command_of(pid)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    kept = memory_of(pid, "VmHWM") <= peaks.before * 1.05 + 20

    def look() -> None:
        while not over.wait(LOOK_EVERY):
            peaks.server = max(peaks.server, memory_of(pid, "VmHWM" if kept else "VmRSS"))
            # One that has only just been forked still looks like the server, and has its memory.
            children = [child for child in descendants(pid) if command_of(child) not in ("", own)]
            peaks.children = max([peaks.children, *(memory_of(child, "VmHWM") for child in children)])

    watcher = Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        over.set()
        watcher.join()
        peaks.after = memory_of(pid)
        peaks.server = max(peaks.server, peaks.after)


def tensorflow_seconds(rounds: int = 2) -> float:
    """What starting Python and TensorFlow takes on this machine now: the unit of time of the tables."""

    def once() -> float:
        start = time.monotonic()
        subprocess.run([sys.executable, "-c", "import tensorflow"], stderr=subprocess.DEVNULL, check=True)
        return time.monotonic() - start

    return statistics.median(once() for _ in range(rounds))
