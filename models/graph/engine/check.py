"""Holds an engine's answers against those of the classifier as it is without it."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.graph.engine.choice import EngineRefused

Floats = NDArray[np.float32]
Evaluate = Callable[[Floats], Floats]

PICTURES, TOLERANCE = 8, 1e-4
"""TOLERANCE: of the largest logit's magnitude."""


def check_engine_outputs(title: str, expected: Evaluate, found: Evaluate, size: tuple[int, int]) -> None:
    """Raises EngineRefused where the logits (n, classes) of eight pictures differ by more than 1e-4 of their magnitude, or in the first
    class. title: of the engine. size: (H, W)."""
    pictures = check_pictures(size)
    theirs, ours = expected(pictures).astype(np.float64), found(pictures).astype(np.float64)
    if ours.shape != theirs.shape or not np.isfinite(ours).all():
        raise EngineRefused(f"{title} stays off: its answers to test pictures are no logits.")
    magnitude = np.abs(theirs).max(axis=1)
    difference = np.abs(ours - theirs).max(axis=1) / np.where(magnitude > 0, magnitude, 1)
    if (worst := float(difference.max())) > TOLERANCE:
        raise EngineRefused(
            f"{title} stays off: its answers to test pictures differ by {worst:.2g} of their size; {TOLERANCE:g} is allowed."
        )
    if (ours.argmax(axis=1) != theirs.argmax(axis=1)).any():
        raise EngineRefused(f"{title} stays off: it gives a test picture another first class.")


def is_engine_faster(expected: Evaluate, found: Evaluate, size: tuple[int, int], rounds: int = 3) -> bool:
    """Whether `found` took less time than `expected` at best, each called in turn on the same eight pictures."""
    pictures = check_pictures(size)
    times: dict[Evaluate, list[float]] = {expected: [], found: []}
    for _ in range(rounds):
        for evaluate, taken in times.items():
            started = time.perf_counter()
            evaluate(pictures)
            taken.append(time.perf_counter() - started)
    return min(times[found]) < min(times[expected])


def check_pictures(size: tuple[int, int]) -> Floats:
    """(8, H, W, 3) in 0..1: plain, ramps, waves and noise, of high and low contrast."""
    height, width = size
    down, across = (np.linspace(0, 1, side, dtype=np.float32) for side in size)
    draw = np.random.default_rng(0)
    noise = draw.random((3, height, width, 3), np.float32)
    ramps = np.stack([np.broadcast_to(across, size), np.broadcast_to(down[:, None], size), across * down[:, None]], axis=-1)
    waves = [0.5 + 0.5 * np.sin(k * np.pi * (across + 0.7 * down[:, None]))[..., None] * np.array([1, 0.6, 0.3]) for k in (3, 11)]
    plain = np.full((height, width, 3), 0.5)
    return np.stack([plain, ramps, 1 - ramps, *waves, noise[0], 0.4 + 0.2 * noise[1], waves[0] * noise[2]]).astype(np.float32)
