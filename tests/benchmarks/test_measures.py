"""The measures' benchmarks draw their tables from what was measured, by hand."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.agreement_checks import phantom_checks, picture_tables
from benchmarks.agreement_checks.ruler_shortcut import MISLED, SOUND, _missed_goals
from explainers.metrics.agreement.consistency import MapConsistency
from explainers.metrics.agreement.raw_similarity import RawSimilarity
from explainers.metrics.localisation.evidence_overlap import BASELINES, LocalisationScore
from tests.explainers.metrics.agreement.test_consistency import ReferenceMaps, judged, library, noise


@pytest.fixture(scope="module")
def two() -> list[MapConsistency]:
    """Two pictures: on the first the maps agree, on the second they do not, and look alike all the same."""
    one, chance = noise(1), RawSimilarity(0.4, 0.3, 0.2, 0.1)
    found = [judged({"cam": one, "ig": other}, ReferenceMaps(library())) for other in (one, noise(2))]
    raws = [RawSimilarity(1.0, 0.9, 0.8, 0.7), RawSimilarity(0.6, 0.5, 0.4, 0.3)]
    return [
        replace(each, pair_agreements=tuple(replace(pair, raw=raw, raw_by_chance=chance) for pair in each.pair_agreements))
        for each, raw in zip(found, raws, strict=True)
    ]


def test_pairs_stand_beside_their_raw_values(two: list[MapConsistency], capsys: pytest.CaptureFixture[str]) -> None:
    picture_tables.print_pairs(two)
    row = capsys.readouterr().out.splitlines()[-1]
    kappa = np.mean([found.pair_agreements[0].chance.kappa for found in two])
    spread = abs(two[0].pair_agreements[0].chance.kappa - two[1].pair_agreements[0].chance.kappa) / 2
    assert row.startswith(f"| cam, ig | {kappa:.2f} ± {spread:.3f} | ")
    assert row.endswith("| 2 | 50% | 0.80 (0.40) | 0.70 (0.30) | 0.60 (0.20) | 0.50 (0.10) |")


def test_what_looks_alike_and_agrees_no_better_than_chance_is_counted(
    two: list[MapConsistency], capsys: pytest.CaptureFixture[str]
) -> None:
    picture_tables.print_hidden(two)
    said = capsys.readouterr().out
    assert "Of 2 pairs across families on single pictures" in said
    assert "- 2 have Spearman 0.5 or more: 50% of them do not agree beyond chance, or cannot be told yet" in said
    assert "Spearman under" not in said
    assert "- 1 agree above chance; as well explained by: no control" in said
    unsettled = [replace(two[0], pair_agreements=tuple(replace(each, converged=False) for each in two[0].pair_agreements))]
    picture_tables.print_hidden([*two, *unsettled])
    assert "Of 2 pairs" in capsys.readouterr().out, "what has not converged is not counted"


def test_methods_and_places(two: list[MapConsistency], capsys: pytest.CaptureFixture[str]) -> None:
    picture_tables.print_methods([replace(found, controls={"edges": {"cam": 0.25, "ig": -0.5}}) for found in two])
    assert capsys.readouterr().out.splitlines()[-2:] == ["| cam | 2 | nan | nan% | +0.25 |", "| ig | 2 | nan | nan% | -0.50 |"]
    gauss = LocalisationScore(BASELINES[-1], 0.5, 0.4, 0.3, 1.0)
    rows = [[LocalisationScore("cam", energy, 0.2, None, 1.0), gauss] for energy in (0.7, 0.4)]
    picture_tables.print_located(rows, [0.2, 0.4])
    said = capsys.readouterr().out.splitlines()
    assert said[1] == "2 masks, which cover 0.30 of the picture"
    assert said[-2:] == ["| cam | 0.55 | 0.20 | nan | 1.00 | 50% |", f"| {BASELINES[-1]} | 0.50 | 0.40 | 0.30 | 1.00 |  |"]


@pytest.mark.parametrize(("ours", "missed"), [((0.1, 0.78), 0), ((0.9, 0.76), 1)])
def test_the_consensus_is_judged_by_what_lies_near_the_evidence(ours, missed, capsys: pytest.CaptureFixture[str]) -> None:
    """(in, near): the goal is of the widened evidence; energy inside alone, the other floor and blank maps are printed, not judged."""
    energies = {"ig": [(0.40, 0.8)], phantom_checks.CONSENSUS: [ours], phantom_checks.OTHER: [(0.9, 0.9)]}
    found = phantom_checks._check_votes({3: [True, True], 0: [False]}, energies)
    assert len(found) == missed
    said = capsys.readouterr().out
    assert f"Energy in the evidence: consensus {ours[0]:.3f}, best single method 0.400, floor 0.1 0.900." in said
    assert phantom_checks._check_untrained({"ig": [0.02, 0.04]}, {"ig": 3}) == []
    assert capsys.readouterr().out.endswith("| ig | +0.030 | 2 | 3 |\n")


@pytest.mark.parametrize(
    ("misled", "sound", "sentences"),
    [
        ((0.8, 0.1), (0.1, 0.8), 0),
        ((0.3, 0.5), (0.1, 0.8), 1),
        ((0.8, 0.1), (0.5, 0.3), 1),
        ((0.25, 0.1), (0.45, 0.8), 2),
    ],
)
def test_a_map_tells_the_shortcut_by_where_its_energy_lies(misled, sound, sentences) -> None:
    """(near the ruler, near the streaks) of either classifier; the ruler's surroundings cover .2 of the picture."""
    table: dict = defaultdict(lambda: defaultdict(list))
    for name, energies in ((MISLED, misled), (SOUND, sound)):
        for place, energy in zip(("ruler", "streaks"), energies, strict=True):
            table["map"][name, place, "energy"].append(energy)
    table[BASELINES[0]][SOUND, "ruler", "energy"].append(0.2)
    assert len(_missed_goals(table, "map")) == sentences
