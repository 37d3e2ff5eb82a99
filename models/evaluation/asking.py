"""Asks a classifier about picture files, a batch at a time, while the next pictures are decoded."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from errors import UserError
from models.datasets.reading import picture, unreadable

if TYPE_CHECKING:
    from models.classifier import Classifier

BATCH = 32


def ask(classifier: "Classifier", files: Sequence[Path], saying: str) -> NDArray[np.float32]:
    """Logits (n, classes) of picture files, with a progress bar. UserError names the files that are no pictures."""
    rows = []
    with tqdm(total=len(files), desc=saying, unit="picture", leave=False, disable=None) as bar:
        for images in fitted(classifier, files):
            rows.append(classifier.outputs(images))
            bar.update(len(images))
    return np.concatenate(rows)


def fitted(classifier: "Classifier", files: Sequence[Path]) -> Iterator[NDArray[np.float32]]:
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


def _one(classifier: "Classifier", file: Path) -> NDArray[np.float32] | UserError:
    try:
        return classifier.fit(picture(file))
    except UserError as error:
        return error
