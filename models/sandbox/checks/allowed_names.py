"""Names that a configuration may use: the computing parts of Keras, none that read files, run code or wrap other frameworks."""

from pathlib import Path


def _paragraphs() -> dict[str, frozenset[str]]:
    text = (Path(__file__).parent / "allowed_names.txt").read_text(encoding="utf-8")
    paragraphs = (part.split(":") for part in text.split("\n\n")[1:])
    return {title.strip(): frozenset(words.split()) for title, words in paragraphs}


_NAMES = _paragraphs()

CLASSES = frozenset().union(*(_NAMES[part] for part in ("layers", "layers of applications", "operations", "parts", "training", "models")))
"""Classes that a Keras 3 file may name."""

CLASSES_OF_KERAS_2 = CLASSES | _NAMES["layers of Keras 2"]
"""Classes that a Keras 2 file may name. The functions that TFOpLambda and SlicingOpLambda call are checked by name."""

FUNCTIONS = _NAMES["functions"]
"""Plain functions, such as activations, that a file names instead of an object."""

_KNOWN_CLASSES, _KNOWN_FUNCTIONS = _NAMES["known classes"], _NAMES["known functions"]


def harmless_class_name(word: str) -> str:
    """The known class that a file means by `word`, such as Addons>GroupNormalization; empty for Keras' own and for unknown ones."""
    plain = word.rpartition(">")[2]
    return plain if plain in _KNOWN_CLASSES and (plain != word or plain not in CLASSES_OF_KERAS_2) else ""


def harmless_function_name(word: str) -> str:
    """The same of functions."""
    plain = word.rpartition(">")[2]
    return plain if plain in _KNOWN_FUNCTIONS else ""


KERAS_HUB_ENDINGS = ("Backbone", "ImageClassifier", "ImageClassifierPreprocessor", "ImageConverter")
"""How KerasHub calls what image classifiers are made of."""

VALUES = frozenset({"__keras_tensor__", "__tensor__", "__numpy__", "__tuple__", "__slice__", "__ellipsis__"})
"""Classes by which a configuration encodes plain values."""

ARITHMETIC = frozenset({"math", "nn", "linalg", "image", "__operators__"})
ARITHMETIC_FUNCTIONS = frozenset({"cast", "reshape", "concat", "expand_dims", "squeeze", "transpose", "identity"})
"""The parts of TensorFlow, and single functions, that a Keras 2 file may call by name."""

CALLS_BY_NAME = frozenset({"TFOpLambda", "SlicingOpLambda"})
"""Keras 2 layers that call any TensorFlow function that their configuration names."""

_ANYTHING = "which calls whatever of TensorFlow it names"

CARRIES_CODE = {
    "Lambda": "which is code that would run here",
    "__lambda__": "which is code that would run here",
    "ClassMethod": _ANYTHING,
    "InstanceMethod": _ANYTHING,
    "InstanceProperty": _ANYTHING,
    "TensorFlowOpLayer": _ANYTHING,
    "TFSMLayer": "a second model in another folder",
    "KerasLayer": "a network of TensorFlow Hub that the file only names (tf.saved_model.save(model, 'folder') keeps it: give that folder)",
    "TorchModuleWrapper": "a pickled PyTorch module, which is code that would run here",
    "JaxLayer": "a function of its own that would run here",
    "FlaxLayer": "a module of its own that would run here",
    "StringLookup": "whose word list may be any file of this machine",
    "IntegerLookup": "whose word list may be any file of this machine",
    "TextVectorization": "whose word list may be any file of this machine",
}
"""Refused names, each with its reason."""
