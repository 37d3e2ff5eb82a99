"""Writes the boxes of HAM10000's lesions for `benchmarks.advice`: `python -m benchmarks.advice.mask_boxes --model MODEL --out FILE`.

Pictures that the classifier was not trained on, one of a lesion, as many of each class as there are; the box is that of the lesion's mask.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

from benchmarks.shared.data import required_data
from models.datasets import splits
from models.datasets.layouts import ham10000
from models.images.decoder import decode_picture
from models.loading import find_model_file
from models.output.command_line import run_for_exit_status

DATA = "ham10000"


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, metavar="MODEL", help="a classifier that `python -m models.train dermoscopy` made")
    parser.add_argument("--pictures", type=int, default=120, metavar="N", help="(120)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    chosen = parser.parse_args()
    folder = required_data(DATA)
    held_out = splits.read_data_split(find_model_file(Path(chosen.model)).with_name("split.csv"), ham10000.read_dataset_folder(folder)).test
    by_class: dict[int, dict[str, Path]] = {}
    for row in held_out:
        by_class.setdefault(row.label, {}).setdefault(row.group, row.path)
    files = [list(found.values()) for found in by_class.values()]
    turns = [each[turn] for turn in range(max(map(len, files))) for each in files if turn < len(each)][: chosen.pictures]
    with chosen.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("picture", "left", "top", "width", "height"))
        for picture in turns:
            writer.writerow((picture.resolve(), *_box(picture, folder / "masks")))
    print(f"Written to {chosen.out}: {len(turns)} pictures.")


def _box(picture: Path, masks: Path) -> tuple[int, int, int, int]:
    """Left, top, width and height of the lesion in the picture's own pixels."""
    height, width = decode_picture(picture.read_bytes()).shape[:2]
    (file,) = masks.glob(f"{picture.stem}*")
    inside = decode_picture(file.read_bytes()).mean(-1) > 0.5
    rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    down, across = height / inside.shape[0], width / inside.shape[1]
    top, left = int(rows[0] * down), int(columns[0] * across)
    return left, top, int(np.ceil((rows[-1] + 1) * down)) - top, int(np.ceil((columns[-1] + 1) * across)) - left


if __name__ == "__main__":
    sys.exit(run_for_exit_status(main))
