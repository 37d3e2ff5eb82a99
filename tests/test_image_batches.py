"""Batches are sized by bytes: small images in full batches, large ones and large layers in fewer, one at least."""

import pytest

from image_batches import ACTIVATION_BYTES, IMAGE_BYTES, batch_of
from models.graph.grid_layer import GridLayer


@pytest.mark.parametrize(
    ("size", "most", "grids", "right"),
    [
        ((224, 224), 32, [], 32),
        ((256, 256), 64, [], 32),
        ((1024, 1024), 32, [], 2),
        ((2048, 2048), 32, [], 1),
        ((100_000, 100_000), 16, [], 1),
        ((224, 224), 32, [(224, 224, 64), (7, 7, 512)], 32),
        ((32, 32), 32, [(2048, 2048, 16)], 2),
        ((32, 32), 32, [(4096, 4096, 64)], 1),
        ((8, 8), 1, [], 1),
    ],
)
def test_a_batch_stays_within_its_bytes(size: tuple[int, int], most: int, grids: list[tuple[int, int, int]], right: int) -> None:
    layers = [GridLayer("layer", (height, width), channels, 0, False) for height, width, channels in grids]
    count = batch_of(size, most, layers)
    assert count == right
    if count > 1:
        assert count * size[0] * size[1] * 12 <= IMAGE_BYTES
        assert all(count * height * width * channels * 4 <= ACTIVATION_BYTES for height, width, channels in grids)
