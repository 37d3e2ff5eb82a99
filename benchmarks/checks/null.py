"""Whether unrelated maps are called related as seldom as they should be, and kappa stays the same under a shared habit."""

import numpy as np
from scipy.ndimage import gaussian_filter

from explainers.measures.chance import FEWEST, Chance, against_both
from explainers.measures.controls import centre
from explainers.measures.stacked import Stack, headlines

CELLS = 14
HABIT = 2.0  # of the fields' standard deviations, added in the middle of every map
LIBRARIES = 10
OTHERS = 200


def calibration(trials: int, rate: tuple[float, float] = (0.03, 0.07)) -> list[str]:
    """Prints the rates of p <= .05 and the mean kappas; returns what misses."""
    missed, kappas = [], {}
    print(f"\n{trials:,} pairs of smooth random maps against {OTHERS} others\n")
    print("| maps | rate of p <= .05 | mean kappa |\n|---|---|---|")
    for habit in (0.0, HABIT):
        for correlation in (0.0, 0.7):
            found = judged_pairs(trials, correlation, habit)
            alarms = float(np.mean([each.p <= 0.05 for each in found]))
            kappas[correlation, habit] = float(np.mean([each.kappa for each in found]))
            name = f"correlated at {correlation}" if correlation else "unrelated"
            print(f"| {name}{', all with a habit of the centre' if habit else ''} | {alarms:.3f} | {kappas[correlation, habit]:.3f} |")
            if not correlation and not rate[0] <= alarms <= rate[1]:
                missed.append(f"unrelated maps, habit {habit:g}: rate {alarms:.3f}")
        few = float(np.mean([each.p <= 0.05 for each in judged_pairs(trials, 0.0, habit, FEWEST)]))
        print(f"| unrelated{', all with a habit of the centre' if habit else ''}, against {FEWEST} others | {few:.3f} | |")
        if few > rate[1]:
            missed.append(f"unrelated maps against {FEWEST} others, habit {habit:g}: rate {few:.3f}")
    difference = abs(kappas[0.7, 0.0] - kappas[0.7, HABIT])
    if difference > 0.06:
        missed.append(f"the habit moves kappa by {difference:.3f}")
    return missed


def judged_pairs(trials: int, correlation: float, habit: float, pictures: int = OTHERS) -> list[Chance]:
    """Pairs of smooth random maps whose fields correlate so, against libraries of so many pictures' maps with the same habit."""
    found = []
    for library in range(LIBRARIES):
        rng = np.random.default_rng(library)
        others = [Stack.of(list(maps)) for maps in drawn(rng, pictures, 0.0, habit)]
        ours = [Stack.of(list(maps)) for maps in drawn(rng, max(1, trials // LIBRARIES), correlation, habit)]
        for number in range(len(ours[0])):
            a, b = (stack.map(number) for stack in ours)
            found.append(against_both(float(headlines(a, b)[0]), [headlines(a, others[1]), headlines(b, others[0])]))
    return found


def drawn(rng: np.random.Generator, count: int, correlation: float, habit: float) -> list[np.ndarray]:
    """Twice (count, G, G): smooth fields, correlated at `correlation`, with a bell added in the middle, rectified, each summing to 1."""
    fields = [_smooth(rng, count) for _ in range(2)]
    fields[1] = correlation * fields[0] + np.sqrt(1 - correlation**2) * fields[1]
    bell = centre(CELLS) / centre(CELLS).max()
    maps = [np.maximum(field + habit * bell, 0) for field in fields]
    return [each / each.sum((1, 2), keepdims=True) for each in maps]


def _smooth(rng: np.random.Generator, count: int) -> np.ndarray:
    field = gaussian_filter(rng.standard_normal((count, CELLS + 8, CELLS + 8)), (0, 1.2, 1.2))[:, 4:-4, 4:-4]
    return field / field.std()
