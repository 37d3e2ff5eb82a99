"""The matrix of agreement: how far each pair of maps agrees beyond chance, in numbers, colours and words; raw values on request."""

import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.explanation import method_key
from app.formatting import format_p_value, format_score
from app.service.classifier_registry import is_public_model_name
from app.service.metric_state import AGREEMENT
from app.service.request import ExplanationState
from explainers.method import Method
from explainers.metrics.agreement.agreement import AgreementResult
from explainers.metrics.agreement.consistency import MapConsistency, PairAgreement, SelfAgreementSource, controls_warning_sentence
from explainers.metrics.agreement.family_agreement import FamilyAgreement
from explainers.metrics.agreement.significance import AgreementLevel, AgreementObstacle, KappaInterval

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
    "of three likenesses lies above chance (1: equal maps). The words go by κ, its interval over the pictures of the library and its p: "
    "none ends under .1; some begins at .1, strong at .5, both with a p of at most .05. Do not compare κ* with κ."
)
TAKEN = "taken as exact for what draws nothing"
AT_LEAST = (
    "≥ says at least: a method that draws nothing is taken to agree with itself exactly until “Jitter the picture” asks it, "
    "so that the pair's κ* can only be higher."
)
FAMILY = "Pairs within one family, such as Grad-CAM and Grad-CAM++, ask nearly the same question; that they agree says little."
WRONG = "Methods that agree can all be wrong: they agree as well on something that the classifier should not have looked at."
EXPLAINED = "†"
MUCH_IS_NONE = (
    "“none” is a result, and on real photographs the usual one: those two maps share no more than maps of different pictures do, "
    "so neither supports the other. Judge each by its own evidence, under the second question."
)
NOT_YET = (
    "“?” is none: those two maps may share more than maps of different pictures do, but one picture has little power to tell that from "
    "luck. The pair says its p, and what luck alone reaches."
)
LEVELS = tuple(reversed(AgreementLevel))
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
    """What the first question's answer rests on."""
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
        *_family_words(found),
        *_chance_words(report, agreement),
        SCALES,
        *([AT_LEAST] if any(map(_at_least, found.pair_agreements)) else []),
        FAMILY,
        *_left_out(found),
    ]
    return value | {"state": "ready", "sentence": _agreement_sentence(found), "reading": _reading(found), "pairs": pairs, "words": words}


def _agreement_sentence(found: MapConsistency) -> str:
    """How many pairs of families agree, and the picture's consistency."""
    if not found.families:
        return "There are no two families of methods with a map to compare."
    if not found.weighed:
        return "Whether the methods agree cannot be told yet: there are no maps of other pictures to compare with."
    counts = {level: sum(each.level == level for each in found.families) for level in LEVELS}
    words = ", ".join(f"{level} {count}" for level, count in counts.items() if count)
    pairs = "1 pair" if len(found.families) == 1 else f"{len(found.families)} pairs"
    sentence = f"Agreement beyond chance of the {pairs} of families: {words}."
    if found.kappa is None:
        return sentence
    star = "" if found.ceiling is None else f" (κ* {format_score(found.ceiling)})"
    return f"{sentence} Between families κ is {format_score(found.kappa)} on average{_interval(found.interval)}{star}."


def _interval(interval: KappaInterval | None) -> str:
    return f", {format_score(interval.low)} to {format_score(interval.high)}" if interval else ""


def _reading(found: MapConsistency) -> str:
    """What to make of it where little agrees."""
    across = [each for each in found.pair_agreements if not each.within_family]
    explained = [each for each in across if each.level.beyond_chance and each.explained_by]
    names = list(dict.fromkeys(name for each in explained for name in each.explained_by))
    why = f"{EXPLAINED} explains {len(explained)} of the pairs that agree: {controls_warning_sentence(names)}. " if explained else ""
    nothing = sum(each.level == AgreementLevel.NONE for each in across)
    why += f"{MUCH_IS_NONE} " if nothing and nothing >= len(across) / 3 else ""
    return (why + (NOT_YET if any(each.obstacle == AgreementObstacle.LITTLE_POWER for each in across) else "")).strip()


def _family_words(found: MapConsistency) -> list[str]:
    """Each pair of families with its numbers."""
    return [_family_sentence(each) for each in found.families if each.chance is not None]


def _family_sentence(each: FamilyAgreement) -> str:
    chance = each.chance
    assert chance is not None
    words = f"{each.first} and {each.second}: {each.level}. κ {format_score(chance.kappa)}{_interval(chance.interval)}"
    words += f", p {format_p_value(1.0 if each.p is None else each.p)}; "
    words += f"by luck alone one picture in 20 reaches {format_score(chance.detectable)}."
    if chance.class_share is None:
        return words
    share, others = format_score(chance.class_share), chance.same_class_pictures
    return f"{words} Of this κ, {share} is what maps of the same class share ({others} other pictures of it)."


def _chance_words(report: ExplanationState, found: AgreementResult) -> list[str]:
    """Where chance comes from, and how to know it better."""
    name = report.request.classifier
    build = BUILD.format(name=shlex.quote(name) if is_public_model_name(name) else "FILE")
    if found.others:
        return [
            f"Chance is what the same methods' maps of {found.others} other pictures share with these, by the same classifier.",
            *found.notes,
        ]
    return [*found.notes, f"To build a library: {build}"]


def _left_out(found: MapConsistency) -> list[str]:
    return [f"{title}: {reason}" for title, reason in found.left_out.items()]


def _pair(each: PairAgreement, ids: dict[str, str]) -> dict[str, Any]:
    cells = {"kappa": _kappa_cell(each), "likeness": _raw_cell(each.likeness.mean_similarity, each.chance.mean if each.chance else None)}
    raw, by_chance = each.raw.to_json(), each.raw_by_chance.to_json() if each.raw_by_chance else {}
    for name, _ in VIEWS[2:]:
        cells[name] = _raw_cell(raw[name], by_chance.get(name))
    return {"a": ids[each.first], "b": ids[each.second], "word": each.level, "cells": cells, "words": _pair_sentence(each)}


def _kappa_cell(each: PairAgreement) -> Cell:
    """κ* in colour where the pair agrees beyond chance; the word where it does not; a question mark where nothing can be said."""
    if each.level == AgreementLevel.CANNOT_TELL or each.unreliable or each.chance is None:
        return {"text": "?", "kind": "unsure", "colour": "", "ink": ""}
    if not each.level.beyond_chance:
        return {"text": str(each.level), "kind": "chance", "colour": "", "ink": ""}
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


def _raw_cell(value: float, by_chance: float | None) -> Cell:
    aside = "" if by_chance is None else f"({format_score(by_chance)})"
    return {"text": format_score(value), "kind": "raw", "colour": "", "ink": "", "aside": aside}


def _pair_sentence(each: PairAgreement) -> str:
    """The pair in words, each with its number."""
    words = f"{each.first} and {each.second}: {_pair_agreement(each)}. "
    if each.chance is not None and each.converged:
        words += f"κ {format_score(each.chance.kappa)}{_interval(each.chance.interval)}, p {format_p_value(each.chance.p)}{_power(each)}. "
        star = ""
        if each.ceiling is not None:
            least, taken = ("at least ", f", {TAKEN}") if _at_least(each) else ("", "")
            star = f"κ* {least}{format_score(each.ceiling)} of 1, which is as well as each agrees with itself{taken}. "
        words += star or f"No κ*: {each.reason} "
    chance = "chance is still in it" if each.chance is None else f"where chance gives {format_score(each.chance.mean)}"
    words += f"Raw likeness {format_score(each.likeness.mean_similarity)}, {chance}."
    if each.level.beyond_chance and each.explained_by:
        words += f" What explains it: {controls_warning_sentence(each.explained_by)}."
    return words + (" One family: little news." if each.within_family else "")


def _pair_agreement(each: PairAgreement) -> str:
    if each.level == AgreementLevel.CANNOT_TELL:
        return f"{each.level}: {each.obstacle}"
    return f"{each.level} agreement beyond chance" if each.level.beyond_chance else f"{each.level} beyond chance"


def _power(each: PairAgreement) -> str:
    """What p rests on, where it decides."""
    if each.chance is None or each.obstacle != AgreementObstacle.LITTLE_POWER:
        return ""
    return f" against {each.chance.others} other pictures; by luck alone one picture in 20 reaches κ {format_score(each.chance.detectable)}"


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
        if each.converged and each.chance is not None:
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
