"""Recognises unsupported formats, and says how to convert each into a supported one."""

from collections.abc import Sequence
from pathlib import Path

from errors import UserError

_BY_ENDING = {
    ".pt": "a model of PyTorch, which is pickled code; export it with torch.onnx.export and give the .onnx file",
    ".ckpt": "a checkpoint, weights without an architecture; save the whole model with model.save('name.keras')",
    ".pb": "a frozen graph of TensorFlow 1; save it as a SavedModel (tf.saved_model.save), or convert it with tf2onnx --graphdef",
    ".mlmodel": "a model of Core ML, which runs only on Apple's systems; give the Keras or ONNX model that it was made from",
    ".safetensors": "a file of weights without an architecture; export the model as ONNX, or save it with model.save('name.keras')",
    ".pkl": "a pickle, which is a program that would run here; ask for a .keras or .onnx file",
    ".pmml": "a PMML file; export the model as ONNX",
    ".caffemodel": "a model of Caffe; convert it to ONNX",
    ".gguf": "a language model's weights; give an image classifier",
}
_ALIASES = {".pth": ".pt", ".mar": ".pt", ".torchscript": ".pt", ".mlpackage": ".mlmodel", ".joblib": ".pkl", ".pickle": ".pkl"}
_TENSORFLOW_JS = "the model.json of TensorFlow.js under another name; call it model.json again, beside its weights, and give their folder"


def unsupported_format_sentence(path: Path, start: bytes) -> str:
    """The sentence about a file of a known unsupported format; empty for an unknown one. start: its first bytes."""
    if start.lstrip()[:1] == b"{" and (b"weightsManifest" in start or _is_tensorflow_js(path)):
        return f"{path.name} is {_TENSORFLOW_JS}."
    found = _BY_ENDING.get(_ALIASES.get(path.suffix, path.suffix), "")
    return f"{path.name} is {found}." if found and start else ""


def refuse_unsupported_folder(folder: Path, found: Sequence[Path]) -> None:
    """UserError where a folder holds only a model of an unsupported format."""
    if found:
        return
    for file in sorted(folder.iterdir()):
        start = b"{" if file.suffix == ".json" else b"?"
        if words := unsupported_format_sentence(file, start):
            raise UserError(f"The folder {folder} holds no model that is read here: {words}")


def _is_tensorflow_js(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            head = file.read(4096)
            file.seek(max(0, size - 100_000))
            return b'"weightsManifest"' in head or b'"weightsManifest"' in file.read()
    except OSError:
        return False
