"""Folders of pictures as publishers lay them out, made for the tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def painted(file: Path, seed: int, size: tuple[int, int] = (24, 32)) -> Path:
    """A picture of smooth noise (H, W) that no other seed gives."""
    file.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC).save(file)
    return file


def filled(root: Path, names: Sequence[str], first: int = 0) -> Path:
    """A folder with a picture of each name."""
    for number, name in enumerate(names):
        painted(root / name, first + number)
    return root


def csv(file: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """A table with the columns of its first row."""
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def ham10000(root: Path) -> Path:
    """Six pictures of four lesions, one row without its picture and one picture without its row."""
    table = [
        ("L1", "I1", "mel", "80.0", "male", "scalp"),
        ("L1", "I2", "mel", "80.0", "male", "scalp"),
        ("L2", "I3", "nv", "", "unknown", "unknown"),
        ("L3", "I4", "nv", "35.0", "female", "back"),
        ("L3", "I5", "nv", "35.0", "female", "back"),
        ("L4", "I6", "bcc", "60.0", "female", "face"),
        ("L5", "I7", "df", "60.0", "female", "face"),
    ]
    columns = ("lesion_id", "image_id", "dx", "age", "sex", "localization")
    filled(root, [f"HAM10000_images_part_{1 + n % 2}/I{n}.png" for n in (1, 2, 3, 4, 5, 6, 9)])
    filled(root, ["masks/I1.png"])
    csv(root / "HAM10000_metadata.csv", [dict(zip(columns, row, strict=True)) for row in table])
    return root


def isic2019(root: Path, test: bool = True) -> Path:
    """Three training pictures of two lesions, and two of a test, one of them of no known class."""
    names = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
    about = {"T1": (70.0, "anterior torso", "BCN_1", "male"), "T2": (70.0, "", "BCN_1", "male"), "T3": ("", "", "", "")}
    truth = {"Training": {"T1": "MEL", "T2": "MEL", "T3": "SCC"}, "Test": {"E1": "NV", "E2": "UNK"}}
    for word in ("Training", "Test") if test else ("Training",):
        rows = truth[word]
        filled(root / f"ISIC_2019_{word}_Input", [f"{image}.jpg" for image in rows], 10)
        marks = [{"image": image, **{name: float(name == kind) for name in names}} for image, kind in rows.items()]
        csv(root / f"ISIC_2019_{word}_GroundTruth.csv", marks)
        columns = ("age_approx", "anatom_site_general", "lesion_id", "sex")
        details = [{"image": i, **dict(zip(columns, about.get(i, (50.0, "", "", "female")), strict=True))} for i in rows]
        csv(root / f"ISIC_2019_{word}_Metadata.csv", details)
    return root


CHEST = {
    "train/NORMAL": ["IM-0115-0001.jpeg", "NORMAL2-IM-0115-0001.jpeg", "NORMAL2-IM-0115-0001-0002.jpeg"],
    "train/PNEUMONIA": ["person1_bacteria_1.jpeg", "person1_bacteria_2.jpeg", "person1_virus_7.jpeg", "person20_virus_9_1.jpeg"],
    "val/NORMAL": ["NORMAL2-IM-1427-0001.jpeg"],
    "val/PNEUMONIA": ["person1946_bacteria_4874.jpeg"],
    "test/NORMAL": ["IM-0001-0001.jpeg"],
    "test/PNEUMONIA": ["person100_bacteria_475.jpeg", "person8_virus_30.jpeg"],
}


def chest_xray(root: Path) -> Path:
    """Twelve pictures under names of the published kind, and a stray text."""
    filled(root, [f"{folder}/{name}" for folder, names in CHEST.items() for name in names])
    (root / "train" / "notes.txt").write_text("no picture")
    return root
