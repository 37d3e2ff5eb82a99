"""ImageNet classifiers by name: the real download code against a server on this machine, and without a network."""

import importlib
from pathlib import Path

import keras
import numpy as np
import pytest
import tf_keras

from errors import UserError
from models.formats import imagenet
from models.formats.imagenet import imagenet_labels
from models.formats.imagenet_weights import SOURCE_VARIABLE
from models.graph.preprocessing import preprocess_images
from models.images.decoder import decode_picture
from models.loading import load_classifier
from tests.models.formats.weights_server import weights_server


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSCHECK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(importlib.import_module("keras.src.backend").config, "_KERAS_DIR", str(tmp_path / "keras"))


def test_the_published_format_of_weights_is_fetched_and_read(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights are those of another copy of the network, in the format of the published file, which only Keras 2 writes."""
    given = keras.models.load_model(data / "models" / "imagenet_mobilenet_v2" / "model.keras", compile=False)
    model = tf_keras.applications.MobileNetV2(weights=None)
    model.set_weights(given.get_weights())
    model.save_weights(str(tmp_path / "weights.h5"))
    with weights_server((tmp_path / "weights.h5").read_bytes()) as server:
        monkeypatch.setenv(SOURCE_VARIABLE, server.address)
        served = load_classifier("imagenet:MobileNetV2")
    image = np.random.default_rng(0).random((224, 224, 3), np.float32)
    expected = given(keras.applications.mobilenet_v2.preprocess_input(image[None] * 255), training=False)
    assert served.predict(image) == pytest.approx(np.asarray(expected)[0], abs=1e-5)
    cat = served.fit(decode_picture((data / "natural" / "cat.jpg").read_bytes()))
    assert "cat" in served.labels[int(served.predict(cat).argmax())]


def test_the_names_of_the_classes_are_those_of_an_independent_list(data: Path) -> None:
    theirs = (data / "models" / "imagenet_mobilenet_v2" / "labels.txt").read_text(encoding="utf-8").splitlines()
    ours = imagenet_labels()
    assert len(ours) == len(theirs) == 1000
    wrong = [
        (name, synonyms)
        for name, synonyms in zip(ours, theirs, strict=True)
        if name.lower() not in [word.strip().lower() for word in synonyms.split(",")]
    ]
    assert not wrong


def test_without_a_network_the_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"could not be downloaded .* Connect to the network once"):
        load_classifier("imagenet:VGG16")
    with pytest.raises(UserError, match=r"^MobileNetV2 on ImageNet could not be fetched: storage\.googleapis\.com cannot be reached"):
        load_classifier("imagenet:MobileNetV2")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match="MobileNetV2, ResNet50"):
        load_classifier("imagenet:AlexNet")


@pytest.mark.parametrize(("name", "module"), [
    ("MobileNetV2", "mobilenet_v2"), ("ResNet50", "resnet50"), ("VGG16", "vgg16"), ("DenseNet169", "densenet"),
    ("InceptionV3", "inception_v3"), ("Xception", "xception"), ("EfficientNetB0", "efficientnet"),
])  # fmt: skip
def test_the_card_s_preprocessing_is_that_of_keras(name: str, module: str) -> None:
    images = np.random.default_rng(0).random((2, 5, 7, 3), np.float32)
    theirs = getattr(keras.applications, module).preprocess_input(images * 255)
    card = imagenet._card(name)
    assert np.asarray(preprocess_images(images, card, 3)) == pytest.approx(np.asarray(theirs), abs=1e-4)
