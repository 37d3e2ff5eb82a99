"""Whether advice may be shown: the recorded verdict of `python -m benchmarks.advice`, and whether it is of the rule as it is now."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from explainers.methods import SEVEN
from explainers.metrics.agreement.consensus import consensus_map
from explainers.metrics.agreement.similarity import MapEvidence, normalise_positive_part
from explainers.metrics.faithfulness.hidden_place import CONTROLS, displaced_place_copies, strongest_place
from explainers.report_card.case_examination import strongest_cell_lies_in
from explainers.report_card.known_evidence_cases import PATCH, STEPS
from explainers.report_card.map_recommendation import WEIGHTS, ranks_by_hidden_place_fall, recommended_map

FILE = Path(__file__).with_name("gate.json")
SIZE, CELLS = (42, 56), 14
"""Of the picture and the grid that the rule is tried on for its version."""


@dataclass(frozen=True)
class RecommendationGate:
    """passed: whether the advice may be shown. weight: of the hiding. rule: the version that was judged. pictures: on how many."""

    passed: bool
    weight: float
    rule: str
    pictures: int

    @property
    def stale(self) -> bool:
        """Whether the rule has changed since."""
        return self.rule != recommendation_rule_fingerprint()


@lru_cache(maxsize=1)
def read_recommendation_gate() -> RecommendationGate:
    """What the benchmark wrote."""
    written = json.loads(FILE.read_text(encoding="utf-8"))
    pictures = sum(each["pictures"] for each in written["sets"])
    return RecommendationGate(bool(written["passed"]), float(written["weight"]), str(written["rule"]), pictures)


@lru_cache(maxsize=1)
def recommendation_rule_fingerprint() -> str:
    """16 letters of what the advice rests on, by what it does and not by how it is written.

    The seven methods' revisions, and what the rule's parts make of seven drawn maps: their consensus, strongest places, the places that
    these are compared with, whether they lie in a quarter of the picture, and which map is advised.
    """
    rng, maps = np.random.default_rng(0), []
    for method in SEVEN:
        signed = rng.normal(size=(CELLS, CELLS)).cumsum(0).cumsum(1)
        maps.append(MapEvidence(method.__name__, method.family, method.signed, signed, normalise_positive_part(signed)))
    common = consensus_map(maps)
    assert common is not None
    quarter = np.zeros(SIZE, bool)
    quarter[: SIZE[0] // 2, : SIZE[1] // 2] = True
    shares = [common, *(each.share for each in maps if each.share is not None)]
    places = [strongest_place(share, SIZE) for share in shares]
    found = hashlib.sha256(json.dumps({method.__name__: method.revision for method in SEVEN}).encode())
    found.update(json.dumps([CONTROLS, PATCH, STEPS, WEIGHTS]).encode())
    found.update(np.round(common, 4).astype(np.float32).tobytes())
    for number, place in enumerate(places):
        found.update(np.packbits([place, *displaced_place_copies(place, CONTROLS, number)]).tobytes())
    found.update(bytes(strongest_cell_lies_in(share, quarter) for share in shares))
    falls = {method.__name__: float(rng.integers(5)) for method in SEVEN}
    drawn = {method.__name__: float(np.round(rng.random(), 3)) for method in SEVEN}
    found.update(json.dumps([round(rank, 4) for rank in ranks_by_hidden_place_fall(falls).values()]).encode())
    found.update(json.dumps([recommended_map(drawn, falls, weight) for weight in WEIGHTS]).encode())
    return found.hexdigest()[:16]
