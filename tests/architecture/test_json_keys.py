"""The keys of every JSON that leaves the program, spelt out: a field may be called otherwise, a key may not."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.commands.grid_game import play_grid_game
from app.commands.manifest import PictureSource, manifest_header, map_manifest_entry, picture_manifest_entry
from app.commands.manifest_metrics import localisation_manifest_entry, manifest_section_of_metric, to_json_values
from app.explanation import as_explainable_classifier
from app.maintenance.bundled_map_libraries import draw_synthetic_picture
from app.masks import MaskFile
from app.options import ExplainOptions, GridGameOptions
from app.page.assets import browser_page_config, describe_method
from app.report_cards import ReportCardPlan
from app.service import cached_answer
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method import Attribution
from explainers.method_runner import MethodResult
from explainers.methods import METHODS
from explainers.methods.grad_cam import GradCAM
from explainers.methods.occlusion import Occlusion
from explainers.metrics import METRICS
from explainers.metrics.agreement.agreement import AgreementContext, AgreementMetric, AgreementResult
from explainers.metrics.agreement.consistency import ReferenceMaps
from explainers.metrics.agreement.raw_similarity import RawSimilarity
from explainers.metrics.agreement.reference_library import map_library_settings
from explainers.metrics.agreement.similarity import PairSimilarity
from explainers.metrics.faithfulness.average_drop import AverageDropScore
from explainers.metrics.faithfulness.deletion_insertion import DeletionCurve
from explainers.metrics.faithfulness.hidden_place import HiddenPlaceResult
from explainers.metrics.faithfulness.infidelity import InfidelityScore
from explainers.metrics.faithfulness.road import RoadScore
from explainers.metrics.faithfulness.transplants import TransplantTest
from explainers.metrics.localisation.evidence_overlap import LocalisationScore
from explainers.metrics.localisation.grid_pointing_game import GridPointingScore
from explainers.metrics.randomisation.sanity_checks import CLASS, SanityCheckResult
from explainers.metrics.robustness.max_sensitivity import MaxSensitivityScore
from explainers.metrics.robustness.reliability import ReliabilityScore, RepeatedReadingSource
from explainers.report_card.known_evidence_cases import EvidenceKind
from explainers.report_card.report_card_file import KnownEvidenceOutcome, ReportCard
from models.cards.card import Card, ClassLabel
from models.cards.metadata import CategoryField, NumberField
from models.classifiers.score import Score
from models.datasets.picture_collection import CollectionRow
from models.evaluation.classifier_evaluation import assess_logits
from models.evaluation.evaluation_records import EvaluationData
from models.evaluation.evaluation_writer import evaluation_json
from models.export.exporter import ExportResult
from models.export.output_comparison import OutputDifference
from models.inspection import inspection_report, model_structure
from models.loading import load_classifier
from models.training.checkpoint import TrainingState
from models.training.validation_metrics import ValidationMetrics
from models.versions import ModelVersion
from models.worker import _described, _error, _structure
from tests.explainers.metrics.agreement.test_consistency import judged as consistency_of
from tests.explainers.metrics.agreement.test_consistency import library as map_library
from tests.explainers.metrics.agreement.test_consistency import noise

CARD = [
    *("name", "labels", "size", "colour", "scaling", "fit", "head", "layers", "metadata", "licence", "data", "made_by", "measured_on"),
    *("accuracy", "calibration_error", "temperature", "sha256", "inferred", "notes"),
]
FIGURE = ["value", "low", "high"]
ANATOMY = ["inputs", "output", "ending", "inner", "fields", "flattened", "single", "dead", "broken", "kind"]
SETTINGS = ["preset", "fill", "segments", "seed", "budget", "batch", "layers"]


def card() -> Card:
    fields = (NumberField("age", 50, 20, "years"), CategoryField("sex", ("female", "male")))
    return Card("m", (ClassLabel("a", "the first"), ClassLabel("b")), (8, 8), metadata=fields)


def test_a_card() -> None:
    written = card().to_json()
    assert list(written) == CARD
    assert list(written["labels"][0]) == ["name", "description"]
    assert [list(each) for each in written["metadata"]] == [["name", "mean", "deviation", "unit", "missing"], ["name", "values", "missing"]]
    assert Card.of(json.loads(json.dumps(written))) == card()


def test_a_score_and_the_settings_of_a_case() -> None:
    assert list(Score(1, "contrast", 0).to_json()) == ["target", "kind", "rather_than"]
    assert list(ExplanationSettings().to_json()) == SETTINGS


def test_the_parameters_of_methods() -> None:
    assert {method.title: list(method().parameter_values()) for method in METHODS} == {
        "Grad-CAM": [],
        "Grad-CAM++": [],
        "Score-CAM": ["groups", "weight"],
        "LIME": [],
        "SHAP": ["estimator"],
        "Occlusion (smoothed)": ["search", "window", "stride"],
        "Integrated Gradients": ["baseline", "points"],
        "HiResCAM": [],
        "RISE": [],
        "Partition SHAP": ["cells"],
    }


def test_what_the_metrics_find() -> None:
    probabilities = np.zeros((3, 2), np.float32)
    located, pair = LocalisationScore("m", 0.5, 0.5, 0.5, 1.0), PairSimilarity("a", "b", 0.1, 0.2, 0.3, None)
    assert list(located.to_json()) == ["title", "energy", "overlap", "ranks", "points"]
    assert list(GridPointingScore("m", 0.5).to_json()) == ["title", "share"]
    assert list(pair.to_json()) == ["first", "second", "top_overlap", "shared_mass", "rank_correlation", "same_sign", "headline"]
    assert list(RawSimilarity(0.1, 0.2, 0.3, 0.4).to_json()) == ["spearman", "ssim", "pearson", "overlap"]
    assert list(MaxSensitivityScore("m", None, "why").to_json()) == ["title", "value", "reason"]
    assert list(InfidelityScore("m", 0.1).to_json()) == ["title", "value"]
    assert list(RoadScore("m", 0.1, 0.2).to_json()) == ["title", "least", "most", "value", "remark"]
    assert list(AverageDropScore("m", 0.1, 0.2).to_json()) == ["title", "drop", "increase"]
    assert list(DeletionCurve("m", "deletion", "blur", 0, probabilities).to_json()) == ["method", "kind", "substrate", "area", "curve"]
    rank = TransplantTest("m", "deletion", "blur", 0.1, 10, 20, 1).to_json()
    assert list(rank) == ["title", "kind", "substrate", "area", "better", "others", "ties", "told", "share"]
    hidden = HiddenPlaceResult("m", "blur", 0.1, 0.9, 0.5, 0, 1, 1.0, (0.0, 0.5), (0.9, 0.8)).to_json()
    assert list(hidden) == [
        *("title", "fill", "area", "before", "after", "answer_before", "answer", "fall", "more_than", "others", "p", "outcome"),
        *("others_fall", "others_after"),
    ]
    assert hidden["outcome"] == "the answer follows"
    stable = ReliabilityScore("m", 0.5, 0.6, False, 100, RepeatedReadingSource.HALF_RUNS).to_json()
    assert list(stable) == ["title", "between", "reliability", "converged", "further", "how", "unfinished", "sentence"]
    assert stable["how"] == "half runs"
    found = SanityCheckResult("m", CLASS, 0.1, "green", "", (0.1,)).to_json()
    assert list(found) == ["title", "check", "similarity", "light", "reason", "drawn"]
    assert found["check"] == "another class"


def test_the_metrics_of_the_manifest() -> None:
    metric = AgreementMetric(AgreementContext(None, "m", None, ()))
    consistency = consistency_of({"cam": noise(1), "lime": noise(2)}, ReferenceMaps(map_library()))
    written = json.loads(json.dumps(to_json_values(metric.to_json([AgreementResult(consistency)]))))
    assert list(written) == [
        *("kappa", "interval", "as_well_as_themselves", "warning", "families", "pairs", "stability"),
        *("controls", "left_out", "consensus", "votes", "notes"),
    ]
    (families,) = written["families"]
    assert list(families) == [
        *("families", "word", "why_not", "kappa", "interval", "p", "detectable", "others"),
        *("same_class", "same_class_others", "class_share"),
    ]
    (pair,) = written["pairs"]
    assert list(pair) == [
        *("pair", "word", "why_no_word", "kappa", "interval", "p", "others", "as_well_as_themselves", "self_agreement"),
        *("why_not", "explained_by", "likeness", "raw"),
    ]
    assert list(pair["likeness"]) == [
        *("first", "second", "top_overlap", "shared_mass", "rank_correlation", "same_sign", "headline", "by_chance"),
    ]
    assert list(pair["raw"]) == ["spearman", "ssim", "pearson", "overlap", "by_chance"]
    assert list(pair["raw"]["by_chance"]) == ["spearman", "ssim", "pearson", "overlap"]
    assert pair["word"] in families["word"] in ("cannot be told yet", "none", "some", "strong")
    assert pair["self_agreement"] == "taken as exact"
    assert list(dict.fromkeys(manifest_section_of_metric(kind) for kind in METRICS)) == [
        *("agreement", "faithfulness", "hidden", "hidden_each", "sanity", "sensitivity", "localisation", "grid_pointing_game"),
    ]
    faithfulness = [kind.given({}) for kind in METRICS if kind.section == "faithfulness"]
    assert [list(each.to_json([])) for each in faithfulness if each] == [
        *(["curves"], ["transplants"], ["road"], ["average_drop"], ["infidelity"]),
    ]


def test_the_manifest_and_a_library(tmp_path: Path) -> None:
    classifier = load_classifier("glass_box")
    head = manifest_header(ExplainOptions((), "glass_box", tmp_path / "out"), classifier, ExplanationSettings())
    assert list(head) == ["schema", "made_by", "made_at", "model", "engine", "settings", "colours", "versions"]
    assert list(head["model"]) == ["given_as", "sha256", "classes", "card", "metadata"]
    assert list(head["model"]["card"]) == [name for name in CARD if name != "labels"]
    assert list(head["settings"]) == SETTINGS
    case = Case(as_explainable_classifier(classifier), np.full((*classifier.size, 3), 0.5, np.float32), Score(1, "contrast", 0))
    attribution = Attribution(np.ones((2, 2), np.float32), np.ones((2, 2), np.float32))
    made = map_manifest_entry(MethodResult(GradCAM(), attribution, error="stopped"), "picture/grad_cam")
    assert list(made) == [
        *("method", "title", "signed", "source", "parameters", "evaluations", "shared_evaluations", "seconds"),
        *(
            "overlay",
            "native",
            "full",
            "grid",
            "converged",
            "uncertainty",
            "remark",
            "blank",
            "caveat",
            "branches",
            "native_signed",
            "error",
        ),
    ]
    entry = picture_manifest_entry(PictureSource("p.png", "0", (64, 64), (64, 64)), case, classifier, [made])
    assert list(entry) == [
        "file",
        "sha256",
        "page",
        "pages",
        "notes",
        "geometry",
        "prediction",
        "explained",
        "scores",
        "layers",
        "evaluations",
        "maps",
    ]
    assert list(entry["explained"]) == ["target", "kind", "rather_than", "label", "rather_than_label"]
    region = MaskFile("mask.png", "0", np.ones(classifier.size, bool))
    located = localisation_manifest_entry(case, [MethodResult(Occlusion(), attribution)], region)
    assert list(located) == ["mask", "sha256", "area", "tolerance", "maps"]
    assert list(located["maps"][0]) == ["title", "energy", "overlap", "ranks", "points"]
    assert list(map_library_settings(case, "m")) == ["model", "cells", "fill", "preset", "segments", "score", "methods"]


def test_the_game(tmp_path: Path) -> None:
    for number in range(4):
        Image.fromarray(draw_synthetic_picture("glass_box", number)).save(tmp_path / f"{number}.png")
    out = tmp_path / "game.json"
    play_grid_game(GridGameOptions("glass_box", tmp_path, ("grad_cam",), mosaics=1, out=out, quiet=True))
    written = json.loads(out.read_text(encoding="utf-8"))
    assert list(written) == ["made_by", "source", "versions", "model", "settings", "side", "chance", "mosaics", "methods"]
    assert list(written["settings"]) == SETTINGS


def test_a_report_card() -> None:
    outcome = KnownEvidenceOutcome("grid 0.1", EvidenceKind.GRID, 0.25, False, True, {"m": True}, {"m": 0.5}, {"m": 0.5})
    written = ReportCard({"model": "m", "methods": {"m": 1}}, (outcome,)).to_json()
    assert list(written) == ["format", "made_with", "kinds", "chance", "tallies", "cases"]
    assert written["format"] == 1
    assert list(written["tallies"][0]) == ["title", "found", "cases", "share", "low", "high"]
    assert list(written["cases"][0]) == ["key", "kind", "chance", "centre", "consensus", "found", "reliability", "fills"]
    assert [str(kind) for kind in EvidenceKind] == ["grid game", "planted evidence", "masks"]
    plan = ReportCardPlan([np.zeros((8, 8, 3), np.float32)], {})
    assert list(plan.made_with("m")) == ["model", "pictures", "count", "cases", "settings", "methods"]


def test_the_stored_first_answer() -> None:
    with np.load(cached_answer.FILE, allow_pickle=False) as stored:
        written = json.loads(str(stored["told"]))
    assert list(written) == ["target", "evaluations", "expected", "seconds", "made_for", "results"]
    assert list(written["made_for"]) == ["weights", "temperature", "picture", "preset", "methods", "plans"]
    assert list(written["results"]["LIME"]) == [
        *("evaluations", "shared", "seconds", "uncertainty", "converged", "more_helps", "remark", "blank"),
    ]


def test_the_configuration_of_the_page() -> None:
    written = browser_page_config([method() for method in METHODS])
    assert list(written) == ["address", "colours", "methods", "words", "upload"]
    assert list(written["colours"]) == ["plain", "signed", "titles", "tables", "rule"]
    assert list(written["words"]) == ["scale", "keys", "summaries", "glossary"]
    assert list(written["upload"]) == ["bytes", "tooLarge", "modelBytes", "modelSuffixes", "modelKinds", "modelTooLarge"]
    method = describe_method(Occlusion())
    assert list(method) == ["title", "about", "formula", "source", "asks", "costs", "fails", "parameters"]
    choice, number, _ = method["parameters"]
    assert list(choice) == ["name", "help", "default", "options"]
    assert list(number) == ["name", "help", "default", "low", "high", "step"]


def test_the_report_of_an_inspection() -> None:
    written = inspection_report.InspectionReport(
        name="m",
        findings=(inspection_report.InspectionFinding("file", "It opens.", "It was tried."),),
        layers=(inspection_report.LayerReport("conv", (2, 2), 4, None, True),),
        candidates=(inspection_report.PreprocessingCandidate("0..1", "rgb", None, None, 0.5, 0.5, 0.5, 0.5, "a", 0.5),),
        card=card(),
    ).to_json()
    assert list(written) == ["name", "findings", "layers", "candidates", "sure", "card", "proposed", "pictures", "classes_known"]
    assert list(written["findings"][0]) == ["about", "says", "known_by", "level"]
    assert list(written["layers"][0]) == ["name", "grid", "channels", "receptive_field", "used"]
    assert list(written["candidates"][0]) == [
        *("scaling", "colour", "accuracy", "auc", "confidence", "entropy", "steadiness", "spread", "commonest", "score"),
    ]
    assert list(written["card"]) == CARD
    assert written["proposed"] is None


def test_an_evaluation() -> None:
    rows = tuple(CollectionRow(Path(f"/data/a/{n}.png"), n % 2, "") for n in range(8))
    logits = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)
    logits[0] = 0, 5  # a mistake
    written = json.loads(evaluation_json(assess_logits(logits, card(), EvaluationData("set", rows, "all", "nowhere", "none"))))
    assert list(written) == [
        *("model", "sha256", "labels", "head", "temperature", "material", "groups", "settings", "overall", "classes", "confusion"),
        *("confusion_shares", "curves", "reliability", "reliability_before", "mistakes"),
    ]
    assert list(written["material"]) == ["name", "rows", "part", "source", "licence", "by_class"]
    assert list(written["settings"]) == ["resamples", "seed", "level", "mistakes"]
    assert list(written["overall"]["accuracy"]) == FIGURE
    assert list(written["classes"][0]) == ["label", "pictures", "figures"]
    assert list(written["confusion_shares"][0][0]) == FIGURE
    assert list(written["curves"][0]) == ["label", "false_positives", "true_positives"]
    for bins in (written["reliability"], written["reliability_before"]):
        assert list(bins[0]) == ["low", "high", "pictures", "confidence", "accuracy"]
    assert list(written["mistakes"][0]) == ["path", "truth", "answer", "confidence", "truth_probability"]
    assert written["mistakes"][0]["path"].startswith("a/")


def test_a_checkpoint_a_version_and_an_export() -> None:
    state = TrainingState({"seed": 0})
    assert list(state.to_json()) == ["plan", "stage", "epoch", "best_loss", "history"]
    assert list(state.arrays()) == ["model", "optimizer", "best"]
    assert TrainingState.from_json(state.to_json(), state.arrays()) == state
    assert list(ValidationMetrics(0.1, 0.2, 0.3).to_json()) == ["loss", "accuracy", "balanced_accuracy"]
    version = ModelVersion("v1", "m", "0", "today")
    assert list(version.to_json()) == ["version", "name", "sha256", "date"]
    assert ModelVersion.from_json(version.to_json()) == version
    with pytest.raises(KeyError):
        ModelVersion.from_json({"version": "v1"})
    written = ExportResult("onnx", "onnx/m.onnx", 10, OutputDifference(0.1, 0.1, 1.0)).to_json()
    assert list(written) == ["format", "file", "bytes", "difference", "reason"]
    assert list(written["difference"]) == ["largest", "mean", "agreement"]
    assert ExportResult("onnx", reason="why").to_json()["difference"] is None


def test_the_messages_of_an_untrusted_models_process() -> None:
    served = load_classifier("glass_box")
    written = json.loads(json.dumps(_described(served)))
    assert list(written) == ["card", "layers", "from_probabilities", "forward_only", "engine", "heads", "picture_inputs"]
    assert list(written["engine"]) == ["name", "version", "threads", "remark"]
    assert list(written["card"]) == CARD
    assert [type(part) for part in written["layers"][0]] == [str, list, int, int, bool, bool, list]
    seen = json.loads(json.dumps(_structure(served, np.zeros((1, *served.size, 3), np.float32))))
    assert list(seen) == ANATOMY
    assert list(seen["inputs"][0]) == list(seen["output"]) == ["name", "shape", "dtype"]
    assert list(model_structure.InputTransform((1.0,), (0.0,), False).to_json()) == ["slope", "offset", "backwards"]
    assert model_structure.parse_model_structure(seen) == model_structure.parse_model_structure(
        json.loads(json.dumps(model_structure.parse_model_structure(seen).to_json()))
    )
    assert list(_error(ValueError("no"))) == ["error", "message"]
