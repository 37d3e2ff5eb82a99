"""The inspection tab: findings in words, ways of preprocessing and layers as tables, the proposed card as text."""

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.formatting import format_count_with_noun
from app.page.views.page_state import LabelledPictures, PageState
from app.service.classifier_registry import RegisteredClassifier
from app.service.inspection_queue import MAX_PICTURES, InspectionJob
from models.cards.card import Card
from models.cards.sidecar_files import model_card_path
from models.inspection.inspection_report import InspectionFinding, InspectionReport, LayerReport, PreprocessingCandidate

LEAD = (
    "Reads the model's file and shows it the pictures at hand: what it takes and gives, which layers maps can be drawn from, "
    "and whether its pictures are prepared as it was trained with them. Nothing is written anywhere."
)
MOST_LAYERS = 400
RANKS = ("refused", "warning", "fact")
CANDIDATES = (
    ("Scaling", "The numbers that a pixel becomes"),
    ("Colours", "The order of the colours, or grey"),
    ("Right", "Share of the pictures of known class that it names rightly"),
    ("AUC", "Mean over the classes: how well its probability tells pictures of the class from others; 50 % is chance"),
    ("Confidence", "Mean probability of the class it names"),
    ("Entropy", "In bits, mean over the pictures: 0 where it is always sure"),
    ("Steady", "Share of pictures whose class stays when they are mirrored, shifted, darkened or blurred a little"),
    ("Spread", "Entropy in bits of the classes it names over all pictures: 0 where it calls everything the same"),
    ("Names most", "The class that it names most often"),
    ("Score", "What the ways are ranked by"),
)
LAYERS = (
    ("Layer", ""),
    ("Grid", "Height × width: how many places its map has"),
    ("Channels", ""),
    ("Sees", "Receptive field, height × width in pixels of the input: how much of the picture one place can depend on"),
    ("Used", "Whether the class activation methods read it unless another is chosen"),
)
Value = dict[str, Any]


def inspection_view(state: PageState) -> Value:
    """The tab while that classifier is chosen; empty once the classifier is removed."""
    entry, found = state.entry, state.inspection
    if entry is None:
        return {"run": state.run}
    value: Value = {
        "run": state.run,
        "title": entry.title,
        "lead": LEAD,
        "hand": _available_pictures(state.pictures),
        "labels": list(state.labels),
        "most": MAX_PICTURES,
        "state": "empty",
    }
    if found is None:
        return value
    value |= {"state": found.state, "text": _progress(found, entry.title), "error": found.error, "left": list(found.left_out)}
    if found.state == "running":
        value["asked"] = found.progress
    if found.state == "done" and found.report:
        value |= {"report": inspection_report_view(found.report, entry), "text": _summary_sentence(found.report)}
    return value


def _available_pictures(pictures: LabelledPictures) -> str:
    """How many pictures there are, and of how many the class is known."""
    if not pictures:
        return "There is no picture at hand; add some, best with their classes. Without any, only the file is looked at."
    known = sum(bool(label) for _, label in pictures)
    words = {0: "the class of none is known", len(pictures): "the class of each is known"}.get(known, f"the class of {known} is known")
    return f"{format_count_with_noun(len(pictures), 'picture')} at hand; {words}. More of known classes make the verdict surer."


def _progress(found: InspectionJob, title: str) -> str:
    if found.state == "waiting":
        return f"{title} is examined as soon as nobody waits for maps."
    if found.state != "running":
        return ""
    pictures = format_count_with_noun(len(found.request.pictures), "picture")
    return f"{title} is being examined by {pictures}; a large network takes a minute or two."


def inspection_report_view(report: InspectionReport, entry: RegisteredClassifier) -> Value:
    """What the tab shows of one model's report."""
    ranked = sorted(report.findings, key=lambda each: RANKS.index(each.level))
    return {
        "name": report.name,
        "sum": _summary_sentence(report),
        "findings": [_finding(each) for each in ranked],
        "sure": report.certainty or _no_candidates(report),
        "candidates": _candidates(report),
        "layers": _layers(report.layers),
        "card": None if report.proposed is None else _card(report.card, report.proposed, entry),
    }


def _summary_sentence(report: InspectionReport) -> str:
    """How much was found, in a sentence."""
    count = {level: sum(each.level == level for each in report.findings) for level in RANKS}
    if count["refused"]:
        return f"{report.name} cannot be opened."
    warnings = format_count_with_noun(count["warning"], "warning") if count["warning"] else "No warning"
    return f"{report.name}: {warnings}, {format_count_with_noun(count['fact'], 'fact')}{_shown(report)}."


def _shown(report: InspectionReport) -> str:
    if not report.pictures:
        return ""
    return f"; it was shown {format_count_with_noun(report.pictures, 'picture')}, {report.classes_known or 'none'} of known class"


def _finding(each: InspectionFinding) -> Value:
    return {
        "level": each.level,
        "word": "" if each.level == "fact" else each.level,
        "about": each.about,
        "says": each.says,
        "known": each.known_by,
    }


def _no_candidates(report: InspectionReport) -> str:
    if report.candidates or report.card is None or report.pictures:
        return ""
    return "The ways of preparing a picture were not tried: there was no picture. Add some above, best with their classes."


def _candidates(report: InspectionReport) -> Value | None:
    """The best first; columns that need known classes only where enough are known. None is marked as right, not even the first."""
    if not report.candidates:
        return None
    rows = [_candidate(each) for each in report.candidates]
    known = any(each.accuracy is not None for each in report.candidates)
    kept = [number for number in range(len(CANDIDATES)) if number not in (2, 3) or known]
    marks = [_mark(each, report) for each in report.candidates]
    return {"columns": [CANDIDATES[i] for i in kept], "rows": [[row[i] for i in kept] for row in rows], "marks": marks}


def _mark(each: PreprocessingCandidate, report: InspectionReport) -> str:
    ways = {"today": report.card, "proposed": report.proposed}
    return " · ".join(word for word, card in ways.items() if card and (card.scaling, card.colour) == (each.scaling, each.colour))


def _candidate(each: PreprocessingCandidate) -> list[str]:
    shares = [_percent(value) for value in (each.accuracy, each.auc, each.confidence)]
    colour = each.colour if each.colour == "grey" else each.colour.upper()
    rest = [_number(each.entropy), _percent(each.stability), _number(each.spread), each.commonest, _number(each.score)]
    return [each.scaling, colour, *shares, *rest]


def _layers(layers: Sequence[LayerReport]) -> Value | None:
    """The layers from the output back to the input."""
    if not layers:
        return None
    shown = layers[::-1][:MOST_LAYERS]
    count = (
        format_count_with_noun(len(layers), "layer")
        if len(layers) == len(shown)
        else f"The last {len(shown)} of {format_count_with_noun(len(layers), 'layer')}"
    )
    says = f"{count}, from the answer back to the picture."
    return {
        "columns": LAYERS,
        "rows": [_layer(each) for each in shown],
        "marks": ["used" if each.used else "" for each in shown],
        "says": says,
    }


def _layer(each: LayerReport) -> list[str]:
    sees = "the whole picture" if each.receptive_field is None else _by(each.receptive_field)
    return [each.name, _by(each.grid), f"{each.channels:,}", sees, "✓" if each.used else ""]


def _card(today: Card | None, proposed: Card, entry: RegisteredClassifier) -> Value:
    """The card as `--fix` would write it, its changes, its file name, and the command that writes it, without the server's folders."""
    source = Path(entry.source).name
    return {
        "text": proposed.to_text(),
        "changes": [] if today is None else _changes(today, proposed),
        "file": _card_file(entry),
        "command": f"python -m app inspect {shlex.quote(source)} --pictures FOLDER --fix",
    }


def _changes(today: Card, proposed: Card) -> list[str]:
    now, then = today.to_json(), proposed.to_json()
    names = [name for name in now if name not in ("notes", "inferred", "sha256") and now[name] != then[name]]
    return [f"{name}: {_short(now[name])} → {_short(then[name])}" for name in names]


def _short(value: object) -> str:
    """A field's value in one line."""
    parts = [each["name"] if isinstance(each, dict) else str(each) for each in value] if isinstance(value, list) else [str(value)]
    words = ", ".join(map(str, parts)) or "none"
    return words if len(words) <= 80 else f"{words[:79]}…"


def _card_file(entry: RegisteredClassifier) -> str:
    """The file name of the model's card."""
    path = Path(entry.source)
    return model_card_path(path).name if path.suffix else "model.json"


def _by(pair: tuple[int, int]) -> str:
    return f"{pair[0]} × {pair[1]}"


def _percent(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.0f} %"


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "–"
