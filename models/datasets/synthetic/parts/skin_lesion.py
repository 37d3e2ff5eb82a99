"""The lesion: an irregular patch of pigment with darker and lighter regions, a pigment network and a border sharp here, faded there."""

from dataclasses import dataclass, replace

import numpy as np

from models.datasets.synthetic.parts.canvas import Floats, pixel_centres, smooth_random_field, smoothstep
from models.datasets.synthetic.parts.skin_texture import BLOOD

_HARMONICS = np.arange(2, 9)
_WARM = np.array([0.50, 0.92, 1.28])
_COOL = np.array([0.84, 1.02, 1.12])


@dataclass(frozen=True)
class SkinLesion:
    """Radius at angle t: R (1 + sum a_n cos(n t + p_n)), squeezed along one axis. Positions and lengths are shares of the side."""

    centre: Floats
    radius: float
    amplitudes: Floats
    phases: Floats
    fade: float
    fades: Floats
    pigment: float
    hue: Floats
    regions: Floats
    speckle: Floats
    pink: Floats
    network: float
    network_angle: float
    network_cycles: float
    network_bends: Floats

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "SkinLesion":
        amplitudes = rng.normal(0, 1, len(_HARMONICS)) * 0.20 / _HARMONICS**0.9
        return cls(
            centre=(0.5 + rng.uniform(-0.05, 0.05, 2)).astype(np.float32),
            radius=rng.uniform(0.20, 0.27),
            amplitudes=np.clip(amplitudes, -0.14, 0.14).astype(np.float32),
            phases=rng.uniform(0, 2 * np.pi, len(_HARMONICS)).astype(np.float32),
            fade=rng.uniform(0.03, 0.12),
            fades=rng.normal(0, 0.7, (3, 3)).astype(np.float32),
            pigment=rng.uniform(0.65, 1.2),
            hue=(_WARM + rng.random() * (_COOL - _WARM)).astype(np.float32),
            regions=rng.normal(0, 0.30, (6, 6)).astype(np.float32),
            speckle=rng.normal(0, 0.10, (24, 24)).astype(np.float32),
            pink=rng.normal(0, 0.35, (4, 4)).astype(np.float32),
            network=max(0.0, rng.uniform(-0.3, 0.6)),
            network_angle=rng.uniform(0, np.pi),
            network_cycles=rng.uniform(16, 22),
            network_bends=rng.normal(0, 2.0, (2, 7, 7)).astype(np.float32),
        )

    def moved(self, by: Floats) -> "SkinLesion":
        """The same lesion elsewhere."""
        return replace(self, centre=self.centre + by)

    def reach(self, angles: Floats) -> Floats:
        """The border's distance from the centre at each angle."""
        waves = np.cos(angles[..., None] * _HARMONICS.astype(np.float32) + self.phases) @ self.amplitudes
        return np.float32(self.radius) * (1 + waves)

    def depth(self, size: int) -> Floats:
        """Each pixel's distance inside the border, as a share of the radius there: 1 at the centre, below 0 outside."""
        x, y = pixel_centres(size)
        dx, dy = x - self.centre[0], y - self.centre[1]
        turn = np.linspace(-np.pi, np.pi, 361, dtype=np.float32)
        reach = np.interp(np.arctan2(dy, dx), turn, self.reach(turn)).astype(np.float32)
        return np.asarray(1 - np.sqrt(dx * dx + dy * dy) / reach)

    def density(self, depth: Floats) -> Floats:
        """(size, size, 3) to be added to the skin's."""
        size = len(depth)
        rim = np.float32(self.fade) * np.exp(smooth_random_field(self.fades, size))
        inside = smoothstep(depth + 0.05 * smooth_random_field(self.speckle * 4, size), -rim, rim + 0.08)
        melanin: Floats = 0.85 + smooth_random_field(self.regions, size) + smooth_random_field(self.speckle, size)
        melanin += np.float32(self.network) * (self._network(size) - 0.35) * smoothstep(depth, 1.0, 0.1)
        melanin = np.maximum(melanin, 0.22) * inside * np.float32(self.pigment)
        blush = np.maximum(smooth_random_field(self.pink, size), 0) * inside
        return melanin[..., None] * self.hue + blush[..., None] * BLOOD

    def _network(self, size: int) -> Floats:
        """Honeycomb lines: three plane waves whose phases close, bent a little."""
        x, y = pixel_centres(size)
        first, second = (
            np.float32(2 * np.pi * self.network_cycles) * (x * np.cos(a) + y * np.sin(a)) + smooth_random_field(bend, size)
            for a, bend in zip((self.network_angle, self.network_angle + np.pi / 3), self.network_bends, strict=True)
        )
        return smoothstep(np.cos(first) + np.cos(second) + np.cos(second - first), 0.4, -1.0)
