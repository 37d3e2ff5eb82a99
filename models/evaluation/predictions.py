"""Evaluates a classifier on picture files in batches, while the next pictures are decoded."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from errors import UserError
from image_batches import batch_of
from models.datasets.batch_decode import read_image, unreadable_files_error
from models.datasets.picture_collection import CollectionRow

if TYPE_CHECKING:
    from models.classifiers.base_classifier import BaseClassifier

BATCH = 32


def predict_collection(classifier: "BaseClassifier[Any]", rows: Sequence[CollectionRow], description: str) -> NDArray[np.float32]:
    """Logits (n, classes) of pictures, each with its metadata where the classifier takes some; with a progress bar.

    UserError names the files that cannot be decoded.
    """
    logits: list[NDArray[np.float32]] = []
    done = 0  # a hidden bar does not count
    with tqdm(total=len(rows), desc=description, unit="picture", leave=False, disable=None) as bar:
        for images in iterate_fitted_batches(classifier, [row.path for row in rows]):
            logits.append(_logits(classifier, images, rows[done : done + len(images)]))
            done += len(images)
            bar.update(len(images))
    return np.concatenate(logits)


def _logits(classifier: Any, images: NDArray[np.float32], rows: Sequence[CollectionRow]) -> NDArray[np.float32]:
    names = {field.name for field in classifier.card.metadata}
    if not names:
        return np.asarray(classifier.outputs(images))
    metadata = [{name: value for name, value in row.metadata if name in names} for row in rows]
    return np.concatenate([classifier.with_metadata(each).outputs(image[None]) for each, image in zip(metadata, images, strict=True)])


def iterate_fitted_batches(classifier: "BaseClassifier[Any]", files: Sequence[Path]) -> Iterator[NDArray[np.float32]]:
    """Batches (b, H, W, 3) of the files' pictures as the classifier takes them; at most two batches are in memory."""

    def batch(start: int) -> list[NDArray[np.float32] | UserError]:
        return list(pool.map(lambda file: _fit_file(classifier, file), files[start : start + size]))

    size = batch_of(classifier.size, BATCH, classifier.layers)
    with ThreadPoolExecutor(os.cpu_count()) as pool, ThreadPoolExecutor(1) as decoder:
        next_batch = decoder.submit(batch, 0)
        for start in range(0, len(files), size):
            batch_images, next_batch = next_batch.result(), decoder.submit(batch, start + size)
            failed = [(file, reason) for file, reason in zip(files[start:], batch_images, strict=False) if isinstance(reason, UserError)]
            if failed:
                raise unreadable_files_error([file for file, _ in failed], [reason for _, reason in failed])
            yield np.stack([image for image in batch_images if not isinstance(image, UserError)])


def _fit_file(classifier: "BaseClassifier[Any]", file: Path) -> NDArray[np.float32] | UserError:
    try:
        return classifier.fit(read_image(file))
    except UserError as error:
        return error
