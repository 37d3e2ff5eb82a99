"""What the recipes that train on pictures share: reading and splitting a folder, training, and calibration."""

import dataclasses
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from errors import UserError
from models.cards.card import Card
from models.datasets import layouts, splits
from models.datasets.batch_decode import parallel_map, read_image, unreadable_files_error
from models.datasets.metadata_encoding import fit_metadata_encoding
from models.datasets.picture_collection import CollectionRow, PictureCollection
from models.training.input_pipeline import InputPipelineSettings
from models.training.recipes.dataset_traits import DatasetTraits
from models.training.recipes.image_options import (
    options_fixed_by_checkpoint,
    parse_classifier_name,
    parse_training_settings,
    parse_training_stages,
)
from models.training.trained_model import TrainedModel, TrainingOutcome

if TYPE_CHECKING:
    import keras

    from models.evaluation.evaluation_records import EvaluationData
    from models.training.training_loop import TrainingRun

SPLIT_SHARES = (0.7, 0.15, 0.15)
HIDDEN_METADATA = 0.2  # share of the metadata that is hidden in training, so that the classifier can do without


def train_image_classifier(options: Namespace, spec: DatasetTraits) -> TrainedModel:
    """Trains a classifier on the pictures in `options.data`; resumes from the checkpoint in `options.out` if there is one."""
    parse_classifier_name(options)
    stages, settings = parse_training_stages(options), parse_training_settings(options)
    collection = layouts.read_picture_collection(spec.layout, options.data, spec.group)
    print(f"{collection.name}: {collection.counts()}", *collection.remarks, sep="\n", flush=True)
    split = splits.split_collection(collection, SPLIT_SHARES, options.seed)
    if not split.validation:
        raise UserError(f"{collection.name} has too few pictures to hold some back for validation; give at least a handful of each class.")
    _check_readable(split.test)
    settings = dataclasses.replace(settings, shares=splits.class_frequencies(split.train, len(collection.labels)))
    _make_folder(options.out)
    from models.training import checkpoint, mixed_precision
    from models.training.recipes.image_network import build_image_network
    from models.training.temperature_scaling import calibrate_classifier
    from models.training.training_loop import TrainingRun

    fields = fit_metadata_encoding(collection, split.train, spec.metadata)
    if options.fresh:
        checkpoint.remove_checkpoint(options.out)
    trained, card = mixed_precision.build_with_precision_policy(
        lambda: build_image_network(options, spec, collection, fields), mixed_precision.best_precision_policy()
    )
    feed = InputPipelineSettings(card.size, options.cache or options.out / "cache", spec.fit, options.batch, options.seed)
    feed = dataclasses.replace(feed, augmentation=spec.augmentation, balance=options.balance, fields=fields, forget=HIDDEN_METADATA)
    plan = {**options_fixed_by_checkpoint(options), "pictures": splits.split_fingerprint(split)}
    history = _train(trained, card, split, feed, TrainingRun(stages, settings, options.out, plan), options)
    model = mixed_precision.copy_in_float32(trained, lambda: build_image_network(options, spec, collection, fields)[0])
    return TrainedModel(
        model, calibrate_classifier(model, card, split.validation), TrainingOutcome(split, _test_data(collection, split), history)
    )


def _train(
    model: "keras.Model", card: Card, split: splits.DataSplit, feed: InputPipelineSettings, run: "TrainingRun", options: Namespace
) -> list[dict[str, float]]:
    """Leaves the best weights in the model; gives the figures of each epoch."""
    from models.training import frozen_features, training_batches
    from models.training.training_loop import train_model

    if not options.features:
        return train_model(model, training_batches.build_training_data(model, card, split.train, split.validation, feed), run).history
    parts = frozen_features.split_frozen_network(model, options.open_layers)
    return train_model(
        parts[1], frozen_features.cached_training_data(parts, card, (split.train, split.validation), feed, options.features), run
    ).history


def _test_data(collection: PictureCollection, split: splits.DataSplit) -> "EvaluationData | None":
    from models.evaluation.evaluation_records import EvaluationData

    if not split.test:
        return None
    grouped = len({row.group for row in collection.rows}) < len(collection.rows)
    part = "test part, " + ("kept apart from the others by lesion or person" if grouped else "each picture by itself")
    return EvaluationData(collection.name, split.test, part, collection.source, collection.licence)


def _check_readable(rows: Sequence[CollectionRow]) -> None:
    """Decodes each picture, so that what would stop the evaluation stops the run before it has trained. UserError names the files."""

    def decoded(number: int) -> None:
        read_image(rows[number].path)

    found = list(parallel_map(decoded, len(rows), "checking test pictures"))
    failed = [(row.path, reason) for row, reason in zip(rows, found, strict=True) if isinstance(reason, UserError)]
    if failed:
        raise unreadable_files_error([file for file, _ in failed], [reason for _, reason in failed])


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {out} cannot be made ({error.strerror}); choose another with --out.") from error
