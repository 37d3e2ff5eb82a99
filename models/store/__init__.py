"""The bundled classifiers: weights with their card beside them, each made by `python -m models.train NAME`."""

from pathlib import Path


def bundled() -> dict[str, Path]:
    """Name -> the weights' file. The card is the .json beside it."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.keras"))}
