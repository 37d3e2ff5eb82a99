"""The Trust tab's first part: for each method what speaks for and against its map, every word with its number; and what more would cost."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.explanation import key_of
from app.formatting import format_estimate
from app.page.views.agreement import WRONG, mean_kappa, other_of, with_others
from app.page.views.alt_text import format_p, plural, signed
from app.service.metric_state import CURVES, DISPLACED, SANITY, STABILITY, MetricState
from app.service.regions import Source
from app.service.request import ExplanationState
from explainers.method import Method
from explainers.metrics.agreement.significance import AgreementLevel
from explainers.metrics.faithfulness.deletion_insertion import DisplacementTest, inconclusive_reason
from explainers.metrics.localisation.evidence_overlap import LocalisationScore
from explainers.metrics.randomisation.sanity_checks import SanityResult
from explainers.metrics.robustness.reliability import CONVERGED, ReadingKind
from explainers.perturbation.segment_maps import ENOUGH, further
from explainers.runner import Result

Line = dict[str, Any]
Chip = dict[str, Any]
MOST_MORE = 20_000
NOT_ASKED = "not asked"
TITLES = {
    CURVES: (
        "Delete and insert",
        "Takes the strongest places away step by step, or puts them in, and follows the answer: the slider below.",
    ),
    DISPLACED: (
        "Compare with displaced copies",
        "Is the map's place worth anything? Each map is held against 20 shifted and flipped copies.",
    ),
    STABILITY: ("Jitter the picture", "Do the methods that draw nothing show the same map when the picture carries invisible noise?"),
    SANITY: (
        "Sanity checks",
        "Does the map change when the network's weights are drawn anew, or for another class? Does it stay under noise?",
    ),
}
SOURCES = {"drawn": "Your region", "uploaded": "The uploaded mask", "known": "The known evidence"}
LEAD = f"No single grade sums this up, and none should. {WRONG}"
LIGHTS = {"green": "good", "amber": "warn", "red": "bad", "not asked": "none"}


def trust(report: ExplanationState, run: int, located: Sequence[LocalisationScore], source: Source = "drawn") -> dict[str, Any]:
    """A line for each method, the buttons of the measures, and what is under way. located: of a region from `source`; may be empty."""
    measures = report.measures
    lines = [_line(method, report, (located, source)) for method in report.question.methods] if report.final and report.results else []
    return {
        "run": run,
        "lead": LEAD,
        "lines": lines,
        "buttons": [_button(kind, measures, report.results) for kind in TITLES] if lines else [],
        "running": TITLES[measures.running][0] if measures.running in TITLES else "",
        "share": round(min(0.98, measures.done / measures.expected), 3) if measures.expected else 0,
        "progress": _progress(measures),
        "error": measures.error,
    }


def further_of(report: ExplanationState, method: Method) -> int:
    """Evaluations beyond those spent that the method's map still needs, as far as more would help; 0 where none are missing."""
    result, found = report.results.get(key_of(method)), report.measures.consistency
    if result is None or result.attribution is None or not method.pooled:
        return 0
    stable = found.stability.get(method.title) if found else None
    missing = stable.further or 0 if stable and stable.converged is False else 0
    attribution, spent = result.attribution, result.evaluations + result.shared
    unsure = attribution.uncertainty
    if not attribution.converged and unsure is not None and unsure > ENOUGH and attribution.more_helps:
        missing = max(missing, further(spent, unsure))
    return min(missing, MOST_MORE)


def _line(method: Method, report: ExplanationState, located: tuple[Sequence[LocalisationScore], Source]) -> Line:
    result = report.results.get(key_of(method))
    line: Line = {"id": key_of(method), "title": method.title, "chips": [], "more": None, "state": ""}
    if result is None or result.attribution is None or result.attribution.blank:
        why = result.error or (result.attribution.blank if result.attribution else "") if result else "stopped"
        return line | {"state": f"No map to judge: {why}"}
    chips = [
        _agreement(method, report),
        _faithfulness(method, report.measures),
        _stability(method, report),
        _sanity(method, report.measures),
    ]
    chips += [_localisation(each, located[1]) for each in located[0] if each.title == method.title]
    return line | {"chips": chips, "more": more(method, report)}


def _chip(name: str, text: str, tone: str, detail: str | list[str]) -> Chip:
    return {"name": name, "text": text, "tone": tone, "detail": [detail] if isinstance(detail, str) else detail}


def _agreement(method: Method, report: ExplanationState) -> Chip:
    found = report.measures.consistency
    if found is None:
        return _chip("Agreement", "being weighed", "none", "Known once all maps are finished and weighed against chance.")
    pairs = with_others(found, method)
    scored = [each for each in pairs if each.level != AgreementLevel.NOT_CONVERGED]
    kappa = mean_kappa(found, method, {one.title: one.family for one in report.question.methods})
    if kappa is None:
        why = found.left_out.get(method.title) or "No other family has a map with a score."
        return _chip("Agreement", "no score", "none", why)
    beyond = sum(each.level.beyond_chance for each in scored)
    detail = [f"Mean κ with the other families, each counted once: {signed(kappa)} (0 is chance, 1 equal maps)."]
    detail += [f"{other_of(each, method.title)}: {each.level}, κ {signed(each.chance.kappa)}, p {format_p(each.p)}" for each in scored]
    return _chip("Agreement", f"beyond chance with {beyond} of {len(scored)} · κ {signed(kappa)}", "none", detail)


def _faithfulness(method: Method, measures: MetricState) -> Chip:
    ranks = [rank for rank in measures.ranks if rank.title == method.title]
    detail = [_rank(rank) for rank in ranks]
    drawn = [curve for curve in measures.curves if curve.title == method.title]
    detail += [
        f"{c.kind.capitalize()} on {c.substrate}: area {c.area:.3f}; random order {_random(measures, c.kind, c.substrate)}. "
        f"{inconclusive_reason(c, measures.curves)}".rstrip()
        for c in drawn
    ]
    if ranks:
        shares = [rank.share for rank in ranks if rank.told]
        text = (
            f"better than {100 * np.mean(shares):.0f} % of its displaced copies" if shares else "cannot be told from its displaced copies"
        )
        return _chip("Faithfulness", text, "none", detail)
    if drawn:
        return _chip(
            "Faithfulness", f"deletion {drawn[0].area:.2f} (random {_random(measures, drawn[0].kind, drawn[0].substrate)})", "none", detail
        )
    why = "Does the answer follow the map? Press “Compare with displaced copies” or “Delete and insert” below; the cost stands there."
    return _chip("Faithfulness", NOT_ASKED, "none", why)


def _rank(rank: DisplacementTest) -> str:
    words = (
        f"{rank.kind.capitalize()} on {rank.substrate}: area {rank.area:.3f}, better than {rank.better} of {rank.copies} displaced copies"
    )
    words += f", as good as {rank.ties}" if rank.ties else ""
    return f"{words}." if rank.told else f"{words}: cannot be told, the answer is the same wherever the map lies."


def _random(measures: MetricState, kind: str, substrate: str) -> str:
    areas = [c.area for c in measures.curves if c.random and (c.kind, c.substrate) == (kind, substrate)]
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
    formula = "Spearman and Brown, 2 r / (1 + r) of two half runs" if stable.how == ReadingKind.HALF_RUNS else "their correlation r itself"
    bound = f"Converged from {CONVERGED} on; formula: {formula}."
    tone = "good" if stable.converged else "warn"
    state = "reliable" if stable.converged else "not converged"
    return _chip("Stability", f"{state}, {stable.reliability:.2f}", tone, [stable.sentence, bound])


def _sanity(method: Method, measures: MetricState) -> Chip:
    found = [finding for finding in measures.findings if finding.title == method.title]
    if not found:
        return _chip("Sanity", NOT_ASKED, "none", "Press “Sanity checks” below; the cost stands there.")
    counts = {light: sum(finding.light == light for finding in found) for light in ("green", "amber", "red")}
    text = ", ".join(f"{count} {light}" for light, count in counts.items() if count) or NOT_ASKED
    chip = _chip("Sanity", text, "none", [_finding(finding) for finding in found])
    return chip | {"lights": [{"tone": LIGHTS[finding.light], "name": f"{finding.check.name}: {finding.light}"} for finding in found]}


def _finding(finding: SanityResult) -> str:
    check = finding.check
    if finding.similarity is None:
        return f"{check.name.capitalize()}: not asked. {finding.reason}"
    should = "at least" if check.stays else "at most"
    wish = "the map should stay" if check.stays else "the map should change"
    bounds = f"green {should} {check.green}, amber {should} {check.amber}"
    return f"{check.name.capitalize()}: {finding.light}, similarity {signed(finding.similarity)}; {wish} ({bounds}: {check.why})."


def _localisation(each: LocalisationScore, source: Source) -> Chip:
    energy = "none" if each.energy is None else f"{100 * each.energy:.0f} % of it inside"
    return _chip(SOURCES[source], energy, "none", "The table under “Where should it look?” holds all four numbers beside their baselines.")


def more(method: Method, report: ExplanationState) -> dict[str, Any] | None:
    """The button that spends what the method's map still needs; None where nothing is missing."""
    missing = further_of(report, method)
    if not missing:
        return None
    price = report.measures.prices.get(CURVES)
    seconds = f", {format_estimate(missing * price.seconds / price.evaluations)}" if price and price.evaluations else ""
    return {"method": key_of(method), "text": f"Spend {missing:,} more evaluations{seconds}"}


def _button(kind: str, measures: MetricState, results: Mapping[str, Result]) -> dict[str, Any]:
    title, help_ = TITLES[kind]
    price = measures.prices.get(kind)
    done = measures.complete(kind, results)
    cost = (
        "done"
        if done
        else f"at most {plural(price.evaluations, 'evaluation')}, {format_estimate(price.seconds)}"
        if price
        else "its cost is worked out"
    )
    ready = price is not None and price.evaluations > 0 and not measures.running and not done
    return {"kind": kind, "title": title, "help": help_, "cost": cost, "ready": ready, "done": done}


def _progress(measures: MetricState) -> str:
    if measures.running not in TITLES:
        return ""
    if not measures.done:
        return f"{TITLES[measures.running][0]}: waiting for its turn behind everybody's maps."
    return f"{TITLES[measures.running][0]}: {measures.done:,} of at most {plural(measures.expected, 'evaluation')}."
