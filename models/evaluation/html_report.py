"""Renders an evaluation as one self-contained HTML page, with its charts, style and pictures."""

import base64
import io
from collections import Counter
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined
from PIL import Image

from models.datasets.batch_decode import read_image
from models.evaluation.charts import reliability_chart, roc_chart
from models.evaluation.classification_metrics import BY_CLASS, UNCALIBRATED, IntervalEstimate
from models.evaluation.evaluation_records import Evaluation

THUMBNAIL = 192  # pixels, the longer side
_TEMPLATE = Path(__file__).with_name("html_report.html.j2")


def render_evaluation_html(evaluation: Evaluation) -> str:
    """The whole page as HTML."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"figure": format_with_interval, "thumbnail": picture_thumbnail_uri}
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    counts = Counter(row.label for row in evaluation.data.rows)
    return template.render(
        evaluation=evaluation,
        data=evaluation.data,
        measures=BY_CLASS,
        uncalibrated=UNCALIBRATED,
        present=sum(1 for label in range(len(evaluation.labels)) if counts[label]),
        roc=roc_chart(evaluation),
        diagram=reliability_chart(evaluation),
    )


def format_with_interval(estimate: IntervalEstimate) -> str:
    """0.912 (0.88 to 0.94), or a dash where the pictures do not determine it."""
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def picture_thumbnail_uri(file: Path) -> str:
    """A picture file as a small JPEG in a data URI."""
    image = Image.fromarray(np.rint(read_image(file) * 255).astype(np.uint8))
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
