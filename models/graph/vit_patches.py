"""Finds a Vision Transformer's patches in a traced graph: tensors (n, tokens, k) whose tokens form a grid on the picture.

A tensor qualifies if all information from the picture to the logits passes through it: the residual stream, and what follows it.
Where only the class token still reaches the logits none qualifies: there every patch's gradient is 0.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import tensorflow as tf

_TAKES_PATCHES = {"ExtractImagePatches"}
_CONTRACTIONS = {"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum"}
_SELECTIONS = {"StridedSlice", "GatherV2"}
_REARRANGES = {"Reshape", "Transpose", *_CONTRACTIONS, *_SELECTIONS}

Part = tuple[tf.Operation, bool]
Edges = dict[Part, set[Part]]


@dataclass(frozen=True)
class TokenGrid:
    """How a tensor's tokens correspond to the picture. grid: (h, w), whose tokens begin at `first` of all `tokens`.

    flat: the tokens of all pictures are stacked as rows.
    """

    grid: tuple[int, int]
    first: int
    tokens: int
    flat: bool = False

    @property
    def others(self) -> int:
        """The number of tokens without a position, such as the class token."""
        return self.tokens - self.grid[0] * self.grid[1]


def find_patch_layers(between: Sequence[tf.Operation], grids: Collection[tf.Operation], logits: tf.Tensor) -> dict[tf.Operation, TokenGrid]:
    """Operation -> its patches, for every tensor that qualifies. between: from picture to logits; grids: those with four axes."""
    found: dict[tf.Operation, TokenGrid] = {}
    sources = []
    reached = set(between)
    for op in between:
        if not op.outputs or not op.outputs[0].dtype.is_floating:
            continue
        begun = _from_grid(op, grids)
        patches = begun or _carry_tokens(op, found, reached)
        if patches:
            found[op] = patches
        if begun:
            sources.append(op)
    edges = _logit_edges(logits, found, reached) if sources else {}
    return {op: found[op] for source in sources for op in _on_every_path(source, logits.op, between, edges) if _is_layer(op, source, found)}


def _is_layer(op: tf.Operation, source: tf.Operation, found: Mapping[tf.Operation, TokenGrid]) -> bool:
    return op is not source and op in found and not found[op].flat and op.outputs[0].shape[2] not in (None, 1)


def _from_grid(op: tf.Operation, grids: Collection[tf.Operation]) -> TokenGrid | None:
    """A grid (n, h, w, k) reshaped to (n, h * w, k)."""
    if op.type != "Reshape" or not (op.inputs[0].op in grids or op.inputs[0].op.type in _TAKES_PATCHES):
        return None
    before, after = op.inputs[0].shape, op.outputs[0].shape
    if before.rank != 4 or after.rank != 3 or None in (*before[1:], *after[1:]):
        return None
    height, width, channels = before[1:]
    return TokenGrid((height, width), 0, height * width) if list(after[1:]) == [height * width, channels] and height * width > 1 else None


def _carry_tokens(op: tf.Operation, found: Mapping[tf.Operation, TokenGrid], reached: Collection[tf.Operation]) -> TokenGrid | None:
    """The patches of an operation that keeps every token's position: it treats each by itself, or adds other tokens."""
    known = [found[tensor.op] for tensor in op.inputs if tensor.op in found]
    shape = op.outputs[0].shape
    if not known or shape.rank not in (2, 3, 4):
        return None
    flat = shape.rank != 3
    if op.type == "Reshape":
        return replace(known[0], flat=flat) if _same_tokens(op, known[0]) else None
    if op.type in _CONTRACTIONS and sum(tensor.op in reached for tensor in op.inputs) > 1:
        return None
    if op.type in _REARRANGES - _CONTRACTIONS and not _is_identity(op):
        return None
    if op.type == "ConcatV2" and shape.rank == 3 and shape[1] is not None and shape[1] > known[0].tokens and len(known) == 1:
        place = next(i for i, tensor in enumerate(op.inputs) if tensor.op in found)
        before = [tensor.shape[1] for tensor in op.inputs[:place]]
        return None if None in before else replace(known[0], first=known[0].first + sum(before), tokens=shape[1])
    return next((each for each in known if each.flat == flat and (flat or shape[1] in (None, each.tokens))), None)


def _is_identity(op: tf.Operation) -> bool:
    """Whether a transposition changes nothing, as in `tensordot`."""
    order = tf.get_static_value(op.inputs[1]) if op.type == "Transpose" else None
    return order is not None and list(order) == list(range(len(order)))


def _same_tokens(op: tf.Operation, patches: TokenGrid) -> bool:
    """Whether a reshape only merges or splits pictures and tokens: (n, t, k) to (n * t, k), or to (1, n * t, k, 1), or back.

    After a split the number of tokens is unknown where the graph, as a SavedModel's, reads it from a shape.
    """
    before, after = op.inputs[0].shape, op.outputs[0].shape
    if after.rank == 4:
        return not patches.flat and (after[0], after[2], after[3]) == (1, before[2], 1)
    if after.rank == 2:
        return not patches.flat and after[1] in (None, before[2])
    return (after[1] == patches.tokens and (patches.flat or before.rank == 3)) or (after[1] is None and patches.flat)


def _logit_edges(logits: tf.Tensor, found: Mapping[tf.Operation, TokenGrid], reached: Collection[tf.Operation]) -> Edges:
    """The inputs through which each part reaches the logits. A part is an operation and whether all its tokens count.

    Where another token is selected, the patches next to it no longer count, back to where attention mixed them into it.
    """
    edges: Edges = {}
    waiting = [(logits.op, True)]
    while waiting:
        op, whole = part = waiting.pop()
        if op not in reached or part in edges:
            continue
        edges[part] = set()
        for tensor in op.inputs:
            if tensor.dtype.is_floating:
                partial = tensor.op in found and (_drops_patches(op, found[tensor.op]) or (not whole and op in found))
                edges[part].add((tensor.op, not partial))
        waiting.extend(edges[part])
    return edges


def _drops_patches(op: tf.Operation, patches: TokenGrid) -> bool:
    """Whether only tokens without a position are kept, as in x[:, 0]."""
    shape = op.outputs[0].shape
    if op.type not in _SELECTIONS or patches.flat:
        return False
    return shape.rank == 2 or (shape.rank == 3 and shape[1] is not None and shape[1] <= patches.others)


def _on_every_path(source: tf.Operation, sink: tf.Operation, between: Sequence[tf.Operation], edges: Edges) -> list[tf.Operation]:
    """Operations on every path from source to sink, on some path with all their tokens.

    An operation qualifies if the paths through it are all there are; some may pass through the class token alone.
    """
    order = [(op, whole) for op in between[between.index(source) :] for whole in (True, False) if (op, whole) in edges]
    ahead: dict[Part, int] = {(source, True): 1}
    for part in order:
        if part[0] is not source:
            ahead[part] = sum(ahead.get(before, 0) for before in edges[part])
    behind: dict[Part, int] = {(sink, True): 1}
    for part in reversed(order):
        for before in edges[part] if behind.get(part) else ():
            behind[before] = behind.get(before, 0) + behind[part]
    through = {part: ahead.get(part, 0) * behind.get(part, 0) for part in order}
    paths = ahead.get((sink, True), 0)
    return [op for op, whole in order if whole and through[op, True] and through[op, True] + through.get((op, False), 0) == paths]
