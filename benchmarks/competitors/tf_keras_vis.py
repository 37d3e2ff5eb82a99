"""Grad-CAM and Grad-CAM++ on the logit, and Score-CAM with all channels on the softmax, as tf-keras-vis's examples call them."""

from typing import Any

from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
from tf_keras_vis.scorecam import Scorecam
from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
from tf_keras_vis.utils.scores import CategoricalScore

from benchmarks.competitors.harness import RunResult, keras_model, parse_task

MAPS = {"Grad-CAM": Gradcam, "Grad-CAM++": GradcamPlusPlus, "Score-CAM": Scorecam}


def main() -> None:
    """Runs the task."""
    task = parse_task()
    answer = RunResult(task)
    model = keras_model(task, logits=False)
    channels = next(layer.output.shape[-1] for layer in reversed(model.layers) if len(layer.output.shape) == 4)
    for name in task.maps:
        made: list[Any] = []

        def explain(seed: int, name: str = name, made: list[Any] = made) -> Any:
            if not made:
                made.append(MAPS[name](model, model_modifier=None if name == "Score-CAM" else ReplaceToLinear()))
            return made[0](CategoricalScore(task.target), task.batch, penultimate_layer=-1)[0]

        answer.timed(name, task.seeds, explain, channels + 1 if name == "Score-CAM" else 1)
    answer.write("tf-keras-vis", "tensorflow", "keras", "numpy", "scipy")


if __name__ == "__main__":
    main()
