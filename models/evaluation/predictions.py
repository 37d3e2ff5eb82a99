"""Asks a classifier about picture files, a batch at a time, while the next pictures are decoded."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from errors import UserError
from models.datasets.batch_decode import picture, unreadable
from models.datasets.collection import Row

if TYPE_CHECKING:
    from models.classifiers.base import BaseClassifier

BATCH = 32


def predict_collection(classifier: "BaseClassifier[Any]", rows: Sequence[Row], saying: str) -> NDArray[np.float32]:
    """Logits (n, classes) of pictures, each with its metadata where the classifier takes some; with a progress bar.

    UserError names the files that are no pictures.
    """
    told: list[NDArray[np.float32]] = []
    done = 0  # a bar that is not shown does not count
    with tqdm(total=len(rows), desc=saying, unit="picture", leave=False, disable=None) as bar:
        for images in fit_batch(classifier, [row.path for row in rows]):
            told.append(_answers(classifier, images, rows[done : done + len(images)]))
            done += len(images)
            bar.update(len(images))
    return np.concatenate(told)


def _answers(classifier: "BaseClassifier[Any]", images: NDArray[np.float32], rows: Sequence[Row]) -> NDArray[np.float32]:
    names = {field.name for field in classifier.card.metadata}
    if not names:
        return classifier.outputs(images)
    known = [{name: value for name, value in row.metadata if name in names} for row in rows]
    return np.concatenate([classifier.given(each).outputs(image[None]) for each, image in zip(known, images, strict=True)])


def fit_batch(classifier: "BaseClassifier[Any]", files: Sequence[Path]) -> Iterator[NDArray[np.float32]]:
    """Batches (b, H, W, 3) of the files' pictures as the classifier takes them; never more than two batches are held."""

    def batch(start: int) -> list[NDArray[np.float32] | UserError]:
        return list(pool.map(lambda file: _one(classifier, file), files[start : start + BATCH]))

    with ThreadPoolExecutor(os.cpu_count()) as pool, ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(batch, 0)
        for start in range(0, len(files), BATCH):
            made, coming = coming.result(), ahead.submit(batch, start + BATCH)
            failed = [(file, reason) for file, reason in zip(files[start:], made, strict=False) if isinstance(reason, UserError)]
            if failed:
                raise unreadable([file for file, _ in failed], [reason for _, reason in failed])
            yield np.stack([image for image in made if not isinstance(image, UserError)])


def _one(classifier: "BaseClassifier[Any]", file: Path) -> NDArray[np.float32] | UserError:
    try:
        return classifier.fit(picture(file))
    except UserError as error:
        return error
