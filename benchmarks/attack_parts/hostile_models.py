"""Hostile model files, and hostile files beside a model, written by small programs: each of a kind that got past some defence once."""

import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from models.store import bundled_models

GOOD = "glass_box"
BLOCK = 16 << 20

LARGEST_INPUT = "input of 1024 x 1024"


def honest(path: Path) -> Path:
    """An ordinary classifier: the control."""
    path.write_bytes(bundled_models()[GOOD].read_bytes())
    return path


def members() -> dict[str, bytes]:
    """What lies in an ordinary .keras file."""
    with zipfile.ZipFile(bundled_models()[GOOD]) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(content: Mapping[str, bytes]) -> bytes:
    """A zip archive."""
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return room.getvalue()


def lambda_config() -> dict[str, Any]:
    """Of a Keras 2 network with a Lambda layer, whose code nobody may run."""
    code = ["4wEAAAAAAAAAAAAAAAEAAAABAAAAQwAAAHMEAAAAfABTAA==\n", None, None]
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 32, 32, 3], "name": "a", "dtype": "float32"}},
        {"class_name": "Lambda", "config": {"name": "b", "function": code, "function_type": "lambda", "arguments": {}}},
    ]
    return {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}


def keras_2_bytes(config: dict[str, Any]) -> bytes:
    """A .h5 file of Keras 2 with this configuration."""
    room = io.BytesIO()
    with h5py.File(room, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"], file.attrs["model_config"] = "2.15.0", "tensorflow", json.dumps(config)
        file.create_group("model_weights")
    return room.getvalue()


def zip_behind_hdf5(path: Path) -> Path:
    """HDF5 with a Lambda layer in front, an honest archive behind: two readers see two models."""
    path.write_bytes(keras_2_bytes(lambda_config()) + packed(members()))
    return path


def hdf5_in_user_block(path: Path) -> Path:
    """An archive in front and HDF5 at offset 2^n, where HDF5 also looks for its signature."""
    archive = packed(members())
    start = 512
    while start < len(archive):
        start *= 2
    path.write_bytes(archive.ljust(start, b"\0") + keras_2_bytes(lambda_config()))
    return path


def variable_length_bomb(path: Path, references: int = 3_500, size: int = 1_000_000) -> Path:
    """An attribute of many strings of variable length, all of which refer to the same megabyte."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.15.0"
        strings = np.array(["x" * size, *[""] * (references - 1)], object)
        file.attrs.create("model_config", strings, dtype=h5py.string_dtype())
    data = bytearray(path.read_bytes())
    # An element is its length (4 bytes), the address of its heap (8) and its number there (4).
    where = data.find(struct.pack("<I", size), 0)
    while where >= 0 and data[where + 16 : where + 20] not in (struct.pack("<I", 0), struct.pack("<I", 1)):
        where = data.find(struct.pack("<I", size), where + 1)
    element = bytes(data[where : where + 16])
    data[where : where + 16 * references] = element * references
    path.write_bytes(data)
    return path


def zeros_deflated(size: int) -> bytes:
    """So many zero bytes as a deflate stream: one block compressed once and repeated, and the rest."""
    first, rest = (zlib.compressobj(9, zlib.DEFLATED, -15) for _ in range(2))
    block = first.compress(bytes(BLOCK)) + first.flush(zlib.Z_FULL_FLUSH)
    return block * (size // BLOCK) + rest.compress(bytes(size % BLOCK)) + rest.flush()


def crc_of(head: bytes, zeros: int) -> int:
    """CRC-32 of `head` and so many zero bytes."""
    crc, block = zlib.crc32(head), bytes(BLOCK)
    for _ in range(zeros // BLOCK):
        crc = zlib.crc32(block, crc)
    return zlib.crc32(bytes(zeros % BLOCK), crc)


def archive_with_bomb(path: Path, content: Mapping[str, bytes], name: str, head: bytes, size: int, claimed: int = 0) -> Path:
    """A zip archive with one more member: `head`, then zeros. claimed: the compressed size that its directory states, where it lies."""
    opening = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = opening.compress(head) + opening.flush(zlib.Z_FULL_FLUSH) + zeros_deflated(size)
    total, crc = len(head) + size, crc_of(head, size)
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w") as archive:
        for each, data in content.items():
            archive.writestr(each, data)
        archive.writestr(name, stream)  # stored: its head is replaced below by one that says deflated
    whole = bytearray(room.getvalue())
    compressed = claimed or len(stream)
    for signature, method, sizes in ((b"PK\x03\x04", 8, 14), (b"PK\x01\x02", 10, 16)):
        where = whole.rindex(signature)
        struct.pack_into("<H", whole, where + method, zipfile.ZIP_DEFLATED)
        struct.pack_into("<III", whole, where + sizes, crc, compressed if signature == b"PK\x01\x02" else len(stream), total)
    path.write_bytes(whole)
    return path


def lying_compressed_size(path: Path, size: int = 1_500_000_000) -> Path:
    """Weights of 1.5 GB in 1.5 MB, whose directory claims 100 MB, so that the ratio looks harmless."""
    content = members()
    content.pop("model.weights.h5")
    return archive_with_bomb(path, content, "model.weights.h5", b"\x89HDF\r\n\x1a\n", size, claimed=size // 15)


def zip_bomb(path: Path) -> Path:
    """The same without the lie."""
    content = members()
    content.pop("model.weights.h5")
    return archive_with_bomb(path, content, "model.weights.h5", b"\x89HDF\r\n\x1a\n", 1_500_000_000)


def huge_kernel(path: Path) -> Path:
    """2 kB that want a kernel of 184 GB."""
    layers = [
        {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 400, 400, 3], "name": "a"}},
        {"module": "keras.layers", "class_name": "Flatten", "config": {"name": "b"}},
        {"module": "keras.layers", "class_name": "Dense", "config": {"name": "c", "units": 96_000, "activation": "softmax"}},
    ]
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    path.write_bytes(packed(members() | {"config.json": json.dumps(config).encode()}))
    return path


def external_link(path: Path) -> Path:
    """Weights that are said to lie in another file of the server."""
    content = members()
    room = io.BytesIO(content["model.weights.h5"])
    with h5py.File(room, "r+") as file:
        file["stolen"] = h5py.ExternalLink("/etc/passwd", "/")
    path.write_bytes(packed(content | {"model.weights.h5": room.getvalue()}))
    return path


def _onnx(path: Path, program: str) -> Path:
    import onnx
    import onnx.parser

    path.write_bytes(onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 13]>\n{program}').SerializeToString())
    return path


def many_classes(path: Path) -> Path:
    """A handful of bytes with 60,000 classes."""
    return _onnx(
        path,
        "g (float[N,3,32,32] x) => (float[N,60000] y) <int64[2] s = {1,20000}> "
        "{ p = GlobalAveragePool (x) q = Flatten (p) y = Tile (q, s) }",
    )


def two_rows(path: Path) -> Path:
    """Two rows of three classes for each picture."""
    return _onnx(
        path,
        "g (float[N,3,32,32] x) => (float[M,3] y) <int64[2] k = {2,1}> { p = GlobalAveragePool (x) q = Flatten (p) y = Tile (q, k) }",
    )


def endless(path: Path) -> Path:
    """Answers at once while it is opened, and never for a bright picture."""
    return _onnx(
        path,
        """g (float[N,3,32,32] x) => (float[N,3] y) <float a = {0.7}, float b = {0.95}, float k = {1e+15}, bool t = {1}> {
            m = ReduceMean <keepdims: int = 0> (x)
            above = Sub (m, a)
            r1 = Relu (above)
            below = Sub (b, m)
            r2 = Relu (below)
            p0 = Mul (r1, r2)
            p1 = Mul (p0, k)
            times = Cast <to: int = 7> (p1)
            pool = GlobalAveragePool (x)
            q = Flatten (pool)
            z = Loop (times, t, q) <body: graph = inner (int64 i, bool c, float[N,3] v) => (bool c2, float[N,3] v2) {
                c2 = Identity (c)
                v2 = Sin (v)
            }>
            y = Softmax (z)
        }""",
    )


def huge_input(path: Path, side: int = 2048) -> Path:
    """A file of some kB that takes so many pixels a side and has 16 channels of that size."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    from keras import layers

    network = [layers.Input((side, side, 3)), layers.Conv2D(16, 1), layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")]
    keras.Sequential(network).save(path)
    return path


def beside_good(folder: Path, beside: Callable[[Path], object]) -> Path:
    """A folder with an honest classifier and what `beside` writes next to it."""
    folder.mkdir()
    model = honest(folder / "m.keras")
    beside(model)
    return model


def library_bomb(model: Path, size: int = 600_000_000) -> None:
    """A reference library of less than a megabyte beside a model, whose maps take 600 MB, and several times as much once they are read."""
    rows = 40
    width = size // rows // 2
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f2", "fortran_order": False, "shape": (rows, width)})
    made_with = {"model": "x", "cells": 8, "fill": "blur"}
    content = {"made_with.npy": _npy(np.array(json.dumps(made_with))), "pictures.npy": _npy(np.array(["a"] * rows, "U16"))}
    archive_with_bomb(model.with_suffix(".library.npz"), content, "maps/Grad-CAM.npy", head.getvalue(), rows * width * 2)


def fifo_card(model: Path) -> None:
    """A pipe under the name of the card, which nobody ever writes to."""
    os.mkfifo(model.with_suffix(".json"))


def long_card(model: Path) -> None:
    """A card with notes of 15 MB and a name of 3 MB of control characters."""
    card = {"name": "\x1b[2J" * 700_000, "labels": ["a", "b", "c", "d"], "size": [128, 128], "notes": ["x" * 15_000_000]}
    model.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")


def many_labels(model: Path) -> None:
    """A card with 40,000 labels, and a field of 500,000 values."""
    field = {"name": "n", "values": [f"v{number}" for number in range(500_000)]}
    card = {"name": "m", "labels": [f"c{number}" for number in range(40_000)], "size": [128, 128], "metadata": [field]}
    model.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")


def _npy(values: Any) -> bytes:
    room = io.BytesIO()
    np.save(room, values)
    return room.getvalue()


UPLOADS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "zip behind HDF5": (zip_behind_hdf5, "m.h5"),
    "the same, called .keras": (zip_behind_hdf5, "m.keras"),
    "HDF5 in an archive's block": (hdf5_in_user_block, "m.h5"),
    "variable-length HDF5 bomb": (variable_length_bomb, "m.h5"),
    "compressed size that lies": (lying_compressed_size, "m.keras"),
    "zip bomb": (zip_bomb, "m.keras"),
    "60,000 classes": (many_classes, "m.onnx"),
    "two rows a picture": (two_rows, "m.onnx"),
    "input of 2048 x 2048": (huge_input, "m.keras"),
    LARGEST_INPUT: (lambda path: huge_input(path, 1024), "m.keras"),
    "kernel of 184 GB": (huge_kernel, "m.keras"),
    "weights linked elsewhere": (external_link, "m.keras"),
}
"""Title -> what writes the file that a visitor uploads, and its name."""

BESIDE: dict[str, Callable[[Path], object]] = {
    "library bomb beside a model": library_bomb,
    "card of 18 MB beside a model": long_card,
    "40,000 labels, 500,000 values on a card": many_labels,
    "FIFO as a card": fifo_card,
}
"""Title -> what writes a file next to a model that the server was started with."""
