"""What packages make of a model file, each run in its own environment by `python -m benchmarks.zoo`."""
