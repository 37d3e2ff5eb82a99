"""What every package's process has in common: it takes a job a line, opens the model, makes its maps and answers a line."""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FLAT = 1e-5
"""A map that varies by less than this share of its largest value is blank, as one of ours is."""

Maps = Iterator[tuple[str, Callable[[], Any]]]


@dataclass(frozen=True)
class Job:
    """path: the model. inputs: as it takes them, each (1, ...). target: the class; units: how many numbers the model gives."""

    path: Path
    inputs: list[np.ndarray]
    target: int
    units: int

    @property
    def unit(self) -> int:
        """The number that speaks for the class."""
        return self.target if self.units > 1 else 0

    @property
    def model_input(self) -> Any:
        """The only input, or the list of all."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    @property
    def side(self) -> int:
        """The picture's smaller side, in pixels."""
        return int(min(self.inputs[0].shape[1:3]))


def serve(opened: Callable[[Path], Any], maps: Callable[[Any, Job], Maps]) -> None:
    """Until the input ends. Whatever a package prints goes elsewhere."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line), opened, maps)), file=answers, flush=True)


def _answer(message: dict[str, Any], opened: Callable[[Path], Any], maps: Callable[[Any, Job], Maps]) -> dict[str, Any]:
    with np.load(message["inputs"]) as archive:
        inputs = [archive[name] for name in archive.files]
    job = Job(Path(message["path"]), inputs, message["target"], message["units"])
    try:
        model = opened(job.path)
    except Exception as error:
        return {"error": _error_text(error)}
    with contextlib.suppress(Exception):  # a network is built by its first evaluation; whether that works is seen in its maps
        model.predict(job.model_input, verbose=0)
    return {"maps": {title: _kind(explain) for title, explain in maps(model, job)}}


def _kind(explain: Callable[[], Any]) -> str:
    try:
        values = np.asarray(explain(), np.float64)
    except Exception as error:
        return f"failed: {_error_text(error)}"
    if not np.isfinite(values).all():
        return "not finite"
    return "map" if np.ptp(values) > FLAT * np.abs(values).max() else "blank"


def _error_text(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def keras_model(path: Path) -> Any:
    """Opened as Keras documents it; also weights with a separate architecture file."""
    import tensorflow as tf

    tf.keras.backend.clear_session()
    if (path / "model.json").exists():
        model = tf.keras.models.model_from_json((path / "model.json").read_text(encoding="utf-8"))
        model.load_weights(str(path / "net.weights.h5"))
        return model
    return tf.keras.models.load_model(str(path), compile=False)
