"""The matrix of agreement: how far each pair of maps agrees beyond chance, in numbers, colours and words; raw values on request."""

import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.explanation import method_key
from app.formatting import format_p_value, format_score
from app.service.classifier_registry import is_public
from app.service.metric_state import AGREEMENT
from app.service.request import ExplanationState
from explainers.method import Method
from explainers.metrics.agreement.agreement import AgreementResult
from explainers.metrics.agreement.consistency import MapConsistency, PairAgreement, SelfAgreementSource, controls_warning_sentence
from explainers.metrics.agreement.significance import AgreementLevel

LEAD = (
    "How far each pair of maps agrees beyond chance (κ*): 0 is chance, that is, what the maps of unrelated pictures have in common too; "
    "1 is as well as each of the two methods agrees with itself."
)
RAW_LEAD = (
    "Raw: chance is still in these numbers, and it is large. Maps that have nothing to do with each other reach the value in brackets "
    "on average; do not read a raw number without it."
)
WAITING, WEIGHING = "The pairs are weighed against chance once the maps are finished.", "Weighing the pairs against chance…"
HINT = "Point at a pair to read it in words; press it to compare the two maps."
SCALES = (
    "Two scales: κ*, in the table, rests on correlation and takes out each method's own noise. κ, told with the pair, is how far the mean "
    "of three likenesses lies above chance (1: equal maps), and the words weak, moderate and strong go by κ and its p. Do not compare the "
    "one with the other."
)
TAKEN = "taken as exact for what draws nothing"
AT_LEAST = (
    "≥ says at least: a method that draws nothing is taken to agree with itself exactly until “Jitter the picture”, under Trust, asks it, "
    "so that the pair's κ* can only be higher."
)
FAMILY = "Pairs within one family, such as Grad-CAM and Grad-CAM++, ask nearly the same question; that they agree says little."
WRONG = "Methods that agree can all be wrong: they agree as well on something that the classifier should not have looked at."
EXPLAINED = "†"
MANY_BY_CHANCE = (
    "“chance” is a result, and on real photographs the usual one: those two maps share no more than maps of different pictures do, "
    "so neither supports the other. Judge each by its own evidence, under Trust."
)
NOT_TOLD = (
    "“not told” is none: those two maps share more than maps of different pictures do on average, but one picture has little power to "
    "tell that from luck. The pair says its p, and how many others that rests on."
)
BUILD = "python -m app library --model {name} --pictures FOLDER"
VIEWS = (
    ("kappa", "Agreement above chance"),
    ("likeness", "Raw: mean of three likenesses"),
    ("spearman", "Raw: Spearman"),
    ("pearson", "Raw: Pearson"),
    ("ssim", "Raw: SSIM"),
    ("overlap", "Raw: IoU of the top 20 %"),
)
RAMP = ((236, 240, 248), (166, 202, 225), (66, 128, 172), (18, 62, 110))
Cell = dict[str, str]


def agreement_view(report: ExplanationState, run: int) -> dict[str, Any]:
    """The Agreement tab."""
    return {"run": run, **agreement_table(report)}


def agreement_table(report: ExplanationState) -> dict[str, Any]:
    """Rows and columns are the methods of the request. A cell for each view; none for pairs with a map that shows nothing."""
    methods = [{"id": method_key(method), "title": method.title} for method in report.request.methods]
    agreement = report.measures.agreement
    value: dict[str, Any] = {"methods": methods, "hint": HINT, "views": [list(view) for view in VIEWS], "lead": LEAD, "rawLead": RAW_LEAD}
    if agreement is None:
        weighing = report.final and report.measures.running == AGREEMENT
        return value | {"sentence": WEIGHING if weighing else "" if report.final else WAITING, "pairs": [], "words": [], "state": "waiting"}
    found = agreement.consistency
    ids = {method.title: method_key(method) for method in report.request.methods}
    pairs = [_pair(each, ids) for each in found.pair_agreements if each.first in ids and each.second in ids]
    words = [
        WRONG,
        *_chance_words(report, agreement),
        SCALES,
        *([AT_LEAST] if any(map(_at_least, found.pair_agreements)) else []),
        FAMILY,
        *_left_out(found),
    ]
    return value | {"state": "ready", "sentence": _agreement_sentence(found), "reading": _reading(found), "pairs": pairs, "words": words}


def _agreement_sentence(found: MapConsistency) -> str:
    """How many pairs of different families agree, and the picture's consistency."""
    across = [each for each in found.pair_agreements if not each.within_family]
    if not across:
        return "There are no two families of methods with a map to compare."
    scored = [each for each in across if each.level != AgreementLevel.NOT_CONVERGED]
    words = f"Of {len(across)} pairs of different families {sum(each.level.beyond_chance for each in scored)} agree beyond chance"
    counts = {level: sum(each.level == level for each in scored) for level in (AgreementLevel.BY_CHANCE, AgreementLevel.INCONCLUSIVE)}
    words += "".join(f", {count} {level}" for level, count in counts.items() if count)
    words += f", {len(across) - len(scored)} without a score" if len(scored) < len(across) else ""
    if found.kappa is None:
        return f"{words}."
    star = "" if found.ceiling is None else f" (κ* {format_score(found.ceiling)})"
    return f"{words}. Between families κ is {format_score(found.kappa)} on average{star}."


def _reading(found: MapConsistency) -> str:
    """What to make of it where much reads chance."""
    scored = [each for each in found.pair_agreements if not each.within_family and each.level != AgreementLevel.NOT_CONVERGED]
    by_chance = sum(each.level == AgreementLevel.BY_CHANCE for each in scored)
    explained = [each for each in scored if each.level.beyond_chance and each.explained_by]
    names = list(dict.fromkeys(name for each in explained for name in each.explained_by))
    why = f"{EXPLAINED} explains {len(explained)} of the pairs that agree: {controls_warning_sentence(names)}. " if explained else ""
    why += f"{MANY_BY_CHANCE} " if by_chance and by_chance >= len(scored) / 3 else ""
    return (why + (NOT_TOLD if any(each.level == AgreementLevel.INCONCLUSIVE for each in scored) else "")).strip()


def _chance_words(report: ExplanationState, found: AgreementResult) -> list[str]:
    """Where chance comes from, and how to know it better."""
    name = report.request.classifier
    build = BUILD.format(name=shlex.quote(name) if is_public(name) else "FILE")
    if found.others:
        return [
            f"Chance is what the same methods' maps of {found.others} other pictures share with these, by the same classifier.",
            *found.notes,
        ]
    return [*found.notes, f"To build a library, then start the page again: {build}"]


def _left_out(found: MapConsistency) -> list[str]:
    return [f"{title}: {reason}" for title, reason in found.left_out.items()]


def _pair(each: PairAgreement, ids: dict[str, str]) -> dict[str, Any]:
    cells = {"kappa": _kappa_cell(each), "likeness": _raw_cell(each.likeness.mean_similarity, each.chance.mean)}
    raw, by_chance = each.raw.to_json(), each.raw_by_chance.to_json()
    for name, _ in VIEWS[2:]:
        cells[name] = _raw_cell(raw[name], by_chance[name])
    return {"a": ids[each.first], "b": ids[each.second], "word": each.level, "cells": cells, "words": _pair_sentence(each)}


def _kappa_cell(each: PairAgreement) -> Cell:
    """κ* in colour where the pair agrees beyond chance; the word where it does not; a question mark where it is unknown."""
    if each.level == AgreementLevel.NOT_CONVERGED or each.unreliable:
        return {"text": "?", "kind": "unsure", "colour": "", "ink": ""}
    if each.level in (AgreementLevel.BY_CHANCE, AgreementLevel.INCONCLUSIVE):
        return {"text": "chance" if each.level == AgreementLevel.BY_CHANCE else "not told", "kind": "chance", "colour": "", "ink": ""}
    if each.ceiling is None:
        return {"text": f"({format_score(each.chance.kappa)})", "kind": "kappa", "colour": "", "ink": ""}
    colour, ink = score_colours(each.ceiling)
    return {
        "text": _at_least(each) + format_score(each.ceiling) + (EXPLAINED if each.explained_by else ""),
        "kind": "score",
        "colour": colour,
        "ink": ink,
    }


def _at_least(each: PairAgreement) -> str:
    """Noise that was not measured can only have lowered what is above chance."""
    return "≥\u202f" if each.self_agreement == SelfAgreementSource.EXACT and each.ceiling is not None and each.ceiling > 0 else ""


def _raw_cell(value: float, by_chance: float) -> Cell:
    return {"text": format_score(value), "kind": "raw", "colour": "", "ink": "", "aside": f"({format_score(by_chance)})"}


def _pair_sentence(each: PairAgreement) -> str:
    """The pair in words, each with its number."""
    words = f"{each.first} and {each.second}: {_pair_agreement(each)}. "
    if each.level != AgreementLevel.NOT_CONVERGED:
        words += f"κ {format_score(each.chance.kappa)}, p {format_p_value(each.p)}{_power(each)}. "
        star = ""
        if each.ceiling is not None:
            least, taken = ("at least ", f", {TAKEN}") if _at_least(each) else ("", "")
            star = f"κ* {least}{format_score(each.ceiling)} of 1, which is as well as each agrees with itself{taken}. "
        words += star or f"No κ*: {each.reason} "
    words += f"Raw likeness {format_score(each.likeness.mean_similarity)}, where chance gives {format_score(each.chance.mean)}."
    if each.explained_by:
        words += f" What explains it: {controls_warning_sentence(each.explained_by)}."
    if each.chance.weaker:
        words += " Chance by shifts and flips only, which is weaker."
    return words + (" One family: little news." if each.within_family else "")


def _pair_agreement(each: PairAgreement) -> str:
    if each.level == AgreementLevel.NOT_CONVERGED:
        return "not converged, so no score"
    return f"{each.level} agreement beyond chance" if each.level.beyond_chance else str(each.level)


def _power(each: PairAgreement) -> str:
    """What p rests on, where it decides."""
    what = "displaced copies" if each.chance.weaker else "other pictures"
    return f" against {each.chance.others} {what}; one picture has little power" if each.level == AgreementLevel.INCONCLUSIVE else ""


def agreement_with_other_families(found: MapConsistency, method: Method) -> list[PairAgreement]:
    """The agreement of a method with each method of another family."""
    return [each for each in found.pair_agreements if method.title in (each.first, each.second) and not each.within_family]


def other_method_of_pair(each: PairAgreement, title: str) -> str:
    """The other method of the pair."""
    return each.second if each.first == title else each.first


def mean_kappa_with_other_families(found: MapConsistency, method: Method, families: dict[str, str]) -> float | None:
    """A method's mean κ with the other families, each family counted once; None where no pair has a score."""
    by_family: dict[str, list[float]] = {}
    for each in agreement_with_other_families(found, method):
        if each.level != AgreementLevel.NOT_CONVERGED:
            by_family.setdefault(families[other_method_of_pair(each, method.title)], []).append(each.chance.kappa)
    return float(np.mean([np.mean(values) for values in by_family.values()])) if by_family else None


def score_colours(value: float) -> tuple[str, str]:
    """A score, of which what lies below 0 looks like 0 -> background and ink, with a contrast above 4.5 everywhere."""
    position = min(max(value, 0.0), 0.9999) * (len(RAMP) - 1)
    low, part = int(position), position - int(position)
    colour = [round(a + (b - a) * part) for a, b in zip(RAMP[low], RAMP[low + 1], strict=True)]
    return f"rgb({colour[0]} {colour[1]} {colour[2]})", "#ffffff" if relative_luminance(colour) < 0.179 else "#000000"


def relative_luminance(colour: Sequence[int]) -> float:
    """Relative luminance as WCAG defines it, of RGB 0..255."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in colour)]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))
