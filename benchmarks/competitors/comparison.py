"""Runs every package in its own process and environment, one after the other, and compares their records."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.competitors import OPENED, PACKAGES, WHOLE
from benchmarks.competitors.cases import ComparisonCase
from benchmarks.competitors.environments import ROOT, interpreter, last_line
from benchmarks.competitors.fidelity import insertion_minus_deletion, run_to_run, similarity
from benchmarks.competitors.speed_table import (
    CombinedRun,
    Cost,
    Fidelity,
    Key,
    cost_table,
    fidelity_table,
    goal_lines,
    mean_cost,
    mean_fidelity,
    total_cost,
)
from explainers.explanation_case import Case
from explainers.methods import SEVEN
from models.classifiers.score import Score

EXACT = ("Grad-CAM", "Grad-CAM++")
EXACT_IN_PACKAGES = (*EXACT, "Score-CAM", "Occlusion (smoothed)")
"""Made without chance and without a parameter that more evaluations would improve: each is its own limit."""
STOCHASTIC = ("LIME", "SHAP")
OURS = "crosscheck"


@dataclass
class RunRecord:
    """The results of all repeats of one run. calls: one per repeat; maps: by reading, a seed or `reference`."""

    calls: list[dict[str, Any]]
    figures: list[dict[str, float]]
    maps: dict[str, np.ndarray]
    versions: dict[str, str]

    def cost(self) -> Cost:
        """The fastest of all repeats, and the lowest peak: what another process held at the time is not ours."""
        first = min(call["seconds"][0] for call in self.calls)
        fastest = min(min(call["seconds"]) for call in self.calls)
        processor = [value for call in self.calls for value in call["processor"] if value is not None]
        return Cost(
            self.calls[0]["evaluations"],
            first,
            fastest,
            min(processor, default=float("nan")),
            min(call["megabytes"] for call in self.calls),
        )


def compare(cases: list[ComparisonCase], packages: tuple[str, ...], repeats: int, folder: Path) -> list[str]:
    """The lines that are printed about one model."""
    costs: dict[Key, list[Cost]] = {}
    trusts: dict[Key, list[Fidelity]] = {}
    between: dict[str, list[float]] = {}
    wholes: list[CombinedRun] = []
    versions: dict[str, str] = {}
    failed: list[str] = []
    for comparison_case in cases:
        found = runs(comparison_case, packages, repeats, folder, failed)
        wholes.append(combined_run(found[WHOLE, "ours"], found[OPENED, "ours"]))
        case = Case(comparison_case.classifier, np.load(comparison_case.picture), Score(comparison_case.target))
        for key, record in found.items():
            versions |= record.versions
            if key[0] in (WHOLE, OPENED):
                continue
            costs.setdefault(key, []).append(record.cost())
            if comparison_case.trained:
                trusts.setdefault(key, []).append(fidelity(key, record, case))
        for name in {name for name, maker in found if maker == "theirs"} if comparison_case.trained else ():
            maps = [found[name, maker].maps["0"] for maker in ("ours", "theirs")]
            between.setdefault(name, []).append(similarity(*maps)[0])
    theirs = {m: (p, mean_cost(costs[m, "theirs"])) for p in packages for m in PACKAGES[p] if (m, "theirs") in costs}
    ours = {method.title: mean_cost(costs[method.title, "ours"]) for method in SEVEN}
    together = mean_combined_run(wholes)
    fidelities = {
        key: mean_fidelity(rows) for key, rows in sorted(trusts.items(), key=lambda item: [m.title for m in SEVEN].index(item[0][0]))
    }
    lines = [
        f"\n{cases[0].model}, {', '.join(s.name for s in cases)}; " + ", ".join(f"{k} {v}" for k, v in sorted(versions.items())),
        "",
    ]
    lines += cost_table(ours, theirs, together.cost)
    if fidelities:
        lines += ["", *fidelity_table(fidelities, {name: float(np.nanmean(values)) for name, values in between.items()})]
    complete = len(theirs) == len(SEVEN)
    lines += ["", *failed, f"Goals, {cases[0].model}{'' if complete else ' (not all packages took part)'}:"]
    return [*lines, *goal_lines(together, total_cost(cost for _, cost in theirs.values()) if complete else None, fidelities)]


def runs(comparison_case: ComparisonCase, packages: tuple[str, ...], repeats: int, folder: Path, failed: list[str]) -> dict[Key, RunRecord]:
    """The records of all runs, by map; where a package fails, the failure is reported and the others continue."""
    found: dict[Key, RunRecord] = {}
    for repeat in range(repeats):
        for name, maps, python in runners(packages):
            seeds = range(3 * repeat, 3 * repeat + (3 if name == OURS else 2))
            out = folder / f"{comparison_case.model}-{comparison_case.name}-{name}-{maps[0]}-{repeat}"
            command = [
                str(python),
                "-m",
                f"benchmarks.competitors.{name}",
                "--model",
                str(comparison_case.path),
                "--picture",
                str(comparison_case.picture),
            ]
            command += ["--target", str(comparison_case.target), "--out", str(out), "--maps", *maps, "--seeds", *map(str, seeds)]
            command += ["--reference"] if comparison_case.trained and not repeat else []
            print(f"{comparison_case.model}, {comparison_case.name}: {name} {', '.join(maps)} ...", file=sys.stderr, flush=True)
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode:
                failed.append(f"{name} failed on {', '.join(maps)}: {last_line(done.stderr)}")
            else:
                collect(found, out, "ours" if name == OURS else "theirs")
    return found


def runners(packages: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], Path]]:
    """Who runs, which maps at once, and by which Python: ours all together, because they share; theirs each in its own process."""
    for what in (WHOLE, OPENED):
        yield OURS, (what,), Path(sys.executable)
    for package in packages:
        for name in PACKAGES[package]:
            yield package, (name,), interpreter(package)


def collect(found: dict[Key, RunRecord], out: Path, maker: str) -> None:
    """Adds the results of one process."""
    answer = json.loads((out / "answer.json").read_text(encoding="utf-8"))
    with np.load(out / "maps.npz") as archive:
        maps = dict(archive)
    for name, call in answer["calls"].items():
        record = found.setdefault((name, maker), RunRecord([], [], {}, answer["versions"]))
        record.calls.append(call)
        record.figures.append(answer["figures"])
        record.maps |= {key.rpartition("/")[2]: values for key, values in maps.items() if key.rpartition("/")[0] == name}


def fidelity(key: Key, record: RunRecord, case: Case) -> Fidelity:
    """The fidelity of one map of one picture."""
    name, maker = key
    nothing = (float("nan"), float("nan"))
    readings = [record.maps[reading] for reading in sorted(record.maps) if reading != "reference"]
    itself = name in (EXACT if maker == "ours" else EXACT_IN_PACKAGES)
    reference = readings[0] if itself else record.maps.get("reference")
    run = run_to_run(readings) if name in STOCHASTIC else nothing
    limit = similarity(readings[0], reference) if reference is not None else nothing
    converged = [value for figures in record.figures for key, value in figures.items() if key.startswith(f"{name} converged")]
    share = float(np.mean(converged)) if converged else float("nan")
    return Fidelity(run, limit, insertion_minus_deletion(case, readings[0]), share, itself)


def combined_run(record: RunRecord, opened: RunRecord) -> CombinedRun:
    """All seven maps at once, next to the bare model in the same process, and with the model opened before; the fastest of all repeats."""
    bare, processor = (min(figures[f"bare {kind}"] for figures in record.figures) for kind in ("seconds", "processor"))
    each = bare / record.calls[0]["evaluations"]
    calls = (("first", record), ("first", opened), ("later", record))
    first = [min(f[f"{kind} call: every panel has a map, seconds"] for f in one.figures) / each for kind, one in calls]
    opening = min(figures["opening, seconds"] for figures in opened.figures) / each
    return CombinedRun(record.cost(), bare, processor, (first[0], first[1], first[2]), opening)


def mean_combined_run(wholes: list[CombinedRun]) -> CombinedRun:
    """The mean over pictures."""
    bare, processor = (float(np.mean([getattr(w, name) for w in wholes])) for name in ("bare", "bare_processor"))
    fresh, opened, later = (float(np.mean([w.first_map[i] for w in wholes])) for i in range(3))
    opening = float(np.mean([w.opening for w in wholes]))
    return CombinedRun(mean_cost(w.cost for w in wholes), bare, processor, (fresh, opened, later), opening)
