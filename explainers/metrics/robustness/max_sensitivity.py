"""How far a map moves at most under changes of the picture that cannot be seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from errors import UserError
from explainers.blank_maps import mark_blank_attribution
from explainers.classifier_protocol import Floats
from explainers.explanation_case import Case
from explainers.grid import enlarge_map
from explainers.method import Method
from explainers.method_runner import MethodResult
from explainers.metric import Family, Metric

RADIUS = 2 / 255
"""Each value of the picture is moved by at most two levels of 255."""
DRAWS = 4
ZERO = "The map is zero."
SOURCE = "Yeh et al. 2019, arXiv:1901.09392, def. 2.2"


@dataclass(frozen=True)
class MaxSensitivityScore:
    """max over d of |map(x + d) - map(x)| / |map(x)|, d uniform within the radius: 0 never moves; a lower bound, by its few draws.

    value is None where there is none; reason says why.
    """

    title: str
    value: float | None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "value": self.value, "reason": self.reason}


@dataclass(frozen=True)
class MaxSensitivityMetric(Metric[MaxSensitivityScore]):
    """How far the map moves at most, over its length, when the picture carries noise that cannot be seen."""

    title = "Max-sensitivity"
    key = "sensitivity"
    family: ClassVar[Family] = "robustness"
    reruns = True
    on_page = False
    source = SOURCE
    formula = "max over d of ‖map(x + d) − map(x)‖ / ‖map(x)‖, d uniform within 2/255: a lower bound, by its four draws"
    description = "Noise that cannot be seen is added to the picture. A map that jumps about then says little about the picture."

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[MaxSensitivityScore]:
        yield from max_sensitivities(case, [result.method for result in results])

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return max_evaluations_of_sensitivity(case, [result.method for result in results])


def max_evaluations_of_sensitivity(case: Case, methods: Sequence[Method]) -> int:
    """Evaluations at most: every method runs again on every changed picture, and once on the picture itself."""
    return (DRAWS + 1) * sum(method.cost(case) for method in methods)


def max_sensitivities(case: Case, methods: Sequence[Method]) -> Iterator[MaxSensitivityScore]:
    """`max_evaluations_of_sensitivity` evaluations at most; None for a map that is zero or cannot be made again. Raises Stopped."""
    changed = [add_uniform_noise(case.image, case.seed + 1 + number) for number in range(DRAWS)]
    for method in methods:
        try:
            own = _map(case, method)
            value = largest_relative_change(own, [_map(case.variant(image), method) for image in changed])
        except UserError as error:
            yield MaxSensitivityScore(method.title, None, str(error))
        else:
            yield MaxSensitivityScore(method.title, value, "" if value is not None else ZERO)


def add_uniform_noise(image: Floats, seed: int) -> Floats:
    """The picture with uniform noise within the radius, kept within 0..1."""
    noise = np.random.default_rng(seed).uniform(-RADIUS, RADIUS, image.shape).astype(np.float32)
    return np.asarray(np.clip(image + noise, 0, 1), np.float32)


def largest_relative_change(own: Floats, others: Sequence[Floats]) -> float | None:
    """The largest distance to `own`, over its length; None where it is zero."""
    length = float(np.linalg.norm(own))
    return max(float(np.linalg.norm(other - own)) for other in others) / length if length > 0 else None


def _map(case: Case, method: Method) -> Floats:
    *_, last = method(case)
    return enlarge_map(mark_blank_attribution(method, last, case).values, case.size)
