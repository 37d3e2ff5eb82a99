"""What asking a classifier costs beside the bare compiled model, in the same run: `python -m benchmarks.classifier`.

The two are timed in turn and the ratio is that of their fastest times, so that a noisy machine disturbs both alike.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from models.cards.card import Card
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.score import Score
from models.formats.format_registry import open_keras_model
from models.output.markdown import markdown_table_head, markdown_table_row
from models.store import bundled_models

BATCHES = (1, 8, 32)
GOAL = 1.05
Ask = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Prints a row for each model, question and batch, then whether the goals hold."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="how often each pair is timed")
    rounds = parser.parse_args().rounds
    print(machine_line(), "\n")
    print(markdown_table_head(("model", "tracing", "question", "batch", "ms a picture", "bare", "ratio")))
    missed = []
    for name, model in measured_models():
        started = time.perf_counter()
        served = build_classifier(model, card_of(name), Path(name))
        tracing = time.perf_counter() - started
        for question, ours, bare in questions(served, model):
            for batch in BATCHES:
                mine, theirs = fastest(ours, bare, pictures(served, batch), rounds if batch > 1 else 4 * rounds)
                ratio = mine / theirs
                times = f"{mine / batch * 1e3:.2f}", f"{theirs / batch * 1e3:.2f}", f"{ratio:.2f}"
                print(markdown_table_row((name, f"{tracing:.1f} s", question, batch, *times)), flush=True)
                if batch == max(BATCHES) and ratio > GOAL:
                    missed.append(f"{name} {question} {ratio:.2f}")
        for count in range(1, 21):
            served.outputs(pictures(served, count))
        print(markdown_table_row((name, "", "traces after 20 batch sizes", "1..20", served.traces, "", "")))
        if served.traces > 2:
            missed.append(f"{name} traced {served.traces} times")
    print(
        f"\nGoals (ratio at most {GOAL} at batch {max(BATCHES)}, at most 2 traces):",
        "missed: " + "; ".join(missed) if missed else "all hold.",
    )


def measured_models() -> Iterator[tuple[str, Any]]:
    """The bundled classifier, and two networks of the usual size with random weights at 224 px."""
    yield "phantoms", open_keras_model(bundled_models()["phantoms"])
    yield "MobileNetV2", keras.applications.MobileNetV2(weights=None)
    yield "ResNet50", keras.applications.ResNet50(weights=None)


def card_of(name: str) -> Card | None:
    """The bundled classifier's card; the others have theirs inferred."""
    return Card.read(bundled_models()[name].with_suffix(".json")) if name in bundled_models() else None


def questions(served: KerasClassifier, model: Any) -> Iterator[tuple[str, Ask, Ask]]:
    """Each question, as a call of the classifier and of the bare compiled model with its input ready made."""

    @tf.function(input_signature=[tf.TensorSpec([None, *served.size, 3])])
    def bare_outputs(images: tf.Tensor) -> tf.Tensor:
        return model(images, training=False)

    @tf.function(input_signature=[tf.TensorSpec([None, *served.size, 3])])
    def bare_gradients(images: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(images)
            score = tf.reduce_sum(model(images, training=False)[:, 0])
        return tape.gradient(score, images)

    yield "outputs", served.outputs, lambda images: bare_outputs(tf.convert_to_tensor(images)).numpy()
    score = Score(0, "probability")
    yield "gradients", lambda images: served.gradients(images, score), lambda images: bare_gradients(tf.convert_to_tensor(images)).numpy()


def pictures(served: KerasClassifier, count: int) -> np.ndarray:
    """Noise: speed does not depend on what a picture shows."""
    return np.random.default_rng(0).random((count, *served.size, 3), np.float32)


def fastest(ours: Ask, bare: Ask, images: np.ndarray, rounds: int) -> tuple[float, float]:
    """Seconds of the fastest call of each, called in turn after one call to warm up."""
    times: dict[Ask, list[float]] = {ours: [], bare: []}
    for number in range(rounds + 1):
        for ask in (ours, bare):
            started = time.perf_counter()
            ask(images)
            if number:
                times[ask].append(time.perf_counter() - started)
    return min(times[ours]), min(times[bare])


if __name__ == "__main__":
    sys.exit(run_benchmark("classifier", main))
