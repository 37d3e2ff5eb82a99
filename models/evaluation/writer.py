"""Writes an evaluation as evaluation.json and as one page that needs nothing else, evaluation.html."""

import json
import os
from pathlib import Path

from errors import UserError
from models.evaluation.records import Evaluation


def write(evaluation: Evaluation, folder: Path) -> tuple[Path, Path]:
    """The JSON and the page, written beside and then renamed, so that each is there whole or not at all; gives their paths."""
    from models.evaluation.html_report import page

    texts = {"evaluation.json": as_json(evaluation), "evaluation.html": page(evaluation)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            unfinished = folder / f".{name}.{os.getpid()}"
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(folder / name)
    except OSError as error:
        raise UserError(f"The evaluation cannot be written to {folder} ({error.strerror}); choose another --out.") from error
    return folder / "evaluation.json", folder / "evaluation.html"


def as_json(evaluation: Evaluation) -> str:
    """Every field; of the pictures their number by class, and of paths the last folder and the name."""
    return json.dumps(evaluation.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
