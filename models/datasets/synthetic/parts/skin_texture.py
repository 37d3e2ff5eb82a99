"""Skin: a tone from very fair to dark, blotches of redness, and the fine criss-cross furrows that a dermatoscope shows."""

from dataclasses import dataclass

import numpy as np

from models.datasets.synthetic.parts.canvas import Floats, pixel_centres, smooth_random_field

TONES = np.array(
    [[0.95, 0.80, 0.74], [0.92, 0.74, 0.66], [0.87, 0.67, 0.56], [0.77, 0.56, 0.44], [0.63, 0.43, 0.32], [0.48, 0.32, 0.24]], np.float32
)
BLOOD = np.array([0.05, 0.55, 0.45], np.float32)
BROWN = np.array([0.55, 0.95, 1.30], np.float32)


@dataclass(frozen=True)
class SkinTexture:
    """Optical density = -log(tone) + blood * redness + brown * mottling + furrows; colour is exp(-density)."""

    tone: Floats
    redness: Floats
    mottling: Floats
    furrow_angles: Floats
    furrow_cycles: Floats
    furrow_depth: float
    bends: Floats
    pores: Floats

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "SkinTexture":
        place = rng.uniform(0, len(TONES) - 1)
        tone = np.array([np.interp(place, np.arange(len(TONES)), TONES[:, c]) for c in range(3)])
        first = rng.uniform(0, np.pi)
        return cls(
            tone=(tone * np.exp(rng.normal(0, 0.02, 3))).astype(np.float32),
            redness=np.maximum(rng.normal(0.02, 0.09, (6, 6)), -0.08).astype(np.float32),
            mottling=rng.normal(0, 0.035, (14, 14)).astype(np.float32),
            furrow_angles=np.array([first, first + rng.uniform(1.0, 1.6)], np.float32),
            furrow_cycles=rng.uniform(15, 22, 2).astype(np.float32),
            furrow_depth=rng.uniform(0.02, 0.06),
            bends=rng.normal(0, 1.6, (2, 7, 7)).astype(np.float32),
            pores=rng.normal(0, 0.02, (64, 64)).astype(np.float32),
        )

    def density(self, size: int) -> Floats:
        """(size, size, 3)."""
        grey = smooth_random_field(self.mottling, size) + smooth_random_field(self.pores, size) + self._furrows(size)
        density = grey[..., None] * BROWN
        density += smooth_random_field(self.redness, size)[..., None] * BLOOD
        density -= np.log(np.minimum(self.tone, 0.97))
        return density

    def _furrows(self, size: int) -> Floats:
        x, y = pixel_centres(size)
        lines = np.zeros((size, size), np.float32)
        strength = 0.6 + 0.4 * smooth_random_field(self.bends[0] / 1.6, size)
        for angle, cycles, bend in zip(self.furrow_angles, self.furrow_cycles, self.bends, strict=True):
            phase = np.float32(2 * np.pi * cycles) * (x * np.cos(angle) + y * np.sin(angle)) + smooth_random_field(bend, size)
            lines += np.maximum(np.cos(phase), 0) ** 4
        return lines * strength * np.float32(-self.furrow_depth)
