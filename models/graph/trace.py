"""One trace of a model, from which every question is cut: a question is the part of the graph between what is fed and what is fetched."""

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.graph.layers import Head, SpatialLayer, find_head, spatial_layers

# TensorFlow counts questions of one trace as one function traced again and again, and warns; `Trace.retraced` counts rightly.
tf.get_logger().setLevel("ERROR")

_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
_plainly = threading.Lock()  # the switch is one for all threads; questions that others ask meanwhile are answered all the same

Question = Callable[..., list[NDArray[np.float32]]]
Prepare = Callable[[tf.Tensor], Sequence[tf.Tensor]]
Model = Callable[[Sequence[tf.Tensor], tf.Tensor | None], tf.Tensor]


class Trace:
    """A model called once on `images` (n, H, W, 3) = masks * image + (1 - masks) * fill, in display space.

    Feeding `images` asks about whole pictures; feeding image, masks and fill asks about masked ones, which are then made inside
    the compiled function. `prepared` are the model's picture inputs; `beside` (m,) is what its vector inputs are given, which
    questions may feed and need not. Questions are cut once, under a lock; asking them needs none.
    """

    def __init__(
        self,
        prepare: Prepare,
        model: Model,
        size: tuple[int, int],
        leaves: Collection[str] = (),
        beside: NDArray[np.float32] | None = None,
    ) -> None:
        height, width = size
        picture = tf.TensorSpec([height, width, 3], tf.float32)
        masks = tf.TensorSpec([None, None, None], tf.float32)

        def masked_then_asked(image: tf.Tensor, masks: tf.Tensor, fill: tf.Tensor) -> dict[str, Any]:
            shown = tf.image.resize(masks[..., None], size)
            images = tf.ensure_shape(fill + shown * (image - fill), [None, height, width, 3])
            prepared = list(prepare(images))
            vector = None if beside is None else tf.constant(beside)
            output = model(prepared, vector)
            return {"images": images, "prepared": prepared, "beside": [] if vector is None else [vector], "output": output}

        self._graph = _traced(masked_then_asked, [picture, masks, picture])
        self.image, self.masks, self.fill = self._graph.inputs[:3]
        made = self._graph.structured_outputs
        self.images, self.prepared, self.output = made["images"], tuple(made["prepared"]), made["output"]
        self.metadata: tf.Tensor | None = next(iter(made["beside"]), None)
        self.inputs: tuple[tuple[str, tuple[int | None, ...]], ...] = ()  # the model's, each with its name and shape, where they are known
        self.head: Head = find_head(self.output)
        self.layers: tuple[SpatialLayer, ...] = spatial_layers(self.prepared, self.head.logits, leaves)
        self._lock = threading.Lock()
        self._derived: dict[str, tf.Tensor] = {}
        self._questions: dict[tuple[str, ...], Question] = {}
        self._functions: list[tf.types.experimental.PolymorphicFunction] = []

    def derived(self, name: str, build: Callable[[], tf.Tensor]) -> tf.Tensor:
        """The tensor of that name, added to the graph by `build` when it is first asked for."""
        with self._lock, self._graph.graph.as_default():
            if name not in self._derived:
                self._derived[name] = build()
            return self._derived[name]

    def function(self, feeds: Sequence[tf.Tensor], fetches: Sequence[tf.Tensor]) -> Question:
        """The compiled function that takes `feeds` and gives `fetches`, as arrays; MemoryError where the device's memory ran out."""
        key = (*(tensor.name for tensor in feeds), "->", *(tensor.name for tensor in fetches))
        with self._lock:
            if key not in self._questions:
                self._questions[key] = _asked_with_arrays(self._compiled(feeds, fetches))
            return self._questions[key]

    def _compiled(self, feeds: Sequence[tf.Tensor], fetches: Sequence[tf.Tensor]) -> Callable[..., list[tf.Tensor]]:
        """The part between, called through a function with a signature: a part called by itself spends 2 ms a call on finding its own."""
        part = self._graph.prune(list(feeds), list(fetches))
        signature = [tf.TensorSpec(feed.shape, feed.dtype) for feed in feeds]
        function: Callable[..., list[tf.Tensor]] = tf.function(lambda *given: part(*given), input_signature=signature)
        self._functions.append(function)
        return function

    @property
    def compiled(self) -> int:
        """How many questions have been cut so far."""
        return len(self._functions)

    @property
    def retraced(self) -> int:
        """The most often that any question was traced: 1, unless the shape of what was fed made it trace again."""
        return max((function.experimental_get_tracing_count() for function in self._functions), default=0)

    def variables(self) -> list[tuple[tf.Tensor, tf.Variable]]:
        """Each tensor that reads one of the model's variables, with the variable, in the order in which the model met them."""
        by_handle = {id(variable.handle): variable for variable in self._graph.graph.variables}
        found = []
        for outside, inside in self._graph.graph.captures:
            variable = by_handle.get(id(outside))
            readers = inside.consumers() if variable is not None else ()
            found += [(op.outputs[0], variable) for op in readers if op.type == "ReadVariableOp"]
        return found


def _traced(function: Callable[..., dict[str, Any]], signature: list[tf.TensorSpec]) -> Any:
    """The function's graph. A `tf.function` in it is one operation that hides all others, so it is then traced again as plain Python.

    Where that cannot be (its Python needs to be rewritten for a graph first, or XLA must compile it, as Keras has it compile
    convolutions in groups, which a processor cannot run otherwise), its layers stay hidden.
    """
    graph = tf.compat.v1.wrap_function(function, signature)
    if not any(op.type in _CALLS for op in graph.graph.get_operations()) or _compiled(graph.graph):
        return graph
    with _plainly:
        was = tf.config.functions_run_eagerly()
        tf.config.run_functions_eagerly(True)
        try:
            return tf.compat.v1.wrap_function(function, signature)
        except (TypeError, ValueError, tf.errors.OpError):
            return graph
        finally:
            tf.config.run_functions_eagerly(was)


def _compiled(graph: tf.Graph) -> bool:
    """Whether XLA must compile a function that the graph calls, directly or not."""
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    return any(node.attr["_XlaMustCompile"].b for node in nodes if node.op in _CALLS)


def _asked_with_arrays(function: Callable[..., list[tf.Tensor]]) -> Question:
    def ask(*arrays: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        try:
            return [tensor.numpy() for tensor in function(*(tf.convert_to_tensor(array) for array in arrays))]
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(f"The classifier ran out of memory on {len(arrays[0])} pictures at once.") from error

    return ask
