"""Every format is written, opened again and held against the original, by the real converters."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from benchmarks.zoo_parts.models import topologies
from errors import UserError
from models.cards.card import Card, ClassLabel, file_sha256
from models.cards.metadata import CategoryField, NumberField
from models.export.__main__ import main
from models.export.format_writers import FORMATS, ExportSource
from models.export.output_comparison import choose_comparison_images, compare_outputs
from models.graph.model_inputs import read_model_inputs
from models.loading import load_classifier


def saved(model: keras.Model, folder: Path, card: Card) -> Path:
    path = folder / f"{card.name}.keras"
    model.save(path)
    card.write(path.with_suffix(".json"))
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(3)
    for number in range(48):
        low = rng.integers(0, 256, (5, 6, 3), np.uint8)
        Image.fromarray(low).resize((60, 50), Image.Resampling.BILINEAR).save(folder / f"{number:02}.png")
    return folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """A small classifier with every activation of its own, in all formats."""
    folder = tmp_path_factory.mktemp("export")
    keras.utils.set_random_seed(1)
    card = Card("flat", tuple(map(ClassLabel, "abcd")), (32, 32), scaling="-1..1", temperature=1.5, accuracy=0.9, licence="CC0-1.0")
    path = saved(topologies.flat(), folder, card)
    assert main([str(path), "--out", str(folder / "out"), "--pictures", str(pictures)]) == 0
    return folder


def test_every_format_is_there_and_agrees(exported: Path) -> None:
    told = json.loads((exported / "out" / "export.json").read_text())
    assert [each["format"] for each in told["formats"]] == list(FORMATS)
    assert told["checked_on"] == "32 pictures of " + told["checked_on"].rsplit(" ", 1)[1]
    for each in told["formats"]:
        assert (exported / "out" / each["file"]).exists()
        assert each["bytes"] > 1000
        assert each["difference"]["mean"] <= each["difference"]["largest"]
        assert each["difference"]["largest"] < (0.05 if each["format"] == "tflite-int8" else 1e-5)
    assert told["formats"][3]["difference"]["largest"] > 0
    assert told["formats"][3]["bytes"] < told["formats"][2]["bytes"]
    assert (exported / "out" / "labels.txt").read_text() == "a\nb\nc\nd\n"
    assert told["sha256"] == file_sha256(exported / "flat.keras")


def test_the_keras_file_opens_with_its_card(exported: Path) -> None:
    image = np.random.default_rng(0).random((32, 32, 3), np.float32)
    before, after = load_classifier(exported / "flat.keras"), load_classifier(exported / "out" / "keras")
    assert after.predict(image) == pytest.approx(before.predict(image), abs=1e-6)
    assert after.card.sha256 == file_sha256(exported / "out" / "keras" / "flat.keras")
    assert (after.card.accuracy, after.card.temperature, after.card.licence) == (0.9, 1.5, "CC0-1.0")


def test_what_int8_was_not_measured_on_is_not_claimed(exported: Path) -> None:
    card = Card.read(exported / "out" / "tflite-int8" / "flat.json")
    assert (card.accuracy, card.measured_on, card.temperature) == (None, "", 1.5)
    assert card.sha256 == file_sha256(exported / "out" / "tflite-int8" / "flat.tflite")
    assert "differ by" in card.notes[-1]


def test_int8_computes_in_int8(exported: Path) -> None:
    kinds = {}
    for name in ("tflite", "tflite-int8"):
        with pytest.warns(UserWarning, match="Interpreter"):
            interpreter = tf.lite.Interpreter(model_path=str(exported / "out" / name / "flat.tflite"))
        kinds[name] = {tensor["dtype"] for tensor in interpreter.get_tensor_details()}
    assert np.int8 not in kinds["tflite"]
    assert np.int8 in kinds["tflite-int8"]


def test_without_pictures_int8_is_left_out_in_a_sentence(exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(exported / "flat.keras"), "--out", str(tmp_path / "a"), "--formats", "keras", "tflite-int8"]) == 2
    assert "int8 needs pictures" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert main([str(exported / "flat.keras"), "--out", str(tmp_path / "a"), "--formats", "keras"]) == 0
    assert json.loads((tmp_path / "a" / "export.json").read_text())["checked_on"] == "32 pictures of soft random colours"
    assert main([str(exported / "flat.keras"), "--out", str(tmp_path / "a"), "--formats", "keras"]) == 2
    assert "exists and is not empty" in capsys.readouterr().err


def test_a_picture_beside_metadata(tmp_path: Path) -> None:
    fields = (NumberField("age", 50.0, 15.0), CategoryField("sex", ("female", "male")))
    picture, beside = keras.Input((16, 16, 3), name="z_picture"), keras.Input((5,), name="about")
    maps = keras.layers.Conv2D(6, 3, activation="relu")(picture)
    x = keras.layers.Concatenate()([keras.layers.GlobalAveragePooling2D()(maps), beside])
    model = keras.Model([picture, beside], keras.layers.Dense(1, activation="sigmoid")(x))
    card = Card("both", (ClassLabel("no"), ClassLabel("yes")), (16, 16), head="sigmoid", metadata=fields)
    path = saved(model, tmp_path, card)
    assert main([str(path), "--out", str(tmp_path / "out"), "--formats", "savedmodel", "tflite"]) == 0
    for each in json.loads((tmp_path / "out" / "export.json").read_text())["formats"]:
        assert each["difference"]["largest"] < 1e-5
        assert each["difference"]["agreement"] == 1


def test_keras_2_is_written_where_it_can_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import tf_keras

    conv = tf_keras.layers.Conv2D(4, 3, input_shape=(16, 16, 3))
    ends = [tf_keras.layers.GlobalAveragePooling2D(), tf_keras.layers.Dense(2, activation="softmax")]
    with pytest.warns(UserWarning, match="legacy"):
        tf_keras.Sequential([conv, *ends]).save(tmp_path / "old.h5")
    assert main([str(tmp_path / "old.h5"), "--out", str(tmp_path / "out"), "--formats", "keras", "savedmodel"]) == 1
    printed = capsys.readouterr().out
    assert "keras: not written. A model of Keras 2 cannot be written as .keras" in printed
    told = json.loads((tmp_path / "out" / "export.json").read_text())["formats"]
    assert (told[0]["file"], told[0]["difference"]) == ("", None)
    assert told[1]["difference"]["largest"] < 1e-5
    assert not (tmp_path / "out" / "keras").exists()


def test_what_tflite_cannot_hold_is_one_sentence(tmp_path: Path) -> None:
    @keras.saving.register_keras_serializable("tests")
    class Spectrum(keras.layers.Layer):
        def call(self, pictures):
            return tf.math.real(tf.signal.fft2d(tf.cast(pictures, tf.complex64)))

    model = keras.Sequential([keras.Input((16, 16, 3)), Spectrum(), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
    source = ExportSource(model, "m", tuple(each.name for each in read_model_inputs(model, "m").order), None)
    with pytest.raises(UserError, match="TensorFlow Lite cannot hold this model") as caught:
        FORMATS["tflite"].write(source, tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_differences_by_hand() -> None:
    """Single sigmoids .5 and .9 against .4 and .8: every one of four numbers is .1 off, and .5 ties for the first class where .4 is it."""
    found = compare_outputs(np.array([[0.5], [0.9]], np.float32), np.array([[0.4], [0.8]], np.float32), "sigmoid")
    assert (found.largest, found.mean, found.agreement) == (pytest.approx(0.1, abs=1e-6), pytest.approx(0.1, abs=1e-6), 1)
    logits = np.log(np.array([[0.6, 0.3, 0.1]], np.float32))
    other = np.log(np.array([[0.3, 0.6, 0.1]], np.float32)) + 7
    found = compare_outputs(logits, other, "logits")
    assert (found.largest, found.mean, found.agreement) == (pytest.approx(0.3, abs=1e-6), pytest.approx(0.2, abs=1e-6), 0)


def test_pictures_for_checking_and_for_ranges_are_not_the_same(pictures: Path, tmp_path: Path) -> None:
    checked, others = choose_comparison_images(pictures, 0)
    assert (len(checked), len(others)) == (32, 16)
    assert not set(checked) & set(others)
    assert choose_comparison_images(pictures, 0)[0] == checked != choose_comparison_images(pictures, 1)[0]
    with pytest.raises(UserError, match="holds no picture"):
        choose_comparison_images(tmp_path, 0)
    with pytest.raises(UserError, match="no folder"):
        choose_comparison_images(tmp_path / "absent", 0)
