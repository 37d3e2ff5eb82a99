"""The formats: each writes a model, and opens what was written again as a function of the model's own inputs."""

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
from models.checks.display import reason
from models.formats.keras_file import open_keras
from models.graph.inputs import Inputs, inputs_of

Floats = NDArray[np.float32]
Given = Mapping[str, Floats]
"""The model's inputs by name, of n pictures each."""
Answer = Callable[[Given], Floats]


@dataclass(frozen=True)
class Source:
    """What is exported. representative: inputs by which int8's ranges are chosen; None where there are none."""

    model: Any
    name: str
    inputs: tuple[str, ...]
    representative: Given | None


@dataclass(frozen=True)
class Format:
    """write(source, folder) -> the file or folder written; opened(path, inputs) -> its answers."""

    write: Callable[[Source, Path], Path]
    opened: Callable[[Path, Sequence[str]], Answer]


def answers_of(model: Any, inputs: Inputs) -> Answer:
    """A Keras model (2 or 3) as a function of its inputs by name."""

    def answer(given: Given) -> Floats:
        leaves = [tf.constant(given[each.name]) for each in inputs.order]
        packed = leaves[0] if len(leaves) == 1 else tf.nest.pack_sequence_as(inputs.structure, leaves)
        return np.asarray(model(packed, training=False), np.float32)

    return answer


def _write_keras(source: Source, folder: Path) -> Path:
    import keras

    if not isinstance(source.model, keras.Model):
        raise UserError("A model of Keras 2 cannot be written as .keras, which is Keras 3's; keep its .h5 file, or rebuild it in Keras 3.")
    path = folder / f"{source.name}.keras"
    source.model.save(path)
    return path


def _open_keras(path: Path, _: Sequence[str]) -> Answer:
    model = open_keras(path)
    return answers_of(model, inputs_of(model, path.name))


def _write_saved_model(source: Source, folder: Path) -> Path:
    path = folder / source.name
    with contextlib.redirect_stdout(io.StringIO()):  # Keras 2 prints what it wrote, and has no setting against it
        source.model.export(str(path))
    return path


def _open_saved_model(path: Path, inputs: Sequence[str]) -> Answer:
    loaded = tf.saved_model.load(str(path))
    ask = loaded.signatures["serving_default"]
    names = _names(list(ask.structured_input_signature[1]), inputs)

    def answer(given: Given) -> Floats:
        held = loaded  # whose variables the signature does not keep alive
        (told,) = ask(**{name: tf.constant(given[own]) for name, own in names.items()}).values()
        return np.asarray(told if held else None, np.float32)

    return answer


def _write_tflite(source: Source, folder: Path) -> Path:
    return _converted(source, folder, lambda converter, _: converter)


def _write_int8(source: Source, folder: Path) -> Path:
    given = source.representative
    if given is None:
        raise UserError("int8 needs pictures like those it will see, by which it chooses its ranges; give a folder with --pictures.")

    def in_int8(converter: Any, names: Mapping[str, str]) -> Any:
        """Weights and what passes between operations in int8, inputs and answers in float32; what has no int8 form stays float32."""
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: iter(_each(given, names))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
        return converter

    return _converted(source, folder, in_int8)


def _open_tflite(path: Path, inputs: Sequence[str]) -> Answer:
    with _unannounced():
        interpreter = tf.lite.Interpreter(model_path=str(path))
    ask = interpreter.get_signature_runner("serving_default")
    names = _names(list(ask.get_input_details()), inputs)

    def answer(given: Given) -> Floats:
        told = [next(iter(ask(**one).values())) for one in _each(given, names)]
        return np.concatenate(told).astype(np.float32)

    return answer


FORMATS = {
    "keras": Format(_write_keras, _open_keras),
    "savedmodel": Format(_write_saved_model, _open_saved_model),
    "tflite": Format(_write_tflite, _open_tflite),
    "tflite-int8": Format(_write_int8, _open_tflite),
}


def _converted(source: Source, folder: Path, set_up: Callable[[Any, Mapping[str, str]], Any]) -> Path:
    """By way of a SavedModel, which is deleted again: of a model in memory the converter has been seen to lose the weights."""
    between = _write_saved_model(source, folder)
    try:
        signature = tf.saved_model.load(str(between)).signatures["serving_default"]
        names = _names(list(signature.structured_input_signature[1]), source.inputs)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(between), signature_keys=["serving_default"])
        with _unannounced():
            content = set_up(converter, names).convert()
    except Exception as error:  # the converter raises whatever the compiler beneath it says
        raise UserError(f"TensorFlow Lite cannot hold this model: {reason(error)}") from error
    finally:
        shutil.rmtree(between)
    path = folder / f"{source.name}.tflite"
    path.write_bytes(content)
    return path


@contextlib.contextmanager
def _unannounced() -> Iterator[None]:
    """TensorFlow announces whenever it makes an interpreter that the class will move to a package of its own."""
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


def _each(given: Given, names: Mapping[str, str]) -> list[dict[str, Floats]]:
    """One picture at a time, by the written model's names."""
    return [{name: given[own][i : i + 1] for name, own in names.items()} for i in range(len(next(iter(given.values()))))]
