"""Explains picture files and writes overlays, maps and a manifest."""

import hashlib
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app.commands.arguments import method_slug, parse_class_index, parse_methods
from app.commands.engine import with_chosen_engine
from app.commands.ensemble_members import agreement_between_members, explain_ensemble_members, write_member_maps
from app.commands.hidden_places import check_hidden_places, measure_hidden_places, picture_mask_reader
from app.commands.manifest import PictureSource, manifest_header, map_manifest_entry, picture_manifest_entry, to_strict_json
from app.commands.manifest_metrics import localisation_manifest_entry, metrics_manifest_entry, to_json_values
from app.commands.methods import markdown_localisation_table
from app.commands.output_folder import MapsArchive, atomic_directory, printable_file_name, unique_folder_names
from app.conclusion_facts import usable_report_card
from app.explanation import Explanation, ExplanationPlan, as_explainable_classifier, estimate_explanation_cost, explain_picture, method_key
from app.formatting import format_estimated_time
from app.masks import MaskFile, load_region_mask
from app.metrics import build_agreement_context, estimate_seconds_of_all_metrics, max_evaluations_of_all_metrics
from app.options import ExplainOptions
from app.rendering import encode_png, overlay_map
from app.service.evaluation_warmup import measure_classifier_speed
from errors import UserError
from explainers.explanation_case import Case, ExplanationSettings
from explainers.grid import enlarge_map
from explainers.method import Method
from explainers.method_runner import MethodResult, results_with_map
from explainers.metrics.agreement.agreement import AgreementContext
from explainers.report_card.report_card_file import ReportCard
from models.cards.metadata import parse_metadata
from models.classifiers.score import Score
from models.inspection.preprocessing_alternatives import compare_preprocessing, describe_alternatives
from models.sandbox.picture_decoder import read_picture_confined

if TYPE_CHECKING:
    from models.loading import Served


def explain_pictures(options: ExplainOptions, load: "Callable[[], Served]") -> int:
    """Writes the folder `options.out`; 0 if everything succeeded, 1 if some picture or method failed. UserError if all pictures did.

    load: waits for the classifier, whose loading has started.
    """
    methods = parse_methods(options.methods, options.parameters)
    check_hidden_places(options.hide, methods, len(options.pictures))
    settings = ExplanationSettings(options.preset, options.fill, options.segments, options.seed, options.budget, layers=options.layers)
    classifier = load()
    if options.metadata:
        classifier = classifier.with_metadata(parse_metadata(classifier.card.metadata, options.metadata))
    if options.head:
        classifier = classifier.with_head(options.head)
    if options.second_picture:
        classifier.with_second_picture(np.zeros((*classifier.size, 3), np.float32))  # refuses a model that takes one picture
    # Refuses layers that the model does not have.
    grey = Case(as_explainable_classifier(classifier), np.zeros((*classifier.size, 3), np.float32), Score(0), settings)
    for word in (options.target, options.rather_than):
        if word not in (None, "top"):
            parse_class_index(str(word), classifier.labels)
    evaluations = estimate_explanation_cost(methods, grey).evaluations * len(options.pictures)
    classifier = with_chosen_engine(classifier, options.engine, evaluations)
    context = None if options.measures == "none" else build_agreement_context(options.model, classifier)
    run = _Run(options, classifier, methods, settings, context, usable_report_card(options.model, classifier) if context else None)
    with atomic_directory(options.out) as folder, MapsArchive(folder / "maps.npz") as maps:
        names = unique_folder_names(options.pictures)
        entries = [entry for path, name in zip(options.pictures, names, strict=True) for entry in _entries(path, name, folder, maps, run)]
        _refuse_if_all_failed(entries)
        manifest = {**manifest_header(options, classifier, settings), "pictures": entries}
        (folder / "manifest.json").write_text(to_strict_json(manifest), encoding="utf-8", errors="replace")
    if not options.quiet:
        print(f"Written to {printable_file_name(options.out)}.")
    return int(any(_failed(entry) for entry in entries))


HOW_TO_CHOOSE = "Choose with python -m app inspect {} --preprocessing SCALING --fix, which keeps it in the model's card."


@dataclass(frozen=True)
class _Run:
    """What all pictures have in common. context: of the agreement, None where it is not measured. card: the classifier's, if it holds."""

    options: ExplainOptions
    classifier: "Served"
    methods: tuple[Method, ...]
    settings: ExplanationSettings
    context: AgreementContext | None
    card: ReportCard | None


def _entries(path: Path, name: str, folder: Path, maps: MapsArchive, run: _Run) -> list[dict[str, Any]]:
    """The parts of one picture, and of the second one where there is one: each is explained while the other is held."""
    second = run.options.second_picture
    if second is None:
        return [_entry(path, name, folder, maps, run)]
    try:
        pair = [run.classifier.fit(read_picture_confined(_read_file(each), run.options.page).pixels) for each in (path, second)]
    except UserError as error:
        print(f"{printable_file_name(path)}, {printable_file_name(second)}: {error}", file=sys.stderr)
        return [{"file": printable_file_name(path.name), "error": str(error)}]
    held = [run.classifier.with_second_picture(pair[1 - explained], explained) for explained in (0, 1)]
    parts = ((path, name), (second, f"{name}_second"))
    return [
        _entry(each, part, folder, maps, replace(run, classifier=classifier)) | {"picture_input": run.classifier.picture_inputs[explained]}
        for explained, ((each, part), classifier) in enumerate(zip(parts, held, strict=True))
    ]


def _entry(path: Path, name: str, folder: Path, maps: MapsArchive, run: _Run) -> dict[str, Any]:
    """One picture's part of the manifest; where the picture fails, the reason, and nothing of it is left in the folder."""
    try:
        entry = _explain_file(path, name, folder, maps, run)
    except UserError as error:
        reason = printable_file_name(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = f"What was found cannot be written ({error.strerror or error})."
    else:
        maps.keep()
        return entry
    maps.drop()
    shutil.rmtree(folder / name, ignore_errors=True)
    print(f"{printable_file_name(path)}: {reason}", file=sys.stderr)
    return {"file": printable_file_name(path.name), "error": reason}


def _explain_file(path: Path, name: str, folder: Path, maps: MapsArchive, run: _Run) -> dict[str, Any]:
    """Explains one picture, writes its overlays and maps, and returns its part of the manifest. Raises UserError, OSError."""
    data = _read_file(path)
    found = read_picture_confined(data, run.options.page)
    picture = found.pixels
    source = PictureSource(
        printable_file_name(path.name),
        hashlib.sha256(data).hexdigest(),
        found.size,
        picture.shape[:2],
        found.page,
        found.pages,
        found.notes,
    )
    region = load_region_mask(run.options.mask, path, source.decoded, run.classifier.fit) if run.options.mask else None
    explanation = _explanation(picture, name, run)
    case, results = explanation.case, [explanation.results[method_key(method)] for method in run.methods]
    (folder / name).mkdir()
    entries = [_write(explanation, result, folder, name, maps) for result in results]
    entry = picture_manifest_entry(source, case, run.classifier, entries)
    maps.add(f"{name}/segments", case.segments.astype(np.int32))
    entry["segments"] = f"{name}/segments"
    guess = compare_preprocessing(run.classifier, case.image)
    entry["preprocessing"] = guess.to_json() if guess else None
    if members := explain_ensemble_members(case, run.methods):
        entry["members"] = write_member_maps(name, members, maps)
        entry["members_agreement"] = agreement_between_members(members, case.size)
    if run.context or region:
        entry["measures"] = _measures(name, case, results, region, run)
    if run.options.hide:
        read_mask = picture_mask_reader(path, source.decoded, run.classifier.fit)
        hidden = [each.to_json() for each in measure_hidden_places(run.options.hide, case, results_with_map(results), read_mask)]
        known = entry.setdefault("measures", {}).get("hidden", [])
        entry["measures"]["hidden"] = [*known, *to_json_values(hidden)] if isinstance(known, list) else known
    if not run.options.quiet:
        print(f"{source.file}: {entry['explained']['label']}, {len(entries)} maps, {case.evaluations} evaluations")
        for note in found.notes:
            print(f"  {note}")
        if guess:
            print(f"  {describe_alternatives(guess)} {HOW_TO_CHOOSE.format(printable_file_name(run.options.model))}")
        for line in entry.get("measures", {}).get("conclusion", {}).values():
            print(f"  {line}")
        if region:
            print(markdown_localisation_table(entry["measures"]["localisation"]["maps"]))
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


def _measures(name: str, case: Case, results: list[MethodResult], region: MaskFile | None, run: _Run) -> dict[str, Any]:
    level = run.options.measures
    found: dict[str, Any] = {}
    if run.context and level == "all":
        shown = results_with_map(results)
        most = max_evaluations_of_all_metrics(case, shown)
        if not run.options.quiet:
            seconds = estimate_seconds_of_all_metrics(case, shown, *measure_classifier_speed(run.classifier))
            print(f"{name}: measures, at most {most:,} evaluations, {format_estimated_time(seconds)}", flush=True)
        with tqdm(total=most, desc=f"{name}: measures", unit=" evaluations", disable=run.options.quiet or None) as bar:
            case.counter.on_batch = lambda pictures: bar.update(min(pictures, bar.total - bar.n))
            found = metrics_manifest_entry(case, results, level, run.context, run.card)
    elif run.context:
        found = metrics_manifest_entry(case, results, level, run.context, run.card)
    return {**found, "localisation": localisation_manifest_entry(case, results, region)} if region else found


def _score(options: ExplainOptions, labels: Sequence[str], top: int) -> Score:
    """top: the likeliest class. Raises UserError."""
    target = top if options.target == "top" else parse_class_index(options.target, labels)
    if options.rather_than is None:
        return Score(target, options.score)  # type: ignore[arg-type]
    return Score.of(target, top if options.rather_than == "top" else parse_class_index(options.rather_than, labels))


def _write(explanation: Explanation, result: MethodResult, folder: Path, name: str, maps: MapsArchive) -> dict[str, Any]:
    attribution, where = result.attribution, f"{name}/{method_slug(result.method)}"
    if attribution is not None:
        values = np.asarray(attribution.values, np.float32)
        shown = np.zeros_like(values) if attribution.blank else values
        (folder / f"{where}.png").write_bytes(encode_png(overlay_map(explanation.picture.photo, shown, result.method.signed)))
        maps.add(f"{where}/native", values)
        maps.add(f"{where}/full", enlarge_map(values, explanation.case.size))
        if attribution.signed is not None:
            maps.add(f"{where}_signed", np.asarray(attribution.signed, np.float32))
        for layer, branch in attribution.branches:
            maps.add(f"{where}_branches/{layer}", branch)
    return map_manifest_entry(result, where)


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
