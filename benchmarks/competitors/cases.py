"""What is explained: a model in a file that every package loads, and photographs fitted for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.data import MODEL, PHOTOGRAPHS, required_data
from models.cards.card import Card, unique_labels
from models.images.decoder import decode_picture
from models.loading import load_classifier


@dataclass(frozen=True)
class ComparisonCase:
    """One picture in front of one model. picture: file of the fitted (H, W, 3). trained: False for random weights: only speed counts."""

    model: str
    path: Path
    name: str
    picture: Path
    target: int
    classifier: Any
    trained: bool


def make_cases(model: str, names: list[str], folder: Path) -> list[ComparisonCase]:
    """A case for each photograph; for random weights only the first, because only speed is measured with them."""
    trained = model == "MobileNetV2"
    photographs = {name: decode_picture(required_data(PHOTOGRAPHS, f"{name}.jpg").read_bytes()) for name in names}
    path = required_data(*MODEL) if trained else random_weights(folder, photographs)
    classifier: Any = load_classifier(path)
    if classifier.card.scaling != "-1..1":
        raise SystemExit(f"{path.name} is taken to scale {classifier.card.scaling}; the packages are given -1..1.")
    made = []
    for name, photograph in photographs.items() if trained else list(photographs.items())[:1]:
        image = classifier.fit(photograph)
        np.save(folder / f"{model}-{name}.npy", image)
        target = int(classifier.outputs(image[None])[0].argmax())
        made.append(ComparisonCase(model, path, name, folder / f"{model}-{name}.npy", target, classifier, trained))
    return made


def random_weights(folder: Path, photographs: dict[str, np.ndarray]) -> Path:
    """ResNet50 as it is drawn, its batch-norms set to what they see on the photographs so that answers neither vanish nor explode."""
    import keras

    from models.images.picture_placement import fit_to_size

    keras.utils.set_random_seed(0)
    model = keras.applications.ResNet50(weights=None)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(np.stack([fit_to_size(photograph, (224, 224), "crop") for photograph in photographs.values()]) * 2 - 1, training=True)
    path = folder / "resnet50.keras"
    model.save(path)
    labels = unique_labels([f"class {number}" for number in range(1000)])
    Card(name="ResNet50 (random weights)", labels=labels, size=(224, 224), scaling="-1..1").write(path.with_suffix(".json"))
    return path
