"""The methods, in the order of the page. A new one is a file, a line here and a hand-worked test."""

from explainers.method import Method
from explainers.methods.grad_cam import GradCAM

SEVEN: tuple[type[Method], ...] = (GradCAM,)
"""The techniques that every case is looked at with."""

METHODS: tuple[type[Method], ...] = (*SEVEN,)
"""All techniques: the seven and the extras."""
