"""Makes the bundled classifiers' libraries of maps again: `python -m app.maintenance.bundled_map_libraries [NAME ...]`.

Needed whenever a bundled classifier or a method changes; the existing libraries are replaced. A new method needs it only for its
own pairs: the libraries remain valid for the others.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from app.commands.library import build_map_library
from app.model_files import map_library_path
from app.options import LibraryOptions
from errors import UserError
from models.datasets.synthetic import glass_box, phantoms
from models.output.atomic_files import atomic_file
from models.store import bundled_models

PICTURES = 132
"""Of four classes, so that 30 and more are of the class of any picture."""
CLASSIFIERS = ("glass_box", "phantoms", "phantoms_shortcut")
FIRST_SEED = 800_000
"""Seed of pictures that no recipe, test or benchmark uses."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Regenerates the named libraries; 0, or 2 after invalid arguments."""
    parser = argparse.ArgumentParser("python -m app.maintenance.bundled_map_libraries", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"bundled classifiers ({', '.join(CLASSIFIERS)}); all where none is named")
    parser.add_argument("--pictures", type=int, default=PICTURES, metavar="N", help="pictures for each (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    try:
        for name in chosen.names or CLASSIFIERS:
            rebuild_map_library(name, chosen.pictures)
    except UserError as mistake:
        print(mistake, file=sys.stderr)
        return 2
    return 0


def rebuild_map_library(name: str, count: int = PICTURES, out: Path | None = None) -> Path:
    """Draws the pictures, explains them at Balanced and replaces the library at `out`, or the one next to the weights."""
    if name not in bundled_models():
        raise UserError(f"No classifier {name!r} is bundled; there are {', '.join(bundled_models())}.")
    if name not in CLASSIFIERS:
        raise UserError(f"{name} learnt from real pictures, which cannot be drawn; name a folder: python -m app library --model {name} ...")
    place = out or map_library_path(name)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            Image.fromarray(draw_synthetic_picture(name, number)).save(Path(folder) / f"{number:04}.png")
        fresh = Path(folder) / place.name
        build_map_library(LibraryOptions(name, Path(folder), fresh, quiet=not sys.stderr.isatty()))
        with atomic_file(place) as file:
            file.write(fresh.read_bytes())
    print(f"Wrote {place.name}: maps of {count} pictures.", flush=True)
    return place


def draw_synthetic_picture(name: str, number: int) -> np.ndarray:
    """(H, W, 3) 0..255: the picture of that number, classes in turn."""
    seed, label = FIRST_SEED + number, number % 4
    drawn = glass_box.draw_colour_patches(seed, glass_box.NAMES[label]) if name == "glass_box" else phantoms.draw_phantom(seed, label)
    return np.round(drawn.image * 255).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(main())
