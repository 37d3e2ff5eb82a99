"""The bundled classifiers: weights and their cards, each made by `python -m models.train NAME`."""

from pathlib import Path


def bundled_models() -> dict[str, Path]:
    """Name -> the weights' file. The card is the .json next to it."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.keras"))}
