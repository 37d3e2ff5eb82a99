"""Converts the pixels of a picture file, in any mode, into RGB from 0 to 1."""

import contextlib
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_TURNS = {  # EXIF orientation -> (swap rows and columns, then flip rows, flip columns)
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def to_basic_colour_mode(image: Image.Image) -> Image.Image:
    """In mode L, RGB, CMYK: palettes resolved, transparency composited over white."""
    if image.has_transparency_data:
        shown = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def to_srgb(pixels: NDArray[np.uint8], profile: bytes | None) -> NDArray[np.float32]:
    """(H, W), (H, W, 3) or (H, W, 4 inks) -> (H, W, 3) float32 in 0..1, converted to sRGB where `profile` gives the colour space."""
    image = Image.fromarray(pixels, "CMYK") if pixels.ndim == 3 and pixels.shape[2] == 4 else Image.fromarray(pixels)
    image = _in_srgb(image, profile) if profile else image
    return np.asarray(image.convert("RGB"), np.float32) / np.float32(255)


def deep_to_srgb(unit: NDArray[np.float32], profile: bytes | None) -> NDArray[np.float32]:
    """(H, W, 1 or 3) float32 in 0..1 -> (H, W, 3). A profile of colours, unless it is sRGB itself, is converted in 8 bits."""
    if unit.shape[2] == 1:
        return np.repeat(unit, 3, axis=2)
    if not profile:
        return unit
    image = Image.fromarray(np.rint(unit * 255).astype(np.uint8))
    converted = _in_srgb(image, profile)
    return unit if converted is image else np.asarray(converted.convert("RGB"), np.float32) / np.float32(255)


def apply_exif_orientation(picture: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """(H, W, 3) rotated and mirrored by the EXIF orientation 1..8; any other number leaves it unchanged."""
    swap, rows, columns = _TURNS.get(orientation, (False, False, False))
    turned = picture.transpose(1, 0, 2) if swap else picture
    return np.ascontiguousarray(turned[:: -1 if rows else 1, :: -1 if columns else 1])


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    # A damaged profile, or one for another colour space, is no reason to refuse the picture.
    with contextlib.suppress(ImageCms.PyCMSError, OSError):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return image
        return (
            ImageCms.profileToProfile(
                image,
                source,
                ImageCms.createProfile("sRGB"),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
            or image
        )
    return image
