"""Drops every privilege of this process, for good: https://man7.org/linux/man-pages/man7/capabilities.7.html"""

import ctypes
import os
import platform
import struct
from collections.abc import Iterable
from pathlib import Path

from models.sandbox.sandbox_user import SandboxUser

_NO_NEW_PRIVILEGES, _KEEP, _BOUNDING_DROP, _AMBIENT, _CLEAR_ALL = 38, 8, 24, 47, 4
_VERSION_3 = 0x20080522
_MOST = 64
_READ_AND_SEARCH = 1 << 2


def drop_capabilities(user: SandboxUser | None = None, needed: Iterable[Path] = ()) -> None:
    """Before any thread runs. Without effect outside Linux. OSError where privileges remain.

    user: whose process this becomes, for good; only root's process can. Where that user cannot read all of `needed`, such as Python in
    root's home, one capability remains: to read, for which Landlock then is the only limit.
    """
    if platform.system() != "Linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    for number in range(_MOST):  # without CAP_SETPCAP this is refused, and no new privileges come of the set that remains
        libc.prctl(_BOUNDING_DROP, number, 0, 0, 0)
    libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    kept = 0
    if user:
        libc.prctl(_KEEP, 1, 0, 0, 0)
        os.setgroups([])
        os.setresgid(user.group, user.group, user.group)
        os.setresuid(user.number, user.number, user.number)
        libc.prctl(_KEEP, 0, 0, 0, 0)
        if not all(os.access(path, os.R_OK) for path in needed):
            kept = _READ_AND_SEARCH
    header, sets = struct.pack("=Ii", _VERSION_3, 0), struct.pack("=6I", kept, kept, 0, 0, 0, 0)
    if libc.capset(header, sets):
        number = ctypes.get_errno()
        raise OSError(number, "capabilities cannot be dropped")
