"""Crosscheck's seven maps at Balanced, as the page makes them, and the bare compiled model with the same evaluations, in one process."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from app.service.evaluation_warmup import compile_remaining_functions, measure_classifier_speed
from benchmarks.competitors import OPENED, WHOLE
from benchmarks.competitors.harness import Calls, Memory, RunResult, Task, parse_task
from explainers.explanation_case import Case, ExplanationSettings
from explainers.grid import enlarge_map
from explainers.method import Attribution, Method
from explainers.method_runner import MethodResult, run_methods
from explainers.methods import SEVEN
from explainers.methods.occlusion import Occlusion
from explainers.methods.score_cam import ScoreCAM
from explainers.methods.shap import SHAP
from models.classifiers.score import Score
from models.formats.format_registry import open_keras_model
from models.graph.engine.choice import InferenceEngine
from models.loading import load_classifier

MANY = 256
SAMPLES = 4000
BATCH = 32


def main() -> None:
    """Runs the task: once cold, then in turn with the bare model; or once as the page answers first, having opened the model."""
    task = parse_task()
    answer = RunResult(task)
    classifier: Any = load_classifier(task.model)
    classifier.predict(task.image)
    if OPENED in task.maps:
        started = time.perf_counter()
        classifier = classifier.with_engine(InferenceEngine.AUTO)
        measure_classifier_speed(classifier)
        compile_remaining_functions(classifier)
        opening, scratch = time.perf_counter() - started, RunResult(task)
        explain(task, classifier, task.seeds[0], scratch)
        answer.calls[OPENED], answer.figures = scratch.calls[WHOLE], {**scratch.figures, "opening, seconds": opening}
        answer.write("tensorflow", "keras", "numpy", *(["openvino"] if classifier.engine.engine is InferenceEngine.OPENVINO else []))
        return
    memory = Memory()
    case = explain(task, classifier, task.seeds[0], answer)  # in a process that has compiled nothing, no other engine either
    answer.calls[WHOLE].megabytes = memory.peak()
    classifier = classifier.with_engine(InferenceEngine.AUTO)
    compile_remaining_functions(classifier)
    if task.seeds[1:]:
        bare = bare_model(task, case, classifier)
        bare()
        times = [measure_time(bare)]
        for seed in task.seeds[1:]:
            explain(task, classifier, seed, answer)
            times.append(measure_time(bare))
        (answer.figures["bare seconds"], answer.figures["bare processor"]) = np.min(times, axis=0)
        answer.figures["backward"] = sum(case.counter.backward.values())
    if task.reference:
        for name, reference in references(task, classifier).items():
            answer.keep(name, "reference", reference)
    answer.write("tensorflow", "keras", "numpy", *(["openvino"] if classifier.engine.engine is InferenceEngine.OPENVINO else []))


def explain(task: Task, classifier: Any, seed: int, answer: RunResult) -> Case:
    """All seven maps, put down with their cost; the time and the evaluations at which every panel had its first."""
    case = Case(classifier, task.image, Score(task.target), ExplanationSettings(seed=seed))
    latest: dict[str, MethodResult] = {}
    started, busy = time.perf_counter(), time.process_time()
    for result in run_methods(case, [method() for method in SEVEN]):
        new = result.method.title not in latest
        latest[result.method.title] = result
        if new and len(latest) == len(SEVEN):
            kind = "first" if seed == task.seeds[0] else "later"
            figure = time.perf_counter() - started
            key = f"{kind} call: every panel has a map, seconds"
            answer.figures[key] = min(figure, answer.figures.get(key, figure))
            answer.figures["every panel has a map, evaluations"] = case.evaluations
    seconds, processor = time.perf_counter() - started, time.process_time() - busy
    record_call(answer, WHOLE, case.evaluations, seconds, processor)
    for name, result in latest.items():
        if result.attribution is None:
            raise SystemExit(f"{name}: {result.error}")
        record_call(answer, name, result.evaluations + result.shared, result.seconds, None)
        answer.keep(name, str(seed), full_size(result.attribution, case))
        answer.figures[f"{name} converged {seed}"] = float(result.attribution.converged)
    return case


def record_call(answer: RunResult, name: str, evaluations: int, seconds: float, processor: float | None) -> None:
    """One more call of a map."""
    calls = answer.calls.setdefault(name, Calls(evaluations))
    calls.seconds.append(seconds)
    calls.processor.append(processor)


def full_size(attribution: Attribution, case: Case) -> np.ndarray:
    """(H, W): the map before rectifying."""
    return enlarge_map(attribution.values if attribution.signed is None else attribution.signed, case.size)


def bare_model(task: Task, case: Case, classifier: Any) -> Callable[[], None]:
    """Evaluates the bare compiled model as often, forward and backward, as the case did, in prepared batches of 32.

    Forward passes by the classifier's engine, whose pictures are ready: the goal is about what is added to them.
    """
    model, shape = open_keras_model(task.model), (None, *case.size, 3)
    backward = sum(case.counter.backward.values())
    forward = case.evaluations - backward
    batch = tf.constant(np.repeat(task.batch, BATCH, axis=0))

    @tf.function(input_signature=[tf.TensorSpec(shape)])
    def outputs(images: tf.Tensor) -> tf.Tensor:
        return model(images, training=False)

    @tf.function(input_signature=[tf.TensorSpec(shape)])
    def gradients(images: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(images)
            score = tf.reduce_sum(model(images, training=False)[:, task.target])
        return tape.gradient(score, images)

    images = np.repeat(task.image[None], BATCH, axis=0)
    own_engine = classifier.engine.engine is not InferenceEngine.TENSORFLOW

    def ask() -> None:
        for question, count in ((outputs, forward), (gradients, backward)):
            for start in range(0, count, BATCH):
                size = min(BATCH, count - start)
                if question is outputs and own_engine:
                    classifier.outputs(images[:size])
                else:
                    question(batch[:size]).numpy()

    return ask


def measure_time(ask: Callable[[], None]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    started, busy = time.perf_counter(), time.process_time()
    ask()
    return time.perf_counter() - started, time.process_time() - busy


def references(task: Task, classifier: Any) -> dict[str, np.ndarray]:
    """Maps that many more evaluations give: all channels, all blocks, 256 points of another rule, 4,000 answers by another estimator."""
    case = Case(classifier, task.image, Score(task.target), ExplanationSettings(preset="Thorough", budget=SAMPLES, seed=1000))
    methods: list[Method] = [ScoreCAM(groups=4096), Occlusion(), SHAP(estimator="regression")]
    found = {result.method.title: full_size(result.attribution, case) for result in run_methods(case, methods) if result.attribution}
    return {**found, "Integrated Gradients": midpoint_integral(case)}


def midpoint_integral(case: Case) -> np.ndarray:
    """(H, W): Integrated Gradients at 256 midpoints."""
    step = case.image - case.fill_image
    path = (case.fill_image + np.float32((i + 0.5) / MANY) * step for i in range(MANY))
    total = sum(gradient.astype(np.float64) for gradient in case.gradients(path))
    return np.asarray((total * step).sum(-1) / MANY)


if __name__ == "__main__":
    main()
