"""Estimates the memory that decoding a picture takes from its header, so that it can be refused before it is decoded."""

import io

import cv2
import numpy as np
from PIL import Image

BUDGET = 100_000_000  # bytes; together with the reduced picture, decoding stays under 150 MB
_PIXEL_BYTES = {"1": 1, "L": 1, "P": 1, "LA": 4}  # in Pillow's memory; 4 for all other modes
_WEBP_PIXEL_BYTES = 7.5  # measured on OpenCV: lossless, with transparency
_AVIF_PIXEL_BYTES = 10  # planes of up to 16 bits, and Pillow's own pixels
_TIFF_ROWS_PER_STRIP, _TIFF_TILE_LENGTH = 278, 323


def decoded_size_in_bytes(image: Image.Image) -> int:
    """The size of `image` in Pillow's memory once it is loaded."""
    return image.width * image.height * _PIXEL_BYTES.get(image.mode, 4)


def peak_decoding_memory(image: Image.Image, kind: str, data: bytes) -> int:
    """The peak memory of decoding `image`, opened and not yet loaded, from the file `data`."""
    if kind == "WEBP":
        return int(image.width * image.height * _WEBP_PIXEL_BYTES)
    if kind == "AVIF":
        return image.width * image.height * _AVIF_PIXEL_BYTES
    if kind == "TIFF":
        rows = image.tag_v2.get(_TIFF_TILE_LENGTH) or image.tag_v2.get(_TIFF_ROWS_PER_STRIP) or image.height  # type: ignore[attr-defined]
        return decoded_size_in_bytes(image) + min(int(rows), image.height) * image.width * 4
    if kind == "JPEG":  # decoded at reduced size, so that only the coefficients can take much memory
        return _coefficient_bytes(image) if _is_held_whole(data) else 0
    return decoded_size_in_bytes(image)


def decode_webp(data: bytes) -> Image.Image:
    """The first frame of a WebP, decoded by OpenCV in half the memory that Pillow takes."""
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if values is None:
        raise OSError("the WebP cannot be decoded")
    cv2.cvtColor(values, cv2.COLOR_BGRA2RGBA if values.shape[2] == 4 else cv2.COLOR_BGR2RGB, dst=values)
    return Image.fromarray(values)


def _coefficient_bytes(image: Image.Image) -> int:
    sampling = [(across, down) for _, across, down, _ in image.layer]  # type: ignore[attr-defined]
    across, down = (max(axis) for axis in zip(*sampling, strict=True))
    share = sum(a * d for a, d in sampling) / (across * down)
    return int(image.width * image.height * share * 2)


def _is_held_whole(data: bytes) -> bool:
    """Whether a JPEG has several scans, so that the decoder holds all coefficients of the picture."""
    stream, components = io.BytesIO(data), 0
    stream.seek(2)
    while marker := stream.read(2):
        while marker[1:] == b"\xff":
            marker = b"\xff" + stream.read(1)
        length, code = int.from_bytes(stream.read(2)), marker[1]
        body = stream.read(length - 2)
        if code in (0xC2, 0xC6, 0xCA, 0xCE):
            return True
        if code in (0xC0, 0xC1, 0xC9):
            components = body[5]
        if code == 0xDA:
            return body[0] < components
    return True
