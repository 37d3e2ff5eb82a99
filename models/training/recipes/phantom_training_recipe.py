"""Trains the small network on phantoms and measures whether it is right, and right for the right reason."""

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.datasets.synthetic.phantom_sets import SEED_STRIDE, PhantomRequest, Rulers, paint_phantoms, plan_phantoms
from models.datasets.synthetic.phantoms import NAMES
from models.evaluation.calibration import apply_temperature, expected_calibration_error, fit_temperature
from models.training.networks.bundled_cnn import build_small_cnn

if TYPE_CHECKING:
    import keras

PLAIN = NAMES.index("plain")
BATCH = 32


@dataclass(frozen=True)
class PhantomTrainingPlan:
    """How many pictures to train, validate and test on, how often, and whether the ruler gives the class away.

    shuffled: the training pictures' classes are shuffled, so that there is nothing to learn about them; for benchmarks.
    """

    name: str
    rulers: Rulers
    pictures: int
    validation: int
    test: int
    epochs: int
    seed: int
    shuffled: bool = False

    def __post_init__(self) -> None:
        least_most = {
            "pictures": (BATCH, SEED_STRIDE),
            "validation": (len(NAMES), SEED_STRIDE),
            "test": (len(NAMES), SEED_STRIDE),
            "epochs": (1, 1000),
            "seed": (0, 98),
        }
        for name, (least, most) in least_most.items():
            if not least <= getattr(self, name) <= most:
                raise UserError(f"--{name} is {getattr(self, name)}; give a whole number from {least} to {most}.")


@dataclass(frozen=True)
class PhantomMetrics:
    """Shares from 0 to 1. accuracy and calibration error (at `temperature`) are of test pictures drawn as the training ones were;
    fair_accuracy, gate and ruler_reliance of test pictures whose ruler has nothing to do with the class."""

    validation_accuracy: float
    temperature: float
    accuracy: float
    calibration_error: float
    fair_accuracy: float
    gate: float
    ruler_reliance: float


def train_phantom_network(plan: PhantomTrainingPlan) -> "keras.Model":
    """A network trained as planned; the same plan gives the same weights on the same machine."""
    started = time.perf_counter()
    orders = plan_phantoms("training", plan.pictures, plan.seed, plan.rulers)
    pictures = paint_phantoms(orders)
    print(f"{plan.name}: {len(orders)} pictures painted in {time.perf_counter() - started:.0f} s", flush=True)
    import keras

    keras.utils.set_random_seed(plan.seed)
    model = build_small_cnn(plan.name, pictures.shape[1], len(NAMES))
    labels = np.random.default_rng(plan.seed).permutation(_labels(orders)) if plan.shuffled else _labels(orders)
    batches = _batches(pictures, labels, plan.seed)
    pace = keras.optimizers.schedules.CosineDecay(4e-3, plan.epochs * len(batches), alpha=0.01)
    model.compile(keras.optimizers.Adam(pace), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(batches, epochs=plan.epochs, verbose=2)
    print(f"{plan.name}: trained in {time.perf_counter() - started:.0f} s, {model.count_params()} parameters", flush=True)
    return keras.Model(model.inputs, model.outputs, name=plan.name)  # leaves the optimizer's state out of the file


def measure_phantom_network(model: "keras.Model", plan: PhantomTrainingPlan) -> PhantomMetrics:
    """Temperature from the validation pictures, everything else from test pictures."""
    validation = plan_phantoms("validation", plan.validation, plan.seed, plan.rulers)
    scores, truth = predict_logits(model, paint_phantoms(validation)), _labels(validation)
    temperature = fit_temperature(scores, truth)
    test = plan_phantoms("test", plan.test, plan.seed, plan.rulers)
    answers = predict_logits(model, paint_phantoms(test))
    fair, gate, reliance = counterfactual_rates(model, plan_phantoms("test", plan.test, plan.seed + 1))
    return PhantomMetrics(
        validation_accuracy=float((scores.argmax(1) == truth).mean()),
        temperature=temperature,
        accuracy=float((answers.argmax(1) == _labels(test)).mean()),
        calibration_error=expected_calibration_error(apply_temperature(answers, temperature), _labels(test)),
        fair_accuracy=fair,
        gate=gate,
        ruler_reliance=reliance,
    )


def counterfactual_rates(model: "keras.Model", test: list[PhantomRequest]) -> tuple[float, float, float]:
    """Accuracy; the share of pictures with evidence whose answer is right and changes when the evidence is taken away;
    the share of all pictures whose answer changes when the ruler is laid in or taken away."""
    truth = _labels(test)
    answer = predict_logits(model, paint_phantoms(test)).argmax(1)
    without = predict_logits(model, paint_phantoms([dataclasses.replace(order, label=PLAIN) for order in test])).argmax(1)
    toggled = predict_logits(model, paint_phantoms([dataclasses.replace(order, ruler=not order.ruler) for order in test])).argmax(1)
    flips = (answer == truth) & (without != answer)
    return float((answer == truth).mean()), float(flips[truth != PLAIN].mean()), float((toggled != answer).mean())


def predict_logits(model: "keras.Model", pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, H, W, 3) 0..255 -> log probabilities (n, classes): logits up to a number for each picture."""
    rows = [model.predict_on_batch(pictures[i : i + 64].astype(np.float32) / 255) for i in range(0, len(pictures), 64)]
    return np.asarray(np.log(np.maximum(np.concatenate(rows), 1e-30)))


def _labels(orders: list[PhantomRequest]) -> NDArray[np.int64]:
    return np.array([order.filed for order in orders])


def _batches(pictures: NDArray[np.uint8], labels: NDArray[np.int64], seed: int, size: int = BATCH) -> "keras.utils.PyDataset":
    """Batches in a new order every epoch, each mirrored or turned as a whole."""
    import keras

    rng = np.random.default_rng(seed)

    class Batches(keras.utils.PyDataset):
        order = rng.permutation(len(labels))

        def __len__(self) -> int:
            return len(labels) // size

        def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
            chosen = self.order[index * size : (index + 1) * size]
            batch = np.rot90(pictures[chosen], int(rng.integers(4)), (1, 2))
            return batch[:, :, :: rng.choice((-1, 1))].astype(np.float32) / np.float32(255), labels[chosen]

        def on_epoch_end(self) -> None:
            self.order = rng.permutation(len(labels))

    return Batches()
