"""Compares the outputs of an exported model and its original on the same pictures."""

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
from models.cards.metadata import encode_metadata
from models.datasets.folder_listing import SUFFIXES
from models.evaluation.predictions import iterate_fitted_batches
from models.graph.model_inputs import ModelInputStructure

if TYPE_CHECKING:
    from models.classifiers.base_classifier import BaseClassifier

CHECKED, REPRESENTATIVE = 32, 200
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class OutputDifference:
    """The largest and the mean absolute difference of probabilities over pictures and classes. agreement: share of equal predictions."""

    largest: float
    mean: float
    agreement: float

    def to_json(self) -> dict[str, float]:
        return {"largest": self.largest, "mean": self.mean, "agreement": self.agreement}


def compare_outputs(original: Floats, written: Floats, head: Head) -> OutputDifference:
    """original, written: (n, units), the models' outputs for the same n pictures."""
    before, after = _to_probabilities(original, head), _to_probabilities(written, head)
    differences = np.abs(before - after)
    return OutputDifference(float(differences.max()), float(differences.mean()), float((before.argmax(1) == after.argmax(1)).mean()))


def _to_probabilities(raw: Floats, head: Head) -> Floats:
    """(n, units) -> (n, classes): logits through a softmax, a single sigmoid as two classes."""
    raw = raw.reshape(len(raw), -1)
    if head == "logits":
        return np.asarray(softmax(raw, axis=1), np.float32)
    return np.concatenate([1 - raw, raw], axis=1) if raw.shape[1] == 1 else raw


def choose_comparison_images(folder: Path, seed: int) -> tuple[list[Path], list[Path]]:
    """Up to 32 of a folder's pictures to compare on, and up to 200 others to calibrate int8; the same ones where there are too few."""
    if not folder.is_dir():
        raise UserError(f"--pictures is {folder}, which is no folder; give a folder of pictures.")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise UserError(f"--pictures is {folder}, which holds no picture; give a folder of pictures.")
    shuffled = [files[i] for i in np.random.default_rng(seed).permutation(len(files))]
    return shuffled[:CHECKED], shuffled[CHECKED : CHECKED + REPRESENTATIVE] or shuffled


def load_fitted_images(classifier: "BaseClassifier[Any]", files: Sequence[Path]) -> Floats:
    """(n, H, W, 3) as the classifier takes them."""
    return np.concatenate(list(iterate_fitted_batches(classifier, files)))


def random_colour_images(classifier: "BaseClassifier[Any]", seed: int) -> Floats:
    """(32, H, W, 3): soft random colours, used where no pictures are given."""
    rng = np.random.default_rng(seed)
    return np.stack([classifier.fit(rng.random((12, 12, 3), np.float32)) for _ in range(CHECKED)])


def model_inputs_by_name(images: Floats, inputs: ModelInputStructure, card: Card) -> dict[str, Floats]:
    """(n, H, W, 3) RGB 0..1 -> the model's inputs by name; metadata counts as missing."""
    metadata = tf.constant(encode_metadata(card.metadata, {})) if inputs.vectors else None
    flat = tf.nest.flatten(inputs.pack(inputs.prepare(tf.constant(images), card), metadata))
    return {each.name: np.asarray(tensor, np.float32) for each, tensor in zip(inputs.order, flat, strict=True)}
