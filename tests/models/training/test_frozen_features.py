"""Training on answers that the frozen part of a network gave once: of the run's own pictures, and of no others."""

from pathlib import Path

import keras
import numpy as np
import pytest

from models.cards.card import Card
from models.loading import load_classifier
from models.train import main
from tests.models.picture_folders import filled

FEW = ["--backbone", "small_cnn", "--size", "32", "--batch", "4", "--epochs", "2", "--open-layers", "2", "--features", "2"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that share a cache; their pictures have the same names and lengths."""
    root = tmp_path_factory.mktemp("features")
    for number, name in enumerate("ab"):
        filled(root / name / "pictures", [f"{kind}/{n}.bmp" for kind in ("cat", "dog") for n in range(10)], 20 * number)
        words = ["folder", "--data", str(root / name / "pictures"), "--out", str(root / name), "--cache", str(root / "cache"), *FEW]
        assert main(words) == 0
    return root


def test_other_pictures_of_the_same_names_and_lengths_are_asked_about_anew(trained: Path) -> None:
    kept = sorted((trained / "cache").glob("features-*.npy"))
    assert len(kept) == 2 * 3  # validation pictures as they are, training pictures in two forms
    assert len({np.load(file).tobytes() for file in kept}) == 6


def test_the_upper_part_learns_and_what_is_below_stays(trained: Path) -> None:
    keras.utils.set_random_seed(0)
    from models.training.networks.backbones import build_backbone
    from models.training.networks.heads import add_classification_head

    before = add_classification_head(build_backbone("small_cnn", (32, 32)), 1, "folder")
    after = keras.saving.load_model(trained / "a" / "folder" / "v1" / "folder.keras", compile=False)
    pairs = [(a.get_weights(), b.get_weights()) for a, b in zip(before.layers, after.layers, strict=True) if a.get_weights()]
    same = [all(np.array_equal(x, y) for x, y in zip(a, b, strict=True)) for a, b in pairs]
    assert same[0]
    assert not same[-1]
    assert Card.read(trained / "a" / "folder" / "v1" / "folder.json").accuracy is not None
    assert load_classifier(trained / "a" / "folder").card.name == "folder"


def test_the_same_pictures_are_not_asked_about_again_unless_what_was_kept_is_damaged(trained: Path, tmp_path: Path) -> None:
    kept = sorted((trained / "cache").glob("features-*.npy"))
    kept[0].write_bytes(kept[0].read_bytes()[:100])
    times = {file: file.stat().st_mtime_ns for file in kept}
    for name in "ab":
        words = ["folder", "--data", str(trained / name / "pictures"), "--out", str(tmp_path / name)]
        assert main([*words, "--cache", str(trained / "cache"), *FEW]) == 0
    assert sorted((trained / "cache").glob("features-*.npy")) == kept
    assert [file for file in kept if file.stat().st_mtime_ns != times[file]] == [kept[0]]
