"""A filter in the kernel that refuses the calls by which a process reaches others, the network, or changes a file.

It stands beside Landlock, which knows nothing of datagrams, of file modes and of processes, and may be missing. The kernel's own
description: https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import os
import platform
import struct
from collections.abc import Iterator
from pathlib import Path

from models.sandbox import syscalls

_NO_NEW_PRIVILEGES, _FILTER, _EVERY_THREAD = 38, 1, 1
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where the kernel puts them
_THREAD = 0x10000
_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_ACTIONS = Path("/proc/sys/kernel/seccomp/actions_avail")

Step = tuple[int, int, int, int]


def is_seccomp_available() -> bool:
    """Whether a filter is written for this machine and its kernel takes one."""
    return platform.system() == "Linux" and platform.machine() in _MACHINES and _ACTIONS.exists()


def apply_seccomp_filter() -> None:
    """Puts the filter over every thread of this process and all that they begin, for good. OSError where the kernel has none, or cannot."""
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in _MACHINES:
        raise OSError(f"no filter is written for {platform.system()} on {machine}")
    architecture, which = _MACHINES[machine]
    code = b"".join(struct.pack("=HBBI", *step) for step in _program(architecture, which))
    steps = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(steps))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    call, way, every = (ctypes.c_long(number) for number in (syscalls.SECCOMP[which], _FILTER, _EVERY_THREAD))
    failed = libc.syscall(call, way, every, ctypes.c_char_p(program))
    if failed:
        number = ctypes.get_errno() if failed < 0 else 0
        raise OSError(number, os.strerror(number) if number else f"thread {failed} cannot be held")


def _program(architecture: int, which: int) -> Iterator[Step]:
    yield _load(_ARCHITECTURE)
    yield _EQUAL, 1, 0, architecture
    yield _return(_KILL)
    yield _load(_NUMBER)
    if which == 0:
        yield from _if(_AT_LEAST, 0x40000000, _EPERM)  # the second set of numbers that x86-64 has
    here = {number for pair in syscalls.NUMBERS.values() if (number := pair[which]) is not None}
    for number in sorted(here | set(syscalls.BOTH.values())):
        yield from _if(_EQUAL, number, _EPERM)
    for newer in (syscalls.CLONE3, syscalls.OPENAT2):  # callers fall back on their elder, whose arguments a filter can see
        yield from _if(_EQUAL, newer[which], _ENOSYS)
    for pair, place in ((syscalls.OPEN, 1), (syscalls.OPENAT, 2)):
        yield from _where(pair[which], [_load(_ARGUMENTS + 8 * place), (_ANY_BIT, 0, 1, _CHANGING)])
    yield from _where(syscalls.CLONE[which], [_load(_ARGUMENTS), (_ANY_BIT, 1, 0, _THREAD)])
    yield from _where(syscalls.TGKILL[which], [_load(_ARGUMENTS), (_EQUAL, 1, 0, os.getpid())])
    yield from _where(syscalls.AFFINITY[which], [_load(_ARGUMENTS), (_EQUAL, 2, 0, 0), (_EQUAL, 1, 0, os.getpid())])
    for call, orders in ((syscalls.FCNTL, syscalls.FCNTL_COMMANDS), (syscalls.IOCTL, syscalls.IOCTL_COMMANDS)):
        yield from _where(call[which], [_load(_ARGUMENTS + 8), *_one_of(list(orders.values()))])
    yield from _where(syscalls.PRLIMIT[which], [_load(_ARGUMENTS + 16), (_EQUAL, 0, 2, 0), _load(_ARGUMENTS + 20), (_EQUAL, 1, 0, 0)])
    yield _return(_ALLOW)


def _if(test: int, value: int, error: int) -> list[Step]:
    return [(test, 0, 1, value), _return(_REFUSE | error)]


def _where(number: int | None, tests: list[Step]) -> list[Step]:
    """For that call alone: the last test's jump leads past the refusal; afterwards the number is loaded again."""
    if number is None:
        return []
    inner = [*tests, _return(_REFUSE | _EPERM), _load(_NUMBER)]
    return [(_EQUAL, 0, len(inner), number), *inner]


def _one_of(values: list[int]) -> list[Step]:
    """Tests that lead to the refusal after them where what was loaded is one of these, and past it where it is none."""
    last = len(values) - 1
    return [(_EQUAL, last - i, 0 if i < last else 1, value) for i, value in enumerate(values)]


def _load(place: int) -> Step:
    return _LOAD, 0, 0, place


def _return(what: int) -> Step:
    return _RETURN, 0, 0, what
