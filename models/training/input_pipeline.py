"""The input pipeline: pictures decoded once, shuffled and augmented again in each epoch, reproducibly for the same seed and epoch."""

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.cards.metadata import Field, encode_metadata
from models.datasets.picture_collection import CollectionRow
from models.training.augmentation import NONE, Augmentation
from models.training.image_cache import Fit, cache_decoded_images

if TYPE_CHECKING:
    import tensorflow as tf

Order = Literal["shuffled", "given"]
Balance = Literal["none", "weights", "sampling", "logits"]
AHEAD = 4  # batches that are prefetched


@dataclass(frozen=True)
class InputPipelineSettings:
    """How pictures reach a model. size: (H, W) in pixels; fit: how a picture of another shape is brought to it.

    cache: folder for the decoded pictures. order: shuffled (whole batches) or given (every picture once). balance: sampling draws every
    class equally often in an epoch; weights leaves the sampling alone and sets `class_weights`; logits affects only the loss. fields:
    metadata, the second input; forget: share of its values that are hidden at random, so that the model learns to do without.
    """

    size: tuple[int, int]
    cache: Path
    fit: Fit = "letterbox"
    batch: int = 32
    seed: int = 0
    augmentation: Augmentation = NONE
    balance: Balance = "none"
    order: Order = "shuffled"
    fields: tuple[Field, ...] = ()
    forget: float = 0.0

    def __post_init__(self) -> None:
        for name, least, most in (("batch", 1, 4096), ("seed", 0, 2**63), ("forget", 0, 1)):
            if not least <= getattr(self, name) <= most:
                raise UserError(f"The feed's {name} is {getattr(self, name)}; it must lie from {least} to {most}.")

    def plain(self) -> "InputPipelineSettings":
        """The same for evaluation: every picture once, in order, unaugmented."""
        return dataclasses.replace(self, augmentation=NONE, balance="none", order="given", forget=0.0)


def iterate_batches(rows: Sequence[CollectionRow], feed: InputPipelineSettings, epoch: int) -> "tf.data.Dataset":
    """Batches of (images float32 (b, H, W, 3) RGB 0..1, labels int32 (b,)); with fields, ((images, vectors float32 (b, m)), labels).

    Batch k of an epoch follows from (rows, feed, epoch, k) alone: a run that starts again at an epoch sees what it would have seen.
    """
    import tensorflow as tf

    pictures = cache_decoded_images([row.path for row in rows], feed.size, feed.fit, feed.cache)
    chosen, labels, codes = shuffled_epoch_order(rows, feed, epoch), class_numbers_of_rows(rows), encode_row_metadata(rows, feed.fields)

    def load(number: np.int64) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
        rng = np.random.default_rng([feed.seed, epoch, int(number) + 1])
        places = chosen[number * feed.batch : (number + 1) * feed.batch]
        return feed.augmentation(pictures[places], rng), drop_metadata_at_random(codes[places], feed, rng), labels[places]

    def shaped(number: "tf.Tensor") -> tuple["tf.Tensor | tuple[tf.Tensor, tf.Tensor]", "tf.Tensor"]:
        images, metadata, truth = tf.numpy_function(load, [number], (tf.float32, tf.float32, tf.int32), stateful=False)
        whole = feed.batch if feed.order == "shuffled" and len(rows) >= feed.batch else None
        images, truth = tf.ensure_shape(images, (whole, *feed.size, 3)), tf.ensure_shape(truth, (whole,))
        return ((images, tf.ensure_shape(metadata, (whole, codes.shape[1]))), truth) if feed.fields else (images, truth)

    made = tf.data.Dataset.range(steps_per_epoch(rows, feed)).map(shaped, num_parallel_calls=os.cpu_count(), deterministic=True)
    return made.prefetch(AHEAD)


def steps_per_epoch(rows: Sequence[CollectionRow], feed: InputPipelineSettings) -> int:
    """Batches in an epoch."""
    return max(1, len(rows) // feed.batch) if feed.order == "shuffled" else -(-len(rows) // feed.batch)


def shuffled_epoch_order(rows: Sequence[CollectionRow], feed: InputPipelineSettings, epoch: int) -> NDArray[np.int64]:
    """(n,) places in `rows`, in the epoch's order."""
    if feed.order == "given":
        return np.arange(len(rows))
    rng = np.random.default_rng([feed.seed, epoch])
    if feed.balance != "sampling":
        return rng.permutation(len(rows))
    labels = class_numbers_of_rows(rows)
    kinds = np.unique(labels)
    quota, left = divmod(len(rows), len(kinds))
    sampled = [_sample_class(np.flatnonzero(labels == kind), quota + (n < left), rng) for n, kind in enumerate(rng.permutation(kinds))]
    return rng.permutation(np.concatenate(sampled))


def class_numbers_of_rows(rows: Sequence[CollectionRow]) -> NDArray[np.int32]:
    """(n,): the class number of each row."""
    return np.array([row.label for row in rows], np.int32)


def encode_row_metadata(rows: Sequence[CollectionRow], fields: tuple[Field, ...]) -> NDArray[np.float32]:
    """(n, m): each row's metadata as the fields encode it."""
    names = {field.name for field in fields}
    coded = [encode_metadata(fields, {name: value for name, value in row.metadata if name in names}) for row in rows]
    return np.stack(coded) if coded else np.zeros((0, len(encode_metadata(fields, {}))), np.float32)


def class_weights(rows: Sequence[CollectionRow], classes: int, balance: Balance) -> NDArray[np.float32]:
    """(classes,): what a picture of each class counts in the loss. Ones unless `balance` is "weights": then n / (classes present * pictures
    of the class), so that every class counts as much and the mean over the pictures is 1."""
    if balance != "weights":
        return np.ones(classes, np.float32)
    counts = np.bincount(class_numbers_of_rows(rows), minlength=classes)
    weights = len(rows) / ((counts > 0).sum() * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 0).astype(np.float32)


def _sample_class(places: NDArray[np.int64], quota: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Every picture of a class as often as any other, or once more."""
    rounds = [rng.permutation(places) for _ in range(-(-quota // len(places)))]
    return np.concatenate(rounds)[:quota]


def drop_metadata_at_random(codes: NDArray[np.float32], feed: InputPipelineSettings, rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, m) metadata with a share `feed.forget` of its values, sampled by `rng`, replaced by what stands for a missing one."""
    if not feed.fields or not feed.forget:
        return codes
    missing = encode_metadata(feed.fields, {})
    hidden = rng.random((len(codes), len(feed.fields))) < feed.forget
    widths = [len(field.entries) for field in feed.fields]
    return np.where(np.repeat(hidden, widths, axis=1), missing, codes)
