"""Writes a classifier in the formats that are asked for, compares each with the original, and says so in export.json."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from errors import UserError
from models.atomic_files import atomic_directory
from models.cards.card import Card, sha256_of
from models.export.comparison import Difference, chosen, difference, drawn, from_files, given
from models.export.writers import FORMATS, Answer, Given, Source, answers_of
from models.formats.keras_file import model_file, open_keras
from models.graph.inputs import inputs_of
from models.loading import load_in_process
from models.store import bundled


@dataclass(frozen=True)
class Exported:
    """A format, the file written (from the folder of the export), its bytes, and how it differs; or why it was not written."""

    format: str
    file: str = ""
    bytes: int = 0
    difference: Difference | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "file": self.file,
            "bytes": self.bytes,
            "difference": self.difference.to_json() if self.difference else None,
            "reason": self.reason,
        }

    def in_words(self) -> str:
        """One line for the screen."""
        if self.difference is None:
            return f"{self.format}: not written. {self.reason}"
        apart = self.difference
        words = f"probabilities differ by {apart.largest:.2g} at most, {apart.mean:.2g} on average; same answer to {apart.agreement:.1%}"
        return f"{self.format}: {self.file}, {self.bytes / 1000:,.0f} kB; {words}"


@dataclass(frozen=True)
class _Original:
    source: Source
    card: Card
    checked: Given
    answer: Answer
    material: str


def export(model: str, out: Path, formats: Sequence[str], pictures: Path | None, seed: int) -> list[Exported]:
    """model: a model file or folder, or a bundled name. out: a new or empty folder, which appears when everything is written."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"--out is {out}, which exists and is not empty; name another folder or delete it first.")
    if "tflite-int8" in formats and pictures is None:
        raise UserError("int8 needs pictures like those it will see, by which it chooses its ranges; give a folder with --pictures.")
    original = _opened(model, pictures, seed)
    with atomic_directory(out) as folder:
        exported = [_one(name, original, folder) for name in tqdm(formats, "export", unit="format", leave=False, disable=None)]
        (folder / "labels.txt").write_text("".join(f"{label.name}\n" for label in original.card.labels), encoding="utf-8")
        told = {"model": original.card.name, "sha256": original.card.sha256, "checked_on": original.material}
        told["formats"] = [each.to_json() for each in exported]
        (folder / "export.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return exported


def _opened(model: str, pictures: Path | None, seed: int) -> _Original:
    path = model_file(bundled().get(model, Path(model)))
    network, served = open_keras(path), load_in_process(path)
    inputs, card = inputs_of(network, path.name), dataclasses.replace(served.card, sha256=sha256_of(path))
    representative = None
    if pictures is None:
        images, material = drawn(served, seed), "32 pictures of soft random colours"
    else:
        checked, others = chosen(pictures, seed)
        images, material = from_files(served, checked), f"{len(checked)} pictures of {pictures.name}"
        representative = given(from_files(served, others), inputs, card)
    source = Source(network, path.stem, tuple(each.name for each in inputs.order), representative)
    return _Original(source, card, given(images, inputs, card), answers_of(network, inputs), material)


def _one(name: str, original: _Original, folder: Path) -> Exported:
    below = folder / name
    below.mkdir()
    try:
        path = FORMATS[name].write(original.source, below)
        answer = FORMATS[name].opened(path, original.source.inputs)
    except UserError as error:
        below.rmdir()
        return Exported(name, reason=str(error))
    found = difference(original.answer(original.checked), answer(original.checked), original.card.head)
    _card(name, original, path, found).write(path.with_suffix(".json") if path.is_file() else path.with_name(path.name + ".json"))
    size = sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())
    return Exported(name, path.relative_to(folder).as_posix(), size, found)


def _card(name: str, original: _Original, path: Path, found: Difference) -> Card:
    """The original's card for the new weights; what was measured is taken off where the answers are not the same ones."""
    sha256 = sha256_of(path) if path.is_file() else ""
    apart = f"differ by {found.largest:.2g} at most and {found.mean:.2g} on average, same answer to {found.agreement:.1%}"
    note = f"Exported as {name} from the weights {original.card.sha256[:12]}...: its probabilities {apart} of {original.material}."
    card = dataclasses.replace(original.card, sha256=sha256, notes=(*original.card.notes, note))
    return dataclasses.replace(card, accuracy=None, calibration_error=None, measured_on="") if name == "tflite-int8" else card
