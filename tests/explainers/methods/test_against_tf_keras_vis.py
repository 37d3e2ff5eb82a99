"""Grad-CAM on flat Keras models against tf-keras-vis, which reads them too: the same numbers, before any scaling."""

from pathlib import Path

import numpy as np
import pytest

from explainers.explanation_case import Case
from explainers.methods.grad_cam import GradCAM
from tests.explainers.toy_classifiers import picture

gradcam = pytest.importorskip("tf_keras_vis.gradcam")


def flat(flatten: bool):
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    image = keras.Input((32, 48, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(image)
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu", name="last")(x)
    x = layers.Flatten()(x) if flatten else layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(4, activation="softmax")(x))


@pytest.mark.parametrize("flatten", [False, True])
@pytest.mark.parametrize("target", [0, 3])
def test_grad_cam_of_the_logit(flatten, target):
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
    from tf_keras_vis.utils.scores import CategoricalScore

    from models.cards.card import Card, ClassLabel
    from models.classifiers.classifier_builder import build_classifier
    from models.classifiers.score import Score

    model, image = flat(flatten), picture((32, 48))
    card = Card("flat", tuple(ClassLabel(name) for name in "abcd"), (32, 48))
    (ours,) = GradCAM()(Case(build_classifier(model, card, Path("flat.keras")), image, Score(target, "logit")))
    package = gradcam.Gradcam(model, model_modifier=ReplaceToLinear(), clone=True)
    unscaled = {"penultimate_layer": "last", "expand_cam": False, "normalize_cam": False}
    signed = package(CategoricalScore(target), image[None], activation_modifier=lambda cam: cam, **unscaled)
    rectified = package(CategoricalScore(target), image[None], **unscaled)
    assert np.ptp(signed) > 0
    np.testing.assert_allclose(ours.signed, np.asarray(signed)[0], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(ours.values, np.asarray(rectified)[0], rtol=1e-4, atol=1e-7)
