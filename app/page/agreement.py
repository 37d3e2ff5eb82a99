"""The table of agreement: how alike each pair of maps is, with numbers, colours and words; and the consensus of all of them."""

from itertools import combinations
from typing import Any

import numpy as np

from app.page.pictures import codes_uri
from app.page.words import FAMILIES, FAMILY_HELP, placed, signed
from app.render import scaled
from app.session import Report, key_of
from explainers.measures.agreement import Evidence, Pair, consensus, evidence, pair
from explainers.method import Method

LEAD = (
    "How alike each pair of maps is: the mean of three scores, for the same strongest places, the same shares of evidence (both from "
    "0 to 1) and the same order (from −1 to 1). Equal maps have 1; a map's opposite is below 0. Chance is not yet taken out."
)
WORDS = (
    "Read it with care: maps that have nothing to do with each other come out around 0, at random between about −0.25 and 0.25. Where "
    "every picture has its subject in the middle, the maps of two different pictures have more in common: 0.2 for the lesion phantoms, "
    "0.6 for one pair in twenty. Compare the numbers within one table, not between tables.",
    "Methods of one family (class activation: Grad-CAM, Grad-CAM++ and Score-CAM; surrogate model: LIME and SHAP) ask nearly the same "
    "question; that they agree says little.",
    "Agreeing explanations can all be wrong: they would agree as well on something that the classifier should not have looked at.",
)
RAMP = ((236, 240, 248), (166, 202, 225), (66, 128, 172), (18, 62, 110))
Found = dict[str, Evidence]


def evidence_of(report: Report) -> Found:
    """The maps so far on the picture's common grid, by the method's key."""
    if report.image is None:
        return {}
    size = report.image.shape[:2]
    found = {key: evidence(result, (size[0], size[1])) for key, result in report.results.items()}
    return {key: each for key, each in found.items() if each is not None}


def table_of(report: Report, found: Found) -> dict[str, Any]:
    """The table's rows and columns are the methods of the question; pairs without two maps stay empty."""
    chosen = report.question.methods
    methods = [{"id": key_of(method), "title": method.title} for method in chosen]
    shown = [(a, b) for a, b in combinations(chosen, 2) if all(_has_evidence(found, method) for method in (a, b))]
    pairs = [_cell(a, b, pair(found[key_of(a)], found[key_of(b)])) for a, b in shown]
    hint = "Point at a pair to read it in words; press it to compare the two maps."
    return {"lead": LEAD, "words": list(WORDS), "hint": hint, "methods": methods, "pairs": pairs}


def consensus_panel(report: Report, found: Found) -> dict[str, Any]:
    """The last panel: what the families of methods have in common, each family counted once."""
    shared = consensus(list(found.values())) if found else None
    families = sorted({each.family for each in found.values() if each.share is not None})
    waiting = "stopped" if report.final else "computing" if report.state == "running" else "waiting"
    panel: dict[str, Any] = {"id": "Consensus", "title": "Consensus", "family": "all families", "help": FAMILY_HELP["all"], "word": waiting}
    panel |= {"state": waiting, "signed": False, "map": "", "cost": "", "time": "", "note": "", "alt": f"Consensus: {waiting}."}
    panel |= {"final": report.final, "version": report.evaluations}
    if shared is None:
        return panel
    codes = scaled(shared, signed=False)
    word = f"of {len(families)} {'family' if len(families) == 1 else 'families'}"
    alt = "Consensus: " + placed("what the families of methods have in common", shared.astype(np.float32))
    return panel | {
        "state": "consensus",
        "word": word,
        "alt": alt,
        "map": codes_uri(codes.tobytes(), lambda: codes),
        "note": ", ".join(FAMILIES[family] for family in families),
    }


def _has_evidence(found: Found, method: Method) -> bool:
    each = found.get(key_of(method))
    return each is not None and each.share is not None


def _cell(a: Method, b: Method, likeness: Pair) -> dict[str, Any]:
    value = likeness.headline
    colour, ink = _ramp(value)
    words = (
        f"{a.title} and {b.title}: {signed(value)}. Their strongest places overlap by {signed(likeness.top_overlap)}, they share "
        f"{signed(likeness.shared_mass)} of the evidence, and the order of places correlates at {signed(likeness.rank_correlation)}."
    )
    if likeness.same_sign is not None:
        words += f" Signs agree on {100 * likeness.same_sign:.0f} % (50 % by chance)."
    return {
        "a": key_of(a),
        "b": key_of(b),
        "text": signed(value),
        "colour": colour,
        "ink": ink,
        "words": words,
    }


def _ramp(value: float) -> tuple[str, str]:
    """A score, of which what lies below 0 looks like 0 -> background and ink, with a contrast above 4.5 everywhere."""
    position = min(max(value, 0.0), 0.9999) * (len(RAMP) - 1)
    low, part = int(position), position - int(position)
    colour = [round(a + (b - a) * part) for a, b in zip(RAMP[low], RAMP[low + 1], strict=True)]
    return f"rgb({colour[0]} {colour[1]} {colour[2]})", "#ffffff" if luminance(colour) < 0.179 else "#000000"


def luminance(colour: list[int]) -> float:
    """Relative luminance as WCAG defines it, of RGB 0..255."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in colour)]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))
