"""Asks a written model and its original about the same pictures, and says how far apart their answers are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import softmax

from errors import UserError
from models.cards.card import Card, Head
from models.cards.metadata import encode
from models.evaluation.predictions import fit_batch
from models.graph.inputs import Inputs

if TYPE_CHECKING:
    from models.classifiers.base import BaseClassifier

CHECKED, REPRESENTATIVE = 32, 200
_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Difference:
    """Of probabilities, over pictures and classes: the largest and the mean absolute one. agreement: share of pictures named alike."""

    largest: float
    mean: float
    agreement: float

    def to_json(self) -> dict[str, float]:
        return {"largest": self.largest, "mean": self.mean, "agreement": self.agreement}


def difference(original: Floats, written: Floats, head: Head) -> Difference:
    """original, written: (n, units), what the model's last layer gives for the same n pictures."""
    before, after = probabilities(original, head), probabilities(written, head)
    apart = np.abs(before - after)
    return Difference(float(apart.max()), float(apart.mean()), float((before.argmax(1) == after.argmax(1)).mean()))


def probabilities(raw: Floats, head: Head) -> Floats:
    """(n, units) -> (n, classes): logits through a softmax, a single sigmoid spelt out as two classes."""
    raw = raw.reshape(len(raw), -1)
    if head == "logits":
        return softmax(raw, axis=1)
    return np.concatenate([1 - raw, raw], axis=1) if raw.shape[1] == 1 else raw


def chosen(folder: Path, seed: int) -> tuple[list[Path], list[Path]]:
    """Of a folder's pictures up to 32 to check on and up to 200 others for int8's ranges; the same ones where there are too few."""
    if not folder.is_dir():
        raise UserError(f"--pictures is {folder}, which is no folder; give a folder of pictures.")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
    if not found:
        raise UserError(f"--pictures is {folder}, which holds no picture; give a folder of pictures.")
    mixed = [found[i] for i in np.random.default_rng(seed).permutation(len(found))]
    return mixed[:CHECKED], mixed[CHECKED : CHECKED + REPRESENTATIVE] or mixed


def from_files(classifier: "BaseClassifier[Any]", files: Sequence[Path]) -> Floats:
    """(n, H, W, 3) as the classifier takes them."""
    return np.concatenate(list(fit_batch(classifier, files)))


def drawn(classifier: "BaseClassifier[Any]", seed: int) -> Floats:
    """(32, H, W, 3): soft random colours, for where no pictures are given."""
    rng = np.random.default_rng(seed)
    return np.stack([classifier.fit(rng.random((12, 12, 3), np.float32)) for _ in range(CHECKED)])


def given(images: Floats, inputs: Inputs, card: Card) -> dict[str, Floats]:
    """(n, H, W, 3) RGB 0..1 -> what each input of the model takes, by name; metadata is given as missing."""
    beside = tf.constant(encode(card.metadata, {})) if inputs.vectors else None
    flat = tf.nest.flatten(inputs.packed(inputs.prepared(tf.constant(images), card), beside))
    return {each.name: np.asarray(tensor, np.float32) for each, tensor in zip(inputs.order, flat, strict=True)}
