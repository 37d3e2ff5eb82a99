"""What a map shows, in a sentence: its alternative text, and the caption of the enlarged map."""

from collections import Counter
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from explainers.method import Method
from models.cards.card import ClassLabel

STRONGEST = 0.1
SCATTERED = 0.27  # root mean square distance from the middle, in sides; 0.41 is everywhere
ROWS = ("upper", "middle", "lower")
COLUMNS = ("left", "centre", "right")
FAMILIES = {"CAM": "class activation", "occlusion": "occlusion", "surrogate": "surrogate model", "gradient": "gradient"}
KINDS = {
    "CAM": "Reads the last layer",
    "occlusion": "Covers patches",
    "surrogate": "Tries many cut-outs",
    "gradient": "Adds up tiny changes",
}
"""What each kind of method does, in the plain view; the page shows the kinds in this order."""
FAMILY_HELP = {
    "CAM": "Class activation: adds up the maps of a layer inside the network, each by how much it matters for the class.",
    "surrogate": "Surrogate model: fits a simple model to the classifier's answers for many changed pictures, and explains with that.",
    "occlusion": "Occlusion: covers one place after the other and watches how far the answer falls.",
    "gradient": "Gradient: follows how the answer changes with every pixel.",
    "all": "What all families of methods have in common.",
    "votes": "How many families of methods have the place among their strongest tenth. Methods of one family vote once, together.",
}


def describe_map(method: Method, values: NDArray[np.float32]) -> str:
    """values: (h, w). Where the strongest tenth of the picture lies, how much of the evidence it holds, and what speaks against."""
    positive, negative = np.maximum(values, 0), np.maximum(-values, 0)
    if not positive.sum() > 0:
        return f"{method.title} found nothing that speaks for the class."
    words = f"{method.title}: {strongest_place_sentence('evidence for the class', positive)}"
    if method.signed and negative.sum() > 0.05 * positive.sum():
        words += _against(strongest_map_region(negative)[0], strongest_map_region(positive)[0])
    return words


def _against(place: str, other: str) -> str:
    """Where the evidence against the class is; the same place twice would not say how they lie."""
    if place != other:
        return f" Evidence against is {_where(place)}."
    return f" Evidence against lies side by side with it, also in the {place}." if place else " So is evidence against."


def strongest_place_sentence(what: str, positive: NDArray[np.float32]) -> str:
    """`what` is strongest where, and how much of it the strongest tenth holds. positive: (h, w), with a sum above 0."""
    place, part = strongest_map_region(positive)
    return f"{what} is {_where(place)}; the strongest tenth of the picture holds {100 * part:.0f} % of it."


def strongest_map_region(values: NDArray[np.float32]) -> tuple[str, float]:
    """Values (h, w) that are never negative -> the name of the place of the strongest tenth, and its share of the sum.

    The name is empty where that tenth lies scattered: its middle would then be a place where nothing is.
    """
    keep = max(1, round(STRONGEST * values.size))
    cells = np.argpartition(values.ravel(), -keep)[-keep:]
    weights = values.ravel()[cells]
    total = float(weights.sum())
    places = (np.stack(np.unravel_index(cells, values.shape)) + 0.5) / np.array(values.shape)[:, None]
    middle = (weights * places).sum(axis=1) / total
    spread = float(np.sqrt((weights * ((places - middle[:, None]) ** 2).sum(axis=0)).sum() / total))
    row, column = (_third(position) for position in middle)
    name = "centre" if row == column == 1 else f"{ROWS[row]} {COLUMNS[column]}"
    return "" if spread > SCATTERED else name, total / float(values.sum())


def _where(place: str) -> str:
    return f"strongest in the {place}" if place else "scattered over the picture"


@lru_cache(maxsize=16)
def short_class_names(labels: tuple[ClassLabel, ...]) -> tuple[str, ...]:
    """Each class's name up to its first comma, where no other class is called so: ImageNet's names list all synonyms."""
    short = [label.name.split(",")[0].strip() or label.name for label in labels]
    times = Counter(short)
    return tuple(name if times[name] == 1 else label.name for name, label in zip(short, labels, strict=True))


def _third(position: float) -> int:
    return min(2, int(3 * position))
