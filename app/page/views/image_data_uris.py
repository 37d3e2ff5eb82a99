"""Pictures and maps as small data URIs, encoded once however many visitors see them."""

import base64
import weakref
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.service.stores.expiring_store import ExpiringStore
from explainers.baselines import make_baseline_image
from models.cards.card import Fit
from models.images.decoder import fit_to_size

MAX_URIS = 400
JPEG_QUALITY = 88
OUTLINED = 640
_uris: ExpiringStore[tuple[str, int | bytes], str] = ExpiringStore(MAX_URIS)


def photo_data_uri(photo: NDArray[np.uint8]) -> str:
    """(H, W, 3) RGB -> JPEG."""
    return _once("photo", photo, lambda: _encoded(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]))


def classifier_input_data_uri(image: NDArray[np.float32]) -> str:
    """(H, W, 3) RGB 0..1, the classifier's own pixels -> PNG, without loss."""
    return _once("seen", image, lambda: _encoded(".png", _bytes(image), []))


def map_data_uri(key: Any, codes: Callable[[], NDArray[np.uint8]]) -> str:
    """Codes (h, w) of a map -> grey PNG. key: the object that owns them, or bytes that identify them; each is encoded once."""
    return _once("codes", key, lambda: _encoded(".png", codes(), []))


def deletion_steps_data_uri(values: NDArray[np.float32], steps: Callable[[], NDArray[np.uint8]]) -> str:
    """Steps (H, W) at which a map's pixels go -> grey PNG. values: the map they belong to; encoded once."""
    return _once("steps", values, lambda: _encoded(".png", steps(), []))


def baseline_fill_data_uri(image: NDArray[np.float32], fill: str) -> str:
    """What stands where the classifier's picture (H, W, 3) is not -> PNG, without loss."""
    return _once(f"fill {fill}", image, lambda: _encoded(".png", _bytes(make_baseline_image(image, fill)), []))


def thumbnail_data_uri(photo: NDArray[np.uint8]) -> str:
    """(H, W, 3) RGB -> a JPEG for a list of examples."""
    return _once("thumb", photo, lambda: _encoded(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80]))


def evidence_outline_data_uri(evidence: NDArray[np.bool_], size: tuple[int, ...], how: Fit) -> str:
    """The outline of the evidence (h, w), fitted to (H, W) as the picture was: white, edged with black, else transparent -> PNG."""
    return _once("truth", evidence, lambda: _outline(evidence, (size[0], size[1]), how))


def mask_outline_data_uri(mask: NDArray[np.bool_]) -> str:
    """The outline of a region (H, W) of the classifier's own pixels, as in `evidence_outline_data_uri` -> PNG."""
    times = max(1, OUTLINED // max(mask.shape))
    size = (mask.shape[0] * times, mask.shape[1] * times)
    return _once("mask", mask, lambda: _encoded_outline(_enlarged(mask, size)))


def evict_encoded_images() -> None:
    """Drops what is stored by its codes alone, which no answer owns; it is encoded again when it is next shown."""
    _uris.remove_if(lambda name: isinstance(name[1], bytes))


def _bytes(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W, 3) RGB 0..1 -> BGR 0..255, as the encoder takes it."""
    return np.round(image[..., ::-1] * 255).astype(np.uint8)


def _enlarged(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.uint8]:
    return cv2.resize(mask.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST).astype(np.uint8)


def _outline(evidence: NDArray[np.bool_], size: tuple[int, int], how: Fit) -> str:
    mask = fit_to_size(np.repeat(evidence[..., None].astype(np.float32), 3, axis=2), size, how)[..., 0] > 0.5
    return _encoded_outline(mask.astype(np.uint8))


def _encoded_outline(mask: NDArray[np.uint8]) -> str:
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    canvas = np.zeros((*mask.shape, 4), np.uint8)
    for colour, width in (((0, 0, 0, 255), 7), ((255, 255, 255, 255), 3)):
        cv2.drawContours(canvas, contours, -1, colour, width, cv2.LINE_AA)
    return _encoded(".png", canvas, [])


def _encoded(kind: str, pixels: NDArray[np.uint8], flags: list[int]) -> str:
    ok, data = cv2.imencode(kind, np.ascontiguousarray(pixels), flags)
    if not ok:
        raise ValueError(f"a picture of shape {pixels.shape} could not be encoded as {kind}")
    mime = "image/jpeg" if kind == ".jpg" else "image/png"
    return f"data:{mime};base64,{base64.b64encode(data.tobytes()).decode()}"


def _once(kind: str, key: Any, make: Callable[[], str]) -> str:
    """A URI lives as long as its key: what shows a visitor's picture goes with the last answer about it."""
    name = (kind, key if isinstance(key, bytes) else id(key))
    if (stored := _uris.get(name)) is not None:
        return stored
    uri = make()
    if name not in _uris and not isinstance(key, bytes):
        weakref.finalize(key, _uris.pop, name).atexit = False
    _uris.put(name, uri)
    return uri
