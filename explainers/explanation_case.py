"""A case is one picture, one classifier and one score; it caches every evaluation."""

import copy
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from explainers.baselines import FILLS, BaselineFill, make_baseline_image
from explainers.classifier_protocol import Classifier, Floats, Layer, LayerFeatures, Score
from explainers.evaluator import EvaluationCounter, EvaluationStopped, Evaluator, Pictures
from explainers.superpixels import segment_superpixels
from image_batches import batch_of

__all__ = ["PRESETS", "Case", "EvaluationStopped", "ExplanationSettings"]

PRESETS = {"Fast": 120, "Balanced": 500, "Thorough": 2000}
"""Preset -> evaluations that one method may spend; the pool that LIME, SHAP and RISE share counts as one method."""

ROUNDINGS = 64
"""Float32 spacings at a logit's size by which rounding alone may move it.

A logit is a sum of thousands of rounded products, whose errors add up with the root of their number: a few dozen spacings. MobileNetV2
in front of an even grey picture and of its blur, which are equal up to rounding, gave logits 16 spacings apart.
"""

WHOLE_PICTURE, FILL_ALONE = "everything", "nothing"
"""Keys of the masks that show all and none of the picture."""

Answers = dict[Hashable, tuple[Floats, Hashable]]
"""Mask's key -> its logits (classes,), and the caller that evaluated them."""

T = TypeVar("T")


@dataclass(frozen=True)
class ExplanationSettings:
    """What all methods of a case have in common.

    preset: how much to spend. fill: what replaces hidden parts, and the baseline. segments: superpixels aimed at; 20 is what
    500 evaluations can tell apart (docs/estimators.md). seed: of everything drawn. budget: evaluations that one method may spend;
    None takes the preset's. batch: pictures evaluated at once, fewer where they are large. layers: names of the layers for the CAM family;
    empty takes the classifier's own choice.
    """

    preset: str = "Balanced"
    fill: str = "blur"
    segments: int = 20
    seed: int = 0
    budget: int | None = None
    batch: int = 32
    layers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, options in (("preset", tuple(PRESETS)), ("fill", FILLS)):
            if getattr(self, name) not in options:
                raise UserError(f"The {name} is {getattr(self, name)!r}; it must be one of {', '.join(options)}.")
        for name, low, high in (("segments", 2, 400), ("seed", 0, 2**32 - 1), ("budget", 16, 10**6), ("batch", 1, 1024)):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UserError(f"The setting '{name}' is {value}; it must lie from {low} to {high}.")

    def to_json(self) -> dict[str, Any]:
        return {
            "preset": self.preset,
            "fill": self.fill,
            "segments": self.segments,
            "seed": self.seed,
            "budget": self.budget,
            "batch": self.batch,
            "layers": self.layers,
        }


class Case:
    """One picture, one classifier, one score; used by one thread, but `stop` may be called from any.

    Everything is evaluated in batches, is counted in `counter`, and raises Stopped after `stop`. Logits keep all classes, so
    `with_score` explains another class without evaluating again what does not depend on the score.
    """

    def __init__(self, classifier: Classifier, image: Floats, score: Score, settings: ExplanationSettings | None = None) -> None:
        """image: (H, W, 3) float32 in 0..1 of the classifier's size, as its `fit` makes it. Raises UserError."""
        self.classifier = classifier
        self.image = _checked(image, classifier.size)
        self.score = score
        self.settings = settings or ExplanationSettings()
        self.layers = _layers(classifier, self.settings.layers)
        self._evaluator = Evaluator(batch_of(classifier.size, self.settings.batch, classifier.layers))
        self._memory: dict[Hashable, Any] = {}
        self._answers: dict[str, Answers] = {}

    def with_score(self, score: Score) -> "Case":
        """The same case for another score: shares all evaluations so far and the count; each has its own stop, and this one's stays."""
        other = copy.copy(self)
        other.score = score
        other._evaluator = self._evaluator.fork()
        return other

    def with_budget(self, budget: int) -> "Case":
        """The same case for a method that may spend so many evaluations: caches, counts and stops with this one. Raises UserError."""
        other = copy.copy(self)
        other.settings = replace(self.settings, budget=budget)
        return other

    def variant(self, image: Floats | None = None, classifier: Classifier | None = None) -> "Case":
        """The same for another picture, or for another classifier of the same kind: its cache is empty, but it is counted and
        stopped with this one. Raises UserError."""
        other = copy.copy(self)
        other.classifier = classifier or self.classifier
        other.image = _checked(self.image if image is None else image, other.classifier.size)
        other.layers = _layers(other.classifier, self.settings.layers)
        other._memory, other._answers = {}, {}
        return other

    def stop(self) -> None:
        """From now on every evaluation raises Stopped; a batch that is under way is finished."""
        self._evaluator.stopped.set()

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.classifier.size

    @property
    def preset(self) -> str:
        return self.settings.preset

    @property
    def fill(self) -> str:
        return self.settings.fill

    @property
    def seed(self) -> int:
        return self.settings.seed

    @property
    def budget(self) -> int:
        """Evaluations that one method may spend."""
        return self.settings.budget or PRESETS[self.settings.preset]

    @property
    def counter(self) -> EvaluationCounter:
        """How much each caller spent."""
        return self._evaluator.counter

    @property
    def evaluations(self) -> int:
        """Evaluations so far, of all callers; a gradient counts as one (and again in `counter.backward`)."""
        return sum(self.counter.evaluations.values())

    @property
    def fill_image(self) -> Floats:
        """(H, W, 3): what shows through where the picture is hidden."""
        return self.filled(self.fill)

    def filled(self, fill: str) -> Floats:
        """(H, W, 3) of any fill, for a method whose baseline is a parameter."""
        return self.remember(
            ("fill", fill), lambda: make_baseline_image(self.image, fill, self.segments if fill == BaselineFill.SEGMENT_MEAN else None)
        )

    @property
    def segments(self) -> NDArray[np.int64]:
        """(H, W) superpixel labels from 0, by SLIC; made once."""
        return self.remember("segments", lambda: segment_superpixels(self.image, self.settings.segments))

    @property
    def image_logits(self) -> Floats:
        """(classes,) of the picture itself; evaluated once."""
        logits: Floats = self.recall([WHOLE_PICTURE], lambda _: np.ones((1, 1), np.float32))[0]
        return logits

    @property
    def baseline_logits(self) -> Floats:
        """(classes,) of the fill alone; evaluated once."""
        return self.fill_logits(self.fill)

    def fill_logits(self, fill: str) -> Floats:
        """(classes,) of any fill alone; evaluated once."""
        logits: Floats = self.recall([FILL_ALONE], lambda _: np.zeros((1, 1), np.float32), fill)[0]
        return logits

    def outputs(self, images: Pictures) -> Floats:
        """(n, H, W, 3), or an iterable of pictures -> logits (n, classes)."""
        return self._joined(self._evaluator.evaluate(images, self.classifier.outputs, rank=3))

    def masked(self, masks: Pictures, fill: str | None = None) -> Floats:
        """Masks (n, h, w) in 0..1, or an iterable of masks or batches of masks -> logits (n, classes). 1 shows, 0 hides."""
        shown = partial(_masked, self.classifier, self.image, self.filled(fill or self.fill))
        return self._joined(self._evaluator.evaluate(masks, shown, rank=2))

    def recall(self, keys: Sequence[Hashable], mask_of: Callable[[Any], Floats], fill: str | None = None) -> Floats:
        """Logits (n, classes) of the masks that `mask_of` makes of `keys`, evaluating only keys that are new with this fill.

        A key must always stand for the same mask. The answers serve every score of the case.
        """
        fill = fill or self.fill
        known = self._answers.setdefault(fill, {})
        new = [key for key in dict.fromkeys(keys) if key not in known]
        if new:
            shown = partial(_masked, self.classifier, self.image, self.filled(fill))
            fresh = (row for batch in self._evaluator.evaluate((mask_of(key) for key in new), shown, rank=2) for row in batch)
            for key, row in zip(new, fresh, strict=True):
                known[key] = row, self.counter.caller
        for key in keys:
            if known[key][1] != self.counter.caller:
                self.counter.reuse((fill, key), 1)
        return np.stack([known[key][0] for key in keys])

    def gradients(self, images: Pictures) -> Iterator[Floats]:
        """Pictures (H, W, 3) -> d score / d picture (H, W, 3), one after the other, so that they need not all be kept."""
        for batch in self._evaluator.evaluate(images, lambda batch: self.classifier.gradients(batch, self.score), rank=3, backward=True):
            yield from batch

    def features(self) -> tuple[LayerFeatures, ...]:
        """For each layer of `layers` its maps and the score's gradients (h, w, k); one pass, made once for a score."""
        key = ("features", tuple(layer.name for layer in self.layers), self.score)

        def ask() -> tuple[tuple[LayerFeatures, ...], Hashable]:
            found = self._evaluator.evaluate_once(lambda: self.classifier.features(self.image, self.layers, self.score))
            return found, self.counter.caller

        features, payer = self.remember(key, ask)
        if payer != self.counter.caller:
            self.counter.reuse(key, 1)
        return features

    def values(self, logits: Floats) -> NDArray[np.float64]:
        """Logits (n, classes) -> the score of each (n,); (classes,) -> (1,)."""
        return np.asarray(self.classifier.values(np.atleast_2d(logits).astype(np.float64), self.score))

    def probabilities(self, logits: Floats) -> Floats:
        """Logits (n, classes) -> probabilities (n, classes), as the model gives them."""
        return self.classifier.probabilities(np.atleast_2d(logits))

    @property
    def image_value(self) -> float:
        """The score of the picture itself."""
        return float(self.values(self.image_logits)[0])

    @property
    def rounding(self) -> float:
        """The largest change of the score that rounding may bring about: less is not measurable. No evaluations: an unknown logit is 1."""
        rows = [known[key][0] for known in self._answers.values() for key in (WHOLE_PICTURE, FILL_ALONE) if key in known]
        spacing = float(np.spacing(np.float32(max([1.0, *(float(np.abs(row).max()) for row in rows)]))))
        slope = 0.25 if self.score.kind == "probability" else 1.0  # no probability rises faster with its logit
        return ROUNDINGS * slope * spacing

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gave the first time for `key`, in this case or one that it shares its cache with."""
        if key not in self._memory:
            self._memory[key] = make()
        found: T = self._memory[key]
        return found

    def _joined(self, answers: Iterator[Floats]) -> Floats:
        parts = list(answers)
        return np.concatenate(parts) if parts else np.zeros((0, len(self.image_logits)), np.float32)


def _masked(classifier: Classifier, image: Floats, fill: Floats, masks: Floats) -> Floats:
    return classifier.masked(image, masks, fill)


def _checked(image: Floats, size: tuple[int, int]) -> Floats:
    if image.shape != (*size, 3):
        raise UserError(f"The picture is {image.shape}; this classifier takes {(*size, 3)}: height, width, RGB. Fit it first.")
    if not np.isfinite(image).all() or image.min() < 0 or image.max() > 1:
        raise UserError("The picture holds values outside 0..1 or that are no numbers; decode and fit it first.")
    view: Floats = np.asarray(image, np.float32).view()
    view.flags.writeable = False
    return view


def _layers(classifier: Classifier, names: tuple[str, ...]) -> tuple[Layer, ...]:
    known = {layer.name: layer for layer in classifier.layers}
    for name in names:
        if name not in known:
            raise UserError(f"The model has no spatial layer {name!r}; it has {', '.join(known) or 'none'}.")
    return tuple(known[name] for name in names) or tuple(classifier.default_layers)
