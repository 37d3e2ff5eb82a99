"""Under the second question: for each method what speaks for and against its map, every word with its number; and what more would cost."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from app.explanation import method_key
from app.formatting import format_count_with_noun, format_estimated_time, format_p_value, format_score
from app.metrics import Kind, missing_evaluations_of_map
from app.page.views.agreement import WRONG, agreement_with_other_families, mean_kappa_with_other_families, other_method_of_pair
from app.service.metric_state import ON_REQUEST, MetricState
from app.service.regions import Source
from app.service.request import ExplanationState
from explainers.method import Method
from explainers.method_runner import MethodResult
from explainers.metrics import METRICS
from explainers.metrics.agreement.consistency import NO_CHANCE
from explainers.metrics.agreement.significance import AgreementLevel
from explainers.metrics.faithfulness.deletion_insertion import DeletionCurve, DeletionInsertionMetric, inconclusive_curve_reason
from explainers.metrics.faithfulness.hidden_place import HiddenPlaceOutcome, HiddenPlacesMetric, hidden_place_sentence
from explainers.metrics.faithfulness.transplants import NO_LIBRARY, TransplantsMetric, TransplantTest
from explainers.metrics.localisation.evidence_overlap import LocalisationScore
from explainers.metrics.randomisation.sanity_checks import SanityCheckResult, SanityChecksMetric
from explainers.metrics.robustness.reliability import CONVERGED, RepeatedReadingSource

Line = dict[str, Any]
Chip = dict[str, Any]
NOT_ASKED = "not asked"
SOURCES = {"drawn": "Your region", "uploaded": "The uploaded mask", "known": "The known evidence"}
LEAD = f"No single grade sums this up, and none should. {WRONG}"
LIGHTS = {"green": "good", "amber": "warn", "red": "bad", "not asked": "none"}


def trust_view(report: ExplanationState, run: int, located: Sequence[LocalisationScore], source: Source = "drawn") -> dict[str, Any]:
    """A line for each method, the buttons of the measures, and what is under way. located: of a region from `source`; may be empty."""
    measures = report.measures
    lines = [_line(method, report, (located, source)) for method in report.request.methods] if report.final and report.results else []
    return {
        "run": run,
        "lead": LEAD,
        "lines": lines,
        "buttons": [_button(key, measures, report.results) for key in ON_REQUEST] if lines else [],
        "running": _button_title(measures.running) if measures.running in ON_REQUEST else "",
        "share": round(min(0.98, measures.done / measures.expected), 3) if measures.expected else 0,
        "progress": _progress(measures),
        "error": measures.error,
    }


def _line(method: Method, report: ExplanationState, located: tuple[Sequence[LocalisationScore], Source]) -> Line:
    result = report.results.get(method_key(method))
    line: Line = {"id": method_key(method), "title": method.title, "chips": [], "more": None, "state": ""}
    if result is None or result.attribution is None or result.attribution.blank:
        why = result.error or (result.attribution.blank if result.attribution else "") if result else "stopped"
        return line | {"state": f"No map to judge: {why}"}
    chips = [_evidence(name, method, report) for name in EVIDENCE]
    chips += [_localisation(each, located[1]) for each in located[0] if each.title == method.title]
    return line | {"chips": chips, "more": more_evaluations_button(method, report)}


def _evidence(name: str, method: Method, report: ExplanationState) -> Chip:
    """What one or several metrics say of the method's map, under one name: in words of its own, or in the metrics' own."""
    view = VIEWS.get(name)
    return view(method, report) if view else _plain(name, method, report.measures)


def _plain(name: str, method: Method, measures: MetricState) -> Chip:
    found = [words for kind in EVIDENCE[name] if (one := kind.given({})) for words in one.sentences(method.title, measures.of(kind))]
    if found:
        return _chip(name, found[0], "none", [*(kind.description for kind in EVIDENCE[name]), *found])
    buttons = " or ".join(f"“{_button_title(kind.key)}”" for kind in EVIDENCE[name] if kind.on_request)
    why = f"Press {buttons} below; the cost stands there." if buttons else "Known once all maps are finished."
    return _chip(name, NOT_ASKED if buttons else "no value", "none", [*(kind.description for kind in EVIDENCE[name]), why])


def _chip(name: str, text: str, tone: str, detail: str | list[str]) -> Chip:
    return {"name": name, "text": text, "tone": tone, "detail": [detail] if isinstance(detail, str) else detail}


def _agreement(method: Method, report: ExplanationState) -> Chip:
    found = report.measures.consistency
    if found is None:
        return _chip("Agreement", "being weighed", "none", "Known once all maps are finished and weighed against chance.")
    pairs = agreement_with_other_families(found, method)
    scored = [each for each in pairs if each.converged and each.chance is not None]
    kappa = mean_kappa_with_other_families(found, method, {one.title: one.family for one in report.request.methods})
    if kappa is None:
        if not found.weighed:
            return _chip("Agreement", str(AgreementLevel.CANNOT_TELL), "none", NO_CHANCE)
        why = found.left_out.get(method.title) or "No other family has a map with a score."
        return _chip("Agreement", "no score", "none", why)
    beyond = sum(each.level.beyond_chance for each in scored)
    detail = [f"Mean κ with the other families, each counted once: {format_score(kappa)} (0 is chance, 1 equal maps)."]
    detail += [
        f"{other_method_of_pair(each, method.title)}: {each.level}, κ {format_score(each.chance.kappa)}, p {format_p_value(each.chance.p)}"
        for each in scored
        if each.chance is not None
    ]
    return _chip("Agreement", f"beyond chance with {beyond} of {len(scored)} · κ {format_score(kappa)}", "none", detail)


def _faithfulness(method: Method, report: ExplanationState) -> Chip:
    curves = report.measures.of(DeletionInsertionMetric)
    ranks = [rank for rank in report.measures.of(TransplantsMetric) if rank.title == method.title]
    detail = [_rank(rank) for rank in ranks]
    drawn = [curve for curve in curves if curve.title == method.title]
    detail += [
        f"{c.kind.capitalize()} on {c.substrate}: area {c.area:.3f}; random order {_random(curves, c.kind, c.substrate)}. "
        f"{inconclusive_curve_reason(c, curves)}".rstrip()
        for c in drawn
    ]
    if ranks:
        shares = [rank.share for rank in ranks if rank.conclusive]
        text = (
            f"better than {100 * np.mean(shares):.0f} % of other pictures' maps" if shares else "cannot be told from other pictures' maps"
        )
        return _chip("Faithfulness", text, "none", detail)
    if drawn:
        return _chip(
            "Faithfulness", f"deletion {drawn[0].area:.2f} (random {_random(curves, drawn[0].kind, drawn[0].substrate)})", "none", detail
        )
    why = "Does the answer follow the map? Press “Compare with other pictures' maps” or “Delete and insert” below; the cost stands there."
    return _chip("Faithfulness", NOT_ASKED, "none", why)


def _rank(rank: TransplantTest) -> str:
    if rank.area is None:
        return NO_LIBRARY
    words = f"{rank.kind.capitalize()} on {rank.substrate}: area {rank.area:.3f}, better than {rank.better} of {rank.others} maps "
    words += "of other pictures by the same method, laid on this one on the same coarse grid"
    words += f", as good as {rank.ties}" if rank.ties else ""
    if not rank.conclusive:
        return f"{words}: cannot be told, the answer is the same wherever the map lies."
    return f"{words}; such a map itself beats half of them."


def _random(curves: Sequence[DeletionCurve], kind: str, substrate: str) -> str:
    areas = [c.area for c in curves if c.random and (c.kind, c.substrate) == (kind, substrate)]
    return f"{np.mean(areas):.2f}" if areas else "not asked"


def _stability(method: Method, report: ExplanationState) -> Chip:
    found = report.measures.consistency
    stable = found.stability.get(method.title) if found else None
    if stable is None:
        return _chip("Stability", "being weighed" if found is None else "no reading", "none", "Known with the agreement.")
    if stable.reliability is None:
        words = (
            "The method draws nothing by chance, so the same picture gives the same map. Whether an invisible change of the picture does "
        )
        own = ["By its own measure the map has not converged."] if stable.unfinished else []
        text, tone = ("draws nothing; unfinished", "warn") if own else ("draws nothing; not measured", "none")
        return _chip("Stability", text, tone, [words + "too is what “Jitter the picture” asks.", *own])
    formula = (
        "Spearman and Brown, 2 r / (1 + r) of two half runs"
        if stable.how == RepeatedReadingSource.HALF_RUNS
        else "their correlation r itself"
    )
    bound = f"Converged from {CONVERGED} on; formula: {formula}."
    tone = "good" if stable.converged else "warn"
    state = "reliable" if stable.converged else "not converged"
    return _chip("Stability", f"{state}, {stable.reliability:.2f}", tone, [stable.sentence, bound])


def _hidden(method: Method, report: ExplanationState) -> Chip:
    found = [each for each in report.measures.of(HiddenPlacesMetric) if each.title == method.title]
    if not found:
        why = (
            f"Does the answer change when its strongest tenth is hidden? Press “{HiddenPlacesMetric.button}” below; the cost stands there."
        )
        return _chip(HiddenPlacesMetric.evidence, NOT_ASKED, "none", why)
    follows = sum(each.outcome == HiddenPlaceOutcome.FOLLOWS for each in found)
    return _chip(
        HiddenPlacesMetric.evidence,
        f"the answer follows in {follows} of {len(found)} ways",
        "none",
        [hidden_place_sentence(each) for each in found],
    )


def _sanity(method: Method, report: ExplanationState) -> Chip:
    found = [finding for finding in report.measures.of(SanityChecksMetric) if finding.title == method.title]
    if not found:
        return _chip("Sanity", NOT_ASKED, "none", "Press “Sanity checks” below; the cost stands there.")
    counts = {light: sum(finding.light == light for finding in found) for light in ("green", "amber", "red")}
    text = ", ".join(f"{count} {light}" for light, count in counts.items() if count) or NOT_ASKED
    chip = _chip("Sanity", text, "none", [_finding(finding) for finding in found])
    return chip | {"lights": [{"tone": LIGHTS[finding.light], "name": f"{finding.check.name}: {finding.light}"} for finding in found]}


def _finding(finding: SanityCheckResult) -> str:
    check = finding.check
    if finding.similarity is None:
        return f"{check.name.capitalize()}: not asked. {finding.reason}"
    should = "at least" if check.stays else "at most"
    wish = "the map should stay" if check.stays else "the map should change"
    bounds = f"green {should} {check.green}, amber {should} {check.amber}"
    return f"{check.name.capitalize()}: {finding.light}, similarity {format_score(finding.similarity)}; {wish} ({bounds}: {check.why})."


def _localisation(each: LocalisationScore, source: Source) -> Chip:
    energy = "none" if each.energy is None else f"{100 * each.energy:.0f} % of it inside"
    return _chip(SOURCES[source], energy, "none", "The table under “Where should it look?” holds all four numbers beside their baselines.")


def more_evaluations_button(method: Method, report: ExplanationState) -> dict[str, Any] | None:
    """The button that spends what the method's map still needs; None where nothing is missing."""
    missing = missing_evaluations_of_map(method, report.results.get(method_key(method)), report.measures.consistency)
    if not missing:
        return None
    price = report.measures.prices.get(DeletionInsertionMetric.key)
    seconds = f", {format_estimated_time(missing * price.seconds / price.evaluations)}" if price and price.evaluations else ""
    return {"method": method_key(method), "text": f"Spend {missing:,} more evaluations{seconds}"}


def _button(key: str, measures: MetricState, results: Mapping[str, MethodResult]) -> dict[str, Any]:
    kind, price = ON_REQUEST[key], measures.prices.get(key)
    done = measures.complete(key, results)
    cost = (
        "done"
        if done
        else f"at most {format_count_with_noun(price.evaluations, 'evaluation')}, {format_estimated_time(price.seconds)}"
        if price
        else "its cost is worked out"
    )
    ready = price is not None and price.evaluations > 0 and not measures.running and not done
    help_ = kind.question or kind.description
    return {"kind": key, "title": _button_title(key), "help": help_, "cost": cost, "ready": ready, "done": done}


def _progress(measures: MetricState) -> str:
    if measures.running not in ON_REQUEST:
        return ""
    title = _button_title(measures.running)
    if not measures.done:
        return f"{title}: waiting for its turn behind everybody's maps."
    return f"{title}: {measures.done:,} of at most {format_count_with_noun(measures.expected, 'evaluation')}."


def _button_title(key: str) -> str:
    return ON_REQUEST[key].button or ON_REQUEST[key].title


EVIDENCE: dict[str, list[Kind]] = {}
"""Name of a piece of evidence -> the metrics that it rests on, in the order of METRICS."""
for _kind in METRICS:
    if _kind.on_page:
        EVIDENCE.setdefault(_kind.evidence or _kind.title, []).append(_kind)

VIEWS: dict[str, Callable[[Method, ExplanationState], Chip]] = {
    "Agreement": _agreement,
    "Faithfulness": _faithfulness,
    HiddenPlacesMetric.evidence: _hidden,
    "Stability": _stability,
    "Sanity": _sanity,
}
"""Name of a piece of evidence -> how the page words it; what is not named here words itself."""
