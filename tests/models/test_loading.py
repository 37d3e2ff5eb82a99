"""What is loaded, and the one sentence that each thing which cannot be loaded gets."""

import dataclasses
import os
import pathlib
import shutil
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
import tf_keras
from keras import layers

from benchmarks.zoo_parts.models import topologies
from errors import UserError
from models.cards.card import Card, ClassLabel, file_sha256
from models.images.decoder import decode_picture
from models.loading import load_classifier
from tests.data import data_folder


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A small classifier on disk with a card that fits it."""
    path = tmp_path / "small.keras"
    topologies.flat().save(path)
    labels = tuple(ClassLabel(name, f"The letter {name}.") for name in "abcd")
    Card("small", labels, (32, 32), scaling="-1..1", sha256=file_sha256(path)).write(path.with_suffix(".json"))
    return path


def change_card(saved: Path, **changes: object) -> Path:
    beside = saved.with_suffix(".json")
    dataclasses.replace(Card.read(beside), **changes).write(beside)
    return saved


def test_a_model_with_its_card(saved: Path) -> None:
    served = load_classifier(saved)
    assert served.labels == ("a", "b", "c", "d")
    assert served.card.scaling == "-1..1"
    assert load_classifier(saved.parent).labels == served.labels


def test_a_model_without_a_card_gets_one_inferred(tmp_path: Path) -> None:
    topologies.two_branches().save(tmp_path / "chest.keras")
    (tmp_path / "labels.txt").write_text("0 normal\n1 pneumonia\n")
    card = load_classifier(tmp_path / "chest.keras").card
    assert (card.inferred, card.head, card.size) == (True, "sigmoid", (64, 64))
    assert [label.name for label in card.labels] == ["normal", "pneumonia"]
    assert "scaling" in card.notes[0]


def test_preprocessing_inside_the_model_is_seen(tmp_path: Path) -> None:
    topologies.efficientnet().save(tmp_path / "m.keras")
    assert load_classifier(tmp_path / "m.keras").card.scaling == "0..255"


def test_a_temperature_calibrates_the_prediction_and_nothing_else(saved: Path) -> None:
    image = np.random.default_rng(0).random((32, 32, 3), np.float32)
    plain = load_classifier(saved)
    calibrated = load_classifier(change_card(saved, temperature=2.0))
    logits = plain.outputs(image[None])
    assert calibrated.outputs(image[None]) == pytest.approx(logits)
    assert calibrated.predict(image) == pytest.approx(plain.probabilities(logits / 2)[0], abs=1e-6)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"PK\x03\x04rubbish", "damaged or truncated"),
        (b"\x89HDF\r\n\x1a\nrubbish", "damaged or truncated"),
    ],
)
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(UserError, match=words):
        load_classifier(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(saved: Path, share: float) -> None:
    content = saved.read_bytes()
    saved.with_suffix(".json").unlink()
    saved.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match="damaged or truncated"):
        load_classifier(saved)


def test_a_missing_file_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no file or folder"):
        load_classifier(tmp_path / "nothing.keras")
    with pytest.raises(UserError, match="must hold one"):
        load_classifier(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": (ClassLabel("a"), ClassLabel("b"))}, "2 labels"),
        ({"size": (48, 32)}, "48 x 32"),
        ({"sha256": "0" * 64}, "other weights"),
        ({"head": "multi-label"}, "ends in a softmax"),
    ],
)
def test_a_card_of_another_model(saved: Path, changes: dict, words: str) -> None:
    with pytest.raises(UserError, match=words):
        load_classifier(change_card(saved, **changes))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"name": "x"}', "'labels' is missing"),
        ('{"name": 3, "labels": ["a", "b"], "size": [8, 8]}', "'name' is 3"),
        ('{"name": "x", "labels": ["a", "b"], "size": "8x8"}', "'size'"),
        ('{"name": "x", "labels": ["a", "b"], "size": [8, 8], "scaling": "0..2"}', "'scaling' is '0..2'"),
        ('{"name": "x", "labels": ["a", "b"], "size": [8, 8], "temperature": 0}', "'temperature'"),
        ('{"name": "x", "labels": ["a"], "size": [8, 8]}', "'labels'"),
        ('{"name": "x", "labels": ["a", "b"], "size": [8, 8], "colour": "cmyk"}', "'colour'"),
        ('{"name": "x", "labels": ["a", "b"], "size": [8, 8], "accuracy": 98}', "'accuracy'"),
        ('{"name": "x", "labels": ["a", "b"], "size": [8, 8], "zoom": 2}', "'zoom' is unknown"),
        ('{"name": "x", "labels": ["a", "b"], "size": [8, 300000]}', "'size'"),
        ('{"name": "x", "labels": ["a", " "], "size": [8, 8]}', "class 1 has a name"),
        ('{"name": "x", "labels": ["a", "a"], "size": [8, 8]}', "two classes are called 'a'"),
        ('{"name": "x", "labels": ["a", "b", "c"], "size": [8, 8], "head": "sigmoid"}', "'labels' has 3 entries"),
        ('{"name": "x", "labels": ["a", "b"], "size": [8, 8], "temperature": Infinity}', "'temperature'"),
        ('{"name": "x", "labels": ["a", "b"], "size": [8, 8], "temperature": 1' + "0" * 400 + "}", "401 digits"),
        ('{"name": "x", "size": ' + "[" * 100_000, "cannot be read as JSON"),
        ('{"name": ' + "1" * 5_000 + "}", "cannot be read as JSON"),
        ("[1]", "JSON object"),
        ("{", "cannot be read as JSON"),
    ],
)
def test_a_card_with_a_wrong_field_names_it(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "card.json").write_text(line)
    with pytest.raises(UserError, match=words):
        Card.read(tmp_path / "card.json")


def test_a_card_is_read_back_equal(saved: Path) -> None:
    beside = saved.with_suffix(".json")
    card = dataclasses.replace(Card.read(beside), layers=("last",), notes=("n",), accuracy=0.5, calibration_error=0.1)
    card.write(beside)
    assert Card.read(beside) == card


def two_inputs() -> keras.Model:
    picture, numbers = keras.Input((8, 8, 3)), keras.Input((4,))
    both = layers.Concatenate()([layers.GlobalAveragePooling2D()(picture), numbers])
    return keras.Model([picture, numbers], layers.Dense(2, activation="softmax")(both))


def rank_two() -> keras.Model:
    return keras.Sequential([keras.Input((8,)), layers.Dense(2, activation="softmax")])


def five_channels() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 5)), layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")])


def a_map_as_output() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 1)])


def one_bare_number() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 3)), layers.GlobalAveragePooling2D(), layers.Dense(1)])


def two_outputs() -> keras.Model:
    picture = keras.Input((8, 8, 3))
    mean = layers.GlobalAveragePooling2D()(picture)
    return keras.Model(picture, [layers.Dense(2, activation="softmax")(mean), layers.Dense(2, activation="softmax")(mean)])


def softmax_of_one() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 3)), layers.GlobalAveragePooling2D(), layers.Dense(1, activation="softmax")])


def not_a_number() -> keras.Model:
    model = topologies.flat()
    model.layers[-1].bias.assign([0.0, float("nan"), 0.0, 0.0])
    return model


def enormous() -> keras.Model:
    return keras.Sequential([keras.Input((300_000, 300_000, 3)), layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")])


@pytest.mark.parametrize(
    ("build", "words"),
    [
        pytest.param(softmax_of_one, "which is always 1", marks=pytest.mark.filterwarnings("ignore:[^$]*softmax over axis:UserWarning")),
        (not_a_number, "not finite"),
        (enormous, "'size'"),
        (two_inputs, "beside the picture"),
        (rank_two, r"\(None, 8\)"),
        (five_channels, "5 channels"),
        (a_map_as_output, "a grid of answers for each picture"),
    ],
)
def test_a_model_that_is_no_picture_classifier(tmp_path: Path, build, words: str) -> None:
    build().save(tmp_path / "m.keras")
    with pytest.raises(UserError, match=words):
        load_classifier(tmp_path / "m.keras")


def test_several_answers_and_a_single_number_open(tmp_path: Path) -> None:
    two_outputs().save(tmp_path / "two.keras")
    assert len(load_classifier(tmp_path / "two.keras").heads) == 2
    one_bare_number().save(tmp_path / "number.keras")
    assert load_classifier(tmp_path / "number.keras").card.head == "number"


def test_weights_alone_and_an_unknown_layer(tmp_path: Path) -> None:
    topologies.flat().save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(UserError, match="weights without an architecture"):
        load_classifier(tmp_path / "w.weights.h5")


def test_labels_that_do_not_count_up_to_the_classes(tmp_path: Path) -> None:
    topologies.flat().save(tmp_path / "m.keras")
    (tmp_path / "labels.txt").write_text("a\nb\n")
    served = load_classifier(tmp_path / "m.keras")
    assert served.labels == ("class 0", "class 1", "class 2", "class 3")
    assert "Not used for the names of its classes: labels.txt: it names 2 classes, and the model has 4." in served.card.notes


def test_a_card_names_the_layer_and_a_wrong_name_lists_what_there_is(saved: Path) -> None:
    assert [layer.grid for layer in load_classifier(saved).default_layers] == [(8, 8)]
    with pytest.raises(UserError, match=r"last ones are: .*last"):
        load_classifier(change_card(saved, layers=("no_such",)))


@pytest.mark.parametrize("folder", ["teachable_machine_pneumonia", "teachable_machine_chest_xray"])
def test_a_teachable_machine_export(data: Path, folder: str) -> None:
    served = load_classifier(data / "models" / folder)
    assert served.size == (224, 224)
    assert served.card.scaling == "-1..1"
    assert served.default_layers[0].grid == (7, 7)


@pytest.mark.parametrize(
    ("picture", "names"),
    [
        ("bird", ["chickadee", "junco", "brambling", "house finch"]),
        ("cat", ["Egyptian cat", "tabby"]),
        ("hot_dog", ["hotdog"]),
        ("parrot", ["macaw", "lorikeet"]),
        ("owl", ["great grey owl"]),
        ("sunflower", ["daisy"]),
    ],
)
def test_an_imagenet_classifier_names_what_is_in_a_photograph(data: Path, imagenet_mobilenet, picture: str, names: list[str]) -> None:
    image = imagenet_mobilenet.fit(decode_picture((data / "natural" / f"{picture}.jpg").read_bytes()))
    top = [imagenet_mobilenet.labels[number] for number in np.argsort(-imagenet_mobilenet.predict(image))[:5]]
    assert any(label.startswith(name) for label in top for name in names), top


@pytest.fixture(scope="module")
def imagenet_mobilenet():
    if not data_folder().is_dir():
        pytest.skip("the folder of real pictures and models is absent")
    return load_classifier(data_folder() / "models" / "imagenet_mobilenet_v2")


def of_one_size() -> keras.Model:
    """Says that it takes pictures of any size, and takes 32 x 32 pixels alone."""
    picture = keras.Input((None, None, 3))
    grid = layers.Reshape((32, 32, 4))(layers.Conv2D(4, 3, padding="same")(picture))
    return keras.Model(picture, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(grid)))


@pytest.mark.parametrize("trust", [True, False])
def test_a_model_that_cannot_be_called_says_which_pictures_it_failed_on(tmp_path: Path, trust: bool) -> None:
    path = tmp_path / "one_size.keras"
    of_one_size().save(path)
    with pytest.raises(
        UserError, match=r"one_size\.keras cannot be called on pictures of 224 x 224 pixels \(\w+: .*\d.*\); give it a card"
    ) as said:
        load_classifier(path, trust)
    assert "Exception encountered" not in str(said.value), "the line that says why, not the one that says where"
    assert "\n" not in str(said.value)
    Card("one size", tuple(map(ClassLabel, "abc")), (32, 32)).write(path.with_suffix(".json"))
    assert len(load_classifier(path).labels) == 3


def test_a_copied_folder_is_the_same_classifier(saved: Path, tmp_path: Path) -> None:
    shutil.copytree(saved.parent, tmp_path / "copy")
    assert load_classifier(tmp_path / "copy").card == load_classifier(saved).card


def mean_of_two_softmaxes() -> keras.Model:
    picture = keras.Input((8, 8, 3))
    mean = layers.GlobalAveragePooling2D()(picture)
    return keras.Model(
        picture, layers.Average()([layers.Dense(3, activation="softmax")(mean), layers.Dense(3, activation="softmax")(mean)])
    )


def softmax_then_reshape() -> keras.Model:
    head = [layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax"), layers.Dropout(0.5), layers.Reshape((3,))]
    return keras.Sequential([keras.Input((8, 8, 3)), *head])


def softmax_over_one_cell() -> keras.Model:
    head = [layers.GlobalAveragePooling2D(keepdims=True), layers.Conv2D(3, 1), layers.Softmax(), layers.Flatten()]
    return keras.Sequential([keras.Input((8, 8, 3)), *head])


@pytest.mark.parametrize("build", [mean_of_two_softmaxes, softmax_then_reshape, softmax_over_one_cell])
def test_probabilities_are_never_taken_for_logits(tmp_path: Path, build) -> None:
    model = build()
    model.save(tmp_path / "m.keras")
    served = load_classifier(tmp_path / "m.keras")
    image = np.random.default_rng(0).random((8, 8, 3), np.float32)
    assert served.card.head == "softmax"
    assert served.predict(image) == pytest.approx(np.asarray(model(image[None]))[0], abs=1e-5)
    assert served.logits_from_probabilities == (build is mean_of_two_softmaxes)
    assert any("sum to 1" in note for note in served.card.notes) == (build is mean_of_two_softmaxes)


def test_logits_are_never_taken_for_probabilities(tmp_path: Path) -> None:
    topologies.ends_in_logits().save(tmp_path / "m.keras")
    Card("m", tuple(map(ClassLabel, "abc")), (20, 20), head="softmax").write(tmp_path / "m.json")
    with pytest.raises(UserError, match="no probabilities"):
        load_classifier(tmp_path / "m.keras")


def preprocessing_in_operations() -> keras.Model:
    picture = keras.Input((32, 32, 3))
    scaled = keras.applications.mobilenet_v2.preprocess_input(picture)
    return keras.Model(picture, layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(scaled))))


def normalised_from_0_to_1() -> keras.Model:
    own = layers.Normalization(mean=0.5, variance=0.05)
    rest = [layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")]
    return keras.Sequential([keras.Input((16, 16, 3)), own, *rest])


@pytest.mark.parametrize(("build", "scaling"), [(preprocessing_in_operations, "0..255"), (normalised_from_0_to_1, "0..1")])
def test_what_the_model_does_to_its_input_is_measured(tmp_path: Path, build, scaling: str) -> None:
    build().save(tmp_path / "m.keras")
    assert load_classifier(tmp_path / "m.keras").card.scaling == scaling


@pytest.mark.parametrize("content", [b"\xff\xfea\x00\x01", bytes(range(256))])
def test_labels_that_are_no_text_are_a_note(tmp_path: Path, content: bytes) -> None:
    topologies.flat().save(tmp_path / "m.keras")
    (tmp_path / "labels.txt").write_bytes(content)
    assert "Not used for the names of its classes: labels.txt: it is no text." in load_classifier(tmp_path / "m.keras").card.notes


def test_labels_with_a_byte_order_mark_and_tabs(tmp_path: Path) -> None:
    topologies.flat().save(tmp_path / "m.keras")
    (tmp_path / "labels.txt").write_text("0\ta\n1\tb\n2\tc\n3\td\n", encoding="utf-8-sig")
    assert load_classifier(tmp_path / "m.keras").labels == ("a", "b", "c", "d")


def test_what_is_neither_file_nor_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(UserError, match="neither a file nor a folder"):
            load_classifier(path)
    with pytest.raises(UserError, match="There is no file"):
        load_classifier("x" * 5000)


def test_code_in_a_keras_2_file_is_refused_and_does_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    name = str(mark)

    def payload(x):
        pathlib.Path(name).write_text("ran")
        return x

    model = tf_keras.Sequential([tf_keras.Input((8, 8, 3)), tf_keras.layers.Lambda(payload), tf_keras.layers.GlobalAveragePooling2D()])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras 2 advises its own successor's format
        model.save(str(tmp_path / "m.h5"))
    mark.unlink(missing_ok=True)
    with pytest.raises(UserError, match="Lambda layer"):
        load_classifier(tmp_path / "m.h5")
    assert not mark.exists()
