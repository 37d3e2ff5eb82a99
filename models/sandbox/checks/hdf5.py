"""Looks at the structure of an HDF5 file without reading its numbers: what it links to, how large it says that it is."""

from collections.abc import Iterator
from typing import Any

from errors import UserError
from models.sandbox.checks.display import printable

LARGEST = 2_000_000_000  # bytes of numbers in all
SMALL = 32_000_000  # bytes that may be stored as compactly as one likes
MOST_EXPANDED = 20  # times that more may be declared than is stored
_MOST_PARTS = 100_000
_KINDS = "fiubSV"
_FILTERS = {1, 2, 3}  # gzip, shuffle, checksum


def check_hdf5(file: Any, name: str) -> None:
    """file: an open h5py.File. UserError names what a model's weights never hold: links elsewhere, borrowed or absurdly large data."""
    declared = 0
    for where, data in _datasets(file, name):
        _check_storage(data, where, name)
        size = int(data.size or 0) * data.dtype.itemsize
        declared += size
        stored = data.id.get_storage_size()
        if size > SMALL and size > MOST_EXPANDED * stored:
            raise UserError(
                f"{name} says that '{where}' has {size / 1e6:.0f} MB, but holds {stored / 1e6:.3g} MB of it; save it again uncompressed."
            )
    if declared > LARGEST:
        raise UserError(f"{name} holds {declared / 1e9:.1f} GB of weights; {LARGEST / 1e9:.0f} GB is the most. Take a smaller model.")


def _datasets(file: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every data set once, and no group twice, however the links run."""
    import h5py

    met: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", file)]
    while waiting:
        path, group = waiting.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in met:
            continue
        met.add(address)
        for key in group:
            where = f"{path}/{printable(key)}"
            if len(met) + len(waiting) > _MOST_PARTS:
                raise UserError(f"{name} has more than {_MOST_PARTS} parts inside; save the model again.")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise UserError(f"{name} points to other data at '{where}' (a soft or external link), as no model does; save it again.")
            found = group[key]
            if isinstance(found, h5py.Group):
                waiting.append((where, found))
            elif isinstance(found, h5py.Dataset):
                yield where, found
            else:
                raise UserError(f"{name} holds a named type at '{where}', which no model file needs; save the model again.")


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
