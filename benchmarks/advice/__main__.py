"""What following the advice is worth, on evidence that is known: `python -m benchmarks.advice --boxes FILE --boxes-model MODEL`.

Five ways to choose a map: by the advice, at random, always the best method, always the consensus, by an oracle. What a map is worth is the
share of it that lies in the evidence. What the advice weighs is fixed on one half of the pictures and judged on the other. It is shown on
the page only where it beats a random choice on every set and is no worse than the best method; --write records the verdict for the page.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from explainers.explanation_case import ExplanationSettings
from models.output.command_line import silence_tensorflow

if TYPE_CHECKING:
    from benchmarks.advice.choices import Row
    from benchmarks.advice.picture_sets import PictureSet

COUNTS = {"phantoms": 60, "glass-boxes": 60, "grid": 40, "box-pictures": 60, "cases": 40}


def main() -> None:
    """Prints the table and the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, count in COUNTS.items():
        what = "of known evidence on each report card" if name == "cases" else "0 leaves the set out"
        parser.add_argument(f"--{name}", type=int, default=count, metavar="N", help=f"({count}; {what})")
    parser.add_argument(
        "--boxes", type=Path, metavar="FILE", help="a CSV of pictures and boxes: picture, left, top, width, height in pixels"
    )
    parser.add_argument("--boxes-model", metavar="MODEL", help="the classifier of the boxes' pictures")
    parser.add_argument("--preset", default="Fast")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="a folder that keeps what was measured, so that another run goes on from it"
    )
    chosen = parser.parse_args()
    if (chosen.boxes is None) != (chosen.boxes_model is None):
        parser.error("--boxes and --boxes-model go together")
    silence_tensorflow()
    from benchmarks.advice import picture_sets  # TensorFlow speaks as soon as it is imported
    from benchmarks.advice.verdict import chosen_weight, passes, verdict_table, verdicts

    wanted: dict[str, Callable[[Path], PictureSet]] = {
        picture_sets.PHANTOMS: lambda kept: picture_sets.phantom_set(chosen.phantoms, chosen.cases, kept),
        picture_sets.GLASS_BOXES: lambda kept: picture_sets.glass_box_set(chosen.glass_boxes, chosen.cases, kept),
        picture_sets.GRID: lambda kept: picture_sets.grid_set(chosen.grid, chosen.cases, kept),
        picture_sets.BOXES: lambda kept: picture_sets.box_set(chosen.boxes, chosen.boxes_model, chosen.box_pictures, chosen.cases, kept),
    }
    counts = (chosen.phantoms, chosen.glass_boxes, chosen.grid, chosen.box_pictures if chosen.boxes else 0)
    with _folder(chosen.keep) as kept:
        rows = {name: _rows(make(kept), kept, chosen.preset) for (name, make), count in zip(wanted.items(), counts, strict=True) if count}
    weight = chosen_weight(rows)
    found = verdicts(rows, weight)
    passed = passes(found, tuple(wanted))
    print(machine_line())
    print(f"\nShare of the chosen map that lies in the evidence, {chosen.preset}, on the half of the pictures that fixed nothing (95 %)\n")
    print(verdict_table(rows, found))
    print(f"\nThe advice: the method, or the consensus, with the largest share on the report card + {weight:g} x its rank when hidden.")
    for each in found:
        holds = "is no worse than" if each.holds else "is worse than"
        print(f"- {each.name}: {'beats' if each.beats else 'does not beat'} a random choice, {holds} always {each.fixed}.")
    print("\nThe advice is shown." if passed else "\nThe advice is not shown: the page gives the evidence and recommends nothing.")
    if chosen.write is not None:
        _record(passed, weight, [each.to_json() for each in found])


def _rows(made: "PictureSet", kept: Path, preset: str) -> "list[Row]":
    """One for each picture of the set; those that an earlier run measured are read."""
    from benchmarks.advice.choices import Row, row_of
    from explainers.report_card.map_recommendation import found_shares_by_title
    from explainers.report_card.recommendation_gate import recommendation_rule_fingerprint

    file = kept / f"{made.name.replace(' ', '_')}.jsonl"
    shares, rows = found_shares_by_title(made.card), []
    known: dict[str, Row] = {}
    head = {"rule": recommendation_rule_fingerprint(), "preset": preset, "shares": shares}
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if lines and json.loads(lines[0]) == head:
        known = {row.key: row for row in (Row.from_json(json.loads(line)) for line in lines[1:])}
    else:
        file.write_text(json.dumps(head) + "\n", encoding="utf-8")
    for each in tqdm(made.questions, desc=made.name, disable=None):
        row = known.get(each.case.key)
        if row is None:
            row = row_of(made.classifier, each.case, each.picture, shares, ExplanationSettings(preset=preset))
            with file.open("a", encoding="utf-8") as written:
                written.write(json.dumps(row.to_json()) + "\n")
        rows.append(row)
    return rows


def _record(passed: bool, weight: float, sets: list[dict[str, object]]) -> None:
    """Writes what the page goes by."""
    from explainers.report_card.recommendation_gate import FILE, recommendation_rule_fingerprint

    text = json.dumps({"rule": recommendation_rule_fingerprint(), "passed": passed, "weight": weight, "sets": sets}, indent=1)
    FILE.write_text(text + "\n", encoding="utf-8")


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(run_benchmark("advice", main))
