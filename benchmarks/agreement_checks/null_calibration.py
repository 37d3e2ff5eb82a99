"""Whether unrelated maps are called related as seldom as they should be, and kappa stays the same under a shared habit."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from scipy.ndimage import gaussian_filter

from explainers.method import Family
from explainers.methods import SEVEN
from explainers.metrics.agreement.consistency import ReferenceMaps, consistency_from_maps
from explainers.metrics.agreement.control_maps import centred_gaussian_map
from explainers.metrics.agreement.reference_library import MapLibrary, read_map_library
from explainers.metrics.agreement.significance import MIN_PICTURES, Significance, significance_against_both_nulls
from explainers.metrics.agreement.similarity import MapEvidence
from explainers.metrics.agreement.similarity_batch import MapBatch, mean_similarities
from explainers.metrics.robustness.reliability import RepeatedMaps, RepeatedReadingSource, reliability_score
from models.output.markdown import markdown_table_head, markdown_table_row
from models.store import bundled_models

CELLS = 14
HABIT = 2.0  # of the fields' standard deviations, added in the middle of every map
LIBRARIES = 10
OTHERS = 200
NOISY = ((0.0, 0.9), (2.0, 0.9), (4.0, 0.9), (4.0, 1.3))
"""Habit and noise, of the fields' standard deviations."""
FAMILIES: tuple[tuple[str, Family], ...] = (("a", "CAM"), ("b", "surrogate"))
LEVELS = (0.05, 0.01, 0.001)


def calibration(trials: int, rate: tuple[float, float] = (0.03, 0.07)) -> list[str]:
    """Prints the rates of p <= .05 and the mean kappas; returns what misses."""
    missed, kappas = [], {}
    print(f"\n{trials:,} pairs of smooth random maps against {OTHERS} others\n")
    print(markdown_table_head(("maps", "rate of p <= .05", "mean kappa")))
    for habit in (0.0, HABIT):
        shared = ", all with a habit of the centre" if habit else ""
        for correlation in (0.0, 0.7):
            found = paired_significance(trials, correlation, habit)
            alarms = float(np.mean([each.p <= 0.05 for each in found]))
            kappas[correlation, habit] = float(np.mean([each.kappa for each in found]))
            name = f"correlated at {correlation}" if correlation else "unrelated"
            print(markdown_table_row((f"{name}{shared}", f"{alarms:.3f}", f"{kappas[correlation, habit]:.3f}")))
            if not correlation and not rate[0] <= alarms <= rate[1]:
                missed.append(f"unrelated maps, habit {habit:g}: rate {alarms:.3f}")
        few = float(np.mean([each.p <= 0.05 for each in paired_significance(trials, 0.0, habit, MIN_PICTURES)]))
        print(markdown_table_row((f"unrelated{shared}, against {MIN_PICTURES} others", f"{few:.3f}", "")))
        if few > rate[1]:
            missed.append(f"unrelated maps against {MIN_PICTURES} others, habit {habit:g}: rate {few:.3f}")
    difference = abs(kappas[0.7, 0.0] - kappas[0.7, HABIT])
    if difference > 0.06:
        missed.append(f"the habit moves kappa by {difference:.3f}")
    return [*missed, *ceilings(max(trials // 10, 1)), *different_pictures()]


def ceilings(pictures: int) -> list[str]:
    """Prints mean kappa and kappa* of noisy maps: of unrelated ones both have to be 0, however much noise and habit they have."""
    missed = []
    print(f"\n{markdown_table_head(('maps', 'reliability', 'kappa', 'kappa*'))}")
    for correlation in (0.0, 0.7):
        for habit, noise in NOISY:
            reliable, kappa, ceiling = np.mean(list(noisy_pairs(pictures, correlation, habit, noise)), axis=0)
            name = f"correlated at {correlation}" if correlation else "unrelated"
            print(markdown_table_row((f"{name}, habit {habit:g}, noise {noise:g}", f"{reliable:.2f}", f"{kappa:.3f}", f"{ceiling:.3f}")))
            if not correlation and abs(ceiling) > 0.06:
                missed.append(f"unrelated noisy maps, habit {habit:g}, noise {noise:g}: kappa* {ceiling:.3f}")
    return missed


def noisy_pairs(pictures: int, correlation: float, habit: float, noise: float) -> Iterator[tuple[float, float, float]]:
    """Reliability, kappa and kappa* of each pair of maps that are the mean of two readings, noise being of the fields' own smoothness."""
    rng = np.random.default_rng(0)
    unrelated = [_readings(rng, field, habit, noise).mean(0) for field in _fields(rng, OTHERS, 0.0)]
    maps = {title: _shares(each).astype(np.float32) for title, each in zip("ab", unrelated, strict=True)}
    library = MapLibrary({}, tuple(map(str, range(OTHERS))), maps)
    ours = [_readings(rng, field, habit, noise) for field in _fields(rng, pictures, correlation)]
    for number in range(pictures):
        pair = {
            title: RepeatedMaps(each[0, number], each[1, number], RepeatedReadingSource.HALF_RUNS)
            for title, each in zip("ab", ours, strict=True)
        }
        stable = {title: reliability_score(title, each, 1) for title, each in pair.items()}
        found = [_evidence(title, family, (pair[title].first + pair[title].second) / 2) for title, family in FAMILIES]
        (pair_agreement,) = consistency_from_maps(found, pair, stable, ReferenceMaps(library)).pair_agreements
        if pair_agreement.ceiling is not None and pair_agreement.chance is not None:
            yield float(np.mean([each.reliability for each in stable.values()])), pair_agreement.chance.kappa, pair_agreement.ceiling


def different_pictures(draws: int = 1000) -> list[str]:
    """Prints how often maps of two different pictures count as related: the bundled classifiers' own maps, each pair of the seven."""
    missed = []
    print(f"\n{markdown_table_head(('maps of different pictures', *(f'p <= {level:g}' for level in LEVELS)))}")
    for name, path in bundled_models().items():
        rng = np.random.default_rng(0)
        library = read_map_library(path.with_suffix(".library.npz"))
        ps = np.array([p for a, b in combinations(SEVEN, 2) for p in _cross_picture_p(rng, library, a.title, b.title, draws)])
        rates = [float((ps <= level).mean()) for level in LEVELS]
        print(markdown_table_row((f"{name}, {len(library.pictures)} pictures", *(f"{rate:.4f}" for rate in rates))))
        missed += [f"{name}: p <= {level:g} at {r:.4f}" for level, r in zip(LEVELS, rates, strict=True) if r > 1.4 * level + 0.0005]
    return missed


def _cross_picture_p(rng: np.random.Generator, library: MapLibrary, first: str, second: str, draws: int) -> Iterator[float]:
    """p of one method's map of one picture with the other's of another, against the maps of all the rest."""
    shown = np.isfinite(library.maps[first]).all((1, 2)) & np.isfinite(library.maps[second]).all((1, 2))
    one, other = (MapBatch.of(list(library.maps[title][shown])) for title in (first, second))
    count = int(shown.sum())
    agreement = np.array([mean_similarities(one.map(number), other) for number in range(count)])
    for _ in range(draws if count > MIN_PICTURES + 1 else 0):
        here, there = rng.choice(count, 2, replace=False)
        rest = np.delete(np.arange(count), (here, there))
        yield significance_against_both_nulls(float(agreement[here, there]), [agreement[here, rest], agreement[rest, there]]).p


def paired_significance(trials: int, correlation: float, habit: float, pictures: int = OTHERS) -> list[Significance]:
    """Pairs of smooth random maps whose fields correlate so, against libraries of so many pictures' maps with the same habit."""
    found = []
    for library in range(LIBRARIES):
        rng = np.random.default_rng(library)
        others = [MapBatch.of(list(maps)) for maps in random_maps(rng, pictures, 0.0, habit)]
        ours = [MapBatch.of(list(maps)) for maps in random_maps(rng, max(1, trials // LIBRARIES), correlation, habit)]
        for number in range(len(ours[0])):
            a, b = (stack.map(number) for stack in ours)
            found.append(
                significance_against_both_nulls(
                    float(mean_similarities(a, b)[0]), [mean_similarities(a, others[1]), mean_similarities(b, others[0])]
                )
            )
    return found


def random_maps(rng: np.random.Generator, count: int, correlation: float, habit: float) -> list[np.ndarray]:
    """Twice (count, G, G): smooth fields, correlated at `correlation`, with a bell added in the middle, rectified, each summing to 1."""
    return [_shares(field + habit * _bell()) for field in _fields(rng, count, correlation)]


def _fields(rng: np.random.Generator, count: int, correlation: float) -> list[np.ndarray]:
    first, second = _smooth(rng, count), _smooth(rng, count)
    return [first, correlation * first + np.sqrt(1 - correlation**2) * second]


def _readings(rng: np.random.Generator, fields: np.ndarray, habit: float, noise: float) -> np.ndarray:
    """(2, n, G, G): two half runs of each."""
    return np.stack([fields + habit * _bell() + noise * _smooth(rng, len(fields)) for _ in range(2)])


def _bell() -> np.ndarray:
    bell = centred_gaussian_map(CELLS)
    return np.asarray(bell / bell.max())


def _shares(maps: np.ndarray) -> np.ndarray:
    rectified = np.maximum(maps, 0)
    return np.asarray(rectified / rectified.sum((-2, -1), keepdims=True))


def _evidence(title: str, family: Family, signed: np.ndarray) -> MapEvidence:
    return MapEvidence(title, family, True, signed, _shares(signed))


def _smooth(rng: np.random.Generator, count: int) -> np.ndarray:
    field = gaussian_filter(rng.standard_normal((count, CELLS + 8, CELLS + 8)), (0, 1.2, 1.2))[:, 4:-4, 4:-4]
    return np.asarray(field / field.std())
