"""Makes an evaluation one HTML page that holds its charts, its style and its pictures itself and asks nothing of the network."""

import base64
import io
from collections import Counter
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined
from PIL import Image

from models.datasets.batch_decode import picture
from models.evaluation.charts import diagram, roc
from models.evaluation.classification_metrics import BY_CLASS, Figure
from models.evaluation.records import Evaluation

THUMBNAIL = 192  # pixels, the longer side
_TEMPLATE = Path(__file__).with_name("html_report.html.j2")


def page(evaluation: Evaluation) -> str:
    """The whole page as HTML."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"figure": figure_in_words, "thumbnail": thumbnail}
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    named = Counter(row.label for row in evaluation.material.rows)
    return template.render(
        evaluation=evaluation,
        material=evaluation.material,
        measures=BY_CLASS,
        present=sum(1 for label in range(len(evaluation.labels)) if named[label]),
        roc=roc(evaluation),
        diagram=diagram(evaluation),
    )


def figure_in_words(figure: Figure) -> str:
    """0.912 (0.88 to 0.94), or a dash where the pictures do not decide it."""
    if figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def thumbnail(file: Path) -> str:
    """A picture file as a small JPEG in a data URI."""
    image = Image.fromarray(np.rint(picture(file) * 255).astype(np.uint8))
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    held = io.BytesIO()
    image.save(held, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(held.getvalue()).decode()
