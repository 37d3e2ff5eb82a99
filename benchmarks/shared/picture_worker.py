"""What it costs to decode a picture in a confined process: `python -m benchmarks.shared.picture_worker`.

The same file is decoded in this process and in a worker that runs already, in turn, round by round. The ratio is that of the fastest
times, so that a noisy machine disturbs both alike.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from models.images.decoder import decode_picture
from models.output.markdown import markdown_table_head, markdown_table_row
from models.sandbox.picture_decoder import PictureDecoder

SIZES = ((480, 640), (1536, 2048), (3000, 4000))
KINDS = ("JPEG", "PNG")


def main() -> None:
    """Prints a row for each kind and size, and how long a worker takes to be ready."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="how often each is timed, after once to warm up (15)")
    options = parser.parse_args()
    pool = PictureDecoder(1)
    starting = _seconds(pool.decode, _file("PNG", (32, 32)))
    print(machine_line(), "\n")
    print(markdown_table_head(("picture", "file, kB", "pixels back, MB", "in this process, ms", "in a warm worker, ms", "ratio")))
    for kind in KINDS:
        for size in SIZES:
            data = _file(kind, size)
            times: dict[Callable[[bytes], NDArray[np.float32]], list[float]] = {decode_picture: [], pool.decode: []}
            for number in range(options.rounds + 1):
                for decoder, seconds in times.items():
                    taken = _seconds(decoder, data)
                    if number:
                        seconds.append(taken)
            here, there = (min(seconds) * 1000 for seconds in times.values())
            back = decode_picture(data).nbytes / 1e6
            row = f"{kind}, {size[1]} x {size[0]}", f"{len(data) / 1000:.0f}", f"{back:.1f}"
            print(markdown_table_row((*row, f"{here:.1f}", f"{there:.1f}", f"{there / here:.2f}")), flush=True)
    print(f"\nA worker is started once, and ready after {starting:.2f} s.")
    pool.close()


def _file(kind: str, size: tuple[int, int]) -> bytes:
    """A picture (h, w) with detail on several scales, as a photograph has."""
    random, values = np.random.default_rng(0), np.zeros((*size, 3), np.float32)
    for coarse in (4, 32, 256):
        noise = random.random((min(coarse, size[0]), min(coarse, size[1]), 3), np.float32)
        values += cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC) / 3
    file = io.BytesIO()
    Image.fromarray(np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)).save(file, kind)
    return file.getvalue()


def _seconds(decoder: Callable[[bytes], NDArray[np.float32]], data: bytes) -> float:
    started = time.perf_counter()
    decoder(data)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(run_benchmark("shared.picture_worker", main))
