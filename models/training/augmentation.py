"""Changes training pictures at random: cuts, mirrors, turns and colours them, each batch in one pass over its pixels.

All that moves pixels is one affine map a picture, all that colours them one 3 x 4 matrix, so that OpenCV does both at thousands of pictures
a second on one core; the layers of TensorFlow and Keras do a few hundred.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from errors import UserError

_GREY = np.array([0.299, 0.587, 0.114])  # how much red, green and blue weigh in a grey, ITU-R BT.601
_BOUNDS = {
    "area": (0.05, 1),
    "aspect": (0, 1),
    "rotation": (0, 180),
    "brightness": (0, 1),
    "contrast": (0, 1),
    "saturation": (0, 1),
    "hue": (0, 0.5),
}


@dataclass(frozen=True)
class Augmentation:
    """What may happen to a picture. With every strength at its default, nothing does.

    area: least share of the picture that a cut keeps. aspect: by how much, as a share, a cut may be wider or higher than the picture.
    mirror: left for right in half of the pictures; flip: top for bottom. rotation: at most so many degrees, either way.
    brightness: added at most, either way. contrast, saturation: multiplied by 1 at most so much more or less. hue: turned by at
    most this share of the circle. What comes in from outside a turned picture is its mirror image.
    """

    area: float = 1.0
    aspect: float = 0.0
    mirror: bool = False
    flip: bool = False
    rotation: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    def __post_init__(self) -> None:
        for name, (least, most) in _BOUNDS.items():
            if not least <= getattr(self, name) <= most:
                raise UserError(f"The augmentation's {name} is {getattr(self, name)}; it must lie from {least} to {most}.")

    def __call__(self, pictures: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
        """(n, H, W, 3) uint8 -> (n, H, W, 3) float32 0..1. Every draw comes from `rng`, the same number whatever the strengths."""
        count, height, width = pictures.shape[:3]
        draws = rng.uniform(-1, 1, (count, 11))
        maps, colours = self.maps(draws[:, :7], height, width), self.colours(draws[:, 7:])
        made = np.empty(pictures.shape, np.float32)
        moved, coloured = not np.allclose(maps, np.eye(2, 3)), not np.allclose(colours, np.eye(3, 4))
        for picture, affine, colour, out in zip(pictures, maps, colours, made, strict=True):
            if moved:
                flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
                picture = cv2.warpAffine(picture, affine, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)
            np.divide(picture, np.float32(255), out=out)
            if coloured:
                cv2.transform(out.copy(), colour, dst=out)
        return np.clip(made, 0, 1, out=made) if coloured else made

    def maps(self, draws: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
        """(n, 7) in -1..1 -> (n, 2, 3): where in the picture, in pixels (x, y), a pixel of the result is taken from."""
        area = 1 - (1 - self.area) * (draws[:, 0] + 1) / 2
        ratio = (1 + self.aspect) ** (draws[:, 1] / 2)
        size = np.minimum(np.sqrt(area)[:, None] * np.stack([ratio, 1 / ratio], 1), 1)  # share of the width, of the height
        shift = draws[:, 2:4] * (1 - size) / 2 * (width, height)
        mirrored = np.where(draws[:, 4:6] < 0, [-1.0 if self.mirror else 1.0, -1.0 if self.flip else 1.0], 1.0)
        angle = np.deg2rad(self.rotation * draws[:, 6])
        turn = np.stack([np.stack([np.cos(angle), -np.sin(angle)], 1), np.stack([np.sin(angle), np.cos(angle)], 1)], 1)
        linear = turn * (size * mirrored)[:, None]
        middle = np.array([(width - 1) / 2, (height - 1) / 2])
        return np.concatenate([linear, (middle + shift - linear @ middle)[..., None]], 2)

    def colours(self, draws: NDArray[np.float64]) -> NDArray[np.float32]:
        """(n, 4) in -1..1 -> (n, 3, 4): red, green, blue and 1 -> red, green and blue."""
        shift, contrast, saturation = (
            draws[:, i] * strength for i, strength in enumerate((self.brightness, self.contrast, self.saturation))
        )
        grey = np.broadcast_to(_GREY, (3, 3))
        mixed = np.eye(3) + saturation[:, None, None] * (np.eye(3) - grey)
        linear = (1 + contrast)[:, None, None] * mixed @ _turned(2 * np.pi * self.hue * draws[:, 3])
        offset = np.repeat((shift - contrast / 2)[:, None, None], 3, 1)  # contrast grows and shrinks about the middle grey
        return np.concatenate([linear, offset], 2).astype(np.float32)


def _turned(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) radians -> (n, 3, 3): colours turned about the axis of greys, by Rodrigues' formula."""
    axis = np.ones(3) / np.sqrt(3)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    sine, rest = np.sin(angle)[:, None, None], (1 - np.cos(angle))[:, None, None]
    return np.asarray(np.eye(3) + sine * cross + rest * (cross @ cross))


NONE = Augmentation()
DERMOSCOPY = Augmentation(0.6, 0.2, True, True, 180, 0.08, 0.2, 0.2, 0.02)
XRAY = Augmentation(0.6, 0.3, True, False, 10, 0.15, 0.35)
PHOTOGRAPH = Augmentation(0.5, 0.3, True, False, 10, 0.1, 0.2, 0.2, 0.02)
