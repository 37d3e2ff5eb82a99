"""What evaluates forward passes fastest, and how far the engines' answers lie apart: `python -m benchmarks.zoo_parts.engine [--zoo]`.

Seconds are those of the processor, of all threads: on a busy machine they say what an engine costs, where the clock says what else ran.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from models.graph.engine.check import check_pictures
from models.graph.engine.choice import InferenceEngine
from models.output.command_line import silence_tensorflow
from models.output.markdown import markdown_table_head, markdown_table_row

NETWORKS = ("MobileNetV2", "EfficientNetB0", "DenseNet121", "ResNet50", "ConvNeXtTiny")
BATCH = 32


def main() -> None:
    """Prints a row for each network: a few of the usual size, or all models of the zoo."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS), help="random weights, 224 px; %(default)s")
    parser.add_argument("--zoo", action="store_true", help="the models of the zoo instead")
    parser.add_argument("--maps", type=int, default=0, metavar="N", help="compare the maps of N lesion phantoms instead")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed; the least counts")
    chosen = parser.parse_args()
    silence_tensorflow()
    logging.getLogger("absl").setLevel(logging.ERROR)
    print(machine_line(), "\n")
    if chosen.maps:
        print_maps(chosen.maps)
    else:
        print_networks(zoo() if chosen.zoo else applications(chosen.networks), chosen.rounds)


def print_networks(networks: Iterator[tuple[str, Any]], rounds: int) -> None:
    """A row for each."""
    columns = ("network", "engine", "compiled in s", "ms per picture", "before", "times fewer", "largest difference", "why not")
    print(markdown_table_head(columns))
    for name, classifier in networks:
        print(markdown_table_row((name, *compared(classifier, rounds))), flush=True)
        classifier.close()


def applications(names: list[str]) -> Iterator[tuple[str, Any]]:
    """Keras's own networks with random weights."""
    import keras

    from models.classifiers.classifier_builder import build_classifier

    for name in names:
        keras.utils.set_random_seed(0)
        yield name, build_classifier(getattr(keras.applications, name)(weights=None), None, Path(name))


def zoo() -> Iterator[tuple[str, Any]]:
    """The models of the zoo that this machine has."""
    import keras

    from benchmarks.zoo_parts.models.catalogue import zoo_models
    from models.loading import load_classifier

    for each in zoo_models():
        with tempfile.TemporaryDirectory() as folder:
            keras.utils.clear_session()
            files = each.write(Path(folder))
            with each.around(Path(folder)):
                yield each.name, load_classifier(files.ours)


def print_maps(count: int) -> None:
    """A row for each method: how alike the maps of both engines are, from the same seed."""
    from scipy.stats import spearmanr

    from app.explanation import ExplanationPlan, explain_picture
    from app.maintenance.bundled_map_libraries import draw_synthetic_picture
    from explainers.explanation_case import ExplanationSettings
    from explainers.methods import METHODS
    from models.classifiers.score import Score
    from models.loading import load_classifier

    plain: Any = load_classifier("phantoms")
    plan = ExplanationPlan([method() for method in METHODS], ExplanationSettings(), Score)
    ranks: dict[str, list[float]] = {}
    widest: dict[str, list[float]] = {}
    for number in range(count):
        picture = draw_synthetic_picture("phantoms", number).astype(np.float32) / np.float32(255)
        ours, theirs = (explain_picture(picture, each, plan).results for each in (plain.with_engine(InferenceEngine.OPENVINO), plain))
        for key, result in theirs.items():
            other = ours[key].attribution
            if result.attribution is None or other is None or result.attribution.blank or other.blank:
                continue
            pair = np.asarray(other.values).ravel(), np.asarray(result.attribution.values).ravel()
            ranks.setdefault(key, []).append(float(spearmanr(*pair)[0]))
            widest.setdefault(key, []).append(float(np.abs(pair[0] - pair[1]).max() / np.abs(pair[1]).max()))
    print(markdown_table_head(("map", "maps compared", "least rank correlation", "largest difference of the largest value")))
    for key, found in ranks.items():
        print(markdown_table_row((key, len(found), f"{min(found):.5f}", f"{max(widest[key]):.0e}")))


def compared(classifier: Any, rounds: int) -> tuple[str, ...]:
    """The engine, its cost to compile, milliseconds per picture with and without it, their ratio, and the largest relative difference."""
    started = time.process_time()
    made = classifier.with_engine(InferenceEngine.OPENVINO)
    compiling = time.process_time() - started
    if made.engine.engine is classifier.engine.engine:
        return made.engine.engine.label, "", "", "", "", "", made.engine.remark
    pictures = check_pictures(classifier.size)
    batch = np.concatenate([pictures] * (BATCH // len(pictures)))
    before, after = classifier.outputs(batch), made.outputs(batch)
    magnitude = np.abs(before).max(axis=1)
    difference = float((np.abs(after - before).max(axis=1) / np.where(magnitude > 0, magnitude, 1)).max())
    slow, fast = np.min([(seconds(classifier, batch), seconds(made, batch)) for _ in range(rounds)], axis=0) * 1e3 / BATCH
    return str(made.engine), f"{compiling:.1f}", f"{fast:.2f}", f"{slow:.2f}", f"{slow / fast:.1f}", f"{difference:.0e}", ""


def seconds(classifier: Any, batch: np.ndarray) -> float:
    """Of the processor."""
    started = time.process_time()
    classifier.outputs(batch)
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(run_benchmark("engine", main))
