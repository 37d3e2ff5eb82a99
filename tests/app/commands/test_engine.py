"""The engine of a command."""

import pytest

from app.commands.engine import with_chosen_engine
from models.graph.engine.choice import InferenceEngine
from models.loading import load_classifier


def test_few_evaluations_are_not_worth_compiling(capsys: pytest.CaptureFixture[str]) -> None:
    fresh = load_classifier("glass_box")
    assert with_chosen_engine(fresh, "auto", 100) is fresh
    assert with_chosen_engine(fresh, "openvino", 100).engine.engine is InferenceEngine.OPENVINO
    assert not capsys.readouterr().err
    assert with_chosen_engine(fresh, "onnxruntime").engine.engine is InferenceEngine.TENSORFLOW
    assert capsys.readouterr().err == "ONNX Runtime evaluates ONNX models alone; this one is evaluated by TensorFlow.\n"
