"""Six of Xplique's techniques on the logit, as it advises, at its defaults but for fewer samples. TFLite as its interpreter."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from xplique.attributions import GradCAM, GradCAMPP, IntegratedGradients, KernelShap, Lime, Occlusion

from benchmarks.zoo_parts.packages.package_server import Job, Maps, keras_model, serve

SAMPLES = 150
ACROSS = 16
"""Occlusion's patches along a side, where its default of 3 px would need more evaluations."""


def opened(path: Path) -> Any:
    """A Keras model that ends in its logits, or a TFLite interpreter, which its black-box techniques take."""
    if path.suffix == ".tflite":
        return tf.lite.Interpreter(model_path=str(path))
    model = keras_model(path)
    if hasattr(model.layers[-1], "activation"):
        model.layers[-1].activation = tf.keras.activations.linear
    return model


def maps(model: Any, job: Job) -> Maps:
    """A map a technique."""
    target = np.eye(job.units, dtype=np.float32)[[job.unit]]
    patch = max(3, job.side // ACROSS)
    techniques = {
        "Grad-CAM": lambda: GradCAM(model),
        "Grad-CAM++": lambda: GradCAMPP(model),
        "LIME": lambda: Lime(model, nb_samples=SAMPLES),
        "SHAP": lambda: KernelShap(model, nb_samples=SAMPLES),
        "Occlusion": lambda: Occlusion(model, patch_size=patch, patch_stride=patch),
        "Integrated Gradients": lambda: IntegratedGradients(model),
    }
    for title, technique in techniques.items():
        yield title, partial(_explain, technique, job.model_input, target)


def _explain(technique: Callable[[], Any], model_input: Any, target: Any) -> Any:
    """Builds the explainer only when its map is made, so that a failure costs one map."""
    return technique().explain(model_input, target)


if __name__ == "__main__":
    serve(opened, maps)
