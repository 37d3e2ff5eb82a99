"""Checks a model's configuration before anything is built from it: its size, its depth, and every class and function it names."""

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from errors import UserError
from models.sandbox.checks import allowed_names
from models.sandbox.checks.allowed_names import harmless_class_name, harmless_function_name
from models.sandbox.checks.safe_text import printable_text

LONGEST, DEEPEST, MOST_OBJECTS = 8_000_000, 200, 100_000
LARGEST_NUMBER = 2**31

_MODULE = re.compile(
    r"keras(\.src)?(\.(engine|layers|models|ops|applications|initializers|regularizers|constraints|optimizers|losses|metrics"
    r"|dtype_policies|mixed_precision|random|activations)(\.[a-z0-9_]+)*)?|builtins"
)
_KERAS_HUB = re.compile(r"keras_hub(\.src)?\.(models|layers)(\.[a-z0-9_]+)*")
_ANY_NUMBER = {"shared_object_id", "seed"}
_ADVICE = "rebuild the model from layers of Keras and save it again"
_OWN_CODE = "or give --trust and --custom-objects FILE.py if the code is your own"


def check_model_config(text: str | bytes, name: str, older: bool = False) -> None:
    """Raises UserError for anything an image classifier does not need. older: whether Keras 2 wrote it. name: the file's."""
    if len(text) > LONGEST:
        raise UserError(
            f"{name} describes its layers in {len(text) / 1e6:.0f} MB; {LONGEST / 1e6:.0f} MB is the most for a model that is not trusted."
        )
    config = _parse(text, name)
    config.pop("compile_config", None)  # the training setup, unused here
    classes = allowed_names.CLASSES_OF_KERAS_2 if older else allowed_names.CLASSES
    for part in _objects(config, name):
        _check_object(part, name, classes)


def check_config_for_code(text: str | bytes, name: str) -> None:
    """The part of `check_model_config` about code: Keras 2 would run it, and call any TensorFlow function by name, unconditionally."""
    for part in _objects(_parse(text, name), name):
        _check_code(part, name)


def custom_class_sentence(text: str | bytes, name: str) -> str:
    """The sentence about a class or function that is none of Keras', if the configuration names one; else empty."""
    try:
        check_model_config(text, name, older=True)
    except UserError as error:
        return str(error)
    return ""


def is_keras_3_config(text: str) -> bool:
    """Whether Keras 3 wrote the architecture: it names the module of each class."""
    return "module" in json.loads(text)


def _parse(text: str | bytes, name: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name} describes its layers in a way that cannot be read; save or download it again.") from error
    if not isinstance(config, dict):
        raise UserError(f"{name} describes its layers as a {type(config).__name__}; save it again by model.save.")
    return config


def _objects(config: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """Every part that names a class, however deep. Absurd numbers and depths are refused on the way."""
    waiting: list[tuple[Any, int]] = [(config, 0)]
    count = 0
    while waiting:
        part, depth = waiting.pop()
        if depth > DEEPEST:
            raise UserError(f"{name} nests its configuration more than {DEEPEST} deep; {_ADVICE}.")
        if isinstance(part, dict):
            if "class_name" in part or "registered_name" in part:
                count += 1
                yield part
            waiting += [(each, depth + 1) for key, each in part.items() if key not in _ANY_NUMBER]
        elif isinstance(part, list):
            waiting += [(each, depth + 1) for each in part]
        elif isinstance(part, int) and abs(part) > LARGEST_NUMBER:
            raise UserError(f"{name} holds the number {str(part)[:24]} in its configuration, more than any layer can have; {_ADVICE}.")
        if count > MOST_OBJECTS:
            raise UserError(f"{name} names more than {MOST_OBJECTS} layers and parts; {_ADVICE}.")


def _check_object(part: dict[str, Any], name: str, classes: frozenset[str]) -> None:
    kind, module, registered = part.get("class_name"), part.get("module"), part.get("registered_name")
    if not isinstance(kind, str):
        raise UserError(f"{name} names a class as '{printable_text(kind)}', which is no name; {_ADVICE}.")
    _check_code(part, name)
    if harmless_class_name(str(registered or kind)) or (kind == "function" and harmless_function_name(str(part.get("config")))):
        return
    if module is not None and _KERAS_HUB.fullmatch(str(module)):
        _check_keras_hub(str(kind), name)
        return
    if module is not None and not _MODULE.fullmatch(str(module).removeprefix("tf_" if classes is allowed_names.CLASSES_OF_KERAS_2 else "")):
        raise UserError(
            f"{name} asks for '{printable_text(kind)}' of the module '{printable_text(module)}', which is no part of Keras; "
            f"{_ADVICE}, {_OWN_CODE}."
        )
    if kind == "function":
        _check_function(part, name)
    elif kind not in allowed_names.VALUES and (kind not in classes or registered not in (None, kind)):
        raise UserError(
            f"{name} needs the class '{printable_text(registered or kind)}', which is none of Keras' layers; {_ADVICE}, {_OWN_CODE}."
        )


def _check_keras_hub(kind: str, name: str) -> None:
    """Of KerasHub what image classifiers are made of; its tokenizers read files."""
    if find_spec("keras_hub") is None:
        raise UserError(
            f"{name} is made of KerasHub's '{printable_text(kind)}', which is not installed here; run pip install keras-hub, "
            "or give what model.export('folder') writes."
        )
    if not kind.endswith(allowed_names.KERAS_HUB_ENDINGS):
        raise UserError(f"{name} needs KerasHub's '{printable_text(kind)}', which no image classifier needs; {_ADVICE}.")


def _check_code(part: dict[str, Any], name: str) -> None:
    kind = str(part.get("class_name")).rpartition(">")[2]
    if kind in allowed_names.CARRIES_CODE:
        what = "Lambda layer" if kind in ("Lambda", "__lambda__") else kind
        article = "an" if what.startswith("I") else "a"
        raise UserError(
            f"{name} holds {article} {what}, {allowed_names.CARRIES_CODE[kind]}; rebuild the model without it and save it again, "
            f"{_OWN_CODE}."
        )
    if kind in allowed_names.CALLS_BY_NAME:
        _check_tensorflow_function(part, name)


def _check_function(part: dict[str, Any], name: str) -> None:
    called = part.get("config")
    if not isinstance(called, str) or called not in allowed_names.FUNCTIONS:
        raise UserError(
            f"{name} calls the function '{printable_text(called)}', which is none of Keras' activations; {_ADVICE}, {_OWN_CODE}."
        )


def _check_tensorflow_function(part: dict[str, Any], name: str) -> None:
    config = part.get("config")
    function = str(config.get("function", "")) if isinstance(config, dict) else ""
    if function.split(".")[0] not in allowed_names.ARITHMETIC and function not in allowed_names.ARITHMETIC_FUNCTIONS:
        raise UserError(
            f"{name} calls TensorFlow's '{printable_text(function)}' by name, which is no arithmetic; rebuild the model without it."
        )
