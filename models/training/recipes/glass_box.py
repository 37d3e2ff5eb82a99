"""The glass box: five hand-set colour detectors, their mean over the picture, and hand-set votes for four colours. Nothing is trained."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

import numpy as np

from models.cards.card import Card
from models.datasets.synthetic.glass_box import LABELS, NAMES, draw_colour_patches
from models.evaluation.calibration import expected_calibration_error
from models.training.trained_model import TrainedModel

if TYPE_CHECKING:
    import keras

HELP = "hand-set colour detectors; the evidence of every pixel follows from a formula"

# columns: red, green, blue, yellow, dark detector; rows: R, G, B
DETECTORS = np.array([[2.0, -2.0, -1.0, 1.0, -1.0], [-2.0, 2.0, -1.0, 1.0, -1.0], [-1.0, -0.5, 2.0, -2.0, -1.0]])
THRESHOLDS = np.array([-0.1875, -0.1875, -0.1875, -0.1875, 0.3125])
# rows: detectors as above; columns: votes for red, green, blue, yellow
VOTES = np.array([[90.0, 0, -10, -60], [0, 90, 0, -60], [0, 0, 70, 0], [-20, -20, 0, 70], [-5, -5, -5, -5]])
BIASES = np.array([0.125, 0.0, -0.125, 0.25])


def add_options(parser: ArgumentParser) -> None:
    """How many pictures to use."""
    parser.add_argument("--size", type=int, default=128, help="side of the picture in pixels (default: %(default)s)")
    parser.add_argument("--test", type=int, default=1000, help="test pictures (default: %(default)s)")


def make_classifier(options: Namespace) -> TrainedModel:
    """Sets the weights and measures them on fresh pictures."""
    model = _build_glass_box(options.size)
    pictures = [(40_000_000 + options.seed * 100_000 + i, i % len(NAMES)) for i in range(options.test)]
    answers = np.concatenate(
        [model.predict_on_batch(draw_colour_patches(seed, NAMES[label], options.size).image[None]) for seed, label in pictures]
    )
    truth = np.array([label for _, label in pictures])
    accuracy = float((answers.argmax(1) == truth).mean())
    print(f"Test accuracy {accuracy:.1%}.")
    card = Card(
        name="glass_box",
        labels=LABELS,
        size=(options.size, options.size),
        licence="CC0-1.0",
        data="None: the weights are set by hand. Its pictures are painted by models/datasets/synthetic/glass_box.py.",
        measured_on=f"{options.test} pictures of colour patches",
        accuracy=round(accuracy, 4),
        calibration_error=round(expected_calibration_error(answers, truth), 4),
        notes=("The evidence of pixel p for class c is e_c(p) = sum_k W_kc a_k(p) / Z, and sum_p e_c(p) is the logit less its bias.",),
    )
    return TrainedModel(model, card)


def _build_glass_box(size: int) -> "keras.Model":
    """(size, size, 3) 0..1 -> probabilities of red, green, blue and yellow."""
    import keras
    from keras import layers

    picture = keras.Input((size, size, 3), name="picture")
    maps = layers.Conv2D(DETECTORS.shape[1], 1, activation="relu", name="detectors")(picture)
    mean = layers.GlobalAveragePooling2D(name="mean")(maps)
    model = keras.Model(picture, layers.Dense(len(NAMES), activation="softmax", name="classes")(mean), name="glass_box")
    model.get_layer("detectors").set_weights([DETECTORS[None, None], THRESHOLDS])
    model.get_layer("classes").set_weights([VOTES, BIASES])
    return model
