"""Which preprocessing a model expects, as far as a few images show it, in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.classifiers.base_classifier import BaseClassifier
from models.inspection.bootstrap_ranking import CONFIDENCE, MARGIN, RESAMPLES, BootstrapRanking, constant_answer_score, rank_by_bootstrap
from models.inspection.class_matching import (
    MIN_IMAGES,
    class_indices,
    has_enough_labelled_images,
    match_classes_by_answers,
    match_classes_by_name,
)
from models.inspection.inspection_report import InspectionFinding, PreprocessingCandidate
from models.inspection.preprocessing_candidates import is_preprocessing_invertible
from models.inspection.preprocessing_runs import Progress, run_preprocessing_candidates
from models.inspection.preprocessing_scores import CandidateAnswers, score_preprocessing_candidate, summarise_preprocessing_candidate

_NAMED = 3


@dataclass(frozen=True, eq=False)
class PreprocessingRecommendation:
    """answers: the model's answers under each candidate, the current preprocessing first. candidates: their figures, best first.

    labelled: number of images whose class was known. class_of_name: an image's class name -> index of the model's class.
    matched_by_answers: whether those matches come from the answers, because no name matched.
    """

    answers: tuple[CandidateAnswers, ...]
    candidates: tuple[PreprocessingCandidate, ...]
    ranking: BootstrapRanking
    labelled: int
    class_of_name: Mapping[str, int]
    matched_by_answers: bool

    @property
    def current(self) -> CandidateAnswers:
        """Under the preprocessing that the card states."""
        return self.answers[0]

    @property
    def conclusive(self) -> bool:
        """Whether one candidate is certainly the best; never where the classes were matched by the answers under evaluation."""
        return self.ranking.conclusive and not self.matched_by_answers

    @property
    def proven(self) -> bool:
        """Whether the images show that the current preprocessing is right."""
        return self.conclusive and 0 in (self.ranking.best, *self.ranking.equivalent) and len(self.answers) > 1

    @property
    def improvement(self) -> CandidateAnswers | None:
        """The candidate that the images support, where it is not the current one; only known classes can support it.

        Without them even a network with random weights gives confident and varied answers under some candidate, once in twenty.
        """
        return self.apparent_improvement if self.current.classes is not None else None

    @property
    def apparent_improvement(self) -> CandidateAnswers | None:
        """As `improvement`, whether classes are known or not."""
        current_is_best = 0 in (self.ranking.best, *self.ranking.equivalent)
        return self.answers[self.ranking.best] if self.conclusive and not current_is_best else None

    @property
    def uninformative(self) -> bool:
        """Whether no candidate does much better than a constant answer."""
        best = self.answers[self.ranking.best]
        return len(best.probabilities) >= MIN_IMAGES and score_preprocessing_candidate(best) <= constant_answer_score(best) + MARGIN


def recommend_preprocessing(
    served: BaseClassifier[Any], images: np.ndarray, names: Sequence[str | None], progress: Progress
) -> PreprocessingRecommendation:
    """images: (n, H, W, 3) as the classifier takes them, n at least 1. names: the class name of each, or None."""
    answers = run_preprocessing_candidates(served, images, progress)
    class_of_name = match_classes_by_name(names, served.labels)
    matched_by_answers = not class_of_name and any(names)
    known = [
        class_indices(names, match_classes_by_answers(each.probabilities, names) if matched_by_answers else class_of_name)
        for each in answers
    ]
    if has_enough_labelled_images(known[0]):
        answers = [replace(each, classes=classes) for each, classes in zip(answers, known, strict=True)]
    ranking = rank_by_bootstrap(answers)
    if matched_by_answers:
        class_of_name = match_classes_by_answers(answers[ranking.best].probabilities, names)
    candidates = tuple(summarise_preprocessing_candidate(answers[number], served.labels) for number in ranking.order)
    return PreprocessingRecommendation(
        tuple(answers), candidates, ranking, int((known[ranking.best] >= 0).sum()), class_of_name, matched_by_answers
    )


def preprocessing_findings(recommendation: PreprocessingRecommendation, served: BaseClassifier[Any]) -> Iterator[InspectionFinding]:
    """What the images show of the preprocessing and of the class names."""
    labels, ranking, known = served.labels, recommendation.ranking, _known_by(recommendation)
    yield from _matched_names(recommendation, labels)
    current, best = (
        summarise_preprocessing_candidate(each, labels) for each in (recommendation.current, recommendation.answers[ranking.best])
    )
    today = f"Prepared as today, {recommendation.current.name}, {_shortcoming(current)}"
    if recommendation.proven:
        yield InspectionFinding(
            "preprocessing",
            f"It wants pictures as its card prepares them, {recommendation.current.name}{_accuracy_clause(best)}.",
            known,
        )
    elif recommendation.uninformative:
        says = "Prepared in no usual way does it do much better than a model that says the same of every picture. Are these of its classes?"
        yield InspectionFinding("preprocessing", says, known, "warning")
    elif recommendation.improvement is not None:
        says = f"It wants pictures as {recommendation.improvement.name}{_accuracy_clause(best)}. {today}"
        yield InspectionFinding("preprocessing", f"{says}. Write its card with --fix.", known, "warning")
    elif recommendation.apparent_improvement is not None:
        says = f"It seems to want pictures as {recommendation.apparent_improvement.name}. {today}"
        yield InspectionFinding(
            "preprocessing", f"{says}. Show it pictures of known class to make sure; no card is proposed without.", known, "warning"
        )
    elif ranking.beats_current >= CONFIDENCE and len(recommendation.current.probabilities) >= MIN_IMAGES:
        way = recommendation.answers[ranking.best].name
        says = f"{today}; as {way} it does better{_accuracy_clause(best)}"
        says += ". Whether that is how it was trained is not sure: give more pictures like those it learnt from."
        uninformative = score_preprocessing_candidate(recommendation.current) <= constant_answer_score(recommendation.current) + MARGIN
        yield InspectionFinding("preprocessing", says, known, "warning" if uninformative else "fact")
    if len(recommendation.answers) == 1 or not is_preprocessing_invertible(served.card):
        says = (
            f"Its card says {recommendation.current.name}{_accuracy_clause(current)}. That cannot be taken back, so no other way was tried."
        )
        yield InspectionFinding("preprocessing", says, "The scaling that standardises each picture forgets its black and white.")


def ranking_certainty_sentence(recommendation: PreprocessingRecommendation) -> str:
    """How certain the ranking is, in one sentence."""
    ranking, count = recommendation.ranking, len(recommendation.current.probabilities)
    if len(recommendation.answers) == 1:
        return "Only the way that its card says was tried."
    if count < MIN_IMAGES:
        return f"Not sure: {_count_pictures(count)} cannot tell the ways apart; show it {MIN_IMAGES} at least, better 50 of known class."
    best = recommendation.answers[ranking.best].name
    by = "" if recommendation.current.classes is not None else f" {_without_labels(recommendation)}"
    equivalent = (
        f" {_join([recommendation.answers[i].name for i in ranking.equivalent])} are one to the model with it."
        if ranking.equivalent
        else ""
    )
    if recommendation.matched_by_answers and ranking.conclusive:
        share = f"alone in {ranking.sole_win_rate:.0%} of {RESAMPLES} resamples of the {_count_pictures(count)}"
        return f"Not sure: {best} does best, {share}, but what each class means was guessed from the answers.{equivalent}{by}"
    if recommendation.conclusive:
        share = f"alone in {ranking.sole_win_rate:.0%} of {RESAMPLES} resamples of them"
        word = "Sure" if recommendation.current.classes is not None else "It seems so"
        return f"{word}, as far as {_count_pictures(count)} can show: {best} does best {share}.{equivalent}{by}"
    rivals = [recommendation.answers[i].name for i in ranking.rivals]
    others = f"{_join(rivals)} may do as well" if rivals else "hardly better than a model that says the same of every picture"
    share = f"alone in {ranking.sole_win_rate:.0%} of {RESAMPLES} resamples of the {_count_pictures(count)}"
    return f"Not sure: {best} does best, {share}, but {others}{'' if rivals else ' would'}.{equivalent}{by}"


def _without_labels(recommendation: PreprocessingRecommendation) -> str:
    few = f"only {recommendation.labelled} of known class, of too few classes or too few at all"
    why = few if recommendation.labelled else "no class is known"
    return f"Judged by how surely, variedly and steadily it answers ({why}), which shows less than known classes would."


def _matched_names(recommendation: PreprocessingRecommendation, labels: Sequence[str]) -> Iterator[InspectionFinding]:
    renamed = {name: labels[number] for name, number in recommendation.class_of_name.items() if labels[number].lower() != name.lower()}
    if not renamed:
        return
    taken = ", ".join(f"'{name}' for '{label}'" for name, label in list(renamed.items())[:_NAMED])
    more = f" and {len(renamed) - _NAMED} more" if len(renamed) > _NAMED else ""
    by_answers = "The classes that it gives them most, one each"
    how = by_answers if recommendation.matched_by_answers else "The only class whose name has the same words"
    yield InspectionFinding("labels", f"The pictures' classes are called otherwise than the model's; taken are {taken}{more}.", f"{how}.")


def _known_by(recommendation: PreprocessingRecommendation) -> str:
    count = len(recommendation.current.probabilities)
    evaluated_by = (
        f"{recommendation.labelled} of known class: accuracy and AUC"
        if recommendation.current.classes is not None
        else "without classes: sureness, variety and steadiness"
    )
    ways = f"{len(recommendation.answers)} way{'s' if len(recommendation.answers) > 1 else ''}"
    return f"It was shown {_count_pictures(count)} in {ways} ({evaluated_by}; {RESAMPLES} resamples)."


def _accuracy_clause(each: PreprocessingCandidate) -> str:
    return "" if each.accuracy is None else f", where it is right on {each.accuracy:.0%}"


def _shortcoming(each: PreprocessingCandidate) -> str:
    if each.spread == 0:
        calls = f"it calls everything {each.commonest}"
    else:
        calls = f"it says {each.commonest} most" if each.accuracy is None else "it fares worse"
    return calls if each.accuracy is None else f"{calls} and is right on {each.accuracy:.0%}"


def _count_pictures(count: int) -> str:
    return f"{count} picture{'' if count == 1 else 's'}"


def _join(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
