"""Lets mixed visitors use a real server for minutes and states what it has gained: `python -m benchmarks.soak --minutes 10`.

Beside it a server that leaks on purpose is visited in the same way, and every one of its leaks must be found. Exits with 1 where the
page's server grows beyond a bound, or the control's leaks are not found.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

from benchmarks.attack_parts.client import Access, new_address
from benchmarks.attack_parts.growth import BOUNDS, KINDS, Growth, measure_growth
from benchmarks.attack_parts.leaky_server import leaking
from benchmarks.attack_parts.mixed_visitors import QUICK_SHARES, SHARES, MixedVisitors
from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from models.output.markdown import markdown_table_head, markdown_table_row
from tests.serving import Server, serving

FLAGS = ("--allow-model-upload", "--budget", "60")
CONTROL_SECONDS = 10.0
BODY = 1_000_000


def main() -> int:
    """Prints both tables; 1 where something leaks, or the control does not."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long visitors come, the warm-up included (10)")
    parser.add_argument("--visitors", type=int, default=3, metavar="N", help="visitors at once (3)")
    parser.add_argument("--requests", type=int, metavar="N", help="as many requests, without models, however long they take")
    options = parser.parse_args()
    print(machine_line(), "\n")
    start, shares = time.monotonic(), QUICK_SHARES if options.requests else SHARES
    growth, counts = soak(options.requests or options.minutes * 60, options.visitors, shares=shares)
    minutes = (time.monotonic() - start) / 60
    words = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    total = sum(counts[name] for name in shares)
    print(f"{total:,} requests of {options.visitors} visitors at once in {minutes:.0f} minutes; shares: {words}.\n")
    print(growth_table(growth), "\n")
    for name, number in counts.most_common():
        if name not in shares:
            print(f"- {number} of {name}")
    print("\nThe same of a server that leaks on purpose:\n")
    control = control_growth(CONTROL_SECONDS)
    print(growth_table(control), "\n")
    missed = [name for name in KINDS if name not in control.leaks]
    print(f"The page's server: {verdict(growth)}. The control: {'every leak is found' if not missed else 'missed: ' + ', '.join(missed)}.")
    return int(bool(growth.leaks or missed))


def soak(
    amount: float, visitors: int, stretches: int = 4, patience: float = 60.0, shares: Mapping[str, float] = SHARES
) -> tuple[Growth, Counter[str]]:
    """The growth of the page's server, and what became of the requests. amount: seconds, or requests of the quick shares."""
    with tempfile.TemporaryDirectory() as name, patch.dict("os.environ", {"TMPDIR": name}), serving(*FLAGS) as server:
        mixed = MixedVisitors(server, visitors, shares=shares)
        visit = mixed.visit_often if shares is QUICK_SHARES else mixed.visit
        growth = measure_growth(server.process.pid, Path(name), visit, amount, stretches, patience)
        return growth, mixed.counts


def control_growth(seconds: float) -> Growth:
    """The growth of the leaking server."""
    with tempfile.TemporaryDirectory() as name, leaking(Path(name)) as server:
        return measure_growth(server.process.pid, Path(name), _posts(server), seconds, patience=5.0)


def _posts(server: Server, at_least: int = 15) -> Callable[[float], None]:
    access = Access(server.address, new_address())

    def visit(seconds: float) -> None:
        limit, sent = time.monotonic() + seconds, 0
        while sent < at_least or time.monotonic() < limit:
            with suppress(OSError):
                access.ask("POST", "/", bytes(BODY))
            sent += 1
            time.sleep(0.02)

    return visit


def growth_table(growth: Growth) -> str:
    """A row per kind: after the warm-up, after each stretch, the gain and its bound."""
    stretches = [f"after {number}" for number in range(1, len(growth.readings))]
    lines = [markdown_table_head(("what", "after the warm-up", *stretches, "gain", "at most", "verdict"))]
    for name, gain in growth.gained.items():
        values = [f"{getattr(reading, name):.0f}" for reading in growth.readings]
        verdict = "leaks" if name in growth.leaks else "holds"
        title = "memory, MB" if name == "memory" else name
        lines.append(markdown_table_row((title, *values, f"{gain:+.0f}", f"{getattr(BOUNDS, name):.0f}", verdict)))
    return "\n".join(lines)


def verdict(growth: Growth) -> str:
    """In words."""
    return f"grows in {', '.join(growth.leaks)}" if growth.leaks else "no growth beyond the bounds"


if __name__ == "__main__":
    sys.exit(run_benchmark("soak", main))
