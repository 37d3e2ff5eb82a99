"""Numbers of 16 bits in training, where the device is faster with them; the saved model holds 32-bit numbers everywhere."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import keras

T = TypeVar("T")
HALF = "mixed_bfloat16"
LEAST_CAPABILITY = (8, 0)  # NVIDIA Ampere: the first whose matrix units take bfloat16


def best_precision_policy() -> str:
    """What this machine's device gains by."""
    import tensorflow as tf

    for device in tf.config.list_physical_devices("GPU"):
        if tf.config.experimental.get_device_details(device).get("compute_capability", (0, 0)) >= LEAST_CAPABILITY:
            return HALF
    return "float32"


def build_with_precision_policy(build: Callable[[], T], name: str) -> T:
    """What `build` makes of layers that compute by the policy `name`."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        return build()
    finally:
        keras.config.set_dtype_policy(before)


def copy_in_float32(model: "keras.Model", build: Callable[[], "keras.Model"]) -> "keras.Model":
    """The same network with the same weights, of layers that compute in 32 bits."""
    plain = build_with_precision_policy(build, "float32")
    plain.set_weights(model.get_weights())
    return plain
