"""A Vision Transformer's patches are a layer: laid back on the grid, without the class token, with gradients that are right."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks.zoo_parts.models import topologies, transformers
from explainers.explanation_case import Case
from explainers.method_runner import run_methods
from explainers.methods.grad_cam import GradCAM
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.score import Score
from models.graph.grid_layer import PATCHES
from models.loading import load_classifier
from tests.models.float64_models import in_float64


@pytest.fixture(scope="module", params=transformers.ALL, ids=lambda build: build.__name__)
def served(request: pytest.FixtureRequest) -> KerasClassifier:
    return in_float64(request.param)


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(16, 240, (24, 16, 3)).astype(np.float32) / 256


def test_the_last_layer_is_the_last_whose_patches_speak(served: KerasClassifier) -> None:
    (layer,) = served.default_layers
    assert layer.name == transformers.LAST[served.card.name]
    assert layer.grid == (6, 4)
    assert layer.caveat == (PATCHES if served.card.name != "hybrid" else "")
    for each, answer in zip(served.layers, served.features(picture(), served.layers, Score(1)), strict=True):
        assert answer.maps.shape == answer.gradients.shape == (6, 4, each.channels)
        assert np.abs(answer.gradients).max(axis=2).min() > 0, each.name


def test_feature_gradients_equal_finite_differences(served: KerasClassifier) -> None:
    """Of the first and the last layer of patches."""
    trace, image = served._trace, picture()
    patches = [each for each in served.layers if each.first is not None]
    for layer, score in ((patches[0], Score(1)), (patches[-1], Score(1, "probability"))):
        (answer,) = served.features(image, [layer], score)
        (tokens,) = trace.function([trace.images], [layer.tensor])(image[None])
        cells = slice(layer.first, layer.first + 24)
        np.testing.assert_array_equal(answer.maps, tokens[0, cells].reshape(6, 4, -1))
        step = np.zeros_like(tokens)
        step[0, cells] = np.random.default_rng(2).standard_normal((24, tokens.shape[2])) * 1e-6
        ask = trace.function([trace.images, layer.tensor], [served._logits])
        ahead, behind = (served.values(ask(image[None], tokens + sign * step)[0], score)[0] for sign in (1, -1))
        found = 2 * (answer.gradients.reshape(24, -1) * step[0, cells]).sum()
        assert ahead - behind == pytest.approx(found, rel=1e-4, abs=1e-13), (layer.name, score)


def test_cells_are_the_places_of_their_patches() -> None:
    """The embedded patches: a patch of the picture changes its own cell alone."""
    served = in_float64(transformers.with_class_token)
    layer = served.layer("position")
    before, changed = picture(), picture()
    changed[4 * 3 : 4 * 4, 4 * 2 : 4 * 3] = 0
    moved = [served.features(image, [layer], Score(0))[0].maps for image in (before, changed)]
    assert np.argwhere(np.abs(moved[0] - moved[1]).max(axis=2) > 0).tolist() == [[3, 2]]


def test_the_map_comes_with_its_caveat() -> None:
    for build, expected in ((transformers.with_class_token, PATCHES), (topologies.sequential, "")):
        served = in_float64(build)
        image = np.random.default_rng(0).random((*served.size, 3), np.float32)
        (*_, result) = run_methods(Case(served, image, Score(0)), [GradCAM()])
        assert result.attribution.caveat == expected


def test_ordinary_networks_have_no_patches() -> None:
    for build in (topologies.flat, topologies.flatten_head, topologies.without_a_grid, topologies.subclassed):
        assert all(layer.first is None for layer in in_float64(build).layers)


@pytest.mark.parametrize("build", transformers.ALL, ids=lambda build: build.__name__)
def test_a_saved_model_has_the_same_layer_and_gradients(build: Callable[[], keras.Model], tmp_path: Path) -> None:
    keras.utils.set_random_seed(3)
    model = build()
    model.export(str(tmp_path / "net"), verbose=False)
    mine, theirs = load_classifier(tmp_path / "net"), build_classifier(model, None, Path("net.keras"))
    assert [layer.name for layer in mine.default_layers] == [transformers.LAST[build.__name__]]
    (one,), (other,) = (each.features(picture(), each.default_layers, Score(1)) for each in (mine, theirs))
    assert one.maps == pytest.approx(other.maps, abs=1e-5)
    assert one.gradients == pytest.approx(other.gradients, abs=1e-5)
    assert np.abs(one.gradients).max() > 0
