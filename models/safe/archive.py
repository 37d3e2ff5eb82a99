"""Looks at the members of a .keras file, which is a zip archive, before anything is unpacked."""

import stat
import zipfile

from errors import UserError
from models.safe.words import shown

MOST_MEMBERS = 64
LARGEST = 2_000_000_000  # bytes of all members unpacked
SMALL = 16_000_000  # bytes that may be packed as tightly as one likes: a configuration alone packs 40 to 1
MOST_EXPANDED = 20


def check_members(archive: zipfile.ZipFile, name: str) -> None:
    """UserError names what no saved model has: too many members, twice the same, paths elsewhere, links, or a bomb."""
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise UserError(
            f"{name} has {len(members)} members; a saved model has 3, and {MOST_MEMBERS} is the most. Save it again by model.save."
        )
    seen: set[str] = set()
    for member in members:
        if member.filename in seen:
            raise UserError(
                f"{name} holds '{shown(member.filename)}' twice, so that it is not clear which one is meant; save it again by model.save."
            )
        seen.add(member.filename)
        _check_member(member, name)
    total = sum(member.file_size for member in members)
    if total > LARGEST:
        raise UserError(f"{name} unpacks to {total / 1e9:.1f} GB; {LARGEST / 1e9:.0f} GB is the most. Take a smaller model.")


def _check_member(member: zipfile.ZipInfo, name: str) -> None:
    parts = member.filename.replace("\\", "/").split("/")
    if parts[0] == "" or ".." in parts or ":" in parts[0]:
        raise UserError(f"{name} holds a member called '{shown(member.filename)}', a path out of the archive; save it again by model.save.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UserError(f"{name} holds a link, '{shown(member.filename)}', which no saved model has; save it again by model.save.")
    if member.flag_bits & 1:
        raise UserError(f"{name} holds '{shown(member.filename)}' under a password; save it again by model.save.")
    if member.file_size > SMALL and member.file_size > MOST_EXPANDED * member.compress_size:
        times = member.file_size // max(member.compress_size, 1)
        raise UserError(f"{name} holds '{shown(member.filename)}' packed {times} to 1, as only a zip bomb is; save it again by model.save.")
