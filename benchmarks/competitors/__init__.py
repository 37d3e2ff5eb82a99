"""The same maps by the packages that a user would pick instead, each run in its own environment by `python -m benchmarks.speed`."""

MODELS = ("MobileNetV2", "ResNet50")
WHOLE, OPENED = "all seven", "opened"
"""Our two runs: all seven maps in one process, and the first answer of a process that has opened the model as the page does."""
PHOTOGRAPHS = ("cat", "owl", "sunflower")
SMOOTHED = "Occlusion (smoothed)"
"""Our title; the package's is of plain patches."""
PACKAGES = {
    "tf_keras_vis": ("Grad-CAM", "Grad-CAM++", "Score-CAM"),
    "lime": ("LIME",),
    "shap": ("SHAP",),
    "xplique": (SMOOTHED, "Integrated Gradients"),
}
"""Package -> the maps that are taken from it."""
