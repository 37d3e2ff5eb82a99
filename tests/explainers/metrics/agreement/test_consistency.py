"""A picture's maps weighed against each other: chance, ceiling, reliability, controls and words, on maps made by hand."""

import numpy as np
import pytest

from explainers.metrics.agreement.consistency import (
    MapConsistency,
    ReferenceMaps,
    SelfAgreementSource,
    consistency_from_maps,
    controls_warning_sentence,
    weaker_controls_sentence,
)
from explainers.metrics.agreement.control_maps import CENTRE, EDGES, centre_map
from explainers.metrics.agreement.null_distribution import NullDistributions
from explainers.metrics.agreement.reference_library import MapLibrary
from explainers.metrics.agreement.significance import AgreementLevel, shifted_map_copies
from explainers.metrics.agreement.similarity import MapEvidence
from explainers.metrics.robustness.reliability import RepeatedMaps, RepeatSource, reliability_score
from tests.explainers.plain_similarity import chance

FAMILIES = {"cam": "CAM", "lime": "surrogate", "shap": "surrogate", "ig": "gradient"}


def noise(seed: int, cells: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).gamma(1.0, size=(cells, cells))


def share(grid: np.ndarray) -> np.ndarray:
    return grid / grid.sum()


def library(titles=("cam", "lime", "shap", "ig"), pictures: int = 40) -> MapLibrary:
    maps = {title: np.stack([share(noise(1000 * t + n)) for n in range(pictures)]) for t, title in enumerate(titles, start=7)}
    return MapLibrary({"model": "m", "cells": 8, "fill": "blur"}, tuple(f"{n}" for n in range(pictures)), maps)


def judged(grids: dict[str, np.ndarray], background: ReferenceMaps, readings: dict[str, RepeatedMaps] | None = None) -> MapConsistency:
    found = [MapEvidence(title, FAMILIES[title], True, grid, share(grid)) for title, grid in grids.items()]
    readings = readings or {title: RepeatedMaps(grid, grid, RepeatSource.EXACT) for title, grid in grids.items()}
    return consistency_from_maps(
        found, readings, {title: reliability_score(title, each, 100) for title, each in readings.items()}, background
    )


def test_the_stacked_chance_is_the_plain_one() -> None:
    known = library()
    a, b = share(noise(1)), share(noise(2))
    nulls = NullDistributions({"cam": a, "lime": b}, known)
    expected = chance(a, b, known.maps["cam"], known.maps["lime"])
    found = nulls.chance("cam", "lime")
    assert (found.agreement, found.mean, found.kappa, found.p) == pytest.approx(
        (expected.agreement, expected.mean, expected.kappa, expected.p), abs=1e-6
    )
    assert not found.weaker
    plain, weaker = chance(a, b), NullDistributions({"cam": a, "lime": b}, None).chance("cam", "lime")
    assert (weaker.mean, weaker.p, weaker.weaker) == (pytest.approx(plain.mean, abs=1e-6), pytest.approx(plain.p), True)
    assert len(shifted_map_copies(a)) == 63


def test_a_picture_is_not_compared_with_itself() -> None:
    known = library(pictures=31)
    assert len(known.stack("cam")) == 31
    assert len(known.stack("cam", "3")) == 30
    assert known.stack("cam", "3") is known.stack("cam", "3")
    assert library(pictures=30).stack("cam", "3") is None
    assert known.stack("unheard of") is None


def test_equal_maps_agree_strongly_and_unrelated_ones_no_better_than_chance() -> None:
    one, other = noise(1), noise(2)
    found = judged({"cam": one, "lime": one, "ig": other}, ReferenceMaps(library()))
    words = {(each.first, each.second): each.level for each in found.pair_agreements}
    assert words == {("cam", "lime"): "strong", ("cam", "ig"): "no better than chance", ("lime", "ig"): "no better than chance"}
    same = found.pair_agreements[0]
    assert same.chance.kappa == pytest.approx(1, abs=1e-5)
    assert same.ceiling == pytest.approx(1, abs=1e-5)
    assert same.p < 1e-6, "far over all of the null, adjusted for three pairs"
    assert found.warning == "Agreeing explanations can all be wrong."


def test_the_picture_counts_families_once() -> None:
    one, other = noise(1), noise(2)
    found = judged({"cam": one, "lime": one, "shap": other}, ReferenceMaps(library()))
    kappas = {(each.first, each.second): each.chance.kappa for each in found.pair_agreements}
    assert found.kappa == pytest.approx((kappas["cam", "lime"] + kappas["cam", "shap"]) / 2)
    assert [each.within_family for each in found.pair_agreements] == [False, False, True]
    assert found.votes.max() == 2
    assert found.consensus.sum() == pytest.approx(1)


def test_what_has_not_converged_gets_no_word_and_does_not_count() -> None:
    one = noise(1)
    readings = {
        "cam": RepeatedMaps(one, one, RepeatSource.EXACT),
        "lime": RepeatedMaps(noise(3), noise(4), RepeatSource.HALF_RUNS),
        "ig": RepeatedMaps(one, one, RepeatSource.EXACT),
    }
    found = judged({"cam": one, "lime": one, "ig": one}, ReferenceMaps(library()), readings)
    assert [each.level for each in found.pair_agreements] == [AgreementLevel.NOT_CONVERGED, "strong", AgreementLevel.NOT_CONVERGED]
    assert found.kappa == pytest.approx(1, abs=1e-5)
    assert "Not converged" in found.left_out["lime"]
    assert "lime is not reliable" in found.pair_agreements[0].reason
    assert found.pair_agreements[0].unreliable


def test_a_noisy_pair_is_measured_against_its_own_noise() -> None:
    """Two readings each of one truth: kappa is pulled down by noise, kappa* is not."""
    truth = np.zeros((8, 8))
    truth[2:4, 2:5], truth[6, 6] = 4, 3
    drawn = {title: [truth + noise(10 * t + n) for n in range(2)] for t, title in enumerate(("lime", "ig"))}
    readings = {title: RepeatedMaps(*pair, RepeatSource.HALF_RUNS) for title, pair in drawn.items()}
    found = judged({title: (pair[0] + pair[1]) / 2 for title, pair in drawn.items()}, ReferenceMaps(library()), readings)
    pair_agreement = found.pair_agreements[0]
    assert pair_agreement.chance.kappa < 0.9
    assert pair_agreement.ceiling > pair_agreement.chance.kappa


def test_kappa_star_is_a_lower_bound_where_a_map_is_taken_as_exact() -> None:
    """The same two maps: once the noisy one's two readings are known, once it is taken as exact."""
    truth = np.zeros((8, 8))
    truth[2:4, 2:5], truth[6, 6] = 4, 3
    first, second = (truth + noise(n) for n in (1, 2))
    whole = {"cam": truth + noise(7) / 9, "ig": (first + second) / 2}
    exact = {title: RepeatedMaps(grid, grid, RepeatSource.EXACT) for title, grid in whole.items()}
    taken = judged(whole, ReferenceMaps(library()), exact).pair_agreements[0]
    known = judged(whole, ReferenceMaps(library()), exact | {"ig": RepeatedMaps(first, second, RepeatSource.HALF_RUNS)}).pair_agreements[0]
    both = {title: RepeatedMaps(grid, grid, RepeatSource.HALF_RUNS) for title, grid in whole.items()}
    assert taken.ceiling < known.ceiling
    assert (taken.self_agreement, known.self_agreement) == (SelfAgreementSource.EXACT, SelfAgreementSource.EXACT)
    assert judged(whole, ReferenceMaps(library()), both).pair_agreements[0].self_agreement == "measured"


def test_the_centre_explains_maps_that_are_no_more_than_it() -> None:
    bell = centre_map(8)
    found = judged(
        {"cam": bell * noise(4) ** 0.2, "ig": bell * noise(5) ** 0.2}, ReferenceMaps(None, controls={CENTRE: bell, EDGES: share(noise(9))})
    )
    assert found.weaker
    assert found.controls[CENTRE]["cam"] > 0.5
    assert CENTRE in found.pair_agreements[0].explained_by
    assert EDGES not in found.pair_agreements[0].explained_by
    assert controls_warning_sentence([CENTRE]) == "both light the centre as much"


def test_a_control_of_too_few_maps_is_weaker_says_so_and_explains_nothing() -> None:
    """By the library the maps agree a little less than with the control's displaced copies: two scales, not to be compared."""
    bell = centre_map(8)
    grids = {"cam": bell * noise(4) ** 0.2, "ig": bell * noise(5) ** 0.2}
    known = library(("cam", "ig", EDGES))
    known.maps[EDGES][11:] = np.nan
    assert known.too_few() == {EDGES: 11}
    found = judged(grids, ReferenceMaps(known, controls={EDGES: share(sum(grids.values()))}))
    assert min(found.controls[EDGES].values()) >= found.pair_agreements[0].chance.kappa, "so that it would explain the pair"
    assert found.pair_agreements[0].explained_by == ()
    assert (found.weaker, found.weaker_controls) == (False, {EDGES: ("cam", "ig")})
    assert "too few maps of edges" in weaker_controls_sentence(found)
    without = judged(grids, ReferenceMaps(None, controls={EDGES: share(sum(grids.values()))}))
    assert (without.pair_agreements[0].explained_by, weaker_controls_sentence(without)) == ((EDGES,), ""), "both weaker, and said once"


def test_maps_without_evidence_are_left_out_with_their_reason() -> None:
    found = consistency_from_maps([MapEvidence("cam", "CAM", False, noise(1), None, "Nothing there.")], {}, {}, ReferenceMaps())
    assert found.left_out == {"cam": "Nothing there."}
    assert (found.pair_agreements, found.kappa, found.consensus, found.weaker) == ((), None, None, False)


def test_no_verdict_depends_on_a_maps_scale_and_no_map_is_changed() -> None:
    grids = {"cam": noise(1), "lime": noise(2), "ig": noise(1) + noise(3)}
    for grid in grids.values():
        grid.flags.writeable = False
    plain = judged(grids, ReferenceMaps(library()))
    scaled = judged({title: grid * 1000 for title, grid in grids.items()}, ReferenceMaps(library()))
    for one, other in zip(plain.pair_agreements, scaled.pair_agreements, strict=True):
        assert (one.level, one.p) == (other.level, other.p)
        assert one.chance.kappa == pytest.approx(other.chance.kappa, abs=1e-6)
        assert one.ceiling == pytest.approx(other.ceiling, abs=1e-6)
