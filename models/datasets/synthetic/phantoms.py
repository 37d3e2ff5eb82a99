"""Lesion phantoms: drawn pictures of a skin lesion in which the pixels that make the class are known.

Every picture shows a lesion. What is planted in it makes the class; hairs, gel bubbles and a ruler come and go whatever the class.
All random draws are made for every class, so the same seed with another label is an exact counterfactual twin.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.cards.card import ClassLabel
from models.datasets.synthetic.parts.canvas import Floats
from models.datasets.synthetic.parts.dermatoscope_light import DermatoscopeLight
from models.datasets.synthetic.parts.hairs_and_bubbles import GelBubbles, HairOverlay
from models.datasets.synthetic.parts.lesion_features import BlueVeil, BorderStreaks, DotCluster
from models.datasets.synthetic.parts.ruler_overlay import RulerOverlay
from models.datasets.synthetic.parts.skin_lesion import SkinLesion
from models.datasets.synthetic.parts.skin_texture import SkinTexture

PLAIN, BLUE_VEIL, DOTS, STREAKS = NAMES = ("plain", "blue veil", "dots", "streaks")
LABELS = (
    ClassLabel(PLAIN, "A brown mole with nothing planted in it: the picture to compare the others with."),
    ClassLabel(BLUE_VEIL, "A blue-white haze, like frosted glass, covers part of the mole."),
    ClassLabel(DOTS, "A cluster of small dark brown to black dots lies inside the mole."),
    ClassLabel(STREAKS, "Dark fingers with rounded tips stick out of one side of the mole's border."),
)
SMALLEST = 64


@dataclass(frozen=True)
class PhantomPicture:
    """A picture and its ground truth. image: (H, W, 3) 0..1 in steps of 1/255; evidence, lesion, ruler: (H, W).

    evidence: the visible pixels of the feature that defines the class; none for "plain". lesion: the mole.
    ruler: the ruler and its shadow; none where there is no ruler.
    """

    image: Floats
    label: str
    evidence: NDArray[np.bool_]
    lesion: NDArray[np.bool_]
    ruler: NDArray[np.bool_]
    seed: int

    @property
    def target(self) -> int:
        """The label's index in NAMES."""
        return NAMES.index(self.label)


def draw_phantom(seed: int, label: str | int, ruler: bool | None = None, size: int = 128) -> PhantomPicture:
    """The picture of `seed` and `label` (name or index); with `ruler` None the seed decides whether there is one.

    Two calls that differ in `label` alone agree in every pixel outside their evidence; two that differ in `ruler` alone,
    outside the ruler. UserError if the label is unknown or the size below 64 px.
    """
    name = _name(label)
    if size < SMALLEST:
        raise UserError(f"A phantom of {size} px is too small to show its features; ask for {SMALLEST} px or more.")
    scene = _Scene.sample(seed)
    return scene.paint(name, scene.ruler.shown if ruler is None else ruler, size, seed)


def phantom_without_evidence(picture: PhantomPicture) -> PhantomPicture:
    """The same picture without what makes its class: a plain one."""
    return draw_phantom(picture.seed, PLAIN, bool(picture.ruler.any()), len(picture.image))


def phantom_with_ruler(picture: PhantomPicture, shown: bool = True) -> PhantomPicture:
    """The same picture with a ruler, or without one."""
    return draw_phantom(picture.seed, picture.label, shown, len(picture.image))


@dataclass(frozen=True)
class _Scene:
    skin: SkinTexture
    lesion: SkinLesion
    veil: BlueVeil
    dots: DotCluster
    streaks: BorderStreaks
    hairs: HairOverlay
    bubbles: GelBubbles
    ruler: RulerOverlay
    light: DermatoscopeLight
    grain: np.random.Generator

    @classmethod
    def sample(cls, seed: int) -> "_Scene":
        one = iter(np.random.default_rng(seed).spawn(10))
        skin, lesion = SkinTexture.sample(next(one)), SkinLesion.sample(next(one))
        veil, dots, streaks = BlueVeil.sample(next(one)), DotCluster.sample(next(one)), BorderStreaks.sample(next(one))
        hairs, bubbles, ruler = HairOverlay.sample(next(one)), GelBubbles.sample(next(one)), RulerOverlay.sample(next(one))
        light, grain = DermatoscopeLight.sample(next(one)), next(one)
        return cls(skin, lesion.moved(ruler.away * 0.055), veil, dots, streaks, hairs, bubbles, ruler, light, grain)

    def paint(self, label: str, ruler: bool, size: int, seed: int) -> PhantomPicture:
        depth = self.lesion.depth(size)
        density = self.skin.density(size) + self.lesion.density(depth)
        cover = self._cover(label, depth)
        if label == DOTS:
            density += self.dots.density(cover, self.lesion.hue)
        if label == STREAKS:
            density += self.streaks.density(cover, self.lesion.hue)
        image = np.exp(-density)
        if label == BLUE_VEIL:
            image = self.veil.paint(image, cover)
        image = self.hairs.paint(image)
        hidden = np.zeros(depth.shape, bool)
        if ruler:
            image, hidden = self.ruler.paint(image)
        image = self.light.paint(self.bubbles.paint(image), self.grain.standard_normal((size, size, 3), np.float32))
        image = np.round(np.clip(image, 0, 1) * 255) / np.float32(255)
        return PhantomPicture(image.astype(np.float32), label, (cover > 0) & ~hidden, depth > 0, hidden, seed)

    def _cover(self, label: str, depth: Floats) -> Floats:
        parts: dict[str, BlueVeil | DotCluster | BorderStreaks] = {BLUE_VEIL: self.veil, DOTS: self.dots, STREAKS: self.streaks}
        return parts[label].cover(self.lesion, depth) if label in parts else np.zeros_like(depth)


def _name(label: str | int) -> str:
    if label in NAMES:
        return str(label)
    if isinstance(label, int | np.integer) and 0 <= label < len(NAMES):
        return NAMES[label]
    raise UserError(f"A phantom cannot show {label!r}; the classes are {', '.join(NAMES)}.")
