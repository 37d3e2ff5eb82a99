"""How good a map is: one module a metric, sorted by what it asks.

A new metric is a file, two lines here (its import and its place in the tuple), a test against a hand-worked value, and docs/metrics.md by
its command. The page, the command line and the manifest follow.
"""

from typing import Any

from explainers.metric import Metric
from explainers.metrics.agreement.agreement import Agreement
from explainers.metrics.faithfulness.average_drop import AverageDrop
from explainers.metrics.faithfulness.deletion_insertion import DeletionInsertion
from explainers.metrics.faithfulness.displaced_copies import DisplacedCopies
from explainers.metrics.faithfulness.hidden_place import HiddenConsensus, HiddenPlaces
from explainers.metrics.faithfulness.infidelity import InfidelityMetric
from explainers.metrics.faithfulness.road import ROAD
from explainers.metrics.localisation.evidence_overlap import Localisation
from explainers.metrics.localisation.grid_pointing_game import GridPointingGame
from explainers.metrics.randomisation.sanity_checks import SanityChecks
from explainers.metrics.robustness.max_sensitivity import MaxSensitivity
from explainers.metrics.robustness.reliability import Reliability

METRICS: tuple[type[Metric[Any]], ...] = (
    Agreement,
    DeletionInsertion,
    DisplacedCopies,
    HiddenConsensus,
    HiddenPlaces,
    Reliability,
    ROAD,
    AverageDrop,
    InfidelityMetric,
    SanityChecks,
    MaxSensitivity,
    Localisation,
    GridPointingGame,
)
"""All metrics, in the order of the page and the manifest."""
