"""A person's own layers and functions, from the Python file that they name: it is run, so only for models that are trusted."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from errors import UserError

_files: list[Path] = []
_waiting: list[Path] = []
_names: dict[str, Any] = {}


def register_custom_objects(path: Path) -> None:
    """From now on models that this process opens may use what the file defines, and code in their own files."""
    _files.append(path)
    _waiting.append(path)


def custom_objects_given() -> bool:
    """Whether code of a model's own may run here."""
    return bool(_files)


@contextmanager
def custom_objects(kit: Any) -> Iterator[dict[str, Any]]:
    """A scope in which Keras (2 or 3) finds what the files define; they are run once. UserError where one cannot be run."""
    while _waiting:
        _names.update(_definitions(_waiting.pop(0)))
    if not _files:
        yield {}
        return
    with kit.saving.custom_object_scope(_by_every_name(kit)):
        yield {**_usual_names(kit), **_names}


def _usual_names(kit: Any) -> dict[str, Any]:
    """What the code of Lambda layers calls these by, whatever file it was written in."""
    import numpy as np
    import tensorflow as tf

    return {"K": kit.backend, "keras": kit, "tf": tf, "np": np}


def _definitions(path: Path) -> dict[str, Any]:
    """What the file defines. It can be imported by its own name, as the code that saved the model may have done."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UserError(f"--custom-objects {path.name} is no Python file; give one that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a person's own code may raise anything
        raise UserError(f"--custom-objects {path.name} cannot be run ({type(error).__name__}: {error}); fix it.") from error
    return {name: getattr(module, name) for name in dir(module) if not name.startswith("__")}


def _by_every_name(kit: Any) -> dict[str, Any]:
    """Classes and functions by the names that a model's file may have for them: plain, and with the package that they registered for."""
    found = {name: value for name, value in _names.items() if callable(value)}
    registered = {kit.saving.get_registered_name(value): value for value in found.values() if isinstance(value, type)}
    return {**registered, **found}
