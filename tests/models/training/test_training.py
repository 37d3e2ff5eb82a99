"""Schedules, losses and stopping against values worked by hand; a killed run goes on as if it had not been killed."""

import dataclasses
import fcntl
import json
import math
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from errors import UserError
from models.cards.card import Card
from models.train import main
from models.training import checkpoint
from models.training.checkpoint import TrainingState
from models.training.decision_threshold import balanced_logit_shift
from models.training.learning_rates import cosine_learning_rate, plateau_learning_rate, should_stop_early
from models.training.training_loop import compile_training_stage
from models.training.training_settings import TrainingSettings, TrainingStage
from models.training.validation_metrics import compute_validation_metrics
from tests.models.picture_folders import painted
from tests.patience import until
from tests.serving import cpu_seconds

ROOT = Path(__file__).resolve().parents[3]
NAME = "folder"
TINY = ["--size", "32", "--backbone", "small_cnn", "--batch", "4", "--average", "0.8"]


def test_the_cosine_falls_from_the_rate_to_a_hundredth_of_it() -> None:
    assert cosine_learning_rate(0, 0.2) == pytest.approx(0.2)
    assert cosine_learning_rate(1 / 3, 0.2) == pytest.approx(0.2 * (0.01 + 0.99 * 0.75))  # cos 60 degrees is one half
    assert cosine_learning_rate(0.5, 0.2) == pytest.approx(0.2 * 0.505)
    assert cosine_learning_rate(1, 0.2) == pytest.approx(0.002)


def test_a_plateau_lowers_the_rate_after_every_third_epoch_without_gain() -> None:
    assert plateau_learning_rate([], 1) == 1
    assert plateau_learning_rate([3, 2, 2.5, 2.5], 1) == 1
    assert plateau_learning_rate([3, 2, 2.5, 2.5, 2], 1) == pytest.approx(0.3)
    assert plateau_learning_rate([3, 2, 2, 2, 2, 1, 1, 1, 1], 1) == pytest.approx(0.09)


def test_training_is_finished_when_the_last_epochs_bring_nothing() -> None:
    assert not should_stop_early([3, 2, 2], 2)
    assert should_stop_early([3, 2, 2, 2.1], 2)
    assert not should_stop_early([3, 2, 2.1, 1.9], 2)


def test_the_focal_loss_is_the_paper_s() -> None:
    from models.training.losses import build_loss

    softmax = build_loss(TrainingSettings(loss="focal", focus=2), 3)
    told = np.array([[0.7, 0.2, 0.1]], np.float32)
    assert float(softmax(np.array([[1.0, 0, 0]], np.float32), told)) == pytest.approx(-(0.3**2) * math.log(0.7), rel=1e-4)
    assert float(softmax(np.array([[0, 1.0, 0]], np.float32), told)) == pytest.approx(-(0.8**2) * math.log(0.2), rel=1e-4)
    sigmoid = build_loss(TrainingSettings(loss="focal", focus=3), 1)
    assert float(sigmoid(np.array([[0.0]], np.float32), np.array([[0.4]], np.float32))) == pytest.approx(
        -(0.4**3) * math.log(0.6), rel=1e-4
    )
    plain = build_loss(TrainingSettings(), 1)
    assert float(plain(np.array([[1.0]], np.float32), np.array([[0.4]], np.float32))) == pytest.approx(-math.log(0.4), rel=1e-4)


def test_balanced_logits_are_the_paper_s() -> None:
    """log shares are added to the logits: softmax([0, ln 2] + [ln .8, ln .2]) is [.8, .4] / 1.2, so two in three of class 0."""
    from models.training.losses import build_loss

    softmax = build_loss(TrainingSettings(balance="logits", shares=(0.8, 0.2)), 2)
    told = np.array([[1 / 3, 2 / 3], [0.5, 0.5]], np.float32)
    truth = np.array([[1.0, 0], [0, 1.0]], np.float32)
    assert float(softmax(truth[:1], told[:1])) == pytest.approx(-math.log(2 / 3), rel=1e-4)
    assert float(softmax(truth, told)) == pytest.approx(-(math.log(2 / 3) + math.log(0.2)) / 2, rel=1e-4)
    assert float(softmax(truth, told, np.array([1.0, 0]))) == pytest.approx(-math.log(2 / 3) / 2, rel=1e-4)
    sigmoid = build_loss(TrainingSettings(balance="logits", shares=(0.8, 0.2)), 1)
    assert float(sigmoid(np.zeros((1, 1), np.float32), told[:1, 1:])) == pytest.approx(-math.log(2 / 3), rel=1e-4)
    focal = build_loss(TrainingSettings(loss="focal", focus=2, balance="logits", shares=(0.8, 0.2)), 2)
    assert float(focal(truth[:1], told[:1])) == pytest.approx(-((1 / 3) ** 2) * math.log(2 / 3), rel=1e-4)
    absent = build_loss(TrainingSettings(balance="logits", shares=(1.0, 0.0)), 2)
    assert float(absent(truth[:1], np.array([[0.01, 0.99]], np.float32))) == pytest.approx(0, abs=1e-5)


def test_balanced_logits_learn_what_classes_of_one_number_would_have_asked_for() -> None:
    """Nine pictures in ten are of class 0, and what is seen says nothing: the model must learn that both are as likely."""
    import keras

    keras.utils.set_random_seed(0)
    seen, truth = np.zeros((200, 1), np.float32), np.eye(2, dtype=np.float32)[(np.arange(200) % 10 == 0).astype(int)]
    learnt = {}
    for balance in ("logits", "none"):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, activation="softmax")])
        compile_training_stage(model, TrainingStage(1, 0.05), TrainingSettings(balance=balance, shares=(0.9, 0.1)))
        for _ in range(200):
            model.train_on_batch(seen, truth, np.ones(200, np.float32))
        learnt[balance] = float(np.asarray(model.predict_on_batch(seen))[0, 1])
    assert learnt == {"logits": pytest.approx(0.5, abs=0.01), "none": pytest.approx(0.1, abs=0.01)}


def test_validation_counts_every_class_the_same() -> None:
    told = np.array([[0.5, 0.5], [0.8, 0.2], [0.9, 0.1], [0.4, 0.6]], np.float32)
    found = compute_validation_metrics(told, np.array([0, 0, 0, 1]))
    assert found.loss == pytest.approx((-(math.log(0.5) + math.log(0.8) + math.log(0.9)) / 3 - math.log(0.6)) / 2, rel=1e-5)
    assert found.accuracy == 1
    other = compute_validation_metrics(told, np.array([0, 1, 1, 1]))
    assert other.accuracy == pytest.approx(0.5)
    assert other.balanced_accuracy == pytest.approx((1 + 1 / 3) / 2)


def test_the_shift_puts_the_decision_between_classes_of_any_number() -> None:
    """Logits of two classes drawn from Gaussians of one width cross, classes counting the same, half way between their means."""
    rng = np.random.default_rng(0)
    logits = np.concatenate([rng.normal(1, 1, 20000), rng.normal(3, 1, 2000)]).astype(np.float32)
    labels = np.repeat([0, 1], [20000, 2000])
    assert balanced_logit_shift(logits, labels) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"batch": 0}, "--batch is 0; give a number from 1 to 1024"),
        ({"average": 1.0}, "--average is 1.0; give a number from 0 to 0.9999"),
        ({"loss": "hinge"}, "--loss is 'hinge'; choose one of cross-entropy, focal"),
    ],
)
def test_settings_out_of_range_are_one_sentence(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        TrainingSettings(**wrong)
    with pytest.raises(UserError, match="--rate is 2; give a learning rate above 0 and at most 1"):
        TrainingStage(1, 2)


def test_a_checkpoint_comes_back_whole_and_only_for_its_own_plan(tmp_path: Path) -> None:
    standing = TrainingState({"epochs": 3, "size": [4, 5]}, 1, 2, 0.25, [{"stage": 0, "loss": 1.5}])
    standing.model, standing.optimizer = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7)], [np.array(3.5)]
    assert checkpoint.read_checkpoint(tmp_path, standing.plan) is None
    checkpoint.write_checkpoint(standing, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [checkpoint.NAME]
    back = checkpoint.read_checkpoint(tmp_path, standing.plan)
    assert back is not None
    assert (back.stage, back.epoch, back.best_loss, back.history) == (1, 2, 0.25, [{"stage": 0, "loss": 1.5}])
    assert [array.tolist() for array in (*back.model, *back.optimizer, *back.best)] == [[[0, 1, 2], [3, 4, 5]], 7, 3.5]
    with pytest.raises(UserError, match=r"other settings or pictures \(epochs was 3, is 4\)"):
        checkpoint.read_checkpoint(tmp_path, {"epochs": 4, "size": [4, 5]})
    file = tmp_path / checkpoint.NAME
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(UserError, match="cannot be read"):
        checkpoint.read_checkpoint(tmp_path, standing.plan)


@contextmanager
def files_up_to(most: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, which stands for a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_sentence_and_keeps_the_checkpoint_before_it(tmp_path: Path) -> None:
    small, large = TrainingState({"epochs": 3}, epoch=1), TrainingState({"epochs": 3}, epoch=2, model=[np.ones(100_000)])
    checkpoint.write_checkpoint(small, tmp_path)
    with files_up_to(200_000), pytest.raises(UserError, match=r"^checkpoint\.npz cannot be written to .* \(File too large\); make room"):
        checkpoint.write_checkpoint(large, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [checkpoint.NAME]
    back = checkpoint.read_checkpoint(tmp_path, {"epochs": 3})
    assert back is not None
    assert back.epoch == 1


def test_what_a_killed_run_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    (tmp_path / f".{checkpoint.NAME}.99999").write_bytes(b"left")
    living = tmp_path / f".{checkpoint.NAME}.77777"
    with living.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        checkpoint.write_checkpoint(TrainingState({}), tmp_path)
        assert sorted(file.name for file in tmp_path.iterdir()) == [living.name, checkpoint.NAME]


@pytest.mark.parametrize(
    ("words", "most", "said"),
    [
        (["folder", *TINY, "--epochs", "1"], 180_000, "checkpoint.npz cannot be written"),  # the decoded pictures take less
        (["glass_box", "--test", "4"], 2_000, "The classifier cannot be written"),
    ],
)
def test_a_run_on_a_full_disk_ends_in_one_sentence(
    words: list[str], most: int, said: str, two_classes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if words[0] == NAME:
        words = [*words, "--data", str(two_classes), "--cache", str(tmp_path / "cache")]
    with files_up_to(most):
        assert main([*words, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith(said)
    assert error.count("\n") == 1
    assert not [file.name for file in (tmp_path / "out").rglob("*") if "checkpoint" in file.name]


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of two colours of noise, forty each."""
    root = tmp_path_factory.mktemp("pictures")
    for number in range(80):
        painted(root / ("one", "two")[number % 2] / f"{number}.png", number)
    return root


def test_a_run_killed_within_an_epoch_ends_with_the_weights_of_an_unbroken_one(two_classes: Path, tmp_path: Path) -> None:
    import keras

    words = ["folder", "--data", str(two_classes), *TINY, "--epochs", "4", "--balance", "sampling"]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    run = subprocess.Popen([sys.executable, "-m", "models.train", *words, "--out", str(killed)], cwd=ROOT, stdout=subprocess.DEVNULL)
    until(lambda: (killed / checkpoint.NAME).exists() or run.poll() is not None, every=0.002)
    assert run.poll() is None, "it ended before it could be killed"
    worked = cpu_seconds(run.pid)
    until(lambda: cpu_seconds(run.pid) > worked or run.poll() is not None, every=0.002)  # some batches into the next epoch
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL, "it ended before it could be killed"
    with np.load(killed / checkpoint.NAME) as held:
        assert json.loads(str(held["told"]))["epoch"] < 4
    whole.mkdir()
    checkpoint.write_checkpoint(TrainingState({"epochs": 9}), whole)
    for out, fresh in ((killed, []), (whole, ["--fresh"])):
        assert main([*words, "--out", str(out), *fresh]) == 0
        assert not (out / checkpoint.NAME).exists()
    broken, unbroken = (keras.saving.load_model(out / NAME / "v1" / f"{NAME}.keras", compile=False) for out in (killed, whole))
    assert all(np.array_equal(a, b) for a, b in zip(broken.get_weights(), unbroken.get_weights(), strict=True))
    cards = [dataclasses.replace(Card.read(out / NAME / "v1" / f"{NAME}.json"), sha256="") for out in (killed, whole)]
    assert cards[0] == cards[1]
    said = r"The last bias was moved by [+-]\d\.\d\d, so that .* the balanced accuracy 0\.\d{3}, which had been 0\.\d{3}\."
    assert re.fullmatch(said, cards[0].notes[-1])
