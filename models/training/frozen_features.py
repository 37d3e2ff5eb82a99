"""Answers of the frozen part of a network, computed once: on a processor without a GPU, epochs then cost a tenth."""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from errors import UserError
from models.cards.card import Card
from models.datasets.picture_collection import CollectionRow
from models.output.atomic_files import atomic_file
from models.training.image_cache import load_memory_mapped, training_cache_file_name
from models.training.input_pipeline import (
    InputPipelineSettings,
    class_numbers_of_rows,
    class_weights,
    drop_metadata_at_random,
    encode_row_metadata,
    iterate_batches,
    shuffled_epoch_order,
    steps_per_epoch,
)
from models.training.trainable_layers import layers_with_weights
from models.training.trainable_layers import layers_without_head as body_of
from models.training.training_batches import add_preprocessing
from models.training.training_loop import TrainingData

if TYPE_CHECKING:
    import keras


def split_frozen_network(model: "keras.Model", open_layers: int) -> tuple["keras.Model", "keras.Model"]:
    """(lower, upper): the model cut at the last place where one tensor carries all, below its last
    `open_layers` layers with weights.

    The parts share the model's layers, so the whole model learns what the upper part learns. Layers are counted by
    `trainable_layers.layers_with_weights`. UserError where that is too many, or where there is no such place.
    """
    import keras

    body = body_of(model)
    most = -1
    for number in _cut_points(model, body):
        most = len(layers_with_weights(body[number + 1 :]))
        if most >= open_layers:
            middle, metadata = body[number].output, list(model.inputs[1:])
            upper = keras.Model([middle, *metadata] if metadata else middle, model.outputs[0])
            return keras.Model(model.inputs[0], middle, name="lower"), upper
    if most < 0:
        raise UserError(f"{model.name} has no place at which it could be cut in two; train it without --features.")
    raise UserError(f"--open-layers is {open_layers}; with --features {model.name} takes at most {most}, below which it can still be cut.")


def _cut_points(model: "keras.Model", body: list[Any]) -> Iterator[int]:
    """The places in the body, the last one first, whose layer alone carries what all above it take."""
    import keras

    head = [layer for layer in model.layers if layer not in body and not isinstance(layer, keras.layers.InputLayer)]
    for number in range(len(body) - 1, -1, -1):
        upper = (*body[number + 1 :], *head)
        above = {id(layer) for layer in upper}
        below = {id(each): each for layer in upper for each in _input_layers(layer) if id(each) not in above}
        if [each for each in below.values() if not isinstance(each, keras.layers.InputLayer)] == [body[number]]:
            yield number


def cached_training_data(
    parts: tuple["keras.Model", "keras.Model"],
    card: Card,
    rows: tuple[Sequence[CollectionRow], Sequence[CollectionRow]],
    feed: InputPipelineSettings,
    forms: int,
) -> TrainingData:
    """Like feeding.material for the upper of `parts`; each training picture comes in `forms` changed forms, drawn once.

    rows: training, validation. The features are kept in the feed's cache folder.
    """
    lower, upper = parts
    train, validation = rows
    known = dataclasses.replace(feed.plain(), fields=())
    plain = _cached_features(lower, card, validation, known, 0)
    changed = dataclasses.replace(known, augmentation=feed.augmentation)
    features_by_form = [_cached_features(lower, card, train, changed, number) for number in range(forms)]
    units, labels, weights = upper.output_shape[-1], class_numbers_of_rows(train), class_weights(train, len(card.labels), feed.balance)
    codes = encode_row_metadata(train, feed.fields), encode_row_metadata(validation, feed.fields)

    def epoch(number: int) -> Iterator[Any]:
        chosen, rng = shuffled_epoch_order(train, feed, number), np.random.default_rng([feed.seed, number, 1])
        form = rng.integers(forms, size=len(train))
        for batch in range(steps_per_epoch(train, feed)):
            places = chosen[batch * feed.batch : (batch + 1) * feed.batch]
            taken = np.stack([features_by_form[form[place]][place] for place in places])
            targets = labels[places, None] if units == 1 else np.eye(units)[labels[places]]
            yield _inputs(taken, drop_metadata_at_random(codes[0][places], feed, rng)), targets.astype(np.float32), weights[labels[places]]

    def validation_batches() -> Iterator[Any]:
        for i in range(0, len(validation), feed.batch):
            end = i + feed.batch
            yield _inputs(plain[i:end], codes[1][i:end]), class_numbers_of_rows(validation[i:end])

    return TrainingData(epoch, steps_per_epoch(train, feed), validation_batches)


def _inputs(features: NDArray[np.float16], metadata: NDArray[np.float32]) -> Any:
    """What the upper part takes: with metadata two arrays, else one."""
    return (features.astype(np.float32), metadata) if metadata.shape[1] else features.astype(np.float32)


def _cached_features(
    lower: "keras.Model", card: Card, rows: Sequence[CollectionRow], feed: InputPipelineSettings, number: int
) -> NDArray[np.float16]:
    """(n, h, w, k): the lower part's answers, of the augmentation's draw `number`; read where they were computed before."""
    file_path = feed.cache / f"features-{_key(lower, card, rows, feed)}-{number}.npy"
    if (found := load_memory_mapped(file_path)) is not None:
        return found
    made = np.concatenate(list(_features(lower, card, rows, feed, number)))
    with atomic_file(file_path) as file:
        np.save(file, made)
    return np.asarray(np.load(file_path, mmap_mode="r"))


def _features(
    lower: "keras.Model", card: Card, rows: Sequence[CollectionRow], feed: InputPipelineSettings, number: int
) -> Iterator[NDArray[np.float16]]:
    with tqdm(total=len(rows), desc=f"features, form {number + 1}", unit="picture", leave=False, disable=None) as bar:
        for inputs, labels in add_preprocessing(iterate_batches(rows, feed, number), card, lower.inputs[0].shape[-1]):
            yield np.asarray(lower.predict_on_batch(inputs), np.float16)
            bar.update(len(labels))


def _key(lower: "keras.Model", card: Card, rows: Sequence[CollectionRow], feed: InputPipelineSettings) -> str:
    """Another one where anything is another that the features depend on."""
    inputs = (lower.name, lower.output_shape, card.size, card.scaling, card.colour, dataclasses.replace(feed, cache=Path()))
    weights_digest = hashlib.sha256(b"".join(np.ascontiguousarray(weights).tobytes() for weights in lower.get_weights())).hexdigest()
    return training_cache_file_name([row.path for row in rows], (inputs, weights_digest))


def _input_layers(layer: Any) -> list[Any]:
    """The layers whose answers this one takes."""
    return [tensor._keras_history.operation for node in layer._inbound_nodes for tensor in node.input_tensors]
