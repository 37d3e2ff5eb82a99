"""What the recipes that train on pictures share: reading and splitting a folder, training, and calibration."""

import dataclasses
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from errors import UserError
from models.cards.card import Card
from models.datasets import layouts, splits
from models.datasets.batch_decode import parallel_map, read_image, unreadable_error
from models.datasets.collection import Collection, Row
from models.datasets.metadata_encoding import fit_encoding
from models.training.pipeline import Feed
from models.training.recipes.dataset_spec import DatasetSpec
from models.training.recipes.image_options import classifier_name, run_plan, training_settings, training_stages
from models.training.trained_model import TrainedModel, TrainingOutcome

if TYPE_CHECKING:
    import keras

    from models.evaluation.records import EvaluationData
    from models.training.loop import TrainingRun

SPLIT_SHARES = (0.7, 0.15, 0.15)
HIDDEN_METADATA = 0.2  # share of the metadata that is hidden in training, so that the classifier can do without


def make(options: Namespace, spec: DatasetSpec) -> TrainedModel:
    """Trains a classifier on the pictures in `options.data`; resumes from the checkpoint in `options.out` if there is one."""
    classifier_name(options)
    stages, settings = training_stages(options), training_settings(options)
    collection = layouts.read(spec.layout, options.data, spec.group)
    print(f"{collection.name}: {collection.counts()}", *collection.remarks, sep="\n", flush=True)
    split = splits.split(collection, SPLIT_SHARES, options.seed)
    if not split.validation:
        raise UserError(f"{collection.name} has too few pictures to hold some back for validation; give at least a handful of each class.")
    check_readable(split.test)
    settings = dataclasses.replace(settings, shares=splits.class_shares(split.train, len(collection.labels)))
    _make_folder(options.out)
    from models.training import checkpoint, precision
    from models.training.loop import TrainingRun
    from models.training.recipes.image_network import build_network
    from models.training.temperature import calibrate

    fields = fit_encoding(collection, split.train, spec.metadata)
    if options.fresh:
        checkpoint.remove(options.out)
    trained, card = precision.build_with_policy(lambda: build_network(options, spec, collection, fields), precision.best_policy())
    feed = Feed(card.size, options.cache or options.out / "cache", spec.fit, options.batch, options.seed)
    feed = dataclasses.replace(feed, augmentation=spec.augmentation, balance=options.balance, fields=fields, forget=HIDDEN_METADATA)
    plan = {**run_plan(options), "pictures": splits.fingerprint(split)}
    history = _train(trained, card, split, feed, TrainingRun(stages, settings, options.out, plan), options)
    model = precision.float32_copy(trained, lambda: build_network(options, spec, collection, fields)[0])
    return TrainedModel(model, calibrate(model, card, split.validation), TrainingOutcome(split, _test_data(collection, split), history))


def _train(
    model: "keras.Model", card: Card, split: splits.Split, feed: Feed, run: "TrainingRun", options: Namespace
) -> list[dict[str, float]]:
    """Leaves the best weights in the model; gives the figures of each epoch."""
    from models.training import batches, frozen_features
    from models.training.loop import train

    if not options.features:
        return train(model, batches.training_data(model, card, split.train, split.validation, feed), run).history
    parts = frozen_features.split_at(model, options.open_layers)
    return train(
        parts[1], frozen_features.cached_training_data(parts, card, (split.train, split.validation), feed, options.features), run
    ).history


def _test_data(collection: Collection, split: splits.Split) -> "EvaluationData | None":
    from models.evaluation.records import EvaluationData

    if not split.test:
        return None
    grouped = len({row.group for row in collection.rows}) < len(collection.rows)
    part = "test part, " + ("kept apart from the others by lesion or person" if grouped else "each picture by itself")
    return EvaluationData(collection.name, split.test, part, collection.source, collection.licence)


def check_readable(rows: Sequence[Row]) -> None:
    """Decodes each picture, so that what would stop the evaluation stops the run before it has trained. UserError names the files."""

    def decoded(number: int) -> None:
        read_image(rows[number].path)

    found = list(parallel_map(decoded, len(rows), "checking test pictures"))
    failed = [(row.path, reason) for row, reason in zip(rows, found, strict=True) if isinstance(reason, UserError)]
    if failed:
        raise unreadable_error([file for file, _ in failed], [reason for _, reason in failed])


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {out} cannot be made ({error.strerror}); choose another with --out.") from error
