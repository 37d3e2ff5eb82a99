"""Wraps a classifier so that background metrics yield to foreground explanations."""

from collections.abc import Callable, Sequence
from typing import Literal

from explainers.classifier_protocol import Classifier, Floats, Layer, LayerFeatures, Score


class YieldingClassifier:
    """The same answers as the classifier's own. before: called before every evaluation; waits as long as necessary, or raises Stopped."""

    def __init__(self, classifier: Classifier, before: Callable[[], None]) -> None:
        self._inner, self._before = classifier, before
        self.labels, self.size, self.layers = classifier.labels, classifier.size, classifier.layers
        self.default_layers = classifier.default_layers

    def outputs(self, images: Floats) -> Floats:
        self._before()
        return self._inner.outputs(images)

    def masked(self, image: Floats, masks: Floats, fill: Floats) -> Floats:
        self._before()
        return self._inner.masked(image, masks, fill)

    def gradients(self, images: Floats, score: Score) -> Floats:
        self._before()
        return self._inner.gradients(images, score)

    def features(self, image: Floats, layers: Sequence[Layer], score: Score) -> tuple[LayerFeatures, ...]:
        self._before()
        return self._inner.features(image, layers, score)

    def values(self, logits: Floats, score: Score) -> Floats:
        return self._inner.values(logits, score)

    def probabilities(self, logits: Floats) -> Floats:
        return self._inner.probabilities(logits)

    def randomised(self, depth: Literal["head", "last block", "everything"], seed: int) -> "YieldingClassifier":
        return YieldingClassifier(self._inner.randomised(depth, seed), self._before)
