"""A picture's maps weighed against each other: chance, ceiling, reliability, controls and words, on maps made by hand."""

import json

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from explainers.metrics.agreement.consistency import (
    MapConsistency,
    ReferenceMaps,
    SelfAgreementSource,
    consistency_from_maps,
    controls_warning_sentence,
)
from explainers.metrics.agreement.control_maps import CENTRE, EDGES, centred_gaussian_map
from explainers.metrics.agreement.null_distribution import NullDistributions
from explainers.metrics.agreement.reference_library import MapLibrary
from explainers.metrics.agreement.similarity import MapEvidence
from explainers.metrics.robustness.reliability import RepeatedMaps, RepeatedReadingSource, reliability_score
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
    readings = readings or {title: RepeatedMaps(grid, grid, RepeatedReadingSource.EXACT) for title, grid in grids.items()}
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


def test_a_picture_is_not_compared_with_itself() -> None:
    known = library(pictures=31)
    assert known.others("cam").rows.tolist() == list(range(31))
    assert known.others("cam", "3").rows.tolist() == [0, 1, 2, *range(4, 31)]
    assert known.others("cam", "3") is known.others("cam", "3")
    assert library(pictures=30).others("cam", "3") is None
    assert known.others("unheard of") is None


def test_equal_maps_agree_strongly_and_unrelated_ones_no_better_than_chance() -> None:
    one, other = noise(1), noise(2)
    found = judged({"cam": one, "lime": one, "ig": other}, ReferenceMaps(library()))
    words = {(each.first, each.second): each.level for each in found.pair_agreements}
    assert words == {("cam", "lime"): "strong", ("cam", "ig"): "none", ("lime", "ig"): "none"}
    same = found.pair_agreements[0]
    assert same.chance.kappa == pytest.approx(1, abs=1e-5)
    assert same.ceiling == pytest.approx(1, abs=1e-5)
    assert same.p < 1e-6, "far over all of the null"
    assert {(each.first, each.second): each.level for each in found.families} == {
        ("CAM", "surrogate"): "strong",
        ("CAM", "gradient"): "none",
        ("surrogate", "gradient"): "none",
    }
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
        "cam": RepeatedMaps(one, one, RepeatedReadingSource.EXACT),
        "lime": RepeatedMaps(noise(3), noise(4), RepeatedReadingSource.HALF_RUNS),
        "ig": RepeatedMaps(one, one, RepeatedReadingSource.EXACT),
    }
    found = judged({"cam": one, "lime": one, "ig": one}, ReferenceMaps(library()), readings)
    assert [each.level for each in found.pair_agreements] == ["cannot be told yet", "strong", "cannot be told yet"]
    assert [each.obstacle for each in found.pair_agreements] == ["a map has not converged", "", "a map has not converged"]
    assert (found.families[0].level, found.families[0].obstacle) == ("cannot be told yet", "a map has not converged")
    assert found.kappa == pytest.approx(1, abs=1e-5)
    assert "Not converged" in found.left_out["lime"]
    assert "lime is not reliable" in found.pair_agreements[0].reason
    assert found.pair_agreements[0].unreliable


def test_a_noisy_pair_is_measured_against_its_own_noise() -> None:
    """Two readings each of one truth: kappa is pulled down by noise, kappa* is not."""
    truth = np.zeros((8, 8))
    truth[2:4, 2:5], truth[6, 6] = 4, 3
    drawn = {title: [truth + noise(10 * t + n) for n in range(2)] for t, title in enumerate(("lime", "ig"))}
    readings = {title: RepeatedMaps(*pair, RepeatedReadingSource.HALF_RUNS) for title, pair in drawn.items()}
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
    exact = {title: RepeatedMaps(grid, grid, RepeatedReadingSource.EXACT) for title, grid in whole.items()}
    taken = judged(whole, ReferenceMaps(library()), exact).pair_agreements[0]
    known = judged(
        whole, ReferenceMaps(library()), exact | {"ig": RepeatedMaps(first, second, RepeatedReadingSource.HALF_RUNS)}
    ).pair_agreements[0]
    both = {title: RepeatedMaps(grid, grid, RepeatedReadingSource.HALF_RUNS) for title, grid in whole.items()}
    assert taken.ceiling < known.ceiling
    assert (taken.self_agreement, known.self_agreement) == (SelfAgreementSource.EXACT, SelfAgreementSource.EXACT)
    assert judged(whole, ReferenceMaps(library()), both).pair_agreements[0].self_agreement == "measured"


def test_without_a_library_nothing_is_said_of_agreement() -> None:
    """Not of equal maps either: no word, no kappa, no ceiling."""
    one = noise(1)
    found = judged({"cam": one, "lime": one, "ig": noise(2)}, ReferenceMaps(None, controls={CENTRE: centred_gaussian_map(8)}))
    assert {each.level for each in (*found.pair_agreements, *found.families)} == {"cannot be told yet"}
    assert {each.obstacle for each in (*found.pair_agreements, *found.families)} == {"no library of other pictures"}
    assert not found.weighed
    assert (found.kappa, found.interval, found.ceiling, found.controls) == (None, None, None, {CENTRE: {}})
    written = json.dumps([each.to_json() for each in (*found.pair_agreements, *found.families)])
    assert not any(f'"{word}"' in written for word in ("none", "some", "strong"))


def test_the_centre_explains_maps_that_are_no_more_than_it() -> None:
    bell = centred_gaussian_map(8)
    grids = {"cam": bell * noise(4) ** 0.2, "ig": bell * noise(5) ** 0.2}
    found = judged(grids, ReferenceMaps(library(), controls={CENTRE: bell, EDGES: share(noise(9))}))
    assert found.controls[CENTRE]["cam"] > 0.5
    assert found.pair_agreements[0].explained_by == (CENTRE,)
    assert controls_warning_sentence([CENTRE]) == "both light the centre"
    spot = np.zeros((8, 8))
    spot[5:7, 1:4] = 3
    beside = judged({title: grid + spot for title, grid in grids.items()}, ReferenceMaps(library(), controls={CENTRE: bell}))
    assert beside.pair_agreements[0].explained_by == (), "what both show beside the centre remains"


def test_a_family_that_agrees_by_construction_buys_no_claim_for_others() -> None:
    """Six copies within a family: over all pairs Benjamini and Hochberg would let p of .04 pass, over the families alone it does not."""
    one = noise(1)
    found = judged({"lime": one, "shap": one, "cam": noise(2), "ig": noise(3)}, ReferenceMaps(library()))
    within = next(each for each in found.pair_agreements if each.within_family)
    assert within.p < 1e-6
    raw = [each.chance.p for each in found.families]
    assert [each.p for each in found.families] == pytest.approx(false_discovery_control(raw).tolist())
    assert len(raw) == 3


def test_a_pair_of_methods_says_no_more_than_its_families() -> None:
    """Twenty draws of unrelated maps with a family of two: no pair across families has a word that the families have not."""
    for seed in range(20):
        grids = {title: noise(100 * seed + n) for n, title in enumerate(("cam", "lime", "shap", "ig"))}
        found = judged(grids, ReferenceMaps(library()))
        told = {frozenset((each.first, each.second)) for each in found.families if each.level.beyond_chance}
        for each in found.pair_agreements:
            pair = frozenset((FAMILIES[each.first], FAMILIES[each.second]))
            assert each.within_family or not each.level.beyond_chance or pair in told


def test_what_a_class_shares_is_told_apart() -> None:
    """All maps of class 1 have one spot, whatever the picture: against the same class alone nothing of it is left."""
    spot = np.zeros((8, 8))
    spot[1:3, 1:3] = 8
    rng = np.random.default_rng(0)
    rows = {title: np.stack([share(rng.gamma(1, size=(8, 8)) + spot * (n % 2)) for n in range(80)]) for title in ("cam", "ig")}
    known = MapLibrary({}, tuple(map(str, range(80))), rows, tuple(n % 2 for n in range(80)))
    grids = {title: rng.gamma(1, size=(8, 8)) + spot for title in ("cam", "ig")}
    (found,) = judged(grids, ReferenceMaps(known, target=1)).families
    assert found.chance.same_class_pictures == 40
    assert found.chance.kappa > 0.2
    assert abs(found.chance.same_class) < 0.1
    assert found.chance.class_share == pytest.approx(found.chance.kappa - found.chance.same_class)
    few = MapLibrary({}, known.pictures, rows, (1,) * 29 + (0,) * 51)
    assert judged(grids, ReferenceMaps(few, target=1)).families[0].chance.same_class is None
    assert judged(grids, ReferenceMaps(MapLibrary({}, known.pictures, rows), target=1)).families[0].chance.class_share is None


def test_maps_without_evidence_are_left_out_with_their_reason() -> None:
    found = consistency_from_maps([MapEvidence("cam", "CAM", False, noise(1), None, "Nothing there.")], {}, {}, ReferenceMaps())
    assert found.left_out == {"cam": "Nothing there."}
    assert (found.pair_agreements, found.families, found.kappa, found.consensus, found.weighed) == ((), (), None, None, False)


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
