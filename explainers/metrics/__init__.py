"""How good a map is: one module a metric, sorted by what it asks.

A new metric is a file, two lines here (its import and its place in the tuple), a test against a hand-worked value, and docs/metrics.md by
its command. The page, the command line and the manifest follow.
"""

from typing import Any

from explainers.metric import Metric
from explainers.metrics.agreement.agreement import AgreementMetric
from explainers.metrics.faithfulness.average_drop import AverageDropMetric
from explainers.metrics.faithfulness.deletion_insertion import DeletionInsertionMetric
from explainers.metrics.faithfulness.hidden_place import HiddenConsensusMetric, HiddenPlacesMetric
from explainers.metrics.faithfulness.infidelity import InfidelityMetric
from explainers.metrics.faithfulness.road import RoadMetric
from explainers.metrics.faithfulness.transplants import TransplantsMetric
from explainers.metrics.localisation.evidence_overlap import LocalisationMetric
from explainers.metrics.localisation.grid_pointing_game import GridPointingGameMetric
from explainers.metrics.randomisation.sanity_checks import SanityChecksMetric
from explainers.metrics.robustness.max_sensitivity import MaxSensitivityMetric
from explainers.metrics.robustness.reliability import ReliabilityMetric

METRICS: tuple[type[Metric[Any]], ...] = (
    AgreementMetric,
    DeletionInsertionMetric,
    TransplantsMetric,
    HiddenConsensusMetric,
    HiddenPlacesMetric,
    ReliabilityMetric,
    RoadMetric,
    AverageDropMetric,
    InfidelityMetric,
    SanityChecksMetric,
    MaxSensitivityMetric,
    LocalisationMetric,
    GridPointingGameMetric,
)
"""All metrics, in the order of the page and the manifest."""
