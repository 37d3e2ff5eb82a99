"""One trace of a model, from which functions are pruned: the part of the graph between fed and fetched tensors."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.graph.engine.threads import thread_count
from models.graph.layer_names import LayerNames
from models.graph.layers import ClassificationHead, SpatialLayer, find_classification_head, find_spatial_layers, pictures_of_layers
from models.graph.output_choice import ModelOutputChoice

# TensorFlow takes the functions of one trace for one function that is retraced, and warns; `Trace.trace_count` counts correctly.
tf.get_logger().setLevel("ERROR")

with contextlib.suppress(RuntimeError):  # it runs already
    tf.config.threading.set_intra_op_parallelism_threads(thread_count())

_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
_eager_switch = threading.Lock()  # the switch is global to all threads; functions that run meanwhile are unaffected

CompiledFunction = Callable[..., list[NDArray[np.float32]]]
Prepare = Callable[[tf.Tensor, tf.Tensor | None, tf.Tensor | None], Sequence[tf.Tensor]]
"""Pictures, a second picture, and for each input whether it takes the pictures (1) or the second (0) -> what the inputs take."""
Model = Callable[[Sequence[tf.Tensor], tf.Tensor | None], tf.Tensor]


class TracedModelGraph:
    """A model called once on `images` (n, H, W, 3) = masks * image + (1 - masks) * fill, in display space.

    Feeding `images` evaluates whole pictures; feeding image, masks and fill evaluates masked ones, which are then computed inside
    the compiled function. `prepared` are the model's picture inputs; `metadata` (m,) is the value of its vector inputs, which
    functions may feed. Functions are compiled once, under a lock; calling them needs none.
    """

    def __init__(
        self,
        prepare: Prepare,
        model: Model,
        size: tuple[int, int],
        names: LayerNames,
        metadata: NDArray[np.float32] | None = None,
        picture_inputs: int = 1,
    ) -> None:
        """picture_inputs: how many inputs take a picture; with several, functions may feed `second` (H, W, 3) and `takes` (inputs,)."""
        height, width = size
        picture = tf.TensorSpec([height, width, 3], tf.float32)
        masks = tf.TensorSpec([None, None, None], tf.float32)

        def evaluate_masked(image: tf.Tensor, masks: tf.Tensor, fill: tf.Tensor) -> dict[str, Any]:
            shown = tf.image.resize(masks[..., None], size)
            images = tf.ensure_shape(fill + shown * (image - fill), [None, height, width, 3])
            second = tf.zeros([height, width, 3]) if picture_inputs > 1 else None
            takes = tf.ones([picture_inputs]) if picture_inputs > 1 else None
            prepared = list(prepare(images, second, takes))
            vector = None if metadata is None else tf.constant(metadata)
            with names.recording():
                output = model(prepared, vector)
            pair = [] if second is None else [second, takes]
            made = {"images": images, "prepared": prepared, "metadata": [] if vector is None else [vector], "output": output}
            return {**made, "pair": pair}

        self._graph = _trace(evaluate_masked, [picture, masks, picture])
        self.image, self.masks, self.fill = self._graph.inputs[:3]
        made = self._graph.structured_outputs
        self.images, self.prepared, self.output = made["images"], tuple(made["prepared"]), made["output"]
        self.pair: tuple[tf.Tensor, ...] = tuple(made["pair"])
        self.metadata: tf.Tensor | None = next(iter(made["metadata"]), None)
        self.picture_inputs: tuple[str, ...] = ()
        self.choice = ModelOutputChoice((), "", 0)
        self.inputs: tuple[tuple[str, tuple[int | None, ...]], ...] = ()  # name and shape of each of the model's inputs, where known
        self.head: ClassificationHead = find_classification_head(self.output)
        self._name_of = names.of_graph(self._graph.graph)
        self.layers: tuple[SpatialLayer, ...] = find_spatial_layers(self.prepared, self.head.logits, self._name_of)
        if self.pair:
            self.layers = pictures_of_layers(self.layers, self.prepared, self.head.logits)
        self._lock = threading.Lock()
        self._tensors: dict[str, tf.Tensor] = {}
        self._cache: dict[tuple[str, ...], CompiledFunction] = {}
        self._functions: list[tf.types.experimental.PolymorphicFunction] = []

    def derive(self, name: str, build: Callable[[], tf.Tensor]) -> tf.Tensor:
        """The tensor of that name, added to the graph by `build` on first use."""
        with self._lock, self._graph.graph.as_default():
            if name not in self._tensors:
                self._tensors[name] = build()
            return self._tensors[name]

    def function(self, feeds: Sequence[tf.Tensor], fetches: Sequence[tf.Tensor]) -> CompiledFunction:
        """The compiled function from `feeds` to `fetches`, as arrays; MemoryError where the device runs out of memory."""
        key = (*(tensor.name for tensor in feeds), "->", *(tensor.name for tensor in fetches))
        with self._lock:
            if key not in self._cache:
                self._cache[key] = _on_arrays(self._compile(feeds, fetches))
            return self._cache[key]

    def prune(self, feeds: Sequence[tf.Tensor], fetches: Sequence[tf.Tensor]) -> Any:
        """The concrete function from `feeds` to `fetches`, which has not been compiled."""
        with self._lock:
            return self._graph.prune(list(feeds), list(fetches))

    def _compile(self, feeds: Sequence[tf.Tensor], fetches: Sequence[tf.Tensor]) -> Callable[..., list[tf.Tensor]]:
        """The pruned graph, wrapped in a function with a signature: without one, each call spends 2 ms on finding its own."""
        part = self._graph.prune(list(feeds), list(fetches))
        signature = [tf.TensorSpec(feed.shape, feed.dtype) for feed in feeds]
        function: Callable[..., list[tf.Tensor]] = tf.function(lambda *given: part(*given), input_signature=signature)
        self._functions.append(function)
        return function

    @property
    def compiled_count(self) -> int:
        """The number of functions compiled so far."""
        return len(self._functions)

    @property
    def trace_count(self) -> int:
        """How often the most traced function was traced: 1, unless the shape of a fed array made it retrace."""
        return max((function.experimental_get_tracing_count() for function in self._functions), default=0)

    def layer_name(self, operation: tf.Operation) -> str:
        """The name of the layer that computes it; its own where it belongs to none."""
        found = self._name_of(operation)
        return str(operation.name) if found is None else found.name

    def variables(self) -> list[tuple[tf.Tensor, tf.Variable]]:
        """Each tensor that reads one of the model's variables, with the variable, in the order of use."""
        by_handle = {id(variable.handle): variable for variable in self._graph.graph.variables}
        found = []
        for outside, inside in self._graph.graph.captures:
            variable = by_handle.get(id(outside))
            readers = inside.consumers() if variable is not None else ()
            found += [(op.outputs[0], variable) for op in readers if op.type == "ReadVariableOp"]
        return found


def _trace(function: Callable[..., dict[str, Any]], signature: list[tf.TensorSpec]) -> Any:
    """The function's graph. A `tf.function` in it is one operation that hides all others, so it is then retraced as plain Python.

    Where that is impossible (its Python needs AutoGraph, or XLA must compile it, as Keras requires for grouped convolutions,
    which a CPU cannot run otherwise), its layers stay hidden.
    """
    graph = tf.compat.v1.wrap_function(function, signature)
    if not any(op.type in _CALLS for op in graph.graph.get_operations()) or _needs_xla(graph.graph):
        return graph
    with _eager_switch:
        was = tf.config.functions_run_eagerly()
        tf.config.run_functions_eagerly(True)
        try:
            return tf.compat.v1.wrap_function(function, signature)
        except (TypeError, ValueError, tf.errors.OpError):
            return graph
        finally:
            tf.config.run_functions_eagerly(was)


def _needs_xla(graph: tf.Graph) -> bool:
    """Whether XLA must compile a function that the graph calls, directly or not."""
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    return any(node.attr["_XlaMustCompile"].b for node in nodes if node.op in _CALLS)


def _on_arrays(function: Callable[..., list[tf.Tensor]]) -> CompiledFunction:
    def call(*arrays: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        try:
            return [tensor.numpy() for tensor in function(*(tf.convert_to_tensor(array) for array in arrays))]
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(f"The classifier ran out of memory on {len(arrays[0])} pictures at once.") from error

    return call
