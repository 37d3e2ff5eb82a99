"""SHAP's Partition explainer as its image examples call it: `blur(128,128)` hides, 500 evaluations, batches of 50."""

from typing import Any

import numpy as np
import shap

from benchmarks.competitors.harness import Map, RunResult, Task, keras_model, parse_task

EVALUATIONS = 500
MANY = 4000


def main() -> None:
    """Runs the task."""
    task = parse_task()
    answer = RunResult(task)
    model = keras_model(task, logits=False)
    model(task.batch)
    answer.timed("SHAP", task.seeds, lambda seed: shap_map(task, model, seed, EVALUATIONS), EVALUATIONS)
    if task.reference:
        answer.keep("SHAP", "reference", shap_map(task, model, 0, MANY))
    answer.write("shap", "tensorflow", "keras", "numpy", "opencv-python-headless")


def shap_map(task: Task, model: Any, seed: int, evaluations: int) -> Map:
    """Channels summed. The seed decides between parts of equal weight, which come in the order of a random number."""
    np.random.seed(seed)  # noqa: NPY002 - the package draws from the global generator
    masker = shap.maskers.Image("blur(128,128)", task.image.shape)
    explainer = shap.Explainer(lambda images: model(images * 2 - 1).numpy(), masker)
    found = explainer(task.image[None], max_evals=evaluations, batch_size=50, outputs=[task.target], silent=True)
    return np.asarray(found.values[0, ..., 0].sum(axis=-1))


if __name__ == "__main__":
    main()
