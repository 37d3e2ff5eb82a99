"""A classifier without gradients: perturbation methods work, the others raise a UserError that says why."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import tensorflow as tf

from errors import UserError
from image_batches import batch_of
from models.cards.card import Card
from models.cards.metadata import Value, encode_metadata, metadata_encoding_names
from models.classifiers.base_classifier import BaseClassifier, Depth, Floats, LayerActivations
from models.classifiers.forward_card_inference import check_card_matches_network, complete_model_card, draft_model_card
from models.classifiers.score import Score
from models.graph.engine.choice import InferenceEngine, InferenceEngineState
from models.graph.grid_layer import GridLayer
from models.graph.model_inputs import ModelInputStructure, read_model_inputs
from models.graph.probe_images import probe_images
from models.graph.runtime_network import RuntimeNetwork

SMALLEST_PROBABILITY = 1e-7


class ForwardOnlyClassifier(BaseClassifier[GridLayer]):
    """A `RuntimeNetwork` with its card. Pictures are (n, H, W, 3) float32, RGB 0..1; thread-safe.

    Logits are computed from probabilities clipped to 1e-7, or to half a step where the outputs are quantised.
    """

    forward_only = True

    def __init__(self, network: RuntimeNetwork, card: Card, metadata: Mapping[str, Value] | None = None) -> None:
        super().__init__(replace(card, layers=()), (), metadata)
        self.logits_from_probabilities = card.head not in ("logits", "number")
        self.heads = network.choice.names if len(network.choice.names) > 1 else ()
        self.rebuild: Callable[[str], ForwardOnlyClassifier] | None = None
        self._network, self._inputs = network, read_model_inputs(network, network.name)
        self._inputs.check_metadata(card, network.name)
        self._code = encode_metadata(card.metadata, self.metadata) if card.metadata else np.zeros(0, np.float32)
        self.picture_inputs = tuple(each.name for each in self._inputs.pictures) if len(self._inputs.pictures) > 1 else ()
        self._pair = np.zeros((*card.size, 3), np.float32), np.ones(len(self._inputs.pictures), np.float32)
        self._feed, self._feed_masked = _compile_inputs(self._inputs, card)

    @property
    def network(self) -> RuntimeNetwork:
        """The network that evaluates the pictures."""
        return self._network

    def _with_metadata(self, values: Mapping[str, Value]) -> "ForwardOnlyClassifier":
        made = copy.copy(self)
        made._metadata = dict(values)
        made._code = encode_metadata(self.card.metadata, values) if self.card.metadata else made._code
        return made

    def _with_head(self, name: str) -> "ForwardOnlyClassifier":
        assert self.rebuild is not None
        return self.rebuild(name)

    def _with_second_picture(self, second: Floats, explained: int) -> "ForwardOnlyClassifier":
        made = copy.copy(self)
        made._pair = second, np.eye(len(self.picture_inputs), dtype=np.float32)[explained]
        return made

    def _outputs(self, images: Floats) -> Floats:
        return self._logits(self.raw(images))

    def _masked(self, image: Floats, masks: Floats, fill: Floats) -> Floats:
        return self._logits(self._evaluate(self._feed_masked(image, masks, fill, self._code, *self._pair)))

    def raw(self, images: Floats) -> Floats:
        """(n, H, W, 3) -> the outputs of the network itself, (n, units)."""
        return self._evaluate(self._feed(np.asarray(images, np.float32), self._code, *self._pair))

    def gradients(self, images: Floats, score: Score) -> Floats:
        """UserError: there are none."""
        self._refuse("gradients")

    def pullback(self, images: Floats, weights: Floats) -> Floats:
        """UserError: there are no gradients."""
        self._refuse("gradients")

    def features(self, image: Floats, layers: Sequence[GridLayer], score: Score) -> tuple[LayerActivations, ...]:
        """UserError: no layer can be read."""
        self._refuse("layers that could be read")

    def feature_pullback(self, image: Floats, layers: Sequence[GridLayer], weights: Floats) -> tuple[LayerActivations, ...]:
        """UserError: no layer can be read."""
        self._refuse("layers that could be read")

    def randomised(self, depth: Depth, seed: int) -> "ForwardOnlyClassifier":
        """UserError: its weights are inaccessible."""
        self._refuse("weights that could be re-initialised")

    def _compiled_by(self, engine: InferenceEngine) -> "ForwardOnlyClassifier":
        return ForwardOnlyClassifier(self._network.compiled_by(engine), self.card, self.metadata)

    @property
    def _engine_state(self) -> InferenceEngineState:
        return self._network.engine

    def _refuse(self, missing: str) -> NoReturn:
        raise UserError(
            f"{self.card.name} is run from {self._network.kind}, which answers pictures but has no {missing}; use a method that only "
            "hides parts of the picture (Occlusion, LIME, SHAP, RISE), or the Keras model that it was made from."
        )

    def _evaluate(self, feed: list[tf.Tensor]) -> Floats:
        return self._network.evaluate([tensor.numpy() for tensor in feed])

    def _logits(self, raw: Floats) -> Floats:
        if self.card.head in ("logits", "number"):
            return raw
        smallest = max(SMALLEST_PROBABILITY, self._network.step / 2)
        p = np.clip(raw, smallest, 1 - smallest)
        if self.card.head == "softmax":
            return np.log(p)
        z = np.log(p) - np.log1p(-p)
        return np.concatenate([-z, z], axis=-1) if self.card.head == "sigmoid" else z


def build_forward_only_classifier(network: RuntimeNetwork, card: Card | None, path: Path) -> ForwardOnlyClassifier:
    """The classifier of a network; without a card one is inferred. UserError where they do not match. path: of the model."""
    inputs = read_model_inputs(network, path.name)
    if card is not None and card.output:
        network = network.chosen(card.output)
    if card is None:
        draft = draft_model_card(network, inputs, path)
        inputs.check_metadata(draft, path.name)
        raw = _answers(network, inputs, draft)
        card = complete_model_card(draft, network, raw, path)
    else:
        inputs.check_card(card, path.name)
        raw = _answers(network, inputs, card)
    check_card_matches_network(card, network, raw, path.name)
    made = ForwardOnlyClassifier(network, card)
    made.rebuild = lambda head: build_forward_only_classifier(network.chosen(head), None, path)
    return made


def _answers(network: RuntimeNetwork, inputs: ModelInputStructure, card: Card) -> Floats:
    """(3, units): the network's outputs for the probe pictures."""
    code = encode_metadata(card.metadata, {}) if card.metadata else np.zeros(0, np.float32)
    pair = np.zeros((*card.size, 3), np.float32), np.ones(len(inputs.pictures), np.float32)
    feed, _ = _compile_inputs(inputs, card)
    images, size = probe_images(card.size), batch_of(card.size, 3)
    parts = [feed(images[start : start + size], code, *pair) for start in range(0, len(images), size)]
    return np.concatenate([network.evaluate([tensor.numpy() for tensor in part]) for part in parts]).astype(np.float64)


def _compile_inputs(inputs: ModelInputStructure, card: Card) -> tuple[Callable[..., list[tf.Tensor]], Callable[..., list[tf.Tensor]]]:
    """Two functions to the network's inputs: from pictures, and from image, masks and fill, masked inside the compiled function."""
    picture, code = tf.TensorSpec([*card.size, 3], tf.float32), tf.TensorSpec([len(metadata_encoding_names(card.metadata))], tf.float32)
    masks = tf.TensorSpec([None, None, None], tf.float32)

    takes = tf.TensorSpec([len(inputs.pictures)], tf.float32)

    def feed(images: tf.Tensor, code: tf.Tensor, second: tf.Tensor, takes: tf.Tensor) -> list[tf.Tensor]:
        pair = (second, takes) if len(inputs.pictures) > 1 else ()
        return list(tf.nest.flatten(inputs.pack(inputs.prepare(images, card, *pair), code)))

    def feed_masked(
        image: tf.Tensor, masks: tf.Tensor, fill: tf.Tensor, code: tf.Tensor, second: tf.Tensor, takes: tf.Tensor
    ) -> list[tf.Tensor]:
        return feed(fill + tf.image.resize(masks[..., None], card.size) * (image - fill), code, second, takes)

    pictures = tf.TensorSpec([None, *card.size, 3], tf.float32)
    beside = [code, picture, takes]
    return (
        tf.function(feed, input_signature=[pictures, *beside]),
        tf.function(feed_masked, input_signature=[picture, masks, picture, *beside]),
    )
