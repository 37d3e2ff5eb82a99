"""Hostile model files, made from a bundled one by changing what lies in it."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PIL import Image

from models.store import bundled_models

GOOD = bundled_models()["glass_box"]


def members() -> dict[str, bytes]:
    """Of an ordinary .keras file."""
    with zipfile.ZipFile(GOOD) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path: Path, content: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def with_config(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A .keras file whose configuration was changed."""
    content = members()
    config = json.loads(content["config.json"])
    change(config)
    content["config.json"] = json.dumps(config).encode()
    return written(path, content)


def with_layer(path: Path, **layer: Any) -> Path:
    """A .keras file one of whose layers is this one."""

    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][1] |= layer

    return with_config(path, change)


def with_weights(path: Path, change: Callable[[h5py.File], None]) -> Path:
    """A .keras file whose weights were changed."""
    content = members()
    room = io.BytesIO(content["model.weights.h5"])
    with h5py.File(room, "r+") as file:
        change(file)
    content["model.weights.h5"] = room.getvalue()
    return written(path, content)


def keras_2(path: Path, config: dict[str, Any]) -> Path:
    """A .h5 file of Keras 2 with this configuration and no weights."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["model_config"] = "2.15.0", json.dumps(config)
    return path


def external_link(file: h5py.File) -> None:
    file["stolen"] = h5py.ExternalLink("/etc/passwd", "/")


def soft_link(file: h5py.File) -> None:
    file["loop"] = h5py.SoftLink("/")


def external_data(file: h5py.File) -> None:
    file.create_dataset("stolen", (64,), "u1", external=[("/etc/passwd", 0, 64)])


def virtual_data(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", (4,))
    file.create_virtual_dataset("stolen", layout)


def shape_bomb(file: h5py.File) -> None:
    file.create_dataset("bomb", (40_000, 25_000), "f4", chunks=(1000, 1000), compression="gzip")


def objects(file: h5py.File) -> None:
    file.create_dataset("text", (2,), h5py.string_dtype())


def group_in_itself(file: h5py.File) -> None:
    file["again"] = file["/"]


def many_members(path: Path) -> Path:
    return written(path, members() | {f"x{number}": b"" for number in range(100)})


def zip_bomb(path: Path) -> Path:
    return written(path, members() | {"model.weights.h5": bytes(30_000_000)}, zipfile.ZIP_DEFLATED)


def path_out(path: Path) -> Path:
    return written(path, members() | {"../../evil": b"x"})


def asset(path: Path) -> Path:
    return written(path, members() | {"assets/words.txt": b"x"})


def link(path: Path) -> Path:
    with zipfile.ZipFile(written(path, members()), "a") as archive:
        member = zipfile.ZipInfo("metadata.json.link")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    return path


def twice(path: Path) -> Path:
    """Two members of one name; zipfile itself warns, so the second is renamed afterwards."""
    written(path, members() | {"config.jsoo": b"{}"})
    path.write_bytes(path.read_bytes().replace(b"config.jsoo", b"config.json"))
    return path


def oversize(path: Path) -> Path:
    """Says in its directory that a member has 3 GB."""
    size = len(members()["metadata.json"]).to_bytes(4, "little")
    content = written(path, members()).read_bytes()
    where = content.index(b"PK\x01\x02") + 20
    assert content[where : where + 4] == size == content[where + 4 : where + 8]
    huge = (3_000_000_000).to_bytes(4, "little")
    path.write_bytes(content[:where] + huge + huge + content[where + 8 :])
    return path


def deep(path: Path) -> Path:
    def change(config: dict[str, Any]) -> None:
        part = config["config"]
        for _ in range(400):
            part["more"] = {}
            part = part["more"]

    return with_config(path, change)


def large_number(path: Path) -> Path:
    return with_layer(path, config={"units": 10**18})


def huge_kernel(path: Path) -> Path:
    """2 kB that ask for a kernel of 184 GB."""
    head = [
        {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 400, 400, 3], "name": "a"}},
        {"module": "keras.layers", "class_name": "Flatten", "config": {"name": "b"}},
        {"module": "keras.layers", "class_name": "Dense", "config": {"name": "c", "units": 96_000, "activation": "softmax"}},
    ]
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": head}}
    return written(path, members() | {"config.json": json.dumps(config).encode()})


def copied(path: Path) -> Path:
    shutil.copy(GOOD, path)
    return path


def picture(path: Path) -> Path:
    """An ordinary picture, for a hostile model to be asked about."""
    Image.fromarray((255 * noise((64, 64, 3))).astype(np.uint8)).save(path)
    return path


def noise(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).random(shape, np.float32)
