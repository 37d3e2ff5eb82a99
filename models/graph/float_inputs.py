"""A Keras model whose inputs take whole numbers, as one that takes real numbers: what it computes is the same, and has gradients."""

from typing import Any

import tensorflow as tf


def with_float_inputs(model: Any) -> Any:
    """The model itself, or, where a picture goes in as whole numbers, a copy with float32 inputs and the same weights."""
    if not getattr(model, "inputs", None) or not hasattr(model, "get_config"):
        return model
    if not any(tf.as_dtype(each.dtype).is_integer and len(each.shape) > 2 for each in model.inputs):
        return model
    kit = _kit(model)
    tensors = [_float_input(kit, each) for each in model.inputs]
    copy = kit.models.clone_model(model, input_tensors=tensors if len(tensors) > 1 else tensors[0])
    copy.set_weights(model.get_weights())
    return copy


def _float_input(kit: Any, tensor: Any) -> Any:
    whole = tf.as_dtype(tensor.dtype).is_integer and len(tensor.shape) > 2
    name = str(tensor.name).split(":")[0]
    return kit.layers.Input(tuple(tensor.shape)[1:], dtype="float32" if whole else tf.as_dtype(tensor.dtype).name, name=name)


def _kit(model: Any) -> Any:
    """The Keras that the model is of, 3 or 2."""
    import keras
    import tf_keras

    return tf_keras if isinstance(model, tf_keras.Model) else keras
