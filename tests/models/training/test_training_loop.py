"""Which layers learn, counted by hand, and a training that diverges; on networks of a few weights."""

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from errors import UserError
from models.training import checkpoint
from models.training.frozen_features import split_frozen_network
from models.training.trainable_layers import unfreeze_last_layers
from models.training.training_loop import TrainingData, TrainingRun, train_model
from models.training.training_settings import TrainingSettings, TrainingStage


def nested() -> keras.Model:
    """first, a network of inner, norm, rectified and last, and a head; beside it a second input."""
    inside = keras.Input((8, 8, 3))
    grid = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="inner")(inside))
    branch = keras.Model(inside, layers.Conv2D(4, 3, name="last")(layers.ReLU(name="rectified")(grid)), name="branch")
    picture, beside = keras.Input((10, 10, 3)), keras.Input((2,))
    mean = layers.GlobalAveragePooling2D(name="head_mean")(branch(layers.Conv2D(3, 3, name="first")(picture)))
    answer = layers.Dense(1, activation="sigmoid", name="head_answer")(layers.Concatenate(name="head_both")([mean, beside]))
    return keras.Model([picture, beside], answer)


@pytest.mark.parametrize(
    ("number", "learning"),
    [(0, set()), (1, {"last"}), (2, {"last"}), (3, {"last", "inner"}), (4, {"last", "inner", "first"})],
)
def test_layers_with_weights_are_counted_inside_networks_and_norms_there_stay(number: int, learning: set[str]) -> None:
    model = nested()
    unfreeze_last_layers(model, number)
    assert len(model.trainable_variables) == 2 * (len(learning) + 1)
    branch = model.get_layer("branch")
    found = {each.name for each in (model.get_layer("first"), *branch.layers) if each.trainable_variables}
    assert found == learning
    assert not branch.get_layer("norm").trainable


def test_all_layers_learn_again_after_only_the_head_did() -> None:
    model = nested()
    unfreeze_last_layers(model, 0)
    unfreeze_last_layers(model, None)
    assert len(model.trainable_variables) == 10


def test_the_network_is_cut_below_what_learns() -> None:
    lower, upper = split_frozen_network(nested(), 2)
    assert [layer.name for layer in lower.layers][-1] == "first"
    unfreeze_last_layers(upper, 2)
    assert len(upper.trainable_variables) == 4


def with_depthwise() -> keras.Model:
    picture = keras.Input((16, 16, 3))
    grid = layers.DepthwiseConv2D(3, padding="same", name="each")(layers.Conv2D(16, 3, strides=2, name="mixed")(picture))
    grid = layers.ReLU(name="rectified")(layers.BatchNormalization(name="norm")(grid))
    mean = layers.Dropout(0.3, name="head_dropout")(layers.GlobalAveragePooling2D(name="head_mean")(grid))
    return keras.Model(picture, layers.Dense(1, activation="sigmoid", name="head_answer")(mean))


def test_too_many_open_layers_are_answered_with_the_most_that_can_be_cut_below() -> None:
    assert len(split_frozen_network(nested(), 3)) == 2
    with pytest.raises(UserError, match=r"--open-layers is 9999; with --features .* takes at most 3, below which it can still be cut"):
        split_frozen_network(nested(), 9999)


def test_depthwise_layers_too_go_on_after_a_stop_as_two_unbroken_runs_are_alike(tmp_path: Path) -> None:
    """Weights of the run that was stopped in its third epoch are no farther from an unbroken run's than rounding puts them."""
    rng = np.random.default_rng(0)
    pictures, truth = rng.random((5, 4, 8, 16, 16, 3), np.float32), rng.integers(2, size=(5, 4, 8, 1)).astype(np.float32)
    stop = {"at": -1}

    def epoch(number: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for batch in range(4):
            if (number, batch) == (stop["at"], 2):
                raise KeyboardInterrupt
            yield pictures[number, batch], truth[number, batch], np.ones(8, np.float32)

    def trained(name: str) -> np.ndarray:
        keras.utils.set_random_seed(0)
        model = with_depthwise()
        (tmp_path / name).mkdir(exist_ok=True)
        train_model(model, TrainingData(epoch, 4, lambda: [(pictures[4, 0], truth[4, 0, :, 0].astype(np.int64))]), run(tmp_path / name))
        return np.concatenate([weights.ravel() for weights in model.get_weights()])

    def run(folder: Path) -> TrainingRun:
        return TrainingRun((TrainingStage(3, 0.01),), TrainingSettings(average=0.9), folder, {})

    one, two = trained("one"), trained("two")
    stop["at"] = 2
    with pytest.raises(KeyboardInterrupt):
        trained("stopped")
    stop["at"] = -1
    after = trained("stopped")
    assert not np.allclose(one, np.concatenate([weights.ravel() for weights in with_depthwise().get_weights()]), atol=0.01)
    assert np.abs(after - one).max() <= max(1e-5, 10 * np.abs(two - one).max())


def test_a_training_that_diverges_ends_in_one_sentence_and_spoils_no_checkpoint(tmp_path: Path) -> None:
    picture = keras.Input((2,))
    model = keras.Model(picture, layers.Dense(1, activation="sigmoid", name="head_answer")(picture))
    good = np.ones((4, 2), np.float32)

    def epoch(number: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        return [(good * (np.float32("nan") if number else 1), np.ones((4, 1), np.float32), np.ones(4, np.float32))]

    material = TrainingData(epoch, 1, lambda: [(good, np.array([1, 1, 0, 0]))])
    run = TrainingRun((TrainingStage(3, 0.5),), TrainingSettings(), tmp_path, {})
    for _ in range(2):
        with pytest.raises(
            UserError, match=r"diverged: in epoch 2 of stage 1 the loss became nan; begin again with a lower --rate than 0.5"
        ):
            train_model(model, material, run)
        standing = checkpoint.read_checkpoint(tmp_path, {})
        assert standing is not None
        assert standing.epoch == 1
        assert all(np.isfinite(array).all() for array in (*standing.model, *standing.best))
