"""Exports a classifier to the requested formats, compares each with the original, and records the differences in export.json."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from errors import UserError
from models.cards.card import Card, file_sha256
from models.export.format_writers import FORMATS, ExportSource, ModelFunction, ModelInputs, keras_model_as_function
from models.export.output_comparison import (
    OutputDifference,
    choose_comparison_images,
    compare_outputs,
    load_fitted_images,
    model_inputs_by_name,
    random_colour_images,
)
from models.formats.format_registry import open_keras_model
from models.graph.model_inputs import read_model_inputs
from models.loading import find_model_file, load_classifier_in_process
from models.output.atomic_files import atomic_directory
from models.store import bundled_models


@dataclass(frozen=True)
class ExportResult:
    """A format, its file (relative to the export's folder), size and difference from the original; or the reason why it was not written."""

    format: str
    file: str = ""
    bytes: int = 0
    difference: OutputDifference | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "file": self.file,
            "bytes": self.bytes,
            "difference": self.difference.to_json() if self.difference else None,
            "reason": self.reason,
        }

    def summary(self) -> str:
        """One line for the terminal."""
        if self.difference is None:
            return f"{self.format}: not written. {self.reason}"
        difference = self.difference
        size = f"probabilities differ by {difference.largest:.2g} at most, {difference.mean:.2g} on average"
        words = f"{size}; same answer to {difference.agreement:.1%}"
        return f"{self.format}: {self.file}, {self.bytes / 1000:,.0f} kB; {words}"


@dataclass(frozen=True)
class _Original:
    source: ExportSource
    card: Card
    checked: ModelInputs
    answer: ModelFunction
    checked_on: str


def export_model(model: str, out: Path, formats: Sequence[str], pictures: Path | None, seed: int) -> list[ExportResult]:
    """model: a model file or folder, or a bundled name. out: a new or empty folder, which appears once everything is written."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"--out is {out}, which exists and is not empty; name another folder or delete it first.")
    if "tflite-int8" in formats and pictures is None:
        raise UserError("int8 needs pictures like those it will see, by which it chooses its ranges; give a folder with --pictures.")
    original = _load_original(model, pictures, seed)
    with atomic_directory(out) as folder:
        exported = [_export_one(name, original, folder) for name in tqdm(formats, "export", unit="format", leave=False, disable=None)]
        (folder / "labels.txt").write_text("".join(f"{label.name}\n" for label in original.card.labels), encoding="utf-8")
        record: dict[str, Any] = {"model": original.card.name, "sha256": original.card.sha256, "checked_on": original.checked_on}
        record["formats"] = [each.to_json() for each in exported]
        (folder / "export.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return exported


def _load_original(model: str, pictures: Path | None, seed: int) -> _Original:
    path = find_model_file(bundled_models().get(model, Path(model)))
    network, served = open_keras_model(path), load_classifier_in_process(path)
    inputs, card = read_model_inputs(network, path.name), dataclasses.replace(served.card, sha256=file_sha256(path))
    representative = None
    if pictures is None:
        images, described = random_colour_images(served, seed), "32 pictures of soft random colours"
    else:
        checked, others = choose_comparison_images(pictures, seed)
        images, described = load_fitted_images(served, checked), f"{len(checked)} pictures of {pictures.name}"
        representative = model_inputs_by_name(load_fitted_images(served, others), inputs, card)
    source = ExportSource(network, path.stem, tuple(each.name for each in inputs.order), representative)
    return _Original(source, card, model_inputs_by_name(images, inputs, card), keras_model_as_function(network, inputs), described)


def _export_one(name: str, original: _Original, folder: Path) -> ExportResult:
    subfolder = folder / name
    subfolder.mkdir()
    try:
        path = FORMATS[name].write(original.source, subfolder)
        answer = FORMATS[name].open(path, original.source.inputs)
    except UserError as error:
        subfolder.rmdir()
        return ExportResult(name, reason=str(error))
    difference = compare_outputs(original.answer(original.checked), answer(original.checked), original.card.head)
    _card(name, original, path, difference).write(path.with_suffix(".json") if path.is_file() else path.with_name(path.name + ".json"))
    size = sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())
    return ExportResult(name, path.relative_to(folder).as_posix(), size, difference)


def _card(name: str, original: _Original, path: Path, difference: OutputDifference) -> Card:
    """The original's card for the exported weights; without the measured accuracy where quantisation changes the answers."""
    sha256 = file_sha256(path) if path.is_file() else ""
    differ = f"differ by {difference.largest:.2g} at most and {difference.mean:.2g} on average, same answer to {difference.agreement:.1%}"
    note = f"Exported as {name} from the weights {original.card.sha256[:12]}...: its probabilities {differ} of {original.checked_on}."
    card = dataclasses.replace(original.card, sha256=sha256, notes=(*original.card.notes, note))
    return dataclasses.replace(card, accuracy=None, calibration_error=None, measured_on="") if name == "tflite-int8" else card
