"""The slider under the second question: the curves of deletion and insertion, and what the browser needs to show every step."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.explanation import method_key
from app.page.views.alt_text import short_class_names
from app.page.views.image_data_uris import baseline_fill_data_uri, deletion_steps_data_uri
from app.page.views.prediction import likeliest_classes
from app.service.request import ExplanationState
from explainers.explanation_case import ExplanationSettings
from explainers.method_runner import maps_with_positive_evidence
from explainers.metrics.faithfulness.deletion_insertion import (
    FILL,
    DeletionCurve,
    DeletionInsertionMetric,
    deletion_step_per_pixel,
    inconclusive_curve_reason,
)

Value = dict[str, Any]
STYLES: dict[str, tuple[int, ...]] = {"CAM": (0, 1, 2, 7), "surrogate": (3, 4, 8, 9), "occlusion": (5,), "gradient": (6,)}
STEPS = DeletionInsertionMetric().plan.steps
OWN = (
    "The confidence here is the classifier's own, before it is calibrated: with the whole picture it differs from the one above. "
    "Deletion and insertion are always judged on it."
)


def deletion_slider_view(report: ExplanationState, run: int) -> Value:
    """Empty but for the run until deletion and insertion were asked for."""
    curves, card = report.measures.of(DeletionInsertionMetric), report.card
    if not curves or report.image is None or card is None or report.probabilities is None:
        return {"run": run, "curves": {}}
    shown = likeliest_classes(report)
    names = short_class_names(card.labels)
    return {
        "run": run,
        "count": STEPS,
        "methods": _methods(report, report.image.shape[:2]),
        "fills": _fills(report.image),
        "classes": [{"index": index, "label": names[index], "explained": index == report.target} for index in shown],
        "curves": _curves(curves, shown, report),
        "note": "" if card.temperature == 1.0 else OWN,
    }


def _methods(report: ExplanationState, size: tuple[int, int]) -> list[Value]:
    """In the order of the request, each with its line's style: a colour a family, a dash within it. size: (H, W) of the picture."""
    styles = {family: list(numbers) for family, numbers in STYLES.items()}
    maps = maps_with_positive_evidence(report.results.values())
    shown = [method for method in report.request.methods if method.title in maps]
    return [
        {"id": method_key(one), "title": one.title, "style": styles[one.family].pop(0), "steps": _steps(maps[one.title], size)}
        for one in shown
    ]


def _steps(values: NDArray[np.float32], size: tuple[int, int]) -> str:
    return deletion_steps_data_uri(values, lambda: deletion_step_per_pixel(values, size, ExplanationSettings().seed, STEPS))


def _fills(image: NDArray[np.float32]) -> dict[str, str]:
    """Kind and substrate -> the picture that stands where the picture is not."""
    return {f"{kind} {substrate}": baseline_fill_data_uri(image, fill) for (kind, substrate), fill in FILL.items()}


def _curves(curves: Sequence[DeletionCurve], shown: list[int], report: ExplanationState) -> dict[str, Value]:
    """Kind and substrate -> each map's curve with its area, its bars at every step, and the band of the random orders."""
    ids = {method.title: method_key(method) for method in report.request.methods}
    groups: dict[str, Value] = {}
    for curve in curves:
        group = groups.setdefault(f"{curve.kind} {curve.substrate}", {"lines": {}, "random": []})
        if curve.random:
            group["random"].append(_rounded(_target(curve)))
        elif curve.title in ids:
            bars = _rounded(curve.probabilities[:, shown])
            group["lines"][ids[curve.title]] = {"area": f"{curve.area:.3f}", "bars": bars, "values": _rounded(_target(curve))}
    for name, group in groups.items():
        remarks = {inconclusive_curve_reason(c, curves) for c in curves if f"{c.kind} {c.substrate}" == name and c.title in ids}
        rows = np.array(group.pop("random") or [[0.0]])
        areas = [c.area for c in curves if c.random and f"{c.kind} {c.substrate}" == name]
        group |= {"low": _rounded(rows.min(0)), "high": _rounded(rows.max(0)), "randomArea": f"{np.mean(areas):.3f}" if areas else ""}
        group["remark"] = remarks.pop() if len(remarks) == 1 else ""
    return groups


def _target(curve: DeletionCurve) -> NDArray[np.float32]:
    return curve.probabilities[:, curve.target]


def _rounded(values: NDArray[Any]) -> Any:
    return np.round(values.astype(np.float64), 4).tolist()
