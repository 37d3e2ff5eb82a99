"""Which map to look at first: a rule from the classifier's report card and from what hiding each map's place does to the answer."""

from collections.abc import Mapping

from explainers.metrics.agreement.consensus import CONSENSUS
from explainers.metrics.faithfulness.hidden_place import HiddenPlaceResult
from explainers.report_card import report_card_file as cards
from explainers.report_card.report_card_file import ReportCard

WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""What the hiding may count for beside the card's share; `benchmarks.advice` chooses among them on one half of its pictures."""


def found_shares_by_title(card: ReportCard) -> dict[str, float]:
    """Title -> share of the card's cases, of every method and of the consensus, under the title that it has among the maps."""
    found = {each.title: each.share for each in (*card.tallies(), *card.baselines())}
    return {title: found[title] for title in card.titles} | {CONSENSUS: found[cards.CONSENSUS]}


def ranks_by_hidden_place_fall(falls: Mapping[str, float]) -> dict[str, float]:
    """Title -> 0 to 1: the share of the other maps whose strongest place, hidden, costs less of the score; a tie counts half."""
    others = max(1, len(falls) - 1)
    return {
        title: sum((fall > other) + (fall == other) / 2 for name, other in falls.items() if name != title) / others
        for title, fall in falls.items()
    }


def recommended_map(shares: Mapping[str, float], falls: Mapping[str, float], weight: float) -> str:
    """The title with the largest share + weight * rank; of several the first. shares: of the card. falls: with each place hidden.

    ValueError where no map has both.
    """
    ranks = ranks_by_hidden_place_fall(falls)
    both = [title for title in shares if title in ranks]
    if not both:
        raise ValueError("no map is on the card and was hidden")
    return max(both, key=lambda title: shares[title] + weight * ranks[title])


def score_falls_by_title(hidden: Mapping[str, HiddenPlaceResult]) -> dict[str, float]:
    """Title -> fall of the score, of places hidden in one way."""
    return {title: each.fall for title, each in hidden.items()}
