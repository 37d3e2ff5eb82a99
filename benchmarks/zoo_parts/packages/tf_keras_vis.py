"""Grad-CAM and Grad-CAM++ on the logit, and Faster-Score-CAM (ten channels), as tf-keras-vis's examples call them."""

from functools import partial
from typing import Any

from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
from tf_keras_vis.scorecam import Scorecam
from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
from tf_keras_vis.utils.scores import BinaryScore, CategoricalScore

from benchmarks.zoo_parts.packages.package_server import Job, Maps, keras_model, serve

CHANNELS = 10


def maps(model: Any, job: Job) -> Maps:
    """A map a technique."""
    score = CategoricalScore(job.target) if job.units > 1 else BinaryScore(bool(job.target))

    for title, technique in (("Grad-CAM", Gradcam), ("Grad-CAM++", GradcamPlusPlus)):
        yield title, partial(_gradient_map, technique, model, job, score)
    yield "Score-CAM", lambda: _faster_score_cam(model, job, score)[0]


def _gradient_map(technique: Any, model: Any, job: Job, score: Any) -> Any:
    explain = technique(model, model_modifier=ReplaceToLinear(), clone=True)
    return explain(score, job.model_input, penultimate_layer=-1)[0]


def _faster_score_cam(model: Any, job: Job, score: Any) -> Any:
    """All channels where the layer has fewer than ten, which it refuses to take for ten."""
    explain = Scorecam(model)
    try:
        return explain(score, job.model_input, penultimate_layer=-1, max_N=CHANNELS)
    except ValueError as error:
        if "max_N" not in str(error):
            raise
        return explain(score, job.model_input, penultimate_layer=-1)


if __name__ == "__main__":
    serve(keras_model, maps)
