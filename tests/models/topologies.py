"""Small Keras models of every shape that the graph reader must serve, with random weights: those of the zoo."""

from benchmarks.zoo_models.topologies import (
    ALL,
    as_function,
    convnext,
    efficientnet,
    ends_in_logits,
    flat,
    flatten_head,
    grey,
    multi_label,
    nested,
    nested_twice,
    sequential,
    subclassed,
    two_branches,
    vgg16,
    without_a_grid,
)

__all__ = [
    "ALL",
    "as_function",
    "convnext",
    "efficientnet",
    "ends_in_logits",
    "flat",
    "flatten_head",
    "grey",
    "multi_label",
    "nested",
    "nested_twice",
    "sequential",
    "subclassed",
    "two_branches",
    "vgg16",
    "without_a_grid",
]
