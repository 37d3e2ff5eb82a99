"""Problems that a model's maps will have, and what to do about them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from models.classifiers.base_classifier import BaseClassifier
from models.graph.grid_layer import GridLayer
from models.inspection.inspection_report import InspectionFinding
from models.inspection.model_structure import ModelStructure
from models.inspection.preprocessing_scores import CandidateAnswers

_SMALL, _FEW_CELLS, _ENOUGH_CELLS, _SHOWN = 0.25, 2, 5, 3
DEAD_LAYER_IMAGES = 8
"""Images by which dead layers are found."""
_DEAD, _SATURATED = 0.5, 0.1
_ANALYTIC = "Worked out from the windows and strides of every operation up to it."


def find_map_quality_warnings(
    served: BaseClassifier[Any], structure: ModelStructure, current: CandidateAnswers | None
) -> Iterator[InspectionFinding]:
    """current: its answers under its card's preprocessing, None where no images were given."""
    if structure.non_finite_weights:
        names = ", ".join(f"{name} ({share:.1%})" for name, share in structure.non_finite_weights[:_SHOWN])
        count = len(structure.non_finite_weights)
        says = f"{count} of its weights hold numbers that are not finite: {names}. Save or download the model again."
        yield InspectionFinding("weights", says, "Every number of its weights was looked at.", "warning")
    for layer in served.default_layers:
        yield from _grid(served, layer)
        yield from _field(served, structure, layer)
    if structure.single_cell_convolutions:
        says = (
            f"Its last convolutions see a grid of a single cell ({structure.single_cell_convolutions[-1]}): pictures of "
            f"{_size(served.size)} pixels are too small for this network, and where things lie is lost before its end. Train it on "
            "larger ones."
        )
        yield InspectionFinding("layers", says, "The shapes in its traced graph.", "warning")
    if structure.flattened:
        says = (
            "A grid is flattened into a dense layer, which has weights of its own for every place. Grad-CAM averages over the places and "
            "loses that; HiResCAM does not, nor do methods that hide parts of the picture."
        )
        yield InspectionFinding("layers", says, "A reshape of cells and channels into one row in its traced graph.", "warning")
    if current is not None:
        yield from _saturated(served, current)
        yield from _non_finite(current)
        if not structure.non_finite_weights:
            yield from _dead(served, structure, min(len(current.probabilities), DEAD_LAYER_IMAGES))


def _grid(served: BaseClassifier[Any], layer: GridLayer) -> Iterator[InspectionFinding]:
    if max(layer.grid) > _FEW_CELLS:
        return
    finer = [x.name for x in served.layers if min(x.grid) >= _ENOUGH_CELLS and x.branch == layer.branch]
    advice = f"Choose an earlier layer, such as {finer[-1]}" if finer else "Give it larger pictures, or take methods that read no layer"
    says = f"{layer.name} has a grid of {_size(layer.grid)}: its maps tell hardly more than which half. {advice}."
    yield InspectionFinding("layers", says, "The shape of its answer.", "warning")


def _field(served: BaseClassifier[Any], structure: ModelStructure, layer: GridLayer) -> Iterator[InspectionFinding]:
    fields = dict(structure.receptive_fields)
    if layer.name not in fields:
        return
    field = fields[layer.name]
    if field is None or (field[0] >= served.size[0] and field[1] >= served.size[1]):
        how = "everything at once" if field is None else f"{_size(field)} pixels, more than the picture has"
        says = (
            f"Each cell of {layer.name} sees {how}: a bright cell may speak of evidence elsewhere. Compare with a method that hides "
            "parts of the picture before you say where it lies."
        )
        known = (
            "Before it lies a mean over all places, attention, or something else that mixes places or may." if field is None else _ANALYTIC
        )
        yield InspectionFinding("layers", says, known, "warning")
    elif max(field[0] / served.size[0], field[1] / served.size[1]) < _SMALL:
        says = (
            f"Each cell of {layer.name} sees {_size(field)} of {_size(served.size)} pixels: it knows texture, not shapes larger than that. "
            "Read its maps as such."
        )
        yield InspectionFinding("layers", says, _ANALYTIC, "warning")


def _saturated(served: BaseClassifier[Any], current: CandidateAnswers) -> Iterator[InspectionFinding]:
    p = current.probabilities.astype(np.float32)
    full = float((p.max(1) >= 1).mean())
    if full < _SATURATED:
        return
    says = f"{full:.0%} of the pictures get a probability that is exactly 1, where the probability's gradient is 0. "
    if served.logits_from_probabilities:
        says += "Its logits are taken from these, so gradients vanish with them: save the model with logits or with its softmax as a layer."
    else:
        says += "Explain the centred logit, as is usual here, and not the probability."
    yield InspectionFinding("answers", says, f"It was shown {len(p)} pictures, prepared as its card says.", "warning")


def _non_finite(current: CandidateAnswers) -> Iterator[InspectionFinding]:
    without = int((current.probabilities.sum(1) == 0).sum())
    if without:
        says = (
            f"{without} of {len(current.probabilities)} pictures get an answer that is no number; what is said of preparing means nothing."
        )
        yield InspectionFinding("answers", says, "They were shown to it, prepared as its card says.", "warning")


def _dead(served: BaseClassifier[Any], structure: ModelStructure, count: int) -> Iterator[InspectionFinding]:
    known = f"The lowest and highest number of each channel over up to {count} pictures, prepared as its card says."
    if dead := [name for name, share in structure.dead_channels if share >= 1]:
        says = f"{_layers_sentence(dead)} no matter what is shown. Pictures prepared wrongly do that, or a training that went astray."
        yield InspectionFinding("layers", says, known, "warning")
    used = {layer.name for layer in served.default_layers}
    for name, share in structure.dead_channels:
        if name in used and _DEAD < share < 1:
            says = f"{share:.0%} of the channels of {name} say the same of every picture; its maps rest on the others alone."
            yield InspectionFinding("layers", says, known, "warning")


def _layers_sentence(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    layer = "Layer" if len(names) == 1 else "Layers"
    return f"{layer} {', '.join(names[:_SHOWN])}{more} {'says' if len(names) == 1 else 'say'} the same"


def _size(pair: tuple[int, int]) -> str:
    return f"{pair[0]} x {pair[1]}"
