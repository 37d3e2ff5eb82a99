"""Runs every package in its own process and environment, one after the other, and lays what they left side by side."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.competitors import OPENED, PACKAGES, WHOLE
from benchmarks.competitors.cases import ComparisonCase
from benchmarks.competitors.environments import ROOT, interpreter, last_line
from benchmarks.competitors.fidelity import alike, run_to_run, shown_before_hidden
from benchmarks.competitors.speed_table import Cost, Key, Trust, Whole, cost_table, mean_cost, mean_trust, total_cost, trust_table, verdict
from explainers.case import Case
from explainers.methods import SEVEN
from models.classifiers.score import Score

EXACT = ("Grad-CAM", "Grad-CAM++")
EXACT_THERE = (*EXACT, "Score-CAM", "Occlusion")
"""Made without chance and without a parameter that more evaluations would improve: each is its own limit."""
DRAWN = ("LIME", "SHAP")
OURS = "crosscheck"


@dataclass
class Left:
    """What all repeats of one run left behind. calls: one a repeat; maps: by reading, a seed or `reference`."""

    calls: list[dict]
    figures: list[dict]
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


def compare(subjects: list[ComparisonCase], packages: tuple[str, ...], repeats: int, folder: Path) -> list[str]:
    """The lines that are printed about one model."""
    costs: dict[Key, list[Cost]] = {}
    trusts: dict[Key, list[Trust]] = {}
    between: dict[str, list[float]] = {}
    wholes: list[Whole] = []
    versions: dict[str, str] = {}
    failed: list[str] = []
    for subject in subjects:
        found = runs(subject, packages, repeats, folder, failed)
        wholes.append(whole(found[WHOLE, "ours"], found[OPENED, "ours"]))
        case = Case(subject.classifier, np.load(subject.picture), Score(subject.target))
        for key, left in found.items():
            versions |= left.versions
            if key[0] in (WHOLE, OPENED):
                continue
            costs.setdefault(key, []).append(left.cost())
            if subject.trained:
                trusts.setdefault(key, []).append(trust(key, left, case))
        for name in {name for name, maker in found if maker == "theirs"} if subject.trained else ():
            ours, theirs = (found[name, maker].maps["0"] for maker in ("ours", "theirs"))
            between.setdefault(name, []).append(alike(ours, theirs)[0])
    theirs = {m: (p, mean_cost(costs[m, "theirs"])) for p in packages for m in PACKAGES[p] if (m, "theirs") in costs}
    ours = {method.title: mean_cost(costs[method.title, "ours"]) for method in SEVEN}
    together = mean_whole(wholes)
    judged = {key: mean_trust(rows) for key, rows in sorted(trusts.items(), key=lambda item: [m.title for m in SEVEN].index(item[0][0]))}
    lines = [
        f"\n{subjects[0].model}, {', '.join(s.name for s in subjects)}; " + ", ".join(f"{k} {v}" for k, v in sorted(versions.items())),
        "",
    ]
    lines += cost_table(ours, theirs, together.cost)
    if judged:
        lines += ["", *trust_table(judged, {name: float(np.nanmean(values)) for name, values in between.items()})]
    complete = len(theirs) == len(SEVEN)
    lines += ["", *failed, f"Goals, {subjects[0].model}{'' if complete else ' (not all packages took part)'}:"]
    return [*lines, *verdict(together, total_cost(cost for _, cost in theirs.values()) if complete else None, judged)]


def runs(subject: ComparisonCase, packages: tuple[str, ...], repeats: int, folder: Path, failed: list[str]) -> dict[Key, Left]:
    """Everything that ours and the packages left, by map; a package that fails is told of, and the others go on."""
    found: dict[Key, Left] = {}
    for repeat in range(repeats):
        for name, maps, python in who(packages):
            seeds = range(3 * repeat, 3 * repeat + (3 if name == OURS else 2))
            out = folder / f"{subject.model}-{subject.name}-{name}-{maps[0]}-{repeat}"
            command = [str(python), "-m", f"benchmarks.competitors.{name}", "--model", str(subject.path), "--picture", str(subject.picture)]
            command += ["--target", str(subject.target), "--out", str(out), "--maps", *maps, "--seeds", *map(str, seeds)]
            command += ["--reference"] if subject.trained and not repeat else []
            print(f"{subject.model}, {subject.name}: {name} {', '.join(maps)} ...", file=sys.stderr, flush=True)
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode:
                failed.append(f"{name} failed on {', '.join(maps)}: {last_line(done.stderr)}")
            else:
                gather(found, out, "ours" if name == OURS else "theirs")
    return found


def who(packages: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], Path]]:
    """Who runs, which maps at once, and by which Python: ours all together, because they share; theirs each in its own process."""
    for what in (WHOLE, OPENED):
        yield OURS, (what,), Path(sys.executable)
    for package in packages:
        for name in PACKAGES[package]:
            yield package, (name,), interpreter(package)


def gather(found: dict[Key, Left], out: Path, maker: str) -> None:
    """Adds what one process left."""
    answer = json.loads((out / "answer.json").read_text(encoding="utf-8"))
    with np.load(out / "maps.npz") as archive:
        maps = dict(archive)
    for name, call in answer["calls"].items():
        left = found.setdefault((name, maker), Left([], [], {}, answer["versions"]))
        left.calls.append(call)
        left.figures.append(answer["figures"])
        left.maps |= {key.rpartition("/")[2]: values for key, values in maps.items() if key.rpartition("/")[0] == name}


def trust(key: Key, left: Left, case: Case) -> Trust:
    """The fidelity of one map of one picture."""
    name, maker = key
    nothing = (float("nan"), float("nan"))
    readings = [left.maps[reading] for reading in sorted(left.maps) if reading != "reference"]
    itself = name in (EXACT if maker == "ours" else EXACT_THERE)
    reference = readings[0] if itself else left.maps.get("reference")
    run = run_to_run(readings) if name in DRAWN else nothing
    limit = alike(readings[0], reference) if reference is not None else nothing
    converged = [value for figures in left.figures for key, value in figures.items() if key.startswith(f"{name} converged")]
    share = float(np.mean(converged)) if converged else float("nan")
    return Trust(run, limit, shown_before_hidden(case, readings[0]), share, itself)


def whole(left: Left, opened: Left) -> Whole:
    """All seven at once, beside the bare model in the same process, and where the model had been opened; the fastest of all repeats."""
    bare, processor = (min(figures[f"bare {kind}"] for figures in left.figures) for kind in ("seconds", "processor"))
    each = bare / left.calls[0]["evaluations"]
    calls = (("first", left), ("first", opened), ("later", left))
    first = [min(f[f"{kind} call: every panel has a map, seconds"] for f in one.figures) / each for kind, one in calls]
    opening = min(figures["opening, seconds"] for figures in opened.figures) / each
    return Whole(left.cost(), bare, processor, (first[0], first[1], first[2]), opening)


def mean_whole(wholes: list[Whole]) -> Whole:
    """The mean over pictures."""
    bare, processor = (float(np.mean([getattr(w, name) for w in wholes])) for name in ("bare", "bare_processor"))
    fresh, opened, later = (float(np.mean([w.first_map[i] for w in wholes])) for i in range(3))
    opening = float(np.mean([w.opening for w in wholes]))
    return Whole(mean_cost(w.cost for w in wholes), bare, processor, (fresh, opened, later), opening)
