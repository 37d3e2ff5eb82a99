"""A case asks in batches, counts, remembers, halves the batch when memory runs out and stops when told."""

import numpy as np
import pytest

from errors import UserError
from explainers.baselines import FILLS
from explainers.explanation_case import Case, EvaluationStopped, ExplanationSettings
from tests.explainers.toy_classifiers import ToyScore, detectors, picture


@pytest.fixture
def model():
    return detectors()


@pytest.fixture
def case(model):
    return Case(model, picture(model.size), ToyScore(1))


def test_answers_in_order_whatever_the_batch(model):
    image = picture(model.size)
    masks = np.random.default_rng(0).random((50, 4, 5)).astype(np.float32)
    answers = [Case(model, image, ToyScore(), ExplanationSettings(batch=batch)).masked(masks) for batch in (1, 7, 64)]
    for other in answers[1:]:
        np.testing.assert_allclose(other, answers[0], atol=1e-6)
    assert answers[0].shape == (50, 3)


def test_arrays_iterables_of_masks_and_iterables_of_batches_are_one(case):
    masks = np.random.default_rng(0).random((40, 4, 5)).astype(np.float32)
    as_array = case.masked(masks)
    np.testing.assert_array_equal(case.masked(mask for mask in masks), as_array)
    np.testing.assert_array_equal(case.masked(iter([masks[:3], masks[3:38], masks[38:]])), as_array)


def test_generated_masks_are_made_batch_by_batch(model):
    case = Case(model, picture(model.size), ToyScore(), ExplanationSettings(batch=4))
    made = []

    def masks():
        for i in range(12):
            made.append(len(model.asked.batches))
            yield np.full((4, 5), i / 12, np.float32)

    case.masked(masks())
    assert made == [0] * 4 + [1] * 4 + [2] * 4


def test_nothing_asked_gives_an_empty_answer(case):
    assert case.masked(np.zeros((0, 4, 5), np.float32)).shape == (0, 3)


def test_every_picture_is_counted(case, model):
    case.masked(np.ones((5, 4, 5), np.float32))
    case.outputs(case.image[None])
    list(case.gradients(np.stack([case.image] * 3)))
    case.features()
    assert case.evaluations == sum(model.asked.batches) == 5 + 1 + 3 + 1
    assert sum(case.counter.backward.values()) == 3 + 1


def test_picture_fill_and_features_are_asked_once(case):
    first = case.image_logits, case.baseline_logits, case.features()
    spent = case.evaluations
    again = case.image_logits, case.baseline_logits, case.features()
    assert spent == case.evaluations == 3
    assert again[2] is first[2]
    np.testing.assert_allclose(first[0], case.classifier.outputs(case.image[None])[0], atol=1e-6)
    np.testing.assert_allclose(first[1], case.classifier.outputs(case.fill_image[None])[0], atol=1e-6)


def test_another_score_shares_what_does_not_depend_on_it(case):
    keys = [0.0, 0.3, 0.6]
    masks = {key: np.full((4, 5), key, np.float32) for key in keys}
    logits = case.recall(keys, masks.__getitem__)
    assert case.image_value == pytest.approx(float(case.image_logits[1]))
    spent = case.evaluations
    other = case.with_score(ToyScore(2))
    np.testing.assert_array_equal(other.recall(keys, masks.__getitem__), logits)
    assert other.image_value == pytest.approx(float(case.image_logits[2]))
    assert (other.evaluations, case.evaluations) == (spent, spent)
    assert other.features() is not case.features()
    assert case.score.target == 1


def test_recall_asks_only_for_what_is_new(case):
    asked = []

    def mask_of(key):
        asked.append(key)
        return np.full((4, 5), key, np.float32)

    case.recall([0.1, 0.2], mask_of)
    answers = case.recall([0.2, 0.5, 0.1, 0.5], mask_of)
    assert asked == [0.1, 0.2, 0.5]
    np.testing.assert_array_equal(answers[1], answers[3])


def test_out_of_memory_halves_the_batch_and_goes_on(model):
    case = Case(model, picture(model.size), ToyScore(), ExplanationSettings(batch=32))
    masks = np.random.default_rng(0).random((70, 4, 5)).astype(np.float32)
    expected = case.masked(masks)
    model.asked.batches.clear()
    model.asked.limit = 9
    np.testing.assert_allclose(case.masked(masks), expected, atol=1e-6)
    assert max(model.asked.batches) == 8
    assert sum(model.asked.batches) == 70
    assert case.evaluations == 140


def test_out_of_memory_with_one_picture_is_told(model, case):
    model.asked.limit = 0
    with pytest.raises(UserError, match="ran out of memory"):
        case.masked(np.ones((3, 4, 5), np.float32))
    with pytest.raises(UserError, match="ran out of memory"):
        case.features()


def test_stop_is_obeyed_within_one_batch(model):
    case = Case(model, picture(model.size), ToyScore(), ExplanationSettings(batch=8))

    def masks():
        for i in range(100):
            if i == 20:
                case.stop()
            yield np.ones((4, 5), np.float32)

    with pytest.raises(EvaluationStopped):
        case.masked(masks())
    assert model.asked.batches == [8, 8]
    for question in (lambda: case.image_logits, case.features, lambda: list(case.gradients(case.image[None]))):
        with pytest.raises(EvaluationStopped):
            question()
    assert case.with_score(ToyScore(2)).image_logits.shape == (3,)


def test_a_stop_is_each_cases_own_and_what_was_asked_is_shared(case):
    case.stop()
    other = case.with_score(ToyScore(2))
    with pytest.raises(EvaluationStopped):
        case.outputs(case.image[None])
    assert other.image_logits.shape == (3,)
    assert case.image_logits is not None  # remembered from the other
    assert other.evaluations == case.evaluations == 1
    another = other.with_score(ToyScore(0))
    other.stop()
    assert another.outputs(case.image[None]).shape == (1, 3)


@pytest.mark.parametrize("fill", FILLS)
def test_fills(model, fill):
    case = Case(model, picture(model.size), ToyScore(), ExplanationSettings(fill=fill, segments=6))
    filled = case.fill_image
    assert filled.shape == case.image.shape
    assert filled.dtype == np.float32
    if fill == "black":
        assert not filled.any()
    else:
        np.testing.assert_allclose(filled.mean((0, 1)), case.image.mean((0, 1)), atol=0.05)
    if fill == "mean colour":
        assert np.ptp(filled.reshape(-1, 3), axis=0).max() == 0
    if fill == "segment mean":
        for segment in range(case.segments.max() + 1):
            inside = case.segments == segment
            np.testing.assert_allclose(filled[inside], np.broadcast_to(case.image[inside].mean(0), (inside.sum(), 3)), atol=1e-5)
    if fill == "blur":
        assert 0 < filled.std() < case.image.std()


def test_the_picture_cannot_be_written_through_a_case_and_is_not_copied(model):
    image = picture(model.size)
    case = Case(model, image, ToyScore())
    assert np.shares_memory(case.image, image)
    with pytest.raises(ValueError, match="read-only"):
        case.image[0, 0, 0] = 0
    image[0, 0, 0] = 0.5  # the owner still may


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"preset": "Fastest"}, "preset"),
        ({"fill": "white"}, "fill"),
        ({"segments": 1}, "segments"),
        ({"batch": 0}, "batch"),
        ({"budget": 3}, "budget"),
    ],
)
def test_settings_are_refused_by_name(settings, name):
    with pytest.raises(UserError, match=name):
        ExplanationSettings(**settings)


def test_pictures_that_do_not_fit_are_refused(model):
    with pytest.raises(UserError, match="Fit it first"):
        Case(model, np.zeros((8, 8, 3), np.float32), ToyScore())
    with pytest.raises(UserError, match=r"outside 0\.\.1"):
        Case(model, np.full((*model.size, 3), 2, np.float32), ToyScore())
    with pytest.raises(UserError, match="no numbers"):
        Case(model, np.full((*model.size, 3), np.nan, np.float32), ToyScore())
    with pytest.raises(UserError, match="has no spatial layer 'conv9'; it has maps"):
        Case(model, picture(model.size), ToyScore(), ExplanationSettings(layers=("conv9",)))
