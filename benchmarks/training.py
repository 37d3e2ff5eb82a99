"""How fast pictures reach training, and whether they keep it busy: `python -m benchmarks.training`.

Pictures a second of the wall clock, and a second of processor time, which other work on the machine does not stretch. Then the share of its
time that a training loop spends in the step, rather than waiting for the next batch.
"""

import argparse
import dataclasses
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.shared.data import required_data
from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from models.cards.card import Card, Colour
from models.datasets import layouts
from models.datasets.picture_collection import CollectionRow
from models.output.markdown import markdown_table_head, markdown_table_row
from models.training.augmentation import DERMOSCOPY, NONE, XRAY
from models.training.input_pipeline import InputPipelineSettings, iterate_batches

SIZE, BATCH, GOAL = 160, 32, 0.9
NETWORKS: tuple[tuple[str, Colour], ...] = (("small_cnn", "grey"), ("MobileNetV2", "rgb"))
AUGMENTATIONS = {"cached": NONE, "cached, X-ray augmentation": XRAY, "cached, dermoscopy augmentation": DERMOSCOPY}
WARMING = 3  # steps that are not counted: the first compiles


@dataclass(frozen=True)
class TimeSplit:
    """Seconds of a training loop: waiting for batches, and in its steps."""

    waiting: float
    stepping: float

    @property
    def share(self) -> float:
        """Of the time that goes into steps, 0 to 1."""
        return self.stepping / (self.waiting + self.stepping)


def main() -> None:
    """Prints both tables, then whether the goal holds."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=2000, help="training pictures that are read (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=40, help="training steps that are timed (default: %(default)s)")
    options = parser.parse_args()
    where = required_data("chest_xray")
    rows = [row for row in layouts.read_picture_collection("chest_xray", where).rows if row.split == "train"]
    rows = rows[:: max(1, len(rows) // options.pictures)][: options.pictures]
    print(machine_line(), "\n")
    with tempfile.TemporaryDirectory() as cache:
        feed = InputPipelineSettings((SIZE, SIZE), Path(cache), batch=BATCH)
        print(markdown_table_head((f"{len(rows):,} chest X-rays at {SIZE} px", "pictures a second", "pictures a second of processor time")))
        print(markdown_table_row(("decoded for the first time", *rates(rows, feed))), flush=True)
        for name, augmentation in AUGMENTATIONS.items():
            print(markdown_table_row((name, *rates(rows, dataclasses.replace(feed, augmentation=augmentation)))), flush=True)
        head = ("network", "ms a step of 32 pictures", "ms waiting for it", "share of the time in the step")
        print(f"\n{markdown_table_head(head)}")
        missed = []
        for name, colour in NETWORKS:
            spent = training_time(name, colour, rows, dataclasses.replace(feed, augmentation=XRAY), options.steps)
            a_step, a_wait = spent.stepping / options.steps * 1e3, spent.waiting / options.steps * 1e3
            print(markdown_table_row((name, f"{a_step:.1f}", f"{a_wait:.1f}", f"{spent.share:.1%}")), flush=True)
            if spent.share < GOAL:
                missed.append(f"{name} {spent.share:.1%}")
    print(f"\nGoal (at least {GOAL:.0%} of the time in the step):", "missed: " + ", ".join(missed) + "." if missed else "holds.")


def rates(rows: Sequence[CollectionRow], feed: InputPipelineSettings) -> tuple[str, str]:
    """One epoch's pictures a second, by the wall clock and by the processor's time."""
    wall, processor = time.perf_counter(), time.process_time()
    count = sum(len(labels) for _, labels in iterate_batches(rows, feed, 0).as_numpy_iterator())
    return f"{count / (time.perf_counter() - wall):,.0f}", f"{count / (time.process_time() - processor):,.0f}"


def training_time(name: str, colour: Colour, rows: Sequence[CollectionRow], feed: InputPipelineSettings, steps: int) -> TimeSplit:
    """A network with random weights, trained as the recipes train it."""
    from models.datasets.layouts.chest_xray import BINARY
    from models.training.networks.backbones import build_backbone
    from models.training.networks.heads import add_classification_head
    from models.training.training_batches import build_training_data
    from models.training.training_loop import compile_training_stage
    from models.training.training_settings import TrainingSettings, TrainingStage

    made = build_backbone(name, feed.size, "random", colour)
    model = add_classification_head(made, 1, name)
    card = Card(name, BINARY, feed.size, colour=made.colour, scaling=made.scaling, head="sigmoid")
    compile_training_stage(model, TrainingStage(1, 1e-3), TrainingSettings())
    data = build_training_data(model, card, rows, rows[:BATCH], feed)
    return timed(model, (batch for epoch in range(1000) for batch in data.epoch(epoch)), steps)


def timed(model: Any, supply: Iterator[tuple[Any, Any, Any]], steps: int) -> TimeSplit:
    """What `steps` steps take, and the waiting before each, after a few that warm up."""
    waiting = stepping = 0.0
    for number in range(WARMING + steps):
        started = time.perf_counter()
        inputs, targets, weights = next(supply)
        come = time.perf_counter()
        model.train_on_batch(inputs, targets, sample_weight=weights)
        if number >= WARMING:
            waiting += come - started
            stepping += time.perf_counter() - come
    return TimeSplit(waiting, stepping)


if __name__ == "__main__":
    sys.exit(run_benchmark("training", main))
