"""Regenerates the example pictures, their evidence masks and the index: `python -m examples.remake [FOLDER]`."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from examples import FOLDER, Example
from models.datasets.synthetic.glass_box import draw_colour_patches
from models.datasets.synthetic.phantoms import draw_phantom

DRAWN = "Drawn by Crosscheck, CC0-1.0"
PHANTOMS = ("phantoms", "phantoms_shortcut")


@dataclass(frozen=True)
class Drawing:
    """A drawing: which one, and what to say about it."""

    seed: int
    label: str
    ruler: bool
    caption: str


LESIONS = (
    Drawing(16, "blue veil", False, "A blue-white veil lies over a mole with a pigment network."),
    Drawing(34, "dots", False, "A cluster of black dots sits in the middle of the mole."),
    Drawing(22, "streaks", False, "Streaks stick out of the mole's lower border; hairs and the round view mean nothing."),
    Drawing(24, "plain", False, "A plain mole on fair skin: nothing is planted in it."),
    Drawing(25, "blue veil", False, "A veil on a nearly black mole, with pale hairs and a gel bubble over it."),
    Drawing(10, "dots", False, "Dots on dark skin, hard to see among the pigment network."),
    Drawing(2, "streaks", True, "Streaks on dark skin, with hairs that look much like them and a ruler."),
    Drawing(19, "plain", False, "A plain, nearly black mole on dark skin."),
    Drawing(36, "blue veil", False, "A veil on fair skin; the next picture is the same with a ruler."),
    Drawing(36, "blue veil", True, "The veil of the picture before, with a ruler laid beside it: does the answer change?"),
    Drawing(20, "plain", False, "A plain mole in a round view; the next picture is the same with a ruler."),
    Drawing(20, "plain", True, "The plain mole of the picture before, with a ruler laid beside it: does the answer change?"),
    Drawing(18, "dots", True, "Dots in a pale mole, with a ruler; the next picture is the same without the dots."),
    Drawing(18, "plain", True, "The mole of the picture before, pixel for pixel, without its dots."),
    Drawing(7, "streaks", False, "Streaks along the upper border, without a hair in the way."),
    Drawing(9, "blue veil", False, "A veil under hairs and gel bubbles."),
    Drawing(8, "plain", False, "A plain mole that is nearly all network, under hairs."),
    Drawing(39, "streaks", False, "Faint streaks on the right of a pale mole."),
)
PATCHES = (
    Drawing(6, "blue", False, "Large patches of blue among small ones of other colours."),
    Drawing(0, "red", False, "Red has the largest area."),
    Drawing(2, "green", False, "Two patches of green, and small ones that speak against it."),
    Drawing(5, "yellow", False, "One patch of yellow and a small one of red."),
)
PHOTOGRAPHS = (
    ("Cat", "chelsea.png", "Chelsea, a tabby cat, close up.", "Stéfan van der Walt, CC0-1.0"),
    ("Coffee", "coffee.png", "A cup of espresso on a wooden table: two classes are in it.", "Rachel Michetti, CC0-1.0"),
    ("Rocket", "rocket.jpg", "The launch of DSCOVR: rocket, smoke and sky.", "SpaceX, public domain"),
    ("Astronaut", "astronaut.png", "Eileen Collins before a shuttle and a flag: several classes compete.", "NASA, public domain"),
)


def main(folder: Path) -> None:
    """Writes every picture, mask and the index into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    examples = [*_lesions(folder), *_patches(folder), *_photographs()]
    rows = [to_json(example) for example in examples]
    (folder / "index.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def to_json(example: Example) -> dict[str, object]:
    """One entry of index.json."""
    return {
        "title": example.title,
        "caption": example.caption,
        "source": example.source,
        "classifiers": list(example.classifiers),
        "label": example.label,
        "mask_file": example.mask_file,
        "credit": example.credit,
    }


def _lesions(folder: Path) -> Iterator[Example]:
    for drawing in LESIONS:
        picture = draw_phantom(drawing.seed, drawing.label, drawing.ruler)
        stem = f"phantom_{drawing.seed:02}_{drawing.label.replace(' ', '_')}{'_ruler' * drawing.ruler}"
        title = drawing.label.capitalize() + ", with a ruler" * drawing.ruler
        files = _files(folder, stem, picture.image, picture.evidence)
        yield Example(title, drawing.caption, files[0], PHANTOMS, drawing.label, files[1], DRAWN)


def _patches(folder: Path) -> Iterator[Example]:
    for drawing in PATCHES:
        picture = draw_colour_patches(drawing.seed, drawing.label)
        files = _files(folder, f"patches_{drawing.label}", picture.image, picture.evidence)
        yield Example(drawing.label.capitalize(), drawing.caption, files[0], ("glass_box",), drawing.label, files[1], DRAWN)


def _photographs() -> Iterator[Example]:
    for title, file, caption, credit in PHOTOGRAPHS:
        yield Example(title, caption, f"skimage.data:{file}", ("imagenet",), "", "", credit)


def _files(folder: Path, stem: str, image: NDArray[np.float32], evidence: NDArray[np.bool_]) -> tuple[str, str]:
    """The names of the picture's and the mask's file; no mask where there is no evidence."""
    Image.fromarray(np.round(image * 255).astype(np.uint8)).save(folder / f"{stem}.png", optimize=True)
    if not evidence.any():
        return f"{stem}.png", ""
    Image.fromarray(evidence.astype(np.uint8) * 255).save(folder / f"{stem}_evidence.png", optimize=True)
    return f"{stem}.png", f"{stem}_evidence.png"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
