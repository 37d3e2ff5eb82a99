"""A model in a zip archive, such as Teachable Machine's exports, opened without unpacking it to disk."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import UserError
from models.formats.model_format import ModelCapabilities, ModelFormat
from models.sandbox.checks.zip_members import open_checked_archive, single_model_in_zip


def make_zip_archive_format(formats: Sequence[ModelFormat]) -> ModelFormat:
    """The format of archives with one model of one of `formats`, as far as those can be opened from an archive."""
    inside = _Inside(tuple(each for each in formats if each.open_bytes or each.open_members))
    return ModelFormat(
        title="a zip archive of one of them but `.keras`, such as Teachable Machine's",
        example="a .zip of Teachable Machine",
        suffixes=(".zip",),
        provides=ModelCapabilities.AS_INSIDE,
        recognise=lambda path, start: start.startswith(b"PK"),
        check=inside.check,
        open=inside.open,
    )


@dataclass(frozen=True)
class _Inside:
    formats: tuple[ModelFormat, ...]

    def check(self, path: Path) -> None:
        with open_checked_archive(path) as archive:
            found, member = self._find(archive, path.name)
            if found.check_bytes:
                found.check_bytes(archive.read(member), path)

    def open(self, path: Path) -> Any:
        """The Keras model, or the network, in the archive. UserError where there is none."""
        try:
            with zipfile.ZipFile(path) as archive:
                found, member = self._find(archive, path.name)
                if found.open_members:
                    return found.open_members(archive, member.removesuffix(found.marker), path.name)
                content = archive.read(member)
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise UserError(f"{path.name} is a damaged or truncated zip archive; save or download it again.") from error
        assert found.open_bytes is not None
        return found.open_bytes(content, member, path.name)

    def _find(self, archive: zipfile.ZipFile, name: str) -> tuple[ModelFormat, str]:
        """The format of the model in the archive, and its member or the marker of its folder. UserError."""
        files, folders = ([each.example for each in self.formats if bool(each.marker) == marked] for marked in (False, True))
        examples = ", ".join(files) + (f" or {' or '.join(folders)}" if folders else "")
        member = single_model_in_zip(archive, name, lambda path: any(each.matches(path) for each in self.formats), examples)
        return next(each for each in self.formats if each.matches(member)), member
