"""What the recipes that learn from pictures share: a folder is read, divided and learnt from, and the classifier calibrated."""

import dataclasses
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from errors import UserError
from models.cards.card import Card
from models.datasets import layouts, splits
from models.datasets.batch_decode import each, picture, unreadable
from models.datasets.collection import Collection, Row
from models.datasets.metadata_encoding import fit_encoding
from models.training.pipeline import Feed
from models.training.recipes.dataset_spec import DatasetSpec
from models.training.recipes.image_options import name_of, plan_of, settings_of, stages_of
from models.training.trained_model import TrainedModel, TrainingOutcome

if TYPE_CHECKING:
    import keras

    from models.evaluation.records import EvaluationData
    from models.training.loop import Run

SHARES = (0.7, 0.15, 0.15)
FORGET = 0.2  # share of the metadata that is hidden in training, so that the classifier can do without


def make(options: Namespace, spec: DatasetSpec) -> TrainedModel:
    """A classifier of the pictures in `options.data`; goes on from the checkpoint in `options.out` if there is one."""
    name_of(options)
    stages, settings = stages_of(options), settings_of(options)
    collection = layouts.read(spec.layout, options.data, spec.group)
    print(f"{collection.name}: {collection.counts()}", *collection.remarks, sep="\n", flush=True)
    divided = splits.split(collection, SHARES, options.seed)
    if not divided.validation:
        raise UserError(f"{collection.name} has too few pictures to hold some back for validation; give at least a handful of each class.")
    check_readable(divided.test)
    settings = dataclasses.replace(settings, shares=splits.shares_of(divided.train, len(collection.labels)))
    _folder(options.out)
    from models.training import checkpoint, precision
    from models.training.loop import Run
    from models.training.recipes.image_network import build_network
    from models.training.temperature import calibrate

    fields = fit_encoding(collection, divided.train, spec.metadata)
    if options.fresh:
        checkpoint.remove(options.out)
    learnt, card = precision.built(lambda: build_network(options, spec, collection, fields), precision.policy())
    feed = Feed(card.size, options.cache or options.out / "cache", spec.fit, options.batch, options.seed)
    feed = dataclasses.replace(feed, augmentation=spec.augmentation, balance=options.balance, fields=fields, forget=FORGET)
    plan = {**plan_of(options), "pictures": splits.fingerprint(divided)}
    history = _learn(learnt, card, divided, feed, Run(stages, settings, options.out, plan), options)
    model = precision.copied(learnt, lambda: build_network(options, spec, collection, fields)[0])
    return TrainedModel(model, calibrate(model, card, divided.validation), TrainingOutcome(divided, _test(collection, divided), history))


def _learn(model: "keras.Model", card: Card, divided: splits.Split, feed: Feed, run: "Run", options: Namespace) -> list[dict[str, float]]:
    """Leaves the best weights in the model; gives the figures of each epoch."""
    from models.training import batches, frozen_features
    from models.training.loop import train

    if not options.features:
        return train(model, batches.training_data(model, card, divided.train, divided.validation, feed), run).history
    parts = frozen_features.split_at(model, options.open_layers)
    return train(
        parts[1], frozen_features.cached_training_data(parts, card, (divided.train, divided.validation), feed, options.features), run
    ).history


def _test(collection: Collection, divided: splits.Split) -> "EvaluationData | None":
    from models.evaluation.records import EvaluationData

    if not divided.test:
        return None
    grouped = len({row.group for row in collection.rows}) < len(collection.rows)
    part = "test part, " + ("kept apart from the others by lesion or person" if grouped else "each picture by itself")
    return EvaluationData(collection.name, divided.test, part, collection.source, collection.licence)


def check_readable(rows: Sequence[Row]) -> None:
    """Decodes each picture, so that what would stop the evaluation stops the run before it has trained. UserError names the files."""

    def decoded(number: int) -> None:
        picture(rows[number].path)

    found = list(each(decoded, len(rows), "checking test pictures"))
    failed = [(row.path, reason) for row, reason in zip(rows, found, strict=True) if isinstance(reason, UserError)]
    if failed:
        raise unreadable([file for file, _ in failed], [reason for _, reason in failed])


def _folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {out} cannot be made ({error.strerror}); choose another with --out.") from error
