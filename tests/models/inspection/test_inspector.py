"""What the doctor finds in models that were built to have it."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from benchmarks.zoo_parts.models import topologies
from errors import UserError
from models.cards.card import Card
from models.images.decoder import decode_picture
from models.inspection.inspection_report import InspectionReport
from models.inspection.inspector import LabelledImage, inspect_model
from models.inspection.model_facts import model_facts
from models.inspection.model_structure import parse_model_structure
from models.inspection.model_structure_reader import read_model_structure
from models.loading import load_classifier
from models.sandbox.ipc import ProtocolError
from tests.models.inspection.example_models import NAMES, carded, meter, shades


def says(report: InspectionReport, about: str, level: str = "warning") -> str:
    return " ".join(each.says for each in report.findings if (each.about, each.level) == (about, level))


def test_a_model_of_0_to_255_is_told_from_its_pictures(tmp_path: Path) -> None:
    report = inspect_model(carded(meter(tmp_path / "m.keras", 127, 10)), shades(32))
    best = report.candidates[0]
    assert (best.scaling, best.colour, best.accuracy, best.auc) == ("0..255", "rgb", 1.0, 1.0)
    assert report.certainty.startswith("Sure, as far as 32 pictures can show: 0..255 RGB")
    warned = says(report, "preprocessing")
    assert "0..1 RGB, it calls everything dark and is right on 50%" in warned
    assert report.proposed is not None
    assert (report.proposed.scaling, report.proposed.colour, report.proposed.inferred) == ("0..255", "rgb", False)
    assert (report.pictures, report.classes_known) == (32, 32)


def test_it_tells_how_many_pictures_it_asks_about_and_can_be_given_up(tmp_path: Path) -> None:
    path = carded(meter(tmp_path / "m.keras", 127, 10))
    told: list[tuple[int, int]] = []
    ways = len(inspect_model(path, shades(20), progress=lambda done, most: told.append((done, most))).candidates)
    assert {most for _, most in told} == {ways * (20 + 4 * 16)}, "each of 20, and 16 of them changed in four ways"
    done = [done for done, _ in told]
    assert done == sorted(done)
    assert done[-1] == told[-1][1]

    def enough(done: int, most: int) -> None:
        told.append((done, most))
        raise InterruptedError

    told.clear()
    with pytest.raises(InterruptedError):
        inspect_model(path, shades(20), progress=enough)
    assert len(told) == 1


def test_where_today_is_right_nothing_is_proposed(tmp_path: Path) -> None:
    report = inspect_model(carded(meter(tmp_path / "m.keras", 127, 10), scaling="0..255"), shades(32))
    assert report.proposed is None
    assert "wants pictures as its card prepares them" in says(report, "preprocessing", "fact")
    assert not says(report, "preprocessing"), "that nothing scales pixels is no worry where pictures show that it is right"
    assert "Not scaled at all" in says(inspect_model(tmp_path / "m.keras"), "preprocessing")


def test_too_few_pictures_prove_nothing(tmp_path: Path) -> None:
    report = inspect_model(carded(meter(tmp_path / "m.keras", 127, 10)), shades(6))
    assert report.candidates[0].scaling == "0..255"
    assert report.proposed is None
    assert report.certainty.startswith("Not sure: 6 pictures")


def test_scaling_twice_is_seen_with_and_without_pictures(tmp_path: Path) -> None:
    path = carded(meter(tmp_path / "m.keras", 0.5, 0.04, (layers.Rescaling(1 / 255),)))
    report = inspect_model(path)
    assert "Scaled twice: the card makes pixels 0..1, and the model divides them by about 255" in says(report, "preprocessing")
    assert "multiplied by 0.003922" in says(report, "preprocessing", "fact")
    assert report.proposed is None, "without pictures nothing is shown"
    proposed = inspect_model(path, shades(32)).proposed
    assert proposed is not None
    assert proposed.scaling == "0..255"
    carded(path, scaling="0..255")
    assert not says(inspect_model(path, shades(32)), "preprocessing")


def test_a_scaling_inside_that_a_card_repeats_in_another_unit(tmp_path: Path) -> None:
    path = carded(meter(tmp_path / "m.keras", 0, 0.04, (layers.Rescaling(2.0, -1.0),)), scaling="-1..1")
    assert "Scaled twice: the card makes pixels -1..1" in says(inspect_model(path), "preprocessing")


def test_imagenets_colours_traced_into_the_graph_are_named(tmp_path: Path) -> None:
    caffe = layers.Lambda(lambda x: tf.constant(0.0) + x[..., ::-1] - [103.939, 116.779, 123.68])
    picture = keras.Input((24, 24, 3))
    grid = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(caffe(picture)))
    tf.saved_model.save(keras.Model(picture, layers.Dense(2, activation="softmax")(grid)), str(tmp_path / "m"))
    told_of = says(inspect_model(tmp_path / "m"), "preprocessing", "fact")
    assert "turns RGB into BGR, the usual scaling caffe" in told_of


def test_folders_of_other_names_are_matched_by_what_the_model_says(tmp_path: Path) -> None:
    report = inspect_model(carded(meter(tmp_path / "m.keras", 0.5, 0.04)), shades(32, ("night", "day")))
    assert "'day' for 'bright', 'night' for 'dark'" in says(report, "labels", "fact")
    assert (report.candidates[0].scaling, report.candidates[0].accuracy) == ("0..1", 1.0)


def test_classes_that_are_guessed_from_the_answers_prove_nothing(tmp_path: Path) -> None:
    report = inspect_model(carded(meter(tmp_path / "m.keras", 127, 10)), shades(32, ("night", "day")))
    assert (report.candidates[0].scaling, report.candidates[0].accuracy) == ("0..255", 1.0)
    assert report.proposed is None
    assert "was guessed from the answers" in report.certainty


def test_without_classes_it_is_judged_by_answers_and_says_so(tmp_path: Path) -> None:
    report = inspect_model(carded(meter(tmp_path / "m.keras", 127, 10)), shades(32, (None, None)))
    assert report.candidates[0].scaling == "0..255"
    assert report.candidates[0].accuracy is None
    assert "no class is known" in report.certainty
    assert report.certainty.startswith("It seems so")
    assert "It seems to want pictures as 0..255" in says(report, "preprocessing")
    assert report.proposed is None, "answers alone prove nothing"


def test_pictures_of_something_else_prove_nothing(tmp_path: Path) -> None:
    grey = [LabelledImage(np.full((24, 24, 3), 0.9, np.float32), each.label) for each in shades(16)]
    report = inspect_model(carded(meter(tmp_path / "m.keras", 127, 10)), grey)
    assert "Are these of its classes?" in says(report, "preprocessing")
    assert report.proposed is None


def test_the_process_of_its_own_says_the_same(tmp_path: Path) -> None:
    path, pictures = carded(meter(tmp_path / "m.keras", 127, 10)), shades(16)
    here, there = inspect_model(path, pictures), inspect_model(path, pictures, trust=False)
    assert "process of its own" in there.findings[0].known_by
    assert [each.says for each in there.findings] == [each.says for each in here.findings]
    assert there.layers == here.layers
    assert there.candidates == here.candidates
    assert there.proposed == here.proposed


def test_broken_weights_are_named(tmp_path: Path) -> None:
    model = topologies.flat()
    kernel, bias = model.get_layer("last").get_weights()
    kernel[0, 0, 0, :6] = np.nan
    model.get_layer("last").set_weights([kernel, bias])
    model.save(tmp_path / "m.keras")
    report = inspect_model(tmp_path / "m.keras")
    (refused,) = report.findings
    assert refused.level == "refused"
    assert "last" in refused.says
    assert "not finite" in refused.says


def test_a_layer_that_is_dead_and_answers_that_are_saturated(tmp_path: Path) -> None:
    model = topologies.flatten_head()
    kernel, bias = model.get_layer("last").get_weights()
    model.get_layer("last").set_weights([kernel, bias - 100])
    model.layers[-1].set_weights([np.zeros((180, 3), np.float32), np.array([200, 0, 0], np.float32)])
    model.save(tmp_path / "m.keras")
    report = inspect_model(tmp_path / "m.keras", shades(4, (None, None)))
    layers_warned = says(report, "layers")
    assert "Layer last says the same no matter what is shown" in layers_warned
    assert "flattened" in layers_warned
    assert "100% of the pictures get a probability that is exactly 1" in says(report, "answers")


def shrinking() -> keras.Model:
    """Its second convolution has a grid of 2 x 2, its third one of a single cell."""
    grids = [layers.Conv2D(4, 3, strides=step, padding="same", name=name) for name, step in (("wide", 2), ("near", 4), ("single", 2))]
    return keras.Sequential([keras.Input((16, 16, 3)), *grids, layers.GlobalAveragePooling2D(), layers.Dense(2)])


@pytest.mark.parametrize(
    ("build", "about", "level", "words"),
    [
        (shrinking, "layers", "warning", ["grid of a single cell (single", "near has a grid of 2 x 2", "an earlier layer, such as wide"]),
        (shrinking, "head", "fact", ["without an activation", "regression"]),
        (topologies.multi_label, "head", "fact", ["a sigmoid for each of 3 classes", "absent"]),
        (topologies.sequential, "layers", "warning", ["sees 3 x 3 of 24 x 24 pixels"]),
        (topologies.without_a_grid, "layers", "warning", ["No layer keeps a grid"]),
        (topologies.grey, "head", "fact", ["Two units with a softmax", "signs turned"]),
        (topologies.grey, "labels", "warning", ["Write labels.txt"]),
        (topologies.grey, "inputs", "fact", ["(None, 16, 16, 1) float32"]),
    ],
)
def test_what_small_models_have(build: Callable[[], keras.Model], about: str, level: str, words: list[str], tmp_path: Path) -> None:
    build().save(tmp_path / "m.keras")
    said = says(inspect_model(tmp_path / "m.keras"), about, level)
    assert all(word in said for word in words), said


def test_where_labels_come_from_is_said_without_opening_the_file_again(tmp_path: Path) -> None:
    """A stranger's file is opened by its own process alone."""
    path = meter(tmp_path / "m.keras", 127, 10)
    (tmp_path / "labels.txt").write_text("dark\nbright\n")
    served = load_classifier(path)
    for file in (path, tmp_path / "labels.txt"):
        file.unlink()
    (found,) = [
        each
        for each in model_facts(served, read_model_structure(served, np.zeros((0, *served.size, 3), np.float32)), path, False)
        if each.about == "labels"
    ]
    assert (found.says, found.known_by) == ("2 classes: dark, bright.", "labels.txt with the model says so.")


def test_a_format_that_only_answers_is_still_tried_with_pictures(tmp_path: Path) -> None:
    meter(tmp_path / "m.keras", 127, 10)
    content = tf.lite.TFLiteConverter.from_keras_model(keras.saving.load_model(tmp_path / "m.keras")).convert()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "m.tflite").write_bytes(content)
    (tmp_path / "other" / "labels.txt").write_text("0 dark\n1 bright\n")
    report = inspect_model(tmp_path / "other" / "m.tflite", shades(24))
    assert report.layers == ()
    assert "TensorFlow Lite" in says(report, "layers") or "TFLite" in says(report, "layers")
    assert report.proposed is not None
    assert report.proposed.scaling == "0..255"


def test_members_of_an_ensemble_are_examined_one_by_one(tmp_path: Path) -> None:
    for name, threshold, scaling in (("one", 127, "0..1"), ("two", 0.5, "0..1")):
        carded(meter(tmp_path / f"{name}.keras", threshold, threshold / 12), scaling=scaling)
    (tmp_path / "ensemble.json").write_text('{"members": ["one.keras", "two.keras"]}')
    report = inspect_model(tmp_path / "ensemble.json", shades(24))
    assert "one: It wants pictures as 0..255 RGB" in says(report, "preprocessing")
    assert "two: Not sure: 0..1 RGB does best" in says(report, "preprocessing", "fact"), "caffe's 0 is a middling grey as well"
    assert [layer.name for layer in report.layers] == ["one/mean", "two/mean"]
    named = inspect_model(tmp_path / "ensemble.json", shades(24, ("night", "day")), labels=("night", "day"))
    assert "one: It wants pictures as 0..255 RGB" in says(named, "preprocessing"), "names that are given are the members' too"


def test_a_scaling_that_cannot_be_taken_back_is_said_to_be_the_only_one_tried() -> None:
    report = inspect_model("chest_xray", [LabelledImage(each.picture.repeat(6, 0).repeat(6, 1)) for each in shades(8)])
    assert [each.scaling for each in report.candidates] == ["per-picture"]
    assert "no other way was tried" in says(report, "preprocessing", "fact")
    assert "wants pictures" not in says(report, "preprocessing", "fact")
    assert report.certainty == "Only the way that its card says was tried."


def test_names_that_are_given_make_a_card(tmp_path: Path) -> None:
    report = inspect_model(meter(tmp_path / "m.keras", 0.5, 0.04), labels=NAMES)
    assert isinstance(report.proposed, Card)
    assert [label.name for label in report.proposed.labels] == list(NAMES)
    with pytest.raises(UserError, match="3 lines, but m tells 2 classes apart"):
        inspect_model(tmp_path / "m.keras", labels=("a", "b", "c"))


@pytest.mark.parametrize(
    "change",
    [
        {"ending": "x" * 501},
        {"ending": "a\nb"},
        {"flattened": 1},
        {"fields": [["a", [1, 2, 3]]]},
        {"dead": [["a", 1.5]]},
        {"broken": [["a", float("nan")]]},
        {"inputs": [{"name": "a", "shape": [-1], "dtype": "float32"}]},
        {"single": ["a"] * 10_001},
        {"inner": [{"slope": ["1"], "offset": [0], "backwards": False}]},
        {"inner": [{"slope": [1, 1, 1], "offset": [0] * 5, "backwards": False}]},
        {"inner": [{"slope": [], "offset": [], "backwards": False}]},
    ],
)
def test_a_description_of_another_form_is_not_believed(change: dict) -> None:
    slot = {"name": "a", "shape": [None, 3], "dtype": "float32"}
    plain = {"inputs": [slot], "output": slot, "ending": "", "inner": [], "fields": [["a", None]], "flattened": False}
    plain |= {"single": [], "dead": [["a", 0.5]], "broken": [], "kind": ""}
    assert parse_model_structure(plain).receptive_fields == (("a", None),)
    with pytest.raises(ProtocolError):
        parse_model_structure(plain | change)


def test_the_chest_xray_network_wants_0_to_255(data: Path) -> None:
    """Its own demo page gave it 0..1, by which everything is COVID."""
    folder = data / "chest_xray" / "test"
    files = [(file, name) for name in ("NORMAL", "PNEUMONIA") for file in sorted((folder / name).iterdir())[:12]]
    report = inspect_model(
        data / "models" / "chest_xray_cnn" / "chest_xray.h5",
        [LabelledImage(decode_picture(file.read_bytes()), name) for file, name in files],
    )
    assert report.candidates[0].scaling == "0..255"
    today = next(each for each in report.candidates if (each.scaling, each.colour) == ("0..1", "rgb"))
    assert (today.commonest, today.spread, today.accuracy) == ("COVID", 0.0, 0.0)
    assert report.proposed is not None
    assert report.proposed.scaling == "0..255"
