"""Prints, for each line that comes in, the milliseconds per picture of the bare model by TensorFlow: `benchmarks.page` starts it.

Between two lines it waits and takes no time from anybody.
"""

import sys
import time

import numpy as np


def main() -> None:
    """Arguments: the model, the pictures of a pass, the passes of which the fastest counts."""
    name, count, passes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    from models.loading import load_classifier

    classifier = load_classifier(name)
    images = np.random.default_rng(0).random((count, *classifier.size, 3), np.float32)
    classifier.outputs(images)
    for _ in sys.stdin:
        times = []
        for _ in range(passes):
            started = time.perf_counter()
            classifier.outputs(images)
            times.append(time.perf_counter() - started)
        print(f"{min(times) * 1e3 / count:.3f}", flush=True)


if __name__ == "__main__":
    main()
