"""Occlusion (patches of 3 px, every 3 px) and Integrated Gradients (50 points) at Xplique's defaults, on the logit as it advises."""

from typing import Any

import numpy as np
from xplique.attributions import IntegratedGradients, Occlusion

from benchmarks.competitors import SMOOTHED
from benchmarks.competitors.harness import Map, RunResult, keras_model, parse_task

POINTS = 50
MANY = 256


def main() -> None:
    """Runs the task."""
    task = parse_task()
    answer = RunResult(task)
    model = keras_model(task, logits=True)
    target = np.eye(model.output_shape[-1], dtype=np.float32)[[task.target]]
    for name in task.maps:
        explainer = Occlusion(model) if name == SMOOTHED else IntegratedGradients(model)

        def explain(seed: int, explainer: Any = explainer) -> Map:
            return np.asarray(np.squeeze(explainer.explain(task.batch, target).numpy()))

        answer.timed(name, task.seeds, explain, patches(task.batch.shape[1:]) if name == SMOOTHED else POINTS)
        if task.reference and name != SMOOTHED:
            answer.keep(name, "reference", explain(0, IntegratedGradients(model, steps=MANY)))
    answer.write("xplique", "tensorflow", "keras", "numpy")


def patches(shape: tuple[int, ...]) -> int:
    """Evaluations of Occlusion at its defaults, the whole picture included."""
    return len(Occlusion._get_masks(shape, (3, 3), (3, 3))) + 1


if __name__ == "__main__":
    main()
