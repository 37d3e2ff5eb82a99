"""The members of an ensemble: resizing to and from each member's input, and the names of its layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classifiers.base_classifier import BaseClassifier, Floats
from models.graph.grid_layer import GridLayer
from models.images.picture_placement import fit_to_size


@dataclass(frozen=True)
class MemberLayer(GridLayer):
    """A layer of one of the members, named by the member's name and its own."""

    member: int
    own: str


@dataclass(frozen=True)
class EnsembleMember:
    """One of an ensemble's classifiers, with a unique name. rows (h, H), columns (w, W): resize the ensemble's picture to its input."""

    name: str
    classifier: BaseClassifier[Any]
    rows: NDArray[np.float32]
    columns: NDArray[np.float32]

    @property
    def resizes(self) -> bool:
        """Whether it takes pictures of another size than the ensemble."""
        return bool(len(self.rows) != self.rows.shape[1] or len(self.columns) != self.columns.shape[1])

    def resize(self, image: Floats) -> Floats:
        """(H, W, 3) -> (h, w, 3): the ensemble's picture as this member takes it."""
        return fit_to_size(image, self.classifier.size, "stretch") if self.resizes else image

    def resize_batch(self, images: Floats) -> Floats:
        """(n, H, W, 3) -> (n, h, w, 3)."""
        return np.stack([self.resize(image) for image in images]) if self.resizes else images

    def resize_transposed(self, gradients: Floats) -> Floats:
        """(n, h, w, 3) with respect to what it sees -> (n, H, W, 3) with respect to the ensemble's picture: `resize`, transposed."""
        if not self.resizes:
            return gradients
        return np.asarray(np.einsum("hH,nhwc,wW->nHWc", self.rows, gradients, self.columns, optimize=True), np.float32)


def name_ensemble_members(classifiers: Sequence[BaseClassifier[Any]], size: tuple[int, int]) -> tuple[EnsembleMember, ...]:
    """Named as on their cards, with a number where two names are equal. size: (H, W) of the ensemble's pictures."""
    names = [each.card.name for each in classifiers]
    distinct = [f"{name} ({number})" if names.count(name) > 1 else name for number, name in enumerate(names, 1)]
    return tuple(EnsembleMember(name, each, *_resizing(size, each.size)) for name, each in zip(distinct, classifiers, strict=True))


def _resizing(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(h, H), (w, W): the linear maps that `fit` applies to rows and to columns, from its results for unit vectors."""
    made = [
        fit_to_size(np.repeat(np.eye(n, dtype=np.float32)[..., None], 3, -1), (m, n), "stretch")[..., 0]
        for n, m in zip(size, wanted, strict=True)
    ]
    return made[0], made[1]


def ensemble_layers(members: Sequence[EnsembleMember]) -> list[MemberLayer]:
    """Every member's layers; `last` marks the member's default layers."""
    made: list[MemberLayer] = []
    branches = 0
    for number, each in enumerate(members):
        own = each.classifier.layers
        last = {layer.name for layer in each.classifier.default_layers}
        made += [
            MemberLayer(f"{each.name}/{x.name}", x.grid, x.channels, branches + x.branch, x.name in last, number, x.name, patches=x.patches)
            for x in own
        ]
        branches += 1 + max((layer.branch for layer in own), default=-1)
    return made
