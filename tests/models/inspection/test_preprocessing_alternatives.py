"""What other usual preprocessing would predict: against a model that is prepared by hand, and for a real one whose guess is wrong."""

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from models.cards.card import Card, CardNote, ClassLabel, Colour, Scaling
from models.graph.preprocessing import preprocess_images
from models.images.decoder import decode_picture
from models.inspection.preprocessing_alternatives import LIKELY, compare_preprocessing, describe_alternatives, is_preprocessing_guessed
from models.loading import load_classifier

NOTE = f"{CardNote.ASSUMED_SCALING} 0..1 assumed, because nothing in the model says otherwise."
IMAGE = np.random.default_rng(0).random((6, 5, 3)).astype(np.float32)


class Network:
    """A linear one behind a card's preprocessing, which remembers what reached it."""

    def __init__(self, scaling: Scaling, colour: Colour, note: str = NOTE) -> None:
        self.card = Card("net", (ClassLabel("a"), ClassLabel("b")), (6, 5), scaling=scaling, colour=colour, inferred=True, notes=(note,))
        self.seen = np.zeros(0)

    def outputs(self, images: np.ndarray) -> np.ndarray:
        self.seen = preprocess_images(tf.constant(images), self.card, 3).numpy()
        score = self.seen.mean((1, 2)) @ np.array([0.3, 0.5, 0.2])
        return np.stack([score, np.full_like(score, 0.6)], 1)

    @staticmethod
    def probabilities(outputs: np.ndarray) -> np.ndarray:
        shifted = np.exp(outputs - outputs.max(1, keepdims=True))
        return shifted / shifted.sum(1, keepdims=True)


@pytest.mark.parametrize(("scaling", "colour"), [*product(("0..1", "-1..1", "0..255", "imagenet", "caffe"), ("rgb", "bgr"))])
def test_the_model_gets_what_each_preprocessing_makes_of_the_image(scaling: Scaling, colour: Colour) -> None:
    network = Network(scaling, colour)
    found = compare_preprocessing(network, IMAGE)
    assert found is not None
    answers = (found.assumed, *found.others)
    assert (found.assumed.scaling, found.assumed.colour) == (scaling, colour)
    assert {(each.scaling, each.colour) for each in answers} >= set(LIKELY)
    for each, seen in zip(answers, network.seen, strict=True):
        wanted = preprocess_images(tf.constant(IMAGE[None]), replace(network.card, scaling=each.scaling, colour=each.colour), 3)[0]
        np.testing.assert_allclose(seen, wanted, rtol=1e-4, atol=1e-3)
        row = Network.probabilities(Network(each.scaling, each.colour).outputs(IMAGE[None]))[0]
        assert (each.target, each.label) == (int(row.argmax()), "ab"[int(row.argmax())])
        assert each.probability == pytest.approx(row.max(), abs=1e-4)


def test_grey_models_and_grey_pictures() -> None:
    found = compare_preprocessing(Network("0..1", "grey"), IMAGE)
    assert found is not None
    assert [(each.scaling, each.colour) for each in found.others] == [("-1..1", "grey"), ("0..255", "grey")]
    colourless = np.repeat(IMAGE[..., :1], 3, 2)
    found = compare_preprocessing(Network("0..1", "rgb"), colourless)
    assert found is not None
    assert ("0..1", "bgr") not in {(each.scaling, each.colour) for each in found.others}


def test_what_is_known_is_no_guess() -> None:
    assert compare_preprocessing(Network("0..1", "rgb", "A card that was inferred otherwise."), IMAGE) is None
    assert compare_preprocessing(Network("0..255", "rgb", f"{CardNote.SCALES_ITSELF} 0..255, for it divides."), IMAGE) is None
    network = Network("0..1", "rgb")
    network.card = replace(network.card, inferred=False)
    assert not is_preprocessing_guessed(network.card)
    assert compare_preprocessing(network, IMAGE) is None


def test_the_words_name_every_alternative_or_that_all_agree() -> None:
    found = compare_preprocessing(Network("0..1", "rgb"), IMAGE)
    assert found is not None
    assert found.disagree
    words = describe_alternatives(found)
    assert words.startswith(
        "How this model wants its pictures is a guess (0..1, because nothing in the model says otherwise). With 0..1: b "
    )
    assert "; with 0..255: a 100 %" in words
    same = replace(found, others=tuple(replace(each, target=found.assumed.target) for each in found.others))
    assert not same.disagree
    assert "In every usual way it says b, with " in describe_alternatives(same)
    json.dumps(found.to_json())


def test_answers_that_are_no_numbers_are_left_out() -> None:
    class Broken(Network):
        def outputs(self, images: np.ndarray) -> np.ndarray:
            found = super().outputs(images)
            found[2:] = np.nan
            return found

    found = compare_preprocessing(Broken("0..1", "rgb"), IMAGE)
    assert found is not None
    assert len(found.others) == 1


def test_the_chest_x_ray_network_whose_preprocessing_nothing_tells(data: Path) -> None:
    """It was trained on 0 to 255; given 0 to 1, which is what is assumed, it calls every healthy chest COVID."""
    served = load_classifier(data / "models" / "chest_xray_cnn" / "chest_xray.h5")
    assert is_preprocessing_guessed(served.card)
    pictures = sorted((data / "chest_xray" / "test" / "NORMAL").iterdir())[:4]
    found = [compare_preprocessing(served, served.fit(decode_picture(picture.read_bytes()))) for picture in pictures]
    for each in found:
        assert each is not None
        assert (each.assumed.scaling, each.assumed.label) == ("0..1", "COVID")
        assert "is a guess" in describe_alternatives(each)
    assert any(each and each.disagree and "with 0..255: NORMAL" in describe_alternatives(each) for each in found)
