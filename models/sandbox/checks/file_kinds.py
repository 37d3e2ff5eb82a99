"""One kind for one file: what the check reads must be what is opened, so a file that can be read as two kinds is refused."""

import zipfile
from pathlib import Path

from errors import UserError

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_BY_NAME = (".keras", ".zip")
"""Named so, a zip archive is opened as that alone; weights stored in it may lie by chance where HDF5 looks for its start."""


def check_file_is_one_kind(path: Path) -> None:
    """UserError where the file begins as a zip archive or HDF5 and is, or may be, the other as well."""
    with path.open("rb") as file:
        start = file.read(8)
        if not start.startswith((b"PK", _HDF5)):
            return
        if start.startswith(b"PK") and not start.startswith(_ZIP):
            raise UserError(f"{path.name} begins with {start!r:.40}, not as a zip archive does; save or download it again.")
        if start == _HDF5 and zipfile.is_zipfile(file):
            raise UserError(f"{path.name} is both HDF5 and a zip archive, and a model is one of them; save the model again.")
        if start.startswith(_ZIP) and path.suffix not in _BY_NAME and (place := _second_start(path)):
            raise UserError(f"{path.name} is a zip archive with HDF5 at byte {place}, and a model is one of them; save the model again.")


def _second_start(path: Path) -> int:
    """Where HDF5 would look for its start behind others' bytes, and finds it: 512, 1024, 2048, ...; 0 where it does not."""
    place, size = 512, path.stat().st_size
    with path.open("rb") as file:
        while place < size:
            file.seek(place)
            if file.read(8) == _HDF5:
                return place
            place *= 2
    return 0
