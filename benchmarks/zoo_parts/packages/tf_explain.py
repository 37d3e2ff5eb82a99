"""tf-explain's Grad-CAM, Occlusion Sensitivity and Integrated Gradients. It returns coloured pictures; where its own methods give the
underlying map, that is checked, after the picture has been made.
"""

from typing import Any

from tf_explain.core.grad_cam import GradCAM
from tf_explain.core.integrated_gradients import IntegratedGradients
from tf_explain.core.occlusion_sensitivity import OcclusionSensitivity

from benchmarks.zoo_parts.packages.package_server import Job, Maps, keras_model, serve

ACROSS = 8


def maps(model: Any, job: Job) -> Maps:
    """A map a technique."""
    yield "Grad-CAM", lambda: _grad_cam(model, job)
    yield "Occlusion", lambda: _occlusion(model, job)
    yield "Integrated Gradients", lambda: IntegratedGradients().explain((job.model_input, None), model, job.unit)


def _grad_cam(model: Any, job: Job) -> Any:
    explainer = GradCAM()
    explainer.explain((job.model_input, None), model, job.unit)
    layer = explainer.infer_grad_cam_target_layer(model)
    outputs, gradients = GradCAM.get_gradients_and_filters(model, job.model_input, layer, job.unit, True)
    return GradCAM.generate_ponderated_output(outputs, gradients)[0].numpy()


def _occlusion(model: Any, job: Job) -> Any:
    explainer, patch = OcclusionSensitivity(), max(4, job.side // ACROSS)
    explainer.explain((job.model_input, None), model, job.unit, patch)
    return explainer.get_sensitivity_map(model, job.model_input[0], job.unit, patch)


if __name__ == "__main__":
    serve(keras_model, maps)
