"""Games whose Shapley and Banzhaf values are known by formula, as samples of a pool and as classifiers that see which cells are shown."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb
from scipy.stats import binom

from explainers.perturbation.coalition_weights import UNIFORM_SHARE, sampling_size_distribution
from explainers.perturbation.coalitions import CoalitionSample
from tests.explainers.toy_classifiers import Toy


@dataclass(frozen=True)
class Game:
    """v(S) = sum over T of a_T [T is part of S]. terms: T -> a_T; the empty T is a constant."""

    parts: int
    terms: dict[tuple[int, ...], float]

    def values(self, masks: NDArray) -> NDArray[np.float64]:
        """(n, M) -> (n,)."""
        return sum((a * masks[:, list(t)].prod(axis=1) for t, a in self.terms.items()), np.zeros(len(masks)))

    def shares(self, weight) -> NDArray[np.float64]:
        """(M,) sum over the T with i in them of a_T * weight(|T|)."""
        found = np.zeros(self.parts)
        for t, a in self.terms.items():
            found[list(t)] += a * weight(len(t)) if t else 0
        return found

    @property
    def shapley(self) -> NDArray[np.float64]:
        return self.shares(lambda size: 1 / size)

    @property
    def banzhaf(self) -> NDArray[np.float64]:
        return self.shares(lambda size: 2.0 ** (1 - size))

    def lime_limit(self) -> NDArray[np.float64]:
        """(M,) LIME's coefficients without ridge from every coalition, drawn with chance 1/2 a segment and weighted by LIME's kernel.

        By the normal equations: all that they hold is the chance p_t that t given segments are all shown, which depends on t alone.
        """
        parts, k = self.parts, np.arange(self.parts + 1)
        weights = binom.pmf(k, parts, 0.5) * np.exp(-((1 - np.sqrt(k / parts)) ** 2) / 0.25**2 / 2)
        shown = [float(weights @ comb(k, t) / comb(parts, t) / weights.sum()) for t in range(parts + 1)]
        matrix = np.full((parts + 1, parts + 1), shown[2])
        matrix[0], matrix[:, 0] = shown[1], shown[1]
        np.fill_diagonal(matrix, shown[1])
        matrix[0, 0] = 1
        moments = [sum(a * shown[len({*t, *one})] for t, a in self.terms.items()) for one in ((), *((i,) for i in range(parts)))]
        return np.linalg.solve(matrix, np.array(moments))[1:]

    @property
    def leave_one_out(self) -> NDArray[np.float64]:
        return self.shares(lambda size: 1.0)


def random_game(parts: int, largest: int, count: int, seed: int = 0) -> Game:
    """A constant, every single, and `count` interactions of 2 to `largest` segments."""
    rng = np.random.default_rng(seed)
    terms = {(): 1.0} | {(i,): float(rng.normal()) for i in range(parts)}
    for _ in range(count):
        chosen = rng.permutation(parts)[: rng.integers(2, largest + 1)]
        terms[tuple(sorted(chosen.tolist()))] = float(rng.normal())
    return Game(parts, terms)


def enumerated(parts: int) -> CoalitionSample:
    """All 2^M coalitions in the order of a pool."""
    half = ((np.arange(1, 2 ** (parts - 1))[:, None] >> np.arange(parts)) & 1).astype(float)
    half = half[np.argsort(half.sum(1) != 1, kind="stable")]
    return sample_of(np.stack([half, 1 - half], axis=1).reshape(-1, parts), np.ones(2**parts, bool), np.zeros(parts + 1))


def drawn(parts: int, evaluations: int, seed: int, uniform_share: float = UNIFORM_SHARE) -> CoalitionSample:
    """A first frame and paired draws, in the order of a pool."""
    rng = np.random.default_rng(seed)
    chance = sampling_size_distribution(parts, True, uniform_share)
    pairs = [np.eye(parts)[i] for i in range(parts)]
    while 2 * len(pairs) + 2 < evaluations:
        row = np.zeros(parts)
        row[rng.permutation(parts)[: rng.choice(parts + 1, p=chance)]] = 1
        pairs.append(row)
    masks = np.stack([np.stack([row, 1 - row]) for row in pairs]).reshape(-1, parts)
    return sample_of(masks, np.arange(len(masks) + 2) < 2 * parts + 2, chance)


def sample_of(pairs: NDArray, whole: NDArray, chance: NDArray) -> CoalitionSample:
    parts = pairs.shape[1]
    masks = np.concatenate([np.zeros((1, parts)), np.ones((1, parts)), pairs])
    return CoalitionSample(masks, np.zeros((len(masks), 1), np.float32), whole, chance)


def cell_classifier(game_of_class: list[Game], grid: tuple[int, int], cell: int = 8) -> Toy:
    """A classifier of black-or-white cells: class c's logit is its game over the cells that are white."""

    def logits(images: NDArray) -> NDArray:
        n, (h, w) = len(images), grid
        shown = images.mean(-1).reshape(n, h, cell, w, cell).mean((2, 4)).reshape(n, h * w)
        return np.stack([game.values(np.rint(shown)) for game in game_of_class], axis=1)

    return Toy((grid[0] * cell, grid[1] * cell), logits, lambda image: np.zeros((len(game_of_class), *image.shape)), len(game_of_class))
