"""Explains picture files and writes what was found: overlays, maps, and a manifest that tells how they came about."""

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

from app.commands.arguments import chosen_methods, class_number, method_name
from app.commands.ensemble_members import members_agreement, members_maps, write_members
from app.commands.manifest import Source, as_json, head_of, map_entry, picture_entry
from app.commands.manifest_metrics import localisation_entry, measures_entry
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


def explain(options: ExplainOptions, begun: "Callable[[], Served]") -> int:
    """Writes the folder `options.out`; 0 if everything succeeded, 1 if some picture or method failed. UserError if all pictures did."""
    methods = chosen_methods(options.methods, options.parameters)
    settings = Settings(options.preset, options.fill, options.segments, options.seed, options.budget, layers=options.layers)
    classifier = begun()
    if options.metadata:
        classifier = classifier.given(parse(classifier.card.metadata, options.metadata))
    Case(
        as_protocol(classifier), np.zeros((*classifier.size, 3), np.float32), Score(0), settings
    )  # refuses layers that the model does not have
    for word in (options.target, options.rather_than):
        if word not in (None, "top"):
            class_number(str(word), classifier.labels)
    judge = None if options.measures == "none" else agreement_context(options.model, classifier)
    job = _Job(options, classifier, methods, settings, judge)
    with atomic_directory(options.out) as folder, MapsFile(folder / "maps.npz") as maps:
        names = folder_names(options.pictures)
        entries = [_entry(path, name, folder, maps, job) for path, name in zip(options.pictures, names, strict=True)]
        _refuse_if_all_failed(entries)
        manifest = {**head_of(options, classifier, settings), "pictures": entries}
        (folder / "manifest.json").write_text(as_json(manifest), encoding="utf-8", errors="replace")
    if not options.quiet:
        print(f"Written to {readable(options.out)}.")
    return int(any(_failed(entry) for entry in entries))


@dataclass(frozen=True)
class _Job:
    """What is the same for all pictures."""

    options: ExplainOptions
    classifier: "Served"
    methods: tuple[Method, ...]
    settings: Settings
    judge: AgreementContext | None


def _entry(path: Path, name: str, folder: Path, maps: MapsFile, job: _Job) -> dict[str, Any]:
    """One picture's part of the manifest, with its overlays and maps written; or why there is none, and then nothing of it is left."""
    try:
        entry = _written(path, name, folder, maps, job)
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


def _written(path: Path, name: str, folder: Path, maps: MapsFile, job: _Job) -> dict[str, Any]:
    """Explains one picture, writes its overlays and maps, and returns its part of the manifest. Raises UserError, OSError."""
    data = _read(path)
    picture = decode(data)
    source = Source(readable(path.name), hashlib.sha256(data).hexdigest(), original_size(data), picture.shape[:2])
    region = region_of(job.options.mask, path, source.decoded, job.classifier.fit) if job.options.mask else None
    explanation = _explanation(picture, name, job)
    case, results = explanation.case, [explanation.results[key_of(method)] for method in job.methods]
    (folder / name).mkdir()
    entries = [_write(explanation, result, folder, name, maps) for result in results]
    entry = picture_entry(source, case, job.classifier, entries)
    maps.add(f"{name}/segments", case.segments.astype(np.int32))
    entry["segments"] = f"{name}/segments"
    if members := members_maps(case, job.methods):
        entry["members"] = write_members(name, members, maps)
        entry["members_agreement"] = members_agreement(members, case.size)
    if job.judge or region:
        entry["measures"] = _measures(name, case, results, region, job)
    if not job.options.quiet:
        print(f"{source.file}: {entry['explained']['label']}, {len(entries)} maps, {case.evaluations} evaluations")
        if region:
            print(localisation_table(entry["measures"]["localisation"]["maps"]))
    return entry


def _explanation(picture: NDArray[np.float32], name: str, job: _Job) -> Explanation:
    """Explains one picture beside a progress bar. Raises UserError."""
    plan = ExplanationPlan(job.methods, job.settings, lambda top: _score(job.options, job.classifier.labels, top))
    with ExitStack() as stack:
        bars: list[tqdm[Any]] = []

        def on_start(found: Explanation) -> None:
            bar = tqdm(total=found.cost.evaluations, desc=name, unit=" evaluations", disable=job.options.quiet or None)
            bars.append(stack.enter_context(bar))

        def on_result(found: Explanation) -> None:
            bars[0].update(min(found.case.evaluations, bars[0].total) - bars[0].n)

        return explain_picture(picture, job.classifier, plan, on_start, on_result)


def _measures(name: str, case: Case, results: list[Result], region: MaskFile | None, job: _Job) -> dict[str, Any]:
    level = job.options.measures
    found: dict[str, Any] = {}
    if job.judge and level == "all":
        shown = with_attribution(results)
        most = full_cost(case, shown)
        if not job.options.quiet:
            seconds = full_seconds(case, shown, *measure_speed(job.classifier))
            print(f"{name}: measures, at most {most:,} evaluations, {format_estimate(seconds)}", flush=True)
        with tqdm(total=most, desc=f"{name}: measures", unit=" evaluations", disable=job.options.quiet or None) as bar:
            case.counter.on_batch = lambda pictures: bar.update(min(pictures, bar.total - bar.n))
            found = measures_entry(case, results, level, job.judge)
    elif job.judge:
        found = measures_entry(case, results, level, job.judge)
    return {**found, "localisation": localisation_entry(case, results, region)} if region else found


def _score(options: ExplainOptions, labels: Sequence[str], top: int) -> Score:
    """top: the likeliest class. Raises UserError."""
    target = top if options.target == "top" else class_number(options.target, labels)
    if options.rather_than is None:
        return Score(target, options.score)  # type: ignore[arg-type]
    return Score.of(target, top if options.rather_than == "top" else class_number(options.rather_than, labels))


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


def _read(path: Path) -> bytes:
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
