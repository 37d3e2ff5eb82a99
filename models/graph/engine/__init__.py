"""Engines that evaluate forward passes in place of TensorFlow: compiled, checked against it, and used only where they agree."""
