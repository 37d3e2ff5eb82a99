"""Writes an evaluation as evaluation.json and as one page that needs nothing else, evaluation.html."""

import json
import os
from pathlib import Path

from errors import UserError
from models.evaluation.evaluation_records import Evaluation


def write_evaluation(evaluation: Evaluation, folder: Path) -> tuple[Path, Path]:
    """Writes evaluation.json and evaluation.html atomically; returns their paths."""
    from models.evaluation.html_report import render_evaluation_html

    texts = {"evaluation.json": evaluation_json(evaluation), "evaluation.html": render_evaluation_html(evaluation)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            unfinished = folder / f".{name}.{os.getpid()}"
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(folder / name)
    except OSError as error:
        raise UserError(f"The evaluation cannot be written to {folder} ({error.strerror}); choose another --out.") from error
    return folder / "evaluation.json", folder / "evaluation.html"


def evaluation_json(evaluation: Evaluation) -> str:
    """Every field; the number of pictures by class instead of their paths, and mistakes with shortened paths."""
    return json.dumps(evaluation.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
