"""Landlock, Linux's way for an ordinary process to give up files and network for good.

It is called by number through ctypes: the packages that wrap it (py-landlock, landlockpy) are young.

The kernel's own description: https://docs.kernel.org/userspace-api/landlock.html
"""

import ctypes
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # the same on every architecture
_GIVE_VERSION, _BENEATH = 1, 1
_NO_NEW_PRIVILEGES = 38

READ_FILE, READ_FOLDER = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""Version -> the rights over files that it added: everything up to symbolic links, then linking elsewhere, truncating, device control."""
_TCP_SINCE, _TCP = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11  # abstract sockets of others, signals to others


class _Rules(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def landlock_version() -> int:
    """Of the Landlock that this kernel has; 0 where it has none or hides it."""
    try:
        return max(0, _call(_CREATE, None, 0, _GIVE_VERSION))
    except (OSError, AttributeError):  # no Linux, or a kernel without it
        return 0


def apply_landlock(readable: Iterable[Path]) -> int:
    """From here on this process and all that it begins read only what lies at or below `readable`, and write, run and connect to nothing.

    What cannot be opened is not read either. Returns the version that does it. Raises OSError where there is none, or where it cannot be
    put over this process; a process with other threads already running is not covered.
    """
    found = landlock_version()
    if not found:
        raise OSError("this system has no Landlock")
    rights = sum(added for since, added in _FILE_RIGHTS.items() if found >= since)
    rules = _Rules(rights, _TCP if found >= _TCP_SINCE else 0, _SCOPES if found >= _SCOPES_SINCE else 0)
    size = 24 if found >= _SCOPES_SINCE else 16 if found >= _TCP_SINCE else 8
    ruleset = _call(_CREATE, ctypes.byref(rules), size, 0)
    try:
        for path in readable:
            with suppress(OSError):
                _allow(ruleset, path)
        _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _call(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)
    return found


def _allow(ruleset: int, path: Path) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = READ_FILE | READ_FOLDER if stat.S_ISDIR(os.fstat(place).st_mode) else READ_FILE
        _call(_ADD_RULE, ruleset, _BENEATH, ctypes.byref(_Beneath(rights, place)), 0)
    finally:
        os.close(place)


def _call(*arguments: object) -> int:
    plain = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    done = int(_libc().syscall(*plain))
    if done < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return done


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
