"""The two-branch ensemble: a dense head over the features of MobileNetV2 and DenseNet169."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.training.networks.backbones import Size, build_backbone
from models.training.networks.heads import class_probability_layer

if TYPE_CHECKING:
    import keras

BRANCHES = ("MobileNetV2", "DenseNet169")
WIDTHS, DROPOUT = (256, 128), 0.5
_MEAN, _VARIANCE = (0.485, 0.456, 0.406), (0.229**2, 0.224**2, 0.225**2)  # of ImageNet's colours, 0..1


def build_two_branch_model(size: Size, units: int, weights: str, name: str) -> tuple["keras.Model", str]:
    """The model, for pictures (n, H, W, 3) RGB 0..1, and the origin of its weights.

    Each branch's own scaling is a layer of the model, since one card cannot hold two. weights: "random", "imagenet", or the path of a
    MobileNetV2, in which case DenseNet169 starts from random weights. The means of both are concatenated, normalised, and go through dense
    layers of 256 and 128 with dropout of one half.
    """
    import keras
    from keras import layers

    picture = keras.Input((*size, 3), name="picture")
    from_file = weights not in ("random", "imagenet")
    trunks = (
        build_backbone(str(Path(weights)) if from_file else BRANCHES[0], size, "random" if from_file else weights),
        build_backbone(BRANCHES[1], size, "random" if from_file else weights),
    )
    scaled = (
        layers.Rescaling(2.0, -1.0, name="minus_one_to_one")(picture),
        layers.Normalization(mean=_MEAN, variance=_VARIANCE, name="imagenet_colours")(picture),
    )
    branches = [keras.Model(trunk.picture, trunk.maps, name=branch.lower()) for trunk, branch in zip(trunks, BRANCHES, strict=True)]
    grids = [branch(start) for branch, start in zip(branches, scaled, strict=True)]
    means = [layers.GlobalAveragePooling2D(name=f"head_mean{number}")(grid) for number, grid in enumerate(grids, 1)]
    features: Any = layers.BatchNormalization(name="head_norm")(layers.Concatenate(name="head_both")(means))
    for number, width in enumerate(WIDTHS, 1):
        features = layers.Dense(width, activation="relu", name=f"head_dense{number}")(features)
        features = layers.Dropout(DROPOUT, name=f"head_dropout{number}")(features)
    return keras.Model(picture, class_probability_layer(features, units), name=name), " and ".join(trunk.origin for trunk in trunks)
