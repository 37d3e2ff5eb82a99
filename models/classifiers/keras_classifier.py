"""The classifier of a traced Keras model: outputs, gradients, features, and outputs of masked pictures."""

import copy
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.cards.card import Card
from models.cards.metadata import Value, encode_metadata
from models.classifiers.base_classifier import BaseClassifier, Depth, Floats, LayerActivations
from models.classifiers.score import Score
from models.graph.engine.choice import EngineRefused, InferenceEngine, InferenceEngineState
from models.graph.engine.openvino_network import OpenVINONetwork, compile_function, openvino_version
from models.graph.engine.threads import thread_count
from models.graph.layers import SpatialLayer
from models.graph.model_trace import TracedModelGraph

__all__ = ["KerasClassifier", "LayerActivations"]

SMALLEST_PROBABILITY = 1e-7


class KerasClassifier(BaseClassifier[SpatialLayer]):
    """A traced model with its card. Pictures are (n, H, W, 3) float32, RGB 0..1; thread-safe.

    Where the model has no tensor before its softmax or sigmoid, logits are computed from its probabilities, clipped to 1e-7, and
    `logits_from_probabilities` is true. The metadata are fixed: all missing, unless set by `with_metadata`.
    """

    def __init__(
        self,
        trace: TracedModelGraph,
        card: Card,
        replaced: Mapping[str, NDArray[np.float32]] | None = None,
        metadata: Mapping[str, Value] | None = None,
        network: OpenVINONetwork | None = None,
    ) -> None:
        """replaced: name of a tensor -> the value fed instead.

        network: evaluates logits in TensorFlow's place, unless weights are replaced.
        """
        super().__init__(card, trace.layers, metadata)
        self.logits_from_probabilities = card.head not in ("logits", "number") and not trace.head.activation
        self.heads = trace.choice.names if len(trace.choice.names) > 1 else ()
        self.picture_inputs = trace.picture_inputs if trace.pair else ()
        self.rebuild: Callable[[str], KerasClassifier] | None = None
        self._trace, self._network = trace, None if replaced else network
        self._reinitialised = dict(replaced or {})
        self._pair: tuple[NDArray[np.float32], ...] = ()
        self._choose_feeds()

    def _choose_feeds(self) -> None:
        """What differs from the traced model: weights, metadata and the second picture."""
        trace, card = self._trace, self.card
        code = {} if trace.metadata is None else {trace.metadata.name: encode_metadata(card.metadata, self.metadata)}
        pair = {tensor.name: value for tensor, value in zip(trace.pair, self._pair, strict=True)} if self._pair else {}
        self._replaced = {**self._reinitialised, **code, **pair}
        readings = [tensor for tensor, _ in trace.variables()] if self._reinitialised else []
        beside = [tensor for tensor in (trace.metadata, *trace.pair) if tensor is not None]
        self._feeds = [tensor for tensor in (*readings, *beside) if tensor.name in self._replaced]

    @property
    def trace(self) -> TracedModelGraph:
        """The model's graph."""
        return self._trace

    @property
    def traces(self) -> int:
        """How often the most traced function has been traced; 1 whatever the number of pictures."""
        return self._trace.trace_count

    def _with_metadata(self, values: Mapping[str, Value]) -> "KerasClassifier":
        made = copy.copy(self)
        made._metadata = dict(values)
        made._choose_feeds()
        return made

    def _with_head(self, name: str) -> "KerasClassifier":
        assert self.rebuild is not None
        return self.rebuild(name)

    def _with_second_picture(self, second: Floats, explained: int) -> "KerasClassifier":
        made = copy.copy(self)
        made._network = None  # which was compiled for one picture
        made._pair = second, np.eye(len(self.picture_inputs), dtype=np.float32)[explained]
        made.layers = tuple(layer for layer in self._trace.layers if explained in layer.pictures)
        made._choose_feeds()
        return made

    def _outputs(self, images: Floats) -> Floats:
        if self._network:
            return self._network([images], self._metadata_feed)
        return self._function([self._trace.images], [self._logits])(images)[0]

    def _masked(self, image: Floats, masks: Floats, fill: Floats) -> Floats:
        """TensorFlow has the masked pictures only inside the compiled function; another engine is handed them."""
        feeds = [self._trace.image, self._trace.masks, self._trace.fill]
        if self._network:
            return self._network([self._trace.function(feeds, [self._trace.images])(image, masks, fill)[0]], self._metadata_feed)
        return self._function(feeds, [self._logits])(image, masks, fill)[0]

    def _gradients(self, images: Floats, score: Score) -> Floats:
        return self._pull_back(images, self._weights(score)[None], score.kind)

    def _pullback(self, images: Floats, weights: Floats) -> Floats:
        return self._pull_back(images, weights, "logit")

    def _pull_back(self, images: Floats, weights: Floats, kind: str) -> Floats:
        return self._function([self._trace.images, self._score_weights], [self._image_gradients(kind)])(images, weights)[0]

    def features(self, image: Floats, layers: Sequence[SpatialLayer], score: Score) -> tuple[LayerActivations, ...]:
        """(H, W, 3) -> each layer's maps and the score's gradients, in one pass forward and back. UserError without a layer."""
        return self._features(image, layers, self._weights(score), score.kind)

    def feature_pullback(self, image: Floats, layers: Sequence[SpatialLayer], weights: Floats) -> tuple[LayerActivations, ...]:
        """(H, W, 3), (classes,) -> each layer's maps and the gradients of the sum of weights * logits. UserError without a layer."""
        return self._features(image, layers, weights, "logit")

    def _features(self, image: Floats, layers: Sequence[SpatialLayer], weights: Floats, kind: str) -> tuple[LayerActivations, ...]:
        fetches = [tensor for layer in self._with_a_layer(layers) for tensor in (layer.tensor, self._layer_gradients(layer.name, kind))]
        answers = self._function([self._trace.images, self._score_weights], fetches)(self._check_images(image[None]), weights[None])
        arrays = [answer[0].astype(np.promote_types(answer.dtype, np.float32)) for answer in answers]
        pairs = zip(arrays[::2], arrays[1::2], strict=True)
        return tuple(LayerActivations(layer.name, *map(layer.on_grid, pair)) for layer, pair in zip(layers, pairs, strict=True))

    def randomised(self, depth: Depth, seed: int) -> "KerasClassifier":
        """The same classifier with its head, its last block and head, or everything re-initialised. UserError where it has no variables."""
        from models.graph.randomisation import reinitialise_weights

        made = copy.copy(self)
        made._network = None
        made._reinitialised = reinitialise_weights(self._trace, depth, seed)
        made._choose_feeds()
        return made

    def _compiled_by(self, engine: InferenceEngine) -> "KerasClassifier":
        if engine is InferenceEngine.ONNXRUNTIME:
            raise EngineRefused("ONNX Runtime evaluates ONNX models alone; this one is evaluated by TensorFlow.")
        made = copy.copy(self)
        made._network, made._engine_remark = None, ""
        if engine is InferenceEngine.TENSORFLOW:
            return made
        if self._reinitialised or self._pair:
            raise EngineRefused("Re-initialised weights and pairs of pictures are evaluated by TensorFlow.")
        feeds = [tensor for tensor in (self._trace.images, self._trace.metadata) if tensor is not None]
        made._network = compile_function(self._trace.prune(feeds, [self._logits]))
        return made

    @property
    def _on_gpu(self) -> bool:
        return bool(tf.config.list_physical_devices("GPU"))

    @property
    def _engine_state(self) -> InferenceEngineState:
        if self._network:
            return InferenceEngineState(InferenceEngine.OPENVINO, thread_count(), openvino_version())
        return InferenceEngineState(InferenceEngine.TENSORFLOW, thread_count(), tf.__version__)

    @property
    def _metadata_feed(self) -> list[NDArray[np.float32]]:
        """The encoded metadata, where the model takes some."""
        return [] if self._trace.metadata is None else [self._replaced[self._trace.metadata.name]]

    def _function(self, feeds: list[tf.Tensor], fetches: list[tf.Tensor]) -> Callable[..., list[Floats]]:
        function = self._trace.function(feeds + self._feeds, fetches)
        if not self._feeds:
            return function
        values = [self._replaced[tensor.name] for tensor in self._feeds]
        return lambda *arrays: function(*arrays, *values)

    @property
    def _logits(self) -> tf.Tensor:
        return self._trace.derive("logits", self._build_logits)

    def _build_logits(self) -> tf.Tensor:
        logits = self._trace.output if self.card.head == "number" else self._trace.head.logits
        if logits.shape.rank != 2:
            logits = tf.reshape(logits, [-1, logits.shape[1:].num_elements()])
        if logits.dtype.size < 4:
            logits = tf.cast(logits, tf.float32)
        if self.logits_from_probabilities:
            logits = _logits_of(tf.clip_by_value(logits, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY), self.card.head)
        return tf.concat([-logits, logits], axis=-1) if self.card.head == "sigmoid" else logits

    @property
    def _score_weights(self) -> tf.Tensor:
        return self._trace.derive("weights", lambda: tf.compat.v1.placeholder(tf.float32, [None, len(self.labels)]))

    def _score(self, kind: str) -> tf.Tensor:
        """The sum of the batch's scores: pictures are independent, so its gradient is each picture's own."""
        logits, weights = self._logits, self._score_weights

        def build() -> tf.Tensor:
            numbers = logits
            if kind == "probability":
                numbers = tf.sigmoid(logits) if self.card.head in ("sigmoid", "multi-label") else tf.nn.softmax(logits)
            return tf.reduce_sum(numbers * tf.cast(weights, numbers.dtype))

        return self._trace.derive(f"score {kind == 'probability'}", build)

    def _image_gradients(self, kind: str) -> tf.Tensor:
        score = self._score(kind)
        return self._trace.derive(f"image gradients {score.name}", lambda: _gradient(score, self._trace.images))

    def _layer_gradients(self, name: str, kind: str) -> tf.Tensor:
        score, tensor = self._score(kind), self.layer(name).tensor
        return self._trace.derive(f"{name} gradients {score.name}", lambda: _gradient(score, tensor))


def _gradient(score: tf.Tensor, tensor: tf.Tensor) -> tf.Tensor:
    (gradient,) = tf.gradients(score, tensor, unconnected_gradients="zero")
    return tf.convert_to_tensor(gradient)


def _logits_of(probabilities: tf.Tensor, head: str) -> tf.Tensor:
    log = tf.math.log(probabilities)
    return log - tf.math.log1p(-probabilities) if head in ("sigmoid", "multi-label") else log
