"""A paper ruler along one side of the picture, as clinics use: unrelated to the class unless a data set relates them."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.datasets.synthetic.parts.canvas import FINER, Floats

_DEPTH = 0.125
_SHADOW = 0.012
_LENGTH = 1.7
_TICK = 0.034


@dataclass(frozen=True)
class RulerOverlay:
    """Along side 0 top, 1 right, 2 bottom, 3 left; shifted along it and tilted in radians. `shown`: the default presence."""

    side: int
    tilt: float
    slide: float
    inset: float
    shown: bool

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "RulerOverlay":
        side, tilt = int(rng.integers(4)), rng.normal(0, 0.035)
        return cls(side, float(np.clip(tilt, -0.07, 0.07)), rng.uniform(0, 10 * _TICK), rng.uniform(0, 0.012), bool(rng.random() < 0.5))

    @property
    def away(self) -> Floats:
        """The direction from the ruler to the middle of the picture (x, y)."""
        return np.array([(0, 1), (-1, 0), (0, -1), (1, 0)][self.side], np.float32)

    def paint(self, image: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """The picture with the ruler, and the pixels (H, W) of it and its shadow."""
        size = len(image)
        paper, ink = _strip(size)
        quarter = self.side * np.pi / 2
        cos, sin = np.cos(quarter + self.tilt), np.sin(quarter + self.tilt)
        middle, start = size / 2, np.array([-(_LENGTH - 1) * 0.5 - self.slide + 0.17, self.inset - 0.02]) * size - size / 2
        move = np.array([[cos, -sin, middle + cos * start[0] - sin * start[1]], [sin, cos, middle + sin * start[0] + cos * start[1]]])
        cover = cv2.warpAffine(paper, move, (size, size), flags=cv2.INTER_LINEAR)
        ruler = cv2.warpAffine(ink, move, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cover[..., None]
        return image * (1 - alpha) + ruler * alpha, cover > 0


@lru_cache(maxsize=4)
def _strip(size: int) -> tuple[Floats, Floats]:
    """How much the ruler covers (h, w), and its colours (h, w, 3), at the picture's own scale."""
    fine = size * FINER
    height, width = round((_DEPTH + _SHADOW + 0.02) * fine), round(_LENGTH * fine)
    ink = np.full((height, width), 255, np.uint8)
    edge = round(_DEPTH * fine)
    for number, left in enumerate(np.arange(_TICK, _LENGTH, _TICK) * fine):
        long = (0.055, 0.022, 0.036)[0 if number % 10 == 0 else 2 if number % 5 == 0 else 1]
        half = fine * 0.0034
        cv2.rectangle(ink, (round(left - half), edge - round(long * fine)), (round(left + half), edge), 25, -1)
        if number % 10 == 0:
            place = (round(left + 0.010 * fine), edge - round(0.040 * fine))
            cv2.putText(
                ink, str(number // 10), place, cv2.FONT_HERSHEY_SIMPLEX, 0.0018 * fine, 25, max(1, round(0.0045 * fine)), cv2.LINE_AA
            )
    cover = np.zeros((height, width), np.float32)
    cover[:edge] = 1
    fall = np.arange(height - edge, dtype=np.float32) / (_SHADOW * fine)
    cover[edge:] = (0.38 * np.clip(1 - fall, 0, 1))[:, None]
    colours = (ink.astype(np.float32) / 255)[..., None] * np.array([0.95, 0.94, 0.90], np.float32)
    colours[edge:] = (0.12, 0.08, 0.07)
    shape = (round(width / FINER), round(height / FINER))
    resized = [np.asarray(cv2.resize(each, shape, interpolation=cv2.INTER_AREA), np.float32) for each in (cover, colours)]
    return resized[0], resized[1]
