"""Answers of the frozen part of a network, computed once: on a processor without a GPU, epochs then cost a tenth."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from errors import UserError
from models.card import Card
from models.datasets.collection import Row
from models.metadata import entries
from models.pipeline import Feed, batches, class_weights, labels_of, order, steps
from models.training.feeding import prepared
from models.training.loop import HEAD, Material

if TYPE_CHECKING:
    import keras


def parted(model: "keras.Model", open_layers: int) -> tuple["keras.Model", "keras.Model"]:
    """(lower, upper): the model cut in two at the last place where one tensor carries all, below its last `open_layers` layers.

    The parts share the model's layers, so what the upper one learns the whole has learnt. The head's layers do not count.
    """
    import keras

    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    body, head = ([layer for layer in layers if layer.name.startswith(HEAD) is mine] for mine in (False, True))
    for number in range(len(body) - open_layers - 1, -1, -1):
        above = {id(layer) for layer in (*body[number + 1 :], *head)}
        below = {id(each): each for layer in (*body[number + 1 :], *head) for each in _before(layer) if id(each) not in above}
        if [each for each in below.values() if not isinstance(each, keras.layers.InputLayer)] == [body[number]]:
            beside = list(model.inputs[1:])
            middle = body[number].output
            return keras.Model(model.inputs[0], middle), keras.Model([middle, *beside] if beside else middle, model.outputs[0])
    raise UserError(f"{model.name} cannot be cut in two below its last {open_layers} layers; train it without --features.")


def material(
    parts: tuple["keras.Model", "keras.Model"], card: Card, rows: tuple[Sequence[Row], Sequence[Row]], feed: Feed, variants: int
) -> Material:
    """Like feeding.material for the upper of `parts`; each training picture comes in `variants` changed forms, drawn once.

    rows: training, validation. The features are kept in memory, as float16.
    """
    lower, upper = parts
    train, validation = rows
    plain, known = _computed(lower, card, validation, feed.plain(), 0), labels_of(validation)
    starts = range(0, len(validation), feed.batch)
    forms = [_computed(lower, card, train, _in_order(feed), number) for number in range(variants)]
    units, labels = upper.output_shape[-1], labels_of(train)
    weights = class_weights(train, len(card.labels), feed.balance)

    def epoch(number: int) -> Iterator[Any]:
        chosen = order(train, feed, number)
        form = np.random.default_rng([feed.seed, number, 1]).integers(variants, size=len(train))
        for batch in range(steps(train, feed)):
            places = chosen[batch * feed.batch : (batch + 1) * feed.batch]
            taken = [np.stack([forms[form[place]][part][place] for place in places]) for part in range(len(plain))]
            wanted = labels[places, None] if units == 1 else np.eye(units)[labels[places]]
            yield _inputs(taken), wanted.astype(np.float32), weights[labels[places]]

    def judged() -> Iterator[Any]:
        for i in starts:
            yield _inputs([part[i : i + feed.batch] for part in plain]), known[i : i + feed.batch]

    return Material(epoch, steps(train, feed), judged)


def _inputs(parts: list[NDArray[Any]]) -> Any:
    """What Keras takes: one array where there is one."""
    wide = tuple(part.astype(np.float32) for part in parts)
    return wide if len(wide) > 1 else wide[0]


def _in_order(feed: Feed) -> Feed:
    """Every picture once, in order, changed as the feed says."""
    return dataclasses.replace(feed, order="given", balance="none")


def _computed(lower: "keras.Model", card: Card, rows: Sequence[Row], feed: Feed, number: int) -> list[NDArray[Any]]:
    """[(n, h, w, k)]: the lower part's answers, of the augmentation's draw `number`; with metadata also its codes (n, m)."""
    made = [np.empty((len(rows), *lower.output_shape[1:]), np.float16)]
    if feed.fields:
        made.append(np.empty((len(rows), len(entries(feed.fields))), np.float32))
    done = 0
    with tqdm(total=len(rows), desc=f"features, form {number + 1}", unit="picture", leave=False, disable=None) as bar:
        for inputs, labels in prepared(batches(rows, feed, number), card, lower.inputs[0].shape[-1]):
            pictures, *beside = inputs if feed.fields else (inputs,)
            for place, part in zip(made, (lower.predict_on_batch(pictures), *beside), strict=True):
                place[done : done + len(labels)] = part
            done += len(labels)
            bar.update(len(labels))
    return made


def _before(layer: Any) -> list[Any]:
    """The layers whose answers this one takes."""
    return [tensor._keras_history.operation for node in layer._inbound_nodes for tensor in node.input_tensors]
