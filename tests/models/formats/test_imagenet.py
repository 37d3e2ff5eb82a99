"""ImageNet classifiers by name: the real download code against a server on this machine, and without a network."""

import functools
import http.server
import importlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tf_keras

from errors import UserError
from models.formats import imagenet
from models.graph.preprocessing import preprocess_images
from models.loading import load_classifier

WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """A test's server has nothing to say."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "served"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/", folder
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").mkdir()
    monkeypatch.setattr(importlib.import_module("keras.src.backend").config, "_KERAS_DIR", str(tmp_path / "cache"))


def test_weights_are_downloaded_and_the_card_is_theirs(server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    address, folder = server
    model = tf_keras.applications.MobileNetV2(weights=None)
    model.save_weights(str(folder / WEIGHTS))  # in the format of the published files, which only Keras 2 writes
    (folder / "imagenet_class_index.json").write_text(json.dumps({str(i): [f"n{i}", f"thing_{i // 2}"] for i in range(1000)}))
    monkeypatch.setattr(importlib.import_module("keras.src.applications.mobilenet_v2"), "BASE_WEIGHT_PATH", address)
    monkeypatch.setattr(imagenet, "CLASS_INDEX", address + "imagenet_class_index.json")
    served = load_classifier("imagenet:MobileNetV2")
    assert served.labels[:3] == ("thing 0", "thing 0 (class 1)", "thing 1")
    image = np.random.default_rng(0).random((224, 224, 3), np.float32)
    raw = np.asarray(model(keras.applications.mobilenet_v2.preprocess_input(image[None] * 255), training=False))
    assert served.predict(image) == pytest.approx(raw[0], abs=1e-6)


def test_without_a_network_the_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet, "CLASS_INDEX", "http://127.0.0.1:9/imagenet_class_index.json")
    with pytest.raises(UserError, match=r"could not be downloaded .* Connect to the network once"):
        load_classifier("imagenet:VGG16")


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
    card = imagenet._card(name, imagenet.unique_labels(["a", "b"]))
    assert np.asarray(preprocess_images(images, card, 3)) == pytest.approx(np.asarray(theirs), abs=1e-4)
