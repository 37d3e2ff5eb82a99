"""Tables of agreement and localisation over many real pictures, with raw similarities for comparison."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TypeVar

import numpy as np

from explainers.metrics.agreement.consistency import MapConsistency, PairAgreement
from explainers.metrics.agreement.data_set_consistency import data_set_consistency
from explainers.metrics.agreement.significance import AgreementLevel
from explainers.metrics.localisation.evidence_overlap import BASELINES, LocalisationScore
from models.output.markdown import markdown_table

PAIRS_HEAD = (
    *("pair", "kappa, standard error", "kappa*", "of pictures", "above chance"),
    *(f"{name} (by chance)" for name in ("Spearman", "SSIM", "Pearson", "IoU of top 20 %")),
)
LOCATED_HEAD = ("map", "energy in the lesion", "IoU at its area", "rank accuracy", "points at it", "more energy than the Gaussian")
ALIKE = 0.5
"""A rank correlation that looks like agreement."""
T = TypeVar("T")
Grouped = dict[tuple[str, str], list[PairAgreement]]


def print_families(consistencies: Sequence[MapConsistency]) -> None:
    """For each pair of families the mean kappa with its interval, and on how many pictures they agree, corrected over all of them."""
    rows = []
    for each in data_set_consistency(consistencies):
        kappa = f"{each.kappa:.2f} ({each.interval.low:.2f} to {each.interval.high:.2f})"
        rows.append((f"{each.first}, {each.second}", kappa, each.agreeing, each.pictures))
    print(f"\n{markdown_table(('families', 'kappa, 95 % interval over pictures', 'pictures on which they agree', 'of'), rows)}")


def print_pairs(consistencies: Sequence[MapConsistency]) -> None:
    """For each pair of methods the means over the pictures on which both converged and are reliable enough for kappa*.

    Raw values are of all pictures; in brackets what unrelated pictures' maps reach of them.
    """
    rows = []
    for (first, second), found in sorted(_by_pair(consistencies).items(), key=lambda item: -_mean(_scored(item[1]), _kappa)):
        scored = _scored(found)
        known = [each for each in found if each.raw_by_chance is not None]
        raw = [
            f"{_mean([each.raw for each in found], attrgetter(name)):.2f} "
            f"({_mean([each.raw_by_chance for each in known], attrgetter(name)):.2f})"
            for name in ("spearman", "ssim", "pearson", "overlap")
        ]
        kappa, ceiling = _mean(scored, _kappa), _mean(scored, lambda each: each.ceiling)
        above = _mean(scored, lambda each: float(each.level.beyond_chance))
        shared = f"{kappa:.2f} ± {_error(scored):.3f}", f"{ceiling:.2f}", len(scored), f"{above:.0%}"
        rows.append((f"{first}, {second}", *shared, *raw))
    print(f"\n{markdown_table(PAIRS_HEAD, rows)}")


def _error(found: Sequence[PairAgreement]) -> float:
    """The standard error of the mean kappa over pictures; not-a-number with fewer than two."""
    return float(np.std([_kappa(each) for each in found], ddof=1) / np.sqrt(len(found))) if len(found) > 1 else float("nan")


def _scored(found: Sequence[PairAgreement]) -> list[PairAgreement]:
    return [each for each in found if each.converged and each.ceiling is not None]


def print_hidden(consistencies: Sequence[MapConsistency]) -> None:
    """How often maps that look alike agree no more than maps of different pictures do."""
    across = [each for found in consistencies for each in _scored(found.pair_agreements) if not each.within_family]
    alike = [each for each in across if each.raw.spearman >= ALIKE]
    unlike = [each for each in across if each.raw.spearman < ALIKE]
    print(f"\nOf {len(across):,} pairs across families on single pictures (both converged, with a kappa*):")
    for words, chosen in ((f"Spearman {ALIKE} or more", alike), (f"Spearman under {ALIKE}", unlike)):
        if chosen:
            none = _mean(chosen, lambda each: float(not each.level.beyond_chance))
            description = "do not agree beyond chance, or cannot be told yet"
            little = _mean(chosen, lambda each: float(each.level == AgreementLevel.NONE))
            print(
                f"- {len(chosen):,} have {words}: {none:.0%} of them {description} ({little:.0%} none), "
                f"mean kappa {_mean(chosen, _kappa):.2f}"
            )
    explained: dict[str, int] = defaultdict(int)
    agreeing = [each for each in across if each.level.beyond_chance]
    for each in agreeing:
        for control in each.explained_by:
            explained[control] += 1
    if agreeing:
        shares = ", ".join(f"{control} {count / len(agreeing):.0%}" for control, count in explained.items()) or "no control"
        print(f"- {len(agreeing):,} agree above chance; as well explained by: {shares}")
    pairs = _by_pair(consistencies).values()
    if len(pairs) > 2:
        raw, kappa = ([_mean(found, value) for found in pairs] for value in (lambda each: each.raw.spearman, _kappa))
        print(f"- over the pairs of methods, mean Spearman and mean kappa correlate at {np.corrcoef(raw, kappa)[0, 1]:.2f}")


def print_methods(consistencies: Sequence[MapConsistency]) -> None:
    """How reliable each method is, and how far it agrees with what knows nothing of the class."""
    controls = list(dict.fromkeys(name for found in consistencies for name in found.controls))
    rows = []
    titles = list(dict.fromkeys(title for found in consistencies for title in found.stability))
    for title in titles:
        stable = [found.stability[title] for found in consistencies if title in found.stability]
        kappas = [_known_mean([found.controls.get(name, {}).get(title) for found in consistencies]) for name in controls]
        converged = _mean(stable, lambda each: None if each.converged is None else float(each.converged))
        reliability = _mean(stable, lambda each: each.reliability)
        rows.append((title, len(stable), f"{reliability:.2f}", f"{converged:.0%}", *(f"{kappa:+.2f}" for kappa in kappas)))
    head = ("map", "pictures with evidence", "reliability", "converged", *(f"kappa with {name}" for name in controls))
    print(f"\n{markdown_table(head, rows)}")


def print_located(located: Sequence[Sequence[LocalisationScore]], areas: Sequence[float]) -> None:
    """Localisation against the masks; the last column is the share of pictures with more energy inside than the Gaussian has."""
    print(f"\n{len(located)} masks, which cover {np.mean(areas):.2f} of the picture\n")
    table = []
    for title in dict.fromkeys(each.title for rows in located for each in rows):
        pairs = [(each, _named(rows, BASELINES[-1])) for rows in located for each in rows if each.title == title]
        values = [_mean([each for each, _ in pairs], attrgetter(name)) for name in ("energy", "overlap", "ranks", "points")]
        more = _known_mean([None if a.energy is None or b.energy is None else float(a.energy > b.energy) for a, b in pairs])
        last = "" if title in BASELINES else f"{more:.0%}"
        table.append((title, *(f"{value:.2f}" for value in values), last))
    print(markdown_table(LOCATED_HEAD, table))


def _kappa(pair_agreement: PairAgreement) -> float:
    return pair_agreement.chance.kappa if pair_agreement.chance else float("nan")


def _by_pair(consistencies: Sequence[MapConsistency]) -> Grouped:
    found: Grouped = defaultdict(list)
    for each in (pair_agreement for one in consistencies for pair_agreement in one.pair_agreements):
        found[each.first, each.second].append(each)
    return found


def _named(rows: Sequence[LocalisationScore], title: str) -> LocalisationScore:
    return next(each for each in rows if each.title == title)


def _mean(items: Sequence[T], value: Callable[[T], float | None]) -> float:
    """Of those that are known; not-a-number without one."""
    return _known_mean([value(item) for item in items])


def _known_mean(values: Sequence[float | None]) -> float:
    """Of those that are known; not-a-number without one."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else float("nan")
