"""Which way of preparing pictures a model wants, as far as some pictures show it, in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.classifiers.base import BaseClassifier
from models.inspection.bootstrap import DRAWS, LITTLE, SURE, BootstrapRanking, judged, of_nothing
from models.inspection.candidate_runs import Progress, answers
from models.inspection.candidate_scores import CandidateAnswers, candidate, score
from models.inspection.candidates import can_be_undone
from models.inspection.class_matching import FEWEST, classes_of, enough, match_by_answers, match_by_name
from models.inspection.report import Candidate, Finding

_NAMED = 3


@dataclass(frozen=True, eq=False)
class PreprocessingRecommendation:
    """ways: what the model answered to each, today's first. known: of how many pictures the class was known. meaning: name of a folder ->
    number of a class, as far as it is not called so."""

    ways: tuple[CandidateAnswers, ...]
    candidates: tuple[Candidate, ...]
    verdict: BootstrapRanking
    known: int
    meaning: Mapping[str, int]
    guessed: bool

    @property
    def today(self) -> CandidateAnswers:
        return self.ways[0]

    @property
    def sure(self) -> bool:
        """Whether one way is best beyond doubt; never where the classes were guessed from the very answers that are judged by them."""
        return self.verdict.sure and not self.guessed

    @property
    def proven(self) -> bool:
        """Whether the pictures show that today's way is right."""
        return self.sure and 0 in (self.verdict.best, *self.verdict.alike) and len(self.ways) > 1

    @property
    def better(self) -> CandidateAnswers | None:
        """The way that the pictures show to be right, where that is another than today's; only known classes can show it.

        Without them even a network of random weights answers surely and variedly in some way, once in twenty.
        """
        return self.seeming if self.today.classes is not None else None

    @property
    def seeming(self) -> CandidateAnswers | None:
        """As `better`, whether classes are known or not."""
        today = 0 in (self.verdict.best, *self.verdict.alike)
        return self.ways[self.verdict.best] if self.sure and not today else None

    @property
    def lost(self) -> bool:
        """Whether the model makes next to nothing of the pictures in whichever way."""
        best = self.ways[self.verdict.best]
        return len(best.probabilities) >= FEWEST and score(best) <= of_nothing(best) + LITTLE


def recommend(
    served: BaseClassifier[Any], images: np.ndarray, names: Sequence[str | None], progress: Progress
) -> PreprocessingRecommendation:
    """images: (n, H, W, 3) as the classifier takes them, n at least 1. names: what each shows, as its folder calls it, or None."""
    ways = answers(served, images, progress)
    meaning = match_by_name(names, served.labels)
    guessed = not meaning and any(names)
    known = [classes_of(names, match_by_answers(each.probabilities, names) if guessed else meaning) for each in ways]
    if enough(known[0]):
        ways = [replace(each, classes=classes) for each, classes in zip(ways, known, strict=True)]
    verdict = judged(ways)
    if guessed:
        meaning = match_by_answers(ways[verdict.best].probabilities, names)
    candidates = tuple(candidate(ways[number], served.labels) for number in verdict.order)
    return PreprocessingRecommendation(tuple(ways), candidates, verdict, int((known[verdict.best] >= 0).sum()), meaning, guessed)


def recommendation_findings(wanted: PreprocessingRecommendation, served: BaseClassifier[Any]) -> Iterator[Finding]:
    """What the pictures show of it."""
    labels, verdict, known = served.labels, wanted.verdict, _known_by(wanted)
    yield from _naming(wanted, labels)
    today, best = (candidate(each, labels) for each in (wanted.today, wanted.ways[verdict.best]))
    if wanted.proven:
        yield Finding("preprocessing", f"It wants pictures as its card prepares them, {_way(wanted.today)}{_fares(best)}.", known)
    elif wanted.lost:
        says = "Prepared in no usual way does it do much better than a model that says the same of every picture. Are these of its classes?"
        yield Finding("preprocessing", says, known, "warning")
    elif wanted.better is not None:
        says = f"It wants pictures as {_way(wanted.better)}{_fares(best)}. Prepared as today, {_way(wanted.today)}, {_ill(today)}"
        yield Finding("preprocessing", f"{says}. Write its card with --fix.", known, "warning")
    elif wanted.seeming is not None:
        says = f"It seems to want pictures as {_way(wanted.seeming)}. Prepared as today, {_way(wanted.today)}, {_ill(today)}"
        yield Finding(
            "preprocessing", f"{says}. Show it pictures of known class to make sure; no card is proposed without.", known, "warning"
        )
    elif verdict.better >= SURE and len(wanted.today.probabilities) >= FEWEST:
        way = _way(wanted.ways[verdict.best])
        says = f"Prepared as today, {_way(wanted.today)}, {_ill(today)}; as {way} it does better{_fares(best)}"
        says += ". Whether that is how it was trained is not sure: give more pictures like those it learnt from."
        nothing = score(wanted.today) <= of_nothing(wanted.today) + LITTLE
        yield Finding("preprocessing", says, known, "warning" if nothing else "fact")
    if len(wanted.ways) == 1 or not can_be_undone(served.card):
        says = f"Its card says {_way(wanted.today)}{_fares(today)}. That cannot be taken back, so no other way was tried."
        yield Finding("preprocessing", says, "The scaling that standardises each picture forgets its black and white.")


def certainty_sentence(wanted: PreprocessingRecommendation) -> str:
    """How sure the ranking is, in one sentence."""
    verdict, count = wanted.verdict, len(wanted.today.probabilities)
    if len(wanted.ways) == 1:
        return "Only the way that its card says was tried."
    if count < FEWEST:
        return f"Not sure: {_pictures(count)} cannot tell the ways apart; show it {FEWEST} at least, better 50 of known class."
    best = _way(wanted.ways[verdict.best])
    by = "" if wanted.today.classes is not None else f" {_weaker(wanted)}"
    alike = f" {_listed([_way(wanted.ways[i]) for i in verdict.alike])} are one to the model with it." if verdict.alike else ""
    if wanted.guessed and verdict.sure:
        share = f"alone in {verdict.alone:.0%} of {DRAWS} resamples of the {_pictures(count)}"
        return f"Not sure: {best} does best, {share}, but what each class means was guessed from the answers.{alike}{by}"
    if wanted.sure:
        share = f"alone in {verdict.alone:.0%} of {DRAWS} resamples of them"
        word = "Sure" if wanted.today.classes is not None else "It seems so"
        return f"{word}, as far as {_pictures(count)} can show: {best} does best {share}.{alike}{by}"
    rivals = [_way(wanted.ways[i]) for i in verdict.rivals]
    others = f"{_listed(rivals)} may do as well" if rivals else "hardly better than a model that says the same of every picture"
    share = f"alone in {verdict.alone:.0%} of {DRAWS} resamples of the {_pictures(count)}"
    return f"Not sure: {best} does best, {share}, but {others}{'' if rivals else ' would'}.{alike}{by}"


def _weaker(wanted: PreprocessingRecommendation) -> str:
    why = "no class is known" if not wanted.known else f"only {wanted.known} of known class, of too few classes or too few at all"
    return f"Judged by how surely, variedly and steadily it answers ({why}), which shows less than known classes would."


def _naming(wanted: PreprocessingRecommendation, labels: Sequence[str]) -> Iterator[Finding]:
    other = {name: labels[number] for name, number in wanted.meaning.items() if labels[number].lower() != name.lower()}
    if not other:
        return
    taken = ", ".join(f"'{name}' for '{label}'" for name, label in list(other.items())[:_NAMED])
    more = f" and {len(other) - _NAMED} more" if len(other) > _NAMED else ""
    how = "The classes that it gives them most, one each" if wanted.guessed else "The only class whose name has the same words"
    yield Finding("labels", f"The pictures' classes are called otherwise than the model's; taken are {taken}{more}.", f"{how}.")


def _known_by(wanted: PreprocessingRecommendation) -> str:
    count = len(wanted.today.probabilities)
    judged_by = (
        f"{wanted.known} of known class: accuracy and AUC"
        if wanted.today.classes is not None
        else "without classes: sureness, variety and steadiness"
    )
    return (
        f"It was shown {_pictures(count)} in {len(wanted.ways)} way{'s' if len(wanted.ways) > 1 else ''} ({judged_by}; {DRAWS} resamples)."
    )


def _fares(each: Candidate) -> str:
    return "" if each.accuracy is None else f", where it is right on {each.accuracy:.0%}"


def _ill(each: Candidate) -> str:
    if each.spread == 0:
        calls = f"it calls everything {each.commonest}"
    else:
        calls = f"it says {each.commonest} most" if each.accuracy is None else "it fares worse"
    return calls if each.accuracy is None else f"{calls} and is right on {each.accuracy:.0%}"


def _way(each: CandidateAnswers) -> str:
    return str(each.preparing)


def _pictures(count: int) -> str:
    return f"{count} picture{'' if count == 1 else 's'}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
