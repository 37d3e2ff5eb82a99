"""`python -m app.maintenance.bundled_map_libraries`: draws the pictures itself and replaces what was there, whatever it held."""

from pathlib import Path

import numpy as np
import pytest

from app import map_library
from app.maintenance.bundled_map_libraries import FIRST_SEED, draw_synthetic_picture, main, rebuild_map_library
from app.model_files import read_map_library_of_model
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method_runner import run_methods
from explainers.methods import METHODS, SEVEN
from explainers.methods.grad_cam import GradCAM
from explainers.methods.occlusion import Occlusion
from explainers.methods.rise import RISE
from explainers.metrics.agreement.consistency import ReferenceMaps, measure_consistency
from explainers.metrics.agreement.reference_library import MapLibrary, image_digest, read_map_library
from explainers.metrics.agreement.similarity import evidence_on_grid
from models.classifiers.score import Score
from models.datasets.synthetic.glass_box import NAMES, draw_colour_patches
from models.datasets.synthetic.phantoms import draw_phantom
from models.loading import load_classifier
from models.store import bundled_models

FEW = 31


def test_a_library_is_made_of_its_drawings_and_takes_the_place_of_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One method, because all ten take minutes."""
    monkeypatch.setattr(map_library, "METHODS", (GradCAM,))
    out = tmp_path / "glass_box.library.npz"
    out.write_bytes(b"an older library")
    assert rebuild_map_library("glass_box", FEW, out) == out
    found = read_map_library(out)
    assert set(found.pictures) == {image_digest(draw_colour_patches(FIRST_SEED + s, NAMES[s % 4]).image) for s in range(FEW)}
    assert np.isfinite(found.maps["Grad-CAM"]).all()
    assert found.made_with["preset"] == "Balanced"
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


@pytest.mark.parametrize("name", ["phantoms", "phantoms_shortcut", "glass_box"])
def test_what_is_bundled_was_made_of_these_drawings(name: str) -> None:
    found = read_map_library_of_model(name)
    assert found is not None
    assert {image_digest(draw_synthetic_picture(name, number) / np.float32(255)) for number in range(0, 132, 9)} <= set(found.pictures)


@pytest.mark.parametrize("name", list(bundled_models()))
def test_what_is_bundled_was_made_by_the_methods_as_they_are(name: str) -> None:
    """A method that came later may be missing: the others go on. One that has changed, or that every case is looked at with, may not."""
    found = read_map_library_of_model(name)
    assert found is not None
    then, now = found.made_with["methods"], {method.title: method.revision for method in METHODS}
    assert {method.title for method in SEVEN} <= set(then) <= set(found.maps)
    assert not {title for title in then if now.get(title) != then[title]}, f"make the library of {name} anew"


def test_a_library_that_lacks_a_method_serves_the_others() -> None:
    """As one does that was made before the method came: pairs of the others rest on the same pictures as with it."""
    whole = read_map_library_of_model("phantoms")
    assert whole is not None
    kept = {title: told for title, told in whole.made_with["methods"].items() if title != "RISE"}
    older = MapLibrary({**whole.made_with, "methods": kept}, whole.pictures, {t: rows for t, rows in whole.maps.items() if t != "RISE"})
    assert older.mismatch(whole.made_with) == ""
    classifier = load_classifier("phantoms")
    image = draw_synthetic_picture("phantoms", 4) / np.float32(255)
    case = Case(classifier, image, Score(int(classifier.predict(image).argmax())), ExplanationSettings(budget=100))
    results = list({result.method.title: result for result in run_methods(case, [GradCAM(), Occlusion(), RISE()])}.values())
    judged = [measure_consistency(results, case.size, ReferenceMaps(library, image_digest(image)), {}) for library in (whole, older)]
    with_it, without = ({(each.first, each.second): each for each in found.pair_agreements} for found in judged)
    assert (
        with_it.keys() == without.keys() == {("Grad-CAM", "Occlusion (smoothed)"), ("Grad-CAM", "RISE"), ("Occlusion (smoothed)", "RISE")}
    )
    for pair, pair_agreement in without.items():
        assert (pair_agreement.chance is None) == ("RISE" in pair)
        assert with_it[pair].chance is not None
    assert without["Grad-CAM", "Occlusion (smoothed)"].chance == with_it["Grad-CAM", "Occlusion (smoothed)"].chance


def test_the_methods_give_the_maps_that_the_phantoms_carry() -> None:
    """One picture and the methods that share no pool: whoever changes the maps of a method raises its revision."""
    found, classifier = read_map_library_of_model("phantoms"), load_classifier("phantoms")
    assert found is not None
    image = draw_synthetic_picture("phantoms", 4) / np.float32(255)
    case = Case(classifier, image, Score(int(classifier.predict(image).argmax())))
    number = found.pictures.index(image_digest(image))
    carried = [method() for method in METHODS if not method.pooled and method.title in found.maps]
    assert len(carried) > 4, "a method added since is not carried until the libraries are made again"
    for result in {result.method.title: result for result in run_methods(case, carried)}.values():
        shown = evidence_on_grid(result, case.size)
        assert shown is not None
        assert shown.share is not None
        title, then = result.method.title, found.maps[result.method.title][number]
        assert np.abs(shown.share - then).max() < 0.05 * then.max(), (
            f"{title} gives another map now: python -m app.maintenance.bundled_map_libraries"
        )


def test_phantoms_come_class_by_class() -> None:
    for number in (0, 5, 98):
        drawn = draw_phantom(FIRST_SEED + number, number % 4).image
        assert np.array_equal(draw_synthetic_picture("phantoms", number) / np.float32(255), drawn)


@pytest.mark.parametrize(
    ("words", "told"), [(["horses"], "No classifier 'horses' is bundled"), (["glass_box", "--pictures", "5"], "holds 5")]
)
def test_what_cannot_be_made_is_one_sentence_and_exit_2(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = bundled_models()["glass_box"].with_suffix(".library.npz").read_bytes()
    assert main(words) == 2
    assert told in capsys.readouterr().err
    assert bundled_models()["glass_box"].with_suffix(".library.npz").read_bytes() == before
