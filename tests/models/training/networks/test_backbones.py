"""Networks to train: each is built, says what it takes, and is explained in the same way."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from errors import UserError
from models.cards.card import Card, unique_labels
from models.cards.metadata import CategoryField, NumberField
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.score import Score
from models.training import frozen_features
from models.training.networks.backbones import NAMES, build_backbone
from models.training.networks.heads import add_classification_head
from models.training.networks.two_branch_network import build_two_branch_model
from models.training.training_loop import compile_training_stage
from models.training.training_settings import TrainingSettings, TrainingStage
from tests.data import data_folder

MOBILENET = data_folder() / "models" / "imagenet_mobilenet_v2" / "model.keras"
GRID = {"InceptionV3": (1, 1), "Xception": (3, 3), "small_cnn": (6, 6), "small_vit": (6, 6)}


@pytest.mark.parametrize("name", NAMES)
def test_a_body_ends_in_a_grid_of_features_and_says_its_scaling(name: str) -> None:
    made = build_backbone(name, (96, 96))
    assert tuple(made.picture.shape) == (None, 96, 96, 3)
    assert tuple(made.maps.shape[1:3]) == GRID.get(name, (3, 3))
    published = {
        "ResNet50": ("caffe", "bgr"),
        "VGG16": ("caffe", "bgr"),
        "DenseNet169": ("imagenet", "rgb"),
        "EfficientNetB0": ("0..255", "rgb"),
    }
    usual = ("0..1", "rgb") if name.startswith("small") else ("-1..1", "rgb")
    assert (made.scaling, made.colour) == published.get(name, usual)


@pytest.mark.parametrize("name", ["small_cnn", "small_vit"])
def test_the_small_networks_are_explained_on_their_last_grid(name: str) -> None:
    made = build_backbone(name, (64, 64), colour="grey")
    card = Card(name, unique_labels(["a", "b", "c"]), (64, 64), made.colour, made.scaling)
    asked = build_classifier(add_classification_head(made, 3, name), card, Path(name))
    (layer,) = asked.default_layers
    assert layer.grid == (4, 4)
    (answer,) = asked.features(np.random.default_rng(0).random((64, 64, 3), np.float32), [layer], Score(1))
    assert np.abs(answer.gradients).max() > 0


def test_weights_that_must_be_downloaded_and_cannot_be_are_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.import_module("keras.src.backend").config, "_KERAS_DIR", str(tmp_path))
    monkeypatch.setattr(importlib.import_module("keras.src.applications.vgg16"), "WEIGHTS_PATH_NO_TOP", "http://127.0.0.1:9/vgg16.h5")
    with pytest.raises(UserError, match="The ImageNet weights of VGG16 could not be downloaded"):
        build_backbone("VGG16", (64, 64), "imagenet")


@pytest.mark.skipif(not MOBILENET.exists(), reason="needs CROSSCHECK_DATA")
def test_a_model_file_gives_its_features_at_another_size_too() -> None:
    import keras

    whole = keras.saving.load_model(MOBILENET, compile=False)
    same, other = build_backbone(str(MOBILENET), (224, 224)), build_backbone(str(MOBILENET.parent), (96, 128))
    assert (same.scaling, same.colour) == ("-1..1", "rgb")
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)
    expected = keras.Model(whole.inputs, whole.get_layer("out_relu").output).predict_on_batch(picture)
    np.testing.assert_allclose(keras.Model(same.picture, same.maps).predict_on_batch(picture), expected, atol=1e-5)
    assert tuple(other.maps.shape) == (None, 3, 4, 1280)
    wide = keras.Model(other.picture, other.maps).predict_on_batch(picture[:, :96, :128])
    assert np.abs(wide).max() > 0


def test_the_two_branches_scale_for_themselves_and_both_are_explained() -> None:
    model, _ = build_two_branch_model((32, 32), 2, "random", "both")
    scaled = [model.get_layer(name)(np.array([[[[0.0, 0.5, 1.0]]]], np.float32)) for name in ("minus_one_to_one", "imagenet_colours")]
    np.testing.assert_allclose(np.ravel(scaled[0]), [-1, 0, 1], atol=1e-6)
    np.testing.assert_allclose(np.ravel(scaled[1]), [-0.485 / 0.229, (0.5 - 0.456) / 0.224, (1 - 0.406) / 0.225], atol=1e-5)
    assert [model.get_layer(name).units for name in ("head_dense1", "head_dense2")] == [256, 128]
    assert {model.get_layer(name).rate for name in ("head_dropout1", "head_dropout2")} == {0.5}
    widths = [branch.output_shape[-1] for branch in model.layers if branch.name in ("mobilenetv2", "densenet169")]
    assert model.get_layer("head_both").output.shape[-1] == sum(widths) == 1280 + 1664


def test_a_network_is_cut_in_two_that_together_are_the_whole() -> None:
    import keras

    keras.utils.set_random_seed(0)
    fields = (NumberField("age", 50.0, 10.0), CategoryField("sex", ("female", "male")))
    model = add_classification_head(build_backbone("MobileNetV2", (64, 64)), 3, "net", fields)
    rng = np.random.default_rng(0)
    picture, beside = rng.uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32), rng.random((2, 5), np.float32)
    lower, upper = frozen_features.split_frozen_network(model, 8)  # three convolutions of block 16, the last one, and their norms
    assert lower.layers[-1].name == "block_15_add"
    apart = upper.predict_on_batch([lower.predict_on_batch(picture), beside])
    np.testing.assert_allclose(apart, model.predict_on_batch([picture, beside]), atol=1e-6)


def test_a_stage_opens_the_last_layers_and_leaves_their_normalisation_alone() -> None:
    model = add_classification_head(build_backbone("small_cnn", (32, 32)), 2, "net")
    compile_training_stage(model, TrainingStage(1, 0.1, 0), TrainingSettings())
    assert [variable.path.split("/")[0] for variable in model.trainable_variables] == ["head_classes", "head_classes"]
    compile_training_stage(model, TrainingStage(1, 0.1, 6), TrainingSettings())
    opened = {variable.path.split("/")[0] for variable in model.trainable_variables}
    assert "block3_b" in opened
    assert "block3_b_norm" not in opened
    assert "block1_a" not in opened
    compile_training_stage(model, TrainingStage(1, 0.1), TrainingSettings())
    assert {"stem", "stem_norm", "block3_b_norm"} <= {variable.path.split("/")[0] for variable in model.trainable_variables}


def test_a_network_of_random_weights_can_be_judged_within_an_epoch() -> None:
    """MobileNetV2 was published with a momentum of 0.999: after 100 steps nine tenths of its means would still be where they began."""
    model = add_classification_head(build_backbone("MobileNetV2", (32, 32)), 2, "net")
    momenta = {layer.momentum for layer in model.layers if type(layer).__name__ == "BatchNormalization"}
    assert momenta == {0.9}


def test_sixteen_bits_in_training_leave_a_model_of_thirty_two() -> None:
    from models.training import mixed_precision

    def build() -> object:
        return add_classification_head(build_backbone("small_cnn", (32, 32)), 2, "net")

    learnt = mixed_precision.build_with_precision_policy(build, mixed_precision.HALF)
    assert learnt.get_layer("block3_b").compute_dtype == "bfloat16"
    assert learnt.get_layer("head_classes").compute_dtype == "float32"
    plain = mixed_precision.copy_in_float32(learnt, build)
    assert {layer.compute_dtype for layer in plain.layers} == {"float32"}
    picture = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    np.testing.assert_allclose(learnt.predict_on_batch(picture), plain.predict_on_batch(picture), atol=0.02)
