"""Overlays without meaning for the class: hairs and gel bubbles."""

from dataclasses import dataclass

import numpy as np

from models.datasets.synthetic.parts.canvas import Floats, draw_curve, drawing_surface, pixel_centres, pixel_coverage, smoothstep

_BEND = np.linspace(0, 1, 14, dtype=np.float32)[:, None]
HAIR_COLOURS = np.array([[0.10, 0.07, 0.06], [0.20, 0.13, 0.09], [0.36, 0.24, 0.14], [0.62, 0.50, 0.36]], np.float32)


@dataclass(frozen=True)
class HairOverlay:
    """Quadratic curves from 0..1 positions (count, 3, 2); a picture has none or a few, mostly combed one way."""

    controls: Floats
    widths: Floats
    colour: Floats

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "HairOverlay":
        count = int(rng.integers(2, 11)) if rng.random() < 0.6 else 0
        comb, spread = rng.uniform(0, np.pi), rng.uniform(0.15, 0.8)
        angle = comb + rng.normal(0, spread, 10)
        along = np.stack([np.cos(angle), np.sin(angle)], -1) * rng.uniform(0.2, 0.65, (10, 1))
        middle = rng.uniform(0.05, 0.95, (10, 2))
        across = np.stack([-along[:, 1], along[:, 0]], -1) * rng.normal(0, 0.35, (10, 1))
        controls = np.stack([middle - along, middle + across, middle + along], 1)
        tint = HAIR_COLOURS[rng.choice(4, p=[0.4, 0.3, 0.2, 0.1])]
        widths = rng.uniform(0.75, 1.35, 10)
        return cls(controls[:count].astype(np.float32), widths[:count].astype(np.float32), tint)

    def paint(self, image: Floats) -> Floats:
        size = len(image)
        if not len(self.controls):
            return image
        surface = drawing_surface(size)
        for (start, bend, end), width in zip(self.controls, self.widths, strict=True):
            points = (1 - _BEND) ** 2 * start + 2 * _BEND * (1 - _BEND) * bend + _BEND**2 * end
            draw_curve(surface, points, float(width), size)
        cover = (0.88 * pixel_coverage(surface, size))[..., None]
        return image * (1 - cover) + self.colour * cover


@dataclass(frozen=True)
class GelBubbles:
    """Small lenses of air in the gel: a bright rim, a dark inner edge and a glint. `places` (count, 2), `radii` (count,)."""

    places: Floats
    radii: Floats

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "GelBubbles":
        count = int(rng.integers(1, 9)) if rng.random() < 0.5 else 0
        nest = rng.uniform(0.1, 0.9, 2)
        scatter = rng.uniform(0.08, 0.35)
        places = np.clip(nest + rng.normal(0, scatter, (8, 2)), 0.03, 0.97)
        radii = 0.010 + 0.030 * rng.random(8) ** 2
        return cls(places[:count].astype(np.float32), radii[:count].astype(np.float32))

    def paint(self, image: Floats) -> Floats:
        size = len(image)
        image = image.copy()
        x, y = pixel_centres(size)
        for (px, py), radius in zip(self.places, self.radii, strict=True):
            reach = int(np.ceil(radius * size * 1.2)) + 1
            row, column = int(py * size), int(px * size)
            window = np.s_[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
            _bubble(image[window], (x[window] - px) / radius, (y[window] - py) / radius, 1.0 / (radius * size))
        return image


def _bubble(patch: Floats, dx: Floats, dy: Floats, pixel: float) -> None:
    far = np.sqrt(dx * dx + dy * dy)
    lit = 0.65 - 0.35 * (dx + dy) / np.maximum(far, 0.3) * 0.7
    rim = smoothstep(far, 0.62, 0.88) * smoothstep(far, 1.0 + pixel, 1.0 - 0.3 * pixel) * lit
    glint = smoothstep(np.hypot(dx + 0.38, dy + 0.38), 0.34 + pixel, 0.10)
    shade = smoothstep(far, 0.95, 0.45) * 0.10
    patch *= (1 - shade)[..., None]
    white = np.clip(0.75 * rim + 0.85 * glint, 0, 0.95)[..., None]
    patch += (np.float32(0.97) - patch) * white
