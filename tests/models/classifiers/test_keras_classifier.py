"""The three questions on every topology: gradients and features' gradients against finite differences."""

import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import expit, softmax

from benchmarks.zoo_parts.models import topologies
from errors import UserError
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.score import Score
from tests.models.float64_models import in_float64

STEP, TOLERANCE = 2.0**-16, 2e-3
COARSE_STEP, COARSE_TOLERANCE = 2.0**-12, 2e-2  # ConvNeXt stays in float32: its depthwise gradients take minutes in float64


@pytest.fixture(scope="module", params=topologies.ALL, ids=lambda build: build.__name__)
def served(request: pytest.FixtureRequest) -> KerasClassifier:
    """In float64 but for ConvNeXt, so that a finite difference tells a wrong gradient from a rounded one."""
    return in_float64(request.param) if request.param is not topologies.convnext else in_float32(request.param)


@cache
def in_float32(build: Callable[[], keras.Model]) -> KerasClassifier:
    keras.utils.set_random_seed(3)
    return build_classifier(build(), None, Path(f"{build.__name__}.keras"))


def pictures(served: KerasClassifier, count: int) -> np.ndarray:
    """On a lattice of 1/256, to which a step of 2**-16 adds exactly in float32."""
    return np.random.default_rng(0).integers(16, 240, (count, *served.size, 3)).astype(np.float32) / 256


def scores(served: KerasClassifier) -> list[Score]:
    """All kinds; of a large network the two that are differentiated differently, since the others are sums of the same logits."""
    contrast = Score(1, "contrast", rather_than=0)
    two = [Score(1, "centred"), Score(1, "probability")]
    return two if len(served.layers) > 20 else [*two, Score(0, "logit"), contrast]


def test_gradients_equal_finite_differences(served: KerasClassifier) -> None:
    images = pictures(served, 2)
    step, tolerance = (STEP, TOLERANCE) if served.outputs(images).dtype == np.float64 else (COARSE_STEP, COARSE_TOLERANCE)
    mostly_ahead = np.random.default_rng(1).choice([step, step, step, -step], images.shape).astype(np.float32)
    for score in scores(served):
        direction = np.sign(served.gradients(images, score)) * mostly_ahead
        ahead, behind = (served.values(served.outputs(images + sign * direction), score) for sign in (1, -1))
        found = (served.gradients(images, score) * direction).sum(axis=(1, 2, 3), dtype=np.float64) * 2
        assert ahead - behind == pytest.approx(found, rel=tolerance, abs=1e-12), score


def test_feature_gradients_equal_finite_differences(served: KerasClassifier) -> None:
    if not served.layers:
        pytest.skip("no spatial layer")
    image = pictures(served, 1)[0]
    trace = served._trace
    for score in (Score(1), Score(1, "probability")):
        for answer in served.features(image, served.default_layers, score):
            tensor = served.layer(answer.layer).tensor
            relative = (1e-6, TOLERANCE) if answer.maps.dtype == np.float64 else (1e-2, COARSE_TOLERANCE)
            ask = trace.function([trace.images, tensor], [served._logits])
            away_from_kinks = answer.maps != 0
            step = np.random.default_rng(2).standard_normal(answer.maps.shape) * away_from_kinks * relative[0] * np.abs(answer.maps).max()
            step = step.astype(answer.maps.dtype)
            ahead, behind = (served.values(ask(image[None], (answer.maps + sign * step)[None])[0], score)[0] for sign in (1, -1))
            assert ahead - behind == pytest.approx(2 * (answer.gradients * step).sum(), rel=relative[1], abs=1e-13), (answer.layer, score)


@pytest.mark.parametrize("build", topologies.ALL, ids=lambda build: build.__name__)
def test_logits_and_probabilities_are_the_model_s_own(build: Callable[[], keras.Model]) -> None:
    keras.utils.set_random_seed(3)
    model = build()
    made = build_classifier(model, None, Path("model.keras"))
    images = pictures(made, 3)
    if made.card.scaling == "caffe":
        prepared = np.asarray(keras.applications.vgg16.preprocess_input(images * 255))
    else:
        low, high = {"0..1": (0, 1), "-1..1": (-1, 1), "0..255": (0, 255)}[made.card.scaling]
        prepared = images * (high - low) + low
    if made.card.colour == "grey":
        prepared = prepared @ np.float32([[0.299], [0.587], [0.114]])
    raw = np.asarray(model(prepared, training=False))
    logits = made.outputs(images)
    activations = {"softmax": softmax(logits, axis=1), "multi-label": expit(logits), "sigmoid": expit(logits[:, 1:]), "logits": logits}
    assert activations[made.card.head] == pytest.approx(raw, abs=2e-5)


def test_masked_equals_pictures_made_outside(served: KerasClassifier) -> None:
    image, fill = pictures(served, 2)
    rng = np.random.default_rng(4)
    whole = rng.integers(0, 2, (3, *served.size)).astype(np.float32)
    made = whole[..., None] * image + (1 - whole[..., None]) * fill
    assert served.masked(image, whole, fill) == pytest.approx(served.outputs(made), rel=1e-4, abs=1e-5)
    coarse = np.repeat(rng.random((2, 1, 1), np.float32), 3, axis=1)
    assert served.masked(image, coarse, fill) == pytest.approx(
        served.outputs(coarse[:, :1, :, None] * (image - fill) + fill), rel=1e-3, abs=1e-4
    )


def test_default_layers_are_the_ends_of_the_branches(served: KerasClassifier) -> None:
    name = served.card.name
    ends = [layer.name.split("/")[-1] for layer in served.default_layers]
    expected = {"without_a_grid": [], "vgg16": ["block5_conv3"], "efficientnet": ["top_activation"], "nested": ["out_relu"]}
    expected["two_branches"] = ["relu", "out_relu"]
    if name == "convnext":
        assert [layer.grid for layer in served.default_layers] == [(2, 2)]
    else:
        assert sorted(ends) == sorted(expected.get(name, ["last"]))
    assert all(layer.grid[0] * layer.grid[1] > 1 for layer in served.layers)


def test_without_a_grid_features_say_so_and_the_rest_works() -> None:
    served = in_float64(topologies.without_a_grid)
    image = pictures(served, 1)
    with pytest.raises(UserError, match="no spatial layer"):
        served.features(image[0], served.default_layers, Score(0))
    assert served.gradients(image, Score(0)).shape == image.shape


def test_eight_threads_get_the_numbers_of_one() -> None:
    served = build_classifier(topologies.nested(), None, Path("nested.keras"))
    images = pictures(served, 4)
    found: dict[int, tuple] = {}

    def ask() -> tuple:
        features = served.features(images[0], served.default_layers, Score(1))[0]
        return served.outputs(images), served.gradients(images, Score(2)), features.maps, features.gradients

    threads = [threading.Thread(target=lambda number=number: found.__setitem__(number, ask())) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answers in found.values():
        for mine, alone in zip(answers, ask(), strict=True):
            np.testing.assert_allclose(mine, alone, rtol=1e-6, atol=1e-9)
    assert len(found) == 8


def test_twenty_batch_sizes_are_one_trace() -> None:
    served = build_classifier(topologies.flat(), None, Path("flat.keras"))
    for count in range(1, 21):
        served.outputs(pictures(served, count))
        served.gradients(pictures(served, count), Score(count % 4))
    assert served.traces == 1


def test_without_a_grid_only_everything_can_be_drawn_anew() -> None:
    served = in_float64(topologies.without_a_grid)
    with pytest.raises(UserError, match="no spatial layer"):
        served.randomised("head", seed=0)
    image = pictures(served, 1)
    assert not np.allclose(served.randomised("everything", seed=0).outputs(image), served.outputs(image))


def test_a_layer_used_twice_is_listed_twice() -> None:
    shared = keras.layers.Conv2D(3, 3, padding="same", activation="relu", name="shared")
    picture = keras.Input((16, 16, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(shared(shared(picture)))
    served = build_classifier(keras.Model(picture, keras.layers.Dense(2, activation="softmax")(pooled)), None, Path("m.keras"))
    assert [layer.name for layer in served.layers] == ["shared", "shared (use 2)"]
    assert [layer.name for layer in served.default_layers] == ["shared (use 2)"]


def test_scores_mean_what_they_say() -> None:
    soft, binary, many = (in_float64(build) for build in (topologies.flat, topologies.two_branches, topologies.multi_label))
    logits = soft.outputs(pictures(soft, 2))
    log_p = np.log(soft.probabilities(logits))
    assert soft.values(logits, Score(2)) == pytest.approx(log_p[:, 2] - log_p.mean(axis=1), abs=1e-5)
    assert soft.values(logits, Score(2, "contrast", 1)) == pytest.approx(log_p[:, 2] - log_p[:, 1], abs=1e-5)
    z = binary.outputs(pictures(binary, 2))
    p = binary.probabilities(z)
    assert p.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert binary.values(z, Score(1)) == pytest.approx(np.log(p[:, 1] / p[:, 0]), rel=1e-4, abs=1e-6)
    assert binary.values(z, Score(0)) == pytest.approx(-binary.values(z, Score(1)))
    u = many.outputs(pictures(many, 2))
    assert many.values(u, Score(2)) == pytest.approx(u[:, 2])


@pytest.mark.parametrize("score", [(5,), (-1,), (0, "contrast"), (0, "contrast", 0), (0, "log")])
def test_impossible_scores_are_refused(score: tuple) -> None:
    with pytest.raises(UserError):
        Score(*score).check(("a", "b"))


def test_randomised_changes_the_depth_that_it_names_and_nothing_else() -> None:
    served = build_classifier(topologies.flat(), None, Path("flat.keras"))
    images = pictures(served, 2)
    before = served.outputs(images)
    early = [layer for layer in served.layers if layer.grid == (16, 16)][-1:]
    reference = served.features(images[0], early, Score(0))[0].maps
    for depth in ("head", "last block", "everything"):
        drawn = served.randomised(depth, seed=1)
        assert not np.allclose(drawn.outputs(images), before)
        assert drawn.outputs(images) == pytest.approx(served.randomised(depth, seed=1).outputs(images))
        same = np.allclose(drawn.features(images[0], early, Score(0))[0].maps, reference)
        assert same == (depth != "everything")
    last = served.default_layers
    kept = served.randomised("head", 1).features(images[0], last, Score(0))[0].maps
    assert kept == pytest.approx(served.features(images[0], last, Score(0))[0].maps)
    assert served.outputs(images) == pytest.approx(before)


def test_a_picture_of_another_size_is_refused() -> None:
    served = build_classifier(topologies.flat(), None, Path("flat.keras"))
    with pytest.raises(UserError, match="takes pictures of"):
        served.outputs(np.zeros((1, 8, 8, 3), np.float32))
