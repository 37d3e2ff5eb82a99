"""The export formats: each writes a model, and opens the written file as a function of the model's original_name inputs."""

import contextlib
import io
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from errors import UserError
from models.formats.format_registry import open_keras_model
from models.graph.model_inputs import ModelInputStructure, read_model_inputs
from models.sandbox.checks.safe_text import error_reason

Floats = NDArray[np.float32]
ModelInputs = Mapping[str, Floats]
"""The model's inputs by name, of n pictures each."""
ModelFunction = Callable[[ModelInputs], Floats]


@dataclass(frozen=True)
class ExportSource:
    """What is exported. representative: inputs that calibrate int8; None where there are none."""

    model: Any
    name: str
    inputs: tuple[str, ...]
    representative: ModelInputs | None


@dataclass(frozen=True)
class ExportFormat:
    """write(source, folder) -> the file or folder written; open(path, inputs) -> its outputs by inputs."""

    write: Callable[[ExportSource, Path], Path]
    open: Callable[[Path, Sequence[str]], ModelFunction]


def keras_model_as_function(model: Any, inputs: ModelInputStructure) -> ModelFunction:
    """A Keras model (2 or 3) as a function of its inputs by name."""

    def answer(values: ModelInputs) -> Floats:
        leaves = [tf.constant(values[each.name]) for each in inputs.order]
        packed = leaves[0] if len(leaves) == 1 else tf.nest.pack_sequence_as(inputs.structure, leaves)
        return np.asarray(model(packed, training=False), np.float32)

    return answer


def _write_keras(source: ExportSource, folder: Path) -> Path:
    import keras

    if not isinstance(source.model, keras.Model):
        raise UserError("A model of Keras 2 cannot be written as .keras, which is Keras 3's; keep its .h5 file, or rebuild it in Keras 3.")
    path = folder / f"{source.name}.keras"
    source.model.save(path)
    return path


def _open_keras(path: Path, _: Sequence[str]) -> ModelFunction:
    model = open_keras_model(path)
    return keras_model_as_function(model, read_model_inputs(model, path.name))


def _write_saved_model(source: ExportSource, folder: Path) -> Path:
    path = folder / source.name
    with contextlib.redirect_stdout(io.StringIO()):  # Keras 2 prints what it wrote, and has no setting against it
        source.model.export(str(path))
    return path


def _open_saved_model(path: Path, inputs: Sequence[str]) -> ModelFunction:
    loaded = tf.saved_model.load(str(path))
    signature_runner = loaded.signatures["serving_default"]
    names = _names(list(signature_runner.structured_input_signature[1]), inputs)

    def answer(values: ModelInputs) -> Floats:
        kept_alive = loaded  # whose variables the signature does not keep alive
        (outputs,) = signature_runner(**{name: tf.constant(values[original_name]) for name, original_name in names.items()}).values()
        return np.asarray(outputs if kept_alive else None, np.float32)

    return answer


def _write_tflite(source: ExportSource, folder: Path) -> Path:
    return _convert(source, folder, lambda converter, _: converter)


def _write_int8(source: ExportSource, folder: Path) -> Path:
    values = source.representative
    if values is None:
        raise UserError("int8 needs pictures like those it will see, by which it chooses its ranges; give a folder with --pictures.")

    def in_int8(converter: Any, names: Mapping[str, str]) -> Any:
        """Weights and activations in int8, inputs and outputs in float32; operations without an int8 form stay float32."""
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: iter(_one_by_one(values, names))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
        return converter

    return _convert(source, folder, in_int8)


def _open_tflite(path: Path, inputs: Sequence[str]) -> ModelFunction:
    with _deprecation_silenced():
        interpreter = tf.lite.Interpreter(model_path=str(path))
    signature_runner = interpreter.get_signature_runner("serving_default")
    names = _names(list(signature_runner.get_input_details()), inputs)

    def answer(values: ModelInputs) -> Floats:
        outputs = [next(iter(signature_runner(**one).values())) for one in _one_by_one(values, names)]
        return np.concatenate(outputs).astype(np.float32)

    return answer


FORMATS = {
    "keras": ExportFormat(_write_keras, _open_keras),
    "savedmodel": ExportFormat(_write_saved_model, _open_saved_model),
    "tflite": ExportFormat(_write_tflite, _open_tflite),
    "tflite-int8": ExportFormat(_write_int8, _open_tflite),
}


def _convert(source: ExportSource, folder: Path, set_up: Callable[[Any, Mapping[str, str]], Any]) -> Path:
    """Converts by way of a temporary SavedModel: the converter has been seen to lose the weights of a model in memory."""
    saved_model = _write_saved_model(source, folder)
    try:
        signature = tf.saved_model.load(str(saved_model)).signatures["serving_default"]
        names = _names(list(signature.structured_input_signature[1]), source.inputs)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model), signature_keys=["serving_default"])
        with _deprecation_silenced():
            content = set_up(converter, names).convert()
    except Exception as error:  # the converter raises whatever the compiler beneath it says
        raise UserError(f"TensorFlow Lite cannot hold this model: {error_reason(error)}") from error
    finally:
        shutil.rmtree(saved_model)
    path = folder / f"{source.name}.tflite"
    path.write_bytes(content)
    return path


@contextlib.contextmanager
def _deprecation_silenced() -> Iterator[None]:
    """Silences TensorFlow's notice, at every new interpreter, that the class will move to another package."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated", UserWarning)
        yield


def _names(found: Sequence[str], inputs: Sequence[str]) -> dict[str, str]:
    """The name of each input in a written model -> its name in the original; a single one may have been renamed."""
    if len(found) == len(inputs) == 1:
        return {found[0]: inputs[0]}
    if set(found) != set(inputs):
        raise UserError(f"Its inputs {', '.join(inputs)} came out as {', '.join(found)}, which cannot be matched; name the inputs apart.")
    return {name: name for name in inputs}


def _one_by_one(values: ModelInputs, names: Mapping[str, str]) -> list[dict[str, Floats]]:
    """One picture at a time, by the written model's names."""
    return [
        {name: values[original_name][i : i + 1] for name, original_name in names.items()} for i in range(len(next(iter(values.values()))))
    ]
