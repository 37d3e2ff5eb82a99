"""preprocessor_config.json of the Hugging Face Hub, beside a model: the size and the range of numbers that its pictures had."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import UserError
from models.cards.card import LARGEST_SIDE, Scaling
from models.cards.sidecar_files import PREPROCESSOR
from plain_files import read_plain_text

_NEAR = 0.01
"""By how much mean and deviation, of pictures in 0..1, may differ from a known range's."""

_KNOWN: dict[Scaling, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "-1..1": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "0..1": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}


@dataclass(frozen=True)
class PreprocessorFile:
    """size: (H, W) in pixels, None where it is not said. scaling: empty where it is none of the card's; note: what to know then."""

    size: tuple[int, int] | None
    scaling: Scaling | None
    note: str = ""


def read_preprocessor_file(path: Path) -> PreprocessorFile | None:
    """What the file beside the model, or in its folder, says; None where there is none. One that cannot be read is noted, not refused."""
    place = path if path.is_dir() else path.parent
    found = next((each / PREPROCESSOR for each in (place, path.parent) if (each / PREPROCESSOR).is_file()), None)
    if found is None:
        return None
    try:
        raw = json.loads(read_plain_text(found))
        scaling = _scaling(raw)
        said = f"mean {raw.get('image_mean')} and deviation {raw.get('image_std')}"
        note = "" if scaling else f"{PREPROCESSOR} says {said[:120]}, which no 'scaling' of a card has: another is assumed."
        return PreprocessorFile(_size(raw), scaling, note)
    except (UserError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return PreprocessorFile(None, None, f"{PREPROCESSOR} beside the model cannot be read and is left out.")


def _scaling(raw: dict[str, Any]) -> Scaling | None:
    if not raw.get("do_rescale", True):
        return "0..255" if not raw.get("do_normalize", False) else None
    if not raw.get("do_normalize", "image_mean" in raw):
        return "0..1"
    mean, deviation = ([float(each) for each in raw[name]] for name in ("image_mean", "image_std"))
    return next((name for name, known in _KNOWN.items() if _are_near(mean, known[0]) and _are_near(deviation, known[1])), None)


def _are_near(found: list[float], known: tuple[float, ...]) -> bool:
    return all(abs(a - b) <= _NEAR for a, b in zip(found * (3 if len(found) == 1 else 1), known, strict=True))


def _size(raw: dict[str, Any]) -> tuple[int, int] | None:
    said = raw.get("crop_size") if raw.get("do_center_crop") else raw.get("size")
    if isinstance(said, dict):
        sides = (said["height"], said["width"]) if "height" in said else (said.get("shortest_edge"),) * 2
    else:
        sides = (said, said)
    whole = [side for side in sides if isinstance(side, int) and 1 <= side <= LARGEST_SIDE]
    return (whole[0], whole[1]) if len(whole) == 2 else None
