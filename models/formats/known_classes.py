"""Classes and functions that are no part of Keras but in many files, whose work is known: they open without anybody's code.

Each line of the tables names its source. Those that only matter in training do nothing here, as there.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from models.sandbox.checks.allowed_names import harmless_class_name, harmless_function_name

Kit = Any
"""Keras 3, or tf_keras."""


def harmless_names_scope(config: str | bytes, kit: Kit) -> AbstractContextManager[Any]:
    """A scope in which `kit` finds the known classes and functions that the configuration names, by the names that it has for them."""
    words = set(_words(json.loads(config)))
    classes = {word: _CLASSES[name](kit, name) for word in words if (name := harmless_class_name(word))}
    functions = {
        word: _FUNCTIONS[name](kit) for word in words if (name := harmless_function_name(word)) and not hasattr(kit.activations, word)
    }
    scope: AbstractContextManager[Any] = kit.saving.custom_object_scope({**functions, **classes})
    return scope


def _words(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for each in part.values():
            yield from _words(each)
    elif isinstance(part, list):
        for each in part:
            yield from _words(each)


def _dropout(kit: Kit, name: str) -> Any:
    """Dropout whose noise may have the shape (None, 1, 1, 1): github.com/qubvel/efficientnet, efficientnet/model.py."""
    return type(name, (kit.layers.Dropout,), {})


def _layer(kit: Kit, name: str, call: Callable[[Any, Any], Any]) -> Any:
    """A layer without weights. Its configuration is kept as `given`; what Keras itself knows of it goes to Keras."""
    known = ("name", "trainable", "dtype")

    def begin(self: Any, **given: Any) -> None:
        kit.layers.Layer.__init__(self, **{key: value for key, value in given.items() if key in known})
        self.given = {key: value for key, value in given.items() if key not in known}

    def work(self: Any, inputs: Any, training: Any = None) -> Any:
        return call(self, inputs)

    return type(name, (kit.layers.Layer,), {"__init__": begin, "call": work, "get_config": lambda self: self.given})


def _identity(kit: Kit, name: str) -> Any:
    """Drops a path in training alone: DropPath of keras-team/keras-cv, DropConnect of qubvel/efficientnet, both on GitHub."""
    return _layer(kit, name, lambda layer, x: x)


def _stochastic_depth(kit: Kit, name: str) -> Any:
    """Of one input nothing (keras.applications.convnext); of two, s + p r: tfa.layers.StochasticDepth, keras_cv.layers.StochasticDepth."""

    def call(layer: Any, x: Any) -> Any:
        if not isinstance(x, list | tuple):
            return x
        survival = layer.given.get("survival_probability", 1 - layer.given.get("rate", 0.5))
        return x[0] + survival * x[1]

    return _layer(kit, name, call)


def _activation(function: str) -> Callable[..., Any]:
    def make(kit: Kit, name: str) -> Any:
        formula = _FUNCTIONS[function](kit)
        return _layer(kit, name, lambda layer, x: formula(x))

    return make


def _group_normalization(kit: Kit, name: str) -> Any:
    """The same groups of neighbouring channels as Keras' own: github.com/tensorflow/addons, layers/normalizations.py."""
    return type(name, (kit.layers.GroupNormalization,), {})


def _instance_normalization(kit: Kit, name: str) -> Any:
    """Group normalisation with a group for each channel, as tensorflow-addons writes it."""

    def begin(self: Any, groups: int = -1, **given: Any) -> None:
        kit.layers.GroupNormalization.__init__(self, groups=-1, **given)

    return type(name, (kit.layers.GroupNormalization,), {"__init__": begin})


def _initializer(kit: Kit, name: str) -> Any:
    """How weights began, which a file with weights does not need: qubvel/efficientnet, efficientnet/model.py (so spelt in 2019)."""
    return type(name, (kit.initializers.Zeros,), {"from_config": classmethod(lambda kind, config: kind())})


def _swish(kit: Kit) -> Any:
    """x sigmoid(x): Ramachandran et al. 2017, arXiv:1710.05941."""
    return kit.activations.swish


def _softmax(kit: Kit) -> Any:
    """How activation=tf.nn.softmax is kept: tensorflow/tensorflow, python/ops/nn_ops.py."""
    return kit.activations.softmax


def _hard_swish(kit: Kit) -> Any:
    """x relu6(x + 3) / 6: Howard et al. 2019, arXiv:1905.02244."""
    return lambda x: x * kit.activations.relu(x + 3.0, max_value=6.0) / 6.0


def _hard_sigmoid_of_mobilenet(kit: Kit) -> Any:
    """relu6(x + 3) / 6, from the same paper."""
    return lambda x: kit.activations.relu(x + 3.0, max_value=6.0) / 6.0


def _mish(kit: Kit) -> Any:
    """x tanh(softplus(x)): Misra 2019, arXiv:1908.08681."""
    return lambda x: x * kit.activations.tanh(kit.activations.softplus(x))


def _relu6(kit: Kit) -> Any:
    """min(max(x, 0), 6)."""
    return lambda x: kit.activations.relu(x, max_value=6.0)


def _gelu(kit: Kit) -> Any:
    """By tanh: github.com/tensorflow/addons, activations/gelu.py, whose `approximate` is true unless given."""
    return lambda x: kit.activations.gelu(x, approximate=True)


_CLASSES: dict[str, Callable[..., Any]] = {
    "FixedDropout": _dropout,
    "ConvKernalInitializer": _initializer,
    "DenseKernalInitializer": _initializer,
    "EfficientConv2DKernelInitializer": _initializer,
    "EfficientDenseKernelInitializer": _initializer,
    "DropPath": _identity,
    "DropConnect": _identity,
    "StochasticDepth": _stochastic_depth,
    "Swish": _activation("swish_activation"),
    "HardSwish": _activation("h_swish"),
    "HSwish": _activation("h_swish"),
    "Hswish": _activation("h_swish"),
    "HSigmoid": _activation("h_sigmoid"),
    "Mish": _activation("mish"),
    "ReLU6": _activation("relu6"),
    "GroupNormalization": _group_normalization,
    "InstanceNormalization": _instance_normalization,
}

_FUNCTIONS: dict[str, Callable[[Kit], Any]] = {
    "swish_activation": _swish,
    "softmax_v2": _softmax,
    "hard_swish": _hard_swish,
    "hardswish": _hard_swish,
    "h_swish": _hard_swish,
    "hswish": _hard_swish,
    "h_sigmoid": _hard_sigmoid_of_mobilenet,
    "mish": _mish,
    "relu6": _relu6,
    "gelu": _gelu,
}
