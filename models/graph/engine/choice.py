"""The names of the engines, and what became of a choice."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from errors import UserError


class InferenceEngine(StrEnum):
    """What evaluates forward passes. AUTO: the fastest here that agrees with TensorFlow."""

    AUTO = "auto"
    TENSORFLOW = "tensorflow"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"
    TFLITE = "tflite"
    OWN = "own"

    @property
    def label(self) -> str:
        """Its name as its makers write it."""
        return _LABELS[self]


CHOICES = (InferenceEngine.AUTO, InferenceEngine.TENSORFLOW, InferenceEngine.OPENVINO, InferenceEngine.ONNXRUNTIME)
"""What `--engine` takes; TensorFlow Lite evaluates TFLite models whatever is chosen."""


@dataclass(frozen=True)
class InferenceEngineState:
    """engine: what evaluates forward passes. threads: that it uses. version: of the engine's package.

    remark: why it is not the engine that was asked for; empty where it is.
    """

    engine: InferenceEngine
    threads: int
    version: str
    remark: str = ""

    def __str__(self) -> str:
        return f"{self.engine.label} {self.version}".strip() + f", {self.threads} thread{'s' * (self.threads != 1)}"

    def to_json(self) -> dict[str, Any]:
        return {"name": str(self.engine), "version": self.version, "threads": self.threads, "remark": self.remark}


_LABELS = {
    InferenceEngine.AUTO: "the fastest engine",
    InferenceEngine.TENSORFLOW: "TensorFlow",
    InferenceEngine.OPENVINO: "OpenVINO",
    InferenceEngine.ONNXRUNTIME: "ONNX Runtime",
    InferenceEngine.TFLITE: "TensorFlow Lite",
    InferenceEngine.OWN: "its format's own runtime",
}


class EngineRefused(UserError):  # noqa: N818 - it is the sentence that a person reads
    """An engine stays off; the sentence says why."""
