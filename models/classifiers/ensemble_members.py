"""The members of an ensemble: what each sees of its picture, and what its layers are called there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classifiers.base import BaseClassifier, Floats
from models.graph.grid_layer import GridLayer
from models.images.placement import fit


@dataclass(frozen=True)
class MemberLayer(GridLayer):
    """A layer of one of the members, which is called by the member's name and its own."""

    member: int
    own: str


@dataclass(frozen=True)
class Member:
    """One of an ensemble's classifiers, under a name of its own. rows (h, H), columns (w, W): the ensemble's picture to this one's."""

    name: str
    classifier: BaseClassifier[Any]
    rows: NDArray[np.float32]
    columns: NDArray[np.float32]

    @property
    def resized(self) -> bool:
        """Whether it takes pictures of another size than the ensemble."""
        return bool(len(self.rows) != self.rows.shape[1] or len(self.columns) != self.columns.shape[1])

    def seen(self, image: Floats) -> Floats:
        """(H, W, 3) -> (h, w, 3): the ensemble's picture as this member takes it."""
        return fit(image, self.classifier.size, "stretch") if self.resized else image

    def all_seen(self, images: Floats) -> Floats:
        """(n, H, W, 3) -> (n, h, w, 3)."""
        return np.stack([self.seen(image) for image in images]) if self.resized else images

    def spread(self, gradients: Floats) -> Floats:
        """(n, h, w, 3) with respect to what it sees -> (n, H, W, 3) with respect to the ensemble's picture: `seen`, transposed."""
        if not self.resized:
            return gradients
        return np.asarray(np.einsum("hH,nhwc,wW->nHWc", self.rows, gradients, self.columns, optimize=True), np.float32)


def members_of(classifiers: Sequence[BaseClassifier[Any]], size: tuple[int, int]) -> tuple[Member, ...]:
    """Under the names on their cards, told apart by a number where two are alike. size: (H, W) of the ensemble's pictures."""
    names = [each.card.name for each in classifiers]
    distinct = [f"{name} ({number})" if names.count(name) > 1 else name for number, name in enumerate(names, 1)]
    return tuple(Member(name, each, *_resizing(size, each.size)) for name, each in zip(distinct, classifiers, strict=True))


def _resizing(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(h, H), (w, W): what `fit` does to rows and to columns, read off from what it makes of one pixel each."""
    made = [
        fit(np.repeat(np.eye(n, dtype=np.float32)[..., None], 3, -1), (m, n), "stretch")[..., 0] for n, m in zip(size, wanted, strict=True)
    ]
    return made[0], made[1]


def layers_of(members: Sequence[Member]) -> list[MemberLayer]:
    """Every member's layers; its own choice of them is last in its branch."""
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
