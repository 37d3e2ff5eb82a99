"""An evaluation's charts as SVG in the text colour of the page around them, legible in light and dark themes."""

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas
from matplotlib.rcsetup import cycler

from models.evaluation.evaluation_records import Evaluation, ReliabilityBin

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK = "#010203"  # a placeholder, replaced by the page's text colour
_COLOURS = ("#3b7dd8", "#d9822b", "#2f9e6e", "#c2418f", "#8a6fd1", "#b0a11f", "#21a3b8", "#d0524f", "#7d8894")
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=_COLOURS),
    "legend.frameon": False,
}


def roc_chart(evaluation: Evaluation) -> str:
    """The ROC curves, one per class; the dashed diagonal is chance."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": "roc"}):
        canvas, axes = _square("share of the others called so (1 - specificity)", "share found (sensitivity)")
        axes.plot((0, 1), (0, 1), color=_INK, alpha=0.4, linestyle="--", linewidth=1)
        for curve in evaluation.curves:
            of = next(each for each in evaluation.classes if each.label == curve.label)
            label = curve.label if len(curve.label) <= 24 else curve.label[:23] + "…"
            axes.plot(curve.false_positives, curve.true_positives, linewidth=1.8, label=f"{label} ({of.figures['AUC'].value:.3f})")
        if evaluation.curves:
            axes.legend(loc="lower right", fontsize=9, title="area under the curve", title_fontsize=9)
        return _svg(canvas, "Receiver operating characteristic")


def reliability_chart(evaluation: Evaluation) -> str:
    """The reliability diagram at the card's temperature and, fainter, before it; the dots' areas show how many pictures each bin holds."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": "reliability"}):
        canvas, axes = _square("mean confidence", "share named rightly")
        axes.plot((0, 1), (0, 1), color=_INK, alpha=0.4, linestyle="--", linewidth=1)
        if evaluation.temperature != 1:
            _dots(axes, evaluation.reliability_before, "before", _COLOURS[-1])
        _dots(axes, evaluation.reliability, f"at temperature {evaluation.temperature:.2f}", _COLOURS[0])
        axes.legend(loc="upper left", fontsize=9)
        return _svg(canvas, "Reliability diagram")


def _dots(axes: "Axes", bins: Sequence[ReliabilityBin], label: str, colour: str) -> None:
    x, y = [each.confidence for each in bins], [each.accuracy for each in bins]
    most = max(each.pictures for each in bins)
    axes.plot(x, y, color=colour, linewidth=1.4, marker="o", markersize=4, label=label)
    axes.scatter(x, y, [20 + 260 * each.pictures / most for each in bins], color=colour, alpha=0.3, linewidths=0, clip_on=False)


def _square(across: str, up: str) -> tuple[Canvas, "Axes"]:
    canvas = Canvas((4.6, 4.4), layout="constrained")
    axes = canvas.add_subplot(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=across, ylabel=up, aspect="equal")
    axes.grid(color=_INK, alpha=0.12, linewidth=0.6)
    return canvas, axes


def _svg(canvas: Canvas, title: str) -> str:
    file = io.StringIO()
    canvas.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Title": title})
    text = file.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return text.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
