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
from models.training.learning_rates import cosine_learning_rate, plateau_learning_rate, should_stop_early
from models.training.losses import build_loss
from models.training.trainable_layers import unfreeze_last_layers
from models.training.training_settings import TrainingSettings, TrainingStage
from models.training.validation_metrics import ValidationMetrics, compute_validation_metrics, predict_batches

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
class TrainingRun:
    """How to train, and the folder of the checkpoint. plan: the run's options; a checkpoint of another plan is refused."""

    stages: Sequence[TrainingStage]
    settings: TrainingSettings
    folder: Path
    plan: dict[str, Any]


def train_model(model: "keras.Model", data: TrainingData, run: TrainingRun) -> TrainingState:
    """Trains stage by stage, from the folder's checkpoint where there is one, and leaves the best weights in the model.

    A resumed run has the state and the batches of an uninterrupted one. It ends with the same weights wherever two uninterrupted runs do:
    where the device always adds in the same order, which TensorFlow's convolutions on several threads do not always do. Exact
    resumption in several stages is the reason for this loop in place of Keras's `fit` and callbacks.
    """
    state = checkpoint.read_checkpoint(run.folder, run.plan) or TrainingState(run.plan)
    first = state.stage
    for number in range(first, len(run.stages)):
        compile_training_stage(model, run.stages[number], run.settings)
        if number == first and state.epoch:
            _assign(model.variables, state.model)
            _assign(model.optimizer.variables, state.optimizer)
        else:
            state.stage, state.epoch = number, 0
            _assign(model.variables, state.best or _values(model.variables))
        _train_stage(model, data, run, state)
    _assign(model.variables, state.best)
    return state


def compile_training_stage(model: "keras.Model", stage: TrainingStage, settings: TrainingSettings) -> None:
    """Freezes the layers that this stage does not train, and gives the model a new Adam and the loss.

    The trained layers are those of `trainable_layers.unfreeze_last_layers`.
    """
    import keras

    unfreeze_last_layers(model, stage.open_layers)
    average = {"use_ema": True, "ema_momentum": settings.average} if settings.average else {}
    model.compile(keras.optimizers.Adam(stage.rate, **average), loss=build_loss(settings, model.output_shape[-1]))
    model.optimizer.build(model.trainable_variables)


def _train_stage(model: "keras.Model", data: TrainingData, run: TrainingRun, state: TrainingState) -> None:
    stage = run.stages[state.stage]
    while state.epoch < stage.epochs:
        losses = [entry["validation_loss"] for entry in state.history if entry["stage"] == state.stage]
        if should_stop_early(losses, run.settings.patience):
            return
        started = time.perf_counter()
        loss = _epoch(model, data, run.settings, stage, state, losses)
        state.model, state.optimizer = _values(model.variables), _values(model.optimizer.variables)
        figures, weights = _validate(model, data, run.settings)
        _check_finite(figures.loss, state, stage)
        if figures.loss < state.best_loss:
            state.best_loss, state.best = figures.loss, weights
        _assign(model.variables, state.model)
        state.epoch += 1
        entry = {f"validation_{name}": value for name, value in figures.to_json().items()}
        state.history.append({"stage": state.stage, "loss": loss, **entry, "seconds": time.perf_counter() - started})
        checkpoint.write_checkpoint(state, run.folder)
        print(_progress_line(state), flush=True)


def _epoch(
    model: "keras.Model", data: TrainingData, settings: TrainingSettings, stage: TrainingStage, state: TrainingState, losses: list[float]
) -> float:
    """Trains on one epoch's batches, each at the rate that follows from where the run stands; gives the mean loss."""
    steady, total = plateau_learning_rate(losses, stage.rate), 0.0
    description = f"Epoch {state.epoch + 1} of {stage.epochs}"
    batches = tqdm(data.epoch(len(state.history)), description, data.steps, leave=False, unit="batch", disable=None)
    for number, (inputs, targets, weights) in enumerate(batches):
        done = (state.epoch + number / data.steps) / stage.epochs
        model.optimizer.learning_rate.assign(cosine_learning_rate(done, stage.rate) if settings.schedule == "cosine" else steady)
        total += float(model.train_on_batch(inputs, targets, weights, return_dict=True)["loss"])
        _check_finite(total, state, stage)
    return total / data.steps


def _check_finite(loss: float, state: TrainingState, stage: TrainingStage) -> None:
    """Before anything of a diverged epoch is written down."""
    if not math.isfinite(loss):
        raise UserError(
            f"Training diverged: in epoch {state.epoch + 1} of stage {state.stage + 1} the loss became {loss}; "
            f"begin again with a lower --rate than {stage.rate:g} and --fresh."
        )


def _validate(model: "keras.Model", data: TrainingData, settings: TrainingSettings) -> tuple[ValidationMetrics, Arrays]:
    """How well the weights do on the validation pictures, or their running mean if there is one and it does better; and those weights."""
    found = [(compute_validation_metrics(*predict_batches(model, data.validation())), _values(model.variables))]
    if settings.average:
        model.optimizer.finalize_variable_values(model.trainable_variables)
        found.append((compute_validation_metrics(*predict_batches(model, data.validation())), _values(model.variables)))
    return min(found, key=lambda each: each[0].loss)


def _progress_line(state: TrainingState) -> str:
    entry = state.history[-1]
    return (
        f"Stage {state.stage + 1}, epoch {state.epoch}: loss {entry['loss']:.4f}; validation: loss {entry['validation_loss']:.4f}, "
        f"accuracy {entry['validation_accuracy']:.1%}, balanced {entry['validation_balanced_accuracy']:.1%}"
    )


def _values(variables: Sequence[Any]) -> Arrays:
    return [np.array(variable) for variable in variables]


def _assign(variables: Sequence[Any], values: Arrays) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
