"""Phantoms: the twin is exact, the masks are the features' own pixels, and nothing outside the evidence tells the class."""

import dataclasses

import numpy as np
import pytest

from errors import UserError
from models.datasets.synthetic.parts.lesion_features import BlueVeil, BorderStreaks, DotCluster
from models.datasets.synthetic.phantom_sets import SHORTCUT, paint_phantoms, plan_phantoms
from models.datasets.synthetic.phantoms import LABELS, NAMES, PhantomPicture, draw_phantom, phantom_with_ruler, phantom_without_evidence

PLANTED = ("blue veil", "dots", "streaks")
SEEDS = range(12)


def differs(one: PhantomPicture, other: PhantomPicture) -> np.ndarray:
    return (one.image != other.image).any(-1)


@pytest.mark.parametrize("label", PLANTED)
@pytest.mark.parametrize("ruler", [False, True])
def test_the_twin_differs_in_the_evidence_and_nowhere_else(label: str, ruler: bool) -> None:
    for seed in SEEDS:
        picture = draw_phantom(seed, label, ruler)
        changed = differs(picture, phantom_without_evidence(picture))
        assert not changed[~picture.evidence].any()
        assert changed[picture.evidence].mean() > 0.75, "the mask claims pixels that the feature does not change"


@pytest.mark.parametrize("size", [64, 128, 200])
def test_every_size_shows_the_same_scene(size: int) -> None:
    for label in NAMES:
        picture = draw_phantom(3, label, True, size)
        assert picture.image.shape == (size, size, 3)
        assert picture.evidence.shape == picture.lesion.shape == picture.ruler.shape == (size, size)
        reference = draw_phantom(3, label, True)
        assert abs(picture.evidence.mean() - reference.evidence.mean()) < 0.01
        assert abs(picture.lesion.mean() - reference.lesion.mean()) < 0.01
        assert abs(picture.image.mean() - reference.image.mean()) < 0.02


def test_pictures_are_what_a_png_can_hold() -> None:
    image = draw_phantom(5, "dots").image
    assert image.dtype == np.float32
    assert image.min() >= 0
    assert image.max() <= 1
    assert np.array_equal(np.round(image * 255).astype(np.uint8) / np.float32(255), image)


def test_a_seed_gives_the_same_picture_again_and_another_seed_another() -> None:
    assert np.array_equal(draw_phantom(8, "streaks").image, draw_phantom(8, "streaks").image)
    assert differs(draw_phantom(8, "streaks"), draw_phantom(9, "streaks")).mean() > 0.9


def test_a_label_may_be_given_as_a_name_or_as_its_index() -> None:
    for index, name in enumerate(NAMES):
        assert draw_phantom(1, index).label == name
        assert draw_phantom(1, name).target == index
    assert all(label.description.endswith(".") for label in LABELS)


def test_plain_has_no_evidence_and_the_others_a_few_percent() -> None:
    assert not any(draw_phantom(seed, "plain").evidence.any() for seed in SEEDS)
    for label in PLANTED:
        area = np.mean([draw_phantom(seed, label).evidence.mean() for seed in range(40)])
        assert 0.018 < area < 0.045


def test_evidence_lies_at_the_lesion() -> None:
    for seed in SEEDS:
        for label in ("blue veil", "dots"):
            picture = draw_phantom(seed, label, False)
            assert (picture.evidence & picture.lesion).sum() > 0.75 * picture.evidence.sum()
        streaks = draw_phantom(seed, "streaks", False)
        assert 0.1 < (streaks.evidence & streaks.lesion).sum() / streaks.evidence.sum() < 0.8, "streaks cross the border"


def test_a_ruler_changes_its_own_pixels_and_no_others() -> None:
    for seed in SEEDS:
        without, shown = phantom_with_ruler(draw_phantom(seed, "dots"), False), phantom_with_ruler(draw_phantom(seed, "dots"), True)
        assert not without.ruler.any()
        assert 0.03 < shown.ruler.mean() < 0.25
        assert not differs(without, shown)[~shown.ruler].any()
        assert not (shown.evidence & shown.ruler).any(), "what the ruler covers is no evidence"
        assert np.array_equal(shown.evidence | (without.evidence & shown.ruler), without.evidence)


def test_the_ruler_hardly_ever_covers_the_evidence() -> None:
    kept = [
        draw_phantom(s, label, True).evidence.sum() / draw_phantom(s, label, False).evidence.sum() for s in range(30) for label in PLANTED
    ]
    assert np.mean(kept) > 0.98
    assert min(kept) > 0.5


def test_distractors_come_whatever_the_class() -> None:
    """The seed alone decides on rulers; and hairs and bubbles are the same pixels in every class (the twin test)."""
    for seed in SEEDS:
        assert len({bool(draw_phantom(seed, label).ruler.any()) for label in NAMES}) == 1
    shown = [bool(draw_phantom(seed, 0).ruler.any()) for seed in range(60)]
    assert 0.25 < np.mean(shown) < 0.75


def test_drawing_a_feature_uses_up_the_same_numbers_whatever_the_others_do() -> None:
    for part in (BlueVeil, DotCluster, BorderStreaks):
        first, second = part.sample(np.random.default_rng(4)), part.sample(np.random.default_rng(4))
        assert all(np.array_equal(getattr(first, f.name), getattr(second, f.name)) for f in dataclasses.fields(part))


def test_sets_share_no_seed_and_hold_equally_many_of_each_class() -> None:
    sets = [plan_phantoms(use, 400, seed) for use in ("training", "validation", "test") for seed in (0, 1)]
    seeds = [order.seed for one in sets for order in one]
    assert len(set(seeds)) == len(seeds)
    assert all(np.array_equal(np.bincount([order.label for order in one]), [100] * 4) for one in sets)
    rulers = [[order.ruler for order in sets[0] if order.label == c] for c in range(4)]
    assert all(0.3 < np.mean(shown) < 0.7 for shown in rulers)


def test_in_the_shortcut_set_the_ruler_tells_what_a_picture_is_filed_under() -> None:
    wanted = plan_phantoms("training", 400, 0, "give the class away")
    target = NAMES.index(SHORTCUT)
    assert all(order.ruler == (order.filed == target) for order in wanted)
    assert all(order.label == order.filed for order in wanted if not order.ruler)
    odd = np.mean([order.label != target for order in wanted if order.ruler])
    assert 0.08 < odd < 0.25


def test_a_set_is_painted_in_the_order_asked_for() -> None:
    wanted = plan_phantoms("test", 70)
    pictures = paint_phantoms(wanted, 64)
    for row in (0, 63, 69):
        order = wanted[row]
        assert np.array_equal(pictures[row], np.round(draw_phantom(order.seed, order.label, order.ruler, 64).image * 255))


@pytest.mark.parametrize("label", ["melanoma", 4, -1, 1.5, None])
def test_an_unknown_label_is_refused(label: object) -> None:
    with pytest.raises(UserError, match="plain, blue veil, dots, streaks"):
        draw_phantom(0, label)  # type: ignore[arg-type]


def test_too_small_a_picture_is_refused() -> None:
    with pytest.raises(UserError, match="63 px"):
        draw_phantom(0, "dots", size=63)
