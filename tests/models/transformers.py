"""Small Vision Transformers of the usual shapes, with random weights: those of the zoo."""

from benchmarks.zoo_models.transformers import ALL, LAST, averaged, flattened, hybrid, with_class_token

__all__ = ["ALL", "LAST", "averaged", "flattened", "hybrid", "with_class_token"]
