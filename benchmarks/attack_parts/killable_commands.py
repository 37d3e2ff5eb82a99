"""The commands that write results, each with what it needs, and a check that nothing of what it wrote is half there."""

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.attack_parts.client import new_picture
from errors import UserError
from explainers.metrics.agreement.reference_library import read_map_library
from models.cards.card import Card, file_sha256
from models.store import bundled_models

CLASSIFIER = "glass_box"
LIBRARY_PICTURES = 31


@dataclass(frozen=True)
class KillableCommand:
    """A command that writes below a folder.

    prepare: puts into an empty folder what a run needs. words: the command line after `python -m`. fault: what is wrong with what lies in
    the folder after a run that was ended; nothing where it is whole or absent. finished: whether a whole run's result is there.
    """

    name: str
    prepare: Callable[[Path], None]
    words: Callable[[Path], list[str]]
    fault: Callable[[Path], str]
    finished: Callable[[Path], bool]


def _prepare_explain(folder: Path) -> None:
    for number in range(2):
        (folder / f"picture{number}.png").write_bytes(new_picture(128))


def _explain_words(folder: Path) -> list[str]:
    pictures = [str(folder / f"picture{number}.png") for number in range(2)]
    return [
        "app",
        "explain",
        *pictures,
        *["--model", "glass_box", "--methods", "grad_cam", "occlusion", "--preset", "fast", "--quiet", "--out"],
        f"{folder}/out",
    ]


def _explain_fault(folder: Path) -> str:
    out = folder / "out"
    if not out.exists():
        return ""
    try:
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        with np.load(out / "maps.npz") as maps:
            names = {name for name in maps.files if maps[name].size}
        for entry in manifest["pictures"]:
            for each in entry["maps"]:
                with Image.open(out / each["overlay"]) as image:
                    image.load()
                if f"{each['overlay'].removesuffix('.png')}/full" not in names:
                    return f"maps.npz lacks {each['overlay']}"
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        return f"{type(error).__name__}: {error}"
    return "" if len(manifest["pictures"]) == 2 else "the manifest lacks a picture"


def _prepare_library(folder: Path) -> None:
    """A library that exists, and copies of one new picture: a run explains one, and writes the library again with it."""
    source = bundled_models()[CLASSIFIER]
    shutil.copy(source.with_suffix(".library.npz"), folder / "own.library.npz")
    (folder / "pictures").mkdir()
    data = new_picture(128)
    for number in range(LIBRARY_PICTURES):
        (folder / "pictures" / f"{number}.png").write_bytes(data)


def _library_words(folder: Path) -> list[str]:
    return ["app", "library", "--model", CLASSIFIER, "--pictures", f"{folder}/pictures", "--out", f"{folder}/own.library.npz", "--quiet"]


def _library_fault(folder: Path) -> str:
    try:
        count = len(read_map_library(folder / "own.library.npz").pictures)
    except UserError as error:
        return str(error)
    before = _bundled_pictures()
    return "" if count in (before, before + 1) else f"{count} pictures where {before} were"


def _library_finished(folder: Path) -> bool:
    return not _library_fault(folder) and len(read_map_library(folder / "own.library.npz").pictures) == _bundled_pictures() + 1


def _bundled_pictures() -> int:
    return len(read_map_library(bundled_models()[CLASSIFIER].with_suffix(".library.npz")).pictures)


def _prepare_small_training(folder: Path) -> None:
    """An earlier classifier, to be replaced."""
    (folder / "out").mkdir()
    for ending in (".keras", ".json"):
        shutil.copy(bundled_models()[CLASSIFIER].with_suffix(ending), folder / "out")


def _classifier_fault(folder: Path, name: str) -> str:
    """What is wrong with the weights and the card of that name."""
    weights = folder / f"{name}.keras"
    try:
        with zipfile.ZipFile(weights) as archive:
            if broken := archive.testzip():
                return f"{broken} is broken"
        card = Card.read(weights.with_suffix(".json"))
    except (OSError, ValueError, UserError, zipfile.BadZipFile) as error:
        return f"{type(error).__name__}: {error}"
    return "" if card.sha256 == file_sha256(weights) else "the card belongs to other weights"


def _small_training_finished(folder: Path) -> bool:
    made = Card.read(folder / "out" / f"{CLASSIFIER}.json").made_by
    return "--seed 5" in made and not _classifier_fault(folder / "out", CLASSIFIER)


def _prepare_training(folder: Path) -> None:
    for number in range(24):
        place = folder / "data" / ("one", "two")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.png").write_bytes(new_picture(32, 100 + 100 * (number % 2)))


def _training_words(folder: Path) -> list[str]:
    words = ["models.train", "folder", "--data", f"{folder}/data", "--out", f"{folder}/out"]
    return [*words, *["--size", "32", "--backbone", "small_cnn", "--batch", "8", "--epochs", "1"]]


def _training_fault(folder: Path) -> str:
    for version in _versions(folder):
        missing = [name for name in ("split.csv", "history.json", "evaluation.json") if not (version / name).is_file()]
        if fault := f"no {missing[0]}" if missing else _classifier_fault(version, "folder"):
            return f"{version.name}: {fault}"
    checkpoint = folder / "out" / "checkpoint.npz"
    try:
        if checkpoint.exists():
            with np.load(checkpoint) as arrays:
                for name in arrays.files:
                    arrays[name]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        return f"checkpoint: {error}"
    return ""


def _versions(folder: Path) -> list[Path]:
    return [path for path in (folder / "out" / "folder").glob("v*") if path.is_dir()]


COMMANDS = (
    KillableCommand("explain", _prepare_explain, _explain_words, _explain_fault, lambda folder: (folder / "out").is_dir()),
    KillableCommand("library", _prepare_library, _library_words, _library_fault, _library_finished),
    KillableCommand("train", _prepare_training, _training_words, _training_fault, lambda folder: bool(_versions(folder))),
    KillableCommand(
        "train a bundled recipe",
        _prepare_small_training,
        lambda folder: ["models.train", CLASSIFIER, "--test", "8", "--seed", "5", "--out", f"{folder}/out"],
        lambda folder: _classifier_fault(folder / "out", CLASSIFIER),
        _small_training_finished,
    ),
)
