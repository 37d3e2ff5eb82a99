"""The browser paints a map as `app.rendering` does, pixel by pixel."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from app.page.assets import static_file_url
from app.rendering import DIVERGING, SEQUENTIAL, overlay_map, quantise_map

SIDE = 28
PAINT = """async ([address, codes, photo, side, signed, colours]) => {
    const { paintMap, upsample } = await import(new URL(address + 'lib/maps.js', document.baseURI));
    const { view } = await import(new URL(address + 'lib/view_state.js', document.baseURI));
    const before = { ...view };
    Object.assign(view, { mode: 'overlay', strongest: 100, opacity: 70, colours, signedColours: colours });
    const map = { h: side, w: side, codes: Uint8Array.from(codes) };
    const canvas = document.createElement('canvas');
    paintMap(canvas, { W: side, H: side, signed, codes: map, shares: upsample(map, side, side, signed) }, Uint8ClampedArray.from(photo));
    Object.assign(view, before);
    return [...canvas.getContext('2d').getImageData(0, 0, side, side).data];
}"""


@pytest.mark.parametrize(("signed", "colours"), [(False, SEQUENTIAL[0]), (True, DIVERGING[0]), (False, "inferno"), (True, "RdBu_r")])
def test_the_browser_and_the_command_line_paint_alike(page: Page, signed: bool, colours: str) -> None:
    rng = np.random.default_rng(7)
    values = rng.normal(size=(SIDE, SIDE)).astype(np.float32)
    values[0] = 0
    photo = rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    rgba = np.dstack([photo, np.full((SIDE, SIDE), 255, np.uint8)])
    given: list[Any] = [static_file_url(""), quantise_map(values, signed).ravel().tolist(), rgba.ravel().tolist(), SIDE, signed, colours]
    painted = np.array(page.evaluate(PAINT, given)).reshape(SIDE, SIDE, 4)
    assert (painted[..., 3] == 255).all()
    expected = overlay_map(photo.astype(np.float32) / 255, values, signed, colours=colours).astype(int)
    assert np.abs(painted[..., :3] - expected).max() <= 6, "a code is 1/255 of the strongest value; the fade is steep"
    assert np.abs(painted[..., :3] - expected).mean() < 1
