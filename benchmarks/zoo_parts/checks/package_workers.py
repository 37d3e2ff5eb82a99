"""Runs packages on the same files, each in a process of its environment: a crash or a hang costs one cell of the table."""

import json
import os
import selectors
import subprocess
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.competitors.environments import ROOT, interpreter
from benchmarks.zoo_parts.checks.model_check import ModelInputs

PACKAGES = {"tf_keras_vis": "tf-keras-vis", "xplique": "Xplique", "tf_explain": "tf-explain"}
KERAS_2_PACKAGES = {"tf_explain"}
LONGEST = 900.0
"""Seconds that a package may take for one model."""


class WorkerFailure(StrEnum):
    """What became of a package's process that gave no answer."""

    LATE = f"it took more than {LONGEST:.0f} s"
    ENDED = "its process ended"


class PackageWorker:
    """A package's process. ask, then answer: it works in parallel. command: what starts it, the package's module by default."""

    def __init__(self, package: str, command: Sequence[str] = ()) -> None:
        self.package = package
        self._command = command or (str(interpreter(package)), "-m", f"benchmarks.zoo_parts.packages.{package}")
        self._process: subprocess.Popen[bytes] | None = None
        self._deadline = 0.0

    def ask(self, path: Path, inputs_of_model: ModelInputs, folder: Path) -> None:
        """path: the model's file. folder: where the inputs are left for it."""
        inputs = folder / f"{self.package}.npz"
        np.savez(inputs, *inputs_of_model.inputs)
        job = {"path": str(path), "inputs": str(inputs), "target": inputs_of_model.target, "units": inputs_of_model.units}
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.flush()
        self._deadline = time.monotonic() + LONGEST

    def answer(self) -> dict[str, Any]:
        """{"maps": {title: what became of it}}, or {"error": why there are none}."""
        line = self._line()
        if line:
            received: dict[str, Any] = json.loads(line)
            return received
        late = time.monotonic() >= self._deadline
        self.close()
        return {"error": WorkerFailure.LATE if late else WorkerFailure.ENDED}

    def close(self) -> None:
        """Ends its process."""
        if self._process:
            self._process.kill()
            self._process.communicate()
        self._process = None

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process and self._process.poll() is not None:
            self.close()
        if self._process is None:
            quiet = {
                **os.environ,
                "TF_CPP_MIN_LOG_LEVEL": "3",
                "CUDA_VISIBLE_DEVICES": "-1",
                "TF_USE_LEGACY_KERAS": str(int(self.package in KERAS_2_PACKAGES)),
            }
            pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
            self._process = subprocess.Popen(self._command, cwd=ROOT, env=quiet, stdin=pipe, stdout=pipe, stderr=nowhere, bufsize=0)
        return self._process

    def _line(self) -> bytes:
        """What it answered; empty where it ended or the time is over."""
        process, received = self._running(), b""
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not received.endswith(b"\n"):
                if not selector.select(max(self._deadline - time.monotonic(), 0)):
                    return b""
                more = os.read(process.stdout.fileno(), 65536)
                if not more:
                    return b""
                received += more
        return received
