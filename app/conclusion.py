"""What is said of one picture's maps in three lines: whether they agree, what hiding their place showed, and what has proved itself.

`conclude_from_facts` alone words them, from facts that were measured; every line gives the numbers that it rests on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.formatting import format_probability
from explainers.metrics.agreement.significance import AgreementLevel
from explainers.metrics.faithfulness.hidden_place import HiddenPlaceOutcome
from explainers.report_card.report_card_file import FoundCount

WORDS = 25
"""The most that one sentence may have."""


@dataclass(frozen=True)
class AgreementFacts:
    """kinds: of method, with a map that shows something. agreeing of `told` pairs of kinds agree beyond chance, of `pairs` in all.

    place: where the consensus is strongest, in words. has_library: whether there are maps of other pictures to compare with.
    """

    strength: AgreementLevel
    kinds: int
    agreeing: int
    told: int
    pairs: int
    place: str
    has_library: bool = True


@dataclass(frozen=True)
class HidingFacts:
    """The consensus's strongest place, hidden: `place` in words, `area` its share of the picture. before, after: the class's probability.

    answer: the likeliest class afterwards where it is another; else empty. The fall is larger than for `more_than` of `others` places.
    at_edge: whether the place lies along an edge or in a corner.
    """

    outcome: HiddenPlaceOutcome
    place: str
    area: float
    before: float
    after: float
    answer: str
    more_than: int
    others: int
    at_edge: bool


@dataclass(frozen=True)
class ReportCardFacts:
    """The classifier's report card: the method that found known evidence most often, the one that did least often, and the consensus.

    advised: the map to look at first; empty where no advice may be given.
    """

    best: FoundCount
    worst: FoundCount
    consensus: FoundCount
    chance: float
    advised: str = ""


@dataclass(frozen=True)
class ConclusionFacts:
    """What was measured of one picture. label: the class that is explained.

    agreement: None before the maps were compared, or where none shows anything. hiding: None where nothing was hidden.
    record: None where the classifier has no report card that holds.
    """

    label: str
    agreement: AgreementFacts | None
    hiding: HidingFacts | None
    record: ReportCardFacts | None


@dataclass(frozen=True)
class PictureConclusion:
    """agreement, hiding, record: one line each, of one to three sentences."""

    agreement: str
    hiding: str
    record: str

    @property
    def lines(self) -> tuple[str, str, str]:
        return self.agreement, self.hiding, self.record

    def to_json(self) -> dict[str, Any]:
        return {"agreement": self.agreement, "hiding": self.hiding, "record": self.record}


def conclude_from_facts(facts: ConclusionFacts) -> PictureConclusion:
    """The three lines."""
    return PictureConclusion(_agreement_line(facts), _hiding_line(facts), _record_line(facts.record))


def _agreement_line(facts: ConclusionFacts) -> str:
    found = facts.agreement
    if found is None:
        return f"No map shows anything that speaks for {_quoted(facts.label)}: 0 maps to compare."
    if found.kinds < 2:
        return "Only 1 kind of method has a map here, so there is nothing to compare it with."
    kinds = f"{found.kinds} kinds of method"
    if found.strength == AgreementLevel.CANNOT_TELL and not found.has_library:
        return f"Whether the {kinds} agree cannot be told yet: there are no maps of other pictures to compare with."
    if found.strength == AgreementLevel.CANNOT_TELL:
        return f"Whether the {kinds} agree cannot be told yet: this picture decides {found.told} of {found.pairs} pairs of kinds."
    pairs = f"{found.agreeing} of {found.pairs} pairs of kinds agree beyond chance"
    if found.strength == AgreementLevel.NONE:
        return f"The {kinds} point to different places: {pairs}. Believe none of them before its place has been hidden."
    where = _towards(found.place)
    if found.strength == AgreementLevel.SOME:
        return f"The {kinds} partly overlap, {where}: {pairs}. Do not rest on any single map."
    return f"All {kinds} agree, {where}: {pairs}. They can still all be wrong."


def _hiding_line(facts: ConclusionFacts) -> str:
    found = facts.hiding
    if found is None:
        return "Their shared place has not been hidden yet; that takes 21 evaluations." if facts.agreement else "There is no place to hide."
    before, after = format_probability(found.before), format_probability(found.after)
    compared = f"Of {found.others} equally large places elsewhere, {found.more_than} cost less."
    where = f"{_object(found.place)} ({100 * found.area:.0f} % of the picture)"
    if found.outcome == HiddenPlaceOutcome.FOLLOWS:
        words = f"Hide {where}, and {_quoted(facts.label)} falls from {before} to {after}. {compared}"
        words += f" Then the answer is {_quoted(found.answer)}." if found.answer else ""
        return words + (" What lies at an edge may be a shortcut: look at it." if found.at_edge else "")
    if found.outcome == HiddenPlaceOutcome.STAYS:
        return f"Hide {where}, and the answer stays: {before} becomes {after}. {compared} Other places must carry it too."
    less = f"Hide {where}, and {before} becomes {after}. {compared}"
    return f"{less} The answer does not follow that place: do not believe these maps."


def _record_line(found: ReportCardFacts | None) -> str:
    if found is None:
        return "No method has been tested on this classifier (0 cases of known evidence), so none is recommended."
    best, worst, both = found.best, found.worst, found.consensus
    words = (
        f"On this classifier, with evidence that was known, {best.title} found it in {best.found} of {best.cases} cases, "
        f"{worst.title} in {worst.found}; the consensus in {both.found}."
    )
    words += f" By chance it would be {round(found.chance * best.cases)}."
    return words + (f" Look first at {found.advised}." if found.advised else "")


def _quoted(label: str) -> str:
    """A class's name; long ones are cut, so that a sentence stays one."""
    short = " ".join(label.split(",")[0].split()[:4])
    return f"“{short}”"


def _towards(place: str) -> str:
    return f"at {place}" if place else "scattered over the picture"


def _object(place: str) -> str:
    return place or "their strongest places"


def overall_agreement_level(levels: Sequence[AgreementLevel]) -> AgreementLevel:
    """Of all kinds together. levels: of each pair of kinds.

    Strong where two thirds of all pairs agree, half of these strongly, and none is known not to. Some where any other pair agrees. Where
    none does: none if that is known of more than half of the pairs, else it cannot be told yet.
    """
    agreeing = [level for level in levels if level in (AgreementLevel.SOME, AgreementLevel.STRONG)]
    if not agreeing:
        known = sum(level == AgreementLevel.NONE for level in levels)
        return AgreementLevel.NONE if 2 * known > len(levels) else AgreementLevel.CANNOT_TELL
    most = 3 * len(agreeing) >= 2 * len(levels)
    strong = 2 * sum(level == AgreementLevel.STRONG for level in agreeing) >= len(agreeing)
    return AgreementLevel.STRONG if most and strong and AgreementLevel.NONE not in levels else AgreementLevel.SOME
