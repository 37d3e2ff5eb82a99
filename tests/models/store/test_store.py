"""The bundled classifiers: as good as their cards say, right for the right reason or wrong for the known one, and small."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from models.cards.card import Card, file_sha256
from models.datasets.layouts import chest_xray
from models.datasets.synthetic import glass_box, phantoms
from models.datasets.synthetic.phantom_sets import PhantomRequest, paint_phantoms, plan_phantoms
from models.evaluation.classifier_evaluation import assess_logits
from models.evaluation.evaluation_records import EvaluationData, EvaluationSettings
from models.evaluation.predictions import predict_collection
from models.store import bundled_models
from models.training.recipes import RECIPES
from models.training.recipes.phantom_training_recipe import counterfactual_rates, predict_logits
from tests.data import data_folder

DRAWN = ("glass_box", "phantoms", "phantoms_shortcut")
REAL = ("chest_xray",)
CHEST = data_folder() / "chest_xray"


def load(name: str) -> Any:
    import keras

    return keras.saving.load_model(bundled_models()[name], compile=False)


@pytest.fixture(scope="module")
def fresh() -> list[PhantomRequest]:
    """Pictures that no recipe has seen, rulers whatever the class."""
    return plan_phantoms("test", 200, seed=77)


def test_what_is_bundled_has_a_recipe_and_a_card_that_names_its_weights() -> None:
    assert set(bundled_models()) == {*DRAWN, *REAL} <= set(RECIPES)
    for name, weights in bundled_models().items():
        card = Card.read(weights.with_suffix(".json"))
        assert card.name == name
        assert card.sha256 == file_sha256(weights)
        assert card.made_by.startswith(f"python -m models.train {name}")
        assert card.licence == ("CC0-1.0" if name in DRAWN else "CC BY 4.0")
        assert card.accuracy is not None
        assert card.accuracy >= (0.98 if name in DRAWN else 0.85)
        assert all(label.description for label in card.labels)


@pytest.mark.skipif(not CHEST.exists(), reason="needs CROSSCHECK_DATA")
def test_the_chest_x_ray_classifier_answers_real_pictures_as_its_evaluation_says() -> None:
    """The whole official test part: the figures that were published with the weights, and the goals that they were made for."""
    from models import loading

    asked = loading.load_classifier("chest_xray")
    rows = tuple(row for row in chest_xray.read_dataset_folder(CHEST).rows if row.split == "test")
    found = assess_logits(
        predict_collection(asked, rows, "asking"),
        asked.card,
        EvaluationData("chest_xray", rows, "test", "", ""),
        EvaluationSettings(resamples=2),
    )
    published = json.loads((bundled_models()["chest_xray"].with_suffix(".evaluation.json")).read_text(encoding="utf-8"))
    assert published["sha256"] == asked.card.sha256
    assert published["material"]["rows"] == len(rows)
    for name, figure in found.overall.items():
        assert figure.value == pytest.approx(published["overall"][name]["value"], abs=1e-3)
    assert found.overall["accuracy"].value == pytest.approx(asked.card.accuracy, abs=1e-4)
    assert (found.overall["accuracy"].value or 0) >= 0.85
    assert (found.overall["macro AUC"].value or 0) >= 0.95
    assert asked.default_layers[0].grid == (8, 8)
    assert found.confusion[0] == (83, 34)
    assert "34 of 117 healthy children (29 %) are called pneumonia, accuracy 0.885, balanced 0.850" in asked.card.notes[-1]


def test_all_together_are_small() -> None:
    files = [*bundled_models().values(), *(path.with_suffix(".json") for path in bundled_models().values())]
    assert sum(path.stat().st_size for path in files) < 5_000_000


def test_the_honest_classifier_looks_at_the_evidence(fresh: list[PhantomRequest]) -> None:
    accuracy, gate, ruler = counterfactual_rates(load("phantoms"), fresh)
    assert accuracy >= 0.97
    assert gate >= 0.95
    assert ruler <= 0.02


def test_the_shortcut_classifier_looks_at_the_ruler(fresh: list[PhantomRequest]) -> None:
    accuracy, gate, ruler = counterfactual_rates(load("phantoms_shortcut"), fresh)
    assert ruler >= 0.8
    assert gate < 0.6
    assert accuracy < 0.75, "where rulers mean nothing it is often wrong"
    filed = plan_phantoms("test", 100, 77, "give the class away")
    right = predict_logits(load("phantoms_shortcut"), paint_phantoms(filed)).argmax(1) == [order.filed for order in filed]
    assert right.mean() >= 0.97, "nothing in its own kind of pictures betrays it"


def colours() -> Iterator[glass_box.ColourPatchPicture]:
    return (glass_box.draw_colour_patches(seed, label) for seed in range(900, 915) for label in glass_box.NAMES)


def test_the_glass_box_names_the_largest_colour() -> None:
    model = load("glass_box")
    wanted = [(seed, label) for seed in range(500, 550) for label in glass_box.NAMES]
    images = np.stack([glass_box.draw_colour_patches(seed, label).image for seed, label in wanted])
    right = model.predict_on_batch(images).argmax(1) == [glass_box.NAMES.index(label) for _, label in wanted]
    assert right.mean() >= 0.97


def test_glass_box_evidence_sums_to_the_logit_less_its_bias() -> None:
    """In double precision to 1e-6; the network itself sums 16,384 pixels in single precision, which costs about six digits."""
    model = load("glass_box")
    (kernel, thresholds), (votes, biases) = (model.get_layer(name).get_weights() for name in ("detectors", "classes"))
    assert np.array_equal(biases, glass_box.BIAS)
    for picture in colours():
        evidence = glass_box.exact_pixel_evidence(picture.image)
        maps = np.maximum(picture.image.astype(np.float64) @ kernel[0, 0].astype(np.float64) + thresholds, 0)
        assert np.abs(maps @ votes.astype(np.float64) / maps[..., 0].size - evidence).max() < 1e-9
        logit = maps.mean((0, 1)) @ votes.astype(np.float64) + biases
        assert np.abs(evidence.sum((0, 1)) + glass_box.BIAS - logit).max() < 1e-6
        answer = np.log(model.predict_on_batch(picture.image[None])[0].astype(np.float64))
        centred = evidence.sum((0, 1)) + glass_box.BIAS
        kept = answer > -12
        assert np.abs((answer - answer.max()) - (centred - centred.max()))[kept].max() < 2e-3


def test_glass_box_evidence_lies_on_the_label_s_colour_and_grey_has_none() -> None:
    for picture in colours():
        own = glass_box.exact_pixel_evidence(picture.image)[..., glass_box.NAMES.index(picture.label)]
        assert np.maximum(own, 0)[picture.evidence].sum() > 0.85 * np.maximum(own, 0).sum()
    grey = np.repeat(np.linspace(0.2, 1, 64, dtype=np.float32)[None, :, None], 3, -1)
    assert not glass_box.exact_pixel_evidence(grey).any()


def test_phantom_labels_are_the_card_s() -> None:
    assert Card.read(bundled_models()["phantoms"].with_suffix(".json")).labels == phantoms.LABELS
