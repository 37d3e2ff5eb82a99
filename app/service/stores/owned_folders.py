"""Temporary folders that outlive their process only until the next server starts: each says which process it belongs to."""

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

PREFIX = "crosscheck-"
OWNER = ".crosscheck-owner"
MAX_OWNER_BYTES = 100


class OwnedFolder:
    """A folder in the system's temporary folder, for this process alone."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        (self.path / OWNER).write_text(f"{os.getpid()} {_started(os.getpid())}", encoding="ascii")

    def share(self, group: int) -> None:
        """Lets a group read what is in the folder now, and nobody else."""
        for path, mode in ((self.path, 0o750), *((each, 0o640) for each in self.path.iterdir() if each.name != OWNER)):
            os.chown(path, -1, group)
            path.chmod(mode)

    def remove(self) -> None:
        """Deletes the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)


def delete_orphaned_folders(parent: Path | None = None) -> int:
    """Deletes the folders of processes that have ended; returns how many. parent: the system's temporary folder.

    Only folders of this user that this module made: anybody may write to a shared temporary folder, so nothing else there is believed.
    """
    removed = 0
    for path in (parent or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            if _is_left_behind(path):
                shutil.rmtree(path, ignore_errors=True)
                removed += not path.exists()
    return removed


def _is_left_behind(path: Path) -> bool:
    """OSError or ValueError where it is none of these folders."""
    if not stat.S_ISDIR(path.lstat().st_mode) or (hasattr(os, "getuid") and path.lstat().st_uid != os.getuid()):
        return False
    note = path / OWNER
    if not stat.S_ISREG(note.lstat().st_mode) or note.lstat().st_size > MAX_OWNER_BYTES:
        return False
    process, started = note.read_text(encoding="ascii").split()
    return not _alive(int(process)) or (started != "0" and _started(int(process)) not in (started, "0"))


def _alive(process: int) -> bool:
    if os.name == "nt":  # there os.kill would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _started(process: int) -> str:
    """When the process began, in the kernel's ticks, because its number may be another's by now; "0" where the system does not say."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()[19]
    except OSError:
        return "0"
