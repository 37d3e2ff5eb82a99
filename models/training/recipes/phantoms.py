"""The honest phantom classifier: in its pictures hairs, bubbles and rulers are independent of the class."""

from argparse import ArgumentParser, Namespace

from models.cards.card import Card
from models.datasets.synthetic.phantom_sets import Rulers
from models.datasets.synthetic.phantoms import LABELS
from models.training.recipes.phantom_training_recipe import (
    PhantomMetrics,
    PhantomTrainingPlan,
    measure_phantom_network,
    train_phantom_network,
)
from models.training.trained_model import TrainedModel

HELP = "lesion phantoms with four classes; the classifier looks at what makes the class"
DATA = "Lesion phantoms painted by models/datasets/synthetic/phantoms.py; no photograph was used."
LICENCE = "CC0-1.0"


def add_options(parser: ArgumentParser) -> None:
    """How many pictures to use."""
    parser.add_argument("--pictures", type=int, default=6000, help="training pictures (default: %(default)s)")
    parser.add_argument("--validation", type=int, default=1000, help="validation pictures (default: %(default)s)")
    parser.add_argument("--test", type=int, default=1000, help="test pictures (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=8, help="times to go through them (default: %(default)s)")


def make_classifier(options: Namespace) -> TrainedModel:
    """Trains where rulers are independent of the class."""
    return make_phantom_classifier(options, "phantoms", "independent", ())


def make_phantom_classifier(options: Namespace, name: str, rulers: Rulers, notes: tuple[str, ...]) -> TrainedModel:
    """Trains, prints the figures and writes them on the card."""
    plan = PhantomTrainingPlan(name, rulers, options.pictures, options.validation, options.test, options.epochs, options.seed)
    model = train_phantom_network(plan)
    figures = measure_phantom_network(model, plan)
    lines = _describe_figures(figures)
    print("\n".join(lines))
    card = Card(
        name=name,
        labels=LABELS,
        size=model.input_shape[1:3],
        licence=LICENCE,
        data=DATA,
        measured_on=f"{plan.test} test phantoms drawn as the {plan.pictures} training ones were",
        accuracy=round(figures.accuracy, 4),
        calibration_error=round(figures.calibration_error, 4),
        temperature=round(figures.temperature, 4),
        notes=notes + lines[3:],
    )
    return TrainedModel(model, card)


def _describe_figures(figures: PhantomMetrics) -> tuple[str, ...]:
    """The figures as sentences, for the terminal and the card."""
    return (
        f"Validation accuracy {figures.validation_accuracy:.1%}; temperature {figures.temperature:.2f}.",
        f"Test accuracy {figures.accuracy:.1%}.",
        f"Expected calibration error {figures.calibration_error:.2%}.",
        f"Where the ruler has nothing to do with the class, it is right on {figures.fair_accuracy:.1%} of pictures.",
        f"Of pictures with evidence, {figures.gate:.1%} are named rightly and change their answer when the evidence is taken away.",
        f"Laying a ruler in, or taking it away, changes the answer on {figures.ruler_reliance:.1%} of pictures.",
    )
