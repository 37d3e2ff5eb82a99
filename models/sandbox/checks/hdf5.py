"""Checks the structure of an HDF5 file without reading its numbers: its links and declared sizes."""

import math
from collections.abc import Iterator
from typing import Any

from errors import UserError
from models.sandbox.checks.safe_text import printable_text

LARGEST = 2_000_000_000  # bytes of numbers in all
SMALL = 32_000_000  # bytes up to which any compression ratio is accepted
MAX_EXPANSION = 20  # highest ratio of declared to stored bytes
_MOST_PARTS = 100_000
_LONGEST_TEXT = 8_000_000  # bytes of all attributes of a part
_MOST_ATTRIBUTES = 1_000  # of a part
_SINGLE = {b"model_config", b"keras_version", b"backend", b"training_config"}
_KINDS = "fiubSV"
_FILTERS = {1, 2, 3}  # gzip, shuffle, checksum


def check_hdf5(file: Any, name: str) -> None:
    """file: an open h5py.File. Raises UserError for links to other files, external data and absurd sizes."""
    declared = 0
    for where, data in _datasets(file, name):
        _check_storage(data, where, name)
        size = int(data.size or 0) * data.dtype.itemsize
        declared += size
        stored = data.id.get_storage_size()
        if size > SMALL and size > MAX_EXPANSION * stored:
            raise UserError(
                f"{name} says that '{where}' has {size / 1e6:.0f} MB, but holds {stored / 1e6:.3g} MB of it; save it again uncompressed."
            )
    if declared > LARGEST:
        raise UserError(f"{name} holds {declared / 1e9:.1f} GB of weights; {LARGEST / 1e9:.0f} GB is the most. Take a smaller model.")


def _datasets(file: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every dataset once; links that form cycles are followed only once."""
    import h5py

    met: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", file)]
    while waiting:
        path, group = waiting.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in met:
            continue
        met.add(address)
        _check_attributes(group, path or "/", name)
        for key in group:
            where = f"{path}/{printable_text(key)}"
            if len(met) + len(waiting) > _MOST_PARTS:
                raise UserError(f"{name} has more than {_MOST_PARTS} parts inside; save the model again.")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise UserError(f"{name} points to other data at '{where}' (a soft or external link), as no model does; save it again.")
            found = group[key]
            if isinstance(found, h5py.Group):
                waiting.append((where, found))
            elif isinstance(found, h5py.Dataset):
                _check_attributes(found, where, name)
                yield where, found
            else:
                raise UserError(f"{name} holds a named type at '{where}', which no model file needs; save the model again.")


def _check_attributes(part: Any, where: str, name: str) -> None:
    """Of a group or data set: plain numbers and texts, of which a part holds few, however often the file refers to the same text."""
    import h5py

    count = h5py.h5a.get_num_attrs(part.id)
    if count > _MOST_ATTRIBUTES:
        raise UserError(f"{name} has {count:,} attributes at '{where}'; {_MOST_ATTRIBUTES:,} is the most. Save the model again.")
    total, largest = 0, min(part.file.id.get_filesize(), _LONGEST_TEXT)
    for number in range(count):
        attribute = h5py.h5a.open(part.id, index=number)
        kind, shape = attribute.get_type(), attribute.shape
        key = printable_text(attribute.name.decode("utf-8", "replace"))
        if attribute.name in _SINGLE and shape not in ((), (1,)):
            raise UserError(f"{name} holds {math.prod(shape):,} texts in '{key}' at '{where}', where a model has one; save it again.")
        if kind.get_class() not in (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING, h5py.h5t.ENUM):
            raise UserError(f"{name} holds '{key}' at '{where}', neither numbers nor texts; save the model again.")
        total += math.prod(shape) * kind.get_size()
        if total > largest:
            raise UserError(f"{name} says that '{key}' at '{where}' has {total / 1e6:.3g} MB, more than it holds; save the model again.")
        if kind.get_class() == h5py.h5t.STRING and kind.is_variable_str():
            total += _length_of_texts(part, attribute, key, name)
        if total > _LONGEST_TEXT:
            raise UserError(
                f"{name} holds {total / 1e6:.3g} MB of attributes at '{where}'; {_LONGEST_TEXT / 1e6:.0f} MB is the most. Save it again."
            )


def _length_of_texts(part: Any, attribute: Any, key: str, name: str) -> int:
    """Bytes of all the texts: one may stand for itself in many places, so that only reading them tells, within the process's memory."""
    try:
        found = part.attrs[attribute.name]
        return sum(len(each) for each in (found.flat if hasattr(found, "flat") else [found]))
    except (MemoryError, OSError, RuntimeError) as error:
        raise UserError(f"{name} holds '{key}', which unpacks to more memory than there is; save the model again.") from error


def _check_storage(data: Any, where: str, name: str) -> None:
    if data.external or data.is_virtual:
        raise UserError(f"{name} keeps '{where}' in another file, which would be read here; save the whole model in one file.")
    if data.dtype.kind not in _KINDS or data.dtype.names:
        raise UserError(f"{name} holds '{where}' of kind {data.dtype.kind!r}, no plain numbers; save the model again.")
    settings = data.id.get_create_plist()
    filters = {settings.get_filter(number)[0] for number in range(settings.get_nfilters())}
    if filters - _FILTERS:
        raise UserError(
            f"{name} packs '{where}' by filter {min(filters - _FILTERS)}, which is not gzip; save it again without compression."
        )
