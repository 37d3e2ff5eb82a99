"""Whether maps expose a shortcut: where they point on pictures with streaks and a ruler, for two classifiers, one trained on the ruler."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.known_evidence.rows import NEAR
from explainers.explanation_case import Case
from explainers.method_runner import run_methods
from explainers.methods import METHODS
from explainers.metrics.localisation.evidence_overlap import BASELINES, dilate_mask, score_localisation
from models.classifiers.score import Score
from models.datasets.synthetic.phantoms import NAMES, PhantomPicture, draw_phantom
from models.loading import load_classifier
from models.output.markdown import markdown_table

FIRST_SEED = 900_000
STREAKS = NAMES.index("streaks")
MISLED, SOUND = "phantoms_shortcut", "phantoms"
PLACES = ("ruler", "streaks")
Table = dict[str, dict[tuple[str, str, str], list[float]]]


def ruler(count: int) -> list[str]:
    """Prints both classifiers' answers with and without the ruler, and where their maps point; returns the missed goals."""
    pictures = [draw_phantom(FIRST_SEED + seed, "streaks", ruler=True) for seed in range(count)]
    table: Table = defaultdict(lambda: defaultdict(list))
    for name in (MISLED, SOUND):
        classifier: Any = load_classifier(name)
        _print_answers(name, classifier, count)
        for picture in tqdm(pictures, desc=name, disable=None):
            _collect(table, name, Case(classifier, picture.image, Score(STREAKS)), picture)
    return _check(table)


def _print_answers(name: str, classifier: Any, count: int) -> None:
    """Prints how often the classifier answers streaks, with the ruler alone, the streaks alone, both and neither."""
    shares = {}
    for label, with_ruler in (("streaks", True), ("streaks", False), ("plain", True), ("plain", False)):
        images = np.stack([draw_phantom(FIRST_SEED + seed, label, ruler=with_ruler).image for seed in range(count)])
        answers = np.concatenate([classifier.outputs(images[start : start + 32]).argmax(1) for start in range(0, count, 32)])
        shares[f"{label}{' and a ruler' if with_ruler else ''}"] = float(np.mean(answers == STREAKS))
    print(f"\n{name} says streaks of " + ", ".join(f"{what} {share:.0%}" for what, share in shares.items()))


def _collect(table: Table, name: str, case: Case, picture: PhantomPicture) -> None:
    """Adds one picture's energies within 8 px of both places, and whether the peaks are there; undefined values are left out."""
    results = list({result.method.title: result for result in run_methods(case, [method() for method in METHODS])}.values())
    for place, mask in zip(PLACES, (picture.ruler, picture.evidence), strict=True):
        near = dilate_mask(mask, NEAR * len(mask))
        for wide, exact in zip(score_localisation(results, case.size, near), score_localisation(results, case.size, mask), strict=True):
            for what, value in (("energy", wide.energy), ("points", exact.points)):
                if value is not None:
                    table[wide.title][name, place, what].append(value)


def _check(table: Table) -> list[str]:
    columns = [(name, what, place) for name in (MISLED, SOUND) for what in ("energy", "points") for place in PLACES]
    heads = [f"{name}: {'energy near' if what == 'energy' else 'points at'} the {place}" for name, what, place in columns]
    means = {title: [float(np.mean(found[name, place, what])) for name, what, place in columns] for title, found in table.items()}
    rows = [(title, *(f"{mean:.2f}" for mean in values)) for title, values in means.items()]
    print(f"\n{markdown_table(('map', *heads), rows)}")
    return [sentence for title in table if title not in BASELINES for sentence in _missed_goals(table, title)]


def _missed_goals(table: Table, title: str) -> Sequence[str]:
    """A map exposes the shortcut if it is nearer the ruler than the streaks for the misled classifier, and not for the other."""
    misled, sound = ({place: float(np.mean(table[title][name, place, "energy"])) for place in PLACES} for name in (MISLED, SOUND))
    area = float(np.mean(table[BASELINES[0]][SOUND, "ruler", "energy"]))
    missed = []
    if misled["ruler"] < max(misled["streaks"], 2 * area):
        missed.append(f"{title} of {MISLED} has {misled['ruler']:.2f} near the ruler, {misled['streaks']:.2f} near the streaks")
    if sound["ruler"] > min(sound["streaks"], 2 * area):
        missed.append(f"{title} of {SOUND} has {sound['ruler']:.2f} near the ruler, {sound['streaks']:.2f} near the streaks")
    return missed
