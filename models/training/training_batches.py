"""Batches for the training loop: preprocessed as the card states, with targets and class weights."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from models.cards.card import Card
from models.datasets.picture_collection import CollectionRow
from models.training.input_pipeline import InputPipelineSettings, class_weights, iterate_batches, steps_per_epoch
from models.training.training_loop import TrainingData

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def build_training_data(
    model: "keras.Model", card: Card, train: Sequence[CollectionRow], validation: Sequence[CollectionRow], feed: InputPipelineSettings
) -> TrainingData:
    """Pictures augmented as `feed` states for training, and unaugmented for validation."""
    units, channels = model.output_shape[-1], model.inputs[0].shape[-1]
    weights = class_weights(train, len(card.labels), feed.balance)
    evaluated = add_preprocessing(iterate_batches(validation, feed.plain(), 0), card, channels)

    def epoch(number: int) -> "tf.data.Dataset":
        return add_preprocessing(iterate_batches(train, feed, number), card, channels).map(
            lambda inputs, labels: _apply_class_weights(inputs, labels, weights, units)
        )

    return TrainingData(epoch, steps_per_epoch(train, feed), lambda: evaluated)


def add_preprocessing(made: "tf.data.Dataset", card: Card, channels: int) -> "tf.data.Dataset":
    """RGB 0..1 -> the model's input; metadata is passed through."""
    import tensorflow as tf

    from models.graph.preprocessing import preprocess_images

    @tf.autograph.experimental.do_not_convert
    def each(inputs: Any, labels: Any) -> Any:
        if isinstance(inputs, tuple):
            return (preprocess_images(inputs[0], card, channels), *inputs[1:]), labels
        return preprocess_images(inputs, card, channels), labels

    return made.map(each)  # one after the other: the pipeline before it makes batches ahead


def _apply_class_weights(inputs: Any, labels: Any, weights: Any, units: int) -> Any:
    """(inputs, labels (n,)) -> (inputs, targets (n, units), weights (n,))."""
    import tensorflow as tf

    targets = tf.cast(labels[:, None], tf.float32) if units == 1 else tf.one_hot(labels, units)
    return inputs, targets, tf.gather(tf.constant(weights), labels)
