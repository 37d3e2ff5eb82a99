"""Example pictures with what is known of them: the class, where its evidence is, and whom to credit.

`index.json` lists them; the synthetic ones are files beside it, the photographs come with scikit-image. None needs a network.
"""

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.images.decoder import decode_picture

FOLDER = Path(__file__).parent
_LIBRARY = "skimage.data:"


@dataclass(frozen=True)
class Example:
    """An example picture. source: a file of this folder, or `skimage.data:` and a file that comes with scikit-image.

    label: the class it shows, in the classifier's words; empty where only the classifier's own answer is known.
    mask_file: the evidence's pixels; empty where they are unknown or there are none. credit: author and licence.
    """

    title: str
    caption: str
    source: str
    classifiers: tuple[str, ...]
    label: str
    mask_file: str
    credit: str

    @property
    def name(self) -> str:
        """The picture's file name."""
        return self.source.removeprefix(_LIBRARY)

    def data(self) -> bytes:
        """The picture as an encoded file (PNG or JPEG). UserError where it is missing."""
        path = _library() / self.name if self.source.startswith(_LIBRARY) else FOLDER / self.source
        try:
            return path.read_bytes()
        except OSError as error:
            raise UserError(
                f"The example picture {self.source} cannot be read ({error.strerror}); install the requirements again."
            ) from error

    def evidence(self, decoder: Callable[[bytes], NDArray[np.float32]] = decode_picture) -> NDArray[np.bool_] | None:
        """(H, W), true at the evidence for the class; None where it is unknown or there is none. decoder: of the mask's file."""
        if not self.mask_file:
            return None
        return decoder((FOLDER / self.mask_file).read_bytes())[..., 0] > 0.5


def examples_for(classifier: str) -> tuple[Example, ...]:
    """The examples of a classifier, the best to begin with first; `imagenet:ResNet50` and its kin share theirs."""
    family = classifier.split(":")[0]
    return tuple(example for example in all_examples() if classifier in example.classifiers or family in example.classifiers)


@lru_cache(maxsize=1)
def all_examples() -> tuple[Example, ...]:
    """All examples, in the order of the index."""
    rows = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
    return tuple(Example(**{**row, "classifiers": tuple(row["classifiers"])}) for row in rows)


def _library() -> Path:
    """Where scikit-image keeps the pictures it comes with."""
    found = importlib.util.find_spec("skimage")
    if found is None or found.origin is None:
        raise UserError("scikit-image is not installed and brings the example photographs; install the requirements again.")
    return Path(found.origin).parent / "data"
