"""The shared parts of every run: task, clock, memory and result. Standard library and numpy only.

A run is a process of its own. It loads the model, evaluates the picture once, and then makes its maps, each as often as requested:
the first call includes compilation, the later ones do not.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

Map = np.ndarray
"""(H, W): signed where the technique is, not normalised."""


@dataclass(frozen=True)
class Task:
    """What to explain. picture: file of (H, W, 3) float32 in 0..1; the model takes 2 x - 1. calls: each with a seed of its own.

    reference: make each map also with many more evaluations, or exactly, where it is not exact as it is.
    """

    model: Path
    picture: Path
    target: int
    out: Path
    maps: tuple[str, ...]
    seeds: tuple[int, ...]
    reference: bool

    @property
    def image(self) -> np.ndarray:
        """(H, W, 3) float32 in 0..1."""
        return np.asarray(np.load(self.picture))

    @property
    def batch(self) -> np.ndarray:
        """(1, H, W, 3) float32 in -1..1, as the model takes it."""
        return np.asarray(self.image[None] * 2 - 1)


@dataclass
class Calls:
    """One map's calls, in order.

    seconds: by the clock. processor: seconds of all threads, where they can be separated. megabytes: the highest peak beyond idle.
    """

    evaluations: int
    seconds: list[float] = field(default_factory=list)
    processor: list[float | None] = field(default_factory=list)
    megabytes: float = 0.0

    def to_json(self) -> dict[str, object]:
        return {
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "processor": self.processor,
            "megabytes": self.megabytes,
        }


def parse_task() -> Task:
    """The task of the command line."""
    parser = argparse.ArgumentParser(description="One run of python -m benchmarks.speed, which starts it.")
    for name in ("model", "picture", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--target", type=int, required=True)
    parser.add_argument("--maps", nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--reference", action="store_true")
    options = parser.parse_args()
    return Task(options.model, options.picture, options.target, options.out, tuple(options.maps), tuple(options.seeds), options.reference)


class Memory:
    """Megabytes in use beyond those in use when it was made."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts from here, not from loading the model
        self._idle = _status("VmRSS")

    def peak(self) -> float:
        """The most since this was made, by the kernel's high-water mark, which getrusage reads too."""
        return max(min(_status("VmHWM"), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024) - self._idle, 0)


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":"))


class RunResult:
    """What a run leaves in its folder: calls and versions as JSON, maps as an archive."""

    def __init__(self, task: Task) -> None:
        self._out = task.out
        self._maps: dict[str, Map] = {}
        self.calls: dict[str, Calls] = {}
        self.figures: dict[str, float] = {}

    def timed(self, name: str, seeds: tuple[int, ...], explain: Callable[[int], Map], evaluations: int) -> None:
        """Makes the map `name` once for each seed and keeps what it cost and what came out."""
        calls = self.calls[name] = Calls(evaluations)
        memory = Memory()
        for seed in seeds:
            started, busy = time.perf_counter(), time.process_time()
            found = explain(seed)
            calls.seconds.append(time.perf_counter() - started)
            calls.processor.append(time.process_time() - busy)
            self.keep(name, str(seed), found)
        calls.megabytes = memory.peak()

    def keep(self, name: str, reading: str, found: Map) -> None:
        """reading: a seed, or `reference`."""
        self._maps[f"{name}/{reading}"] = np.asarray(found, np.float32)

    def write(self, *packages: str) -> None:
        """The answer, with the versions of the packages that made it."""
        self._out.mkdir(parents=True, exist_ok=True)
        maps: dict[str, Any] = {**self._maps}
        np.savez(self._out / "maps.npz", **maps)
        content = {
            "calls": {name: calls.to_json() for name, calls in self.calls.items()},
            "figures": self.figures,
            "versions": {name: version(name) for name in packages},
        }
        (self._out / "answer.json").write_text(json.dumps(content), encoding="utf-8")


def keras_model(task: Task, logits: bool) -> Any:
    """The model, evaluated once on the picture. logits: without its softmax."""
    import keras

    model = keras.models.load_model(task.model, compile=False)
    if logits:
        model.layers[-1].activation = keras.activations.linear
    model.predict(task.batch, verbose=0)
    return model
