"""Drops every capability of this process, for good: https://man7.org/linux/man-pages/man7/capabilities.7.html"""

import ctypes
import platform
import struct

_NO_NEW_PRIVILEGES, _BOUNDING_DROP, _AMBIENT, _CLEAR_ALL = 38, 24, 47, 4
_VERSION_3 = 0x20080522
_MOST = 64


def drop_capabilities() -> None:
    """Before any thread runs. Without effect outside Linux. OSError where capabilities remain."""
    if platform.system() != "Linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    for number in range(_MOST):  # without CAP_SETPCAP this is refused, and no new privileges come of the set that remains
        libc.prctl(_BOUNDING_DROP, number, 0, 0, 0)
    libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    header, nothing = struct.pack("=Ii", _VERSION_3, 0), bytes(24)
    if libc.capset(header, nothing):
        number = ctypes.get_errno()
        raise OSError(number, "capabilities cannot be dropped")
