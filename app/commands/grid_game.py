"""The grid pointing game: lays a classifier's surest pictures side by side and sees whether each map lights the part of its class."""

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app.commands.arguments import method_slug, parse_methods
from app.commands.engine import with_chosen_engine
from app.commands.manifest import to_strict_json
from app.commands.provenance import git_commit_hash
from app.explanation import EarlierExplanation, ExplanationPlan, FittedPicture, as_explainable_classifier, explain_picture
from app.formatting import format_fraction
from app.map_library import list_picture_files
from app.model_files import model_sha256
from app.options import GridGameOptions
from errors import UserError
from explainers.explanation_case import ExplanationSettings
from explainers.method import Method
from explainers.metrics.localisation.grid_pointing_game import SOURCE, GridGameMosaic, GridPointingGameMetric, build_mosaics
from models.classifiers.score import Score
from models.loading import load_classifier
from models.output.markdown import markdown_table
from models.sandbox.picture_decoder import decode_picture_confined

if TYPE_CHECKING:
    from models.loading import Served

Shares = dict[str, list[float | None]]


def play_grid_game(options: GridGameOptions) -> int:
    """Prints the table and writes `options.out`; 0, or 1 where some picture could not be read. UserError where no mosaic can be laid."""
    methods = parse_methods(options.methods, ())
    settings = ExplanationSettings(preset=options.preset, seed=options.seed)
    files = list_picture_files(options.pictures)
    classifier = with_chosen_engine(load_classifier(options.model, options.trust), options.engine)
    pictures = _fit_pictures(files, classifier)
    laid = build_mosaics(as_explainable_classifier(classifier), pictures, options.side, options.mosaics, options.seed)
    shares = _shares(laid, classifier, methods, settings, options.quiet)
    rows = [_row(method, shares[method.title]) for method in methods]
    if not options.quiet:
        print(grid_game_table(rows, laid[0].chance))
    if options.out:
        _write(options, classifier, settings, {"chance": laid[0].chance, "mosaics": len(laid), "methods": rows})
    return int(len(pictures) < len(files))


def grid_game_table(rows: Sequence[dict[str, Any]], chance: float) -> str:
    """A Markdown table, one line per method; the last line is what an uninformed map gets."""
    head = ["map", "share of its positive part in its picture", "standard error", "parts asked", "without evidence"]
    lines = [
        [row["title"], format_fraction(row["share"]), format_fraction(row["standard_error"]), row["parts"], row["without_evidence"]]
        for row in rows
    ]
    return markdown_table(head, [*lines, ["chance", format_fraction(chance), "", "", ""]])


def _shares(
    laid: Sequence[GridGameMosaic], classifier: "Served", methods: Sequence[Method], settings: ExplanationSettings, quiet: bool
) -> Shares:
    """Title -> the share of each map inside its own part; None for a map without positive evidence."""
    found: Shares = defaultdict(list)
    with tqdm(total=sum(len(mosaic.unique_parts) for mosaic in laid), unit=" parts", disable=quiet or None) as bar:
        for mosaic in laid:
            earlier = EarlierExplanation()
            for number in mosaic.unique_parts:
                plan = ExplanationPlan(methods, settings, Score(mosaic.targets[number]))
                explanation = explain_picture(FittedPicture.of(mosaic.image), classifier, plan, earlier=earlier)
                earlier = EarlierExplanation(explanation.case)  # the other parts reuse its evaluations
                results = list(explanation.results.values())
                for result in results:
                    if result.attribution is None:
                        raise UserError(f"{result.method.title} gives no map: {result.error} Leave it out of --methods.")
                for each in GridPointingGameMetric(mosaic, number)(explanation.case, results):
                    found[each.title].append(each.share)
                bar.update()
    return found


def _row(method: Method, shares: Sequence[float | None]) -> dict[str, Any]:
    known = [share for share in shares if share is not None]
    error = float(np.std(known, ddof=1) / len(known) ** 0.5) if len(known) > 1 else None
    return {
        "method": method_slug(method),
        "title": method.title,
        "share": float(np.mean(known)) if known else None,
        "standard_error": error,
        "parts": len(shares),
        "without_evidence": len(shares) - len(known),
    }


def _fit_pictures(files: Sequence[Path], classifier: "Served") -> list[NDArray[np.float32]]:
    pictures = []
    for file in files:
        try:
            pictures.append(classifier.fit(decode_picture_confined(file.read_bytes())))
        except (UserError, OSError) as error:
            print(f"{file}: {error}", file=sys.stderr)
    return pictures


def _write(options: GridGameOptions, classifier: "Served", settings: ExplanationSettings, found: dict[str, Any]) -> None:
    assert options.out is not None
    model = {"given_as": options.model, "sha256": model_sha256(options.model, classifier)}
    head = {"made_by": "Crosscheck, python -m app grid-game", "source": SOURCE, "versions": {"crosscheck": git_commit_hash()}}
    try:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(
            to_strict_json({**head, "model": model, "settings": settings.to_json(), "side": options.side, **found}), encoding="utf-8"
        )
    except OSError as error:
        raise UserError(f"The result cannot be written to {options.out} ({error.strerror}); choose another --out.") from error
