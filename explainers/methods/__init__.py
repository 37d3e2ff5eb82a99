"""The methods, in the order of the page.

A new one is a file, two lines here (its import and its place in the tuple), one hand-worked test, and docs/methods.md by its command.
Older libraries serve the other methods as before; of its own pairs nothing is said until a new library is made.
"""

from explainers.method import Method
from explainers.methods.grad_cam import GradCAM
from explainers.methods.grad_cam_plus_plus import GradCAMPlusPlus
from explainers.methods.hirescam import HiResCAM
from explainers.methods.integrated_gradients import IntegratedGradients
from explainers.methods.lime import LIME
from explainers.methods.occlusion import Occlusion
from explainers.methods.partition_shap import PartitionSHAP
from explainers.methods.rise import RISE
from explainers.methods.score_cam import ScoreCAM
from explainers.methods.shap import SHAP

SEVEN: tuple[type[Method], ...] = (
    GradCAM,
    GradCAMPlusPlus,
    ScoreCAM,
    LIME,
    SHAP,
    Occlusion,
    IntegratedGradients,
)
"""The techniques that every case is looked at with."""

METHODS: tuple[type[Method], ...] = (
    *SEVEN,
    HiResCAM,
    RISE,
    PartitionSHAP,
)
"""All techniques: the seven and the extras."""
