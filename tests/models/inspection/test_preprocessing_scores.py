"""The numbers that ways of preparing pictures are ranked by, and how sure a few pictures make of them."""

import numpy as np
import pytest

from models.cards.card import Card, ClassLabel
from models.graph.preprocessing import preprocess_images
from models.inspection.bootstrap_ranking import rank_by_bootstrap
from models.inspection.class_matching import class_indices, has_enough_labelled_images, match_classes_by_answers, match_classes_by_name
from models.inspection.preprocessing_candidates import PreprocessingScheme, apply_preprocessing, list_preprocessing_candidates
from models.inspection.preprocessing_runs import perturb_images
from models.inspection.preprocessing_scores import (
    CandidateAnswers,
    mean_auc,
    mutual_information,
    score_preprocessing_candidate,
    summarise_preprocessing_candidate,
)

LABELS = ("a", "b")


def answers(p: np.ndarray, classes: np.ndarray | None = None, scaling: str = "0..1", changed: np.ndarray | None = None) -> CandidateAnswers:
    return CandidateAnswers(PreprocessingScheme(scaling, "rgb"), p, np.stack([p] * 4) if changed is None else changed, classes)  # type: ignore[arg-type]


def test_numbers_by_hand() -> None:
    p = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    classes = np.array([0, 1, 0, 1])
    made = summarise_preprocessing_candidate(answers(p, classes), LABELS)
    assert made.accuracy == 0.75
    assert made.auc == 1.0, "every a is likelier an a than either b is"
    assert (made.confidence, made.stability, made.commonest) == (pytest.approx(0.75), 1.0, "a")
    assert made.spread == pytest.approx(-(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)))
    assert mean_auc(p, np.array([0, 0, 1, 1])) == pytest.approx(0.75)
    assert mean_auc(np.full((4, 2), 0.5), classes) == 0.5


def test_who_says_the_same_of_everything_says_nothing() -> None:
    assert mutual_information(np.tile([0.98, 0.02], (6, 1))) == pytest.approx(0)
    assert mutual_information(np.tile([0.5, 0.5], (6, 1))) == pytest.approx(0)
    assert mutual_information(np.eye(2)[[0, 1, 0, 1]]) == pytest.approx(1)


def test_steadiness_counts_once_for_each_change_where_no_class_is_known() -> None:
    p = np.eye(2)[[0, 1] * 4]
    flipped = p.copy()
    flipped[:2] = flipped[:2, ::-1]
    assert score_preprocessing_candidate(answers(p, changed=np.stack([flipped] * 4))) == pytest.approx(0.75**4)
    assert score_preprocessing_candidate(answers(p, np.array([0, 1] * 4), changed=np.stack([flipped] * 4))) == 1


def test_pictures_make_sure_or_do_not() -> None:
    classes = np.array([0, 1] * 8)
    right, wrong = np.eye(2)[classes] * 0.8 + 0.1, np.tile([0.9, 0.1], (16, 1))
    clear = rank_by_bootstrap([answers(wrong, classes), answers(right, classes, "0..255")])
    assert (clear.conclusive, clear.best, clear.beats_current) == (True, 1, 1.0)
    slightly = right.copy()
    slightly[0] = slightly[0, ::-1]
    close = rank_by_bootstrap([answers(slightly, classes), answers(right, classes, "0..255")])
    assert (close.conclusive, close.best, close.rivals) == (False, 1, (0,)), (
        "one picture of sixteen is not drawn in a third of the resamples"
    )
    equal = rank_by_bootstrap([answers(right + 0.001, classes), answers(right, classes, "0..255"), answers(wrong, classes, "caffe")])
    assert equal.conclusive
    assert {equal.best, *equal.equivalent} == {0, 1}
    few = rank_by_bootstrap([answers(wrong[:6], classes[:6]), answers(right[:6], classes[:6], "0..255")])
    assert not few.conclusive
    assert not rank_by_bootstrap([answers(wrong, classes), answers(wrong[:, ::-1], classes, "0..255")]).conclusive, (
        "neither tells the classes apart"
    )


def test_classes_go_by_name_then_by_words_then_by_what_the_model_says() -> None:
    labels = ("Normal chest X-ray", "Covid19 chest X-ray", "Viral_Pneumonia")
    names = ["NORMAL", "viral pneumonia", None, "other"]
    assert match_classes_by_name(names, labels) == {"NORMAL": 0, "viral pneumonia": 2}
    assert match_classes_by_name(["cat"], ("tabby cat", "Persian cat")) == {}
    assert match_classes_by_name(["pneumonia"], ("no pneumonia", "viral infection")) == {}, "a word that denies turns the meaning round"
    assert class_indices(names, {"NORMAL": 0}).tolist() == [0, -1, -1, -1]
    p = np.eye(3)[[2, 2, 0, 0, 0, 2]]
    assert match_classes_by_answers(p, ["x", "x", "x", "y", "y", "y"]) == {"x": 2, "y": 0}
    assert not has_enough_labelled_images(np.zeros(40, np.int64)), "a model that says nothing else would be right"
    assert has_enough_labelled_images(np.array([0, 1] * 4))


@pytest.mark.parametrize(
    ("scaling", "colour"), [("0..1", "rgb"), ("-1..1", "bgr"), ("imagenet", "rgb"), ("caffe", "bgr"), ("0..255", "grey")]
)
def test_a_model_is_shown_what_another_card_would_show_it(scaling: str, colour: str) -> None:
    card = Card("m", (ClassLabel("a"), ClassLabel("b")), (8, 8), scaling=scaling, colour=colour)  # type: ignore[arg-type]
    images = np.random.default_rng(0).random((3, 8, 8, 3), np.float32)
    ways = list_preprocessing_candidates(card, images)
    assert len(set(ways)) == len(ways) == (4 if colour == "grey" else 15)
    for way in ways:
        wanted = Card("m", card.labels, (8, 8), scaling=way.scaling, colour=way.colour)
        got = preprocess_images(apply_preprocessing(images, card, way), card, 3)
        assert np.asarray(got) == pytest.approx(np.asarray(preprocess_images(images, wanted, 3)), abs=2e-4 * 255), str(way)


def test_harmless_changes_change_little_and_something() -> None:
    slope = np.linspace(0.2, 0.8, 32, dtype=np.float32)
    images = np.broadcast_to(slope[None, None, :, None], (2, 32, 32, 3))
    mirrored, moved, darker, blurred = perturb_images(images)
    assert mirrored[0, 0, :, 0] == pytest.approx(slope[::-1])
    assert moved[0, 0, 1:, 0] == pytest.approx(slope[:-1])
    assert darker.mean() == pytest.approx(0.9 * images.mean())
    assert 0 < np.abs(blurred - images).max() < 0.02
