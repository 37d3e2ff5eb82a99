"""Opens a model with its weights in one file and its architecture, written by model.to_json(), in another next to it."""

from importlib import import_module
from pathlib import Path
from typing import Any

from errors import UserError
from models.cards.sidecar_files import read_architecture
from models.formats.custom_objects import custom_objects, custom_objects_given
from models.formats.known_classes import harmless_names_scope
from models.sandbox.checks.model_config import check_config_for_code, is_keras_3_config
from models.sandbox.checks.safe_text import error_reason


def open_weights_with_architecture(path: Path) -> Any:
    """The Keras model of the architecture next to `path`, with the weights at `path`. UserError where it is missing or does not fit."""
    text = read_architecture(path)
    if text is None:
        raise UserError(
            f"{path.name} holds weights without an architecture; put model.to_json() beside it as model.json, "
            "or save the whole model with model.save('name.keras')."
        )
    if not custom_objects_given():
        check_config_for_code(text, path.name)
    kit = import_module("keras" if is_keras_3_config(text) else "tf_keras")
    try:
        with harmless_names_scope(text, kit), custom_objects(kit):
            model = kit.models.model_from_json(text)
        model.load_weights(path)
    except UserError:
        raise
    except Exception as error:  # Keras passes on any error of its layers; the sentence must name the file
        raise UserError(f"{path.name} and the architecture beside it do not make a model: {error_reason(error)}") from error
    return model
