"""Explains picture files and writes overlays, maps and a manifest."""

import hashlib
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app.commands.arguments import method_name, parse_class, parse_methods
from app.commands.ensemble_members import explain_members, members_agreement, write_members
from app.commands.hidden_places import check_places, hidden_places, mask_reader
from app.commands.manifest import Source, as_json, manifest_head, map_entry, picture_entry
from app.commands.manifest_metrics import localisation_entry, measures_entry, plain
from app.commands.methods import localisation_table
from app.commands.outputs import MapsFile, atomic_directory, folder_names, readable
from app.explanation import Explanation, ExplanationPlan, as_protocol, explain_picture, key_of
from app.formatting import format_estimate
from app.masks import MaskFile, region_of
from app.metrics import agreement_context, full_cost, full_seconds
from app.options import ExplainOptions
from app.rendering import overlay, png
from app.service.warmup import measure_speed
from errors import UserError
from explainers.case import Case, Settings
from explainers.grid import enlarge
from explainers.method import Method
from explainers.metrics.agreement.agreement import AgreementContext
from explainers.runner import Result, with_attribution
from models.cards.metadata import parse
from models.classifiers.score import Score
from models.images.decoder import decode, original_size

if TYPE_CHECKING:
    from models.loading import Served


def explain(options: ExplainOptions, load: "Callable[[], Served]") -> int:
    """Writes the folder `options.out`; 0 if everything succeeded, 1 if some picture or method failed. UserError if all pictures did.

    load: waits for the classifier, whose loading has started.
    """
    methods = parse_methods(options.methods, options.parameters)
    check_places(options.hide, methods, len(options.pictures))
    settings = Settings(options.preset, options.fill, options.segments, options.seed, options.budget, layers=options.layers)
    classifier = load()
    if options.metadata:
        classifier = classifier.with_metadata(parse(classifier.card.metadata, options.metadata))
    Case(
        as_protocol(classifier), np.zeros((*classifier.size, 3), np.float32), Score(0), settings
    )  # refuses layers that the model does not have
    for word in (options.target, options.rather_than):
        if word not in (None, "top"):
            parse_class(str(word), classifier.labels)
    context = None if options.measures == "none" else agreement_context(options.model, classifier)
    run = _Run(options, classifier, methods, settings, context)
    with atomic_directory(options.out) as folder, MapsFile(folder / "maps.npz") as maps:
        names = folder_names(options.pictures)
        entries = [_entry(path, name, folder, maps, run) for path, name in zip(options.pictures, names, strict=True)]
        _refuse_if_all_failed(entries)
        manifest = {**manifest_head(options, classifier, settings), "pictures": entries}
        (folder / "manifest.json").write_text(as_json(manifest), encoding="utf-8", errors="replace")
    if not options.quiet:
        print(f"Written to {readable(options.out)}.")
    return int(any(_failed(entry) for entry in entries))


@dataclass(frozen=True)
class _Run:
    """What all pictures have in common. context: of the agreement, None where it is not measured."""

    options: ExplainOptions
    classifier: "Served"
    methods: tuple[Method, ...]
    settings: Settings
    context: AgreementContext | None


def _entry(path: Path, name: str, folder: Path, maps: MapsFile, run: _Run) -> dict[str, Any]:
    """One picture's part of the manifest; where the picture fails, the reason, and nothing of it is left in the folder."""
    try:
        entry = _explain_file(path, name, folder, maps, run)
    except UserError as error:
        reason = readable(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = f"What was found cannot be written ({error.strerror or error})."
    else:
        maps.keep()
        return entry
    maps.drop()
    shutil.rmtree(folder / name, ignore_errors=True)
    print(f"{readable(path)}: {reason}", file=sys.stderr)
    return {"file": readable(path.name), "error": reason}


def _explain_file(path: Path, name: str, folder: Path, maps: MapsFile, run: _Run) -> dict[str, Any]:
    """Explains one picture, writes its overlays and maps, and returns its part of the manifest. Raises UserError, OSError."""
    data = _read_file(path)
    picture = decode(data)
    source = Source(readable(path.name), hashlib.sha256(data).hexdigest(), original_size(data), picture.shape[:2])
    region = region_of(run.options.mask, path, source.decoded, run.classifier.fit) if run.options.mask else None
    explanation = _explanation(picture, name, run)
    case, results = explanation.case, [explanation.results[key_of(method)] for method in run.methods]
    (folder / name).mkdir()
    entries = [_write(explanation, result, folder, name, maps) for result in results]
    entry = picture_entry(source, case, run.classifier, entries)
    maps.add(f"{name}/segments", case.segments.astype(np.int32))
    entry["segments"] = f"{name}/segments"
    if members := explain_members(case, run.methods):
        entry["members"] = write_members(name, members, maps)
        entry["members_agreement"] = members_agreement(members, case.size)
    if run.context or region:
        entry["measures"] = _measures(name, case, results, region, run)
    if run.options.hide:
        read_mask = mask_reader(path, source.decoded, run.classifier.fit)
        hidden = [each.to_json() for each in hidden_places(run.options.hide, case, with_attribution(results), read_mask)]
        known = entry.setdefault("measures", {}).get("hidden", [])
        entry["measures"]["hidden"] = [*known, *plain(hidden)] if isinstance(known, list) else known
    if not run.options.quiet:
        print(f"{source.file}: {entry['explained']['label']}, {len(entries)} maps, {case.evaluations} evaluations")
        if region:
            print(localisation_table(entry["measures"]["localisation"]["maps"]))
    return entry


def _explanation(picture: NDArray[np.float32], name: str, run: _Run) -> Explanation:
    """Explains one picture with a progress bar. Raises UserError."""
    plan = ExplanationPlan(run.methods, run.settings, lambda top: _score(run.options, run.classifier.labels, top))
    with ExitStack() as stack:
        bars: list[tqdm[Any]] = []

        def on_start(found: Explanation) -> None:
            bar = tqdm(total=found.cost.evaluations, desc=name, unit=" evaluations", disable=run.options.quiet or None)
            bars.append(stack.enter_context(bar))

        def on_result(found: Explanation) -> None:
            bars[0].update(min(found.case.evaluations, bars[0].total) - bars[0].n)

        return explain_picture(picture, run.classifier, plan, on_start, on_result)


def _measures(name: str, case: Case, results: list[Result], region: MaskFile | None, run: _Run) -> dict[str, Any]:
    level = run.options.measures
    found: dict[str, Any] = {}
    if run.context and level == "all":
        shown = with_attribution(results)
        most = full_cost(case, shown)
        if not run.options.quiet:
            seconds = full_seconds(case, shown, *measure_speed(run.classifier))
            print(f"{name}: measures, at most {most:,} evaluations, {format_estimate(seconds)}", flush=True)
        with tqdm(total=most, desc=f"{name}: measures", unit=" evaluations", disable=run.options.quiet or None) as bar:
            case.counter.on_batch = lambda pictures: bar.update(min(pictures, bar.total - bar.n))
            found = measures_entry(case, results, level, run.context)
    elif run.context:
        found = measures_entry(case, results, level, run.context)
    return {**found, "localisation": localisation_entry(case, results, region)} if region else found


def _score(options: ExplainOptions, labels: Sequence[str], top: int) -> Score:
    """top: the likeliest class. Raises UserError."""
    target = top if options.target == "top" else parse_class(options.target, labels)
    if options.rather_than is None:
        return Score(target, options.score)  # type: ignore[arg-type]
    return Score.of(target, top if options.rather_than == "top" else parse_class(options.rather_than, labels))


def _write(explanation: Explanation, result: Result, folder: Path, name: str, maps: MapsFile) -> dict[str, Any]:
    attribution, where = result.attribution, f"{name}/{method_name(result.method)}"
    if attribution is not None:
        values = np.asarray(attribution.values, np.float32)
        shown = np.zeros_like(values) if attribution.blank else values
        (folder / f"{where}.png").write_bytes(png(overlay(explanation.picture.photo, shown, result.method.signed)))
        maps.add(f"{where}/native", values)
        maps.add(f"{where}/full", enlarge(values, explanation.case.size))
        if attribution.signed is not None:
            maps.add(f"{where}_signed", np.asarray(attribution.signed, np.float32))
        for layer, branch in attribution.branches:
            maps.add(f"{where}_branches/{layer}", branch)
    return map_entry(result, where)


def _read_file(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UserError("There is no such file." if not path.exists() else "This is not a file; name the pictures themselves.")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"The file cannot be read ({error.strerror}).") from error


def _refuse_if_all_failed(entries: Sequence[dict[str, Any]]) -> None:
    if all("error" in entry for entry in entries):
        raise UserError("No picture could be explained; nothing was written.")


def _failed(entry: dict[str, Any]) -> bool:
    measures = [each for each in entry.get("measures", {}).values() if isinstance(each, dict)]
    return "error" in entry or any("error" in each for each in (*entry["maps"], *measures))
