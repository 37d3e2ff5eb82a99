"""LIME at its defaults: 1,000 samples, segments by quickshift, hidden segments in their mean colour, `model.predict` in batches of 10."""

from typing import Any

from lime.lime_image import LimeImageExplainer

from benchmarks.competitors.harness import Map, RunResult, Task, keras_model, parse_task

SAMPLES = 1000


def main() -> None:
    """Runs the task."""
    task = parse_task()
    answer = RunResult(task)
    model = keras_model(task, logits=False)
    answer.timed("LIME", task.seeds, lambda seed: lime_map(task, model, seed), SAMPLES)
    answer.write("lime", "tensorflow", "keras", "numpy", "scikit-image")


def lime_map(task: Task, model: Any, seed: int) -> Map:
    """The weight of each pixel's segment, as `get_image_and_mask` shows it."""
    explainer = LimeImageExplainer(random_state=seed)

    def probabilities(images: Any) -> Any:
        return model.predict(images * 2 - 1, verbose=0)

    found = explainer.explain_instance(task.image.astype("double"), probabilities, top_labels=5, num_samples=SAMPLES)
    weights = dict(found.local_exp[task.target])
    painted: Map = found.segments.astype(float)
    for segment, weight in weights.items():
        painted[found.segments == segment] = weight
    return painted


if __name__ == "__main__":
    main()
