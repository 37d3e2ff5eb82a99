"""The loop over epochs: train, measure on validation pictures, keep the best weights, write down where the run stands."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from errors import UserError
from models.training import checkpoint
from models.training.checkpoint import Arrays, TrainingState
from models.training.losses import loss_for
from models.training.schedules import cosine, finished, plateau
from models.training.settings import Settings, Stage
from models.training.trainable_layers import unfreeze_last
from models.training.validation import ValidationMetrics, measure_validation, probabilities

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class TrainingData:
    """What a model learns from and is measured on.

    epoch: number -> that epoch's batches (inputs, targets (n, units), weights (n,)); the same number gives the same batches.
    steps: batches an epoch. validation: batches of (inputs, labels (n,)), the same each time it is called.
    """

    epoch: Callable[[int], Iterable[Any]]
    steps: int
    validation: Callable[[], Iterable[Any]]


@dataclass(frozen=True)
class Run:
    """How to train, and in which folder to keep the checkpoint. plan: what was asked for; a checkpoint of another plan is refused."""

    stages: Sequence[Stage]
    settings: Settings
    folder: Path
    plan: dict[str, Any]


def train(model: "keras.Model", material: TrainingData, run: Run) -> TrainingState:
    """Trains stage by stage, from the folder's checkpoint where there is one, and leaves the best weights in the model.

    A run that goes on has the state and the batches that an unbroken one has. So it ends with the same weights wherever two unbroken runs
    do: where the device always adds up in the same order, which TensorFlow's convolutions on several threads do not always do.
    """
    standing = checkpoint.read(run.folder, run.plan) or TrainingState(run.plan)
    first = standing.stage
    for number in range(first, len(run.stages)):
        prepare(model, run.stages[number], run.settings)
        if number == first and standing.epoch:
            _put(model.variables, standing.model)
            _put(model.optimizer.variables, standing.optimizer)
        else:
            standing.stage, standing.epoch = number, 0
            _put(model.variables, standing.best or _values(model.variables))
        _train_stage(model, material, run, standing)
    _put(model.variables, standing.best)
    return standing


def prepare(model: "keras.Model", stage: Stage, settings: Settings) -> None:
    """Freezes what this stage leaves alone, and gives the model a fresh Adam and the loss.

    What learns is said by `opened.open_last`.
    """
    import keras

    unfreeze_last(model, stage.open_layers)
    average = {"use_ema": True, "ema_momentum": settings.average} if settings.average else {}
    model.compile(keras.optimizers.Adam(stage.rate, **average), loss=loss_for(settings, model.output_shape[-1]))
    model.optimizer.build(model.trainable_variables)


def _train_stage(model: "keras.Model", material: TrainingData, run: Run, standing: TrainingState) -> None:
    stage = run.stages[standing.stage]
    while standing.epoch < stage.epochs:
        losses = [told["validation_loss"] for told in standing.history if told["stage"] == standing.stage]
        if finished(losses, run.settings.patience):
            return
        started = time.perf_counter()
        loss = _epoch(model, material, run.settings, stage, standing, losses)
        standing.model, standing.optimizer = _values(model.variables), _values(model.optimizer.variables)
        figures, weights = _better(model, material, run.settings)
        _check_finite(figures.loss, standing, stage)
        if figures.loss < standing.best_loss:
            standing.best_loss, standing.best = figures.loss, weights
        _put(model.variables, standing.model)
        standing.epoch += 1
        told = {f"validation_{name}": value for name, value in figures.to_json().items()}
        standing.history.append({"stage": standing.stage, "loss": loss, **told, "seconds": time.perf_counter() - started})
        checkpoint.write(standing, run.folder)
        print(_line(standing), flush=True)


def _epoch(
    model: "keras.Model", material: TrainingData, settings: Settings, stage: Stage, standing: TrainingState, losses: list[float]
) -> float:
    """Trains on one epoch's batches, each at the rate that follows from where the run stands; gives the mean loss."""
    steady, total = plateau(losses, stage.rate), 0.0
    said = f"Epoch {standing.epoch + 1} of {stage.epochs}"
    batches = tqdm(material.epoch(len(standing.history)), said, material.steps, leave=False, unit="batch", disable=None)
    for number, (inputs, targets, weights) in enumerate(batches):
        done = (standing.epoch + number / material.steps) / stage.epochs
        model.optimizer.learning_rate.assign(cosine(done, stage.rate) if settings.schedule == "cosine" else steady)
        total += float(model.train_on_batch(inputs, targets, weights, return_dict=True)["loss"])
        _check_finite(total, standing, stage)
    return total / material.steps


def _check_finite(loss: float, standing: TrainingState, stage: Stage) -> None:
    """Before anything of a diverged epoch is written down."""
    if not math.isfinite(loss):
        raise UserError(
            f"Training diverged: in epoch {standing.epoch + 1} of stage {standing.stage + 1} the loss became {loss}; "
            f"begin anew with a lower --rate than {stage.rate:g} and --fresh."
        )


def _better(model: "keras.Model", material: TrainingData, settings: Settings) -> tuple[ValidationMetrics, Arrays]:
    """How well the weights do on the validation pictures, or their running mean if there is one and it does better; and those weights."""
    found = [(measure_validation(*probabilities(model, material.validation())), _values(model.variables))]
    if settings.average:
        model.optimizer.finalize_variable_values(model.trainable_variables)
        found.append((measure_validation(*probabilities(model, material.validation())), _values(model.variables)))
    return min(found, key=lambda each: each[0].loss)


def _line(standing: TrainingState) -> str:
    told = standing.history[-1]
    return (
        f"Stage {standing.stage + 1}, epoch {standing.epoch}: loss {told['loss']:.4f}; validation: loss {told['validation_loss']:.4f}, "
        f"accuracy {told['validation_accuracy']:.1%}, balanced {told['validation_balanced_accuracy']:.1%}"
    )


def _values(variables: Sequence[Any]) -> Arrays:
    return [np.array(variable) for variable in variables]


def _put(variables: Sequence[Any], values: Arrays) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
