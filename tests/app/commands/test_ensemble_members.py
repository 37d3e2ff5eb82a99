"""What the manifest says of an ensemble's members, of branches, and of the metadata that a model was told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from app.commands.explain import explain_pictures
from app.options import ExplainOptions
from errors import UserError
from models.cards.card import Card, ClassLabel
from models.cards.metadata import NumberField
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.ensemble import EnsembleClassifier
from models.classifiers.keras_classifier import KerasClassifier

LABELS = (ClassLabel("a"), ClassLabel("b"))


def pooled(picture: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.GlobalAveragePooling2D()(layers.Conv2D(5, 3, strides=2, padding="same", activation="relu", name=name)(picture))


def member(name: str, seed: int, side: int = 32) -> KerasClassifier:
    keras.utils.set_random_seed(seed)
    picture = keras.Input((side, side, 3))
    model = keras.Model(picture, layers.Dense(2, activation="softmax")(pooled(picture, "last")))
    return build_classifier(model, Card(name, LABELS, (side, side)), Path(f"{name}.keras"))


def branched() -> KerasClassifier:
    """Two convolutions side by side, and an age."""
    keras.utils.set_random_seed(4)
    picture, age = keras.Input((32, 32, 3)), keras.Input((2,), name="age")
    both = layers.Concatenate()([pooled(picture, "left"), pooled(picture, "right"), age])
    model = keras.Model([picture, age], layers.Dense(2, activation="softmax")(both))
    return build_classifier(
        model, Card("branched", LABELS, (32, 32), metadata=(NumberField("age", 50, 10, "years"),)), Path("branched.keras")
    )


@pytest.fixture
def explained(tmp_path: Path) -> Callable[..., tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """Explains one picture; gives the manifest and the maps."""
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(noise).resize((64, 64)).save(tmp_path / "noise.png")

    def run(served: Any, **more: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        out = tmp_path / "out"
        options = ExplainOptions((tmp_path / "noise.png",), "memory", out, ("hirescam",), measures="none", quiet=True, **more)
        assert explain_pictures(options, lambda: served) == 0
        with np.load(out / "maps.npz") as maps:
            return json.loads((out / "manifest.json").read_text()), dict(maps)

    return run


def test_each_member_s_map_is_written_and_their_mean_is_the_ensemble_s(explained) -> None:
    manifest, maps = explained(EnsembleClassifier("both", [member("one", 1), member("two", 2)]))
    (entry,) = manifest["pictures"]
    assert [each["member"] for each in entry["members"]] == ["one", "two"]
    own = [maps[each["maps"][0]["native_signed"]] for each in entry["members"]]
    np.testing.assert_allclose(maps[entry["maps"][0]["native_signed"]], np.mean(own, axis=0), atol=1e-7)
    apart = [maps[each["native_signed"]] for each in entry["maps"][0]["branches"]]
    assert [each["layer"] for each in entry["maps"][0]["branches"]] == ["one/last", "two/last"]
    np.testing.assert_allclose(apart, np.array(own) / 2, atol=1e-7)
    (agreement,) = entry["members_agreement"]
    assert agreement["method"] == "hirescam"
    assert [each["pair"] for each in agreement["pairs"]] == [["one", "two"]]


def test_one_classifier_twice_agrees_with_itself_entirely(explained) -> None:
    same = member("same", 1)
    manifest, _ = explained(EnsembleClassifier("twice", [same, same]))
    (agreement,) = manifest["pictures"][0]["members_agreement"]
    assert agreement["mean"] == 1
    assert agreement["pairs"][0]["pair"] == ["same (1)", "same (2)"]


def test_a_chosen_layer_counts_for_its_member_alone(explained) -> None:
    manifest, maps = explained(EnsembleClassifier("both", [member("one", 1), member("two", 2, 16)]), layers=("two/last",))
    (entry,) = manifest["pictures"]
    assert [layer["name"] for layer in entry["layers"]] == ["two/last"]
    assert entry["maps"][0]["branches"] == []
    np.testing.assert_allclose(
        maps[entry["maps"][0]["native_signed"]] * 2, maps[entry["members"][1]["maps"][0]["native_signed"]], atol=1e-6
    )


def test_branches_are_written_apart_and_the_metadata_is_reported(explained) -> None:
    manifest, maps = explained(branched(), metadata=("age=70",))
    (entry,) = manifest["pictures"][0]["maps"]
    parts = [maps[each["native_signed"]] for each in entry["branches"]]
    assert sorted(each["layer"] for each in entry["branches"]) == ["left", "right"]
    np.testing.assert_allclose(maps[entry["native_signed"]], sum(parts), atol=1e-7)
    assert manifest["model"]["metadata"] == {"values": {"age": 70.0}, "said": "age 70 years"}
    assert "members" not in manifest["pictures"][0]


def test_metadata_that_the_model_does_not_take_is_refused(explained) -> None:
    with pytest.raises(UserError, match="'weight=3' is no metadata of this classifier, or is given twice; it takes: age="):
        explained(branched(), metadata=("weight=3",))
