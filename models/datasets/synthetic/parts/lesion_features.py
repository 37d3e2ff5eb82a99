"""The features that define the classes: a blue veil, a cluster of dots or a row of streaks, each planted in or at the lesion."""

from dataclasses import dataclass

import numpy as np

from models.datasets.synthetic.parts.canvas import (
    Floats,
    drawing_surface,
    fill_disc,
    fill_polygon,
    pixel_centres,
    pixel_coverage,
    smooth_random_field,
    smoothstep,
)
from models.datasets.synthetic.parts.skin_lesion import SkinLesion

_FAINTEST = 0.08
_ALONG = np.linspace(0, 1, 8)
_TAPER = np.array([0.5, 1.25, 1.15, 0.95, 0.8, 0.8, 0.95, 1.1])


def _cut(cover: Floats) -> Floats:
    """Takes the faint rim away, so that a feature ends somewhere and its mask is exact."""
    return np.asarray(np.clip((cover - _FAINTEST) / (1 - _FAINTEST), 0, 1))


@dataclass(frozen=True)
class BlueVeil:
    """A blue-white haze over part of the lesion: colour = (1 - a) * colour + a * veil."""

    where: Floats
    radius: float
    lobes: Floats
    waves: Floats
    colour: Floats
    haze: Floats
    opacity: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "BlueVeil":
        angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.5)
        return cls(
            where=np.array([angle, far], np.float32),
            radius=rng.uniform(0.098, 0.118),
            lobes=np.stack([rng.normal(0, [0.17, 0.09, 0.04]), rng.uniform(0, 2 * np.pi, 3)]).astype(np.float32),
            waves=rng.normal(0, 0.13, (18, 18)).astype(np.float32),
            colour=(np.array([0.40, 0.50, 0.69]) + rng.normal(0, 0.02, 3) + rng.uniform(-0.05, 0.06)).astype(np.float32),
            haze=rng.normal(0, 0.045, (20, 20)).astype(np.float32),
            opacity=rng.uniform(0.5, 0.92),
        )

    def cover(self, lesion: SkinLesion, depth: Floats) -> Floats:
        size = len(depth)
        angle, far = self.where
        reach = lesion.reach(self.where[:1])[0] * far
        x, y = pixel_centres(size)
        dx, dy = x - lesion.centre[0] - reach * np.cos(angle), y - lesion.centre[1] - reach * np.sin(angle)
        turn = np.arctan2(dy, dx)
        outline = 1.0 + sum(a * np.cos(n * turn + p) for n, a, p in zip((2, 3, 5), *self.lobes, strict=True))
        inside = (
            1.0 - np.sqrt(dx * dx + dy * dy) / (np.float32(self.radius) * np.maximum(outline, 0.4)) + smooth_random_field(self.waves, size)
        )
        return _cut(smoothstep(inside, 0.0, 0.55))

    def paint(self, image: Floats, cover: Floats) -> Floats:
        light = 0.70 + 0.30 * image[:4, :4].mean()
        veil = (self.colour + smooth_random_field(self.haze, len(image))[..., None]) * light
        shown = (np.float32(self.opacity) * cover)[..., None]
        return np.asarray(image * (1 - shown) + (0.80 * veil + 0.35 * image) * shown)


@dataclass(frozen=True)
class DotCluster:
    """A cluster of small dark brown to black dots: density + a * pigment * depth."""

    where: Floats
    places: Floats
    radii: Floats
    depth: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "DotCluster":
        turn = rng.uniform(0, np.pi)
        rows, columns = np.meshgrid(np.arange(-2, 3), np.arange(-2, 3), indexing="ij")
        lattice = np.stack([columns + 0.5 * rows, rows * 0.87], -1).reshape(-1, 2) + rng.uniform(-0.22, 0.22, (25, 2))
        lattice = lattice @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        nearest = np.argsort((lattice**2).sum(1))[:19]
        return cls(
            where=np.array([rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.5)], np.float32),
            places=(lattice[nearest] * rng.uniform(0.050, 0.056)).astype(np.float32),
            radii=rng.uniform(0.0115, 0.0230, 19).astype(np.float32),
            depth=rng.uniform(0.7, 2.0),
        )

    def cover(self, lesion: SkinLesion, depth: Floats) -> Floats:
        size = len(depth)
        angle, far = self.where
        reach = lesion.reach(self.where[:1])[0] * far
        middle = lesion.centre + reach * np.array([np.cos(angle), np.sin(angle)], np.float32)
        surface = drawing_surface(size)
        for place, radius in zip(self.places, self.radii, strict=True):
            fill_disc(surface, middle + place, float(radius), size)
        return _cut(pixel_coverage(surface, size))

    def density(self, cover: Floats, hue: Floats) -> Floats:
        """(H, W, 3) of density to be added; `hue`: the lesion's pigment (3,)."""
        return (cover * np.float32(self.depth))[..., None] * (0.55 * hue + 0.45)


@dataclass(frozen=True)
class BorderStreaks:
    """Dark radial fingers with bulbous tips along a stretch of the border: density + a * pigment * depth."""

    angles: Floats
    starts: Floats
    ends: Floats
    widths: Floats
    leans: Floats
    depth: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "BorderStreaks":
        count = 9
        spread = np.linspace(-1.0, 1.0, count) + rng.uniform(-0.06, 0.06, count)
        return cls(
            angles=(rng.uniform(0, 2 * np.pi) + spread).astype(np.float32),
            starts=rng.uniform(0.74, 0.82, count).astype(np.float32),
            ends=rng.uniform(1.14, 1.38, count).astype(np.float32),
            widths=rng.uniform(0.011, 0.015, count).astype(np.float32),
            leans=rng.normal(0, 0.07, count).astype(np.float32),
            depth=rng.uniform(0.55, 1.4),
        )

    def cover(self, lesion: SkinLesion, depth: Floats) -> Floats:
        size = len(depth)
        surface = drawing_surface(size)
        reach = lesion.reach(self.angles)
        for finger in zip(self.angles, self.starts * reach, self.ends * reach, self.widths, self.leans, strict=True):
            angle, start, end, width, lean = map(float, finger)
            along = (start + (end - start) * _ALONG)[:, None]
            turn = angle + lean * _ALONG**2
            middle = lesion.centre + along * np.stack([np.cos(turn), np.sin(turn)], -1)
            across = (_TAPER * width)[:, None] * np.stack([-np.sin(turn), np.cos(turn)], -1)
            fill_polygon(surface, np.concatenate([middle + across, (middle - across)[::-1]]), size)
            fill_disc(surface, middle[-1], width * float(_TAPER[-1]), size)
        return _cut(pixel_coverage(surface, size) * smoothstep(depth, 0.28, 0.04))

    def density(self, cover: Floats, hue: Floats) -> Floats:
        """(H, W, 3) of density to be added; `hue`: the lesion's pigment (3,)."""
        return (cover * np.float32(self.depth))[..., None] * (0.85 * hue + 0.15)
