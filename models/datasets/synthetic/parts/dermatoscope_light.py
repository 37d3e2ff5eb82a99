"""The dermatoscope's light: brighter in the middle, darker in the corners, sometimes a round aperture, and the camera's noise."""

from dataclasses import dataclass

import numpy as np

from models.datasets.synthetic.parts.canvas import Floats, pixel_centres, smoothstep


@dataclass(frozen=True)
class DermatoscopeLight:
    """colour * tint * (1 - falloff * r^2) * aperture + noise; r is the distance from the light's centre, a share of the side."""

    centre: Floats
    falloff: float
    aperture: float
    tint: Floats
    noise: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "DermatoscopeLight":
        round_view, radius = rng.random() < 0.35, rng.uniform(0.54, 0.66)
        return cls(
            centre=(0.5 + rng.uniform(-0.04, 0.04, 2)).astype(np.float32),
            falloff=rng.uniform(0.25, 0.85),
            aperture=radius if round_view else 9.0,
            tint=(rng.uniform(0.94, 1.04) * np.exp(rng.normal(0, 0.015, 3))).astype(np.float32),
            noise=rng.uniform(0.004, 0.010),
        )

    def paint(self, image: Floats, grain: Floats) -> Floats:
        """`grain`: (H, W, 3) standard normal."""
        x, y = pixel_centres(len(image))
        dx, dy = x - self.centre[0], y - self.centre[1]
        squared = dx * dx + dy * dy
        light = 1.03 - np.float32(self.falloff) * squared
        if self.aperture < 1:
            light *= 0.03 + 0.97 * smoothstep(np.sqrt(squared), self.aperture + 0.02, self.aperture - 0.015)
        return np.asarray(image * light[..., None] * self.tint + grain * np.float32(self.noise))
