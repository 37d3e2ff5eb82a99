"""A pruned function as a plain graph whose variables are constants, which other engines read."""

from typing import Any

import tensorflow as tf
from tensorflow.python.framework.tensor_util import make_tensor_proto

from models.graph.engine.choice import EngineRefused

_RESOURCE = tf.resource.as_datatype_enum


def constant_graph(function: Any) -> Any:
    """A concrete function without nested ones that read variables -> tf.Graph of what its outputs depend on, its variables' values in it.

    TensorFlow's own conversion does the same and takes five times as long. Raises EngineRefused where it is too large for a graph.
    """
    variables = {id(variable.handle): variable for variable in function.graph.variables}
    captured = {inside.op.name: variables.get(id(outside), outside) for outside, inside in function.graph.captures}
    definition = function.graph.as_graph_def()
    try:
        for node in definition.node:
            if node.op == "ReadVariableOp" and node.input[0] in captured:
                _set_constant(node, captured[node.input[0]].numpy())
            elif node.name in captured and node.attr["dtype"].type != _RESOURCE:
                _set_constant(node, captured[node.name].numpy())  # a tensor that the model's code made beforehand
        fetched = [tensor.op.name for tensor in function.outputs]
        needed = tf.compat.v1.graph_util.extract_sub_graph(definition, fetched)
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(needed, name="")
    except ValueError as error:  # a message of more than 2 GB
        raise EngineRefused("The model is too large to be handed to another engine; TensorFlow evaluates it.") from error
    return graph


def _set_constant(node: Any, value: Any) -> None:
    kind = node.attr["dtype"].type
    for part in ("input", "attr"):
        node.ClearField(part)
    node.op = "Const"
    node.attr["dtype"].type = kind
    node.attr["value"].tensor.CopyFrom(make_tensor_proto(value))
